"""Gradients of pad, unfold and fold, which copy and add up: each is the adjoint of the function."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ..arrays import FLOATING, array_module, check_dtype, working_dtype
from ..folding import columns_settings, fold_settings, from_columns, to_columns
from ..padding import added_and_cut, check_pad, crop, pad_zeros, source_cells
from ..settings import Ints, check_shape, shape


def add_repeated(xp: ModuleType, gradient: Any, axis: int, cells: np.ndarray, n: int) -> Any:
    """Add each cell of an axis to the one of `n` cells that it repeats: the adjoint of `take`."""
    gradient = xp.moveaxis(gradient, axis, -1)
    output = xp.zeros((*gradient.shape[:-1], n), gradient.dtype)
    left = np.arange(len(cells))
    while left.size:
        # Each round takes every source cell at most once, so that += is safe.
        sources, first = np.unique(cells[left], return_index=True)
        output[..., xp.asarray(sources)] += gradient[..., xp.asarray(left[first])]
        left = np.delete(left, first)
    return xp.moveaxis(output, -1, axis)


def pad_input(
    input_size: Any, grad_output: Any, pad: Any, mode: str = "constant", value: float | None = None
) -> Any:
    """Gradient of `pad` for its input: each cell gets the sum over its copies.

    Parameters
    ----------
    input_size : tuple of int
        The input's shape.
    grad_output : array
        The gradient that arrived at the output, in the output's shape. A floating or complex dtype.
    pad, mode, value
        As they were given to `pad`. The value has no influence on the gradient.

    Returns
    -------
    array, shape `input_size`
        What was cut off gets 0.

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If a setting has the wrong type, or the dtype is not taken.

    Examples
    --------
    >>> import numpy as np
    >>> pad_input((1, 4), np.ones((1, 7)), (2, 1), mode="reflect")
    array([[1., 2., 3., 1.]])
    """
    xp = array_module("pad_input", grad_output=grad_output)
    size = shape("pad_input", "input_size", input_size)
    pairs = check_pad("pad_input", size, pad, mode, value)
    lead = len(size) - len(pairs)
    padded = (n + b + a for n, (b, a) in zip(size[lead:], pairs, strict=True))
    check_shape("pad_input", "grad_output", grad_output.shape, (*size[:lead], *padded))
    check_dtype("pad_input", "grad_output", grad_output.dtype, FLOATING)
    dtype = grad_output.dtype
    if mode == "constant":
        added, cut = added_and_cut(pairs)
        return xp.array(pad_zeros(xp, crop(grad_output, added), cut), order="C")
    gradient = grad_output.astype(working_dtype(dtype), copy=False)
    for axis, (before, after) in enumerate(pairs, lead):
        cells = source_cells(mode, size[axis], before, after)
        gradient = add_repeated(xp, gradient, axis, cells, size[axis])
    return xp.array(gradient, dtype, order="C")


def unfold_input(
    input_size: Any,
    grad_output: Any,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Any:
    """Gradient of `unfold` for its input: `fold` of the gradient.

    Parameters
    ----------
    input_size : tuple of int
        The input's shape, (N, C, H, W) or (C, H, W).
    grad_output : array, shape (N, C · k · l, h · w) or (C · k · l, h · w)
        A floating or complex dtype.
    kernel_size, dilation, padding, stride
        As they were given to `unfold`.

    Returns
    -------
    array, shape `input_size`

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If the dtype is not taken, or a setting is not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> unfold_input((1, 1, 4), np.ones((2, 3)), (1, 2))
    array([[[1., 2., 2., 1.]]])
    """
    xp = array_module("unfold_input", grad_output=grad_output)
    size = shape("unfold_input", "input_size", input_size)
    settings = fold_settings("unfold_input", size, kernel_size, dilation, padding, stride)
    check_shape("unfold_input", "grad_output", grad_output.shape, settings.columns)
    check_dtype("unfold_input", "grad_output", grad_output.dtype, FLOATING)
    return from_columns(xp, grad_output, settings)


def fold_input(
    input_size: Any,
    grad_output: Any,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Any:
    """Gradient of `fold` for its input: `unfold` of the gradient.

    Parameters
    ----------
    input_size : tuple of int
        The input's shape, (N, C · k · l, h · w) or (C · k · l, h · w).
    grad_output : array, shape (N, C, H, W) or (C, H, W)
        A floating or complex dtype.
    output_size, kernel_size, dilation, padding, stride
        As they were given to `fold`.

    Returns
    -------
    array, shape `input_size`

    Raises
    ------
    ValueError
        If shapes or settings do not fit together.
    TypeError
        If the dtype is not taken, or a setting is not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> fold_input((2, 3), np.arange(4.0).reshape(1, 1, 4), (1, 4), (1, 2))
    array([[0., 1., 2.],
           [1., 2., 3.]])
    """
    xp = array_module("fold_input", grad_output=grad_output)
    size = shape("fold_input", "input_size", input_size)
    settings = columns_settings(
        "fold_input", size, output_size, kernel_size, dilation, padding, stride
    )
    check_shape("fold_input", "grad_output", grad_output.shape, settings.image)
    check_dtype("fold_input", "grad_output", grad_output.dtype, FLOATING)
    return to_columns(xp, grad_output, settings)
