"""A convolution cut into units of work: what the compiled loops take, beyond the arrays.

A unit is an image, a group, some rows of the output, some of its channels, and some of the input's:
as much as fits into the cache that a core has for itself. Units of the same outputs follow one
another, and go on with their sums. Each thread gets one share of the units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from math import isqrt, prod
from typing import Any, NamedTuple

import numpy as np

from .abreast import put_aside, widened
from .caches import near
from .flat import layout_of, sights_of
from .memory import three
from .steps import Shape, Steps, with_numba
from .terms import heads_of, is_columned, taps_that_see, terms_of
from .threads import WAKE, limit, pieces

# Multiplications in the time that it takes to tell a thread of its part. Threads are told one after
# another, so that with so many parts the work should take the square of the time.
SHARED = 1 << 19
# Bytes of the input that a unit reads again and again: a part of the cache that a core has for itself.
# For a weight's gradient, twice as many of both that it multiplies.
UNIT = near() // 4
PANELS = near() // 4  # the same of a layer of one tap
# Bytes of sums that go on from unit to unit. They are read once for some hundred multiplications, and
# may come from farther away: what counts is that the weight is read for many rows at once.
SUMS = 1 << 20
WIDEST = 16  # values of float32 in the widest register: outputs are cut by as many
LEAST_TERMS = 144  # of a unit: with fewer, sums would be read too often
LONG = 1 << 18  # cells of a unit of few outputs
# Cells that are copied twice, as two threads need them, in the time that a row of outputs takes which
# two threads write to: the cache lines at its ends go to and fro.
COPIED = 1000
MOST_KEPT = 1 << 13  # images and groups of a plan that is kept: each takes a hundred bytes or more
FEW_SLICES = 2  # of a video, for each slice of padding: no more are units by themselves


class Plan(NamedTuple):
    """What `kernels.forward` and `weight_gradient` take, beyond the arrays."""

    parts: list[tuple[np.ndarray]]  # each thread's units, in the columns of kernels.N ... I_END
    at: np.ndarray  # for each term, where its run of cells begins
    to: np.ndarray  # and where its weight is
    phases: np.ndarray  # k·d mod s, a row each: see `flat.py`
    geometry: tuple[np.ndarray, ...]  # `kernels.forward` says of what
    memory: int  # how many values a thread works in


class Panels(NamedTuple):
    """What `pointwise.forward` takes, beyond the arrays."""

    parts: list[tuple[np.ndarray]]  # each thread's units
    sizes: np.ndarray
    memory: int  # how many values a thread works in


def shared_outputs(outputs: int, threads: int, whole: int = WIDEST) -> list[slice]:
    """Cut outputs for as many threads, by whole registers, or by so many."""
    cuts = pieces(-(-outputs // whole), outputs, threads)
    return [slice(whole * s.start, min(whole * s.stop, outputs)) for s in cuts]


def shared_zeros(size: tuple[int, ...], shape: Shape, steps: Steps, images: int) -> int:
    """How many of the zeros at the end of a row can be those that the next row begins with.

    The sums between two rows are computed for nothing, so rows should lie close together. No two
    windows of a row may become one, and behind the last row stand as many zeros as SLACK says.
    """
    layout = layout_of(shape, steps)
    rows = [places[-1] for places, _ in sights_of(size, layout, steps)]
    ends = [min(row.start, layout.wide[-1] - row.stop) for row in rows]
    most = with_numba("kernels").SLACK // images
    return min(*ends, layout.wide[-1] - shape.positions[-1], most)


def ranges_of(
    shape: Shape, steps: Steps, threads: int, itemsize: int, of_weight: bool, images: int
) -> tuple[list[slice], ...]:
    """Cut d, h and o, so that a unit stays in the cache and each thread gets as much as the others."""
    d, h, w = three(shape.positions, 1)
    axes, few = len(shape.taps), min(shape.i, -(-LEAST_TERMS // prod(shape.taps)))
    # much to read of the weight, few rows: outputs are shared
    heavy = shape.i * shape.o * prod(shape.taps) > prod(shape.positions) * images
    heavy, number = heavy or h < 2 * threads, shape.n // images * shape.g
    outputs = -(-shape.o // threads) if heavy and number % threads else shape.o

    def fits(rows: tuple[int, int]) -> bool:
        layout = layout_of(shape._replace(positions=(*rows, w)[3 - axes :]), steps)
        layout = widened(layout, images)
        run, plane = prod(rows) * layout.wide[-1], prod(layout.wide)
        cells = plane * len(layout.phases)
        if of_weight:
            return (plane * shape.o + cells * shape.i) * itemsize <= 2 * UNIT
        some = cells * few * itemsize <= UNIT and run * outputs * itemsize <= SUMS
        return some or cells * shape.i * itemsize <= UNIT

    # of few slices, many see padding with a part of their taps: by themselves, they leave these out
    alone = axes == 3 and not of_weight and sum(steps.padding[0]) * FEW_SLICES >= d
    many = (1, h) if alone else (d, h)
    while not fits(many) and many != (1, 1):
        many = (-(-many[0] // 2), h) if many[0] > 1 else (1, -(-many[1] // 2))
    by_d, by_h, by_o = pieces(d, many[0]), pieces(h, many[1]), [slice(0, shape.o)]
    if number * len(by_d) % threads:
        if heavy:
            by_o = shared_outputs(shape.o, threads)  # by whole registers
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
    images: int = 1,
) -> Plan:
    """Plan a convolution of cells (H, W), of a weight with such strides in bytes (g, o, i, k, l).

    So many images lie abreast, as one that is as many times as wide.
    Kept for the next call of these sizes: for a small one this takes longer than the sum.
    """
    by_d, by_h, by_o = ranges_of(shape, steps, threads, itemsize, of_weight, images)
    most = (by_d[-1].stop - by_d[-1].start, by_h[-1].stop - by_h[-1].start)
    positions = (*most, shape.positions[-1])
    largest = shape._replace(positions=positions[3 - len(shape.taps) :])
    positions = (*most, shape.positions[-1] * images)
    layout = widened(layout_of(largest, steps, shared_zeros(size, shape, steps, images)), images)
    kernels, phases = with_numba("kernels"), len(layout.phases)
    sizes = positions, three(layout.wide, 1), phases
    pitch, *_ = kernels.sizes_of(1, *sizes)
    near_i, round_i = UNIT // (pitch * itemsize), with_numba("runs").TERMS // prod(shape.taps)
    if near_i > round_i > 0:  # whole rounds of the loops over terms
        near_i -= near_i % round_i
    by_i = pieces(shape.i, shape.i if of_weight else near_i)
    rows, w_steps = list(product(by_d, by_h)), tuple(s // itemsize for s in w_strides[2:])
    column = not of_weight and is_columned(shape, steps, w_steps[-2])
    up = column and w_steps[-2] < 0
    line = layout.wide[-1] * steps.dilation[-2] * (-1 if up else 1) if column else 0
    every = tuple(range(len(layout.taps)))
    taken = [every if of_weight else taps_that_see(at, size, shape, steps) for at in rows]
    if column:
        taken = [heads_of(some, shape.taps, up) for some in taken]
    at, to, terms = terms_of(by_i, pitch, layout, shape, w_steps, taken)
    units = [
        (n, g, d.start, d.stop, h.start, h.stop, o.start, o.stop, *some, i.start, i.stop)
        for o, n, g in product(by_o, range(shape.n // images), range(shape.g))
        for (d, h), parts in zip(rows, terms, strict=True)
        for i, some in zip(by_i, parts, strict=True)
    ]
    begin = tuple(-before for before, _ in steps.padding)
    most_i, most_o = (max(c.stop - c.start for c in cut) for cut in (by_i, by_o))
    geometry = [three(size, 1), three(layout.wide, 1), three(steps.stride, 1), three(begin, 0)]
    joined = put_aside(size, layout, steps, positions, images)
    geometry += [positions, (most_i, shape.i, line, images, joined)]
    _, result, cells = kernels.sizes_of(most_i, *sizes)
    # results of some outputs, or of all where later units go on with them
    some = kernels.MANY[0] if len(by_i) == 1 else -(-most_o // kernels.MANY[0]) * kernels.MANY[0]
    memory = cells + joined + some * result
    if of_weight:  # instead of some outputs' results, all of the output
        memory = cells + most_o * result
    shares = pieces(len(units) // len(by_i), len(units), threads)
    return Plan(
        [(np.array(units[s.start * len(by_i) : s.stop * len(by_i)]),) for s in shares],
        at,
        to,
        np.array([three(phase, 0) for phase in layout.phases]),
        tuple(map(np.array, geometry)),
        memory,
    )


@lru_cache(maxsize=1024)
def most_threads(shape: Shape, slow: int) -> int:
    """How many threads would be worth calling, were there so many."""
    return isqrt(shape.products * slow // SHARED)


def threads_for(shape: Shape, slow: int = 1) -> int:
    """How many threads are worth calling, where a multiplication takes `slow` times its time."""
    most = most_threads(shape, slow)
    return max(1, min(most, limit())) if most > 1 else 1


def planned(
    x: Any, w: Any, shape: Shape, steps: Steps, of_weight: bool = False, images: int = 1
) -> Plan:
    """Plan for as many threads as are worth calling."""
    make = plan if shape.n * shape.g <= MOST_KEPT else plan.__wrapped__
    threads = threads_for(shape)
    return make(x.shape[3:], w.strides, shape, steps, threads, w.itemsize, of_weight, images)


@lru_cache(maxsize=256)
def panels(shape: Shape, threads: int, itemsize: int) -> Panels:
    """Plan a convolution of one tap."""
    loops = with_numba("pointwise")
    positions, panel = prod(shape.positions), loops.panel_of(itemsize)
    # whole panels; what is less than half of one goes with the last
    number, most = max(1, round(positions / panel)), max(1, PANELS // (shape.i * panel * itemsize))
    in_place = loops.read_in_place(shape.i, shape.o, positions, itemsize)
    if in_place:  # nothing is copied
        most = number
    elif shape.o <= loops.OUTPUTS:  # cells are read once, and long runs are read sooner
        most = max(most, LONG // (shape.i * panel))
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
    memory = sum(loops.sizes_of(shape.i, most, not in_place, itemsize))
    sizes = np.array([shape.i, shape.o, most, in_place])
    shares = pieces(len(units), len(units), threads)
    return Panels([(np.array(units[share]),) for share in shares], sizes, memory)


def share(work: Callable[..., Any], parts: Sequence[tuple], shape: Shape) -> None:
    """Compute parts, in threads that wait for them; small ones only in threads that are awake."""
    helpers = with_numba("helpers")
    if len(parts) == 1:
        work(*parts[0], helpers.NOBODY)
    else:
        helpers.share(work, parts, shape.products >= WAKE)
