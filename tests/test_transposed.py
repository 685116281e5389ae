"""conv_transpose1d, 2d, 3d against PyTorch, and as the adjoint of the convolution."""

from __future__ import annotations

import numpy as np
import pytest
from conv_cases import CASES, Case, arrays, numbers, random_cases
from layouts import assert_own_memory, layouts
from refusals import assert_refused

import convlib
from convlib.validation import assert_matches_torch, to_numpy

# The weight's first axis is the input's channels; its second one, the output's in each group.
TRANSPOSED = [
    Case((2, 4, 5), (4, 3, 3), {}),
    Case((4, 5), (4, 3, 2), {"stride": 3, "output_padding": 2}),
    Case((2, 6, 5), (6, 1, 4), {"groups": 3, "padding": 1, "dilation": 2}),
    Case((2, 4, 5), (4, 2, 3), {"dilation": 3, "output_padding": 2}),  # more than a stride
    Case((2, 4, 5), (4, 2, 1), {"stride": 2, "dilation": 4, "output_padding": 3}),
    Case((2, 4, 3, 5), (4, 3, 3, 3), {}),
    Case((2, 4, 3, 5), (4, 3, 2, 4), {"stride": (2, 3), "padding": (1, 2)}),
    Case((2, 4, 3, 5), (4, 3, 3, 2), {"stride": (3, 2), "output_padding": (2, 1)}),
    Case((2, 6, 4, 3), (6, 2, 2, 3), {"groups": 3, "stride": 2, "padding": 1, "output_padding": 1}),
    Case((4, 4, 3), (4, 1, 3, 2), {"groups": 4, "dilation": (1, 3), "padding": (0, 2)}),
    Case((2, 3, 4, 4), (3, 5, 1, 1), {"stride": 2}),  # cells that nothing is spread to
    Case((2, 3, 4, 5), (3, 5, 1, 1), {"dilation": 3, "output_padding": (2, 1)}),
    Case((1, 3, 4, 4), (3, 2, 2, 2), {"stride": 5}),
    Case((1, 3, 1, 1), (3, 2, 4, 3), {"padding": (1, 0)}),
    Case((0, 3, 4, 4), (3, 2, 3, 3), {"stride": 2}),
    Case((0, 3, 0, 4), (3, 2, 3, 3), {}),
    Case(
        (1, 4, 3, 2, 4), (4, 2, 2, 3, 2), {"groups": 2, "stride": (2, 1, 3), "padding": (1, 0, 1)}
    ),
    Case((4, 3, 2, 4), (4, 2, 2, 2, 3), {"dilation": (2, 1, 2), "output_padding": (1, 0, 1)}),
]


def transposed_arrays(case, dtype="float64"):
    channels = case.weight_shape[1] * case.settings.get("groups", 1)
    x, w, _ = arrays(case, dtype)
    return x, w, numbers((channels,), dtype, 2)


@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "complex64", "complex128", "int64"]
)
def test_values(case, dtype):
    x, w, b = transposed_arrays(case, dtype)
    for bias in (b, None):
        y = assert_matches_torch(f"conv_transpose{case.axes}d", x, w, bias, **case.settings)
        assert_own_memory(y, x, w, b)


@pytest.mark.parametrize("seed", range(4))
def test_random(seed):
    rng = np.random.default_rng(seed)
    answered = 0
    for case in random_cases(300, seed):
        settings = dict(case.settings, output_padding=int(rng.integers(0, 3)))
        x, w, b = transposed_arrays(case._replace(settings=settings))
        lead = x.shape[: x.ndim - case.axes - 1]
        x = numbers((*lead, len(w), *x.shape[-case.axes :]), "float64")
        # PyTorch adds nothing for an empty batch, and so finds no fault with output_padding
        if 0 in x.shape:
            settings["output_padding"] = 0
        name = f"conv_transpose{case.axes}d"
        y = assert_matches_torch(name, x, w, b, **settings)
        answered += y is not None
    assert 100 < answered < 300


# conv_transpose takes no padding in words
IN_NUMBERS = [case for case in CASES if not isinstance(case.settings.get("padding"), str)]


@pytest.mark.parametrize("case", IN_NUMBERS, ids=str)
def test_adjoint(case):
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩, exactly: int64 wraps around and stays associative."""
    x, w, _ = arrays(case, "int64")
    conv, back = (getattr(convlib, f"{name}{case.axes}d") for name in ("conv", "conv_transpose"))
    out = conv(x, w, **case.settings)
    y = numbers(out.shape, "int64", 3)
    size, stride = x.shape[-case.axes :], case.settings.get("stride", 1)
    geometry = [
        case.settings.get(name, default) for name, default in (("padding", 0), ("dilation", 1))
    ]
    smallest = convlib.transposed_output_size(
        y.shape[-case.axes :], w.shape[2:], stride, geometry[0], 0, geometry[1]
    )
    # what the stride left over comes back as output_padding
    extra = tuple(n - m for n, m in zip(size, smallest, strict=True))
    settings = dict(case.settings)
    x_again = back(y, w, **settings, output_padding=extra)
    assert x_again.shape == x.shape
    assert (out * y).sum() == (x * x_again).sum()


@pytest.mark.parametrize("case", TRANSPOSED[1::3], ids=str)
def test_layouts(case):
    x, w, b = transposed_arrays(case)
    function = getattr(convlib, f"conv_transpose{case.axes}d")
    expected = function(x, w, b, **case.settings)
    for (name, xs), (_, ws), (_, bs) in zip(layouts(x), layouts(w), layouts(b), strict=True):
        before = xs.copy(), ws.copy(), bs.copy()
        y = function(xs, ws, bs, **case.settings)
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12, err_msg=name)
        assert_own_memory(y, xs, ws, bs)
        assert y.tobytes() == function(xs, ws, bs, **case.settings).tobytes()
        for array, copy in zip((xs, ws, bs), before, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_float16_is_rounded_once():
    """Taps that meet in one cell, and the bias, are added up in float32."""
    x, w = np.ones((1, 1, 4096), np.float16), np.ones((1, 1, 4096), np.float16)
    y = convlib.conv_transpose1d(x, w, np.array([-4094.0], np.float16))
    assert y[0, 0, 4095] == 2


X, W = np.ones((2, 4, 3, 3)), np.ones((4, 2, 3, 3))

REFUSALS = [
    ({"stride": ()}, "stride must be one integer or 2"),
    ({"stride": 0}, "stride must be at least 1"),
    ({"stride": 1.5}, "stride must be an integer"),
    ({"padding": "same"}, "padding must be an integer, got 'same'"),
    ({"padding": "valid"}, "padding must be an integer, got 'valid'"),
    ({"padding": -1}, "padding must be at least 0"),
    ({"padding": 4}, "padding 4 cuts off more than there is: the output would have -3 cells"),
    ({"dilation": 0}, "dilation must be at least 1"),
    ({"dilation": True}, "dilation must be an integer"),
    ({"output_padding": 1}, "output_padding must be smaller than stride or dilation.*padding 1"),
    ({"output_padding": (0, 2), "stride": 2, "dilation": 2}, "output_padding must be smaller"),
    ({"output_padding": (1, 1), "stride": (2, 1)}, "output_padding must be smaller"),
    ({"output_padding": -1, "stride": 2}, "output_padding must be at least 0"),
    ({"output_padding": ()}, "output_padding must be one integer or 2"),
    ({"groups": 0}, "groups must be at least 1"),
    ({"groups": 3}, "4 input channels must be a positive multiple of groups=3"),
    ({"groups": 1.0}, "groups must be an integer"),
    ({"bias": np.ones(4)}, r"bias must have shape \(2,\)"),
    ({"bias": np.ones(2), "groups": 2}, r"bias must have shape \(4,\)"),
    ({"bias": np.ones((2, 1))}, r"bias must have shape \(2,\)"),
    ({"input": X[0, 0]}, "input must have 4 axes"),
    ({"input": X[:, :3]}, r"input must have 4 channels, got 3"),
    ({"input": X[:, :, :0]}, "at least one cell along each spatial axis"),
    ({"input": X.astype("f4")}, "same dtype"),
    ({"weight": W[0]}, "weight must have 4 axes"),
    ({"weight": W[:0], "input": X[:, :0]}, "0 input channels must be a positive multiple"),
    ({"weight": W[:, :, :0]}, "at least one tap"),
]


@pytest.mark.parametrize(("changes", "pattern"), REFUSALS, ids=str)
def test_refusals(changes, pattern):
    assert_refused("conv_transpose2d", pattern, **{"input": X, "weight": W, **changes})


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "bool", "uint16", "uint64"])
def test_dtypes_refused(dtype):
    x, w = X.astype(dtype), W.astype(dtype)
    assert_refused("conv_transpose2d", "dtype of input must be one of", x, w)


DIFFERENCES = [
    (
        {"input": X[:0], "output_padding": 2},
        "output_padding must be smaller",
        "an empty batch: PyTorch computes nothing, and so finds no fault",
    ),
    (
        {"bias": np.ones(2, np.float32)},
        "input and bias must have the same dtype",
        "PyTorch promotes a bias in some of its code and refuses it in the rest",
    ),
]


@pytest.mark.parametrize(("changes", "pattern", "reason"), DIFFERENCES)
def test_differences_from_pytorch(changes, pattern, reason):
    """Refused on purpose, each with its reason."""
    call = {"input": X, "weight": W, **changes}
    assert_refused("conv_transpose2d", pattern, **call, torch_takes=reason)


@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
def test_on_either_library(xp, case):
    x, w, b = transposed_arrays(case)
    function = getattr(convlib, f"conv_transpose{case.axes}d")
    y = function(*map(xp.asarray, (x, w, b)), **case.settings)
    assert type(y) is xp.ndarray
    expected = function(x, w, b, **case.settings)
    np.testing.assert_allclose(to_numpy(y), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(
    ("settings", "pattern"),
    [
        ({"stride": 2**62}, "the output of shape .* cells, too many"),
        ({"dilation": 2**61}, "the output of shape .* cells, too many"),
        ({"stride": 2**59, "output_padding": 2**58}, "the output of shape .* cells, too many"),
        ({"padding": 2**61, "dilation": 2**61}, r"padding \d+ and \d+ makes an axis of \d+ cells"),
    ],
    ids=str,
)
def test_more_cells_than_memory_has(axes, settings, pattern):
    """No torch here: its sizes wrap around."""
    x, w = np.zeros((1, 1, *[3] * axes)), np.zeros((1, 1, *[3] * axes))
    function = f"conv_transpose{axes}d"
    with pytest.raises(ValueError, match=f"^{function}: {pattern}"):
        getattr(convlib, function)(x, w, **settings)
    with pytest.raises(ValueError, match=f"^{function}_input: {pattern}"):
        getattr(convlib.grad, f"{function}_input")(x.shape, w, x, **settings)
    with pytest.raises(ValueError, match=f"^{function}_weight: {pattern}"):
        getattr(convlib.grad, f"{function}_weight")(x, w.shape, x, **settings)


def test_several_axes_are_more_cells_than_memory_has():
    x = np.zeros((1, 1, 2, 2))
    with pytest.raises(
        ValueError, match=r"^conv_transpose2d: the output of shape \(1, 1, \d+, \d+"
    ):
        convlib.conv_transpose2d(x, x, stride=2**40)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_no_cell_left_is_refused_unless_there_is_no_image(axes):
    """PyTorch's own loops refuse it, in float64 always; without an image it answers."""
    function = f"conv_transpose{axes}d"
    weight = np.zeros((2, 1, *[3] * axes))
    for shape in [(2, 2, *[2] * axes), (2, *[2] * axes)]:
        assert assert_matches_torch(function, np.zeros(shape), weight, stride=1, padding=2) is None
        with pytest.raises(ValueError, match=rf"^{function}: padding .* cuts off every cell"):
            getattr(convlib, function)(np.zeros(shape), weight, padding=2)
    empty = assert_matches_torch(function, np.zeros((0, 2, *[2] * axes)), weight, padding=2)
    assert empty.shape == (0, 1, *[0] * axes)
