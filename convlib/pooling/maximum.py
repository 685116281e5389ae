"""max_pool1d, 2d, 3d: the windows of a convolution, reduced by their largest value."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import INTEGER, array_module, check_dtype, working_dtype
from .settings import check_every_window, pooling_settings
from .windows import REAL, cell_numbers, pooled_windows

__all__ = ["max_pool1d", "max_pool2d", "max_pool3d"]


def _max_pool(
    axes, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
) -> Any:
    function = f"max_pool{axes}d"
    xp = array_module(function, input=input)
    pooling = pooling_settings(
        function, axes, input.shape, kernel_size, stride, padding, dilation, ceil_mode
    )
    # PyTorch's max_pool1d has integers with indices alone
    integers = f", {INTEGER}" if axes > 1 or return_indices else ""
    dtype = input.dtype
    check_dtype(function, "input", dtype, REAL + integers)
    work = working_dtype(dtype)
    least = -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
    best = xp.full(pooling.output_shape, least, work)
    taps = tuple(len(axis.taps) for axis in pooling.axes)
    if not return_indices:
        if all(taps):
            # (n, c, h, w, k, l)
            windows = pooled_windows(xp, input, pooling, least, work)
            for tap in np.ndindex(*taps):
                xp.maximum(best, windows[(..., *tap)], out=best)
        return best.astype(dtype, copy=False)

    check_every_window(function, pooling)
    # (h, w, k, l) -> (h, w, k·l): PyTorch starts from the first cell of each window
    numbers = cell_numbers(xp, pooling)
    inside = numbers.reshape(*numbers.shape[:axes], -1)
    first = xp.argmax(inside >= 0, axis=-1)
    index = xp.empty(pooling.output_shape, np.int64)
    index[...] = xp.take_along_axis(inside, first[..., None], axis=-1)[..., 0]
    windows = pooled_windows(xp, input, pooling, least, work)
    for tap in np.ndindex(*taps):
        value = windows[(..., *tap)]
        # the first of equals stays; a NaN wins against everything, the last one too
        better = (value > best) | (value != value)
        xp.copyto(best, value, where=better)
        xp.copyto(index, numbers[(..., *tap)], where=better)
    return best.astype(dtype, copy=False), index


def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Keep the largest value of each window of a signal. See `max_pool2d`, with one spatial axis.

    An index is the position `x`. PyTorch takes integers here with `return_indices=True` alone, and
    so does this function.
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    r"""Keep the largest value of each window: `torch.nn.functional.max_pool2d` on plain arrays.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        float16, float32, float64, or an integer dtype.
    kernel_size : int or tuple of two int
    stride : int or tuple of two int, optional
        Cells from one window to the next: `kernel_size` where it is None or ().
    padding : int or tuple of two int
        Cells per side, at most half of `kernel_size`. They count as minus infinity, in integer
        arrays as the least value of the dtype.
    dilation : int or tuple of two int
        Cells from one tap of a window to the next.
    ceil_mode : bool
        Keep a last window that hangs over the end, if it starts in the input or before it.
    return_indices : bool
        Say where each value stands.

    Returns
    -------
    output : array, shape (N, C, H', W') or (C, H', W')
        A new array of the same dtype and library. An axis of n cells gives
        :math:`m = \lfloor (n + 2p - d(k-1) - 1) / s \rfloor + 1`, with `ceil_mode` one more where the
        division leaves a remainder and :math:`m s < n + p`.
    indices : array of int64, of the same shape
        Only with `return_indices`: the position in the image, `y * W + x`. Of equal values the
        first in reading order is meant, of several NaN the last.

        .. math::
            y_{n,c,h,w} = \max_{k,l} x_{n,\,c,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, if one of C, H, W is 0, or if `return_indices` is
        asked for and a window sees padding alone.
    TypeError
        If the dtype has no pooling, or a setting is not an integer.

    Notes
    -----
    A NaN in a window is its largest value. Of 0.0 and -0.0, which are equal, either may come out.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> max_pool2d(x, 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    >>> max_pool2d(x, 2, return_indices=True)[1]
    array([[[ 5,  7],
            [13, 15]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Keep the largest value of each window of a volume. See `max_pool2d`, with three axes.

    An index is the position in the volume, `(z * H + y) * W + x`.
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
