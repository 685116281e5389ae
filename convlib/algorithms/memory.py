"""Arrays as flat memory: what the compiled loops take, so that they read and write views in place."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np


def three(values: tuple, fill: Any) -> tuple:
    """Give 1-d and 2-d settings the axes that are missing for 3-d."""
    return (fill,) * (3 - len(values)) + tuple(values)


@lru_cache(maxsize=1024)
def steps_of(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, lead: int
) -> np.ndarray:
    """Where an array's first cell is in the memory that it spans, and the steps of each axis.

    All in cells. Axes that a 1-d or 2-d array lacks, after the first `lead`, have steps of 0.
    """
    strides = tuple(step // itemsize for step in strides)
    start = -sum(min((n - 1) * step, 0) for n, step in zip(shape, strides, strict=True))
    return np.array([start, *strides[:lead], *three(strides[lead:], 0)])


def owner_of(array: Any) -> Any:
    """Find the array whose memory this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def usable(array: Any) -> Any:
    """Copy an array that compiled loops do not take: its steps are no whole cells, or its owner has gaps.

    A read-only one, too: they would be compiled once more for it.
    """
    flags = array.flags
    if flags.writeable and flags.c_contiguous:
        return array
    whole = not any(step % array.itemsize for step in array.strides)
    if flags.writeable and whole:
        owner = owner_of(array).flags  # may have been made read-only after its view
        if owner.c_contiguous and owner.writeable:
            return array
    return array.copy()


def in_a_row(array: Any) -> Any:
    """View an array's cells as one row, for loops that read them one after another, or copy them."""
    flags = array.flags
    return (array if flags.writeable and flags.c_contiguous else array.copy()).reshape(-1)


def one_run(array: Any) -> Any:
    """See that positions are a run: (n, g, i, H, W) as (n, g, i, H·W), copied if need be."""
    flat = array.reshape(*array.shape[:3], -1)
    return flat if flat.strides[-1] == flat.itemsize else flat.copy()


def steps_without_gaps(shape: tuple[int, ...], lead: int = 3) -> np.ndarray:
    """The steps that `steps_of` finds in an array of this shape whose cells lie one behind another."""
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return steps_of(shape, tuple(strides), 1, lead)


def memory_of(array: Any, lead: int = 3) -> tuple[Any, np.ndarray]:
    """View all memory that an array spans as one axis, and say how to find the array's cells there."""
    size, steps = array.itemsize, steps_of(array.shape, array.strides, array.itemsize, lead)
    if array.flags.c_contiguous:
        return array.reshape(-1), steps
    # from the lowest address on, which is the last cell's along an axis of negative steps; NumPy
    # looks whether so much memory is there
    span = sum((n - 1) * abs(step) for n, step in zip(array.shape, array.strides, strict=True))
    owner, first = owner_of(array), array.ctypes.data - int(steps[0]) * size
    offset = first - owner.ctypes.data
    return np.ndarray((span // size + 1,), array.dtype, owner, offset), steps
