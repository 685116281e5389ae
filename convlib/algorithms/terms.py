"""The terms of the compiled loops: which ones a unit's sums have, in which order, and where they are.

A term is an input channel and a tap: a weight, and a run of cells. Of a 3×3 kernel as it lies in memory
it can be a column of three taps, below one another, with so many weights and runs. What has been
loaded for one of them then serves the next, and so much less is to be looked up.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .flat import Layout
from .steps import Shape, Steps, seen, with_numba


def is_columned(shape: Shape, steps: Steps, beside: int) -> bool:
    """Tell whether a term can be a column of taps, whose weights stand so far `beside` one another.

    There are loops for 3×3 neighbouring weights, in either direction, and for whole matrices of sums.
    """
    runs = with_numba("runs")
    square = shape.taps[-2:] == (runs.COLUMN, runs.COLUMN) and abs(beside) == runs.COLUMN
    return square and steps.stride[-2] == 1 and shape.o % runs.MANY[0] == 0


def heads_of(some: tuple[int, ...], taps: tuple[int, ...], up: bool) -> tuple[int, ...]:
    """The numbers of the taps whose weights are the first ones of their columns.

    Of a kernel that lies in memory the other way round, columns go `up` from their last taps.
    """
    *before, k, l = np.unravel_index(some, taps)
    heads = np.ravel_multi_index((*before, np.full_like(k, taps[-2] - 1 if up else 0), l), taps)
    return tuple(dict.fromkeys(heads.tolist()))


def taps_that_see(
    at: tuple[slice, slice], size: tuple[int, ...], shape: Shape, steps: Steps
) -> tuple[int, ...]:
    """The numbers of the taps that see a cell from some of these d and h; all, if none does."""
    here = (*at, slice(0, shape.positions[-1]))[3 - len(shape.taps) :]
    found = []
    for number, tap in enumerate(np.ndindex(*shape.taps)):
        ranges, _ = seen(tap, size, shape.positions, steps)
        both = zip(ranges, here, strict=True)
        if all(max(a.start, b.start) < min(a.stop, b.stop) for a, b in both):
            found.append(number)
    return tuple(found or range(prod(shape.taps)))


def terms_of(
    by_i: list[slice],
    pitch: int,
    layout: Layout,
    shape: Shape,
    w_steps: tuple[int, ...],
    taken: list[tuple[int, ...]],
) -> tuple[np.ndarray, np.ndarray, list[list[tuple[int, int]]]]:
    """Put the terms of all units in order: where each one's cells begin, and where its weight is.

    Also gives, for each range of rows, where the terms of each part of the channels begin and end. A
    unit's channels lie behind one another, `pitch` apart; `w_steps` are the weight's for (i, k, l), in
    values; `taken` says for each range of rows which taps see cells from there.
    """
    plane, taps = prod(layout.wide), len(layout.taps)
    channels = np.concatenate([np.arange(i.stop - i.start) for i in by_i]) * pitch
    at = np.add.outer(channels, [p * plane + first for p, first in layout.taps]).reshape(-1)
    places = (np.arange(n) * s for n, s in zip((shape.i, *shape.taps), w_steps, strict=True))
    to = np.reshape(sum(np.ix_(*places)), -1)
    tap = np.tile(np.arange(taps), shape.i)
    part = np.repeat(np.arange(len(by_i)), [(i.stop - i.start) * taps for i in by_i])
    # without the terms of taps that see nothing but padding; rows that see the same ones share theirs
    kinds: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    kept = np.zeros(0, int)
    for some in dict.fromkeys(taken):
        seeing = np.isin(tap, some)
        counts = np.bincount(part[seeing])
        ends = (len(kept) + np.cumsum([0, *counts])).tolist()
        kinds[some] = list(zip(ends, ends[1:], strict=False))
        kept = np.concatenate([kept, np.flatnonzero(seeing)])
    return at[kept], to[kept], [kinds[some] for some in taken]
