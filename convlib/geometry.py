"""Sizes: integers in, integers out. No array is touched here.

The letters: ``n`` input size, ``k`` kernel size, ``s`` stride, ``p`` padding per side, ``d``
dilation, ``m`` output size. Every function takes one axis as an int, or several axes as tuples.

Source: V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285, and the shape sections of ``torch.nn.Conv2d`` and ``torch.nn.ConvTranspose2d``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .settings import LEAST, Ints, integers

__all__ = [
    "effective_kernel_size",
    "input_sizes",
    "leftover",
    "output_size",
    "same_padding",
    "transposed_output_size",
]

Size = TypeVar("Size", int, "tuple[int, ...]")


def _by_axis(function: str, formula: Callable[..., int], **values: Any) -> Any:
    """Apply a one-axis formula to ints, or to each axis of tuples; an int goes with every axis."""
    lengths = {len(value) for value in values.values() if isinstance(value, (tuple, list))}
    if len(lengths) > 1:
        given = ", ".join(f"{name}={value}" for name, value in values.items())
        raise ValueError(f"{function}: tuples must have one length, got {given}.")
    axes = max(lengths, default=1)
    columns = [
        integers(function, name, value, axes, least=LEAST.get(name))
        for name, value in values.items()
    ]
    sizes = tuple(formula(*row) for row in zip(*columns, strict=True))
    return sizes if lengths else sizes[0]


def effective_kernel_size(kernel_size: Size, dilation: Ints = 1) -> Size:
    r"""Width of a dilated kernel: from its first tap to its last one, both counted.

    Parameters
    ----------
    kernel_size : int or tuple of int
        Number of taps, ``k``.
    dilation : int or tuple of int
        Distance between two taps, ``d``.

    Returns
    -------
    int or tuple of int
        :math:`d(k-1)+1`.

    Raises
    ------
    ValueError
        If a size or a dilation is below 1.
    TypeError
        If a value is not an integer.

    Examples
    --------
    >>> effective_kernel_size(3, dilation=2)
    5
    """

    return _by_axis(
        "effective_kernel_size",
        lambda k, d: d * (k - 1) + 1,
        kernel_size=kernel_size,
        dilation=dilation,
    )


def output_size(
    input_size: Size,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
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
        span = d * (k - 1) + 1
        if span > n + 2 * p:
            raise ValueError(
                f"output_size: the kernel spans {span} (dilation {d}, kernel_size {k}), "
                f"but the padded input has {n + 2 * p} (input_size {n}, padding {p} per side)."
            )
        return (n + 2 * p - span) // s + 1

    return _by_axis(
        "output_size",
        formula,
        input_size=input_size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
    )


def leftover(
    input_size: Size,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
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
        last_start = (output_size(n, k, s, p, d) - 1) * s
        return n + 2 * p - last_start - effective_kernel_size(k, d)

    return _by_axis(
        "leftover",
        formula,
        input_size=input_size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
    )


def input_sizes(
    output_size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> range:
    r"""The inverse question, on one axis: every input size that gives this output size.

    With a stride `s` there are `s` of them: :math:`(m-1)s - 2p + d(k-1) + 1` and the next `s - 1`.
    Sizes below 0 are left out.

    Returns
    -------
    range of int

    Examples
    --------
    >>> list(input_sizes(2, kernel_size=3, stride=2))
    [5, 6]
    """
    m, k, s, p, d = (
        integers("input_sizes", name, value, 1, least=LEAST[name])[0]
        for name, value in (
            ("output_size", output_size),
            ("kernel_size", kernel_size),
            ("stride", stride),
            ("padding", padding),
            ("dilation", dilation),
        )
    )
    smallest = (m - 1) * s - 2 * p + d * (k - 1) + 1
    return range(max(smallest, 0), max(smallest + s, 0))


def same_padding(kernel_size: Size, dilation: Ints = 1) -> Any:
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
    return _by_axis(
        "same_padding",
        lambda k, d: (d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2),
        kernel_size=kernel_size,
        dilation=dilation,
    )


def transposed_output_size(
    input_size: Size,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    dilation: Ints = 1,
) -> Size:
    r"""Output size of a transposed convolution: the input size of the convolution it transposes.

    Returns
    -------
    int or tuple of int
        :math:`(n-1)s - 2p + d(k-1) + 1 + \text{output\_padding}`.

    Raises
    ------
    ValueError
        If a value is out of range, or the result would be negative.

    Examples
    --------
    >>> transposed_output_size(2, kernel_size=3, stride=2)
    5
    >>> transposed_output_size(2, kernel_size=3, stride=2, output_padding=1)
    6
    """

    def formula(n, k, s, p, extra, d):
        size = (n - 1) * s - 2 * p + d * (k - 1) + 1 + extra
        if size < 0:
            raise ValueError(
                f"transposed_output_size: padding {p} cuts more than there is, the output would "
                f"have {size} cells (input_size {n}, kernel_size {k}, stride {s}, dilation {d})."
            )
        return size

    return _by_axis(
        "transposed_output_size",
        formula,
        input_size=input_size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )
