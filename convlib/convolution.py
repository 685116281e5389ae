"""conv1d, conv2d, conv3d: geometry, padding, windows, contraction, bias. One core for all."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from . import algorithms
from .arrays import INTEGER, array_module, check_dtypes, in_dtype, working_dtype
from .checks import convolution_settings
from .contraction import contract
from .padding import pad_zeros
from .settings import Ints, Settings
from .windows import strided_windows

__all__ = ["conv1d", "conv2d", "conv3d"]


def grouped_input(input: Any, settings: Settings) -> Any:
    """Part an input's channels: (N, C, H, W) or (C, H, W) -> (n, g, i, H, W), g groups of i."""
    return input.reshape(settings.grouped_input_shape)


def padded_windows(xp: ModuleType, x: Any, settings: Settings) -> Any:
    """Pad an input and show its windows."""
    # (n, g, i, H, W) -> (n, g, i, H + padding, W + padding)
    x = pad_zeros(xp, x, settings.padding)
    # -> (n, g, i, h, w, k, l)
    windows = strided_windows(xp, x, settings.kernel_size, settings.stride, settings.dilation)
    # An output_padding may leave room for more windows, which nothing was spread from.
    return windows[(slice(None),) * 3 + tuple(map(slice, settings.maps[1:]))]


def grouped_weight(weight: Any, settings: Settings) -> Any:
    """Part the weight's first axis into groups: (g·o, i, k, l) -> (g, o, i, k, l)."""
    return weight.reshape(settings.grouped_weight_shape)


def grouped_output(output: Any, settings: Settings) -> Any:
    """Part an output's channels: (N, O, H', W') or (O, H', W') -> (n, g, o, h, w)."""
    return output.reshape(settings.grouped_output_shape)


def add_bias(output: Any, bias: Any, axes: int) -> None:
    """Add one value to each channel of `output`, in place."""
    # an input without channels gives no output, which the bias would not fit
    if output.size:
        # (O,) -> (O, 1, 1)
        output += bias.astype(output.dtype, copy=False).reshape(-1, *(1,) * axes)


def convolve(
    xp: ModuleType,
    input: Any,
    weight: Any,
    bias: Any,
    settings: Settings,
    algorithm: str = "auto",
) -> Any:
    """Convolve with checked settings: the core of conv1d, conv2d and conv3d."""
    axes, dtype = len(settings.stride), input.dtype
    work = working_dtype(dtype)
    input, weight = in_dtype(input, work), in_dtype(weight, work)
    output = xp.empty(settings.output_shape, work)
    # Chapter 9's algorithms compute the same sum, where it is worth their while.
    if not algorithms.forward(xp, input, weight, output, settings, algorithm):
        x, w = grouped_input(input, settings), grouped_weight(weight, settings)
        # The result is allocated whole, so that it owns its memory, and filled through a view.
        y = grouped_output(output, settings)
        # (n, g, i, h, w, k, l) · (g, o, i, k, l) -> (n, g, o, h, w)
        contract(xp, padded_windows(xp, x, settings), w, out=y)
    if bias is not None:
        add_bias(output, bias, axes)
    return in_dtype(output, dtype)


def _convolution(
    function: str,
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Ints,
    padding: Ints | str,
    dilation: Ints,
    groups: int,
    algorithm: str,
) -> Any:
    xp = array_module(function, input=input, weight=weight, bias=bias)
    bias_shape = None if bias is None else bias.shape
    settings = convolution_settings(
        function, axes, input.shape, weight.shape, bias_shape, stride, padding, dilation, groups
    )
    # PyTorch's CPU code has dilated sums for int64 alone
    integers = "int64" if settings.is_dilated else INTEGER
    check_dtypes(function, integers, input=input, weight=weight, bias=bias)
    return convolve(xp, input, weight, bias, settings, algorithm)


def conv1d(
    input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Slide a kernel along a signal: input (N, C, W) or (C, W), weight (O, C // groups, L).

    See `conv2d`.
    """
    return _convolution(
        "conv1d", 1, input, weight, bias, stride, padding, dilation, groups, algorithm
    )


def conv2d(
    input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    r"""Slide a kernel over an image: `torch.nn.functional.conv2d` on plain arrays.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        float16 (added up in float32), float32, float64, complex64, complex128; uint8, int8, int16,
        int32 and int64, which wrap around, and with dilation int64 alone.
    weight : array, shape (O, C // groups, K, L)
        Of the same dtype and library.
    bias : array, shape (O,), optional
    stride, dilation : int or tuple of two int
        Cells from one window to the next, and from one tap to the next.
    padding : int, tuple of two int, 'valid' or 'same'
        Zeros per side. 'same' needs stride 1, and puts an odd cell at the end.
    groups : int
        Each group of output channels reads its own C // groups input channels.
    algorithm : str
        How the sum is computed: one of `convlib.algorithms.ALGORITHMS`, or 'auto', which chooses
        by the sizes and the machine, and among direct sums alone unless `allowed_error` says
        otherwise.

    Returns
    -------
    array, shape (N, O, H', W') or (O, H', W')
        A new array of the same dtype and library, with H', W' from `output_size`.

        .. math::
            y_{n,o,h,w} = b_o + \sum_{i,k,l}
            x_{n,\,i,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w} \; w_{o,i,k,l}

        This is one group; of several, the g-th has the g-th part of the channels of x and of y. Cells
        of x outside of the image are 0. p is the padding before; with 'same', H', W' are H, W.

    Raises
    ------
    ValueError
        If shapes or settings do not fit together. An axis of 0 cells is refused as well, unless there
        are no images or no input channels.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Notes
    -----
    The kernel is not flipped: like PyTorch, this is what signal processing calls correlation.
    An input without channels gives an output without channels, also as in PyTorch.

    Where a cell is infinite, 'bands', 'fft', 'winograd' and 'winograd-f23' make NaN of outputs that
    do not read it, and all but 'bands' of outputs that do. 'auto' never takes 'bands', and the others
    inside `allowed_error` alone. Where a weight is infinite and its window sees padding, that is 0 · ∞,
    NaN, as in most of PyTorch's code; 'taps' and 'compiled' leave some or all of the padding out.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, np.ones((1, 1, 3, 3)))[0, 0]
    array([[45., 54.],
           [81., 90.]])
    """
    return _convolution(
        "conv2d", 2, input, weight, bias, stride, padding, dilation, groups, algorithm
    )


def conv3d(
    input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Slide a kernel through a volume: input (N, C, D, H, W), weight (O, C // groups, J, K, L).

    See `conv2d`.
    """
    return _convolution(
        "conv3d", 3, input, weight, bias, stride, padding, dilation, groups, algorithm
    )
