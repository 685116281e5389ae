"""Gradients of conv1d, conv2d, conv3d for input, weight and bias: the forward walk in reverse."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .. import algorithms
from ..arrays import array_module, check_dtypes, in_dtype, working_dtype
from ..checks import convolution_settings
from ..contraction import contract_weight, contract_windows
from ..convolution import grouped_input, grouped_output, grouped_weight, padded_windows
from ..padding import crop
from ..settings import Settings, check_shape, shape
from ..windows import add_taps


def spread(
    xp: ModuleType, output: Any, weight: Any, settings: Settings, algorithm: str = "auto"
) -> Any:
    """Walk from a convolution's output back to its input: its adjoint, for checked settings.

    Each output cell is spread over the window that it was made of. The rooms of the forward pass in
    reverse: contraction, windows, padding. The result is in the working dtype.
    """
    work = working_dtype(output.dtype)
    output, weight = in_dtype(output, work), in_dtype(weight, work)
    result = xp.empty(settings.input_shape, work)
    if algorithms.input_gradient(xp, output, weight, result, settings, algorithm):
        return result
    y, w = grouped_output(output, settings), grouped_weight(weight, settings)
    # (n, g, o, h, w) · (g, o, i, k, l) -> (n, g, i, h, w, k, l)
    windows = contract_windows(xp, y, w)
    sizes = zip(settings.input_shape[-len(settings.padding) :], settings.padding, strict=True)
    padded = tuple(n + before + after for n, (before, after) in sizes)
    # -> (n, g, i, H + padding, W + padding)
    x = add_taps(xp, windows, padded, settings.stride, settings.dilation)
    # -> (n, g, i, H, W), which is the result's memory
    grouped_input(result, settings)[...] = crop(x, settings.padding)
    return result


def gather(
    xp: ModuleType, input: Any, output: Any, size: tuple, settings: Settings, algorithm: str
) -> Any:
    """Multiply every window with the output cell made of it, and add up: the weight's gradient.

    For checked settings and the weight's shape. The result is in the working dtype.
    """
    work = working_dtype(input.dtype)
    weight = xp.zeros(size, work)  # of no images nobody writes to it
    input, output = in_dtype(input, work), in_dtype(output, work)
    if not algorithms.weight_gradient(xp, input, output, weight, settings, algorithm):
        x, y = grouped_input(input, settings), grouped_output(output, settings)
        w = grouped_weight(weight, settings)
        # (n, g, i, h, w, k, l) · (n, g, o, h, w) -> (g, o, i, k, l), which is the weight's memory
        contract_weight(xp, padded_windows(xp, x, settings), y, out=w)
    return weight


def _input(axes, input_size, weight, grad_output, stride, padding, dilation, groups, algorithm):
    function = f"conv{axes}d_input"
    xp = array_module(function, weight=weight, grad_output=grad_output)
    size = shape(function, "input_size", input_size)
    settings = convolution_settings(
        function, axes, size, weight.shape, None, stride, padding, dilation, groups
    )
    check_shape(function, "grad_output", grad_output.shape, settings.output_shape)
    dtype = check_dtypes(function, _integers(settings), weight=weight, grad_output=grad_output)
    # y = W x has the gradient conj(W)ᵀ grad_y for x
    return spread(xp, grad_output, weight.conj(), settings, algorithm).astype(dtype, copy=False)


def _weight(axes, input, weight_size, grad_output, stride, padding, dilation, groups, algorithm):
    function = f"conv{axes}d_weight"
    xp = array_module(function, input=input, grad_output=grad_output)
    size = shape(function, "weight_size", weight_size)
    settings = convolution_settings(
        function, axes, input.shape, size, None, stride, padding, dilation, groups
    )
    check_shape(function, "grad_output", grad_output.shape, settings.output_shape)
    dtype = check_dtypes(function, _integers(settings), input=input, grad_output=grad_output)
    gradient = gather(xp, input.conj(), grad_output, size, settings, algorithm)
    return gradient.astype(dtype, copy=False)


def _integers(settings: Settings) -> str:
    """Name the integer dtypes of PyTorch's gradients: int64, and that where there is dilation."""
    return "int64" if settings.is_dilated else ""


def _bias(axes, grad_output):
    function = f"conv{axes}d_bias"
    array_module(function, grad_output=grad_output)
    if grad_output.ndim not in (axes + 1, axes + 2):
        raise ValueError(
            f"{function}: grad_output must have {axes + 2} axes (batch, channels, {axes} spatial) "
            f"or {axes + 1} without the batch, got shape {grad_output.shape}."
        )
    dtype = check_dtypes(function, grad_output=grad_output)
    # (N, O, H', W') -> (O,): every cell of a channel had the bias added once
    others = tuple(a for a in range(grad_output.ndim) if a != grad_output.ndim - axes - 1)
    return grad_output.sum(axis=others, dtype=working_dtype(dtype)).astype(dtype, copy=False)


def conv1d_input(
    input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Gradient of `conv1d` for its input, shape (N, C, W) or (C, W). See `conv2d_input`."""
    return _input(1, input_size, weight, grad_output, stride, padding, dilation, groups, algorithm)


def conv1d_weight(
    input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Gradient of `conv1d` for its weight, shape (O, C // groups, L). See `conv2d_weight`."""
    return _weight(1, input, weight_size, grad_output, stride, padding, dilation, groups, algorithm)


def conv1d_bias(grad_output):
    """Gradient of `conv1d` for its bias, shape (O,). See `conv2d_bias`."""
    return _bias(1, grad_output)


def conv2d_input(
    input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    r"""Gradient of `conv2d` for its input, as `torch.nn.grad.conv2d_input`.

    Parameters
    ----------
    input_size : tuple of int
        The input's shape, (N, C, H, W) or (C, H, W). With a stride it does not follow from the
        shape of `grad_output`.
    weight : array, shape (O, C // groups, K, L)
        A floating or complex dtype; int64 with dilation, as in PyTorch.
    grad_output : array, shape (N, O, H', W') or (O, H', W')
        The gradient that arrived at the output. Of the same dtype and library.
    stride, padding, dilation, groups, algorithm
        As they are given to `conv2d`.

    Returns
    -------
    array, shape `input_size`
        Cells that no window reached get 0.

        .. math::
            \mathrm{grad\_input}_{n,i,y,x} = \sum_{o} \sum_{h s_h + k d_h - p_h = y,\;
            w s_w + l d_w - p_w = x} \mathrm{grad\_output}_{n,o,h,w} \;
            \overline{\text{weight}_{o,i,k,l}}

        The bar, the complex conjugate, changes nothing in real numbers. One group, as in `conv2d`.

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Notes
    -----
    Unlike `torch.nn.grad`, this takes an input without a batch and padding='same'. Infinities spread as
    in `conv_transpose2d`. Source: https://docs.pytorch.org/docs/stable/nn.html (torch.nn.grad)

    Examples
    --------
    >>> import numpy as np
    >>> conv2d_input((1, 1, 1, 5), np.ones((1, 1, 1, 3)), np.ones((1, 1, 1, 3)))
    array([[[[1., 2., 3., 2., 1.]]]])
    """
    return _input(2, input_size, weight, grad_output, stride, padding, dilation, groups, algorithm)


def conv2d_weight(
    input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    r"""Gradient of `conv2d` for its weight, as `torch.nn.grad.conv2d_weight`.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        A floating or complex dtype; int64 with dilation, as in PyTorch.
    weight_size : tuple of int
        The weight's shape, (O, C // groups, K, L).
    grad_output, stride, padding, dilation, groups, algorithm
        As in `conv2d_input`.

    Returns
    -------
    array, shape `weight_size`
        Each weight's sum over the images and the places of the window.

        .. math::
            \mathrm{grad\_weight}_{o,i,k,l} = \sum_{n,h,w} \mathrm{grad\_output}_{n,o,h,w} \;
            \overline{x_{n,\,i,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w}}

        Where the gradient is infinite and the window sees padding, that is 0 · ∞, NaN; "taps"
        leaves padding out. PyTorch does the one or the other, by the dtype and the sizes. "fft" and
        both of Winograd's make NaN of all taps of the channel that an infinite cell is in.

    Examples
    --------
    >>> import numpy as np
    >>> conv2d_weight(np.arange(4.0).reshape(1, 1, 1, 4), (1, 1, 1, 2), np.ones((1, 1, 1, 3)))
    array([[[[3., 6.]]]])
    """
    return _weight(2, input, weight_size, grad_output, stride, padding, dilation, groups, algorithm)


def conv2d_bias(grad_output):
    """Gradient of `conv2d`, and of `conv_transpose2d`, for the bias: the sum of each channel.

    Parameters
    ----------
    grad_output : array, shape (N, O, H', W') or (O, H', W'), of a floating or complex dtype

    Returns
    -------
    array, shape (O,)

    Examples
    --------
    >>> import numpy as np
    >>> conv2d_bias(np.ones((2, 3, 4, 5)))
    array([40., 40., 40.])
    """
    return _bias(2, grad_output)


def conv3d_input(
    input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Gradient of `conv3d` for its input, shape (N, C, D, H, W) or (C, D, H, W).

    See `conv2d_input`.
    """
    return _input(3, input_size, weight, grad_output, stride, padding, dilation, groups, algorithm)


def conv3d_weight(
    input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1, *, algorithm="auto"
):
    """Gradient of `conv3d` for its weight, shape (O, C // groups, J, K, L). See `conv2d_weight`."""
    return _weight(3, input, weight_size, grad_output, stride, padding, dilation, groups, algorithm)


def conv3d_bias(grad_output):
    """Gradient of `conv3d` for its bias, shape (O,). See `conv2d_bias`."""
    return _bias(3, grad_output)
