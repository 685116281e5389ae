"""The input's gradient where windows lie apart: one product, whose rows are laid out a tap at a time.

With a stride of at least the kernel's size, each input cell is reached by one tap, from one window,
or by none. So nothing has to be added up: a column of the product (i·k·l, o) by (o, h·w) is what one
window gives to its cells, and each number has a place of its own.

    x[n,g,i, h·s + k·d - p, w·s + l·d - p] = sum over o of  w[g,o,i,k,l] · y[n,g,o, h,w]

`turned.py` comes to the same sums by one product for each phase of the stride. Each reads the output's
gradient again, copies its part of the weight, and goes through all of the result for every s-th cell.
Here the columns of a block are laid out while they are still in the cache, and so are the rows that
they are laid out in.

A transposed convolution with stride 2 and 2×2 taps, a U-Net's way up, is such a gradient.
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from . import im2col
from .blocks import Block, blocks
from .products import is_own, multiply
from .steps import Shape, Steps, one_tap_a_cell, seen, shape_of
from .threads import limit, scratch, share

__all__ = ["input_gradient", "is_apart"]

Range = tuple[slice, ...]


def is_apart(shape: Shape, steps: Steps) -> bool:
    """Tell whether each cell of a strided input is reached by one tap at most."""
    return max(steps.stride) > 1 and one_tap_a_cell(shape.taps, steps)


def places_of(
    size: tuple[int, ...], shape: Shape, steps: Steps
) -> tuple[list[tuple[Range, Range]], bool]:
    """Say for each tap which windows (h, w) reach which cells (H, W), and whether all are reached."""
    places = [seen(tap, size, shape.positions, steps) for tap in np.ndindex(*shape.taps)]
    reached = sum(prod(h.stop - h.start for h in outputs) for outputs, _ in places)
    return places, reached == prod(size)


def within(place: tuple[Range, Range], at: Range, strides: tuple[int, ...]) -> tuple[Range, Range]:
    """Of one tap's place, take the windows of a block, counted from its first, and their cells."""
    inside, onto = [], []
    for outputs, cells, part, s in zip(*place, at, strides, strict=True):
        first = max(outputs.start, part.start)
        end = max(min(outputs.stop, part.stop), first)
        cell = cells.start + (first - outputs.start) * s
        inside.append(slice(first - part.start, end - part.start))
        onto.append(slice(cell, cell + (end - first) * s, s))
    return tuple(inside), tuple(onto)


def is_shared(xp: ModuleType, shape: Shape) -> bool:
    """Tell whether Python's threads share the blocks out: to lay out columns takes long, too."""
    large = xp is np and shape.products >= im2col.SEVERAL
    return large and limit() > (1 if is_own(xp) else 2)


def plan(xp: ModuleType, shape: Shape, itemsize: int) -> tuple[Block, ...]:
    """Choose blocks whose columns stay in the cache, and are enough for BLAS' own copy of the weight."""
    room = 2 * im2col.BLOCK if xp is np else im2col.GPU_BLOCK
    most = max(room // (shape.i * prod(shape.taps) * itemsize), im2col.LEAST_COLUMNS)
    return blocks(shape, most, limit() if is_shared(xp, shape) else 1)


def input_gradient(xp: ModuleType, gy: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W)."""
    shape = shape_of(out, w, gy)
    places, everywhere = places_of(out.shape[3:], shape, steps)
    if not everywhere:
        out[...] = 0
    # (g, o, i, k, l) -> (g, i·k·l, o), read in place; (n, g, o, h, w) -> (n, g, o, h·w)
    matrix = w.reshape(shape.g, shape.o, -1).swapaxes(1, 2)
    flat, several = gy.reshape(*gy.shape[:3], -1), is_shared(xp, shape)

    def block(b: Block) -> None:
        y = flat[b.n, b.g, :, b.flat]
        images, groups, o, positions = y.shape
        # (n, g, o, h·w) -> (g, o, n·h·w): of one image, a view
        y = xp.moveaxis(y, 0, 2).reshape(groups, o, -1)
        columns = scratch(xp, groups * matrix.shape[1] * images * positions, out.dtype)
        columns = columns.reshape(groups, -1, images * positions)
        # (g, i·k·l, o) @ (g, o, n·h·w) -> (g, i·k·l, n·h·w)
        multiply(xp, matrix[b.g], y, columns, not several)
        # -> (g, i, t, n, h, w) -> (t, n, g, i, h, w)
        at = tuple(part.stop - part.start for part in b.at)
        columns = columns.reshape(groups, shape.i, len(places), images, *at)
        columns = columns.transpose(2, 3, 0, 1, *range(4, columns.ndim))
        for column, place in zip(columns, places, strict=True):
            inside, onto = within(place, b.at, steps.stride)
            out[(b.n, b.g, slice(None), *onto)] = column[(..., *inside)]

    share(block, [(b,) for b in plan(xp, shape, out.itemsize)], several)
