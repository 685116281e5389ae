"""Sizes: integers in, integers out. No array is touched here.

The letters: ``n`` input size, ``k`` kernel size, ``s`` stride, ``p`` padding per side, ``d``
dilation, ``m`` output size, ``x`` output padding (chapter 8). Every function takes one axis as an int, or
several axes as tuples; `input_sizes` gives a range for each axis.

Source: V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285, and the shape sections of ``torch.nn.Conv2d`` and ``torch.nn.ConvTranspose2d``.

Every function raises ValueError for a value out of range and TypeError for one that is no integer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from .settings import Ints, integers

__all__ = [
    "effective_kernel_size",
    "input_sizes",
    "leftover",
    "output_size",
    "same_padding",
    "transposed_output_size",
]

Size = TypeVar("Size", int, "tuple[int, ...]")
# What a letter is called, and the least value that makes sense.
SETTINGS = {
    "n": ("input_size", 0),
    "k": ("kernel_size", 1),
    "s": ("stride", 1),
    "p": ("padding", 0),
    "x": ("output_padding", 0),
    "d": ("dilation", 1),
    "m": ("output_size", 0),
}


def span(k: int, d: int) -> int:
    """Cells from the first tap to the last one, both counted."""
    return d * (k - 1) + 1


def count(function: str, n: int, k: int, s: int, before: int, after: int, d: int) -> int:
    """Count the windows on one axis, whose padding may be uneven."""
    padded = n + before + after
    if span(k, d) > padded:
        raise ValueError(
            f"{function}: the kernel spans {span(k, d)} (kernel_size {k}, dilation {d}), but the "
            f"padded input has {padded} (input {n}, padding {before} and {after})."
        )
    return (padded - span(k, d)) // s + 1


def spread_size(function: str, n: int, k: int, s: int, p: int, x: int, d: int) -> int:
    """Size that a transposed convolution gives one axis."""
    m = (n - 1) * s - 2 * p + span(k, d) + x
    if m < 0:
        raise ValueError(
            f"{function}: padding {p} cuts off more than there is: the output would have {m} cells "
            f"(input {n}, kernel_size {k}, stride {s}, dilation {d})."
        )
    return m


def same(k: int, d: int) -> tuple[int, int]:
    """Split the d·(k-1) cells of "same" padding; an odd one goes to the end, as in PyTorch."""
    total = span(k, d) - 1
    return total // 2, total - total // 2


def _by_axis(function: str, formula: Callable[..., Any], letters: str, *values: Any) -> Any:
    """Apply a one-axis formula to ints, or to each axis of tuples; an int goes with every axis."""
    settings = [(*SETTINGS[letter], value) for letter, value in zip(letters, values, strict=True)]
    lengths = {len(value) for value in values if isinstance(value, (tuple, list))}
    if len(lengths) > 1:
        given = ", ".join(f"{name}={value}" for name, _, value in settings)
        raise ValueError(f"{function}: tuples must have one length, got {given}.")
    axes = max(lengths, default=1)
    columns = [integers(function, name, value, axes, least) for name, least, value in settings]
    sizes = tuple(formula(*row) for row in zip(*columns, strict=True))
    return sizes if lengths else sizes[0]


def effective_kernel_size(kernel_size: Size, dilation: Ints = 1) -> Size:
    r"""Width of a dilated kernel: from its first tap to its last one, both counted.

    Returns
    -------
    int or tuple of int
        :math:`d(k-1)+1`.

    Examples
    --------
    >>> effective_kernel_size(3, dilation=2)
    5
    """
    return _by_axis("effective_kernel_size", span, "kd", kernel_size, dilation)


def output_size(
    input_size: Size, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1
) -> Size:
    r"""Number of windows: how many positions a kernel has on an input.

    Parameters
    ----------
    input_size, kernel_size, stride, padding, dilation : int or tuple of int
        One axis, or one entry an axis. Padding is counted per side.

    Returns
    -------
    int or tuple of int
        :math:`m = \lfloor (n + 2p - d(k-1) - 1) / s \rfloor + 1`.

    Raises
    ------
    ValueError
        If a value is out of range, or the kernel is wider than the padded input.
    TypeError
        If a value is not an integer.

    Examples
    --------
    >>> output_size(5, kernel_size=3, stride=2)
    2
    >>> output_size((32, 48), kernel_size=(3, 5), padding=(1, 2))
    (32, 48)
    """

    def formula(n, k, s, p, d):
        return count("output_size", n, k, s, p, p, d)

    settings = (kernel_size, stride, padding, dilation)
    return _by_axis("output_size", formula, "nkspd", input_size, *settings)


def leftover(
    input_size: Size, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1
) -> Size:
    r"""How many cells at the end of the padded input no window reaches.

    Returns
    -------
    int or tuple of int
        :math:`(n + 2p - d(k-1) - 1) \bmod s`: what the floor of `output_size` drops.

    Examples
    --------
    >>> leftover(6, kernel_size=3, stride=2)
    1
    """

    def formula(n, k, s, p, d):
        last_start = (count("leftover", n, k, s, p, p, d) - 1) * s
        return n + 2 * p - last_start - span(k, d)

    settings = (kernel_size, stride, padding, dilation)
    return _by_axis("leftover", formula, "nkspd", input_size, *settings)


def input_sizes(
    output_size: Ints, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1
) -> Any:
    r"""The inverse question: every input size that gives this output size.

    With a stride `s` there are `s` of them: :math:`(m-1)s - 2p + d(k-1) + 1` and the next `s - 1`.
    Sizes below 0 are left out. No input gives an output of 0 cells.

    Returns
    -------
    range of int, or a tuple of such ranges
        One range an axis, empty where there is no such size.

    Examples
    --------
    >>> list(input_sizes(2, kernel_size=3, stride=2))
    [5, 6]
    >>> input_sizes((2, 4), kernel_size=3, stride=(2, 1))
    (range(5, 7), range(6, 7))
    """

    def formula(m, k, s, p, d):
        smallest = (m - 1) * s - 2 * p + span(k, d)
        return range(max(smallest, 0), max(smallest + s, 0)) if m else range(0)

    settings = (kernel_size, stride, padding, dilation)
    return _by_axis("input_sizes", formula, "mkspd", output_size, *settings)


def same_padding(kernel_size: Ints, dilation: Ints = 1) -> Any:
    r"""Padding (before, after) with which stride 1 gives the input's size back.

    The total is :math:`d(k-1)`. Where it is odd, PyTorch puts the extra cell at the end.

    Returns
    -------
    tuple of two int, or a tuple of such pairs

    Examples
    --------
    >>> same_padding(3)
    (1, 1)
    >>> same_padding((4, 3))
    ((1, 2), (1, 1))
    """
    return _by_axis("same_padding", same, "kd", kernel_size, dilation)


def transposed_output_size(
    input_size: Size,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    dilation: Ints = 1,
) -> Size:
    r"""Output size of a transposed convolution.

    With `output_padding` below `stride` it is one of `input_sizes`: an input size of the convolution
    that is transposed. It is none of them with more, which `conv_transpose2d` takes where `dilation`
    is larger still, nor for an input of 0 cells, which goes with an empty batch alone.

    Returns
    -------
    int or tuple of int
        :math:`(n-1)s - 2p + d(k-1) + 1 + \mathrm{output\_padding}`. `conv_transpose2d` refuses an
        output of 0 cells, unless the batch is empty.

    Raises
    ------
    ValueError
        If a value is out of range, or the result would be negative. That `output_padding` is below
        `stride` or `dilation` is checked by `conv_transpose1d`, 2d, 3d and their gradients, not here.

    Examples
    --------
    >>> transposed_output_size(2, kernel_size=3, stride=2)
    5
    >>> transposed_output_size(2, kernel_size=3, stride=2, output_padding=1)
    6
    """
    function, settings = "transposed_output_size", (stride, padding, output_padding, dilation)
    return _by_axis(
        function, partial(spread_size, function), "nkspxd", input_size, kernel_size, *settings
    )
