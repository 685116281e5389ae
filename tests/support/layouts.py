"""The same shape in memory of every kind: what a caller may hand over without knowing it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def contiguous(array: np.ndarray) -> np.ndarray:
    return np.array(array, order="C")


def fortran(array: np.ndarray) -> np.ndarray:
    return np.array(array, order="F")


def channels_last(array: np.ndarray) -> np.ndarray:
    """The channels' stride is the smallest: how images are stored."""
    if array.ndim < 3:
        return array.copy()
    return np.moveaxis(np.array(np.moveaxis(array, -3, -1), order="C"), -1, -3)


def backwards(array: np.ndarray) -> np.ndarray:
    """Every stride is negative."""
    turn = (slice(None, None, -1),) * array.ndim
    return np.array(array[turn], order="C")[turn]


def spread(array: np.ndarray) -> np.ndarray:
    """Every second cell of a larger array, whose other cells would be seen in a result."""
    larger = np.full([2 * n for n in array.shape], 99, array.dtype)
    view = larger[(slice(1, None, 2),) * array.ndim]
    view[...] = array
    return view


def broadcast(array: np.ndarray) -> np.ndarray:
    """The first slice again and again: strides of 0 on the first axis and on the last."""
    if not array.size:
        return array.copy()
    first = array[:1] if array.ndim == 1 else array[:1, ..., :1]
    return np.broadcast_to(first, array.shape)


def read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def unaligned(array: np.ndarray) -> np.ndarray:
    """Memory that starts one byte after where its dtype would start."""
    buffer = np.empty(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    layout.__name__: layout
    for layout in (
        contiguous,
        fortran,
        channels_last,
        backwards,
        spread,
        broadcast,
        read_only,
        unaligned,
    )
}
