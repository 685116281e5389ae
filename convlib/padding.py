"""Padding: the first copy of the plain forward pass, in four modes, and the crop that undoes it.

The crop is the adjoint of adding zeros. That of repeating cells adds up: `grad/copying.py`.
"""

from __future__ import annotations

from math import isfinite
from numbers import Real
from types import ModuleType
from typing import Any

import numpy as np

from .arrays import ANY, FLOATING, INTEGER, array_module, check_dtype
from .settings import integer

__all__ = ["pad"]

MODES = ("constant", "reflect", "replicate", "circular")
MOST = (
    np.iinfo(np.intp).max // 16
)  # cells of an axis: no memory has addresses for more complex numbers
Pairs = tuple[tuple[int, int], ...]  # (before, after) for each of the last axes


def pad_zeros(
    xp: ModuleType, input: Any, pairs: Pairs, dtype: Any = None, value: Any = None
) -> Any:
    """Surround the last axes of `input` with zeros, or with another value.

    Where there is nothing to add, the input itself comes back, not a copy. A `dtype` is converted
    to on the way, so that one copy does both.
    """
    dtype = input.dtype if dtype is None else dtype
    if not any(map(any, pairs)):
        return input.astype(dtype, copy=False)
    lead = input.ndim - len(pairs)
    shape = list(input.shape[:lead])
    inner = [slice(None)] * lead
    for n, (before, after) in zip(input.shape[lead:], pairs, strict=True):
        shape.append(before + n + after)
        inner.append(slice(before, before + n))
    padded = xp.zeros(shape, dtype) if value is None else xp.full(shape, value, dtype)
    padded[tuple(inner)] = input
    return padded


def crop(input: Any, pairs: Pairs) -> Any:
    """Cut off what `pad_zeros` adds. A view."""
    sizes = input.shape[input.ndim - len(pairs) :]
    inner = (slice(b, n - a) for n, (b, a) in zip(sizes, pairs, strict=True))
    return input[(..., *inner)]


def added_and_cut(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Part amounts into what is added and, as positive numbers, what is cut off."""
    added = tuple((max(before, 0), max(after, 0)) for before, after in pairs)
    cut = tuple((max(-before, 0), max(-after, 0)) for before, after in pairs)
    return added, cut


def source_cells(mode: str, n: int, before: int, after: int) -> np.ndarray:
    """For each cell of a padded axis, which of the axis' `n` cells it repeats.

    >>> source_cells("reflect", 4, 2, 1)
    array([2, 1, 0, 1, 2, 3, 2])
    >>> source_cells("replicate", 4, 2, 1)
    array([0, 0, 0, 1, 2, 3, 3])
    >>> source_cells("circular", 4, 2, 1)
    array([2, 3, 0, 1, 2, 3, 0])
    """
    cells = np.arange(-before, n + after)
    if mode == "reflect":  # at the first cell, then at the last one
        return (n - 1) - np.abs((n - 1) - np.abs(cells))
    if mode == "replicate":
        return np.clip(cells, 0, n - 1)
    # circular: what a negative amount cuts off is gone before the rest repeats
    first, kept = max(-before, 0), n + min(before, 0) + min(after, 0)
    return first + (cells - first) % max(kept, 1)


def check_pad(function: str, shape: tuple[int, ...], pad: Any, mode: Any, value: Any) -> Pairs:
    """Check a call of `pad` and return (before, after) for each axis that `pad` names, in order."""
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"{function}: pad must be a tuple of integers, got {pad!r}.")
    if not isinstance(mode, str):
        raise TypeError(f"{function}: mode must be one of {', '.join(MODES)}, got {mode!r}.")
    if mode not in MODES:
        raise ValueError(f"{function}: mode must be one of {', '.join(MODES)}, got {mode!r}.")
    if not (value is None or isinstance(value, (Real, np.bool_))):
        raise TypeError(f"{function}: value must be a real number or None, got {value!r}.")
    amounts = [integer(function, "pad", amount) for amount in pad]
    axes = len(amounts) // 2
    if len(amounts) % 2 or axes > len(shape):
        raise ValueError(
            f"{function}: pad must have two integers an axis, for at most {len(shape)} axes of an "
            f"input of shape {shape}, got {pad!r}."
        )
    # pad names the last axis first
    pairs = tuple(zip(amounts[-2::-2], amounts[::-2], strict=True))
    sizes = tuple(
        n + before + after
        for n, (before, after) in zip(shape[len(shape) - axes :], pairs, strict=True)
    )
    if max(sizes, default=0) > MOST:
        raise ValueError(f"{function}: pad {pad!r} makes an axis of {max(sizes)} cells, too many.")
    if mode == "constant":
        check_cut(function, shape, pairs)
    else:
        check_repeating(function, shape, pairs, sizes, mode, value)
    return pairs


def check_cut(function: str, shape: tuple[int, ...], pairs: Pairs) -> None:
    """Check that negative amounts cut off no more than there is."""
    for n, (before, after) in zip(shape[len(shape) - len(pairs) :], pairs, strict=True):
        if n + min(before, 0) + min(after, 0) < 0:
            raise ValueError(
                f"{function}: pad {(before, after)} cuts off more than the {n} cells of its axis."
            )


def check_repeating(
    function: str, shape: tuple, pairs: Pairs, sizes: tuple, mode: str, value: Any
) -> None:
    """Check what the modes that repeat cells require."""
    axes, lead = len(pairs), len(shape) - len(pairs)
    if value is not None and value != 0:
        raise ValueError(f"{function}: value goes with mode='constant' alone, got {value!r}.")
    if axes not in (1, 2, 3) or lead not in (1, 2):
        raise ValueError(
            f"{function}: mode={mode!r} pads the last 1, 2 or 3 axes of an input with one or two "
            f"axes more (channels, or batch and channels), got {2 * axes} amounts in pad for an "
            f"input of shape {shape}."
        )
    if mode != "circular" and 0 in shape[lead - 1 :]:
        raise ValueError(
            f"{function}: mode={mode!r} needs cells to repeat, but the input has shape {shape}."
        )
    if mode == "circular":
        check_cut(function, shape, pairs)
    for n, (before, after), size in zip(shape[lead:], pairs, sizes, strict=True):
        kept = n + min(before, 0) + min(after, 0)
        most = {"reflect": n - 1, "replicate": max(before, after), "circular": kept}[mode]
        if max(before, after) > max(most, 0):
            raise ValueError(
                f"{function}: mode={mode!r} repeats each cell of an axis at most once a side, so "
                f"pad must be at most {most} for an axis of {n}, got {(before, after)}."
            )
        # PyTorch refuses only where no axis has a cell left
        if size < 0 or (mode != "circular" and max(sizes) < 1):
            raise ValueError(
                f"{function}: pad {(before, after)} leaves {size} of {n} cells, at least one is "
                "needed."
            )


def fill_value(dtype: np.dtype, value: Any, added: Pairs) -> Any:
    """Convert `value` to the dtype as PyTorch does; refuse it out of range, if it is used at all.

    An int that no float holds is refused in any case, as by PyTorch.
    """
    refusal = ValueError(f"pad: value must be in the range of {dtype}, got {value!r}.")
    try:
        number = float(value)
    except OverflowError:
        raise refusal from None
    if not any(map(any, added)):
        return None
    if dtype.kind == "b":
        return bool(number)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # Towards zero. The last comparison is between integers: no float is the largest int64.
        if limits.min <= number <= limits.max and int(number) <= limits.max:
            return int(number)
    elif not isfinite(number) or abs(number) <= float(np.finfo(dtype).max):
        return number
    raise refusal


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    r"""Add cells around an array: `torch.nn.functional.pad`.

    Parameters
    ----------
    input : array, shape (..., H, W)
    pad : tuple of int
        Two amounts an axis, from the last axis on: (left, right, top, bottom, …). Negative amounts
        cut off. What they leave is repeated by 'circular', while 'reflect' and 'replicate' repeat
        cells of the whole axis, also those that the other side's amount cuts off.
    mode : {'constant', 'reflect', 'replicate', 'circular'}
        What the new cells hold: `value`; the cells inside the edge, mirrored at it; the edge's
        cell; the cells of the other side. The last three pad the last 1, 2 or 3 axes of an input
        that has one or two axes more.
    value : float, optional
        For 'constant'; 0 if None. In integer arrays it is cut towards zero, and NaN is refused,
        unless no cell is added.

    Returns
    -------
    array
        A new array of the same dtype and library. 'constant' and 'circular' take every dtype that
        PyTorch has, the others no bool and of the unsigned integers uint8 alone.

    Raises
    ------
    ValueError
        If the amounts do not fit the input's shape, or `value` the dtype, or if another mode than
        'constant' has a `value` other than 0. 'reflect' adds at most one cell less a side than an
        axis has, 'circular' at most what is left once negative amounts are cut off. 'reflect' and
        'replicate' refuse an input whose channels or padded axes have size 0, and amounts that
        leave no padded axis a cell.
    TypeError
        If the dtype is not taken, or a setting has the wrong type.

    Notes
    -----
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(4.0)
    >>> pad(x, (2, 1), value=9)
    array([9., 9., 0., 1., 2., 3., 9.])
    >>> pad(x[None], (2, 1), mode="reflect")
    array([[2., 1., 0., 1., 2., 3., 2.]])
    """
    xp = array_module("pad", input=input)
    pairs = check_pad("pad", input.shape, pad, mode, value)
    allowed = ANY if mode in ("constant", "circular") else f"{FLOATING}, {INTEGER}"
    check_dtype("pad", "input", input.dtype, allowed)
    if mode == "constant":
        added, cut = added_and_cut(pairs)
        number = None if value is None else fill_value(input.dtype, value, added)
        padded = pad_zeros(xp, crop(input, cut), added, value=number)
        return xp.array(padded, order="C") if not any(map(any, added)) else padded
    output = xp.asarray(input)  # a memmap comes out as a plain array
    for axis, (before, after) in enumerate(pairs, input.ndim - len(pairs)):
        cells = source_cells(mode, input.shape[axis], before, after)
        output = xp.take(output, xp.asarray(cells), axis=axis)
    return xp.ascontiguousarray(output)
