"""A forward pass that is ready: a compiled loop, with all that it takes but the arrays.

Most calls are of whole arrays, whose cells lie one behind another. A loop takes them as they are: with
or without axes of a batch or of groups, the memory is the same. So what `compiled.py` does in Python
before a loop begins, to see how arrays lie and to look up plans, is done for a layer's first call alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .compiled import kind_of, share
from .memory import steps_without_gaps
from .steps import Shape, Steps, with_numba
from .threads import scratch
from .units import MOST_KEPT, panels, plan, threads_for


class Taken(NamedTuple):
    """What a loop takes behind each array, if anything; then each thread's units; and what follows."""

    x: tuple[np.ndarray, ...]  # (steps,), as of `memory.steps_of`
    w: tuple[np.ndarray, ...]  # (steps,), or () for `pointwise.py`, whose weights are one row
    y: tuple[np.ndarray, ...]  # (steps,)
    parts: list[tuple[np.ndarray]]  # (units,) of each thread
    rest: tuple[Any, ...]  # what stands behind the units in the loop's signature, before the memory
    memory: int  # how many values a thread works in


def taken(
    kind: str,
    size: tuple[int, ...],
    shape: Shape,
    steps: Steps,
    dtype: np.dtype,
    threads: int,
    images: int,
) -> Taken:
    """Plan a layer of an input (H, W) for so many threads."""
    n, g, i, o, positions, taps = shape
    x, y = steps_without_gaps((n, g, i, *size)), steps_without_gaps((n, g, o, *positions))
    if kind == "pointwise":
        found = panels(shape, threads, dtype.itemsize)
        return Taken((x,), (), (y,), found.parts, (found.sizes,), found.memory)
    axes = 3 + len(taps)
    w = steps_without_gaps((g, o, i, *taps), axes)
    w_strides = tuple(dtype.itemsize * step for step in w[1 : 1 + axes].tolist())
    of = plan(size, w_strides, shape, steps, threads, dtype.itemsize, False, images)
    return Taken((x,), (w,), (y,), of.parts, (of.at, of.to, of.phases, of.geometry), of.memory)


def forward_of(
    size: tuple[int, ...], shape: Shape, steps: Steps, dtype: np.dtype
) -> Callable[[Any, Any, Any], None] | None:
    """Find what fills `out` from (x, w, out), arrays without gaps, of an input (H, W) and such sizes.

    Returns None where one loop over arrays as they are does not do it.
    """
    if dtype.kind == "c" or not shape.products or shape.n * shape.g > MOST_KEPT:
        return None
    kind, images = kind_of(shape, steps, dtype.itemsize)
    if kind == "depthwise" or (kind == "pointwise" and max(steps.stride) > 1):
        return None
    loop, known = with_numba(kind).forward, {}

    def forward(x: Any, w: Any, out: Any) -> None:
        threads = threads_for(shape)
        if threads not in known:
            known[threads] = taken(kind, size, shape, steps, dtype, threads, images)
        of_x, of_w, of_y, parts, rest, memory = known[threads]
        arrays = (x.reshape(-1), *of_x, w.reshape(-1), *of_w, out.reshape(-1), *of_y)

        def some(units: Any, team: Any) -> Any:
            return loop(*arrays, units, *rest, scratch(np, memory, dtype), team)

        share(some, parts, shape)

    return forward
