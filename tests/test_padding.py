"""pad in its four modes against PyTorch, over all small amounts, and its gradient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from conv_cases import numbers
from layouts import assert_own_memory, layouts
from refusals import assert_refused

import convlib
from convlib import padding
from convlib.validation import assert_matches_torch, to_numpy

# convlib follows PyTorch 2.13. From 2.15 on three cases differ, and each is named below.
VERSION = tuple(map(int, torch.__version__.split(".")[:2]))
LATER = VERSION >= (2, 15)
AMOUNTS = range(-6, 7)
ALL = ["float16", "float32", "float64", "complex64", "complex128"]
ALL += ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "bool"]


def is_undefined(shape, pad, mode):
    """Tell whether PyTorch answers with memory that it has not written.

    It does for 'circular' where less is kept, after cutting, than one side repeats.
    """
    pairs = list(zip(pad[-2::-2], pad[::-2], strict=True))
    kept = [
        n + min(b, 0) + min(a, 0) for n, (b, a) in zip(shape[-len(pairs) :], pairs, strict=True)
    ]
    return mode == "circular" and any(
        max(pair) > max(k, 0) or k < 0 for k, pair in zip(kept, pairs, strict=True)
    )


def convlib_takes(x, pad, mode):
    """The shape of convlib's answer, or None where it refuses."""
    try:
        return convlib.pad(x, pad, mode).shape
    except ValueError:
        return None


def compare(x, pad, mode):
    """The same values as PyTorch, or both refuse."""
    if is_undefined(x.shape, pad, mode):
        with pytest.raises(ValueError, match="^pad: "):
            convlib.pad(x, pad, mode)
        return
    if LATER and mode in ("reflect", "replicate") and len(pad) == 4:
        # PyTorch 2.15 refuses what it took before: to leave no cell along one of two axes
        left = convlib_takes(x, pad, mode)
        if left is not None and 0 in left:
            with pytest.raises(RuntimeError, match="must be >= 1 in every dimension"):
                torch.nn.functional.pad(torch.from_numpy(x), pad, mode)
            return
    if VERSION < (2, 13) and mode == "constant" and 0 in (convlib_takes(x, pad, mode) or ()):
        # PyTorch 2.6 calls a size of 0 negative, and refuses, in some of these cases
        try:
            torch.nn.functional.pad(torch.from_numpy(x), pad, mode)
        except RuntimeError as error:
            assert "negative output size" in str(error)
            return
    y = assert_matches_torch("pad", x, pad, mode)
    if y is not None:
        assert_own_memory(y, x)


@pytest.mark.parametrize("mode", padding.MODES)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_pair_of_amounts(mode, n):
    for pair in itertools.product(AMOUNTS, AMOUNTS):
        compare(np.arange(2.0 * n).reshape(2, n), pair, mode)


@pytest.mark.parametrize("mode", padding.MODES)
def test_two_axes(mode):
    x = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    for pad in itertools.product((-3, -1, 0, 1, 2, 3), repeat=4):
        compare(x, pad, mode)


@pytest.mark.parametrize("mode", padding.MODES)
def test_three_axes(mode):
    x = np.arange(2 * 2 * 3 * 4 * 3.0).reshape(2, 2, 3, 4, 3)
    for pad in [(1, 2, 0, 1, 2, 1), (-1, 1, 2, -2, 1, 0), (2, 0, 3, 3, 0, 2)]:
        compare(x, pad, mode)
        compare(x[0], pad, mode)


SHAPES = [(), (3,), (3, 2), (0, 3), (3, 0), (2, 3, 3), (0, 3, 3), (2, 0, 3), (2, 3, 0)]
SHAPES += [(2, 2, 3, 3), (0, 2, 3, 3), (2, 0, 3, 3), (2, 2, 0, 3), (2, 2, 2, 3, 3), (0, 2, 2, 3, 3)]
SHAPES += [(2, 0, 2, 3, 3), (1, 2, 2, 2, 3, 3)]


@pytest.mark.parametrize("mode", padding.MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_which_axes(mode, shape):
    for count in range(14):
        for amount in (0, 1):
            assert_matches_torch("pad", np.ones(shape), (amount,) * count, mode)


@pytest.mark.parametrize("mode", padding.MODES)
@pytest.mark.parametrize("dtype", ALL)
def test_dtypes(mode, dtype):
    x = numbers((2, 3, 4), dtype)
    y = assert_matches_torch("pad", x, (1, 2, 2, 1), mode)
    if y is None:
        assert_refused("pad", "dtype of input must be one of", x, (1, 2, 2, 1), mode)
    for name, laid_out in layouts(x) if y is not None else ():
        before = laid_out.copy()
        again = convlib.pad(laid_out, (1, 2, 2, 1), mode)
        np.testing.assert_array_equal(again, y, err_msg=name)
        np.testing.assert_array_equal(laid_out, before)
        assert_own_memory(again, laid_out)


VALUES = [0, 1, -1, 0.5, -0.5, 1.7, 255, 255.5, 256, -128, -128.5, -129, 127.5, 65504, 65505, 1e300]
VALUES += [float("inf"), float("-inf"), float("nan"), 2**62 + 1, True, None, -(2.0**63), -(2.0**64)]
VALUES += [2.0**64 * 2, 2.0**32 - 1, 2.0**31, np.float32(2), np.int8(3), np.bool_(True), 1j, "a"]


@pytest.mark.parametrize("dtype", ALL)
def test_values(dtype):
    x = numbers((4,), dtype)
    for value, pad in itertools.product(VALUES, [(1, 1), (-1, -1), (0, 0)]):
        if LATER and pad == (1, 1) and (dtype, value) in [("uint8", 255.5), ("int8", 127.5)]:
            reason = "it looks at the limits after the fraction is cut off, since 2.15"
            pattern = f"value must be in the range of {dtype}"
            assert_refused("pad", pattern, x, pad, "constant", value, torch_takes=reason)
            continue
        assert_matches_torch("pad", x, pad, "constant", value)


def test_minus_zero():
    y = assert_matches_torch("pad", np.ones(2), (1, 1), "constant", -0.0)
    assert np.signbit(y[0]) and np.signbit(y[-1])


@pytest.mark.parametrize(("dtype", "value"), [("int64", 2.0**63), ("uint64", 2.0**64)])
def test_values_one_too_large(dtype, value):
    """The largest integer is no float, and PyTorch before 2.15 compares floats."""
    reason = "" if LATER else "it wraps around to the smallest integer"
    pattern = f"value must be in the range of {dtype}"
    x = np.zeros(3, dtype)
    assert_refused("pad", pattern, x, (1, 1), "constant", value, torch_takes=reason)


X = np.arange(5.0)[None]

REFUSALS = [
    ((X, 1), "pad must be a tuple of integers, got 1"),
    ((X, np.array([1, 1])), "pad must be a tuple of integers"),
    ((X, (1,)), "pad must have two integers an axis"),
    ((X, (1,) * 6), "for at most 2 axes"),
    ((X, (1.0, 1)), "pad must be an integer, got 1.0"),
    ((X, (True, 1)), "pad must be an integer, got True"),
    ((X, (-3, -3)), r"pad \(-3, -3\) cuts off more than the 5 cells"),
    ((X, (-7, 3)), "cuts off more than"),
    ((X, (2**62, 2**62)), "makes an axis of"),
    ((X, (2**62, 2**62 - 7), "replicate"), "makes an axis of"),
    (
        (X, (1, 1), "zeros"),
        "mode must be one of constant, reflect, replicate, circular, got 'zeros'",
    ),
    ((X, (1, 1), None), "mode must be one of"),
    ((X, (1, 1), "constant", "a"), "value must be a real number or None"),
    ((X, (1, 1), "constant", 1j), "value must be a real number or None"),
    ((X, (1, 1), "constant", 10**400), "value must be in the range of float64"),
    ((X > 2, (0, 0), "constant", 10**400), "value must be in the range of bool"),
    ((X, (1, 1), "reflect", 1), "value goes with mode='constant' alone, got 1"),
    ((X, (5, 0), "reflect"), "pad must be at most 4 for an axis of 5"),
    ((X, (6, 0), "circular"), "pad must be at most 5 for an axis of 5"),
    ((X, (-2, -3), "reflect"), "leaves 0 of 5 cells"),
    ((X, (-2, -3), "replicate"), "leaves 0 of 5 cells"),
    ((X[0], (1, 1), "reflect"), "pads the last 1, 2 or 3 axes"),
    ((X, (), "reflect"), "pads the last 1, 2 or 3 axes"),
    ((X[:0], (1, 1), "replicate"), r"needs cells to repeat.*shape \(0, 5\)"),
]


@pytest.mark.parametrize(("args", "pattern"), REFUSALS, ids=str)
def test_refusals(args, pattern):
    assert_refused("pad", pattern, *args)


@pytest.mark.parametrize(("pad", "kept"), [((-5, 3), 0), ((-4, 2), 1), ((3, -4), 1)])
def test_what_pytorch_leaves_undefined(pad, kept):
    """PyTorch raises an error about overlapping memory, or answers with whatever was in it."""
    with pytest.raises(ValueError, match=f"pad must be at most {kept} for an axis of 5"):
        convlib.pad(X, pad, "circular")


# The gradient


def torch_gradient(x, grad_output, pad, mode):
    tensor = torch.from_numpy(x).requires_grad_()
    torch.nn.functional.pad(tensor, pad, mode).backward(torch.from_numpy(grad_output))
    return tensor.grad.numpy()


GRADIENTS = [
    ("constant", (2, 4, 5), (1, -2, 3, 0)),
    ("constant", (2, 4, 5), (-1, -2, -4, 0)),
    ("constant", (5,), ()),
    ("reflect", (2, 3, 4, 5), (2, 1, 3, 2)),
    ("reflect", (2, 5), (-1, 2)),
    ("reflect", (2, 5), (4, 4)),
    ("replicate", (2, 4, 5), (5, 1, 0, 9)),
    ("replicate", (2, 4, 5), (-2, 3, 3, -3)),
    ("replicate", (2, 2, 3, 2), (1, 2, 2, 0, 0, 1)),
    ("circular", (2, 3, 4, 5), (2, 2, 4, 4)),
    ("circular", (2, 5), (-1, 3)),
    ("circular", (0, 2, 5), (5, 5)),
]


@pytest.mark.parametrize(("mode", "shape", "pad"), GRADIENTS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_gradient(mode, shape, pad, dtype):
    x = numbers(shape, dtype)
    y = convlib.pad(x, pad, mode)
    grad_output = numbers(y.shape, dtype, 1)
    gradient = convlib.grad.pad_input(shape, grad_output, pad, mode)
    expected = torch_gradient(x, grad_output, pad, mode)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-6)
    assert gradient.dtype == dtype
    assert_own_memory(gradient, grad_output)
    for name, laid_out in layouts(grad_output):
        again = convlib.grad.pad_input(shape, laid_out, pad, mode, None)
        np.testing.assert_array_equal(again, gradient, err_msg=name)


@pytest.mark.parametrize("mode", padding.MODES)
def test_gradient_is_the_adjoint(mode):
    """⟨pad(x), y⟩ = ⟨x, pad_input(y)⟩, exactly, wherever the mode takes the amounts."""
    rng = np.random.default_rng(0)
    compared = 0
    for pad in itertools.product((-2, 0, 1, 3), repeat=4):
        x = rng.integers(-99, 99, (2, 4, 5)).astype(float)
        try:
            padded = convlib.pad(x, pad, mode)
        except ValueError:
            continue
        y = rng.integers(-99, 99, padded.shape).astype(float)
        assert (padded * y).sum() == (x * convlib.grad.pad_input(x.shape, y, pad, mode)).sum()
        compared += 1
    assert compared > 100


def test_float16_gradients_are_added_up_in_float32():
    gradient = np.ones((1, 4096), np.float16)
    assert convlib.grad.pad_input((1, 1), gradient, (4095, 0), "replicate")[0, 0] == 4096


@pytest.mark.parametrize(
    ("args", "error", "pattern"),
    [
        (((5,), np.ones(6), (1, 1)), ValueError, r"grad_output must have shape \(7,\)"),
        (
            ((5,), np.ones(7, int), (1, 1)),
            TypeError,
            "the dtype of grad_output must be one of float16",
        ),
        ((5, np.ones(7), (1, 1)), TypeError, "input_size must be a tuple of integers, got 5"),
        (((5.0,), np.ones(7), (1, 1)), TypeError, "input_size must be an integer"),
        (((-5,), np.ones(7), (1, 1)), ValueError, "input_size must not be negative"),
        (((5,), [1.0] * 7, (1, 1)), TypeError, "grad_output must be a numpy.ndarray"),
        (((5,), np.ones(7), (1, 1), "reflect"), ValueError, "mode='reflect' pads the last 1"),
    ],
)
def test_gradient_refusals(args, error, pattern):
    with pytest.raises(error, match=f"^pad_input: {pattern}"):
        convlib.grad.pad_input(*args)


@pytest.mark.parametrize(("mode", "shape", "pad"), GRADIENTS, ids=str)
def test_on_either_library(xp, mode, shape, pad):
    x = numbers(shape, "float64")
    y = convlib.pad(x, pad, mode)
    assert type(convlib.pad(xp.asarray(x), pad, mode)) is xp.ndarray
    np.testing.assert_array_equal(to_numpy(convlib.pad(xp.asarray(x), pad, mode)), y)
    gradient = convlib.grad.pad_input(shape, xp.asarray(y), pad, mode)
    assert type(gradient) is xp.ndarray
    expected = convlib.grad.pad_input(shape, y, pad, mode)
    np.testing.assert_allclose(to_numpy(gradient), expected, rtol=1e-12)
