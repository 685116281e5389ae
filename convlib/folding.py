"""unfold and fold: windows as the columns of a matrix, and columns added up into an image again."""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any, NamedTuple

from .arrays import FLOATING, array_module, check_dtype, working_dtype
from .checks import check_memory
from .geometry import count
from .padding import crop, pad_zeros
from .settings import Ints, check_shape, integers
from .windows import add_taps, strided_windows

__all__ = ["fold", "unfold"]

# PyTorch copies and adds these on the CPU, and no integers.
DTYPES = f"{FLOATING}, bool"


class FoldSettings(NamedTuple):
    """The checked settings of a call, and the two shapes they tie together."""

    kernel_size: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    stride: tuple[int, ...]
    positions: tuple[int, ...]  # (h, w)
    image: tuple[int, ...]  # (N, C, H, W) or (C, H, W)
    columns: tuple[int, ...]  # (N, C·k·l, h·w) or (C·k·l, h·w)


def fold_settings(
    function: str, image: tuple, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> FoldSettings:
    """Check settings against the shape of an image. A setting is an int, or one an axis."""
    if len(image) not in (3, 4) or 0 in image[-3:]:
        raise ValueError(
            f"{function}: the image must have shape (N, C, H, W) or (C, H, W), and none of C, H, W "
            f"may be 0, got {image}."
        )
    k = integers(function, "kernel_size", kernel_size, 2, least=1, one_for_all=False)
    d = integers(function, "dilation", dilation, 2, least=1, one_for_all=False)
    p = integers(function, "padding", padding, 2, least=0, one_for_all=False)
    s = integers(function, "stride", stride, 2, least=1, one_for_all=False)
    sizes = zip(image[-2:], k, s, p, p, d, strict=True)
    positions = tuple(count(function, *axis) for axis in sizes)
    columns = (*image[:-3], image[-3] * prod(k), prod(positions))
    padded = tuple(n + 2 * a for n, a in zip(image[-2:], p, strict=True))
    check_memory(function, "the padded image", (*image[:-2], *padded))
    check_memory(function, "the columns", columns)
    return FoldSettings(k, d, tuple((a, a) for a in p), s, positions, image, columns)


def to_columns(xp: ModuleType, image: Any, settings: FoldSettings) -> Any:
    """Copy the windows of an image into columns: the core of `unfold`."""
    x = pad_zeros(xp, image, settings.padding)
    # (..., C, H, W) -> (..., C, h, w, k, l)
    windows = strided_windows(xp, x, settings.kernel_size, settings.stride, settings.dilation)
    columns = xp.empty(settings.columns, image.dtype)
    # (..., C, h, w, k, l) -> (..., C, k, l, h, w), which is the memory of (..., C·k·l, h·w)
    lead = image.shape[:-2]
    columns.reshape(*lead, *settings.kernel_size, *settings.positions)[...] = xp.moveaxis(
        windows, (-2, -1), (-4, -3)
    )
    return columns


def from_columns(xp: ModuleType, columns: Any, settings: FoldSettings) -> Any:
    """Add columns up into an image: the core of `fold`."""
    dtype = columns.dtype
    lead, size = settings.image[:-2], settings.image[-2:]
    # (..., C·k·l, h·w) -> (..., C, k, l, h, w) -> (..., C, h, w, k, l)
    taps = columns.reshape(*lead, *settings.kernel_size, *settings.positions)
    windows = xp.moveaxis(taps, (-4, -3), (-2, -1))
    padded = tuple(n + b + a for n, (b, a) in zip(size, settings.padding, strict=True))
    # -> (..., C, H + padding, W + padding) -> (..., C, H, W), in memory of its own
    work = working_dtype(dtype)
    image = add_taps(xp, windows, padded, settings.stride, settings.dilation, work)
    return xp.array(crop(image, settings.padding), dtype, order="C")


def unfold(
    input: Any, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Any:
    r"""Put every window of an image into a column: `torch.nn.functional.unfold`, im2col.

    Parameters
    ----------
    input : array, shape (N, C, H, W) or (C, H, W)
        A floating or complex dtype, or bool.
    kernel_size, dilation, padding, stride : int or tuple of two int
        As in `conv2d`, but no words for padding, and a tuple has two integers, not one.

    Returns
    -------
    array, shape (N, C · K · L, H' · W') or (C · K · L, H' · W')
        A new array of the same dtype and library, with H', W' from `output_size`. Column
        `h * W' + w` holds the window at (h, w), channel by channel. Cells of the padding are 0.

        .. math::
            \text{columns}_{n,\,(c K + k) L + l,\,h W' + w} =
            x_{n,\,c,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, or one of C, H, W is 0. N may be.
    TypeError
        If the dtype is not taken, or a setting is not an integer.

    Notes
    -----
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html

    Examples
    --------
    >>> import numpy as np
    >>> unfold(np.arange(9.0).reshape(1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    xp = array_module("unfold", input=input)
    settings = fold_settings("unfold", input.shape, kernel_size, dilation, padding, stride)
    check_dtype("unfold", "input", input.dtype, DTYPES)
    return to_columns(xp, input, settings)


def columns_settings(
    function: str,
    columns: tuple,
    output_size: Any,
    kernel_size: Any,
    dilation: Any,
    padding: Any,
    stride: Any,
) -> FoldSettings:
    """Check settings against the shape of columns, from which the image's shape follows."""
    if len(columns) not in (2, 3) or 0 in columns[-2:]:
        raise ValueError(
            f"{function}: input must have shape (N, C * k * l, h * w) or (C * k * l, h * w), and "
            f"only N may be 0, got {columns}."
        )
    size = integers(function, "output_size", output_size, 2, least=1, one_for_all=False)
    taps = prod(integers(function, "kernel_size", kernel_size, 2, least=1, one_for_all=False))
    if columns[-2] % taps:
        raise ValueError(
            f"{function}: each column of input must have one value a tap and channel, a multiple "
            f"of {taps}, got {columns[-2]} in shape {columns}."
        )
    image = (*columns[:-2], columns[-2] // taps, *size)
    settings = fold_settings(function, image, kernel_size, dilation, padding, stride)
    check_shape(function, "input", columns, settings.columns)
    return settings


def fold(
    input: Any,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Any:
    r"""Add columns up into an image: `torch.nn.functional.fold`, col2im, the adjoint of `unfold`.

    Parameters
    ----------
    input : array, shape (N, C · K · L, H' · W') or (C · K · L, H' · W')
        A floating or complex dtype, or bool, where adding up means "or". float16 is added up in
        float32. Rows and columns stand as in `unfold`.
    output_size : int or tuple of two int
        (H, W): the size of the image whose windows the columns are.
    kernel_size, dilation, padding, stride : int or tuple of two int
        As in `unfold`.

    Returns
    -------
    array, shape (N, C, H, W) or (C, H, W)
        A new array of the same dtype and library. A cell in many windows gets their sum, so that
        `fold(unfold(x))` is `x` times the number of windows that each cell is in. A cell in none
        gets 0.

        .. math::
            x_{n,\,c,\,h s_h + k d_h - p_h,\,w s_w + l d_w - p_w} \mathrel{+}=
            \text{columns}_{n,\,(c K + k) L + l,\,h W' + w}

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, or an axis other than N is 0.
    TypeError
        If the dtype is not taken, or a setting is not an integer.

    Notes
    -----
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html

    Examples
    --------
    >>> import numpy as np
    >>> fold(np.ones((4, 4)), 3, 2)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    xp = array_module("fold", input=input)
    settings = columns_settings(
        "fold", input.shape, output_size, kernel_size, dilation, padding, stride
    )
    check_dtype("fold", "input", input.dtype, DTYPES)
    return from_columns(xp, input, settings)
