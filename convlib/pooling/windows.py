"""What pooling and its gradients share: padded windows, their adjoint, numbers, divisors."""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays import working_dtype
from ..padding import Pairs, added_and_cut, crop, pad_zeros
from ..windows import strided_windows, tap_cells
from .settings import Pooling

REAL = "float16, float32, float64"


def averaged_floats(xp: ModuleType, axes: int) -> str:
    """Name the floating dtypes that have an average: PyTorch has float16 volumes on GPUs alone."""
    return "float32, float64" if axes == 3 and xp is np else REAL


def surround(xp: ModuleType, x: Any, pairs: Pairs, fill: Any, dtype: Any) -> Any:
    """Add (before, after) cells of one value to the last axes; cut cells off where negative."""
    added, cut = added_and_cut(pairs)
    return pad_zeros(xp, crop(x, cut), added, dtype, fill)


def pooled_windows(xp: ModuleType, x: Any, pooling: Pooling, fill: Any, dtype: Any) -> Any:
    """Show the windows of a pooling, with `Axis.taps` alone: the others see no cell of the input."""
    padded = surround(xp, x, tuple(axis.pad for axis in pooling.axes), fill, dtype)
    # (..., H + padding, W + padding) -> (..., h, w, k, l)
    return strided_windows(
        xp,
        padded,
        tuple(len(axis.taps) for axis in pooling.axes),
        tuple(axis.s for axis in pooling.axes),
        tuple(axis.d for axis in pooling.axes),
    )


def hand_back(xp: ModuleType, shares: Any, pooling: Pooling, dtype: Any) -> Any:
    """Add up, for each tap in turn, its share (n, c, h, w) at the cells it sees.

    The adjoint of `pooled_windows`, so that padding is cut off and what no window sees gets 0.
    """
    pairs = tuple(axis.pad for axis in pooling.axes)
    lead, size = pooling.input_shape[: -len(pairs)], pooling.input_shape[-len(pairs) :]
    padded = (n + before + after for n, (before, after) in zip(size, pairs, strict=True))
    total = xp.zeros((*lead, *padded), working_dtype(dtype))
    positions, stride, dilation = zip(*((a.m, a.s, a.d) for a in pooling.axes), strict=True)
    for tap in np.ndindex(*(len(axis.taps) for axis in pooling.axes)):
        # One tap sees cells `stride` apart: all different, so += is safe.
        total[tap_cells(tap, positions, stride, dilation)] += shares(tap)
    gradient = xp.empty(pooling.input_shape, dtype)
    outside = tuple((-before, -after) for before, after in pairs)
    gradient[...] = surround(xp, total, outside, 0, total.dtype)
    return gradient


def cell_numbers(xp: ModuleType, pooling: Pooling) -> Any:
    """Show the windows (h, w, k, l) of an image whose cells are numbered; padding has -1."""
    size = pooling.input_shape[-len(pooling.axes) :]
    numbers = xp.arange(prod(size), dtype=np.int64).reshape(size)
    return pooled_windows(xp, numbers, pooling, -1, np.dtype(np.int64))


def divisors(xp: ModuleType, pooling: Pooling, count_include_pad: bool, override: int | None):
    """Return what each window's sum is divided by, as int64 that goes with (h, w)."""
    if override is not None:
        return xp.full((1,) * len(pooling.axes), override, np.int64)
    counts = xp.ones((), np.int64)
    for n, k, s, p, _, m in pooling.axes:
        start = xp.arange(m, dtype=np.int64) * s - p
        # with ceil_mode a window may hang over the padding; what hangs over never counts
        if count_include_pad:
            count = xp.minimum(start + k, n + p) - start
        else:
            count = xp.minimum(start + k, n) - xp.maximum(start, 0)
        # (h,) -> (h, 1) · (w,) -> (h, w)
        counts = counts[..., None] * count
    return counts
