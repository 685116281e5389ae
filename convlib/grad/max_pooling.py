"""Gradient of max pooling for the input: each window's goes to its largest cell."""

from __future__ import annotations

from typing import Any

from ..arrays import array_module, check_dtype, working_dtype
from ..pooling.settings import check_every_window, pooling_settings
from ..pooling.windows import REAL, cell_numbers, hand_back
from ..settings import check_shape, shape


def _max_pool_input(
    axes, input_size, indices, grad_output, kernel_size, stride, padding, dilation, ceil_mode
) -> Any:
    function = f"max_pool{axes}d_input"
    xp = array_module(function, indices=indices, grad_output=grad_output)
    size = shape(function, "input_size", input_size)
    pooling = pooling_settings(
        function, axes, size, kernel_size, stride, padding, dilation, ceil_mode
    )
    check_every_window(function, pooling)
    check_shape(function, "indices", indices.shape, pooling.output_shape)
    check_shape(function, "grad_output", grad_output.shape, pooling.output_shape)
    check_dtype(function, "indices", indices.dtype, "int64")
    dtype = grad_output.dtype
    check_dtype(function, "grad_output", dtype, REAL)
    work = working_dtype(dtype)
    numbers = cell_numbers(xp, pooling)
    found = xp.zeros(indices.shape, bool)

    def share(tap: tuple) -> Any:
        # (n, c, h, w) == (h, w): is the window's largest value the cell that this tap sees?
        hit = (indices == numbers[(..., *tap)]) & (indices >= 0)
        xp.logical_or(found, hit, out=found)
        return xp.where(hit, grad_output, 0).astype(work, copy=False)

    gradient = hand_back(xp, share, pooling, dtype)
    if not bool(found.all()):
        raise ValueError(
            f"{function}: each of the indices must name a cell of its own window, as those of "
            f"max_pool{axes}d do with the same settings, got {int((~found).sum())} that do not."
        )
    return gradient


def max_pool1d_input(
    input_size,
    indices,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
):
    """Gradient of `max_pool1d` for its input. See `max_pool2d_input`."""
    return _max_pool_input(
        1, input_size, indices, grad_output, kernel_size, stride, padding, dilation, ceil_mode
    )


def max_pool2d_input(
    input_size,
    indices,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
):
    r"""Gradient of `max_pool2d` for its input: each window's goes to its largest cell.

    Parameters
    ----------
    input_size : tuple of int
        The shape of the input, (N, C, H, W) or (C, H, W).
    indices : array of int64
        What `max_pool2d` returned with `return_indices=True`.
    grad_output : array
        float16 (added up in float32), float32 or float64, of the output's shape.
    kernel_size, stride, padding, dilation, ceil_mode
        As given to `max_pool2d`.

    Returns
    -------
    array, shape `input_size`
        A new array of `grad_output`'s dtype. A cell that is the largest of several windows gets
        the sum, in an order that is always the same.

        .. math::
            \bar x_{n,c,y} = \sum_{(h,w):\ \text{indices}_{n,c,h,w} = y} \bar y_{n,c,h,w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, or an index lies outside of its window.
    TypeError
        If a dtype does not fit, or a setting is not an integer.

    Notes
    -----
    Source: ``max_pool2d_with_indices_backward`` of PyTorch, which checks no index.

    Examples
    --------
    >>> import numpy as np
    >>> from convlib import max_pool2d
    >>> y, indices = max_pool2d(np.array([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> max_pool2d_input((1, 2, 2), indices, np.ones_like(y), 2)
    array([[[0., 0.],
            [1., 0.]]])
    """
    return _max_pool_input(
        2, input_size, indices, grad_output, kernel_size, stride, padding, dilation, ceil_mode
    )


def max_pool3d_input(
    input_size,
    indices,
    grad_output,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
):
    """Gradient of `max_pool3d` for its input. See `max_pool2d_input`."""
    return _max_pool_input(
        3, input_size, indices, grad_output, kernel_size, stride, padding, dilation, ceil_mode
    )
