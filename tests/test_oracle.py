"""convlib against loops over single cells, which know neither PyTorch nor convlib."""

from __future__ import annotations

import numpy as np
import pytest
from support.checks import build, describe
from support.oracle import oracle
from support.problems import PROBLEMS

import convlib

# What the oracle says, it says about results that have cells, and circular padding that cuts
# nothing: there PyTorch's order of cutting and repeating is a matter of its own.
KNOWN = [
    problem
    for problem in PROBLEMS
    if 0 not in problem["input"]
    and not (problem.get("mode") == "circular" and min(problem["pad"]) < 0)
]


@pytest.mark.parametrize("problem", KNOWN, ids=describe)
def test_same_numbers(problem):
    # whole numbers in float64: every sum is exact, and so is the comparison
    arguments = build(problem, "int64")
    exact = {
        name: value.astype("float64") if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    actual, expected = (
        getattr(convlib, problem["function"])(**exact),
        oracle(problem["function"], exact),
    )
    assert actual.shape == expected.shape
    if problem["function"].startswith("avg_pool"):
        np.testing.assert_allclose(actual, expected, rtol=1e-15)
    else:
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("problem", KNOWN, ids=describe)
def test_same_integers(problem):
    function, arguments = problem["function"], build(problem, "int64")
    try:
        actual = getattr(convlib, function)(**arguments)
    except TypeError:
        # PyTorch has no such integers: unfold, fold, max_pool1d without indices
        assert function in ("unfold", "fold", "max_pool1d")
        return
    # an average of integers is cut towards zero, which is what assigning a float does
    np.testing.assert_array_equal(actual, oracle(function, arguments))
