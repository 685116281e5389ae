"""One product of matrices, for layers between compiled ones.

NumPy's BLAS shares a product out to threads of its own. They wait awake for the next one, for a tenth
of a second or so, and meanwhile take half of a core from each thread that computes. Compiled loops
have threads, too: after a product, their next layer took up to twice as long. So where loops are
compiled, a product is cut into one part for each of their threads, and BLAS multiplies each on its own.

Without Numba products are left to BLAS' threads, which are the fastest to begin; and so they are where
NumPy has another BLAS than the one of its wheels.
"""

from __future__ import annotations

from contextlib import nullcontext
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .blas import add_product, address_of_gemm, can_add
from .memory import memory_of, usable
from .steps import is_available, with_numba
from .threads import PRODUCT_SHARED, WAKE, limit, one_blas_thread, pieces, scratch

SINGLE = 1 << 18  # multiplications: with fewer, BLAS itself keeps to one thread


def address_of(dtype: np.dtype) -> int:
    """Where BLAS' product of such numbers is, or 0 if that is not known or nothing can call it."""
    return address_of_gemm(dtype) if is_available() else 0


def is_own(xp: ModuleType) -> bool:
    """Tell whether threads of our own share products, and not BLAS'."""
    return xp is np and address_of(np.dtype(np.float32)) > 0


def threads_for(xp: ModuleType, multiplications: int, dtype: np.dtype) -> int:
    """How many threads of our own are worth calling; 0 where that is left to BLAS."""
    if xp is not np or multiplications < SINGLE or not address_of(dtype):
        return 0
    threads = limit()
    return 0 if threads == 1 else threads if multiplications >= PRODUCT_SHARED else 1


def multiply(
    xp: ModuleType, a: Any, b: Any, out: Any, shared: bool = True, more: bool = False
) -> None:
    """Fill `out` with a @ b, of (g, o, i) and (g, i, q), or of n images: (n, g, o, i), (n, g, i, q).

    One of the factors may be the same for all images. If `out` has none, their products are added up.
    `shared` is false for whoever is one of several threads already. With `more`, which is not for
    images, the product is added to what is in `out`.
    """
    adds = out.ndim < max(a.ndim, b.ndim)
    size = out.size * a.shape[-1] * (len(a) if adds else 1)
    threads = threads_for(xp, size, out.dtype) if shared else 0
    if threads > 1 and share_product(a, b, out, threads, size >= WAKE, more):
        return
    # a single call of BLAS with threads would keep them awake
    with one_blas_thread() if threads == 1 else nullcontext():
        product(xp, a, b, out, adds, more)


def product(xp: ModuleType, a: Any, b: Any, out: Any, adds: bool, more: bool) -> None:
    """Fill `out` with a @ b, or with the sum over all images: BLAS with threads of its own."""
    if more and xp is np and can_add(a, b, out):
        for left, right, y in zip(a, b, out, strict=True):
            add_product(left, right, y)
    elif more:
        out += xp.matmul(a, b)
    elif adds:
        xp.matmul(a[0], b[0], out=out)
        one = xp.empty_like(out)
        for left, right in zip(a[1:], b[1:], strict=True):
            xp.matmul(left, right, out=one)
            out += one
    else:
        xp.matmul(a, b, out=out)


def share_product(a: Any, b: Any, out: Any, threads: int, wake: bool, more: bool) -> bool:
    """Share out a product, or do nothing and return False if BLAS cannot read it where it is."""
    gemm, arrays = with_numba("gemm"), (a, b, out)
    strides = a.strides, b.strides, out.strides
    plan = gemm.planned((a.shape, b.shape, out.shape), strides, a.itemsize, threads)
    if not plan or not all(array.flags.aligned for array in arrays):
        return False
    # arrays stay in this frame until all parts are done
    addresses = [array.ctypes.data for array in arrays]
    every = address_of(out.dtype), out.dtype.type(1), *addresses, *plan[:3], more, plan.cut

    def some(start: int, stop: int, team: Any) -> Any:
        return gemm.products(*every, start, stop, team)

    with one_blas_thread():
        with_numba("helpers").share(some, plan.parts, wake)
    return True


def pick(x: Any, w: Any, out: Any, threads: int) -> None:
    """(n, g, i, h, w), which may have steps, and (g, o, i) to (n, g, o, h, w): a product an image.

    Each thread puts the cells of some rows together, and multiplies them.
    """
    gemm = with_numba("gemm")
    w = w if w.flags.c_contiguous and w.flags.aligned else w.copy()
    lines, columns = prod(out.shape[3:-1]), out.shape[-1]
    sizes = np.array([*out.shape[1:3], x.shape[2], lines, out.shape[-2], columns])
    y = out.reshape(*out.shape[:3], -1)
    arrays = np.array([gemm.matrix(a.shape, a.strides, a.itemsize) for a in (w, y)])
    addresses = w.ctypes.data, y.ctypes.data
    call, one = address_of(out.dtype), out.dtype.type(1)
    every = call, one, *addresses, sizes, arrays, *memory_of(usable(x))

    parts = [(part,) for part in pieces(len(x) * lines, len(x) * lines, threads)]
    # lines of an image that a part puts together, at most
    most = min(lines, max(part.stop - part.start for (part,) in parts))
    cells = x.shape[2] * most * columns

    def some(part: slice, team: Any) -> Any:
        memory = scratch(np, cells, out.dtype)
        return gemm.picked(*every, memory, part.start, part.stop, team)

    with one_blas_thread():
        with_numba("helpers").share(some, parts, out.size * x.shape[2] >= WAKE)
