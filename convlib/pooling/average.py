"""avg_pool1d, 2d, 3d: the windows of a convolution, each added up and divided by a count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_module, check_dtype, working_dtype
from .settings import check_bool, check_divisor, pooling_settings
from .windows import averaged_floats, divisors, pooled_windows

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d"]


def _avg_pool(
    axes, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
) -> Any:
    function = f"avg_pool{axes}d"
    xp = array_module(function, input=input)
    pooling = pooling_settings(
        function, axes, input.shape, kernel_size, stride, padding, 1, ceil_mode
    )
    check_bool(function, "count_include_pad", count_include_pad)
    override = check_divisor(function, divisor_override)
    dtype = input.dtype
    check_dtype(function, "input", dtype, f"{averaged_floats(xp, axes)}, int64")
    work = working_dtype(dtype)
    # (n, c, h, w, k, l)
    windows = pooled_windows(xp, input, pooling, 0, work)
    total = xp.zeros(pooling.output_shape, work)
    for tap in np.ndindex(*windows.shape[-axes:]):
        total += windows[(..., *tap)]
    counts = divisors(xp, pooling, count_include_pad, override)
    if dtype.kind == "f":
        total /= counts.astype(work)
        return total.astype(dtype, copy=False)
    # integers are divided as in C: towards zero, where // would go down
    quotient = total // counts
    quotient += (quotient * counts != total) & ((total < 0) != (counts < 0))
    return quotient


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Average each window of a signal. See `avg_pool2d`; there is no `divisor_override` here."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    r"""Average each window: `torch.nn.functional.avg_pool2d` on plain arrays.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        float16 (added up in float32), float32, float64, or int64 (divided towards zero).
    kernel_size : int or tuple of two int
    stride : int or tuple of two int, optional
        Cells from one window to the next: `kernel_size` where it is None or ().
    padding : int or tuple of two int
        Zeros per side, at most half of `kernel_size`.
    ceil_mode : bool
        Keep a last window that hangs over the end, if it starts in the input or before it. Cells
        beyond the padding never count.
    count_include_pad : bool
        Count padding as cells that are 0; else divide by the cells of the input in the window.
    divisor_override : int, optional
        Divide by this number instead.

    Returns
    -------
    array, shape (N, C, H', W') or (C, H', W')
        A new array of the same dtype and library. An axis of n cells gives
        :math:`m = \lfloor (n + 2p - k) / s \rfloor + 1`, with `ceil_mode` one more where the division
        leaves a remainder and :math:`m s < n + p`.

        .. math::
            y_{n,c,h,w} = \frac{1}{\text{count}_{h,w}} \sum_{k,l}
            x_{n,\,c,\,h s_h + k - p_h,\,w s_w + l - p_w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, the divisor is 0, or one of C, H, W is.
    TypeError
        If the dtype has no pooling, or a setting is not an integer.

    Notes
    -----
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> avg_pool2d(x, 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    >>> avg_pool2d(x, 2, padding=1, count_include_pad=False)[0, 0]
    array([0. , 1.5, 3. ])
    """
    return _avg_pool(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Average each window of a volume. See `avg_pool2d`, with three spatial axes.

    As in PyTorch, the kernel may not be wider than the input here, whatever the padding, and
    float16 is for GPUs alone.
    """
    return _avg_pool(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
