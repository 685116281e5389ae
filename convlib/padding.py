"""Padding: the one copy of the forward pass, and the crop that is its adjoint."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def pad_zeros(
    xp: ModuleType, input: Any, pairs: tuple[tuple[int, int], ...], dtype: Any = None
) -> Any:
    """Surround the last axes of `input` with zeros, (before, after) cells for each axis.

    Where there is nothing to add, the input itself comes back, not a copy. A `dtype` is converted
    to on the way, so that one copy does both.
    """
    dtype = input.dtype if dtype is None else dtype
    if not any(before or after for before, after in pairs):
        return input.astype(dtype, copy=False)
    lead = input.ndim - len(pairs)
    shape = list(input.shape[:lead])
    inner = [slice(None)] * lead
    for n, (before, after) in zip(input.shape[lead:], pairs, strict=True):
        shape.append(before + n + after)
        inner.append(slice(before, before + n))
    padded = xp.zeros(shape, dtype)
    padded[tuple(inner)] = input
    return padded


def crop(input: Any, pairs: tuple[tuple[int, int], ...]) -> Any:
    """Cut off what `pad_zeros` adds. A view."""
    inner = (
        slice(before, n - after)
        for n, (before, after) in zip(input.shape[-len(pairs) :], pairs, strict=True)
    )
    return input[(..., *inner)]
