"""The three contractions against loops over every letter, and the gradients against the sum."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import layouts

import convlib
from convlib import contraction
from convlib.validation import to_numpy

SHAPES = [
    # n, g, i, o, positions, taps
    (2, 1, 3, 4, (5,), (2,)),
    (2, 3, 2, 4, (4, 3), (3, 2)),
    (1, 2, 1, 1, (2, 1, 3), (1, 2, 2)),
    (0, 2, 3, 1, (4, 3), (2, 2)),
    (3, 4, 1, 2, (1, 1), (1, 1)),
]
DTYPES = ["float32", "float64", "complex128", "uint8", "int64"]


def problem(shape, dtype, seed=0):
    n, g, i, o, positions, taps = shape
    rng = np.random.default_rng(seed)

    def numbers(*sizes):
        whole = rng.integers(0, 9, sizes)
        return (whole + 1j * rng.integers(0, 9, sizes) if dtype[0] == "c" else whole).astype(dtype)

    return (
        numbers(n, g, i, *positions, *taps),
        numbers(g, o, i, *taps),
        numbers(n, g, o, *positions),
    )


def by_hand(windows, weight, output):
    """All three sums at once, one product at a time, in the letters of the house."""
    axes = weight.ndim - 3
    y, v, w = np.zeros_like(output), np.zeros_like(windows), np.zeros_like(weight)
    for n, g, i, *rest in np.ndindex(*windows.shape):
        position, tap = tuple(rest[:axes]), tuple(rest[axes:])
        for o in range(weight.shape[1]):
            window, factor = (n, g, i, *position, *tap), (g, o, i, *tap)
            y[(n, g, o, *position)] += windows[window] * weight[factor]
            v[window] += output[(n, g, o, *position)] * weight[factor]
            w[factor] += output[(n, g, o, *position)] * windows[window]
    return y, v, w


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums(shape, dtype):
    windows, weight, output = problem(shape, dtype)
    with np.errstate(over="ignore"):
        y, v, w = by_hand(windows, weight, output)
    for method in contraction.METHODS:
        result = convlib.contract(np, windows, weight, method)
        np.testing.assert_array_equal(result, y)
        assert result.dtype == dtype
    np.testing.assert_array_equal(contraction.contract_windows(np, output, weight), v)
    np.testing.assert_array_equal(contraction.contract_weight(np, windows, output), w)


@pytest.mark.parametrize("method", contraction.METHODS)
def test_into_given_memory(method):
    windows, weight, output = problem(SHAPES[1], "float64")
    expected = convlib.contract(np, windows, weight)
    out = np.full_like(output, np.nan)
    assert convlib.contract(np, windows, weight, method, out=out) is not None
    np.testing.assert_array_equal(out, expected)
    out = np.full_like(weight, np.nan)
    contraction.contract_weight(np, windows, output, out=out)
    np.testing.assert_array_equal(out, contraction.contract_weight(np, windows, output))


@pytest.mark.parametrize("method", contraction.METHODS)
def test_into_memory_with_gaps(method):
    windows, weight, output = problem(SHAPES[1], "float64")
    for (name, out), (_, w_out) in zip(layouts(output), layouts(weight), strict=True):
        if out.flags.writeable:
            out[...], w_out[...] = np.nan, np.nan
            convlib.contract(np, windows, weight, method, out=out)
            np.testing.assert_array_equal(out, convlib.contract(np, windows, weight), name)
            contraction.contract_weight(np, windows, output, out=w_out)
            expected = contraction.contract_weight(np, windows, output)
            np.testing.assert_array_equal(w_out, expected, name)
    with pytest.raises(ValueError, match="shape"):
        convlib.contract(np, windows, weight, method, out=output[:, :, :1])


def test_layouts():
    windows, weight, output = problem(SHAPES[1], "float64")
    y, v, w = by_hand(windows, weight, output)
    for (_, a), (_, b), (_, c) in zip(
        layouts(windows), layouts(weight), layouts(output), strict=True
    ):
        for method in contraction.METHODS:
            np.testing.assert_array_equal(convlib.contract(np, a, b, method), y)
        np.testing.assert_array_equal(contraction.contract_windows(np, c, b), v)
        np.testing.assert_array_equal(contraction.contract_weight(np, a, c), w)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [(1, "ngiwl,goil->ngow"), (2, "ngihwkl,goikl->ngohw"), (3, "ngidhwjkl,goijkl->ngodhw")],
)
def test_letters(axes, expected):
    assert contraction.subscripts(axes) == expected


def test_unknown_method():
    windows, weight, _ = problem(SHAPES[0], "float64")
    with pytest.raises(ValueError, match="^contract: method must be one of einsum.*got 'loops'"):
        convlib.contract(np, windows, weight, "loops")


def test_on_either_library(xp):
    windows, weight, output = problem(SHAPES[1], "float64")
    y, v, w = by_hand(windows, weight, output)
    a, b, c = map(xp.asarray, (windows, weight, output))
    for method in contraction.METHODS:
        np.testing.assert_array_equal(to_numpy(convlib.contract(xp, a, b, method)), y)
    np.testing.assert_array_equal(to_numpy(contraction.contract_windows(xp, c, b)), v)
    np.testing.assert_array_equal(to_numpy(contraction.contract_weight(xp, a, c)), w)
