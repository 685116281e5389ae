"""Padding: the one copy of the forward pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def pad_zeros(xp: ModuleType, input: Any, pairs: tuple[tuple[int, int], ...]) -> Any:
    """Surround the last axes of `input` with zeros, (before, after) cells for each axis.

    Where there is nothing to add, the input itself comes back, not a copy.
    """
    if not any(before or after for before, after in pairs):
        return input
    lead = input.ndim - len(pairs)
    shape = list(input.shape[:lead])
    inner = [slice(None)] * lead
    for n, (before, after) in zip(input.shape[lead:], pairs, strict=True):
        shape.append(before + n + after)
        inner.append(slice(before, before + n))
    padded = xp.zeros(shape, input.dtype)
    padded[tuple(inner)] = input
    return padded
