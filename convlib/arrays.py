"""Which array library the arguments belong to, and which dtypes are computed how.

Of the modules that compute, this alone looks for CuPy; others ask only whether `xp` is NumPy. CuPy is
never imported here: if an argument is a CuPy array, then its caller has imported it, and it is found in
`sys.modules`.
"""

from __future__ import annotations

import sys
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

FLOATING = "float16, float32, float64, complex64, complex128"
INTEGER = "uint8, int8, int16, int32, int64"
NUMPY = frozenset([np.ndarray, np.memmap])
SINGLE = np.dtype(np.float32)
ANY = f"{FLOATING}, {INTEGER}, uint16, uint32, uint64, bool"


def array_module(function: str, bias: Any = None, **arrays: Any) -> ModuleType:
    """Return the library, NumPy or CuPy, that all the arrays given belong to.

    A bias may be None. Everything else must be an array of one library; lists, tensors, masked
    arrays, matrices and subclasses other than np.memmap are refused: none of them could come out again.
    """
    if bias is not None:
        arrays["bias"] = bias
    if NUMPY.issuperset(map(type, arrays.values())):
        return np  # the usual case, at once
    cupy = sys.modules.get("cupy")
    found: dict[str, ModuleType] = {}
    for name, array in arrays.items():
        if type(array) in NUMPY:
            found[name] = np
        elif cupy is not None and isinstance(array, getattr(cupy, "ndarray", ())):
            found[name] = cupy
        else:
            raise TypeError(
                f"{function}: {name} must be a numpy.ndarray or a cupy.ndarray, "
                f"got {type(array).__module__}.{type(array).__qualname__}."
            )
    if len(set(found.values())) > 1:
        libraries = ", ".join(f"{name} is {module.__name__}" for name, module in found.items())
        raise TypeError(f"{function}: all arrays must be of one library, but {libraries}.")
    return next(iter(found.values()))


def check_dtypes(function: str, integers: str = "", bias: Any = None, **arrays: Any) -> np.dtype:
    """Return the one dtype of all the arrays given; refuse mixtures and what PyTorch refuses.

    `integers` lists the integer dtypes that this function computes exactly.
    """
    if bias is not None:
        arrays["bias"] = bias
    (first, array), *others = arrays.items()
    dtype = array.dtype
    for name, other in others:
        # NumPy has one object for each of its dtypes, but for a few that are equal
        if other.dtype is not dtype and other.dtype != dtype:
            raise TypeError(
                f"{function}: {first} and {name} must have the same dtype, "
                f"got {dtype} and {other.dtype}. Convert one with astype."
            )
    if dtype not in INEXACT:
        check_dtype(function, first, dtype, f"{FLOATING}, {integers}" if integers else FLOATING)
    return dtype


@cache
def dtypes_of(names: str) -> frozenset[np.dtype]:
    """Read dtypes from a list with commas. They are in the machine's byte order."""
    return frozenset(map(np.dtype, names.split(", ")))


def check_dtype(function: str, name: str, dtype: np.dtype, allowed: str) -> None:
    """Refuse a dtype that `allowed` does not list, such as one in the other byte order."""
    if dtype not in dtypes_of(allowed):
        raise TypeError(f"{function}: the dtype of {name} must be one of {allowed}, got {dtype}.")


INEXACT = dtypes_of(FLOATING)


def working_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype in which sums are added up: float32 for float16, else the same."""
    return SINGLE if dtype.char == "e" else dtype


def in_dtype(array: Any, dtype: np.dtype) -> Any:
    """Return the array itself if it has this dtype, else a copy of it that has."""
    return array if array.dtype is dtype else array.astype(dtype, copy=False)
