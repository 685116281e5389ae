"""Gradients of conv_transpose1d, 2d, 3d: the adjoint of an adjoint is the convolution itself.

The bias has the gradient that it has in a convolution: `conv2d_bias` and its siblings.
"""

from __future__ import annotations

from typing import Any

from ..arrays import array_module, check_dtypes
from ..checks import transposed_settings
from ..convolution import convolve
from ..settings import check_shape, shape
from .convolution import gather


def _input(
    axes: int, input_size: Any, weight: Any, grad_output: Any, *settings: Any, algorithm: str
) -> Any:
    function = f"conv_transpose{axes}d_input"
    xp = array_module(function, weight=weight, grad_output=grad_output)
    size = shape(function, "input_size", input_size)
    fitted = transposed_settings(function, axes, size, weight.shape, None, *settings)
    # What is the input of the convolution is the output here.
    check_shape(function, "grad_output", grad_output.shape, fitted.input_shape)
    check_dtypes(function, weight=weight, grad_output=grad_output)
    return convolve(xp, grad_output, weight.conj(), None, fitted, algorithm)


def _weight(
    axes: int, input: Any, weight_size: Any, grad_output: Any, *settings: Any, algorithm: str
) -> Any:
    function = f"conv_transpose{axes}d_weight"
    xp = array_module(function, input=input, grad_output=grad_output)
    size = shape(function, "weight_size", weight_size)
    fitted = transposed_settings(function, axes, input.shape, size, None, *settings)
    check_shape(function, "grad_output", grad_output.shape, fitted.input_shape)
    dtype = check_dtypes(function, input=input, grad_output=grad_output)
    # `gather` conjugates neither; here the windows are the gradient's, and the cells the input's
    gradient = gather(xp, grad_output, input.conj(), size, fitted, algorithm)
    return gradient.astype(dtype, copy=False)


def conv_transpose1d_input(
    input_size,
    weight,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Gradient of `conv_transpose1d` for its input. See `conv_transpose2d_input`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _input(1, input_size, weight, grad_output, *settings, algorithm=algorithm)


def conv_transpose1d_weight(
    input,
    weight_size,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Gradient of `conv_transpose1d` for its weight. See `conv_transpose2d_weight`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _weight(1, input, weight_size, grad_output, *settings, algorithm=algorithm)


def conv_transpose2d_input(
    input_size,
    weight,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    r"""Gradient of `conv_transpose2d` for its input: `conv2d` of the gradient, with the conjugate weight.

    Parameters
    ----------
    input_size : tuple of int
        The input's shape, (N, C, H, W) or (C, H, W).
    weight : array, shape (C, O // groups, K, L)
        A floating or complex dtype.
    grad_output : array, shape (N, O, H', W') or (O, H', W')
        The gradient that arrived at the output. Of the same dtype and library.
    stride, padding, output_padding, groups, dilation, algorithm
        As they are given to `conv_transpose2d`.

    Returns
    -------
    array, shape `input_size`
        The letters are those of `conv_transpose2d`; outside of `grad_output` it is 0.

        .. math::
            \mathrm{grad\_input}_{n,o,h,w} = \sum_{i,k,l} \mathrm{grad\_output}_{n,\,i,\,
            h s_h + k d_h - p_h,\,w s_w + l d_w - p_w} \; \overline{\text{weight}_{o,i,k,l}}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> grad = np.arange(5.0).reshape(1, 1, 1, 5)
    >>> conv_transpose2d_input((1, 1, 1, 2), np.ones((1, 1, 1, 3)), grad, stride=(1, 2))
    array([[[[3., 9.]]]])
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _input(2, input_size, weight, grad_output, *settings, algorithm=algorithm)


def conv_transpose2d_weight(
    input,
    weight_size,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    r"""Gradient of `conv_transpose2d` for its weight.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        A floating or complex dtype.
    weight_size : tuple of int
        The weight's shape, (C, O // groups, K, L).
    grad_output, stride, padding, output_padding, groups, dilation, algorithm
        As in `conv_transpose2d_input`.

    Returns
    -------
    array, shape `weight_size`
        The windows are those of `grad_output`, and each meets the input cell that was spread over it.

        .. math::
            \mathrm{grad\_weight}_{o,i,k,l} = \sum_{n,h,w} \overline{x_{n,o,h,w}} \;
            \mathrm{grad\_output}_{n,\,i,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> grad = np.arange(5.0).reshape(1, 1, 1, 5)
    >>> x = np.array([[[[1.0, 10.0]]]])
    >>> conv_transpose2d_weight(x, (1, 1, 1, 3), grad, stride=(1, 2))
    array([[[[20., 31., 42.]]]])
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _weight(2, input, weight_size, grad_output, *settings, algorithm=algorithm)


def conv_transpose3d_input(
    input_size,
    weight,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Gradient of `conv_transpose3d` for its input. See `conv_transpose2d_input`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _input(3, input_size, weight, grad_output, *settings, algorithm=algorithm)


def conv_transpose3d_weight(
    input,
    weight_size,
    grad_output,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Gradient of `conv_transpose3d` for its weight. See `conv_transpose2d_weight`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _weight(3, input, weight_size, grad_output, *settings, algorithm=algorithm)
