"""One array's values in every memory layout that NumPy has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def layouts(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, an array of the same values, laid out in another way)."""
    yield "C", np.array(array, order="C")
    yield "Fortran", np.array(array, order="F")
    backwards = (slice(None, None, -1),) * array.ndim
    yield "negative strides", array[backwards].copy()[backwards]
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    every_second = (slice(None, None, 2),) * array.ndim
    wide[every_second] = array
    yield "every second cell", wide[every_second]
    yield "axes in another order", array.T.copy().T
    frozen = array.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    unaligned = memory.view(array.dtype).reshape(array.shape)
    unaligned[...] = array
    assert unaligned.flags.aligned is False or array.dtype.itemsize == 1 or not array.size
    yield "unaligned", unaligned


def assert_own_memory(result: np.ndarray, *inputs: np.ndarray) -> None:
    """Assert that a result is a plain C-contiguous array that owns its writable memory."""
    assert type(result) is np.ndarray
    flags = result.flags
    assert flags.owndata and flags.writeable and flags.c_contiguous and flags.aligned
    assert not any(np.shares_memory(result, array) for array in inputs)
