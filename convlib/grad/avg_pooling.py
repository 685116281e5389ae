"""Gradient of average pooling for the input: each window's is shared out among its cells."""

from __future__ import annotations

from typing import Any

from ..arrays import array_module, check_dtype, working_dtype
from ..pooling.settings import check_bool, check_divisor, pooling_settings
from ..pooling.windows import averaged_floats, divisors, hand_back
from ..settings import check_shape, shape


def _avg_pool_input(
    axes,
    input_size,
    grad_output,
    kernel_size,
    stride,
    padding,
    ceil_mode,
    count_include_pad,
    divisor_override,
) -> Any:
    function = f"avg_pool{axes}d_input"
    xp = array_module(function, grad_output=grad_output)
    size = shape(function, "input_size", input_size)
    pooling = pooling_settings(function, axes, size, kernel_size, stride, padding, 1, ceil_mode)
    check_bool(function, "count_include_pad", count_include_pad)
    override = check_divisor(function, divisor_override)
    check_shape(function, "grad_output", grad_output.shape, pooling.output_shape)
    dtype = grad_output.dtype
    check_dtype(function, "grad_output", dtype, averaged_floats(xp, axes))
    work = working_dtype(dtype)
    counts = divisors(xp, pooling, count_include_pad, override).astype(work)
    # every tap of a window has the same share of its gradient
    share = grad_output.astype(work, copy=False) / counts
    return hand_back(xp, lambda tap: share, pooling, dtype)


def avg_pool1d_input(
    input_size,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
):
    """Gradient of `avg_pool1d` for its input. See `avg_pool2d_input`."""
    return _avg_pool_input(
        1, input_size, grad_output, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d_input(
    input_size,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    r"""Gradient of `avg_pool2d` for its input: each window's is shared out among its cells.

    Parameters
    ----------
    input_size : tuple of int
        The shape of the input, (N, C, H, W) or (C, H, W).
    grad_output : array
        float16 (added up in float32), float32 or float64, of the output's shape.
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As given to `avg_pool2d`.

    Returns
    -------
    array, shape `input_size`
        A new array of `grad_output`'s dtype.

        .. math::
            \bar x_{n,\,c,\,h s_h + k - p_h,\,w s_w + l - p_w} \mathrel{+}=
            \bar y_{n,c,h,w} / \text{count}_{h,w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If a dtype does not fit, or a setting is not an integer.

    Notes
    -----
    Source: ``avg_pool2d_backward`` of PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d_input((1, 2, 3), np.ones((1, 1, 2)), (2, 2), stride=1)
    array([[[0.25, 0.5 , 0.25],
            [0.25, 0.5 , 0.25]]])
    """
    return _avg_pool_input(
        2,
        input_size,
        grad_output,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d_input(
    input_size,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Gradient of `avg_pool3d` for its input. See `avg_pool2d_input`."""
    return _avg_pool_input(
        3,
        input_size,
        grad_output,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )
