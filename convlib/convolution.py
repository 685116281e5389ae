"""conv1d, conv2d, conv3d: geometry, padding, windows, contraction, bias. One core for all."""

from __future__ import annotations

from typing import Any

from .arrays import INTEGER, array_module, check_dtypes, working_dtype
from .contraction import contract
from .padding import pad_zeros
from .settings import Ints, convolution_settings
from .windows import strided_windows

__all__ = ["conv1d", "conv2d", "conv3d"]


def _convolution(
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Ints,
    padding: Ints | str,
    dilation: Ints,
    groups: int,
) -> Any:
    function = f"conv{axes}d"
    xp = array_module(function, input=input, weight=weight, bias=bias)
    settings = convolution_settings(
        function,
        axes,
        input.shape,
        weight.shape,
        None if bias is None else bias.shape,
        stride,
        padding,
        dilation,
        groups,
    )
    # PyTorch's CPU code has dilated sums for int64 alone
    integers = INTEGER if settings.dilation == (1,) * axes else "int64"
    dtype = check_dtypes(function, integers, input=input, weight=weight, bias=bias)
    work = working_dtype(dtype)

    g = settings.groups
    x = input if settings.batched else input[None]
    # (N, C, H, W) -> (n, C, H + padding, W + padding)
    x = pad_zeros(xp, x, settings.padding).astype(work, copy=False)
    # -> (n, g, i, H, W): channels are g groups of i
    x = x.reshape(x.shape[0], g, weight.shape[1], *x.shape[2:])
    # -> (n, g, i, h, w, k, l)
    view = strided_windows(xp, x, settings.kernel_size, settings.stride, settings.dilation)
    # (g·o, i, k, l) -> (g, o, i, k, l)
    w = weight.astype(work, copy=False).reshape(g, weight.shape[0] // g, *weight.shape[1:])
    # -> (n, g, o, h, w) -> (n, g·o, h, w)
    y = contract(xp, view, w).reshape(x.shape[0], weight.shape[0], *settings.output_size)
    if bias is not None:
        # (g·o,) -> (g·o, 1, 1), one value for each output channel
        y += bias.astype(work, copy=False).reshape(-1, *(1,) * axes)
    y = y.astype(dtype, copy=False)
    return y if settings.batched else y[0]


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide a kernel along a signal. See `conv2d`, with one spatial axis."""
    return _convolution(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    r"""Slide a kernel over an image: `torch.nn.functional.conv2d` on plain arrays.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        float16, float32, float64, complex64, complex128, or an integer dtype. float16 is added up
        in float32.
    weight : array, shape (O, C // groups, K, L)
        Of the same dtype and library.
    bias : array, shape (O,), optional
    stride, dilation : int or tuple of two int
        Cells between two windows, and between two taps.
    padding : int, tuple of two int, 'valid' or 'same'
        Zeros per side. 'same' needs stride 1, and puts an odd cell at the end.
    groups : int
        Each group of output channels reads its own C // groups input channels.

    Returns
    -------
    array, shape (N, O, H', W') or (O, H', W')
        A new array of the same dtype and library, with H', W' from `output_size`.

        .. math::
            y_{n,o,h,w} = b_o + \sum_{i,k,l}
            x_{n,\,i,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w} \; w_{o,i,k,l}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Notes
    -----
    The kernel is not flipped: like PyTorch, this is what signal processing calls correlation.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, np.ones((1, 1, 3, 3)))[0, 0]
    array([[45., 54.],
           [81., 90.]])
    """
    return _convolution(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide a kernel through a volume. See `conv2d`, with three spatial axes."""
    return _convolution(3, input, weight, bias, stride, padding, dilation, groups)
