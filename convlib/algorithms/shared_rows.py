"""im2col where windows one below another share rows: a third of the columns, for three taps a column.

Of the columns for taps (k, l) and (k + 1, l), each is the other, moved on by one row. So the cells are
copied for the taps of one row alone, and for one or two rows more than there are outputs: L[l, i, H, w].
For the k-th row of taps, the columns begin k rows further on. BLAS finds them there, as each row of a
matrix may be as far from the next as one likes. It adds the k-th product to what is there already::

    y[o, h, w] = sum over k of  w[k][o, (l, i)] @ L[(l, i), (h + k, w)]

`np.matmul` can do neither without a copy. So BLAS' own function is called, as far as it is known.
Axes before the last two, such as a video's frames, are one more sum.

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
LEAST = 512  # columns of a block; images with fewer are as fast with the columns of all taps
TERMS = 96  # cells of a row of taps: with fewer, BLAS would read and write its sums too often
OFTEN = 8  # positions an output: with fewer, to put a weight in order takes more than it saves, and memory


def is_dense(array: Any) -> bool:
    """Tell whether neighbours in (h, w), read as one run, are neighbours in memory."""
    return array.strides[-2:] == (array.shape[-1] * array.itemsize, array.itemsize)


def is_matrix(array: Any) -> bool:
    """Tell whether BLAS can take (n, g, o, h, w) for matrices (o, h·w): rows lie behind one another."""
    size = prod(array.shape[-2:]) * array.itemsize
    return is_dense(array) and array.strides[2] >= size and array.flags.aligned


def pays(xp: ModuleType, shape: Shape, steps: Steps, y: Any) -> bool:
    """Tell whether windows share rows, and whether that makes up for a weight put in order."""
    if xp is not np or len(shape.taps) < 2 or shape.taps[-2] < 2 or steps.stride[-2] > 1:
        return False
    if shape.i * shape.taps[-1] < TERMS or prod(shape.positions[-2:]) < LEAST:
        return False
    if not address_of_gemm(y.dtype) or not is_matrix(y):
        return False
    return shape.n * prod(shape.positions) >= OFTEN * shape.o


class Part(NamedTuple):
    """A block of outputs: an image, a group, one place on each axis before the last two, and rows."""

    n: int
    g: int
    before: tuple[int, ...]
    rows: slice


class Strips:
    """The rows that a block's windows share, copied for the taps of one row: L[l, i, H, w]."""

    def __init__(self, x: Any, shape: Shape, steps: Steps):
        self.x, self.shape, self.steps = x, shape, steps
        wide = shape.positions[-1:]
        last = Steps(steps.stride[-1:], steps.padding[-1:], steps.dilation[-1:])
        # for each tap of a row, the outputs that see the input, and the cells that they see
        self.seen = [seen((l,), x.shape[-1:], wide, last) for l in range(shape.taps[-1])]
        # where outputs are as wide as the input, what a tap sees in many rows is one run of cells
        self.in_runs = steps.stride[-1] == 1 and wide == x.shape[-1:] and is_dense(x)

    def parts(self, threads: int) -> list[Part]:
        """Cut the outputs into blocks of some rows, and into one for each thread at least."""
        shape, (high, wide) = self.shape, self.shape.positions[-2:]
        first: list[Any] = [range(shape.n), range(shape.g), np.ndindex(*shape.positions[:-2])]
        # no more than an eighth of all columns, for all threads, unless these are few
        columns = shape.n * shape.g * prod(shape.positions) * shape.taps[-2] // 8 // threads
        wanted = max(ROOM // (shape.i * shape.taps[-1] * self.x.itemsize), COLUMNS)
        most = max(max(min(wanted, columns), LEAST) // wide, 1)
        number = shape.n * shape.g * prod(shape.positions[:-2])
        rows = pieces(high, most, threads if number < threads else 1)
        return [Part(n, g, before, row) for n, g, before in product(*first) for row in rows]

    def planes(self, part: Part) -> Iterator[tuple[int, Any]]:
        """The images (i, H, W) that a block sees, each with the number of the tap that sees it."""
        steps, taps = self.steps, self.shape.taps[:-2]
        for number, tap in enumerate(np.ndindex(*taps)):
            settings = zip(
                part.before, tap, steps.stride, steps.padding, steps.dilation, strict=False
            )
            place = tuple(at * s + t * d - before for at, t, s, (before, _), d in settings)
            if all(0 <= q < size for q, size in zip(place, self.x.shape[3:], strict=False)):
                yield number, self.x[(part.n, part.g, slice(None), *place)]

    def of(self, plane: Any, rows: slice) -> Any:
        """(i, H, W) to L (l·i, H·w) for some rows of outputs, valid until this thread's next call."""
        shape, steps = self.shape, self.steps
        wide, before, apart = shape.positions[-1], steps.padding[-2][0], steps.dilation[-2]
        number = rows.stop - rows.start + (shape.taps[-2] - 1) * apart
        copied = scratch(np, shape.taps[-1] * shape.i * number * wide, plane.dtype)
        copied = copied.reshape(shape.taps[-1], shape.i, number, wide)
        # of these rows the input has some, and others are padding
        first = rows.start - before
        low = min(max(-first, 0), number)
        high = max(min(number, plane.shape[1] - first), low)
        copied[:, :, :low], copied[:, :, high:] = 0, 0
        source = plane[:, first + low : first + high]
        for to, ((outputs,), (cells,)) in zip(copied[:, :, low:high], self.seen, strict=True):
            if self.in_runs and outputs.stop > outputs.start:
                shift, size = cells.start - outputs.start, source.shape[1] * wide
                left, right = max(-shift, 0), size - max(shift, 0)
                run = source.reshape(shape.i, -1)[:, left + shift : right + shift]
                to.reshape(shape.i, -1)[:, left:right] = run
            else:
                to[..., outputs] = source[..., cells]
            to[..., : outputs.start], to[..., outputs.stop :] = 0, 0
        return copied.reshape(-1, number * wide)

    def each(self, part: Part) -> Iterator[tuple[int, int, Any]]:
        """All columns of a block, (l·i, h·w): the numbers of their tap before the last two and of k."""
        wide, apart = self.shape.positions[-1], self.steps.dilation[-2]
        size = (part.rows.stop - part.rows.start) * wide
        for tap, plane in self.planes(part):
            copied = self.of(plane, part.rows)
            for k in range(self.shape.taps[-2]):
                first = k * apart * wide
                yield tap, k, copied[:, first : first + size]


def by_rows(weight: Any, shape: Shape) -> Any:
    """(…, g, o, …, k, l, i) to (…, g, t, k, o, l·i), where t counts the taps before the last two."""
    taps = prod(shape.taps[:-2]), shape.taps[-2], shape.taps[-1] * shape.i
    return np.moveaxis(weight.reshape(-1, shape.g, shape.o, *taps), 2, 4)


def forward(x: Any, w: Any, out: Any, steps: Steps, threads: int) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    strips = Strips(x, shape, steps)
    # (g, o, i, …, k, l) -> (g, o, …, k, l, i): each of its rows of taps is a matrix, with gaps
    (weights,) = by_rows(np.ascontiguousarray(np.moveaxis(w, 2, -1)), shape)

    def block(*part: Any) -> None:
        one, begun = Part(*part), False
        y = out[(one.n, one.g, slice(None), *one.before, one.rows)].reshape(shape.o, -1)
        for tap, k, columns in strips.each(one):
            # (o, l·i) @ (l·i, h·w) -> (o, h·w), added to what is there
            add_product(weights[one.g, tap, k], columns, y, begun)
            begun = True
        if not begun:  # there is nothing but padding
            y[...] = 0

    share(block, strips.parts(threads), threads > 1)


def weight_gradient(x: Any, gy: Any, out: Any, steps: Steps, threads: int) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    strips = Strips(x, shape, steps)
    found = strips.parts(threads)
    # each thread adds up blocks of its own, always the same ones: the sum does not depend on time
    shares = [found[a] for a in pieces(len(found), len(found), threads)]
    sums = np.zeros((len(shares), shape.g, shape.o, *shape.taps, shape.i), out.dtype)

    def add(mine: list[Part], total: Any) -> None:
        for one in mine:
            y = gy[(one.n, one.g, slice(None), *one.before, one.rows)].reshape(shape.o, -1)
            for tap, k, columns in strips.each(one):
                # (o, h·w) @ (h·w, l·i) -> (o, l·i), added to what is there
                add_product(y, columns.T, total[one.g, tap, k], 1)

    share(add, list(zip(shares, by_rows(sums, shape), strict=True)), threads > 1)
    # (g, o, …, k, l, i) -> (g, o, i, …, k, l)
    out[...] = np.moveaxis(sums.sum(0) if len(sums) > 1 else sums[0], -1, 2)
