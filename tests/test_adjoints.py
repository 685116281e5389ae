"""What holds among the functions themselves: adjoints in exact integers, second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.oracle import each
from support.strategies import LONG, SEED, convolution, folding, padding

import convlib
from convlib import grad

CONVOLUTIONS = ["conv1d", "conv2d", "conv3d"]


def integers(generator: np.random.Generator, shape: tuple) -> np.ndarray:
    """Draw small whole numbers: sums of their products are exact in int64 and in float64."""
    return generator.integers(-9, 10, shape)


def pairs(problem: dict) -> dict:
    """Leave the settings of a problem: no shapes, no name."""
    return {k: v for k, v in problem.items() if k not in ("function", "input", "weight", "bias")}


@pytest.mark.parametrize("function", CONVOLUTIONS)
def test_transposed_convolution_is_the_adjoint(function):
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩, with the output_padding that gives x's size back."""

    @settings(max_examples=150 * LONG)
    @given(problem=convolution(function), seed=SEED)
    def check(problem, seed):
        generator, options = np.random.default_rng(seed), pairs(problem)
        assume(not isinstance(options.get("padding"), str))
        x, w = (integers(generator, problem[name]) for name in ("input", "weight"))
        try:
            y = getattr(convlib, function)(x, w, **options)
        except ValueError:
            assume(False)
        v, axes = integers(generator, y.shape), int(function[-2])
        spelt = {"stride": 1, "padding": 0, "dilation": 1, **options}
        sizes = (each(spelt[name], axes) for name in ("stride", "padding", "dilation"))
        # the cells at the end that no window reaches come back with zeros
        rest = convlib.leftover(x.shape[-axes:], w.shape[2:], *sizes)
        transposed = getattr(convlib, function.replace("conv", "conv_transpose"))
        try:
            back = transposed(v, w, output_padding=rest, **options)
        except ValueError:
            assume(False)  # what a stride leaves over may be as much as the dilation
        assert (y * v).sum() == (x * back).sum()

    check()


@settings(max_examples=300 * LONG)
@given(problem=folding("unfold"), seed=SEED)
def test_fold_is_the_adjoint_of_unfold(problem, seed):
    """⟨unfold(x), y⟩ = ⟨x, fold(y)⟩, and fold of unfold counts how often a cell is read."""
    generator, options = np.random.default_rng(seed), pairs(problem)
    x = integers(generator, problem["input"]).astype(float)
    try:
        columns = convlib.unfold(x, **options)
    except ValueError:
        assume(False)
    y = integers(generator, columns.shape).astype(float)
    assert (columns * y).sum() == (x * convlib.fold(y, x.shape[-2:], **options)).sum()
    counts = convlib.fold(convlib.unfold(np.ones_like(x), **options), x.shape[-2:], **options)
    np.testing.assert_array_equal(convlib.fold(columns, x.shape[-2:], **options), counts * x)


@settings(max_examples=300 * LONG)
@given(problem=padding("pad"), seed=SEED)
def test_gradient_of_pad_is_its_adjoint(problem, seed):
    generator = np.random.default_rng(seed)
    options = {k: v for k, v in pairs(problem).items() if k != "value"}
    x = integers(generator, problem["input"]).astype(float)
    try:
        y = convlib.pad(x, **options)
    except ValueError:
        assume(False)
    v = integers(generator, y.shape).astype(float)
    assert (y * v).sum() == (x * grad.pad_input(x.shape, v, **options)).sum()


@settings(max_examples=300 * LONG)
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=SEED,
)
def test_scatter_is_the_adjoint_of_windows(sizes, kernel, stride, dilation, seed):
    generator = np.random.default_rng(seed)
    x = integers(generator, (2, *sizes))
    try:
        view = convlib.windows(x, kernel, stride, dilation)
    except ValueError:
        assume(False)
    v = integers(generator, view.shape)
    back = convlib.scatter_windows(v, sizes, stride, dilation)
    assert (view * v).sum() == (x * back).sum()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_second_derivatives_are_compositions(axes, transposed):
    """Differentiate ⟨gradient, v⟩ again: each second derivative is one of our functions once more.

    The weight's gradient is linear in the input and in grad_output, and it is made of the same
    windows: so its derivatives are the input's gradient and the convolution, with v as the weight.
    """
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(axes)
    name = f"conv_transpose{axes}d" if transposed else f"conv{axes}d"
    options = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    x = generator.standard_normal((2, 4, *(9,) * axes))
    w = generator.standard_normal((4, 3, *(2,) * axes) if transposed else (6, 2, *(2,) * axes))
    y = getattr(convlib, name)(x, w, **options)
    g, v, u = (generator.standard_normal(shape) for shape in (y.shape, w.shape, x.shape))

    tx, tw, tg = (torch.from_numpy(a).requires_grad_() for a in (x, w, g))
    ty = getattr(torch.nn.functional, name)(tx, tw, **options)
    gx, gw = torch.autograd.grad(ty, (tx, tw), tg, create_graph=True)
    of_w = torch.autograd.grad(gw, (tx, tg), torch.from_numpy(v), retain_graph=True)
    of_x = torch.autograd.grad(gx, (tw, tg), torch.from_numpy(u))

    backward = getattr(grad, f"{name}_input"), getattr(grad, f"{name}_weight")
    forward = getattr(convlib, name)
    # ⟨grad_w(x, g), v⟩ by x, and by g
    np.testing.assert_allclose(backward[0](x.shape, v, g, **options), of_w[0], atol=1e-12)
    np.testing.assert_allclose(forward(x, v, **options), of_w[1].detach(), atol=1e-12)
    # ⟨grad_x(w, g), u⟩ by w, and by g
    np.testing.assert_allclose(backward[1](u, w.shape, g, **options), of_x[0], atol=1e-12)
    np.testing.assert_allclose(forward(u, w, **options), of_x[1].detach(), atol=1e-12)
