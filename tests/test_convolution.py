"""conv1d, conv2d and conv3d against PyTorch and against loops, in values and in refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conv_cases import CASES, arrays, numbers, random_cases
from layouts import assert_own_memory, layouts
from refusals import assert_refused

import convlib
from convlib.validation import assert_matches_torch, to_numpy

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
DTYPES = ["float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_floats(case, dtype):
    x, w, b = arrays(case, dtype)
    for bias in (b, None):
        y = assert_matches_torch(f"conv{case.axes}d", x, w, bias, **case.settings)
        assert_own_memory(y, x, w, b)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_wrap_around(case, dtype):
    """Exact, modulo 2ⁿ; with dilation PyTorch takes int64 alone, and refuses the rest."""
    x, w, b = arrays(case, dtype)
    assert_matches_torch(f"conv{case.axes}d", x, w, b, **case.settings)


def by_hand(x, w, settings):
    """One product at a time, for integer settings and 2-d input with a batch."""
    s, p, d = (
        np.broadcast_to(settings.get(k, v), 2)
        for k, v in zip(("stride", "padding", "dilation"), (1, 0, 1), strict=True)
    )
    g = settings.get("groups", 1)
    size = convlib.output_size(x.shape[2:], w.shape[2:], s.tolist(), p.tolist(), d.tolist())
    y = np.zeros((x.shape[0], w.shape[0], *size), x.dtype)
    per_group = w.shape[0] // g
    for n, o, h, v in np.ndindex(*y.shape):
        for i, k, l in np.ndindex(*w.shape[1:]):
            row, column = h * s[0] + k * d[0] - p[0], v * s[1] + l * d[1] - p[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                channel = o // per_group * w.shape[1] + i
                with np.errstate(over="ignore"):
                    y[n, o, h, v] += x[n, channel, row, column] * w[o, i, k, l]
    return y


# The loops know a batch, two axes and integers as settings.
LOOPED = [
    case
    for case in CASES
    if len(case.input_shape) == 4 and not isinstance(case.settings.get("padding"), str)
]


@pytest.mark.parametrize("case", [case for case in LOOPED if case.axes == 2], ids=str)
def test_by_hand(case):
    x, w, _ = arrays(case, "int64")
    np.testing.assert_array_equal(
        convlib.conv2d(x, w, **case.settings), by_hand(x, w, case.settings)
    )


@pytest.mark.parametrize("seed", range(6))
def test_random(seed):
    """300 random calls a seed: the same values, or the same refusal."""
    answered = 0
    for case in random_cases(300, seed):
        x, w, b = arrays(case, "float64")
        y = assert_matches_torch(f"conv{case.axes}d", x, w, b, **case.settings)
        answered += y is not None
    assert 150 < answered < 300


@pytest.mark.parametrize("case", CASES[5::4], ids=str)
def test_layouts(case):
    x, w, b = arrays(case)
    function = getattr(convlib, f"conv{case.axes}d")
    expected = function(x, w, b, **case.settings)
    for (name, xs), (_, ws), (_, bs) in zip(layouts(x), layouts(w), layouts(b), strict=True):
        before = xs.copy(), ws.copy(), bs.copy()
        y = function(xs, ws, bs, **case.settings)
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12, err_msg=name)
        assert_own_memory(y, xs, ws, bs)
        for array, copy in zip((xs, ws, bs), before, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_broadcast_arguments():
    row, one, b = numbers((7,), "float64"), np.ones((1, 1, 1, 1)), np.ones(1)
    x = np.broadcast_to(row, (2, 3, 6, 7))
    w, bias = np.broadcast_to(one, (4, 3, 3, 2)), np.broadcast_to(b, (4,))
    assert_matches_torch("conv2d", x, w, bias, padding=1)


@pytest.mark.parametrize("dtype", [*DTYPES, "int32"])
def test_same_bits_again(dtype):
    x, w, b = (numbers(s, dtype, i) for i, s in enumerate([(2, 8, 17, 19), (16, 8, 3, 3), (16,)]))
    first = convlib.conv2d(x, w, b, padding=1)
    for _ in range(3):
        assert convlib.conv2d(x.copy(), w.copy(), b, padding=1).tobytes() == first.tobytes()


def test_float16_is_added_up_in_float32():
    """2048 + 1 is 2048 in float16: a sum of 4096 ones gets there only in a wider dtype."""
    ones = np.ones((1, 4096, 1), np.float16)
    assert convlib.conv1d(ones, ones)[0, 0, 0] == 4096
    # the bias is added before the one rounding, too: 2049 + 0.5 rounds up, 2048 + 0.5 would not
    y = convlib.conv1d(ones[:, :2049], ones[:, :2049], np.array([0.5], np.float16))
    assert y[0, 0, 0] == np.float16(2049.5) == 2050


EMPTY = [
    ((0, 3, 6, 6), (4, 3, 3, 3), {}),
    ((0, 3, 0, 6), (4, 3, 1, 3), {"padding": 1}),
    # An input without channels gives an output without channels, whatever the weight says:
    ((2, 0, 6, 6), (4, 0, 3, 3), {}),
    ((2, 0, 6, 6), (4, 0, 3, 3), {"groups": 2, "padding": 1}),
    ((0, 6, 6), (4, 0, 3, 3), {}),
    ((2, 0, 0, 6), (4, 0, 1, 3), {"padding": 1}),
]


@pytest.mark.parametrize(("x", "w", "settings"), EMPTY)
def test_empty(x, w, settings):
    x, w = np.ones(x), np.ones(w)
    assert_matches_torch("conv2d", x, w, None, **settings)
    assert_own_memory(assert_matches_torch("conv2d", x, w, np.ones(4), **settings))


X, W, B = np.ones((2, 4, 6, 6)), np.ones((6, 2, 3, 3)), np.ones(6)
NO_CHECK = "an empty batch: PyTorch computes nothing, and so finds no fault"

SHAPE_REFUSALS = [
    ((6, 6), W.shape, B.shape, {"groups": 2}, r"input must have 4 axes .* or 3 without the batch"),
    ((1, 2, 4, 6, 6), W.shape, None, {"groups": 2}, "input must have 4 axes"),
    (X.shape, (6, 2, 3), None, {}, r"weight must have 4 axes.*got shape \(6, 2, 3\)"),
    (X.shape, (6, 4), None, {}, "weight must have 4 axes"),
    (X.shape, (6, 3, 3, 3), None, {}, r"must have 3 \* 1 = 3 channels, got 4"),
    (X.shape, (6, 2, 3, 3), None, {"groups": 3}, r"must have 2 \* 3 = 6 channels, got 4"),
    (X.shape, (5, 2, 3, 3), None, {"groups": 2}, "5 output channels must be a positive multiple"),
    (X.shape, (0, 4, 3, 3), None, {}, "0 output channels must be a positive multiple of groups=1"),
    (X.shape, (6, 4, 0, 3), None, {}, "weight must have at least one tap"),
    (X.shape, (6, 4, 7, 3), None, {}, "kernel spans 7 .*padded input has 6"),
    (X.shape, (6, 4, 3, 3), None, {"padding": "valid", "dilation": 3}, "kernel spans 7"),
    (X.shape, (6, 4, 3, 3), (5,), {}, r"bias must have shape \(6,\).*got \(5,\)"),
    (X.shape, (6, 4, 3, 3), (6, 1), {}, r"bias must have shape \(6,\)"),
    (X.shape, (6, 4, 3, 3), (), {}, r"bias must have shape \(6,\)"),
    ((2, 4, 0, 6), (6, 4, 1, 3), None, {"padding": 1}, "at least one cell along each spatial"),
    ((4, 0, 6), (6, 4, 1, 3), None, {"padding": 1}, "at least one cell along each spatial"),
    ((0, 4, 2, 2), (6, 4, 3, 3), None, {}, "kernel spans 3"),
    ((2, 0, 6, 6), (0, 0, 3, 3), None, {}, "0 output channels"),
]


@pytest.mark.parametrize(("x", "w", "b", "settings", "pattern"), SHAPE_REFUSALS)
def test_shapes_that_do_not_fit(x, w, b, settings, pattern):
    bias = None if b is None else np.ones(b)
    assert_refused("conv2d", pattern, np.ones(x), np.ones(w), bias, **settings)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_each_names_itself(axes):
    x, w = np.ones((2, 4) + (6,) * axes), np.ones((6, 3) + (3,) * axes)
    assert_refused(f"conv{axes}d", f"{axes + 2} axes", x[0, 0], w)
    assert_refused(f"conv{axes}d", "must have 3", x, w)
    assert_refused(f"conv{axes}d", "stride must be at least 1", x, w[:, :1], stride=0, groups=4)


@pytest.mark.parametrize(
    ("x", "w", "b", "pattern"),
    [
        ("float32", "float64", None, "input and weight must have the same dtype, got float32 and"),
        ("float64", "float64", "float32", "input and bias must have the same dtype"),
        ("complex64", "float32", None, "same dtype"),
        ("complex64", "complex64", "float32", "same dtype"),
        ("int64", "int64", "float64", "same dtype"),
        ("int32", "int64", None, "same dtype"),
        ("bool", "bool", None, "dtype of input must be one of float16"),
        ("uint16", "uint16", None, "must be one of .*, got uint16"),
        ("uint32", "uint32", None, "must be one of"),
        ("uint64", "uint64", None, "must be one of"),
    ],
)
def test_dtypes_that_do_not_fit(x, w, b, pattern):
    bias = None if b is None else B.astype(b)
    assert_refused("conv2d", pattern, X.astype(x), W.astype(w), bias, groups=2)


@pytest.mark.parametrize("dtype", ["bool", "uint16"])
def test_an_empty_batch_is_checked_like_any_other(dtype):
    x, w = np.ones((0, 4, 6, 6), dtype), np.ones((6, 4, 3, 3), dtype)
    assert_refused("conv2d", "dtype of input must be one of", x, w, torch_takes=NO_CHECK)


@pytest.mark.parametrize("dtype", [">f4", "longdouble", "object", "S3", "M8[s]", "f4,f4"])
def test_dtypes_that_pytorch_does_not_have(dtype):
    x, w = np.zeros((1, 1, 3, 3)).astype(dtype), np.zeros((1, 1, 3, 3)).astype(dtype)
    if dtype == "longdouble" and x.dtype == np.float64:
        pytest.skip("here longdouble is float64")
    with pytest.raises(TypeError, match="^conv2d: the dtype of input must be one of"):
        convlib.conv2d(x, w)


@pytest.mark.parametrize(
    ("x", "pattern"),
    [
        (X.tolist(), "input must be a numpy.ndarray or a cupy.ndarray, got builtins.list"),
        (torch.ones(2, 4, 6, 6), "input .*got torch.Tensor"),
        (np.ma.masked_array(X), "input .*got numpy.ma"),
        (np.array([1.0]).view(np.recarray), "input .*got numpy.*recarray"),
        (None, "input must be a numpy.ndarray .*, got builtins.NoneType"),
        (3.0, "input .*got builtins.float"),
    ],
)
def test_no_arrays(x, pattern):
    with pytest.raises(TypeError, match=f"^conv2d: {pattern}"):
        convlib.conv2d(x, W, B, groups=2)
    with pytest.raises(TypeError, match="^conv2d: weight must be a numpy.ndarray"):
        convlib.conv2d(X, None)


def test_refused_before_any_work(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("an array was made for a call that is refused")

    for name in ("zeros", "empty", "full", "array"):
        monkeypatch.setattr(np, name, never)
    for settings in ({"stride": 0}, {"groups": 4}, {"dilation": 3}, {"padding": "SAME"}):
        with pytest.raises(ValueError, match="^conv2d: "):
            convlib.conv2d(X, W, B, **{"groups": 2, **settings})
    with pytest.raises(TypeError, match="^conv2d: "):
        convlib.conv2d(X, W, B.astype(np.float32), groups=2)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_on_either_library(xp, case):
    x, w, b = arrays(case)
    function = getattr(convlib, f"conv{case.axes}d")
    y = function(*map(xp.asarray, (x, w, b)), **case.settings)
    assert type(y) is xp.ndarray
    np.testing.assert_allclose(
        to_numpy(y), function(x, w, b, **case.settings), rtol=1e-10, atol=1e-10
    )
