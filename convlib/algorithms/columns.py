"""The columns of im2col: what all windows of a block see, copied into a matrix.

Two ways to copy. In general the windows are viewed, and the view is copied: row after row of some
cells each. Where outputs are as wide as the input, which is how most layers are padded, a tap sees
one long run of cells in many rows at once, and a copy of long runs is two to four times as fast.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from ..windows import strided_windows
from .blocks import Block
from .steps import Shape, Steps, cells_read, edges_of, seen
from .threads import scratch

ALL = slice(None)
ROWS = 4  # of a block, as is assumed: with fewer, more of its cells are copied for two blocks


class Columns:
    """Copies the windows of one block at a time into columns, in memory that is used again."""

    def __init__(
        self, xp: ModuleType, x: Any, shape: Shape, steps: Steps, taps_first: bool = False
    ):
        self.xp, self.x, self.shape, self.steps, self.taps_first = xp, x, shape, steps, taps_first
        axes = len(shape.taps)
        taps, positions = range(3 + axes, 3 + 2 * axes), range(3, 3 + axes)
        # (n, g, i, h, w, k, l) -> (g, i, k, l, n, h, w), or (g, k, l, i, n, h, w)
        self.order = (1, *taps, 2, 0, *positions) if taps_first else (1, 2, *taps, 0, *positions)
        # where outputs are as wide as the input, what a tap sees in many rows is one run of cells,
        # unless x is a part of wider rows: then each block would copy all of the image first
        self.in_runs = (
            steps.stride == (1,) * axes
            and shape.positions[1:] == x.shape[4:]
            and all(x.strides[a] == x.strides[a + 1] * x.shape[a + 1] for a in range(3, 2 + axes))
        )

    def padded_for_each(self) -> float:
        """How many cells a block copies among zeros first, for each cell of its columns."""
        if self.in_runs or not any(map(any, self.steps.padding)):
            return 0
        high, *wide = self.shape.positions
        stride, _, dilation = self.steps
        sizes = zip((min(high, ROWS), *wide), self.shape.taps, stride, dilation, strict=True)
        return prod((m * s - s + k * d - d + 1) / (m * k) for m, k, s, d in sizes)

    def of(self, b: Block, channels: slice = ALL) -> Any:
        """Return the columns (g, i·k·l, n·h·w) of a block, valid until this thread's next call.

        With `taps_first`, they are (g, k·l, i·n·h·w). Or of some of the channels i.
        """
        xp, shape, steps = self.xp, self.shape, self.steps
        if self.in_runs:
            return self.of_runs(b, channels)
        cells, pairs = cells_read(self.x.shape[3:], b.at, shape.taps, steps)
        piece = self.x[(b.n, b.g, channels, *cells)]
        images, groups, number = piece.shape[:3]
        padded = (*piece.shape[:3], *(c.stop - c.start + sum(p) for c, p in zip(cells, pairs)))
        taps, positions = shape.taps, tuple(s.stop - s.start for s in b.at)
        rows = (*taps, number) if self.taps_first else (number, *taps)
        columns = (groups, *rows, images, *positions)
        size, more = prod(columns), prod(padded) if any(map(any, pairs)) else 0
        memory = scratch(xp, size + more, self.x.dtype)
        if more:
            # zeros all around the cells that this block reads, and no others
            piece = put_in_zeros(memory[size:].reshape(padded), piece, pairs)
        windows = strided_windows(xp, piece, taps, steps.stride, steps.dilation)
        # the copy: (n, g, i, h, w, k, l) -> (g, i, k, l, n, h, w) -> (g, i·k·l, n·h·w)
        memory = memory[:size].reshape(columns)
        memory[...] = windows.transpose(self.order)
        return memory.reshape(groups, prod(taps) if self.taps_first else number * prod(taps), -1)

    def of_runs(self, b: Block, channels: slice) -> Any:
        """The same, a run for each tap: it goes on from row to row, and misses at their ends.

        What it takes from a neighbouring row there stands for padding, and is overwritten by zeros.
        """
        x, shape = self.x, self.shape
        cells = x[b.n, b.g, channels]
        images, groups, number = cells.shape[:3]
        starts, counts = zip(*((a.start, a.stop - a.start) for a in b.at), strict=True)
        found = runs_of(x.shape[3:], starts, counts, b.cut(shape.positions), shape.taps, self.steps)
        rows = (prod(shape.taps), number) if self.taps_first else (number, prod(shape.taps))
        memory = scratch(self.xp, groups * prod(rows) * images * prod(counts), x.dtype)
        columns = memory.reshape(groups, *rows, images, *counts)
        # -> (t, n, g, i, h, w), and the input (n, g, i, H·W)
        order = (1, 3, 0, 2) if self.taps_first else (2, 3, 0, 1)
        columns = columns.transpose(*order, *range(4, columns.ndim))
        cells = cells.reshape(images, groups, number, -1)
        for to, (run, target, edges) in zip(columns, found, strict=True):
            to.reshape(*to.shape[:3], -1)[..., target] = cells[..., run]
            for edge in edges:
                to[(..., *edge)] = 0
        return memory.reshape(groups, rows[0] if self.taps_first else prod(rows), -1)


@lru_cache(maxsize=256)
def runs_of(
    size: tuple[int, ...],
    starts: tuple[int, ...],
    counts: tuple[int, ...],
    cut: int,
    taps: tuple[int, ...],
    steps: Steps,
) -> list[tuple[slice, slice, list[tuple[slice, ...]]]]:
    """For each tap, which cells of H·W are copied to which of h·w, and which of (h, w) are zeros."""
    before = [p - a for (p, _), a in zip(steps.padding, starts, strict=True)]
    inside = Steps(steps.stride, tuple((p, 0) for p in before), steps.dilation)
    lengths = [prod(size[axis + 1 :]) for axis in range(len(size))]
    found: list[tuple[slice, slice, list[tuple[slice, ...]]]] = []
    for tap in np.ndindex(*taps):
        outputs, cells = seen(tap, size, counts, inside)
        if any(o.stop <= o.start for o in outputs):
            found.append((slice(0), slice(0), [tuple(slice(0, m) for m in counts)]))
            continue
        # from the first output that sees a cell, and from there with all that stands in between,
        # which may reach before the first cell or after the last
        first = sum(c.start * length for c, length in zip(cells[: cut + 1], lengths, strict=False))
        for axis in range(cut + 1, len(size)):
            first += (tap[axis] * steps.dilation[axis] - before[axis]) * lengths[axis]
        end = first + (outputs[cut].stop - outputs[cut].start) * lengths[cut]
        low, high = max(first, 0), min(end, prod(size))
        to = outputs[cut].start * lengths[cut] + low - first
        found.append((slice(low, high), slice(to, to + high - low), edges_of(outputs, counts)))
    return found


def put_in_zeros(target: Any, source: Any, pairs: tuple[tuple[int, int], ...]) -> Any:
    """Copy `source` into the middle of `target`, and zeros around it."""
    inner: tuple[slice, ...] = ()
    for (before, after), size in zip(pairs, target.shape[3:], strict=True):
        # an edge at a time: the cells before and after, of what earlier axes left
        target[(..., *inner, slice(0, before), *_all(pairs, inner))] = 0
        target[(..., *inner, slice(size - after, size), *_all(pairs, inner))] = 0
        inner += (slice(before, size - after),)
    target[(..., *inner)] = source
    return target


def _all(pairs: tuple, inner: tuple) -> tuple[slice, ...]:
    return (slice(None),) * (len(pairs) - len(inner) - 1)
