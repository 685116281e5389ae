"""Gradients against PyTorch's autograd and torch.nn.grad, first and second derivatives."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from conv_cases import CASES, arrays, numbers, random_cases
from layouts import assert_own_memory, layouts
from refusals import assert_refused
from test_transposed import TRANSPOSED, transposed_arrays

import convlib
from convlib import grad
from convlib.validation import assert_matches_torch, to_numpy

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
DTYPES = ["float16", "float32", "float64", "complex64", "complex128"]
TOLERANCE = {"float16": 4e-3, "float32": 3e-5, "complex64": 3e-5}


def assert_near(actual, expected, dtype):
    """Equal up to some roundings of the largest value."""
    assert actual.shape == expected.shape and actual.dtype == dtype
    scale = np.abs(expected).max(initial=1)
    tolerance = TOLERANCE.get(dtype, 1e-11) * scale
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def autograd(name, tensors, settings, seed=9):
    """Call PyTorch's function and pull a random gradient back to the input, weight and bias."""
    leaves = [torch.from_numpy(np.array(array)).requires_grad_() for array in tensors]
    y = getattr(torch.nn.functional, name)(*leaves, **settings)
    grad_output = numbers(tuple(y.shape), str(y.dtype).removeprefix("torch."), seed)
    y.backward(torch.from_numpy(grad_output))
    return grad_output, [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_convolution(case, dtype):
    x, w, b = arrays(case, dtype)
    name = f"conv{case.axes}d"
    grad_output, expected = autograd(name, (x, w, b), case.settings)
    results = (
        getattr(grad, f"{name}_input")(x.shape, w, grad_output, **case.settings),
        getattr(grad, f"{name}_weight")(x, w.shape, grad_output, **case.settings),
        getattr(grad, f"{name}_bias")(grad_output),
    )
    for result, gradient in zip(results, expected, strict=True):
        assert_near(result, gradient, dtype)
        assert_own_memory(result, x, w, grad_output)


@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed(case, dtype):
    x, w, b = transposed_arrays(case, dtype)
    name = f"conv_transpose{case.axes}d"
    grad_output, expected = autograd(name, (x, w, b), case.settings)
    results = (
        getattr(grad, f"{name}_input")(x.shape, w, grad_output, **case.settings),
        getattr(grad, f"{name}_weight")(x, w.shape, grad_output, **case.settings),
        getattr(grad, f"conv{case.axes}d_bias")(grad_output),
    )
    for result, gradient in zip(results, expected, strict=True):
        assert_near(result, gradient, dtype)
        assert_own_memory(result, x, w, grad_output)


@pytest.mark.parametrize("seed", range(4))
def test_random_against_torch_nn_grad(seed):
    answered = 0
    for case in random_cases(200, seed):
        x, w, _ = arrays(case)
        if x.ndim == case.axes + 1 or isinstance(case.settings.get("padding"), str):
            continue  # torch.nn.grad takes neither
        name = f"conv{case.axes}d"
        try:
            y = getattr(convlib, name)(x, w, **case.settings)
        except ValueError:
            y = np.ones((len(x), len(w), *(2,) * case.axes))
        grad_output = numbers(y.shape, "float64", 5)
        for result in (
            assert_matches_torch(f"{name}_input", x.shape, w, grad_output, **case.settings),
            assert_matches_torch(f"{name}_weight", x, w.shape, grad_output, **case.settings),
        ):
            answered += result is not None
    assert answered > 100


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_integers(dtype, dilation):
    """torch.nn.grad takes integers where there is dilation, and int64 alone."""
    x, w = numbers((2, 4, 7, 7), dtype), numbers((4, 4, 3, 3), dtype)
    size = 7 - 2 * dilation
    g = numbers((2, 4, size, size), dtype)
    for result in (
        assert_matches_torch("conv2d_input", x.shape, w, g, dilation=dilation),
        assert_matches_torch("conv2d_weight", x, w.shape, g, dilation=dilation),
    ):
        assert (result is not None) == (dtype == "int64" and dilation == 2)


FOLDS = [
    ((2, 3, 7, 8), ((3, 2), (2, 1), (1, 2), (2, 3))),
    ((3, 5, 5), (2, 1, 0, 1)),
    ((0, 2, 4, 4), (3, 1, 1, 2)),
]


@pytest.mark.parametrize(("shape", "settings"), FOLDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_unfold_and_fold(shape, settings, dtype):
    names = ("kernel_size", "dilation", "padding", "stride")
    settings = dict(zip(names, settings, strict=True))
    x = numbers(shape, dtype)
    grad_columns, (expected,) = autograd("unfold", (x,), settings)
    assert_near(grad.unfold_input(shape, grad_columns, **settings), expected, dtype)
    fold_settings = {"output_size": shape[-2:], **settings}
    grad_image, (expected,) = autograd("fold", (grad_columns,), fold_settings)
    result = grad.fold_input(grad_columns.shape, grad_image, **fold_settings)
    assert_near(result, expected, dtype)
    assert_own_memory(result, grad_image)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("direction", ["conv", "conv_transpose"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_second_derivatives(axes, direction, dtype):
    """Composed from the first ones: a gradient is linear in each of its two arrays.

    With y = conv(x, w), and gx, gw the gradients that PyTorch's first backward pass gives, the
    second pass pulls v and u, gradients for gx and gw, back to x, w and grad_output.
    """
    name = f"{direction}{axes}d"
    settings = {"stride": 2, "padding": 1, "dilation": (2, 1, 2)[:axes], "groups": 2}
    if direction == "conv":
        w = numbers((6, 2) + (3, 2, 2)[:axes], dtype, 1)
    else:
        w = numbers((4, 3) + (3, 2, 2)[:axes], dtype, 1)
        settings["output_padding"] = 1
    x = numbers((2, 4) + (6, 7, 5)[:axes], dtype, 0)

    tx, tw = (torch.from_numpy(array).requires_grad_() for array in (x, w))
    y = getattr(torch.nn.functional, name)(tx, tw, **settings)
    g = numbers(tuple(y.shape), dtype, 2)
    tg = torch.from_numpy(g).requires_grad_()
    gx, gw = torch.autograd.grad(y, (tx, tw), tg, create_graph=True)
    v, u = numbers(x.shape, dtype, 3), numbers(w.shape, dtype, 4)
    expected = torch.autograd.grad(
        (gx, gw), (tx, tw, tg), (torch.from_numpy(v), torch.from_numpy(u))
    )

    forward = getattr(convlib, name)
    for_input, for_weight = (getattr(grad, f"{name}_{part}") for part in ("input", "weight"))
    results = (
        # gx = conv_input(conj w, g) and gw = conv_weight(conj x, g): swap what is varied
        for_input(x.shape, u, g, **settings),
        for_weight(v, w.shape, g, **settings),
        forward(v, w, **settings) + forward(x, u, **settings),
    )
    assert_near(
        to_numpy(getattr(grad, f"{name}_input")(x.shape, w, g, **settings)),
        gx.detach().numpy(),
        dtype,
    )
    for result, gradient in zip(results, expected, strict=True):
        assert_near(result, gradient.resolve_conj().numpy(), dtype)


def test_numerical_derivative():
    """Independently of PyTorch: the change of the output along a direction, by differences."""
    x, w = numbers((2, 4, 5, 6), "float64"), numbers((6, 2, 3, 2), "float64", 1)
    settings = {"stride": (2, 1), "padding": 1, "groups": 2}
    y = convlib.conv2d(x, w, **settings)
    g, dx, dw = (numbers(a.shape, "float64", 2) for a in (y, x, w))
    # the convolution is linear in each, so that a difference has no error but rounding
    along_x = ((convlib.conv2d(x + dx, w, **settings) - y) * g).sum()
    along_w = ((convlib.conv2d(x, w + dw, **settings) - y) * g).sum()
    gx = grad.conv2d_input(x.shape, w, g, **settings)
    gw = grad.conv2d_weight(x, w.shape, g, **settings)
    assert np.isclose(along_x, (gx * dx).sum(), rtol=1e-12)
    assert np.isclose(along_w, (gw * dw).sum(), rtol=1e-12)


@pytest.mark.parametrize("case", CASES[3::6], ids=str)
def test_layouts(case):
    x, w, _ = arrays(case)
    name = f"conv{case.axes}d"
    g = numbers(getattr(convlib, name)(x, w, **case.settings).shape, "float64", 5)
    for_input, for_weight = (getattr(grad, f"{name}_{part}") for part in ("input", "weight"))
    gx, gw = for_input(x.shape, w, g, **case.settings), for_weight(x, w.shape, g, **case.settings)
    for (label, xs), (_, ws), (_, gs) in zip(layouts(x), layouts(w), layouts(g), strict=True):
        before = [a.copy() for a in (xs, ws, gs)]
        for result, expected in (
            (for_input(x.shape, ws, gs, **case.settings), gx),
            (for_weight(xs, w.shape, gs, **case.settings), gw),
        ):
            np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12, err_msg=label)
            assert_own_memory(result, xs, ws, gs)
        for array, copy in zip((xs, ws, gs), before, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_broadcast_gradient():
    """The gradient of a sum is one number, broadcast: all strides are 0."""
    x, w = numbers((2, 3, 5, 5), "float64"), numbers((4, 3, 2, 2), "float64", 1)
    g = np.broadcast_to(np.float64(1), (2, 4, 4, 4))
    assert_matches_torch("conv2d_input", x.shape, w, g)
    assert_matches_torch("conv2d_weight", x, w.shape, g)
    np.testing.assert_array_equal(grad.conv2d_bias(g), np.full(4, 32.0))


X, W, G = np.ones((2, 4, 6, 6)), np.ones((6, 2, 3, 3)), np.ones((2, 6, 4, 4))
S, K = X.shape, W.shape
UNCHECKED = "PyTorch does not look at it"

# Each changes one argument of a call that fits, `groups=2`.
INPUT_REFUSALS = [
    (
        {"grad_output": G[:, :, :3]},
        r"grad_output must have shape \(2, 6, 4, 4\).*got \(2, 6, 3, 4\)",
    ),
    ({"grad_output": np.ones((2, 6, 5, 4))}, "grad_output must have shape"),
    ({"grad_output": G[:1].astype("f4"), "weight": W.astype("f4")}, "grad_output must have shape"),
    ({"grad_output": G[:, :5]}, "grad_output must have shape"),
    ({"grad_output": G[0]}, "grad_output must have shape"),
    ({"grad_output": G.astype("f4")}, "weight and grad_output must have the same dtype"),
    (
        {"grad_output": G.astype(int), "weight": W.astype(int)},
        "dtype of weight must be one of float16",
    ),
    ({"grad_output": G.tolist()}, "grad_output must be a numpy.ndarray"),
    ({"input_size": (2, 3, 6, 6)}, r"must have 2 \* 2 = 4 channels, got 3"),
    ({"input_size": (2, 4, 6)}, "must have"),
    ({"input_size": (2, 4, 6.0, 6)}, "input_size must be an integer, got 6.0"),
    ({"input_size": (2, 4, -6, 6)}, "input_size must not be negative"),
    ({"input_size": 6}, "input_size must be a tuple of integers, got 6"),
    ({"stride": 0}, "stride must be at least 1"),
    ({"stride": 2}, r"grad_output must have shape \(2, 6, 2, 2\)"),
    ({"padding": -1}, "padding must be at least 0"),
    ({"padding": "SAME"}, "padding must be integers, 'same' or 'valid'"),
    ({"dilation": 3}, "kernel spans 7"),
    ({"groups": 4}, "must be a positive multiple of groups=4"),
    ({"groups": 1}, "must have 2 . 1 = 2 channels"),
]


@pytest.mark.parametrize(("changes", "pattern"), INPUT_REFUSALS, ids=str)
def test_input_refusals(changes, pattern):
    call = {"input_size": S, "weight": W, "grad_output": G, "groups": 2, **changes}
    assert_refused("conv2d_input", pattern, **call)


WEIGHT_REFUSALS = [
    ({"grad_output": G[:, :, :3]}, r"grad_output must have shape \(2, 6, 4, 4\)"),
    ({"grad_output": G[:, :5]}, "grad_output must have shape"),
    ({"grad_output": G.astype("f4")}, "input and grad_output must have the same dtype"),
    (
        {"input": X.astype(int), "grad_output": G.astype(int)},
        "dtype of input must be one of float16",
    ),
    ({"input": X[:, :3]}, "must have 2 . 2 = 4 channels, got 3"),
    ({"weight_size": (6, 2, 3)}, "weight must have 4 axes"),
    ({"weight_size": (6, 3, 3, 3)}, "must have 3 . 2 = 6 channels"),
    ({"weight_size": (6, 2, 0, 3)}, "at least one tap"),
    ({"weight_size": [6, 2, 3, None]}, "weight_size must be an integer, got None"),
    ({"weight_size": 3}, "weight_size must be a tuple of integers"),
    ({"stride": (1, 2)}, r"grad_output must have shape \(2, 6, 4, 2\)"),
]


@pytest.mark.parametrize(("changes", "pattern"), WEIGHT_REFUSALS, ids=str)
def test_weight_refusals(changes, pattern):
    call = {"input": X, "weight_size": K, "grad_output": G, "groups": 2, **changes}
    assert_refused("conv2d_weight", pattern, **call)


# What torch.nn.grad answers although it fits nothing: more images, which its code for float64 leaves
# out, and channels that the output cannot have.
FORGOTTEN = [
    ("conv2d_input", (S, W, np.ones((3, 6, 4, 4))), {"groups": 2}, r"shape \(2, 6, 4, 4\)"),
    ("conv2d_weight", (X, K, np.ones((3, 6, 4, 4))), {"groups": 2}, r"shape \(2, 6, 4, 4\)"),
    ("conv2d_input", ((2, 0, 6, 6), np.ones((4, 0, 3, 3)), X[:, :, :4, :4]), {}, r"\(2, 0, 4, 4\)"),
]


@pytest.mark.parametrize(("name", "args", "settings", "pattern"), FORGOTTEN)
def test_what_pytorch_forgets_to_check(name, args, settings, pattern):
    assert_refused(
        name, f"grad_output must have .*{pattern}", *args, torch_takes=UNCHECKED, **settings
    )


def test_too_few_images():
    """Not tried on PyTorch: its code for float64 reads past the end of them."""
    with pytest.raises(ValueError, match=r"^conv2d_input: grad_output must have shape \(2, 6"):
        grad.conv2d_input(S, W, G[:1], groups=2)
    with pytest.raises(ValueError, match=r"^conv2d_weight: grad_output must have shape \(2, 6"):
        grad.conv2d_weight(X, K, G[:1], groups=2)


def test_no_channels():
    size, w, g = (2, 0, 6, 6), np.ones((4, 0, 3, 3)), np.ones((2, 0, 4, 4))
    assert_matches_torch("conv2d_input", size, w, g)
    assert_matches_torch("conv2d_weight", np.ones(size), w.shape, g)


def test_more_than_torch_nn_grad():
    """What conv2d takes has a gradient here, as in autograd: words for padding, and no batch."""
    for settings in ({"padding": "same"}, {"padding": "valid"}):
        g = convlib.conv2d(X, W, groups=2, **settings)
        result = grad.conv2d_input(S, W, g, groups=2, **settings)
        amount = {"same": 1, "valid": 0}[settings["padding"]]
        np.testing.assert_array_equal(result, grad.conv2d_input(S, W, g, 1, amount, groups=2))
        with pytest.raises(RuntimeError):
            torch.nn.grad.conv2d_input(S, torch.ones(K), torch.ones(g.shape), groups=2, **settings)
    result = grad.conv2d_input(S[1:], W, G[0], groups=2)
    np.testing.assert_array_equal(result, grad.conv2d_input(S, W, G, groups=2)[0])
    result = grad.conv2d_weight(X[0], K, G[0], groups=2)
    np.testing.assert_array_equal(2 * result, grad.conv2d_weight(X, K, G, groups=2))


OTHER_REFUSALS = [
    (
        "conv_transpose2d_input",
        ((2, 6, 4, 4), W, np.ones((2, 2, 5, 6))),
        {},
        r"shape \(2, 2, 6, 6\)",
    ),
    (
        "conv_transpose2d_input",
        ((2, 6, 4, 4), W, X),
        {"output_padding": 1},
        "output_padding must be",
    ),
    ("conv_transpose2d_input", ((2, 6, 4, 4), W, np.ones((2, 2, 6, 6), "f4")), {}, "same dtype"),
    (
        "conv_transpose2d_weight",
        (G, (6, 2, 3, 3), np.ones((2, 2, 6, 5))),
        {},
        r"shape \(2, 2, 6, 6\)",
    ),
    (
        "conv_transpose2d_weight",
        (G, (5, 2, 3, 3), np.ones((2, 2, 6, 6))),
        {},
        "must have 5 channels",
    ),
    ("conv2d_bias", (np.ones((2, 3)),), {}, "grad_output must have 4 axes"),
    ("conv2d_bias", (np.ones((2, 3, 4, 4), int),), {}, "dtype of grad_output must be one of"),
    ("conv2d_bias", (None,), {}, "grad_output must be a numpy.ndarray"),
    (
        "unfold_input",
        ((3, 5, 5), np.ones((12, 15)), 2),
        {},
        r"grad_output must have shape \(12, 16\)",
    ),
    (
        "unfold_input",
        ((3, 5, 5), np.ones((12, 16), bool), 2),
        {},
        "dtype of grad_output must be one",
    ),
    ("unfold_input", ((3, 0, 5), np.ones((12, 16)), 2), {}, "the image must have shape"),
    ("fold_input", ((12, 16), np.ones((3, 5, 4)), 5, 2), {}, r"must have shape \(3, 5, 5\)"),
    ("fold_input", ((12, 15), np.ones((3, 5, 5)), 5, 2), {}, r"input must have shape \(12, 16\)"),
    (
        "fold_input",
        ((12, 16), np.ones((3, 5, 5), int), 5, 2),
        {},
        "dtype of grad_output must be one",
    ),
]


@pytest.mark.parametrize(("name", "args", "settings", "pattern"), OTHER_REFUSALS)
def test_other_refusals(name, args, settings, pattern):
    assert_refused(name, pattern, *args, **settings)


def test_signatures_are_those_of_torch_nn_grad():
    for axes, part in ((a, p) for a in (1, 2, 3) for p in ("input", "weight")):
        name = f"conv{axes}d_{part}"
        ours, theirs = (inspect.signature(getattr(m, name)) for m in (grad, torch.nn.grad))
        # `algorithm` is ours, and keyword-only
        assert ours.parameters["algorithm"].kind is inspect.Parameter.KEYWORD_ONLY
        ours = [p for p in ours.parameters.values() if p.name != "algorithm"]
        assert [str(p) for p in ours] == [str(p) for p in theirs.parameters.values()]


def test_float16_is_added_up_in_float32():
    ones = np.ones((1, 1, 4096), np.float16)
    assert grad.conv1d_bias(ones)[0] == 4096
    assert grad.conv1d_weight(ones, (1, 1, 1), ones)[0, 0, 0] == 4096
    assert grad.conv1d_input((1, 1, 8191), ones, ones)[0, 0, 4095] == 4096


@pytest.mark.parametrize("case", CASES[::3], ids=str)
def test_on_either_library(xp, case):
    x, w, _ = arrays(case)
    name = f"conv{case.axes}d"
    g = numbers(getattr(convlib, name)(x, w, **case.settings).shape, "float64", 5)
    xx, xw, xg = map(xp.asarray, (x, w, g))
    for part, args, on_cpu in (
        ("input", (x.shape, xw, xg), (x.shape, w, g)),
        ("weight", (xx, w.shape, xg), (x, w.shape, g)),
    ):
        function = getattr(grad, f"{name}_{part}")
        result = function(*args, **case.settings)
        assert type(result) is xp.ndarray
        expected = function(*on_cpu, **case.settings)
        np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-10, atol=1e-10)
