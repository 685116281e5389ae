"""Loops, compiled by Numba: the direct sum, at the speed of the machine. Needs the extra `fast`.

NumPy works on whole arrays: each operation reads its operands from the cache and writes its result
back, and BLAS wants the windows copied into a matrix. A compiled loop keeps sums in registers for as
long as they grow, and needs no columns: each cell is copied once for a unit, not once for each tap.

The copies lie as in `flat.py`: rows behind one another, so that each tap sees one long run. Only a few
rows of the output are worked on at a time, a unit, so that all that a unit needs stays in the cache.
The loops themselves are in `kernels.py`, those along one run in `runs.py`, and the sums that stay in
registers in `registers.py`. Kernels of one tap have theirs in `pointwise.py`, and in `dots.py` for
their weight's gradient; one channel a group has in `depthwise.py`. Images narrower than a register are
put side by side, as `abreast.py` says. Calls of whole arrays take the short way of `ready.py` to the
same loops.

Source: the register blocking is that of E. Georganas et al., *Anatomy of high-performance deep
learning convolutions on SIMD architectures* (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from . import abreast, im2col
from .memory import in_a_row, memory_of, one_run, usable
from .steps import (
    Shape,
    Steps,
    is_bare,
    is_depthwise,
    is_pointwise,
    one_tap_a_cell,
    shape_of,
    with_numba,
)
from .threads import pieces, scratch
from .turned import in_order, parts_of, turned
from .units import WIDEST, panels, planned, share, shared_outputs, threads_for

FEW = 8  # outputs a group: with no more, a register would be half empty
OFTEN = 1024  # positions: with as many, a weight in another order is put in order first
AT_ONCE, MATRIX = 9, 8  # terms of a weight's gradient: of `sums.py`, and of a matrix of sums
DEPTHWISE = 8  # a multiplication of these loops takes as long as so many of the others
# cells of a channel: so many stay in the innermost cache, beside their gradients
SMALL_CHANNEL = 1 << 12

__all__ = ["forward", "input_gradient", "weight_gradient"]


@lru_cache(maxsize=1024)
def kind_of(shape: Shape, steps: Steps, itemsize: int) -> tuple[str, int]:
    """Say which file has the loops for a whole output, and how many images are put abreast for it."""
    if is_depthwise(shape, steps):
        return "depthwise", 1
    if is_bare(shape, steps):
        return "pointwise", 1
    return "kernels", abreast.images_of(shape, steps, itemsize)


def depthwise(
    x: Any, w: Any, out: Any, shape: Shape, steps: Steps, apart: tuple[int, ...] = (1, 1)
) -> None:
    """(n, c, 1, H, W) and (c, 1, 1, 3, 3) to (n, c, 1, h, w), shared out by channels."""
    loops = with_numba("depthwise")
    (above, _), (left, _) = steps.padding
    sizes = (shape.g, *x.shape[3:], *shape.positions, *steps.stride, above, left, *apart)
    # a reshape would not do: real parts of complex numbers become one axis, but keep their gaps
    x, w, y = in_a_row(x), in_a_row(w), out.reshape(-1)

    def some(channels: slice, team: Any) -> Any:
        return loops.forward(x, w, y, sizes, channels.start, channels.stop, team)

    number = shape.n * shape.g
    parts = pieces(number, number, threads_for(shape, DEPTHWISE))
    share(some, [(c,) for c in parts], shape)


def pointwise(x: Any, w: Any, out: Any, shape: Shape, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, 1, 1) to (n, g, o, h, w): positions of a channel are one run.

    With a stride, the cells that it keeps are copied into such runs first.
    """
    loops = with_numba("pointwise")
    if max(steps.stride) > 1:
        x = x[(..., *(slice(None, None, s) for s in steps.stride))]
    x = x if x.flags.c_contiguous else one_run(x)
    found = panels(shape, threads_for(shape), x.itemsize)
    arrays = (*memory_of(usable(x)), in_a_row(w), *memory_of(out))

    def some(units: Any, team: Any) -> Any:
        memory = scratch(np, found.memory, out.dtype)
        return loops.forward(*arrays, units, found.sizes, memory, team)

    share(some, found.parts, shape)


def by_parts(
    function: Callable[..., None], xp: ModuleType, a: Any, b: Any, out: Any, steps: Steps
) -> None:
    """A sum of products of complex numbers, as four of real ones."""
    part = np.empty(out.shape, out.real.dtype)
    function(xp, a.real, b.real, out.real, steps)
    function(xp, a.imag, b.imag, part, steps)
    out.real -= part
    function(xp, a.real, b.imag, out.imag, steps)
    function(xp, a.imag, b.real, part, steps)
    out.imag += part


def input_gradient(xp: ModuleType, gy: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W)."""
    shape = shape_of(out, w, gy)
    if out.dtype.kind == "c":
        return by_parts(input_gradient, xp, gy, w, out, steps)
    before = tuple(b for b, _ in steps.padding)
    in_one_pass = is_depthwise(shape, steps) and max((*steps.stride, *before)) <= 2
    # nothing but a finite weight gives nothing where it meets the zeros in between
    if in_one_pass and out.flags.c_contiguous and np.isfinite(w).all():
        # One pass over zeros and all instead of one for each phase: a plane's zeros stay in the cache.
        # The kernel is turned round, and outputs are put as far apart as windows were.
        whole = Steps((1, 1), tuple((2 - b, 0) for b in before), (1, 1))
        turned_kernel = np.ascontiguousarray(w[..., ::-1, ::-1])
        return depthwise(gy, turned_kernel, out, shape_of(gy, w, out), whole, steps.stride)
    # The same parts as in `turned.py`, read and written in place. For few positions a weight is, too;
    # but one tap of several would be a number from each cache line.
    copied = one_tap_a_cell(shape.taps, steps) or shape.n * prod(shape.positions) >= OFTEN
    for part in parts_of(out.shape[3:], gy.shape[3:], shape.taps, steps):
        target = out[(..., *part.cells)]
        if part.taps:
            kernel = turned(w, part.taps)
            kernel = in_order(np, kernel) if copied else kernel
            forward(xp, gy[(..., *part.outputs)], kernel, target, part.steps)
        else:
            target[...] = 0


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w), all of which may be views."""
    shape = shape_of(x, w, out)
    if out.dtype.kind == "c":
        return by_parts(forward, xp, x, w, out, steps)
    if out.flags.c_contiguous:  # else it is a phase of a strided gradient, written in place below
        kind, images = kind_of(shape, steps, out.itemsize)
        if kind == "depthwise":
            return depthwise(x, w, out, shape, steps)
        if kind == "pointwise":
            return pointwise(x, w, out, shape, steps)
        if images > 1 and not x.flags.c_contiguous:  # what is read of an image has no gaps
            x = x.copy()
    else:
        images = 1
    loops = with_numba("kernels")
    w = usable(w)
    found = planned(x, w, shape, steps, images=images)
    arrays = (*memory_of(usable(x)), *memory_of(w, w.ndim), *memory_of(out))

    def some(units: Any, team: Any) -> Any:
        memory = scratch(np, found.memory, out.dtype)
        terms = found.at, found.to, found.phases, found.geometry
        return loops.forward(*arrays, units, *terms, memory, team)

    share(some, found.parts, shape)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    if out.dtype.kind == "c":
        return by_parts(weight_gradient, xp, x, gy, out, steps)
    if is_pointwise(shape, steps):
        return sums_of_runs(x, gy, out, shape)
    few = shape.o <= FEW or shape.i * prod(shape.taps) <= 4 * FEW
    if is_depthwise(shape, steps) and prod(x.shape[3:]) <= SMALL_CHANNEL:
        out[...] = depthwise_sums(x, gy, shape, steps).reshape(out.shape)
    else:
        out[...] = sums_of_units(x, gy, out, shape, steps, few)
    if few and np.isnan(out).any():  # between two rows, zeros may have met an infinity
        im2col.weight_gradient(xp, x, gy, out, steps)


def depthwise_sums(x: Any, gy: Any, shape: Shape, steps: Steps) -> Any:
    """(n, c, 1, H, W) and (n, c, 1, h, w) to (c·9,), shared out by channels."""
    loops = with_numba("depthwise")
    (above, _), (left, _) = steps.padding
    sizes = (shape.n, shape.g, *x.shape[3:], *shape.positions, *steps.stride, above, left)
    x, gy = in_a_row(x), in_a_row(gy)
    total = np.zeros(9 * shape.g, x.dtype)

    def some(channels: slice, team: Any) -> Any:
        return loops.weight_gradient(x, gy, total, sizes, channels.start, channels.stop, team)

    share(some, [(c,) for c in pieces(shape.g, shape.g, threads_for(shape, DEPTHWISE))], shape)
    return total


def sums_of_runs(x: Any, gy: Any, out: Any, shape: Shape) -> None:
    """(n, g, i, H, W) and (n, g, o, H, W) to (g, o, i, 1, 1).

    Each thread computes the sums of some of the o, or of the i, if there are more of these.
    """
    loops = with_numba("dots")
    a, b, w = one_run(gy), one_run(x), out.reshape(out.shape[:3])
    if shape.o < shape.i:
        a, b, w = b, a, w.swapaxes(1, 2)
    (rows, columns), run = w.shape[1:], a.shape[3]
    arrays = (*memory_of(usable(a)), *memory_of(usable(b)), *memory_of(w))
    sizes = np.array([shape.n, shape.g, columns, run])

    def some(part: slice, team: Any) -> Any:
        needed = sum(loops.sizes_of(part.stop - part.start, columns, run, w.itemsize)[2:])
        memory = scratch(np, needed, w.dtype)
        return loops.weight_gradient(*arrays, sizes, part.start, part.stop, memory, team)

    share(some, [(s,) for s in shared_outputs(rows, threads_for(shape), loops.ROWS)], shape)


def sums_of_units(x: Any, gy: Any, out: Any, shape: Shape, steps: Steps, few: bool) -> Any:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l), shared out by units."""
    x, gy = usable(x), usable(gy)
    found = planned(x, out, shape, steps, of_weight=True)
    arrays, terms = (*memory_of(x), *memory_of(gy)), len(found.at)
    loops = with_numba("sums" if few else "kernels")
    if few:  # (g, o, terms), so many terms at once
        more = -terms % AT_ONCE
        sizes, at = (shape.g, shape.o, terms + more), np.append(found.at, np.zeros(more, np.int64))
    else:  # (g, terms, o): whole registers of outputs, and of these whole matrices
        sizes = shape.g, terms + -terms % MATRIX, shape.o + -shape.o % WIDEST
        at = found.at
    # each thread adds up units of its own, always the same ones: the sum does not depend on time
    sums = np.zeros((len(found.parts), *sizes), out.dtype)

    def some(units: Any, total: Any, team: Any) -> Any:
        memory = scratch(np, found.memory, out.dtype)
        rest = found.phases, found.geometry, memory, team
        return loops.weight_gradient(*arrays, total, units, at, *rest)

    parts = [(*part, total) for part, total in zip(found.parts, sums, strict=True)]
    share(some, parts, shape)
    # beside what was asked for, whatever memory held before has been added up
    sums = sums[:, :, : shape.o, :terms] if few else sums[:, :, :terms, : shape.o]
    total = sums.sum(0) if len(sums) > 1 else sums[0]
    # (g, o, i·k·l) or (g, i·k·l, o) -> (g, o, i, k, l)
    return (total if few else total.swapaxes(1, 2)).reshape(out.shape)
