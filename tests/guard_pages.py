"""Read windows of arrays that end, or begin, at memory that must not be touched.

Run as a program: the array lies in one page between two that kill the process when read. With the
argument "control" it reads one cell too far on purpose, to show that the guard works.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np

import convlib

PAGE = mmap.PAGESIZE
PROT_NONE = 0


def guarded_page() -> np.ndarray:
    """Return one page of bytes with a forbidden page on each side."""
    memory = mmap.mmap(-1, 3 * PAGE)
    whole = np.frombuffer(memory, np.uint8)
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for page in (0, 2):
        if mprotect(whole.ctypes.data + page * PAGE, PAGE, PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect")
    return whole[PAGE : 2 * PAGE]


def main(control: bool) -> None:
    page = guarded_page()
    rng = np.random.default_rng(0)
    read = 0
    if control:
        too_far = np.lib.stride_tricks.as_strided(page, (PAGE + 1,), (1,))
        print(too_far.sum())
        return
    while read < 3000:
        dtype = np.dtype(rng.choice(["u1", "f4", "f8", "c16"]))
        shape = tuple(rng.integers(1, 9, rng.integers(1, 4)))
        cells = int(np.prod(shape))
        if cells * dtype.itemsize > PAGE:
            continue
        ends = page[-cells * dtype.itemsize :], page[: cells * dtype.itemsize]
        array = ends[rng.integers(2)].view(dtype).reshape(shape)
        if rng.random() < 0.3:
            array = array[..., ::-1]
        if rng.random() < 0.3:
            array = array.T
        axes = int(rng.integers(1, array.ndim + 1))
        settings = [tuple(map(int, rng.integers(1, high, axes))) for high in (6, 5, 4)]
        try:
            view = convlib.windows(array, *settings)
        except ValueError:
            continue
        np.isnan(view).sum()
        read += 1
    print("read", read)


if __name__ == "__main__":
    main(sys.argv[1:] == ["control"])
