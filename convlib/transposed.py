"""conv_transpose1d, 2d, 3d: the backward pass of a convolution, used forwards."""

from __future__ import annotations

from typing import Any

from .arrays import array_module, check_dtypes
from .checks import transposed_settings
from .convolution import add_bias
from .grad.convolution import spread
from .settings import Ints

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def _transposed(
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    groups: int,
    dilation: Ints,
    algorithm: str,
) -> Any:
    function = f"conv_transpose{axes}d"
    xp = array_module(function, input=input, weight=weight, bias=bias)
    settings = transposed_settings(
        function,
        axes,
        input.shape,
        weight.shape,
        None if bias is None else bias.shape,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )
    dtype = check_dtypes(function, "int64", input=input, weight=weight, bias=bias)
    # The input here is what a convolution with this weight would put out.
    output = spread(xp, input, weight, settings, algorithm)
    if bias is not None:
        add_bias(output, bias, axes)
    return output.astype(dtype, copy=False)


def conv_transpose1d(
    input,
    weight,
    bias=None,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Spread a signal: input (N, C, W) or (C, W), weight (C, O // groups, L).

    See `conv_transpose2d`.
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed(1, input, weight, bias, *settings, algorithm)


def conv_transpose2d(
    input,
    weight,
    bias=None,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    r"""Spread every cell of an image over a window: `torch.nn.functional.conv_transpose2d`.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        float16, float32, float64, complex64, complex128 or int64. float16 is added up in float32.
    weight : array, shape (C, O // groups, K, L)
        Of the same dtype and library. Its first axis is the *input's* channels: it is the weight
        of the convolution that this function transposes.
    bias : array, shape (O,), optional
    stride, dilation : int or tuple of two int
        Cells from one window of the output to the next, and from one tap to the next.
    padding : int or tuple of two int
        Cells cut off at each side of the output.
    output_padding : int or tuple of two int
        Cells more at the end of the output, smaller than stride or dilation. A convolution with a
        stride gives one output size for several input sizes; this says which one comes back, if it
        is smaller than the stride. The cells hold what padding would have cut off, else 0, and the bias.
    groups : int
        Each group of C // groups input channels makes its own O // groups output channels.
    algorithm : str
        As in `conv2d`. Most multiply the weight with zeros that stand around the cells, too: where a
        weight is infinite, NaN may come out for a cell that PyTorch leaves finite; "windows" does not.

    Returns
    -------
    array, shape (N, O, H', W') or (O, H', W')
        A new array of the same dtype and library, with H', W' from `transposed_output_size`.

        .. math::
            y_{n,i,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w} \mathrel{+}=
            x_{n,o,h,w} \; w_{o,i,k,l}

        The letters are those of the convolution: o numbers the input's channels here, i the output's,
        of one group. y begins as the bias, or 0. What would fall outside of it is dropped.

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, there are no channels, or, unless the batch is empty,
        an output of 0 cells. An output_padding that is not smaller than stride or
        dilation is refused for an empty batch, too, which PyTorch lets through.
    TypeError
        If arrays are of different dtypes or libraries, or a setting is not an integer.

    Notes
    -----
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0]]]])
    >>> conv_transpose2d(x, np.ones((1, 1, 1, 3)), stride=(1, 2))
    array([[[[1., 1., 3., 2., 2.]]]])
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed(2, input, weight, bias, *settings, algorithm)


def conv_transpose3d(
    input,
    weight,
    bias=None,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
    *,
    algorithm="auto",
):
    """Spread a volume: input (N, C, D, H, W) or (C, D, H, W), weight (C, O // groups, J, K, L).

    See `conv_transpose2d`.
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed(3, input, weight, bias, *settings, algorithm)
