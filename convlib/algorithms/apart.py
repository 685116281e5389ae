"""The input's gradient as one product, whose rows are laid out a tap at a time.

A column of the product (i·k·l, o) by (o, h·w) is what one window gives to its cells:

    x[n,g,i, h·s + k·d - p, w·s + l·d - p] += sum over o of  w[g,o,i,k,l] · y[n,g,o, h,w]

With a stride of at least the kernel's size, windows lie apart: each input cell is reached by one tap, from
one window, or by none. So nothing has to be added up, and each number has a place of its own. A transposed
convolution with stride 2 and 2×2 taps, a U-Net's way up, is such a gradient. Else what several windows
give to a cell is added up: one tap of all windows lands on cells that all differ.

`turned.py` comes to the same sums by one product for each phase of the stride. Each reads the output's
gradient again, copies its part of the weight, and goes through all of the result for every s-th cell.
That is dear where the weight is large and positions are few. Here the columns of a block are laid out while
they are still in the cache, and a weight is read as it lies.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from . import im2col
from .blocks import Block, blocks, most_columns
from .products import is_own, multiply
from .steps import Shape, Steps, one_tap_a_cell, seen, shape_of
from .threads import limit, pieces, scratch, share

__all__ = ["input_gradient", "is_apart"]

Range = tuple[slice, ...]
LEAST_CHANNELS = 16  # whose columns a product is worth calling for


def is_apart(shape: Shape, steps: Steps) -> bool:
    """Tell whether each cell of a strided input is reached by one tap at most."""
    return max(steps.stride) > 1 and one_tap_a_cell(shape.taps, steps)


@lru_cache(maxsize=256)
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


def is_shared(xp: ModuleType, shape: Shape, adds: bool = False) -> bool:
    """Tell whether Python's threads share the blocks out: to lay out several taps takes long, too.

    But not where what it `adds` to one cell may come from several blocks.
    """
    large = xp is np and shape.products >= im2col.SEVERAL and not adds
    return large and limit() > (1 if is_own(xp) or prod(shape.taps) > 1 else 2)


def plan(
    xp: ModuleType, shape: Shape, itemsize: int, several: bool
) -> tuple[tuple[Block, ...], list[slice]]:
    """Choose blocks, and channels i of them, whose columns stay in the cache.

    A block has enough of them for BLAS' own copy of the weight.
    """
    room = 2 * im2col.BLOCK if xp is np else im2col.GPU_BLOCK
    row = prod(shape.taps) * itemsize
    most = max(room // (shape.i * row), im2col.LEAST_COLUMNS)
    found = blocks(shape, most, limit() if several else 1)
    return found, pieces(shape.i, max(room // (most_columns(shape, most, 1) * row), LEAST_CHANNELS))


def input_gradient(xp: ModuleType, gy: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W)."""
    shape = shape_of(out, w, gy)
    places, everywhere = places_of(out.shape[3:], shape, steps)
    adds = not one_tap_a_cell(shape.taps, steps)
    if adds or not everywhere:
        out[...] = 0
    # (g, o, i, k, l) -> (g, i·k·l, o), read in place; (n, g, o, h, w) -> (n, g, o, h·w)
    matrix = w.reshape(shape.g, shape.o, -1).swapaxes(1, 2)
    flat, several = gy.reshape(*gy.shape[:3], -1), is_shared(xp, shape, adds)
    found, channels = plan(xp, shape, out.itemsize, several)

    def block(b: Block, some: slice) -> None:
        y, i = flat[b.n, b.g, :, b.flat], some.stop - some.start
        images, groups, o, positions = y.shape
        # (n, g, o, h·w) -> (g, o, n·h·w): of one image, a view
        y = xp.moveaxis(y, 0, 2).reshape(groups, o, -1)
        columns = scratch(xp, groups * i * len(places) * images * positions, out.dtype)
        columns = columns.reshape(groups, -1, images * positions)
        # (g, i·k·l, o) @ (g, o, n·h·w) -> (g, i·k·l, n·h·w)
        multiply(xp, matrix[b.g, im2col.rows_of(some, shape)], y, columns, not several)
        # -> (g, i, t, n, h, w) -> (t, n, g, i, h, w)
        at = tuple(part.stop - part.start for part in b.at)
        columns = columns.reshape(groups, i, len(places), images, *at)
        columns = columns.transpose(2, 3, 0, 1, *range(4, columns.ndim))
        for column, place in zip(columns, places, strict=True):
            inside, onto = within(place, b.at, steps.stride)
            if adds:
                out[(b.n, b.g, some, *onto)] += column[(..., *inside)]
            else:
                out[(b.n, b.g, some, *onto)] = column[(..., *inside)]

    share(block, list(product(found, channels)), several)
