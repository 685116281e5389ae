"""Max and average pooling, and their gradients, where PyTorch's rules are easy to get wrong."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from support.checks import FLOATING, INTEGER, assert_manners, assert_problem, build, describe
from support.problems import AVERAGE_POOLING, MAX_POOLING

import convlib
from convlib import grad
from convlib.pooling.settings import Axis
from convlib.validation import assert_matches_torch

torch = pytest.importorskip("torch")

NAN, INF = float("nan"), float("inf")


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [*FLOATING, *INTEGER])
@pytest.mark.parametrize("problem", MAX_POOLING, ids=describe)
def test_indices_are_those_of_torch(problem, dtype):
    # few different values, so that nearly every window has equal ones
    arguments = build(problem, "int64", seed=1)
    arguments["input"] = np.abs(arguments["input"]).astype(dtype)
    result = assert_matches_torch(problem["function"], **arguments, return_indices=True)
    output, indices = result
    assert indices.dtype == np.int64
    # an index is where the value stands
    axes = int(problem["function"][-2])
    x, lead = arguments["input"], indices.shape[:-axes]
    flat = x.reshape(*lead, prod(x.shape[-axes:]))
    numbers = indices.reshape(*lead, prod(indices.shape[-axes:]))
    found = np.take_along_axis(flat, numbers, axis=-1)
    np.testing.assert_array_equal(found.reshape(output.shape), output)
    assert_manners(problem["function"], {**arguments, "return_indices": True})


@pytest.mark.parametrize("special", [[NAN], [INF], [-INF], [NAN, INF, -INF], [-0.0, 0.0]])
@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("problem", MAX_POOLING + AVERAGE_POOLING, ids=describe)
@pytest.mark.filterwarnings("ignore")
def test_special_values(problem, dtype, special):
    arguments = build(problem, dtype)
    spots = generator().random(arguments["input"].shape)
    for number, value in enumerate(special):
        arguments["input"][(spots > 0.3 * number) & (spots < 0.3 * number + 0.25)] = value
    function = problem["function"]
    assert_matches_torch(function, **arguments)
    if function.startswith("max"):
        assert_matches_torch(function, **arguments, return_indices=True)


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int64"])
def test_nothing_but_the_least_value(dtype):
    least = -np.inf if dtype == "float32" else np.iinfo(dtype).min
    x = np.full((1, 4, 4), least, dtype)
    options = {"stride": 1, "padding": 1, "return_indices": True}
    output, indices = assert_matches_torch("max_pool2d", x, 2, **options)
    # the first cell of each window, and never one of the padding
    assert (output == least).all() and indices.min() >= 0


def test_integers_are_divided_towards_zero():
    x = np.array([[-1, -2, -3, -3], [7, 8, -9, 2]])
    np.testing.assert_array_equal(convlib.avg_pool1d(x, 2), [[-1, -3], [7, -3]])
    assert_matches_torch("avg_pool2d", x[None], 2, divisor_override=-3)


def test_integers_beyond_the_floats():
    x = np.array([[[2**62, 1]]])
    assert convlib.avg_pool1d(x, 2).item() == 2**61
    assert_matches_torch("avg_pool1d", x, 2)


def test_float16_is_added_up_in_float32():
    x = np.full((1, 1, 4096), 40.0, np.float16)  # the sum is beyond float16
    assert convlib.avg_pool1d(x, 4096).item() == 40.0


def test_half_volumes_are_not_averaged():
    x = np.zeros((1, 2, 4, 5, 6), np.float16)
    assert assert_matches_torch("avg_pool3d", x, 2) is None
    with pytest.raises(TypeError, match=r"^avg_pool3d: the dtype of input .*got float16"):
        convlib.avg_pool3d(x, 2)
    with pytest.raises(
        TypeError, match=r"^avg_pool3d_input: the dtype of grad_output .*got float16"
    ):
        convlib.grad.avg_pool3d_input(x.shape, x[..., :2, :2, :3], 2)


@pytest.mark.parametrize("function", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("padding", [0, 1, 2**29])
def test_a_huge_kernel_costs_no_memory(function, padding):
    # only the taps that see a cell are walked over, and only as much padding is made
    x = generator().standard_normal((2, 6, 7))
    options = {"stride": 2**30, "padding": padding, "ceil_mode": True}
    y = getattr(convlib, function)(x, 2**30 + 1, **options)
    if function == "max_pool2d":
        np.testing.assert_array_equal(y[..., 0, 0], x.max((1, 2)))
    else:
        total = (6 + 2 * padding) * (7 + 2 * padding)
        if padding < 2**29:
            np.testing.assert_allclose(y[..., 0, 0], x.sum((1, 2)) / total)


def test_same_settings_by_position():
    x = generator().standard_normal((2, 3, 9, 8))
    assert_matches_torch("max_pool2d", x, 3, 2, 1, 2, True, True)
    assert_matches_torch("avg_pool2d", x, 3, 2, 1, True, False, 5)
    assert_matches_torch("avg_pool1d", x[0], 3, 2, 1, True, False)


@pytest.mark.parametrize("value", [1, 0, "yes", None, []])
def test_return_indices_is_taken_as_true_or_false(value):
    assert_matches_torch("max_pool2d", np.ones((1, 4, 4)), 2, return_indices=value)


@pytest.mark.parametrize("spelling", [2, (2,), [2], (2, 2), [2, 2], np.int64(2), (np.int8(2), 2)])
def test_spellings(spelling):
    x = generator().standard_normal((2, 3, 9, 8))
    for name in ("kernel_size", "stride", "dilation"):
        options = {"kernel_size": 2, name: spelling}
        assert assert_matches_torch("max_pool2d", x, **options) is not None
    assert assert_matches_torch("avg_pool2d", x, spelling, spelling) is not None


def test_taps_are_those_that_see_a_cell():
    """The taps left out read padding alone, and a window is blind where no tap sees a cell."""
    for n, k, s, p, d in np.ndindex(5, 6, 4, 3, 4):
        n, k, s, d = n + 1, k + 1, s + 1, d + 1
        m = 1 + max(0, n + 2 * p - d * (k - 1) - 1) // s
        axis = Axis(n, k, s, p, d, m)
        seeing = [t for t in range(k) if any(0 <= h * s + t * d - p < n for h in range(m))]
        assert set(seeing) <= set(axis.taps) <= set(range(k))
        # a tap is kept only if the first window or the last sees a cell with it, or some cell lies
        # between: so their number is bounded by the input, not by the kernel
        assert len(axis.taps) <= (n - 1 + (m - 1) * s) // d + 1
        blind = any(
            not any(0 <= h * s + t * d - p < n for t in range(k)) and h * s < p for h in range(m)
        )
        if 2 * p <= k and (m - 1) * s < n + p:
            assert axis.blind == blind


@pytest.mark.parametrize("layout", ["fortran", "backwards", "broadcast", "unaligned"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("problem", MAX_POOLING + AVERAGE_POOLING, ids=describe)
def test_gradients(problem, dtype, layout):
    assert_problem(problem, dtype, layout)


class TestGradientRefusals:
    """What PyTorch's gradients take on trust, and would write to memory with."""

    def setup_method(self):
        x = generator().standard_normal((2, 3, 6, 7))
        self.y, self.indices = convlib.max_pool2d(x, 2, return_indices=True)
        self.shape = x.shape

    def max(self, **changes):
        arguments = {
            "input_size": self.shape,
            "indices": self.indices,
            "grad_output": self.y,
            "kernel_size": 2,
        }
        return grad.max_pool2d_input(**{**arguments, **changes})

    def avg(self, **changes):
        arguments = {"input_size": self.shape, "grad_output": self.y, "kernel_size": 2}
        return grad.avg_pool2d_input(**{**arguments, **changes})

    def test_both_work_unchanged(self):
        assert self.max().shape == self.avg().shape == self.shape

    @pytest.mark.parametrize("index", [-1, 42, 2**62, 2, 7])
    def test_index_outside_of_its_window(self, index):
        indices = self.indices.copy()
        indices[1, 1, 0, 0] = index  # the window has the cells 0, 1, 7 and 8
        if index == 7:
            assert self.max(indices=indices).shape == self.shape
            return
        with pytest.raises(ValueError, match="max_pool2d_input: each of the indices must name"):
            self.max(indices=indices)

    def test_index_of_the_padding(self):
        options = {"kernel_size": 2, "stride": 2, "padding": 1}
        x = np.ones((1, 4, 4))
        y, indices = convlib.max_pool2d(x, **options, return_indices=True)
        indices[0, 0, 0] = -1
        with pytest.raises(ValueError, match="got 1 that do not"):
            grad.max_pool2d_input(x.shape, indices, y, **options)

    @pytest.mark.parametrize("backward", ["max", "avg"])
    @pytest.mark.parametrize(
        "changes, error, words",
        [
            ({"grad_output": np.ones((2, 3, 3, 4))}, ValueError, r"must have shape \(2, 3, 3, 3\)"),
            ({"grad_output": np.ones((2, 3, 3))}, ValueError, r"must have shape \(2, 3, 3, 3\)"),
            ({"grad_output": np.ones((2, 3, 3, 3), int)}, TypeError, "dtype of grad_output"),
            ({"grad_output": np.ones((2, 3, 3, 3), complex)}, TypeError, "dtype of grad_output"),
            ({"grad_output": [[1.0]]}, TypeError, "must be a numpy.ndarray"),
            ({"input_size": (2, 3, 9, 7)}, ValueError, r"must have shape \(2, 3, 4, 3\)"),
            ({"input_size": 6}, TypeError, "input_size must be a tuple"),
            ({"input_size": (6, 7)}, ValueError, "input must have 4 axes"),
            ({"kernel_size": 3}, ValueError, r"must have shape \(2, 3, 2, 2\)"),
            ({"padding": 2}, ValueError, "padding must be at most half"),
            ({"ceil_mode": None}, TypeError, "ceil_mode must be True or False"),
        ],
    )
    def test_refused(self, backward, changes, error, words):
        with pytest.raises(error, match=f"{backward}_pool2d_input: .*{words}"):
            getattr(self, backward)(**changes)

    def test_indices_of_another_kind(self):
        with pytest.raises(TypeError, match="dtype of indices must be one of int64"):
            self.max(indices=self.indices.astype(np.int32))
        with pytest.raises(ValueError, match="indices must have shape"):
            self.max(indices=self.indices[:1])

    def test_divisor(self):
        with pytest.raises(ValueError, match="divisor_override must be an integer other than 0"):
            self.avg(divisor_override=0)


def test_average_is_the_adjoint_of_its_gradient():
    """With whole numbers and a divisor of 1, both inner products are exact."""
    integers = generator().integers
    for kernel, stride, padding, ceil in [
        (2, 2, 0, False),
        (3, 2, 1, True),
        ((2, 4), (3, 1), 1, True),
    ]:
        x = integers(-9, 9, (2, 3, 7, 8)).astype(float)
        options = {"padding": padding, "ceil_mode": ceil, "divisor_override": 1}
        y = convlib.avg_pool2d(x, kernel, stride, **options)
        v = integers(-9, 9, y.shape).astype(float)
        back = grad.avg_pool2d_input(x.shape, v, kernel, stride, **options)
        assert (y * v).sum() == (x * back).sum()
