"""im2col where windows next to each other share rows: a third of the columns, for three taps a column.

Of the columns for taps (k, l) and (k + 1, l), each is the other, moved on by one row. So the cells are
copied for the taps of one row alone, in the input's rows: L[l, i, H, w]. For the k-th row of taps, the
columns begin k rows further on. BLAS finds them there, as each row of a matrix may be as far from the
next as one likes. It adds the k-th product to what is there already::

    y[o, h, w] += w[k][o, (l, i)] @ L[(l, i), (h + k, w)]   for each k, and all h that see the input

Rows of padding are neither copied nor multiplied. `np.matmul` can do none of it without more copies. So
BLAS' own function is called, as far as it is known.

In three axes, rows (h) of one frame are shared, and the frames' taps are one more sum. Where frames are
small, it is frames that are shared: L[k, l, i, F, h, w] for the f-th tap.

Source: M. Cho and D. Brand, *MEC: memory-efficient convolution for deep neural network* (2017), for
columns that share rows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .blas import add_product, address_of_gemm
from .blocks import OBJECTS
from .caches import near
from .steps import Shape, Steps, shape_of
from .strips import Part, Strips, is_dense
from .threads import pieces, share

# Bytes of a block's cells at most, unless its columns are no more than these: enough to make up for BLAS'
# own copy of the weight, and for the rows that two blocks copy.
ROOM = min(near() * 6, 6 << 20)
COLUMNS = 1024
LEAST = 512  # columns of an image: with fewer, the columns of all taps are as fast
# Cells of a row of taps: with fewer, BLAS would read and write its sums too often, unless copies are saved
# for each output.
TERMS, SAVED = 96, 2
PIECE = 768  # the same for a row of a weight's piece, and twice what BLAS takes at a time
ROWS = 16  # channels of a weight that are put in order at a time


def axis_of(xp: ModuleType, shape: Shape, steps: Steps, y: Any) -> int | None:
    """Say along which axis windows share rows, or None: none of them does, or it would not pay."""
    if xp is not np or not address_of_gemm(y.dtype) or not y.flags.aligned:
        return None
    for axis in range(len(shape.taps) - 2, -1, -1):
        if prod(shape.positions[axis:]) < LEAST:
            continue  # too few columns for a product
        if shape.taps[axis] < 2 or steps.stride[axis] > 1:
            return None
        # BLAS takes (n, g, o, h, w) for matrices (o, h·w): rows that lie behind one another
        size = y.itemsize * prod(shape.positions[axis:])
        if not is_dense(y, axis + 3) or y.strides[2] < size:
            return None
        row = shape.i * prod(shape.taps[axis + 1 :])
        # the copies that are saved, of all rows but one, against sums that are read and written again
        saves = shape.g == 1 and row * (shape.taps[axis] - 1) >= SAVED * shape.o
        return axis if row >= TERMS or saves else None
    return None


def eighth_of(shape: Shape, itemsize: int) -> int:
    """How many values take an eighth of all columns, beside Python's own objects."""
    columns = shape.n * shape.g * shape.i * prod(shape.positions) * prod(shape.taps)
    return columns // 8 - OBJECTS // itemsize


def taken_by_each(shape: Shape, axis: int, threads: int = 1) -> int:
    """About how many values a channel takes: its weight in order, its cells for the fewest columns.

    Without dilation.
    """
    inner, wide = prod(shape.taps[axis + 1 :]), prod(shape.positions[axis + 1 :])
    columns = COLUMNS * 3 // 4 + (shape.taps[axis] - 1) * wide  # COLUMNS, or half of that at least
    return shape.g * shape.o * prod(shape.taps) + columns * inner * threads


def least_channels(shape: Shape, axis: int) -> int:
    """How many channels make a weight's piece that BLAS is worth calling for."""
    return min(shape.i, -(-PIECE // prod(shape.taps[axis + 1 :])))


def is_heavy(shape: Shape, axis: int, itemsize: int, room: int, threads: int = 1) -> bool:
    """Tell whether a weight takes too much memory to be put in order, and so too much time.

    That is more than an eighth of all columns, and more than there is `room` for in any case.
    """
    taken = least_channels(shape, axis) * taken_by_each(shape, axis, threads)
    return taken > max(eighth_of(shape, itemsize), room)


def has_blocks(shape: Shape, threads: int) -> bool:
    """Tell whether each thread gets a block that is worth a weight in order."""
    return shape.n * prod(shape.positions) >= COLUMNS * threads


def cut_channels(shape: Shape, axis: int, itemsize: int, threads: int = 1) -> list[slice]:
    """Cut the input's channels, so that a weight in order and its columns take an eighth of all."""
    most = eighth_of(shape, itemsize) // taken_by_each(shape, axis, threads)
    return pieces(shape.i, max(most, least_channels(shape, axis)))


@lru_cache(maxsize=256)
def blocks_of(
    shape: Shape, steps: Steps, axis: int, itemsize: int, channels: int, threads: int
) -> list[Part]:
    """Cut the outputs into blocks of some rows, and into one for each thread at least."""
    places = product(*map(range, shape.positions[:axis]))
    first: list[Any] = [range(shape.n), range(shape.g), places]
    # with the weight, no more than an eighth of all columns, for all threads, unless these are few
    inner, wide = prod(shape.taps[axis + 1 :]), prod(shape.positions[axis + 1 :])
    column, weight = channels * inner, shape.g * shape.o * channels * prod(shape.taps)
    around = (shape.taps[axis] - 1) * steps.dilation[axis] * wide
    columns = (eighth_of(shape, itemsize) - weight) // (column * threads) - around
    wanted = ROOM // (column * itemsize)
    most = max(min(wanted, columns), COLUMNS) // wide
    number = shape.n * shape.g * prod(shape.positions[:axis])
    rows = pieces(shape.positions[axis], max(most, 1), threads if number < threads else 1)
    return [Part(n, g, before, row) for n, g, before in product(*first) for row in rows]


def by_rows(weight: Any, shape: Shape, axis: int) -> Any:
    """(…, g, o, …, k, l, i) to (…, g, t, k, o, l·i), where t counts the taps before the shared axis."""
    taps, i = shape.taps, weight.shape[-1]
    sizes = prod(taps[:axis]), taps[axis], prod(taps[axis + 1 :]) * i
    return np.moveaxis(weight.reshape(-1, shape.g, shape.o, *sizes), 2, 4)


def put_in_order(w: Any, shape: Shape, axis: int, memory: Any, threads: int) -> Any:
    """Copy some channels (g, o, i, …, k, l) to (g, t, k, o, l·i), in memory for (g, o, …, k, l, i).

    Or for (g, …, k, l, i, o), where outputs are next to each other, as in an input's gradient.
    """
    number = 1 if abs(w.strides[1]) > abs(w.strides[2]) else -1
    source = np.moveaxis(w, 2, -1)
    moved = np.moveaxis(source, 1, number)
    target = np.moveaxis(memory[: w.size].reshape(moved.shape), number, 1)
    # a few channels of the weight's own at a time: all of their taps are read from a cache
    to, cells = (np.moveaxis(array, number, 0) for array in (target, source))

    def copy(some: slice) -> None:
        to[some] = cells[some]

    jobs = pieces(source.shape[number], ROWS)
    share(copy, [(some,) for some in jobs], threads > 1)
    return by_rows(target, shape, axis)[0]


def forward(x: Any, w: Any, out: Any, steps: Steps, axis: int, threads: int, roomy: bool) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    # if it may be roomy, the memory of one thread alone is looked at
    found = cut_channels(shape, axis, x.itemsize, 1 if roomy else threads)
    strips = Strips(x, shape, steps, axis)
    most = max(some.stop - some.start for some in found)
    parts = blocks_of(shape, steps, axis, x.itemsize, most, threads)
    memory = np.empty(shape.g * shape.o * prod(shape.taps) * most, w.dtype)

    def block(some: slice, weights: Any, one: Part) -> None:
        y = out[(one.n, one.g, slice(None), *one.before, one.rows)].reshape(shape.o, -1)
        if some.start == 0:
            y[...] = 0
        for tap, k, outputs, columns in strips.each(one, some):
            # (o, l·i) @ (l·i, h·w) -> (o, h·w), added to what is there
            add_product(weights[one.g, tap, k], columns, y[:, outputs])

    for some in found:
        weights = put_in_order(w[:, :, some], shape, axis, memory, threads)
        share(block, [(some, weights, part) for part in parts], threads > 1)


def weight_gradient(x: Any, gy: Any, out: Any, steps: Steps, axis: int, threads: int) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    strips = Strips(x, shape, steps, axis)
    # a piece of the channels for each thread, if BLAS has enough of it; else some of the blocks
    alone = shape.i * len(strips.taps) >= PIECE * threads
    channels = pieces(shape.i, shape.i, threads if alone else 1)
    number = 1 if alone else threads
    most = -(-shape.i // len(channels))
    found = blocks_of(shape, steps, axis, x.itemsize, most, number)
    # the blocks of a share are always the same ones: the sum does not depend on time
    shares = [found[a] for a in pieces(len(found), len(found), number)]
    sizes = len(shares), shape.g, shape.o, *shape.taps
    sums = [np.zeros((*sizes, some.stop - some.start), out.dtype) for some in channels]

    def block(some: slice, one: Part, total: Any) -> None:
        y = gy[(one.n, one.g, slice(None), *one.before, one.rows)].reshape(shape.o, -1)
        for tap, k, outputs, columns in strips.each(one, some):
            # (o, h·w) @ (h·w, l·i) -> (o, l·i), added to what is there
            add_product(y[:, outputs], columns.T, total[one.g, tap, k])

    def add(some: slice, mine: list[Part], total: Any) -> None:
        for one in mine:
            block(some, one, total)

    def put(some: slice, parts: Any) -> None:
        # (g, o, …, k, l, i) -> (g, o, i, …, k, l)
        out[:, :, some] = np.moveaxis(parts.sum(0) if len(parts) > 1 else parts[0], -1, 2)

    jobs = [
        (some, mine, total)
        for some, parts in zip(channels, sums, strict=True)
        for mine, total in zip(shares, by_rows(parts, shape, axis), strict=True)
    ]
    share(add, jobs, threads > 1)
    share(put, list(zip(channels, sums, strict=True)), threads > 1)
