"""One problem against PyTorch: the result or the refusal, the gradients, and good manners."""

from __future__ import annotations

from typing import Any

import numpy as np

import convlib
from convlib.validation import assert_gradients_match_torch, assert_matches_torch

from .differences import known_difference
from .layouts import LAYOUTS

ARRAYS = ("input", "weight", "bias")
FLOATING = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGER = ("uint8", "int8", "int16", "int32", "int64")
DTYPES = (*FLOATING, *COMPLEX, *INTEGER, "bool")


def draw(shape: tuple[int, ...], dtype: str, generator: np.random.Generator) -> np.ndarray:
    """Draw values: small whole numbers for integers, so that sums stay exact."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.asarray(generator.integers(0, 2, shape)).astype(bool)
    if kind in "iu":
        return np.asarray(generator.integers(0 if kind == "u" else -4, 5, shape)).astype(dtype)
    values = np.asarray(generator.standard_normal(shape))
    if kind == "c":
        values = values + 1j * generator.standard_normal(shape)
    return np.asarray(values).astype(dtype)


def lay(array: np.ndarray, layout: str) -> np.ndarray:
    """Lay an array out in memory; a single number has no layouts."""
    return LAYOUTS[layout](array) if array.ndim else array


def build(problem: dict, dtype: str = "float64", layout: str = "contiguous", seed: int = 0) -> dict:
    """Turn the shapes of a problem into arrays; settings stay, `function` is left out."""
    generator = np.random.default_rng(seed)
    return {
        name: lay(draw(value, dtype, generator), layout) if name in ARRAYS else value
        for name, value in problem.items()
        if name != "function"
    }


def describe(problem: dict) -> str:
    """Name a problem, as the id of its test."""
    parts = [f"{value}".replace(" ", "") for name, value in problem.items() if name in ARRAYS]
    settings = [
        f"{name}={value}".replace(" ", "")
        for name, value in problem.items()
        if name not in (*ARRAYS, "function")
    ]
    return "-".join([problem["function"], *parts, *settings])


def outputs(result: Any) -> tuple[np.ndarray, ...]:
    """Return the arrays of a result, of which there may be one or several."""
    return result if isinstance(result, tuple) else (result,)


def assert_manners(function: str, arguments: dict) -> Any:
    """Call a function of convlib twice. Inputs stay as they were; results are equal and owned."""
    before = {k: v.tobytes() for k, v in arguments.items() if isinstance(v, np.ndarray)}
    first = getattr(convlib, function)(**arguments)
    second = getattr(convlib, function)(**arguments)
    for name, bits in before.items():
        assert arguments[name].tobytes() == bits, f"{function} modified its {name}"
    for one, other in zip(outputs(first), outputs(second), strict=True):
        assert one.tobytes() == other.tobytes(), f"{function} has other bits on a second call"
        assert one.flags.owndata and one.flags.writeable, f"{function}: memory is not its own"
        assert one.flags.c_contiguous, f"{function}: the result is not in C order"
        assert not any(np.may_share_memory(one, arguments[name]) for name in before if one.size), (
            f"{function}: the result shares memory with an input"
        )
    return first


def assert_same(function: str, arguments: dict) -> tuple[Any, bool]:
    """Compare a call with PyTorch, minding the differences that are meant.

    Returns convlib's result, None where it refuses, and whether PyTorch does the same.
    """
    try:
        return assert_matches_torch(function, **arguments), True
    except AssertionError as error:
        for verb, said in (("refuses", "convlib refuses a call"), ("accepts", "PyTorch refuses")):
            if said in str(error) and known_difference(function, arguments, verb):
                accepts = verb == "accepts"
                return getattr(convlib, function)(**arguments) if accepts else None, False
        raise


def lies_in_padding(function: str, arguments: dict) -> bool:
    """Tell whether a max pooling has a window without a cell, and so no indices, nor a gradient."""
    if not function.startswith("max_pool"):
        return False
    try:
        getattr(convlib, function)(**{**arguments, "return_indices": True})
    except ValueError as error:
        assert "lies in the padding alone" in str(error)
        return True
    return False


def assert_problem(
    problem: dict, dtype: str = "float64", layout: str = "contiguous", seed: int = 0
) -> Any:
    """Compare one problem with PyTorch; return convlib's result, or None where it refuses."""
    function, arguments = problem["function"], build(problem, dtype, layout, seed)
    result, agreed = assert_same(function, arguments)
    if result is None:
        return None
    assert_manners(function, arguments)
    differentiable = dtype in ("float32", "float64", *COMPLEX)
    if agreed and differentiable and not lies_in_padding(function, arguments):
        assert_gradients_match_torch(function, **arguments)
    return result
