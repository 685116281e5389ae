"""A convolution cut into units of work: what the compiled loops take, beyond the arrays.

A unit is an image, a group, some rows of the output and some of its channels: as much as fits into
the cache that a core has for itself. Each thread gets one share of the units.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import isqrt, prod
from typing import Any, NamedTuple

import numpy as np

from .flat import layout_of, sights_of
from .im2col import pieces
from .memory import three
from .steps import Shape, Steps, loops, seen
from .threads import limit

# Multiplications in the time that it takes to tell a thread of its part. Threads are told one after
# another, so that with so many parts the work should take the square of the time.
SHARED = 1 << 19
# Below this many, a thread that sleeps would come too late.
SEVERAL = 1 << 25
# Bytes that a unit reads again and again: half of the cache that a core has for itself.
UNIT = 1 << 20
PANELS = 1 << 19  # the same of a layer of one tap
# Cells that are copied twice, as two threads need them, in the time that a row of outputs takes which
# two threads write to: the cache lines at its ends go to and fro.
COPIED = 1000
FEW_SLICES = 2  # of a video, for each slice of padding: no more are units by themselves
NEAR = 1 << 17  # bytes of a group's weights that are quickly read wherever they lie


class Plan(NamedTuple):
    """What the kernels take, beyond the arrays; `kernels.forward` says what it means."""

    units: np.ndarray
    shares: list[slice]  # of the units, one for each thread
    at: np.ndarray
    to: np.ndarray
    phases: np.ndarray
    geometry: tuple[np.ndarray, ...]
    memory: int  # how many values a thread works in
    times: int  # how often weights are put together


def shared_outputs(outputs: int, threads: int) -> list[slice]:
    """Cut outputs for as many threads, by whole registers."""
    cuts = pieces(-(-outputs // 16), outputs, threads)
    return [slice(16 * s.start, min(16 * s.stop, outputs)) for s in cuts]


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


def shared_zeros(size: tuple[int, ...], shape: Shape, steps: Steps) -> int:
    """How many of the zeros at the end of a row can be those that the next row begins with.

    The sums between two rows are computed for nothing, so rows should lie close together. No two
    windows of a row may become one, and behind the last row stand as many zeros as SLACK says.
    """
    layout = layout_of(shape, steps)
    rows = [places[-1] for places, _ in sights_of(size, layout, steps)]
    ends = [min(row.start, layout.wide[-1] - row.stop) for row in rows]
    return min(*ends, layout.wide[-1] - shape.positions[-1], loops("kernels").SLACK)


def ranges_of(
    shape: Shape, steps: Steps, threads: int, itemsize: int, of_weight: bool
) -> tuple[list[slice], ...]:
    """Cut d, h and o, so that a unit stays in the cache and each thread gets as much as the others."""
    d, h, w = three(shape.positions, 1)
    axes = len(shape.taps)

    def size(rows: tuple[int, int]) -> int:
        layout = layout_of(shape._replace(positions=(*rows, w)[3 - axes :]), steps)
        return prod(layout.wide) * (shape.o * of_weight + shape.i * len(layout.phases)) * itemsize

    # of few slices, many see padding with a part of their taps: by themselves, they leave these out
    alone = axes == 3 and not of_weight and sum(steps.padding[0]) * FEW_SLICES >= d
    many = (1, h) if alone else (d, h)
    while size(many) > UNIT and many != (1, 1):
        many = (-(-many[0] // 2), h) if many[0] > 1 else (1, -(-many[1] // 2))
    by_d, by_h, by_o = pieces(d, many[0]), pieces(h, many[1]), [slice(0, shape.o)]
    if shape.n * shape.g * len(by_d) % threads:
        if shape.i * shape.o * prod(shape.taps) > prod(shape.positions) or h < 2 * threads:
            # much to read of the weight, few rows: outputs are shared, by whole registers
            by_o = shared_outputs(shape.o, threads)
        else:
            by_h = pieces(h, many[1], -(-len(by_h) // threads) * threads)
    return by_d, by_h, by_o


@lru_cache(maxsize=256)
def plan(
    size: tuple[int, ...],
    w_strides: tuple[int, ...],
    shape: Shape,
    steps: Steps,
    threads: int,
    itemsize: int,
    of_weight: bool,
) -> Plan:
    """Plan a convolution of cells (H, W), of a weight with such strides in bytes (g, o, i, k, l).

    Kept for the next call of these sizes: for a small one this takes longer than the sum.
    """
    by_d, by_h, by_o = ranges_of(shape, steps, threads, itemsize, of_weight)
    most = (by_d[-1].stop - by_d[-1].start, by_h[-1].stop - by_h[-1].start)
    positions = (*most, shape.positions[-1])
    largest = shape._replace(positions=positions[3 - len(shape.taps) :])
    layout = layout_of(largest, steps, shared_zeros(size, shape, steps))
    plane = prod(layout.wide)
    # where the terms' cells begin in what is laid out, and where their weights are, in memory's order
    taps, all_taps = [p * plane + first for p, first in layout.taps], range(len(layout.taps))
    channels = np.arange(shape.i) * (len(layout.phases) * plane)
    at = np.add.outer(channels, taps).reshape(-1)
    of_w = zip((shape.i, *shape.taps), w_strides[2:], strict=True)
    places = (np.arange(n) * (s // itemsize) for n, s in of_w)
    to = np.reshape(sum(np.ix_(*places)), -1)
    order = np.argsort(to, kind="stable")
    at, to, tap = at[order], to[order], np.tile(all_taps, shape.i)[order]
    far = (np.diff(to) != 1).any() and shape.o * len(to) * itemsize > NEAR
    # a unit's terms: without those of taps that see nothing but padding from there
    kinds: dict[tuple[int, ...], tuple[int, int]] = {}
    terms, kept = {}, np.zeros(0, int)
    for d, h in product(by_d, by_h):
        taken = tuple(all_taps) if of_weight else taps_that_see((d, h), size, shape, steps)
        if taken not in kinds:
            some = np.flatnonzero(np.isin(tap, taken))
            kinds[taken] = len(kept), len(kept) + len(some)
            kept = np.concatenate([kept, some])
        terms[d.start, h.start] = kinds[taken]
    units = [
        (n, g, d.start, d.stop, h.start, h.stop, o.start, o.stop, *terms[d.start, h.start])
        for o, n, g, d, h in product(by_o, range(shape.n), range(shape.g), by_d, by_h)
    ]
    # of how many neighbours the pieces are that weights are put together from
    piece = 0
    if far:
        runs = [to[kept[start:end]] for start, end in kinds.values()]
        cuts = [np.flatnonzero(np.diff(run, append=-1) != 1) + 1 for run in runs]
        piece = int(np.gcd.reduce(np.concatenate(cuts)))
    number, at, to = len(to), at[kept], to[kept]
    begin = tuple(-before for before, _ in steps.padding)
    geometry = [three(size, 1), three(layout.wide, 1), three(steps.stride, 1), three(begin, 0)]
    geometry += [positions, (shape.i, piece, number)]
    phases = [three(phase, 0) for phase in layout.phases]
    kernels = loops("kernels")
    _, result, cells, weights = kernels.sizes_of(
        shape.i, positions, three(layout.wide, 1), len(phases), number
    )
    memory = cells + weights + kernels.MANY[0] * result
    if of_weight:  # instead of some outputs' weights and results, all of the output, and some sums
        outputs = max(o.stop - o.start for o in by_o)
        memory = cells + (outputs + kernels.MANY[0]) * (result + shape.o)
    return Plan(
        np.array(units),
        pieces(len(units), len(units), threads),
        at,
        to,
        np.array(phases),
        tuple(map(np.array, geometry)),
        memory,
        shape.n * len(by_d) * len(by_h) if piece else 0,
    )


def threads_for(shape: Shape, slow: int = 1) -> int:
    """How many threads are worth calling, where a multiplication takes `slow` times its time."""
    most = isqrt(shape.products * slow // SHARED)
    return max(1, min(most, limit())) if most > 1 else 1


def planned(x: Any, w: Any, shape: Shape, steps: Steps, of_weight: bool = False) -> Plan:
    """Plan for as many threads as are worth calling."""
    return plan(x.shape[3:], w.strides, shape, steps, threads_for(shape), w.itemsize, of_weight)


@lru_cache(maxsize=256)
def panels(
    shape: Shape, threads: int, itemsize: int
) -> tuple[list[tuple[np.ndarray]], np.ndarray, int]:
    """Plan a convolution of one tap: each thread's units, the kernel's sizes, the memory it takes."""
    kernels = loops("pointwise")
    positions, panel = prod(shape.positions), kernels.panel_of(itemsize)
    # whole panels; what is less than half of one goes with the last
    number, most = max(1, round(positions / panel)), max(1, PANELS // (shape.i * panel * itemsize))
    cuts, by_o = pieces(number, most), [slice(0, shape.o)]
    if shape.n * shape.g * len(cuts) % threads:
        even = number % threads == 0 or number >= 4 * threads
        if even and shape.i * positions > COPIED * shape.o:
            cuts = pieces(number, most, -(-len(cuts) // threads) * threads)
        else:
            by_o = shared_outputs(shape.o, threads)
    units = [
        (n, g, q.start * panel, positions if q.stop == number else q.stop * panel, o.start, o.stop)
        for o, n, g, q in product(by_o, range(shape.n), range(shape.g), cuts)
    ]
    most = max(q_end - q for _, _, q, q_end, _, _ in units)
    memory = sum(kernels.sizes_of(shape.i, most, itemsize))
    sizes = np.array([shape.i, shape.o, most])
    shares = pieces(len(units), len(units), threads)
    return [(np.array(units[share]),) for share in shares], sizes, memory
