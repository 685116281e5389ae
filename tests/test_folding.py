"""unfold and fold against PyTorch, and fold as the adjoint of unfold."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import assert_own_memory, layouts
from refusals import assert_refused

import convlib
from convlib.validation import assert_matches_torch

FOLDS = [
    # size, kernel_size, dilation, padding, stride
    ((5, 6), 3, 1, 0, 1),
    ((5, 6), (2, 3), (2, 1), (1, 2), (3, 2)),
    ((7, 4), (1, 4), 1, (0, 3), 2),
    ((4, 4), 2, 1, 0, 3),
    ((1, 1), 2, 1, 1, 1),
]


@pytest.mark.parametrize(("size", "kernel_size", "dilation", "padding", "stride"), FOLDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "bool"])
@pytest.mark.parametrize("batch", [(), (2,), (0,)])
def test_unfold_and_fold(size, kernel_size, dilation, padding, stride, dtype, batch):
    rng = np.random.default_rng(0)
    settings = (kernel_size, dilation, padding, stride)
    # halves add up exactly in every dtype
    x = (rng.integers(-1, 2, (*batch, 3, *size)) / 2).astype(dtype)
    columns = assert_matches_torch("unfold", x, *settings)
    image = assert_matches_torch("fold", columns, size, *settings)
    assert_own_memory(columns, x)
    assert_own_memory(image, columns)
    for _, laid_out in layouts(x):
        np.testing.assert_array_equal(convlib.unfold(laid_out, *settings), columns)
    for _, laid_out in layouts(columns):
        np.testing.assert_array_equal(convlib.fold(laid_out, size, *settings), image)


@pytest.mark.parametrize(("size", "kernel_size", "dilation", "padding", "stride"), FOLDS)
def test_fold_is_the_adjoint(size, kernel_size, dilation, padding, stride):
    """⟨unfold(x), c⟩ = ⟨x, fold(c)⟩, exactly: integers, as float64 holds them."""
    rng = np.random.default_rng(0)
    settings = (kernel_size, dilation, padding, stride)
    x = rng.integers(-99, 99, (2, 3, *size)).astype(float)
    columns = convlib.unfold(x, *settings)
    c = rng.integers(-99, 99, columns.shape).astype(float)
    assert (columns * c).sum() == (x * convlib.fold(c, size, *settings)).sum()


def refusals_of_folding():
    x, columns = np.zeros((2, 3, 5, 6)), np.zeros((12, 16))
    pair = "must be one integer or 2"
    for name, value, pattern in [
        ("kernel_size", (3,), f"kernel_size {pair}"),
        ("kernel_size", (3, 2, 2), f"kernel_size {pair}"),
        ("kernel_size", 3.0, "kernel_size must be an integer"),
        ("kernel_size", 0, "kernel_size must be at least 1"),
        ("kernel_size", 6, "kernel spans 6"),
        ("dilation", (1,), f"dilation {pair}"),
        ("dilation", 0, "dilation must be at least 1"),
        ("padding", (1,), f"padding {pair}"),
        ("padding", -1, "padding must be at least 0"),
        ("padding", "same", "padding must be an integer, got 'same'"),
        ("stride", (), f"stride {pair}"),
        ("stride", 0, "stride must be at least 1"),
    ]:
        yield "unfold", pattern, (x,), {"kernel_size": 2, name: value}
        if name != "kernel_size":
            yield "fold", pattern, (columns, (5, 5)), {"kernel_size": 2, name: value}
    for shape in [(2, 0, 5, 6), (0, 5, 6), (2, 3, 0, 6), (5, 6), (1, 2, 3, 5, 6)]:
        yield "unfold", "the image must have shape", (np.zeros(shape), 2), {"padding": 1}
    for shape in [(2, 0, 16), (0, 16), (12, 0), (16,), (1, 2, 12, 16)]:
        yield "fold", "input must have shape", (np.zeros(shape), (5, 5), 2), {}
    for size, pattern in [
        ((5,), f"output_size {pair}"),
        ((5.0, 5), "output_size must be an integer"),
        ((0, 5), "output_size must be at least 1"),
        ((4, 5), r"input must have shape \(12, 12\)"),
        ((1, 5), "kernel spans 2"),
    ]:
        yield "fold", pattern, (columns, size, 2), {}
    yield "fold", "multiple of 4, got 11", (np.zeros((11, 16)), (5, 5), 2), {}
    for dtype in ("uint8", "int64", "uint16"):
        yield "unfold", "dtype of input must be one of float16", (x.astype(dtype), 2), {}
        yield "fold", "dtype of input", (columns.astype(dtype), (5, 5), 2), {}


@pytest.mark.parametrize(("name", "pattern", "args", "kwargs"), list(refusals_of_folding()))
def test_folding_refusals(name, pattern, args, kwargs):
    assert_refused(name, pattern, *args, **kwargs)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: convlib.unfold(np.zeros((1, 3, 3)), 1, padding=2**62), "the padded image"),
        (lambda: convlib.unfold(np.zeros((0, 1, 3, 3)), 1, 1, 2**31), "the padded image"),
        (lambda: convlib.unfold(np.zeros((1, 3, 3)), 2**19, 1, 2**19), "the columns"),
        (lambda: convlib.fold(np.zeros((1, 4)), 2**62, 1, stride=2**61), "the padded image"),
        (lambda: convlib.fold(np.zeros((1, 1)), 1, 1, 1, 2**62, 2**63 - 1), "the padded image"),
        (
            lambda: convlib.grad.unfold_input((1, 3, 3), np.zeros((1, 1)), 1, 1, 2**62),
            "the padded image",
        ),
    ],
)
def test_more_cells_than_memory_has(call, what):
    """No torch here: its sizes wrap around."""
    with pytest.raises(ValueError, match=rf"^(un)?fold\w*: {what} of shape .* cells, too many\.$"):
        call()


def test_windows_times_count():
    """`fold(unfold(x))` is x times the number of windows that each cell is in."""
    for size, *settings in FOLDS:
        x = np.arange(1.0, 1 + np.prod(size)).reshape(1, *size)
        count = convlib.fold(convlib.unfold(np.ones_like(x), *settings), size, *settings)
        both = convlib.fold(convlib.unfold(x, *settings), size, *settings)
        np.testing.assert_array_equal(both, x * count)
