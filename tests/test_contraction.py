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


# Shapes of windows and weight. The first two have products that are equal: a reshape takes them.
UNFIT = [
    ((1, 1, 1, 4, 5, 2, 3), (1, 1, 1, 3, 2), "the letter k must have one size, not 2 and 3"),
    ((1, 1, 4, 4, 5, 1, 1), (2, 3, 2, 1, 1), "the letter g must have one size, not 1 and 2"),
    ((2, 1, 3, 4, 2), (1, 2, 3, 3), "the letter l must have one size, not 2 and 3"),
    ((2, 1, 3, 4, 2), (1, 2, 4, 2), "the letter i must have one size, not 3 and 4"),
    ((2, 1, 3, 4, 4, 2), (1, 2, 3, 2), "ngiwl must have 5 axes, one a letter"),
]


@pytest.mark.parametrize(("windows", "weight", "pattern"), UNFIT)
@pytest.mark.parametrize("method", contraction.METHODS)
def test_one_letter_has_one_size(windows, weight, pattern, method):
    with pytest.raises(ValueError, match=f"^contract: {pattern}, got shapes ") as caught:
        convlib.contract(np, np.ones(windows), np.ones(weight), method)
    assert str(caught.value).endswith(f"{windows}, {weight}.")


@pytest.mark.parametrize("method", contraction.METHODS)
def test_one_letter_has_one_size_in_the_result_too(method):
    windows, weight, output = problem(SHAPES[1], "float64")
    # (2, 3, 4, 4, 3), and as many cells with h w of 3 4, with n g of 3 2, and in one axis
    for shape, pattern in [
        ((2, 3, 4, 3, 4), "the letter h must have one size, not 4 and 3"),
        ((3, 2, 4, 4, 3), "the letter n must have one size, not 2 and 3"),
        ((output.size,), "ngohw must have 5 axes"),
    ]:
        with pytest.raises(ValueError, match=f"^contract: {pattern}"):
            convlib.contract(np, windows, weight, method, out=np.empty(shape))


def test_one_letter_has_one_size_in_the_gradients():
    windows, weight, output = problem(SHAPES[1], "float64")  # n g i o, h w, k l: 2 3 2 4, 4 3, 3 2
    for grad_output, pattern in [
        ((1, 6, 4, 4, 3), "the letter g must have one size, not 3 and 6"),
        ((2, 3, 2, 8, 3), "the letter o must have one size, not 4 and 2"),
        ((2, 3, 4, 12), "ngohw must have 5 axes"),
    ]:
        with pytest.raises(ValueError, match=f"^contract_windows: {pattern}"):
            contraction.contract_windows(np, np.ones(grad_output), weight)
    for grad_output, pattern in [
        ((2, 3, 4, 3, 4), "the letter h must have one size, not 4 and 3"),
        ((1, 3, 4, 8, 3), "the letter n must have one size, not 2 and 1"),
        ((2, 3, 4, 12), "ngiwl must have 5 axes"),
    ]:
        with pytest.raises(ValueError, match=f"^contract_weight: {pattern}"):
            contraction.contract_weight(np, windows, np.ones(grad_output))
    gaps = np.ones((3, 4, 2, 2, 6))[..., ::2]  # (3, 4, 2, 2, 3), where (3, 4, 2, 3, 2) fits
    for out in (np.ascontiguousarray(gaps), gaps):
        with pytest.raises(ValueError, match="^contract_weight: the letter k .*, not 3 and 2"):
            contraction.contract_weight(np, windows, output, out=out)


@pytest.mark.parametrize("axes", [-1, 0, 4])
def test_spatial_axes_are_one_to_three(axes):
    weight = np.ones((1,) * (axes + 3))
    windows = np.ones((1,) * (3 + 2 * max(axes, 0)))
    pattern = "there must be 1, 2 or 3 spatial axes, got shapes"
    for method in contraction.METHODS:
        with pytest.raises(ValueError, match=f"^contract: {pattern}"):
            convlib.contract(np, windows, weight, method)
    with pytest.raises(ValueError, match=f"^contract_windows: {pattern}"):
        contraction.contract_windows(np, weight, weight)
    with pytest.raises(ValueError, match=f"^contract_weight: {pattern}"):
        contraction.contract_weight(np, windows, weight)


def test_on_either_library(xp):
    windows, weight, output = problem(SHAPES[1], "float64")
    y, v, w = by_hand(windows, weight, output)
    a, b, c = map(xp.asarray, (windows, weight, output))
    for method in contraction.METHODS:
        np.testing.assert_array_equal(to_numpy(convlib.contract(xp, a, b, method)), y)
    np.testing.assert_array_equal(to_numpy(contraction.contract_windows(xp, c, b)), v)
    np.testing.assert_array_equal(to_numpy(contraction.contract_weight(xp, a, c)), w)
