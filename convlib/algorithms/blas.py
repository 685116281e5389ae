"""NumPy's BLAS: how many threads it has, and where its functions are, as far as threadpoolctl finds it.

Source: *Basic Linear Algebra Subprograms Technical Forum Standard* (2001), appendix B, for the function
``cblas_?gemm``, its arguments and their numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

ROWS_FIRST, AS_IT_IS, TURNED = 101, 111, 112  # how cblas.h numbers the orders of a matrix


class Blas(NamedTuple):
    """How to ask a BLAS library for its number of threads, and how to set it."""

    get: Callable[[], int]
    set: Callable[[int], Any]
    of_a_thread: bool = False  # with OpenMP each thread has a number of its own
    # find others, with sizes of 64 bits, by their names
    functions: Callable[[str], Any] | None = None


@cache
def found() -> tuple[Blas, ...]:
    """Find NumPy's BLAS. Without threadpoolctl it is left to itself."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return ()

    all_of_them = [c for c in ThreadpoolController().lib_controllers if c.user_api == "blas"]
    # a wheel of NumPy brings its own; other libraries in the process are left alone
    own = [c for c in all_of_them if "numpy" in c.filepath] or all_of_them
    return tuple(_controls(controller) for controller in own)


def _controls(controller: Any) -> Blas:
    if controller.internal_api == "openblas" and controller.threading_layer == "pthreads":
        # The number is the process's. threadpoolctl lets one thread alone set it; the lock of
        # `threads.py` keeps ours in order, so its functions are called as they are, in a microsecond.
        for prefix, suffix in product(("scipy_", ""), ("64_", "_64", "")):
            names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
            if all(hasattr(controller.dynlib, name) for name in names):
                ask, tell = (getattr(controller.dynlib, name) for name in names)

                def functions(name: str, form: str = f"{prefix}{{}}{suffix}") -> Any:
                    return getattr(controller.dynlib, form.format(name), None)

                return Blas(ask, tell, functions=functions if suffix else None)
    own = getattr(controller, "threading_layer", "") == "openmp"
    return Blas(controller.get_num_threads, controller.set_num_threads, own)


def routine(name: str) -> int:
    """Find the address of one of BLAS' functions, such as ``cblas_sgemm``, or 0.

    Only of a library of OpenBLAS' with threads that it starts itself, and sizes of 64 bits.
    """
    known = [blas.functions(name) for blas in found() if blas.functions]
    if len(found()) > 1 or not known or known[0] is None:
        return 0
    return ctypes.cast(known[0], ctypes.c_void_p).value or 0


@cache
def address_of_gemm(dtype: np.dtype) -> int:
    """Where BLAS' product of matrices of such numbers is, or 0 if that is not known."""
    names = {np.dtype(np.float32): "cblas_sgemm", np.dtype(np.float64): "cblas_dgemm"}
    return routine(names[dtype]) if dtype in names else 0


@cache
def _gemm(dtype: np.dtype) -> Any:
    short, whole, memory = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    number = ctypes.c_float if dtype.itemsize == 4 else ctypes.c_double
    # (order, order of a, order of b, m, n, k, alpha, a, its pitch, b, its pitch, beta, y, its pitch)
    kinds = [*[short] * 3, *[whole] * 3, number, *[memory, whole] * 2, number, memory, whole]
    return ctypes.CFUNCTYPE(None, *kinds)(address_of_gemm(dtype))


def order_of(rows: int, columns: int, down: int, along: int) -> tuple[int, int] | None:
    """How BLAS reads a matrix whose numbers are so far apart: its order, and its pitch.

    That is how far each row is from the next, or of a turned matrix each column; at least their length.
    A matrix that is backwards, or the same row again and again, it cannot read.
    """
    # where there is a single row, the step to the next one can be anything
    if (columns == 1 or along == 1) and (rows == 1 or down >= columns):
        return AS_IT_IS, max(down, columns)
    if (rows == 1 or down == 1) and (columns == 1 or along >= rows):
        return TURNED, max(along, rows)
    return None


def _order(array: Any) -> tuple[int, int] | None:
    (rows, columns), (down, along), size = array.shape[-2:], array.strides[-2:], array.itemsize
    return order_of(rows, columns, down // size, along // size)


def can_add(a: Any, b: Any, y: Any) -> bool:
    """Tell whether `add_product` knows such matrices: the last two axes of these arrays."""
    orders = [_order(array) if array.flags.aligned else None for array in (a, b, y)]
    fit = None not in orders and orders[2][0] == AS_IT_IS  # type: ignore[index]
    return fit and address_of_gemm(y.dtype) > 0


def add_product(a: Any, b: Any, y: Any) -> None:
    """y += a @ b, which `np.matmul` cannot do: of matrices for which `can_add` holds."""
    (of_a, by_a), (of_b, by_b), (_, by_y) = map(_order, (a, b, y))  # type: ignore[misc]
    at_a, at_b, at_y = (array.ctypes.data for array in (a, b, y))
    sizes = *y.shape, a.shape[1]
    _gemm(a.dtype)(ROWS_FIRST, of_a, of_b, *sizes, 1, at_a, by_a, at_b, by_b, 1, at_y, by_y)


def threads() -> int:
    """Ask BLAS how many threads a call of it may have."""
    most = 1
    for blas in found():
        most = max(most, blas.get() or 1)
    return most


def set_threads(number: int) -> None:
    """Tell BLAS how many threads a call of it may have, for the process."""
    for blas in found():
        blas.set(number)
