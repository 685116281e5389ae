"""The same problems on a GPU: CuPy arrays go in and come out, and say what NumPy's say.

Without CuPy, or where it finds no GPU, all of this is left out. It runs wherever one is there.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.checks import ARRAYS, build, describe, outputs
from support.problems import PROBLEMS, REFUSED

import convlib
from convlib.validation import assert_close, assert_gradients_match_torch

torch = pytest.importorskip("torch")
cupy = pytest.importorskip("cupy")
pytestmark = pytest.mark.skipif(not cupy.is_available(), reason="CuPy finds no GPU")


def on_gpu(arguments: dict) -> dict:
    return {k: cupy.asarray(v) if k in ARRAYS else v for k, v in arguments.items()}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int64"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=describe)
def test_same_as_numpy(problem, dtype):
    function, arguments = problem["function"], build(problem, dtype)
    try:
        expected = getattr(convlib, function)(**arguments)
    except TypeError:
        with pytest.raises(TypeError):
            getattr(convlib, function)(**on_gpu(arguments))
        return
    actual = getattr(convlib, function)(**on_gpu(arguments))
    for one, other in zip(outputs(actual), outputs(expected), strict=True):
        assert isinstance(one, cupy.ndarray)
        assert_close(one, torch.from_numpy(other), function)


@pytest.mark.parametrize("problem", PROBLEMS, ids=describe)
def test_same_gradients_as_torch(problem):
    assert_gradients_match_torch(problem["function"], **on_gpu(build(problem)))


@pytest.mark.parametrize("function", ["max_pool1d", "max_pool2d", "max_pool3d"])
def test_indices(function):
    problem = next(p for p in PROBLEMS if p["function"] == function and "padding" in p)
    arguments = build({**problem, "return_indices": True})
    expected = getattr(convlib, function)(**arguments)
    actual = getattr(convlib, function)(**on_gpu(arguments))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(cupy.asnumpy(one), other)


@pytest.mark.parametrize("problem", REFUSED, ids=describe)
def test_same_refusals(problem):
    arguments = build(problem)
    with pytest.raises((ValueError, TypeError)) as on_cpu:
        getattr(convlib, problem["function"])(**arguments)
    with pytest.raises(on_cpu.type) as here:
        getattr(convlib, problem["function"])(**on_gpu(arguments))
    assert str(here.value) == str(on_cpu.value)


def test_libraries_do_not_mix():
    x, w = np.ones((1, 1, 4, 4)), cupy.ones((1, 1, 2, 2))
    with pytest.raises(TypeError, match="all arrays must be of one library"):
        convlib.conv2d(x, w)
