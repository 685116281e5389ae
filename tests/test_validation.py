"""The helper that all proofs lean on must itself find what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from support.checks import assert_manners

import convlib
from convlib import validation
from convlib.validation import (
    assert_close,
    assert_gradients_match_torch,
    assert_matches_torch,
)

torch = pytest.importorskip("torch")

X = np.random.default_rng(0).standard_normal((2, 3, 6, 7))
W = np.random.default_rng(1).standard_normal((4, 3, 2, 3))


def named(name: str, function):
    """Give a function the name of one of PyTorch's."""
    function.__name__ = name
    function.__module__ = "convlib.wrong"
    return function


def fails(message: str):
    return pytest.raises(AssertionError, match=message)


def test_returns_what_convlib_returned():
    np.testing.assert_array_equal(assert_matches_torch("conv2d", X, W), convlib.conv2d(X, W))
    output, indices = assert_matches_torch("max_pool2d", X, 2, return_indices=True)
    np.testing.assert_array_equal(indices, convlib.max_pool2d(X, 2, return_indices=True)[1])


def test_by_position_and_by_name():
    for args, kwargs in [
        ((X, W, None, 2, 1), {}),
        ((X, W), {"stride": 2, "padding": 1}),
        ((), {"input": X, "weight": W, "stride": 2}),
    ]:
        assert assert_matches_torch("conv2d", *args, **kwargs) is not None
        assert set(assert_gradients_match_torch("conv2d", *args, **kwargs)) == {"input", "weight"}


def test_a_callable_and_a_gradient():
    assert assert_matches_torch(convlib.conv2d, X, W) is not None
    y = np.ones((2, 4, 5, 5))
    assert assert_matches_torch("conv2d_input", X.shape, W, y) is not None
    assert assert_matches_torch(convlib.grad.conv2d_weight, X, W.shape, y) is not None


def test_both_refuse():
    assert assert_matches_torch("conv2d", X, W, stride=0) is None
    assert assert_matches_torch("conv2d", X, W.astype("float32")) is None


def test_finds_one_wrong_value_and_says_where():
    def conv2d(input, weight):
        y = convlib.conv2d(input, weight)
        y[1, 2, 3, 4] += 1e-3
        return y

    with fails(r"^conv2d: 1 of 200 values differ, the first at \(1, 2, 3, 4\): .* PyTorch has"):
        assert_matches_torch(named("conv2d", conv2d), X, W)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda y: y[..., :-1], r"^conv2d: shape \(2, 4, 5, 4\), PyTorch has \(2, 4, 5, 5\)"),
        (lambda y: y.astype("float32"), "^conv2d: dtype float32, PyTorch has float64"),
        (lambda y: (y, y), "^conv2d: 2 outputs, PyTorch has 1"),
        (lambda y: np.where(y > 0, np.nan, y), r"^conv2d: \d+ of 200 values differ"),
        (lambda y: y * (1 + 1e-9), r"^conv2d: \d+ of 200 values differ"),
    ],
)
def test_finds_a_wrong_result(wrong, message):
    function = named("conv2d", lambda input, weight: wrong(convlib.conv2d(input, weight)))
    with fails(message):
        assert_matches_torch(function, X, W)


def test_finds_wrong_indices():
    def max_pool2d(input, kernel_size, return_indices):
        y, indices = convlib.max_pool2d(input, kernel_size, return_indices=True)
        return y, indices + 1

    with fails(r"^max_pool2d\[1\]: 54 of 54 values differ"):
        assert_matches_torch(named("max_pool2d", max_pool2d), X, 2, return_indices=True)


def test_integers_are_compared_exactly():
    expected = torch.tensor([10**6, 2])
    assert_close(np.array([10**6, 2]), expected)
    with fails(r"^result: 1 of 2 values differ, the first at \(0,\)"):
        assert_close(np.array([10**6 + 1, 2]), expected)


def test_nan_and_infinity_are_values():
    expected = torch.tensor([float("nan"), float("inf"), 1.0])
    assert_close(np.array([np.nan, np.inf, 1], "float32"), expected)
    for values in ([0, np.inf, 1], [np.nan, -np.inf, 1], [np.nan, np.nan, 1], [np.nan, 9, 1]):
        with fails("^result: 1 of 3 values differ"):
            assert_close(np.array(values, "float32"), expected)


def test_small_values_beside_large_ones():
    """Sums that cancel are right up to a rounding of what was added, not of what is left."""
    expected = torch.tensor([1e8, 1.0])
    assert_close(np.array([1e8, 0.0], "float32"), expected)
    with fails("values differ"):
        assert_close(np.array([1e8, 1e5], "float32"), expected)


def test_finds_a_missing_refusal():
    function = named("conv2d", lambda input, weight, stride: convlib.conv2d(input, weight))
    with fails("^conv2d: PyTorch refuses this call, convlib does not"):
        assert_matches_torch(function, X, W, stride=0)


def test_finds_a_refusal_too_many():
    def conv2d(input, weight):
        raise ValueError("conv2d: no.")

    with fails("^conv2d: convlib refuses a call that PyTorch takes: conv2d: no."):
        assert_matches_torch(named("conv2d", conv2d), X, W)


@pytest.mark.parametrize("error", [IndexError, ZeroDivisionError, MemoryError, AttributeError])
def test_an_accident_is_no_refusal(error):
    def conv2d(input, weight, stride):
        raise error("an accident")

    with pytest.raises(error):
        assert_matches_torch(named("conv2d", conv2d), X, W, stride=0)


def test_finds_a_wrong_gradient(monkeypatch):
    right = convlib.grad.conv2d_weight

    def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
        return right(input, weight_size, grad_output, stride, padding, dilation, groups) * 2

    monkeypatch.setattr(convlib.grad, "conv2d_weight", conv2d_weight)
    with fails("^conv2d_weight: 72 of 72 values differ"):
        assert_gradients_match_torch("conv2d", X, W)


def test_finds_a_missing_gradient(monkeypatch):
    monkeypatch.delattr(convlib.grad, "conv2d_weight")
    with fails("^convlib.grad has no conv2d_weight"):
        assert_gradients_match_torch("conv2d", X, W)


@pytest.mark.parametrize("name", ["conv4d", "output_size"])
def test_an_unknown_function(name):
    with pytest.raises(ValueError, match="has no function"):
        assert_matches_torch(name, X)


def test_tensors_have_memory_of_their_own():
    """A function of PyTorch that wrote to its input would not write to ours."""
    tensor = validation._tensor(X)
    tensor += 1
    assert not np.may_share_memory(X, tensor.numpy())


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda x, y: x.__setitem__(..., 0) or y, "modified its input"),
        (lambda x, y: y[:], "memory is not its own"),
        (lambda x, y: np.asfortranarray(y), "not in C order"),
        (lambda x, y: y + np.random.default_rng().random(), "other bits on a second call"),
    ],
)
def test_bad_manners_are_found(monkeypatch, wrong, message):
    right = convlib.conv2d
    monkeypatch.setattr(convlib, "conv2d", lambda input, weight: wrong(input, right(input, weight)))
    with fails(message):
        assert_manners("conv2d", {"input": X.copy(), "weight": W})
