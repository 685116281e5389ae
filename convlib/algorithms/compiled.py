"""Loops, compiled by Numba: the direct sum, at the speed of the machine. Needs the extra `fast`.

NumPy works on whole arrays: each operation reads its operands from the cache and writes its result
back. A compiled loop keeps a value in a register for as long as it is needed. That matters where
there is little to compute for each value that is read: depthwise and grouped convolutions.

The cells lie as in `flat.py`: rows behind one another, so that each tap sees one long run. The loops
themselves are in `kernels.py`.

Source: the register blocking is that of E. Georganas et al., *Anatomy of high-performance deep
learning convolutions on SIMD architectures* (2018), with fewer loops.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from itertools import product
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .flat import layout_of, sights_of
from .im2col import pieces
from .steps import Shape, Steps, is_available, shape_of
from .threads import limit, scratch, share
from .turned import input_gradient as turned

# Multiplications. Below, a second thread gains nothing: for a tenth of a second after a product, one
# of BLAS' threads keeps its core busy with waiting.
SEVERAL = 1 << 25


__all__ = ["forward", "input_gradient", "is_available", "weight_gradient"]


def three(values: tuple, fill: Any) -> np.ndarray:
    """Give 1-d and 2-d settings the axes that are missing for 3-d."""
    return np.array((fill,) * (3 - len(values)) + tuple(values), np.int64)


def as_3d(array: Any, axes: int) -> Any:
    """(…, w) or (…, h, w) -> (…, d, h, w), in one piece of memory."""
    lead = array.shape[: array.ndim - axes]
    return np.ascontiguousarray(array).reshape(*lead, *(1,) * (3 - axes), *array.shape[-axes:])


@lru_cache(maxsize=256)
def layout_arguments(x: tuple[int, ...], shape: Shape, steps: Steps) -> tuple[Any, ...]:
    """Turn a layout into the arrays that the kernels take.

    Kept for the next call of these sizes: for a small one this takes longer than the sum.
    """
    layout = layout_of(shape, steps)
    size = prod(layout.wide)
    channel = len(layout.phases) * size
    # a term that fills up to nines sees a plane of zeros, so that not even an infinity gets through
    taps = np.array([phase * size + first for phase, first in layout.taps])
    terms = shape.i * len(taps)
    at = np.full(-(-terms // 9) * 9, shape.i * channel, np.int64)
    at[:terms] = (np.arange(shape.i)[:, None] * channel + taps).reshape(-1)
    sights = []
    for inside, cells in sights_of(x, layout, steps):
        axes = [(a.start, a.stop - a.start, b.start) for a, b in zip(inside, cells, strict=True)]
        sights.append([(0, 1, 0)] * (3 - len(axes)) + axes)
    wide = three(layout.wide, 1)
    return wide, three(steps.stride, 1), np.array(sights, np.int64), at, terms


def shares(shape: Shape, groups: int) -> list[tuple[slice, slice]]:
    """Cut some groups for the threads, one share each, and outputs where groups are too few.

    A thread that takes the next of many shares has to wait for Python's lock in between.
    """
    if shape.products < SEVERAL:
        return [(slice(0, groups), slice(0, shape.o))]
    threads = limit()
    found = pieces(groups, groups, threads)
    # whole fours of outputs: the loops take so many at once
    fours = pieces(-(-shape.o // 4), shape.o, -(-threads // len(found)))
    outputs = [slice(4 * s.start, min(4 * s.stop, shape.o)) for s in fours]
    return list(product(found, outputs))


def memory_for(shape: Shape, outputs: slice, y: Any, rest: tuple[Any, ...]) -> Any:
    """What the kernels work in: a thread keeps it, as new pages make threads wait for each other."""
    kernels: Any = import_module(".kernels", __package__)
    wide, _, sights, *_ = rest
    number = outputs.stop - outputs.start
    return scratch(
        np, kernels.sizes_of(shape.i, number, y.shape[3:], wide, len(sights))[-1], y.dtype
    )


def is_depthwise(shape: Shape, steps: Steps) -> bool:
    """Tell whether `depthwise.py` has a loop for this: 3×3, one channel a group, stride 1 or 2."""
    return (
        shape.i == shape.o == 1
        and shape.taps == (3, 3)
        and steps.dilation == (1, 1)
        and steps.stride[1] <= 2
    )


def depthwise(
    x: Any, w: Any, out: Any, shape: Shape, steps: Steps, apart: tuple[int, ...] = (1, 1)
) -> None:
    """(n, c, 1, H, W) and (c, 1, 1, 3, 3) to (n, c, 1, h, w), shared out by channels."""
    kernels: Any = import_module(".depthwise", __package__)
    (above, _), (left, _) = steps.padding
    sizes = (shape.g, *x.shape[3:], *shape.positions, *steps.stride, above, left, *apart)
    x, w, y = x.reshape(-1), w.reshape(-1), out.reshape(-1)

    def some(channels: slice) -> None:
        kernels.forward(x, w, y, sizes, channels.start, channels.stop)

    share(some, [(c,) for c, _ in shares(shape, shape.n * shape.g)], shape.products >= SEVERAL)


def input_gradient(xp: ModuleType, gy: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W)."""
    shape = shape_of(out, w, gy)
    before = tuple(b for b, _ in steps.padding)
    near = is_depthwise(shape, steps) and max((*steps.stride, *before)) <= 2
    # nothing but a finite weight gives nothing where it meets the zeros in between
    if not (near and shape.products and out.flags.c_contiguous and np.isfinite(w).all()):
        return turned(forward, xp, gy, w, out, steps)
    # One pass over zeros and all instead of one for each phase: a plane's zeros stay in the cache.
    # The kernel is turned round, and outputs are put as far apart as windows were.
    around = tuple((2 - b, 0) for b in before)
    whole = Steps((1, 1), around, (1, 1))
    turned_kernel = np.ascontiguousarray(w[..., ::-1, ::-1])
    depthwise(gy, turned_kernel, out, shape_of(gy, w, out), whole, steps.stride)


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    if not shape.products:
        out[...] = 0
        return
    if is_depthwise(shape, steps):
        return depthwise(x, w, out, shape, steps)
    kernels: Any = import_module(".kernels", __package__)

    axes = len(shape.taps)
    rest = layout_arguments(x.shape[3:], shape, steps)
    # (g, o, i, k, l) -> (g, o, i·k·l), with zeros at the end
    terms = np.ascontiguousarray(w).reshape(*w.shape[:2], -1)
    if terms.shape[-1] < len(rest[-2]):
        terms = np.zeros((*w.shape[:2], len(rest[-2])), w.dtype)
        terms[..., : rest[-1]] = w.reshape(*w.shape[:2], -1)
    x, y = as_3d(x, axes), out.reshape(*out.shape[:3], *(1,) * (3 - axes), *shape.positions)

    def some(g: slice, o: slice) -> None:
        memory = memory_for(shape, o, y, rest)
        kernels.forward(x, terms, y, *rest, g.start, g.stop, (o.start, o.stop), memory)

    share(some, shares(shape, shape.n * shape.g), shape.products >= SEVERAL)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    out[...] = 0
    if not shape.products:
        return
    kernels: Any = import_module(".kernels", __package__)

    axes = len(shape.taps)
    rest = layout_arguments(x.shape[3:], shape, steps)
    terms = np.zeros((*out.shape[:2], len(rest[-2])), out.dtype)
    x, gy = as_3d(x, axes), as_3d(gy, axes)

    def some(g: slice, o: slice) -> None:
        memory = memory_for(shape, o, gy, rest)
        kernels.weight_gradient(x, gy, terms, *rest, g.start, g.stop, (o.start, o.stop), memory)

    share(some, shares(shape, shape.g), shape.products >= SEVERAL)
    # (g, o, i·k·l) -> (g, o, i, k, l)
    out.reshape(*out.shape[:2], -1)[...] = terms[..., : rest[-1]]
