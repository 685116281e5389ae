"""A call whose settings are checked: how it is computed, which is found once, and then done again.

Python takes some tens of steps from a call to the loops or to BLAS. Right after a large layer all that
these steps touch comes from far away, and each takes several times as long as in a loop of small calls.
So what follows from sizes and settings is remembered as one, for the settings' object.

Which algorithm is taken is said in `choice.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..settings import Settings
from . import apart, turned
from .choice import allowed_now, choose, computes, file_of
from .rules import adding_pays
from .steps import Shape, Steps, sizes_in
from .threads import Call


def sizes_steps_and_cells(settings: Settings) -> tuple[Shape, Steps, tuple[slice, ...] | None]:
    """Take from a call's settings what algorithms need beyond the arrays, and the cells of x that count.

    These are all, and None says so, unless there is room for one more window on an axis than there are
    outputs: an output_padding may have made it. Where the columns are the input itself, the cells
    behind the last window would stand in them.
    """
    shape = sizes_in(
        settings.grouped_input_shape, settings.grouped_weight_shape, settings.grouped_output_shape
    )
    steps = Steps(settings.stride, settings.padding, settings.dilation)
    cells, room_for_more = [], False
    sizes = zip(settings.grouped_input_shape[3:], shape.positions, shape.taps, *steps, strict=True)
    for n, m, k, s, (before, after), d in sizes:
        # where one more window, of number m, would end: behind its last cell
        end = s * m + d * (k - 1) + 1 - before
        room_for_more |= end <= n + after
        cells.append(slice(max(end - s, 0)))  # up to where the last window ends, of number m - 1
    return shape, steps, tuple(cells) if room_for_more else None


class Way(NamedTuple):
    """How a call is computed: all that follows from its sizes, settings and dtype."""

    compute: Callable[..., None] | None  # or the library's core is to do it
    steps: Steps
    cells: tuple[slice, ...] | None  # of an input, that count, or all: see `sizes_steps_and_cells`
    at_once: Callable[..., None] | None = None  # the same, of arrays without gaps: see `ready.py`


def function_of(
    name: str, task: str, shape: Shape, steps: Steps, roomy: bool, adds: bool
) -> Callable[..., None]:
    """Find what computes a task from (xp, two arrays, out, steps): a function of its file, or of parts.

    An input's gradient may be one that `adds` up columns.
    """
    if task == "weight":
        return computes(name, "weight_gradient")
    forwards = computes(name, "forward")
    # "auto" is to be fast; who asks for it is promised little memory
    if name == "im2col" and roomy:
        forwards = partial(forwards, roomy=True)
    if task == "forward":
        return forwards
    if name == "compiled":  # it reads and writes the parts in place
        return computes(name, "input_gradient")
    if name == "im2col" and (adds or apart.is_apart(shape, steps)):
        return apart.input_gradient
    return partial(turned.input_gradient, forwards, views=name == "im2col")


@lru_cache(maxsize=1024)
def _way(
    settings: Settings, task: str, algorithm: str, dtype: np.dtype, xp: ModuleType, allowed: float
) -> Way:
    shape, steps, cells = sizes_steps_and_cells(settings)
    name = choose(algorithm, task, shape, steps, dtype, xp, settings.function, allowed)
    if name == "windows":
        return Way(None, steps, cells)
    at_once = None
    if (name, task, cells) == ("compiled", "forward", None):
        size = settings.grouped_input_shape[3:]
        at_once = file_of("ready").forward_of(size, shape, steps, dtype)
    roomy = algorithm == "auto"
    # numbers for which there is no BLAS, and GPUs, have not been measured
    adds = roomy and xp is np and dtype.kind in "fc" and adding_pays(shape, steps)
    return Way(function_of(name, task, shape, steps, roomy, adds), steps, cells, at_once)


def way_of(xp: ModuleType, task: str, settings: Settings, algorithm: Any, dtype: np.dtype) -> Way:
    """Find how a call is computed. What errors are allowed counts as well."""
    if not isinstance(algorithm, str):
        raise TypeError(f"{settings.function}: algorithm must be a string, got {algorithm!r}.")
    return _way(settings, task, algorithm, dtype, xp, allowed_now())


def forward(xp: ModuleType, x: Any, w: Any, out: Any, settings: Settings, algorithm: str) -> bool:
    """Fill `out` (N, O, H', W') from (N, C, H, W) and (O, C // groups, K, L), of one dtype.

    Returns False, and does nothing, where the plain way through the library's core is to be taken.
    An empty result is never computed, but what cannot be asked for is refused for it as well.
    """
    compute, steps, cells, at_once = way_of(xp, "forward", settings, algorithm, x.dtype)
    # contiguous, aligned and writeable (carray): what loops are compiled for
    if at_once and x.flags.carray and w.flags.carray:
        with Call():
            at_once(x, w, out)
    elif compute and out.size:
        x, w = x.reshape(settings.grouped_input_shape), w.reshape(settings.grouped_weight_shape)
        x = x if cells is None else x[(..., *cells)]
        with Call():
            compute(xp, x, w, out.reshape(settings.grouped_output_shape), steps)
    return bool(compute) or not out.size


def input_gradient(
    xp: ModuleType, gy: Any, w: Any, out: Any, settings: Settings, algorithm: str
) -> bool:
    """Fill `out` (N, C, H, W) from (N, O, H', W') and (O, C // groups, K, L), or return False."""
    compute, steps, _, _ = way_of(xp, "input", settings, algorithm, gy.dtype)
    if compute and out.size:
        gy, w = gy.reshape(settings.grouped_output_shape), w.reshape(settings.grouped_weight_shape)
        with Call():
            compute(xp, gy, w, out.reshape(settings.grouped_input_shape), steps)
    return bool(compute) or not out.size


def weight_gradient(
    xp: ModuleType, x: Any, gy: Any, out: Any, settings: Settings, algorithm: str
) -> bool:
    """Fill `out` (O, C // groups, K, L) from (N, C, H, W) and (N, O, H', W'), or return False.

    Where there is nothing to add up, `out` stays as it is: it comes as zeros.
    """
    compute, steps, cells, _ = way_of(xp, "weight", settings, algorithm, x.dtype)
    if compute and out.size and gy.size:
        x, gy = x.reshape(settings.grouped_input_shape), gy.reshape(settings.grouped_output_shape)
        x = x if cells is None else x[(..., *cells)]
        with Call():
            compute(xp, x, gy, out.reshape(settings.grouped_weight_shape), steps)
    return bool(compute) or not (out.size and gy.size)
