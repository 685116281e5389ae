"""Sizes, against counting windows one by one and against PyTorch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import convlib
from convlib import geometry

CASES = list(itertools.product((0, 1, 2, 5, 8, 11), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2, 3)))


def starts(n, k, s, p, d):
    """Every start of a window, found by trying each cell of the padded axis."""
    return [
        start
        for start in range(0, n + 2 * p, s)
        if all(start + d * t < n + 2 * p for t in range(k))
    ]


@pytest.mark.parametrize(("n", "k", "s", "p", "d"), CASES)
def test_counting(n, k, s, p, d):
    found = starts(n, k, s, p, d)
    if not found:
        with pytest.raises(ValueError, match="^output_size: the kernel spans"):
            convlib.output_size(n, k, s, p, d)
        with pytest.raises(ValueError, match="^leftover: the kernel spans"):
            convlib.leftover(n, k, s, p, d)
        return
    m = convlib.output_size(n, k, s, p, d)
    assert m == len(found)
    reached = max(found) + convlib.effective_kernel_size(k, d)
    assert convlib.leftover(n, k, s, p, d) == n + 2 * p - reached
    # The inverse question has this input size among its answers, and all of them are right.
    answers = convlib.input_sizes(m, k, s, p, d)
    assert n in answers
    assert all(convlib.output_size(answer, k, s, p, d) == m for answer in answers)
    others = set(range(n + 2 * s + 2)) - set(answers)
    assert all(len(starts(other, k, s, p, d)) != m for other in others)


@pytest.mark.parametrize(("n", "k", "s", "p", "d"), CASES[::7])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_transposed(n, k, s, p, d, extra):
    expected = (n - 1) * s - 2 * p + d * (k - 1) + 1 + extra
    if expected < 0:
        with pytest.raises(ValueError, match="^transposed_output_size: padding .* cuts off more"):
            convlib.transposed_output_size(n, k, s, p, extra, d)
        return
    size = convlib.transposed_output_size(n, k, s, p, extra, d)
    # a stride more makes room for another window, and no convolution has an output of 0 cells
    assert (size in convlib.input_sizes(n, k, s, p, d)) == (n > 0 and extra < s)
    if n and extra < s:
        assert convlib.output_size(size, k, s, p, d) == n
    if n and size and (extra < s or extra < d):
        layer = torch.nn.ConvTranspose1d(1, 1, k, s, p, extra, dilation=d)
        assert layer(torch.zeros(1, 1, n)).shape[-1] == size


@pytest.mark.parametrize("k", range(1, 6))
@pytest.mark.parametrize("d", [1, 2, 3])
def test_same(k, d):
    before, after = convlib.same_padding(k, d)
    assert before + after == d * (k - 1) and after - before in (0, 1)
    y = torch.nn.functional.conv1d(torch.ones(1, 1, 20), torch.eye(k)[:1, None], None, 1, "same", d)
    # A kernel whose first tap alone is 1 reads `before` cells to the left: that many are 0.
    assert int((y[0, 0, :10] == 0).sum()) == before


def test_several_axes():
    assert convlib.output_size((32, 48), (3, 5), padding=(1, 2)) == (32, 48)
    assert convlib.output_size([7, 9], 3, 2) == (3, 4)
    assert convlib.output_size(7, (3, 4)) == (5, 4)
    assert convlib.same_padding((4, 3), 2) == ((3, 3), (2, 2))
    assert convlib.transposed_output_size((2, 3), 3, stride=(1, 2)) == (4, 7)
    with pytest.raises(ValueError, match="tuples must have one length"):
        convlib.output_size((7, 7), (3, 3, 3))


@pytest.mark.parametrize(
    ("call", "error", "pattern"),
    [
        (
            lambda: convlib.output_size(5, 0),
            ValueError,
            "output_size: kernel_size must be at least",
        ),
        (
            lambda: convlib.output_size(-1, 1),
            ValueError,
            "output_size: input_size must be at least",
        ),
        (
            lambda: convlib.output_size(5, 3, 0),
            ValueError,
            "output_size: stride must be at least 1",
        ),
        (lambda: convlib.output_size(5, 3, 1, -1), ValueError, "output_size: padding must be at"),
        (lambda: convlib.output_size(5, 3, 1, 0, 0), ValueError, "output_size: dilation must be"),
        (lambda: convlib.output_size(5.0, 3), TypeError, "input_size must be an integer, got 5.0"),
        (lambda: convlib.leftover(5, 3, True), TypeError, "leftover: stride must be an integer"),
        (
            lambda: convlib.input_sizes(2, 0),
            ValueError,
            "input_sizes: kernel_size must be at least",
        ),
        (lambda: convlib.same_padding(3, 0), ValueError, "same_padding: dilation must be at least"),
        (lambda: convlib.effective_kernel_size("3"), TypeError, "kernel_size must be an integer"),
        (
            lambda: convlib.transposed_output_size(2, 3, output_padding=-1),
            ValueError,
            "transposed_output_size: output_padding must be at least 0",
        ),
    ],
)
def test_refusals(call, error, pattern):
    with pytest.raises(error, match=pattern):
        call()


def test_numpy_integers_come_out_plain():
    assert type(convlib.output_size(np.int64(7), np.int32(3))) is int
    assert geometry.count("f", 7, 3, 2, 1, 2, 1) == 4


LAYERS = [
    [{"kernel_size": 3}],
    [{"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3, "dilation": 2}],
    [{"kernel_size": 5, "stride": 3}, {"kernel_size": 2}, {"kernel_size": 4, "stride": 2}],
    [{"kernel_size": 1, "stride": 2}, {"kernel_size": 2, "dilation": 3}],
]


@pytest.mark.parametrize("layers", LAYERS)
def test_receptive_field(layers):
    """Against gradients: which input cells do two neighbouring output cells depend on?"""
    x = torch.zeros(1, 1, 200, requires_grad=True)
    y = x
    for layer in layers:
        weight = torch.ones(1, 1, layer["kernel_size"])
        settings = {name: value for name, value in layer.items() if name != "kernel_size"}
        y = torch.nn.functional.conv1d(y, weight, **settings)
    fields = []
    for position in (5, 6):
        (grad,) = torch.autograd.grad(y[0, 0, position], x, retain_graph=True)
        fields.append(grad[0, 0].nonzero().flatten())
    size, jump = convlib.receptive_field(layers)
    assert int(fields[0][-1] - fields[0][0]) + 1 == size
    assert int(fields[1][0] - fields[0][0]) == jump


def test_input_sizes_of_several_axes():
    found = convlib.input_sizes((2, 0, 1), kernel_size=3, stride=2, padding=(0, 0, 2))
    assert found == (range(5, 7), range(0), range(1))
    for sizes, m, p in zip(found, (2, 0, 1), (0, 0, 2), strict=True):
        for n in sizes:
            assert convlib.output_size(n, kernel_size=3, stride=2, padding=p) == m


def test_receptive_field_refuses():
    with pytest.raises(ValueError, match="receptive_field: a layer has kernel_size, stride"):
        convlib.receptive_field([{"kernel_size": 3, "strides": 2}])
    with pytest.raises(ValueError, match="receptive_field: stride must be at least 1"):
        convlib.receptive_field([{"kernel_size": 3, "stride": 0}])
    with pytest.raises(ValueError, match="receptive_field: padding must be at least 0, got -1"):
        convlib.receptive_field([{"kernel_size": 3, "padding": -1}])
    with pytest.raises(TypeError, match="receptive_field: padding must be an integer, got 'same'"):
        convlib.receptive_field([{"kernel_size": 3, "padding": "same"}])
    assert convlib.receptive_field([{"kernel_size": 3, "padding": 1}]) == (3, 1)
