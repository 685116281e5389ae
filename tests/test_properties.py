"""Thousands of calls that nobody thought of: convlib does what PyTorch does, refusals included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from support.checks import assert_problem, describe
from support.differences import DIFFERENCES, known_difference
from support.layouts import LAYOUTS
from support.problems import PROBLEMS, REFUSED
from support.strategies import DTYPE, FUNCTIONS, LAYOUT, LONG, SEED, problems

import convlib

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_same_as_torch(function):
    @settings(max_examples=400 * LONG)
    @given(problem=problems(function), dtype=DTYPE, layout=LAYOUT, seed=SEED)
    def check(problem, dtype, layout, seed):
        assert_problem(problem, dtype, layout, seed)

    check()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=describe)
def test_problem_in_every_layout(problem, layout):
    assert assert_problem(problem, "float32", layout) is not None


@pytest.mark.parametrize(
    "dtype", "float16 float64 complex64 complex128 uint8 int8 int16 int32 int64 bool".split()
)
@pytest.mark.parametrize("problem", PROBLEMS, ids=describe)
def test_problem_in_every_dtype(problem, dtype):
    assert_problem(problem, dtype)


@pytest.mark.parametrize("problem", REFUSED, ids=describe)
def test_refused(problem):
    assert assert_problem(problem) is None


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.reason[:40])
def test_difference_stands(difference):
    """What differs on purpose still does, so that the table says nothing that is not so."""
    function, arguments = difference.example
    assert known_difference(function, arguments, difference.convlib) is difference
    tensors = {
        name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    if difference.convlib == "refuses":
        getattr(torch.nn.functional, function)(**tensors)
        with pytest.raises((ValueError, TypeError)):
            getattr(convlib, function)(**arguments)
    else:
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            getattr(torch.nn.functional, function)(**tensors)
        getattr(convlib, function)(**arguments)
