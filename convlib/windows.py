"""Every window of an array, as one view: no copy, no loop.

`as_strided` lets a shape and strides say anything, also what lies outside of the memory. So it is
called in one place of this library, here, and the number of windows is counted there: so no view leaves
its memory (chapter 4).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from .arrays import array_module, in_dtype, working_dtype
from .geometry import count
from .settings import Ints, integers

__all__ = ["scatter_windows", "windows"]


def count_all(function: str, size: tuple, kernel_size: tuple, stride: tuple, dilation: tuple):
    """Count the windows on each axis."""
    axes = zip(size, kernel_size, stride, dilation, strict=True)
    return tuple(count(function, n, k, s, 0, 0, d) for n, k, s, d in axes)


def strided_windows(
    xp: ModuleType, input: Any, kernel_size: tuple, stride: tuple, dilation: tuple
) -> Any:
    """`windows` for settings that are tuples already. The only caller of `as_strided`."""
    axes = len(kernel_size)
    lead, sizes = input.shape[:-axes], input.shape[-axes:]
    positions = count_all("windows", sizes, kernel_size, stride, dilation)
    # (..., H, W) -> (..., h, w, k, l)
    shape = (*lead, *positions, *kernel_size)
    # One step of the output position (h, w) moves `stride` cells, one step of the kernel position
    # (k, l) moves `dilation` cells. The last cell read on an axis is
    # (positions - 1)·stride + (kernel_size - 1)·dilation: the count keeps it below the axis' length.
    # A step wider than the axis is never taken; min keeps its bytes within 64 bits.
    steps = input.strides[-axes:]
    strides = (
        *input.strides[:-axes],
        *(step * min(s, n) for step, s, n in zip(steps, stride, sizes, strict=True)),
        *(step * min(d, n) for step, d, n in zip(steps, dilation, sizes, strict=True)),
    )
    read_only = {"writeable": False} if xp is np else {}
    return xp.lib.stride_tricks.as_strided(input, shape, strides, **read_only)


def windows(input: Any, kernel_size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Any:
    r"""Show every window of an array as a view of it.

    Parameters
    ----------
    input : array, shape (..., H, W) for a kernel of two axes
        Any dtype. The last axes, as many as `kernel_size` has entries, are the spatial ones.
    kernel_size : tuple of int, or int
        Taps an axis, `(k, l)`. An int means the last axis alone.
    stride : int or tuple of int
        Cells from one window to the next.
    dilation : int or tuple of int
        Cells from one tap of a window to the next.

    Returns
    -------
    array, shape (..., h, w, k, l)
        A view: it shares the memory of `input`, and one cell of `input` stands in many windows.
        Read-only with NumPy. CuPy has no read-only arrays: do not write into it there.

        .. math::
            \text{windows}[\dots, h, w, k, l]
            = \text{input}[\dots, h s_h + k d_k, w s_w + l d_l]

    Raises
    ------
    ValueError
        If a setting is out of range, or the kernel is wider than the input.
    TypeError
        If a setting is not an integer, or `input` is not an array.

    See Also
    --------
    numpy.lib.stride_tricks.sliding_window_view : the same for stride 1 and dilation 1.

    Examples
    --------
    >>> import numpy as np
    >>> windows(np.arange(6), 3, stride=2)
    array([[0, 1, 2],
           [2, 3, 4]])
    >>> windows(np.zeros((2, 3, 8, 8)), (3, 3), stride=2).shape
    (2, 3, 3, 3, 3, 3)
    """
    xp = array_module("windows", input=input)
    axes = len(kernel_size) if isinstance(kernel_size, (tuple, list)) else 1
    if not 1 <= axes <= input.ndim:
        raise ValueError(
            f"windows: kernel_size must have from 1 to {input.ndim} entries for an input of shape "
            f"{input.shape}, got {kernel_size!r}."
        )
    return strided_windows(
        xp,
        input,
        integers("windows", "kernel_size", kernel_size, axes, least=1),
        integers("windows", "stride", stride, axes, least=1),
        integers("windows", "dilation", dilation, axes, least=1),
    )


def tap_cells(tap: tuple, positions: tuple, stride: tuple, dilation: tuple) -> tuple:
    """Index the cells (..., H, W) that one tap sees in all windows: (..., h, w) of them."""
    cells = (
        slice(t * d, t * d + (m - 1) * s + 1, s)
        for t, m, s, d in zip(tap, positions, stride, dilation, strict=True)
    )
    return (..., *cells)


def add_taps(
    xp: ModuleType,
    windows: Any,
    input_size: tuple,
    stride: tuple,
    dilation: tuple,
    dtype: Any = None,
) -> Any:
    """`scatter_windows` for checked settings; cells that no window reaches stay 0.

    The axes are independent, so one is added up after the other: k + l passes instead of k·l.
    No addition is saved: see chapter 7.
    """
    axes = len(input_size)
    lead, positions, taps = (
        windows.shape[: -2 * axes],
        windows.shape[-2 * axes : -axes],
        windows.shape[-axes:],
    )
    dtype = windows.dtype if dtype is None else dtype
    if not windows.size:
        return xp.zeros((*lead, *input_size), dtype)
    # (..., h, w, k, l) -> (..., k, l, h, w)
    output = xp.moveaxis(windows, range(-axes, 0), range(len(lead), len(lead) + axes))
    left = list(range(axes))
    # the axis first that leaves least: with a large stride, one can leave more than there was
    for axis in sorted(left, key=lambda a: input_size[a] / (positions[a] * taps[a])):
        # (..., k, l, h, w) -> (k, ..., l, h, w)
        of_taps = xp.moveaxis(output, len(lead) + left.index(axis), 0)
        left.remove(axis)
        size = list(of_taps.shape[1:])
        size[axis - axes] = input_size[axis]
        output = xp.zeros(size, dtype)
        of_axis, others = (positions[axis],), (slice(None),) * (axes - axis - 1)
        for tap, cells in enumerate(of_taps):
            # One tap of all windows lands on cells `stride` apart: all different, so += is safe.
            # (..., l, H, w)[tap's cells] += (..., l, h, w)
            at = tap_cells((tap,), of_axis, (stride[axis],), (dilation[axis],))
            output[(*at, *others)] += cells
    return output


def scatter_windows(windows: Any, input_size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Any:
    r"""Add every window to the cells it shows: the adjoint of `windows`.

    Parameters
    ----------
    windows : array, shape (..., h, w, k, l) for an input of two axes
        Any dtype that can be added up. float16 is added up in float32.
    input_size : tuple of int, or int
        `(H, W)`: what the windows are windows of. An int means one axis.
    stride, dilation : int or tuple of int
        As in `windows`.

    Returns
    -------
    array, shape (..., H, W)
        A new array of the same dtype. A cell in many windows gets the sum, a cell in none gets 0.

        .. math::
            \text{output}[\dots, y, x] = \sum_{h s_h + k d_k = y,\; w s_w + l d_l = x}
            \text{windows}[\dots, h, w, k, l]

    Raises
    ------
    ValueError
        If windows of this shape are not those of an input of this size, or have no taps.
    TypeError
        If a setting is not an integer, or `windows` is not an array.

    Examples
    --------
    >>> import numpy as np
    >>> scatter_windows(np.ones((4, 3), int), 6)
    array([1, 2, 3, 3, 2, 1])
    """
    xp = array_module("scatter_windows", windows=windows)
    axes = len(input_size) if isinstance(input_size, (tuple, list)) else 1
    if not 1 <= axes <= windows.ndim // 2:
        raise ValueError(
            f"scatter_windows: input_size must have from 1 to {windows.ndim // 2} entries for "
            f"windows of shape {windows.shape}, got {input_size!r}."
        )
    size = integers("scatter_windows", "input_size", input_size, axes, least=0)
    steps = integers("scatter_windows", "stride", stride, axes, least=1)
    gaps = integers("scatter_windows", "dilation", dilation, axes, least=1)
    positions, taps = windows.shape[-2 * axes : -axes], windows.shape[-axes:]
    if min(taps) < 1:
        raise ValueError(
            "scatter_windows: windows must have at least one tap an axis, got shape "
            f"{windows.shape}."
        )
    if positions != (fit := count_all("scatter_windows", size, taps, steps, gaps)):
        raise ValueError(
            f"scatter_windows: an input of size {size} has {fit} windows of {taps} with stride "
            f"{steps} and dilation {gaps}, but windows has {positions}."
        )
    output = add_taps(xp, windows, size, steps, gaps, working_dtype(windows.dtype))
    return in_dtype(output, windows.dtype)
