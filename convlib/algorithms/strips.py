"""The rows that a block's windows share, copied for the taps of one row, and which columns they hold.

For what, and where the idea is from, see `shared_rows.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .steps import Shape, Steps, edges_of, seen
from .threads import scratch


def is_dense(array: Any, axis: int) -> bool:
    """Tell whether neighbours in the last axes, read as one run, are neighbours in memory."""
    lengths = [array.itemsize * prod(array.shape[a + 1 :]) for a in range(array.ndim)]
    return array.strides[axis:] == tuple(lengths[axis:])


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


@lru_cache(maxsize=256)
def taps_of(
    sizes: tuple[int, ...], wide: tuple[int, ...], taps: tuple[int, ...], steps: Steps
) -> list[Tap]:
    """What the taps of a row see, of the axes behind the shared one."""
    found = []
    for tap in product(*map(range, taps)):
        outputs, cells = seen(tap, sizes, wide, steps)
        found.append(Tap(outputs, cells, edges_of(outputs, wide)))
    return found


class Strips:
    """Copies L[l, i, H, w] for one block at a time, in memory that is used again."""

    def __init__(self, x: Any, shape: Shape, steps: Steps, axis: int):
        self.x, self.shape, self.steps, self.axis = x, shape, steps, axis
        self.wide = shape.positions[axis + 1 :]
        sizes, after = x.shape[axis + 4 :], slice(axis + 1, None)
        inner = Steps(steps.stride[after], steps.padding[after], steps.dilation[after])
        self.taps = taps_of(sizes, self.wide, shape.taps[axis + 1 :], inner)
        # where outputs are as wide as the input, what a tap sees in many rows is one run of cells
        ones = all(s == 1 for s in inner.stride)
        self.in_runs = ones and self.wide == sizes and is_dense(x, axis + 3)

    def planes(self, part: Part) -> Iterator[tuple[int, Any]]:
        """The images (i, H, W) that a block sees, each with the number of the tap that sees it."""
        steps, taps = self.steps, self.shape.taps[: self.axis]
        for number, tap in enumerate(product(*map(range, taps))):
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
