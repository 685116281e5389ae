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

from collections.abc import Iterator
from itertools import product
from math import prod
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .blas import add_product, address_of_gemm
from .caches import near
from .steps import Shape, Steps, seen, shape_of
from .threads import pieces, scratch, share

# Bytes of a block's cells at most, unless its columns are no more than these: enough to make up for BLAS'
# own copy of the weight, and for the rows that two blocks copy.
ROOM = min(near() * 6, 6 << 20)
COLUMNS = 1024
LEAST = 512  # columns of an image: with fewer, the columns of all taps are as fast
TERMS = 96  # cells of a row of taps: with fewer, BLAS would read and write its sums too often
PIECE = 768  # the same for a row of a weight's piece, and twice what BLAS takes at a time
OFTEN = 8  # positions an output, with which a weight in order takes an eighth of all columns
ROWS = 16  # channels of a weight that are put in order at a time


def is_dense(array: Any, axis: int) -> bool:
    """Tell whether neighbours in the last axes, read as one run, are neighbours in memory."""
    lengths = [array.itemsize * prod(array.shape[a + 1 :]) for a in range(array.ndim)]
    return array.strides[axis:] == tuple(lengths[axis:])


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
        return axis if shape.i * prod(shape.taps[axis + 1 :]) >= TERMS else None
    return None


def has_blocks(shape: Shape, threads: int) -> bool:
    """Tell whether each thread gets a block that is worth a weight in order."""
    return shape.n * prod(shape.positions) >= COLUMNS * threads


def channels(shape: Shape, axis: int) -> list[slice]:
    """Cut the input's channels, so that a weight in order takes an eighth of all columns, if it can."""
    most = shape.i * shape.n * prod(shape.positions) // (OFTEN * shape.o)
    return pieces(shape.i, max(most, -(-PIECE // prod(shape.taps[axis + 1 :]))))


class Part(NamedTuple):
    """A block of outputs: an image, a group, one place on each axis before the shared one, and rows."""

    n: int
    g: int
    before: tuple[int, ...]
    rows: slice


class Tap(NamedTuple):
    """What one tap of a row sees: outputs, their cells, and outputs that see padding, an edge each."""

    outputs: tuple[slice, ...]
    cells: tuple[slice, ...]
    edges: list[tuple[slice, ...]]


class Strips:
    """The rows that a block's windows share, copied for the taps of one row: L[l, i, H, w]."""

    def __init__(self, x: Any, shape: Shape, steps: Steps, axis: int):
        self.x, self.shape, self.steps, self.axis = x, shape, steps, axis
        self.wide = shape.positions[axis + 1 :]
        sizes, after = x.shape[axis + 4 :], slice(axis + 1, None)
        inner = Steps(steps.stride[after], steps.padding[after], steps.dilation[after])
        self.taps = []
        for tap in np.ndindex(*shape.taps[axis + 1 :]):
            outputs, cells = seen(tap, sizes, self.wide, inner)
            edges = []
            for number, (one, size) in enumerate(zip(outputs, self.wide, strict=True)):
                rest = (slice(None),) * (len(sizes) - number - 1)
                for edge in (slice(0, one.start), slice(one.stop, size)):
                    if edge.stop > edge.start:
                        edges.append((edge, *rest))
            self.taps.append(Tap(outputs, cells, edges))
        # where outputs are as wide as the input, what a tap sees in many rows is one run of cells
        ones = all(s == 1 for s in inner.stride)
        self.in_runs = ones and self.wide == sizes and is_dense(x, axis + 3)

    def parts(self, threads: int, channels: int) -> list[Part]:
        """Cut the outputs into blocks of some rows, and into one for each thread at least."""
        shape, axis = self.shape, self.axis
        first: list[Any] = [range(shape.n), range(shape.g), np.ndindex(*shape.positions[:axis])]
        # no more than an eighth of all columns, for all threads, unless these are few
        columns = shape.n * shape.g * prod(shape.positions) * shape.taps[axis]
        columns = columns * shape.i // (8 * channels * threads)
        wanted = ROOM // (channels * len(self.taps) * self.x.itemsize)
        most = max(min(wanted, columns), COLUMNS) // prod(self.wide)
        number = shape.n * shape.g * prod(shape.positions[:axis])
        rows = pieces(shape.positions[axis], max(most, 1), threads if number < threads else 1)
        return [Part(n, g, before, row) for n, g, before in product(*first) for row in rows]

    def planes(self, part: Part) -> Iterator[tuple[int, Any]]:
        """The images (i, H, W) that a block sees, each with the number of the tap that sees it."""
        steps, taps = self.steps, self.shape.taps[: self.axis]
        for number, tap in enumerate(np.ndindex(*taps)):
            settings = zip(
                part.before, tap, steps.stride, steps.padding, steps.dilation, strict=False
            )
            place = tuple(at * s + t * d - before for at, t, s, (before, _), d in settings)
            if all(0 <= q < size for q, size in zip(place, self.x.shape[3:], strict=False)):
                yield number, self.x[(part.n, part.g, slice(None), *place)]

    def of(self, source: Any) -> Any:
        """(i, H, W) to L (l·i, H·w), valid until this thread's next call."""
        number, high = source.shape[:2]
        size = high * prod(self.wide)
        memory = scratch(np, len(self.taps) * number * size, source.dtype)
        copied = memory.reshape(len(self.taps), number, high, *self.wide)
        for to, (outputs, cells, edges) in zip(copied, self.taps, strict=True):
            if self.in_runs and all(one.stop > one.start for one in outputs):
                shift = 0  # from an output's place to its cell's
                for a, b, wide in zip(outputs, cells, self.wide, strict=True):
                    shift = shift * wide + b.start - a.start
                left, right = max(-shift, 0), size - max(shift, 0)
                run = source.reshape(number, size)[:, left + shift : right + shift]
                to.reshape(number, size)[:, left:right] = run
            else:
                to[(..., *outputs)] = source[(..., *cells)]
            for edge in edges:
                to[(..., *edge)] = 0
        return memory.reshape(len(self.taps) * number, size)

    def each(self, part: Part, channels: slice) -> Iterator[tuple[int, int, slice, Any]]:
        """All columns of a block, (l·i, h·w): the numbers of their taps, and the outputs in h·w."""
        wide, (first, last) = prod(self.wide), (part.rows.start, part.rows.stop)
        before, apart = self.steps.padding[self.axis][0], self.steps.dilation[self.axis]
        taps, high = self.shape.taps[self.axis], self.x.shape[self.axis + 3]
        low = min(max(first - before, 0), high)
        source = slice(low, max(min(last + (taps - 1) * apart - before, high), low))
        for tap, plane in self.planes(part):
            copied = self.of(plane[channels, source])
            for k in range(taps):
                # output h sees the input's row h + move, if there is one
                move = k * apart - before
                start, stop = max(first, -move), min(last, high - move)
                if stop > start:
                    outputs = slice((start - first) * wide, (stop - first) * wide)
                    rows = slice((start + move - low) * wide, (stop + move - low) * wide)
                    yield tap, k, outputs, copied[:, rows]


def by_rows(weight: Any, shape: Shape, axis: int) -> Any:
    """(…, g, o, …, k, l, i) to (…, g, t, k, o, l·i), where t counts the taps before the shared axis."""
    taps, i = shape.taps, weight.shape[-1]
    sizes = prod(taps[:axis]), taps[axis], prod(taps[axis + 1 :]) * i
    return np.moveaxis(weight.reshape(-1, shape.g, shape.o, *sizes), 2, 4)


def in_order(w: Any, shape: Shape, axis: int, memory: Any, threads: int) -> Any:
    """Copy some channels (g, o, i, …, k, l) to (g, t, k, o, l·i), in memory for (g, o, …, k, l, i).

    Or for (g, …, k, l, i, o), where outputs are next to each other, as in an input's gradient.
    """
    number = 1 if abs(w.strides[1]) > abs(w.strides[2]) else -1
    source = np.moveaxis(w, 2, -1)
    moved = np.moveaxis(source, 1, number)
    target = np.moveaxis(memory[: w.size].reshape(moved.shape), number, 1)

    def copy(some: slice) -> None:
        # a few channels of the weight's own at a time: all of their taps are read from a cache
        to, cells = (np.moveaxis(array, number, 0) for array in (target, source))
        to[some] = cells[some]

    jobs = pieces(source.shape[number], ROWS)
    share(copy, [(some,) for some in jobs], threads > 1)
    return by_rows(target, shape, axis)[0]


def forward(x: Any, w: Any, out: Any, steps: Steps, axis: int, threads: int) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    strips, found = Strips(x, shape, steps, axis), channels(shape, axis)
    most = max(some.stop - some.start for some in found)
    parts = strips.parts(threads, most)
    memory = np.empty(shape.g * shape.o * prod(shape.taps) * most, w.dtype)

    def block(some: slice, weights: Any, one: Part) -> None:
        y = out[(one.n, one.g, slice(None), *one.before, one.rows)].reshape(shape.o, -1)
        if some.start == 0:
            y[...] = 0
        for tap, k, outputs, columns in strips.each(one, some):
            # (o, l·i) @ (l·i, h·w) -> (o, h·w), added to what is there
            add_product(weights[one.g, tap, k], columns, y[:, outputs])

    for some in found:
        weights = in_order(w[:, :, some], shape, axis, memory, threads)
        share(block, [(some, weights, part) for part in parts], threads > 1)


def weight_gradient(x: Any, gy: Any, out: Any, steps: Steps, axis: int, threads: int) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    strips = Strips(x, shape, steps, axis)
    # a piece of the channels for each thread, if BLAS has enough of it; else some of the blocks
    alone = shape.i * len(strips.taps) >= PIECE * threads
    channels = pieces(shape.i, shape.i, threads if alone else 1)
    number = 1 if alone else threads
    found = strips.parts(number, -(-shape.i // len(channels)))
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
