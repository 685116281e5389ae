"""Every algorithm computes the sums of convolution: forward, both gradients, and transposed."""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import prod
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conv_cases import CASES, Case
from layouts import layouts
from near import EPSILONS, assert_near, needs, numbers

import convlib
from convlib import algorithms, grad
from convlib.algorithms import blas, caches, choice, im2col, products, rules, threads
from convlib.algorithms import calls as calls_module
from convlib.algorithms.columns import Columns
from convlib.algorithms.steps import Shape, Steps
from convlib.settings import Settings

DIRECT = [name for name in algorithms.ALGORITHMS if name not in choice.ERROR]


def takes(name: str, case, dtype: str) -> bool:
    """Tell whether an algorithm takes a case: those that do not are refused, in their own test."""
    settings = case.settings
    kernel = case.weight_shape[2:]
    if name.startswith("winograd"):
        plain = settings.get("stride", 1) == 1 and settings.get("dilation", 1) == 1
        if set(kernel) != {3} or not plain:
            return False
    if name == "bands":
        groups = settings.get("groups", 1)
        if case.weight_shape[1] != 1 or case.weight_shape[0] != groups:
            return False
    return name not in ("fft", "compiled", "winograd", "winograd-f23") or "int" not in dtype


# more of what single algorithms are made for
EXTRA = [
    Case((2, 3, 12, 9), (4, 3, 3, 3), {"padding": 1}),
    Case((2, 3, 13), (4, 3, 3), {"padding": 2}),
    Case((1, 4, 6, 5, 7), (4, 2, 3, 3, 3), {"padding": (1, 0, 2), "groups": 2}),
    Case((2, 6, 5, 4), (6, 3, 3, 3), {"padding": "same", "groups": 2}),
    Case((2, 5, 9, 14), (5, 1, 3, 3), {"padding": 1, "groups": 5}),
    Case((2, 5, 9, 14), (5, 1, 3, 5), {"stride": (2, 3), "padding": 2, "groups": 5}),
    Case((2, 5, 9, 40), (5, 1, 3, 3), {"padding": (2, 0), "groups": 5}),
    Case((2, 4, 8, 11), (4, 1, 3, 3), {"stride": 2, "padding": 1, "groups": 4}),
    Case((2, 4, 9, 12), (4, 1, 3, 3), {"stride": (2, 1), "padding": (0, 1), "groups": 4}),
    Case((2, 4, 10, 9), (4, 1, 3, 3), {"stride": (1, 2), "padding": (2, 0), "groups": 4}),
    Case((1, 3, 11, 9), (3, 1, 3, 3), {"stride": (3, 1), "padding": (0, 2), "groups": 3}),
    Case((3, 5, 11), (5, 1, 4), {"dilation": 2, "padding": 1, "groups": 5}),
    Case((1, 3, 5, 6, 7), (3, 1, 2, 3, 2), {"stride": 2, "padding": 1, "groups": 3}),
    Case((2, 8, 9, 7), (10, 8, 2, 3), {"stride": 2, "dilation": 3, "padding": (1, 3)}),
    # longer than a tile of compiled loops, outputs that are no fours, terms that are no nines
    Case((1, 5, 20, 70), (6, 5, 2, 2), {"padding": 1}),
    Case((2, 6, 30, 80), (10, 3, 3, 3), {"stride": 2, "padding": 1, "groups": 2}),
    Case((3, 4, 30, 38), (6, 2, 1, 1), {"stride": (2, 3), "groups": 2}),
    # windows that lie apart: next to each other, with gaps, cut off, and with taps among one another
    Case((3, 4, 8, 10), (6, 4, 2, 2), {"stride": 2}),
    Case((2, 4, 9, 11), (6, 2, 2, 1), {"stride": (2, 3), "groups": 2}),
    Case((2, 4, 9, 11), (5, 4, 2, 3), {"stride": (3, 4), "padding": 1}),
    Case((1, 4, 9, 13), (5, 4, 2, 3), {"stride": (3, 4), "padding": (0, 2), "dilation": (2, 3)}),
    Case((2, 3, 13), (4, 3, 3), {"stride": 3, "padding": 1}),
    # cells that taps reach, but from no window that there is
    Case((1, 2, 11), (3, 2, 5), {"stride": 6, "padding": 6, "dilation": 5}),
    Case((2, 3, 5, 6, 7), (4, 3, 2, 1, 2), {"stride": 2}),
    # windows that share rows: rows of padding alone, frames of padding alone, strides of other axes
    Case((1, 2, 3, 4), (3, 2, 3, 3), {"padding": (7, 6)}),
    Case((1, 3, 12, 11), (4, 3, 2, 3), {"padding": (3, 2), "dilation": (3, 2)}),
    Case((1, 3, 9, 11), (4, 3, 3, 2), {"padding": (0, 1), "stride": (1, 2)}),
    Case((2, 3, 4, 5, 6), (4, 3, 2, 3, 3), {"padding": 1, "stride": (2, 1, 1)}),
    Case((2, 3, 2, 5, 6), (4, 3, 3, 3, 3), {"padding": (5, 4, 1), "dilation": (2, 1, 1)}),
]


@pytest.fixture(params=["as it is", "cut small"])
def blocks(request, monkeypatch):
    """Blocks as they are, where a small case is one block, and cut so that each case has many."""
    if request.param == "cut small":
        monkeypatch.setattr(im2col, "BLOCK", 64)
        monkeypatch.setattr(im2col, "ROOM", 64)
        monkeypatch.setattr(im2col, "LEAST_COLUMNS", 3)
        monkeypatch.setattr(im2col, "SOME_TERMS", 1)
        monkeypatch.setattr(im2col, "ALONE", 1)
        for name in ("im2col", "flat", "bands", "taps", "compiled", "units", "winograd", "fft"):
            for least in ("BLOCKS_SHARED", "SEVERAL", "SMALL_CHANNEL", "WAKE"):
                if hasattr(choice.file_of(name), least):
                    monkeypatch.setattr(choice.file_of(name), least, 0)
        winograd = choice.file_of("winograd")
        for name in ("BLOCK", "TILES", "CACHED", "INPUTS", "PRODUCTS", "FEW"):
            monkeypatch.setattr(winograd, name, {"BLOCK": 64, "TILES": 4}.get(name, 1))
        winograd.planned.cache_clear()
        monkeypatch.setattr(choice.file_of("flat"), "BLOCK", 64)
        monkeypatch.setattr(choice.file_of("bands"), "CELLS", 16)
        monkeypatch.setattr(threads, "limit", lambda: 3)
        for name in (
            "im2col", "flat", "bands", "taps", "units", "winograd", "fft", "apart", "products",
        ):  # fmt: skip
            monkeypatch.setattr(choice.file_of(name), "limit", lambda: 2)
        for least in ("SINGLE", "PRODUCT_SHARED"):
            monkeypatch.setattr(choice.file_of("products"), least, 0)
        for name, size in (("ROOM", 1), ("COLUMNS", 9), ("LEAST", 1), ("TERMS", 1), ("PIECE", 2)):
            monkeypatch.setattr(choice.file_of("shared_rows"), name, size)
        # all would be heavy: some weights are put in order all the same
        monkeypatch.setattr(
            choice.file_of("shared_rows"), "is_heavy", lambda shape, *_: shape.o % 2
        )
        monkeypatch.setattr(choice.file_of("units"), "SHARED", 1)
        for name in ("TAPS", "FEW"):
            monkeypatch.setattr(choice.file_of("turned"), name, 1)
    yield request.param
    choice.file_of("winograd").planned.cache_clear()


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_all_three_sums_and_the_transposed_one(name, blocks):
    needs(name)
    tried = 0
    for number, case in enumerate(CASES + EXTRA):
        dtypes = ["float64", "float32", "int64", "complex128", "float16"][
            : 5 if number % 4 == 0 else 2
        ]
        for dtype in dtypes:
            if not takes(name, case, dtype):
                continue
            tried += 1
            epsilons = choice.ERROR.get(name, EPSILONS)
            conv = getattr(convlib, f"conv{case.axes}d")
            x = numbers(case.input_shape, dtype, number)
            w = numbers(case.weight_shape, dtype, number + 1)
            kept = x.copy(), w.copy()
            plain = conv(x, w, algorithm="windows", **case.settings)
            y = conv(x, w, algorithm=name, **case.settings)
            assert_near(y, plain, epsilons)
            assert y.base is None and y.flags.writeable
            if "int" in dtype:
                continue
            gy = numbers(y.shape, dtype, number + 2)
            for part, args in (
                ("input", (x.shape, w, gy)),
                ("weight", (x, w.shape, gy)),
            ):
                gradient = getattr(grad, f"conv{case.axes}d_{part}")
                plain = gradient(*args, algorithm="windows", **case.settings)
                assert_near(gradient(*args, algorithm=name, **case.settings), plain, epsilons)
            if not isinstance(case.settings.get("padding", 0), str):
                transposed = getattr(convlib, f"conv_transpose{case.axes}d")
                # the same weight, and what the convolution put out as the input
                plain = transposed(gy, w, algorithm="windows", **case.settings)
                actual = transposed(gy, w, algorithm=name, **case.settings)
                assert_near(actual, plain, epsilons)
            np.testing.assert_array_equal(x, kept[0])
            np.testing.assert_array_equal(w, kept[1])
    assert tried >= 6


BEHIND = [
    ((2, 16, 20, 20), (16, 16, 1, 1), {"dilation": 2, "output_padding": 1}),
    ((2, 16, 9, 10), (16, 8, 1, 1), {"stride": 2, "dilation": (3, 4), "output_padding": (2, 3)}),
    ((2, 6, 9, 8), (6, 5, 2, 1), {"dilation": 3, "output_padding": (1, 2), "padding": (1, 0)}),
    ((1, 4, 30), (4, 4, 1), {"dilation": 5, "output_padding": 4}),
]


@pytest.mark.parametrize("name", ["auto", *algorithms.ALGORITHMS])
@pytest.mark.parametrize("size, weight, settings", BEHIND)
def test_cells_behind_the_last_window_are_left_out(name, size, weight, settings):
    """An output_padding may make room for more windows. Where columns are the input, they stand there."""
    needs(name)
    if name == "bands" or name.startswith("winograd"):
        return
    axes = len(size) - 2
    x, w = numbers(size, "float64", 0), numbers(weight, "float64", 1)
    gy = numbers(getattr(convlib, f"conv_transpose{axes}d")(x, w, **settings).shape, "float64", 2)
    calls = {
        f"conv_transpose{axes}d_input": (x.shape, w, gy),
        f"conv_transpose{axes}d_weight": (x, w.shape, gy),
    }
    for function, arrays in calls.items():
        run = getattr(grad, function)
        expected = run(*arrays, algorithm="windows", **settings)
        assert_near(run(*arrays, algorithm=name, **settings), expected, EPSILONS)


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_errors_stay_in_their_class(name):
    """In float32 against float64, with as many channels as networks have."""
    needs(name)
    groups = 128 if name == "bands" else 1
    x = numbers((1, 128, 30, 30), "float64", 0)
    w = numbers((128, 128 // groups, 3, 3), "float64", 1)
    exact = convlib.conv2d(x, w, padding=1, groups=groups, algorithm="windows")
    y = convlib.conv2d(
        x.astype("float32"), w.astype("float32"), padding=1, groups=groups, algorithm=name
    )
    error = np.abs(y - exact).max() / np.abs(exact).max()
    bound = choice.ERROR.get(name, 8) * np.finfo(np.float32).eps
    assert error <= bound
    if name == "winograd":  # the bound means something: F(4,3) is beyond the direct sum's error
        assert error > 8 * np.finfo(np.float32).eps


@pytest.mark.parametrize("name", [name for name in DIRECT if name != "bands"])
def test_infinities_stay_where_they_are_read(name):
    needs(name)
    x = numbers((1, 2, 9, 9), "float64", 0)
    x[0, 0, 4, 4] = np.inf
    for taps in ((3, 3), (2, 2), (1, 1)):
        w = np.abs(numbers((5, 2, *taps), "float64", 1)) + 1
        y = convlib.conv2d(x, w, padding=1, algorithm=name)
        expected = convlib.conv2d(x, w, padding=1, algorithm="windows")
        np.testing.assert_array_equal(np.isinf(y), np.isinf(expected))
        assert not np.isnan(y).any()


@pytest.mark.parametrize("name", ["bands", *choice.ERROR])
def test_infinities_spread_as_the_docstrings_say(name):
    x, w = numbers((1, 2, 16, 16), "float64", 0), numbers((2, 1, 3, 3), "float64", 1)
    infinite, settings = x.copy(), {"padding": 1, "groups": 2}
    infinite[0, 1, 7, 7] = np.inf
    # a corner's cell is seen by four of the nine taps
    corner = x.copy()
    corner[0, 1, 0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        y = convlib.conv2d(infinite, w, **settings, algorithm=name)
        gw = grad.conv2d_weight(corner, w.shape, x, **settings, algorithm=name)
        gw_y = grad.conv2d_weight(x, w.shape, infinite, **settings, algorithm=name)
    read = np.zeros(y.shape, bool)
    read[0, 1, 6:9, 6:9] = True
    assert np.isnan(y[~read]).any()
    assert np.isnan(y[read]).any() == np.isnan(gw[1]).all() == np.isnan(gw_y[1]).all()
    assert np.isnan(y[read]).any() == (name != "bands")
    assert np.isfinite(gw[0]).all()


@pytest.mark.parametrize("name", DIRECT)
def test_an_infinite_weight_reaches_only_what_it_met(name):
    """Strided and depthwise: cells between the windows are no zeros times infinity."""
    needs(name)
    w = np.abs(numbers((2, 1, 3, 3), "float64", 0)) + 1
    w[1, 0, 0, 2] = np.inf
    gy = np.abs(numbers((1, 2, 4, 4), "float64", 1)) + 1
    settings = {"stride": 2, "padding": 1, "groups": 2}
    with np.errstate(invalid="ignore"):
        gx = convlib.grad.conv2d_input((1, 2, 8, 8), w, gy, **settings, algorithm=name)
    x = torch.ones(1, 2, 8, 8, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.conv2d(x, torch.from_numpy(w), **settings)
    y.backward(torch.from_numpy(gy))
    inside = (..., slice(2, -2), slice(2, -2))  # at the border, zeros of the padding may meet it
    np.testing.assert_array_equal(np.isinf(gx)[inside], np.isinf(x.grad.numpy())[inside])
    assert not np.isnan(gx[inside]).any()


@pytest.mark.parametrize("name", [name for name in DIRECT if name != "bands"])
@pytest.mark.parametrize(("outputs", "groups"), [(3, 1), (20, 1), (9, 9)])
def test_an_infinite_cell_reaches_only_the_taps_that_saw_it(name, outputs, groups):
    """The last cells of a row are seen by the last taps alone, however rows are put together."""
    needs(name)
    x, gy = np.abs(numbers((1, 9, 9, 9), "float64", 0)), numbers((1, outputs, 7, 7), "float64", 1)
    x[0, 1, 3, 8] = np.inf
    rest = {"groups": groups, "algorithm": name}
    gw = grad.conv2d_weight(x, (outputs, 9 // groups, 3, 3), np.abs(gy) + 1, **rest)
    expected = np.zeros(gw.shape, bool)
    seen = (slice(None), 1) if groups == 1 else (1, 0)
    expected[(*seen, slice(None), 2)] = True
    np.testing.assert_array_equal(np.isinf(gw), expected)
    assert not np.isnan(gw).any()


REFUSALS = [
    ("nonsense", {}, (4, 3, 3, 3), ValueError, "algorithm must be 'auto' or one of .*'nonsense'"),
    (None, {}, (4, 3, 3, 3), TypeError, "algorithm must be a string, got None"),
    ("winograd", {"stride": 2}, (4, 3, 3, 3), ValueError, "stride 1.*got.*stride \\(2, 2\\)"),
    ("winograd", {}, (4, 3, 3, 5), ValueError, "three taps"),
    ("winograd-f23", {"dilation": 2}, (4, 3, 3, 3), ValueError, "dilation 1"),
    ("bands", {}, (4, 3, 3, 3), ValueError, "one channel a group, got 3 and 4"),
]


@pytest.mark.parametrize(("name", "settings", "weight", "error", "pattern"), REFUSALS)
def test_what_an_algorithm_cannot_do_is_refused(name, settings, weight, error, pattern):
    x, w = np.ones((1, 3, 9, 9)), np.ones(weight)
    with pytest.raises(error, match=pattern):
        convlib.conv2d(x, w, algorithm=name, **settings)


@pytest.mark.parametrize("n", [0, 1])
def test_refusals_name_the_function_and_hold_for_empty_results_too(n):
    x, w = np.ones((n, 3, 9, 9)), np.ones((4, 3, 5, 5))
    y, back = np.ones((n, 4, 5, 5)), np.ones((3, 4, 5, 5))
    calls = {
        "conv2d": lambda name: convlib.conv2d(x, w, algorithm=name),
        "conv_transpose2d": lambda name: convlib.conv_transpose2d(x, back, algorithm=name),
        "conv2d_input": lambda name: grad.conv2d_input(x.shape, w, y, algorithm=name),
        "conv2d_weight": lambda name: grad.conv2d_weight(x, w.shape, y, algorithm=name),
    }
    for function, call in calls.items():
        with pytest.raises(ValueError, match=f"^{function}: algorithm must be"):
            call("nonsense")
        with pytest.raises(TypeError, match=f"^{function}: algorithm must be a string"):
            call(3)
        with pytest.raises(ValueError, match=f"^{function}: algorithm='winograd' needs"):
            call("winograd")


@pytest.mark.parametrize("name", ["winograd", "winograd-f23", "fft", "compiled"])
def test_integers_are_refused_where_numbers_are_rounded(name):
    needs(name)
    x, w = np.ones((1, 3, 9, 9), np.int32), np.ones((4, 3, 3, 3), np.int32)
    with pytest.raises(ValueError, match="needs floating or complex numbers, got int32"):
        convlib.conv2d(x, w, algorithm=name)


def test_compiled_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(choice, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"needs Numba: .*\[fast\]"):
        convlib.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), algorithm="compiled")


SHAPES = [
    Shape(1, 1, 1, 1, (2, 2), (3, 3)),
    Shape(1, 1, 64, 64, (56, 56), (3, 3)),
    Shape(8, 1, 512, 512, (7, 7), (3, 3)),
    Shape(1, 32, 4, 4, (56, 56), (3, 3)),
    Shape(1, 144, 1, 1, (56, 56), (3, 3)),
    Shape(1, 960, 1, 1, (7, 7), (3, 3)),
    Shape(1, 1, 3, 64, (112, 112), (7, 7)),
    Shape(1, 1, 8, 8, (64, 64), (31, 31)),
    Shape(1, 1, 64, 64, (16, 56, 56), (3, 3, 3)),
]


@pytest.mark.parametrize("numba", [False, True])
@pytest.mark.parametrize("task", ["forward", "input", "weight"])
def test_auto_takes_direct_sums_unless_an_error_is_allowed(monkeypatch, task, numba):
    monkeypatch.setattr(choice, "is_available", lambda: numba)
    plain = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    taken = {}
    for shape in SHAPES:
        axes = len(shape.taps)
        steps = Steps((1,) * axes, ((1, 1),) * axes, (1,) * axes)
        for dtype in ("float32", "float64", "complex64", "int64"):
            name = choice.choose("auto", task, shape, steps, np.dtype(dtype), np, "conv")
            assert name in DIRECT and name != "bands"
            assert numba or name != "compiled"
    dense = SHAPES[1]._replace(i=128, o=128)
    for allowed in (0, 1e-5, 1e-3):
        taken[allowed] = choice.choose(
            "auto", task, dense, plain, np.dtype("float32"), np, "conv", allowed
        )
    direct = "compiled" if numba else "im2col"
    assert taken == {0: direct, 1e-5: "winograd-f23", 1e-3: "winograd"}
    single, strided = np.dtype("float32"), plain._replace(stride=(2, 2))
    for shape, steps, dtype, expected in (
        (SHAPES[7], plain, single, "fft"),
        (dense, strided, single, direct),
        (dense, plain, np.dtype("int64"), "im2col"),
    ):
        assert choice.choose("auto", task, shape, steps, dtype, np, "conv", 1e-3) == expected


@pytest.mark.parametrize(
    ("shape", "numba", "without"),
    [
        (Shape(1, 1, 64, 64, (28, 28), (3, 3)), True, True),
        (Shape(1, 1, 256, 256, (14, 14), (3, 3)), True, False),  # compiled transforms take less
        (Shape(1, 1, 64, 256, (28, 28), (3, 3)), True, False),
        (Shape(1, 1, 64, 64, (27, 27), (3, 3)), False, True),  # so are compiled direct sums
        (Shape(1, 1, 128, 128, (14, 14), (3, 3)), False, False),
        (Shape(1, 32, 32, 32, (7, 7), (3, 3)), False, False),
        (Shape(8, 32, 32, 32, (7, 7), (3, 3)), False, True),
        (Shape(1, 1, 1024, 1024, (7, 7), (3, 3)), False, False),
        (Shape(1, 1, 31, 64, (112, 112), (3, 3)), False, False),
    ],
)
def test_where_tiles_pay(monkeypatch, shape, numba, without):
    for available, expected in ((True, numba), (False, without)):
        monkeypatch.setattr(rules, "is_available", lambda available=available: available)
        assert rules.pays("winograd", shape) == expected


@pytest.mark.parametrize("task", ["forward", "input", "weight"])
def test_tiny_calls_take_the_fewest_steps(task):
    """One tap alone is a product of matrices as it is; for all else, windows are seen and multiplied."""
    one = Shape(1, 1, 8, 8, (4, 4), (1, 1))
    plain = Steps((1, 1), ((0, 0), (0, 0)), (1, 1))
    for shape, steps, dtype, xp, expected in (
        (one, plain, "float32", np, "im2col"),
        (one._replace(g=3, n=2), plain, "complex64", np, "im2col"),
        (one._replace(taps=(1, 2)), plain, "float32", np, "windows"),
        (one, plain._replace(stride=(1, 2)), "float32", np, "windows"),
        (one, plain._replace(padding=((0, 0), (0, 1))), "float32", np, "windows"),
        (one, plain, "int32", np, "windows"),
        (one, plain, "float32", None, "windows"),  # on a GPU
    ):
        assert choice.choose("auto", task, shape, steps, np.dtype(dtype), xp, "conv") == expected


def test_allowed_error_belongs_to_its_block_and_thread():
    dense, plain = SHAPES[1], Steps((1, 1), ((1, 1), (1, 1)), (1, 1))

    def name() -> str:
        allowed, dtype = choice.allowed_now(), np.dtype("float32")
        return choice.choose("auto", "forward", dense, plain, dtype, np, "conv", allowed)

    direct = "compiled" if choice.is_available() else "im2col"
    with convlib.allowed_error(1e-3):
        assert name() == "winograd"
        with convlib.allowed_error(0):
            assert name() == direct
        assert name() == "winograd"
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(name).result() == direct
    assert name() == direct


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        (2, ValueError),
        ("1e-3", TypeError),
        (True, TypeError),
        (np.complex64(0.5), TypeError),
    ],
)
def test_allowed_error_refuses(value, error):
    with (
        pytest.raises(error, match="allowed_error: relative must be"),
        convlib.allowed_error(value),
    ):
        pass


def test_the_bits_do_not_depend_on_time_or_on_callers(monkeypatch):
    """Several callers at once, each with helpers, get what one caller gets, bit for bit."""
    monkeypatch.setattr(im2col, "limit", lambda: 3)
    monkeypatch.setattr(im2col, "SEVERAL", 0)
    monkeypatch.setattr(threads, "limit", lambda: 3)
    x, w = numbers((3, 32, 28, 28), "float32", 0), numbers((32, 32, 3, 3), "float32", 1)
    gy = numbers((3, 32, 28, 28), "float32", 2)

    def results() -> list[np.ndarray]:
        return [
            convlib.conv2d(x, w, padding=1),
            grad.conv2d_input(x.shape, w, gy, padding=1),
            grad.conv2d_weight(x, w.shape, gy, padding=1),
        ]

    alone = results()
    before = blas.threads()
    start = threading.Barrier(4)

    def caller(_: int) -> list[np.ndarray]:
        start.wait()
        return [array for _ in range(3) for array in results()]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(caller, range(4)):
            for actual, expected in zip(found, alone * 3, strict=True):
                np.testing.assert_array_equal(actual, expected)
    assert blas.threads() == before
    assert not threads._holders and not threads._busy


# images and channels: a large image, and a small one with many channels, of which some are a block
@pytest.mark.parametrize(("size", "number"), [(112, 1), (112, 3), (112, 4), (14, 1), (14, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_im2col_takes_an_eighth_of_all_columns_at_most(monkeypatch, stride, size, number):
    """Peak memory beside the result, as NumPy reports it, with one thread or several at work."""
    images, channels, outputs = (4, 64, 64) if size == 112 else (3, 512, 16)
    if size == 14:  # or what fits a core's cache
        for name in ("BLOCK", "ROOM"):
            monkeypatch.setattr(im2col, name, 1 << 16)
    monkeypatch.setattr(im2col, "limit", lambda: number)
    monkeypatch.setattr(im2col, "SEVERAL", 0)
    monkeypatch.setattr(threads, "limit", lambda: number)
    x = numbers((images, channels, size, size), "float32", 0)
    w = numbers((outputs, channels, 3, 3), "float32", 1)
    gy = numbers((images, outputs, size // stride, size // stride), "float32", 2)
    columns = 9 * x.nbytes // stride**2
    settings = {"stride": stride, "padding": 1, "algorithm": "im2col"}
    for run in (
        lambda: convlib.conv2d(x, w, **settings),
        lambda: grad.conv2d_weight(x, w.shape, gy, **settings),
    ):
        assert 0 < extra_memory(run) <= columns / 8


def auto_takes_im2col(monkeypatch) -> None:
    """For "auto" it may be roomy."""

    def choose(algorithm, *rest, chosen=calls_module.choose):
        return "im2col" if algorithm == "auto" else chosen(algorithm, *rest)

    monkeypatch.setattr(calls_module, "choose", choose)


def extra_memory(run) -> int:
    """Bytes that a call takes beside its result, at its peak, as NumPy reports them."""
    run()  # the first call compiles
    threads.forget()
    tracemalloc.start()
    try:
        result = run()
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("images", "inputs", "outputs", "size", "kernel", "stride", "groups"),
    [
        (1, 128, 128, 28, 3, 1, 1),
        (1, 256, 256, 28, 3, 2, 1),
        (1, 512, 512, 7, 3, 1, 1),
        (1, 256, 128, 56, 3, 1, 1),  # whose rows are shared
        (1, 512, 64, 56, 1, 2, 1),  # one tap: the columns are some of the cells
        (1, 192, 192, 28, 3, 2, 192),
        (1, 512, 512, 14, 3, 2, 32),
        (20, 32, 256, 14, 3, 1, 1),  # several images a block, and their results
    ],
)
def test_who_asks_for_im2col_is_promised_little_memory(
    monkeypatch, images, inputs, outputs, size, kernel, stride, groups
):
    """An eighth of all columns also for small layers, where "auto" may take some megabytes."""
    monkeypatch.setattr(choice, "is_available", lambda: False)
    for name in ("im2col", "products"):
        monkeypatch.setattr(choice.file_of(name), "limit", lambda: 1)
    x = numbers((images, inputs, size, size), "float32", 0)
    w = numbers((outputs, inputs // groups, kernel, kernel), "float32", 1)
    settings = {"stride": stride, "padding": kernel // 2, "groups": groups}
    columns = x.nbytes * kernel**2 // stride**2
    promised = extra_memory(lambda: convlib.conv2d(x, w, **settings, algorithm="im2col"))
    assert 0 < promised <= columns / 8
    assert extra_memory(lambda: convlib.conv2d(x, w, **settings)) <= max(columns / 8, 6 << 20)


@pytest.mark.parametrize("taps, stride, dilation", list(itertools.product(range(1, 5), repeat=3)))
def test_where_one_tap_reaches_a_cell(taps, stride, dilation):
    steps = Steps((stride, 9), ((0, 0), (0, 0)), (dilation, 1))
    reached = Counter(h * stride + k * dilation for h in range(40) for k in range(taps))
    expected = max(reached.values()) == 1
    assert choice.file_of("steps").one_tap_a_cell((taps, 2), steps) == expected


def test_a_part_of_wider_rows_takes_no_more_memory(monkeypatch):
    """Its cells are no run: to see them as one, each block would copy the whole image."""
    for name in ("im2col", "products"):
        monkeypatch.setattr(choice.file_of(name), "limit", lambda: 1)
    # else rows are shared, and copied in another way
    monkeypatch.setattr(choice.file_of("shared_rows"), "axis_of", lambda *_: None)
    x = numbers((1, 256, 34, 34), "float32", 0)[:, :, 1:-1, 1:-1]
    w = numbers((16, 256, 3, 3), "float32", 1)
    promised = extra_memory(lambda: convlib.conv2d(x, w, padding=1, algorithm="im2col"))
    assert 0 < promised <= x.nbytes * 9 / 8


def test_blocks_of_short_columns_are_larger(monkeypatch):
    """A block that fits the cache has so many short columns that NumPy's calls take longer than copies."""
    monkeypatch.setattr(im2col, "limit", lambda: 1)
    monkeypatch.setattr(im2col, "BLOCK", 1 << 19)
    for inputs, most in ((4, 4), (5, 1)):  # 108 and 135 cells
        shape = Shape(1, 1, inputs, 8, (32, 64, 64), (3, 3, 3))
        steps, x = (
            Steps((1,) * 3, ((1, 1),) * 3, (1,) * 3),
            np.empty((1, 1, inputs, 32, 64, 64), "f"),
        )
        found, _ = im2col.plan(np, Columns(np, x, shape, steps), 1)
        size = max(b.flat.stop - b.flat.start for b in found) * inputs * 27 * 4
        assert most / 2 < size / im2col.BLOCK <= most


def test_limits_of_the_user_are_kept(monkeypatch):
    from threadpoolctl import threadpool_limits

    if not blas.found():
        pytest.skip("no BLAS here that takes orders")
    monkeypatch.setattr(threads, "cores", lambda: 8)
    with threadpool_limits(1, user_api="blas"):
        assert threads.limit() == 1
    monkeypatch.setattr(threads, "cores", lambda: 1)
    assert threads.limit() == 1


def test_no_thread_is_woken_up_where_one_is_allowed(monkeypatch):
    monkeypatch.setattr(threads, "limit", lambda: 1)
    monkeypatch.setattr(threads, "_pool", lambda: pytest.fail("a helper was called"))
    found = []
    threads.share(lambda number: found.append(number), [(1,), (2,), (3,)])
    assert found == [1, 2, 3]


def test_no_more_threads_are_counted_than_may_be(monkeypatch):
    monkeypatch.setattr(threads, "limit", lambda: 3)
    with ThreadPoolExecutor(1) as pool:
        assert threads.enter(3) == 3  # who asks has looked at the limit
        assert pool.submit(threads.enter, 2).result() == 1  # another caller: none but itself
        assert threads.enter(3) == 2  # an interrupt ended the first call, and it asks again
        threads.leave()
        pool.submit(threads.leave).result()
    assert threads.enter(3) == 3
    threads.leave()
    assert not threads._busy


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", range(3))
def test_an_interrupt_leaves_blas_its_threads(monkeypatch, call, late):
    """Wherever it comes, before BLAS is told or after: the next call mends what it left."""
    state, calls = {"threads": 4}, []

    def interrupted(act):
        calls.append(act)
        now = len(calls) == call + 1
        if now and not late:
            raise KeyboardInterrupt
        result = act()
        if now:
            raise KeyboardInterrupt
        return result

    library = blas.Blas(
        lambda: interrupted(lambda: state["threads"]),
        lambda number: interrupted(lambda: state.update(threads=number)),
    )
    monkeypatch.setattr(blas, "found", lambda: (library,))
    monkeypatch.setattr(threads, "cores", lambda: 8)
    reached = False
    with pytest.raises(KeyboardInterrupt), threads.one_blas_thread():
        reached = True
        assert state["threads"] == 1
    assert reached == (call > 1)
    before = 4
    if state["threads"] > 1:  # the user changes it before the next call
        before = state["threads"] = 3
    with threads.one_blas_thread():
        assert state["threads"] == 1
        assert threads.limit() == before
    assert state["threads"] == before
    assert threads.limit() == before
    assert not threads._holders


@pytest.mark.parametrize("numba", [False, True])
def test_when_two_threads_are_left_to_blas(monkeypatch, numba):
    """Without Numba, blocks are shared out from three threads on, or two. Only large layers are."""
    apart = choice.file_of("apart")
    large = Shape(1, 1, 256, 256, (56, 56), (3, 3))
    larger, one_tap = large._replace(o=1024), large._replace(i=2048, taps=(1, 1))
    small, few = large._replace(positions=(7, 7)), large._replace(i=4096, positions=(16, 16))
    monkeypatch.setattr(products, "address_of", lambda dtype: 64 if numba else 0)
    for number, shared in ((1, False), (2, numba), (3, True), (8, True)):
        for module in (im2col, apart, products):
            monkeypatch.setattr(module, "limit", lambda number=number: number)
        for module in (im2col, apart):
            assert not module.is_shared(np, small)
        assert im2col.is_shared(np, large) == apart.is_shared(np, one_tap) == shared
        # two of Python's, too: for what takes long, and to lay out several taps, each at its place
        assert im2col.is_shared(np, larger) == apart.is_shared(np, large) == (number > 1)
        assert not apart.is_shared(np, large, adds=True)
        # where each thread would copy the weight for few columns
        assert not im2col.is_shared(np, few)
        assert apart.is_shared(np, few) == (number > 1)
        for size, own in (((1 << 18) - 1, 0), ((1 << 22) - 1, 1), (1 << 22, number)):
            found = products.threads_for(np, size, np.dtype(np.float32))
            assert found == (own if numba and number > 1 else 0)


def shared_by(monkeypatch, number):
    """Let products of any size be shared by so many threads, and say how each was."""
    needs("compiled")
    for least in ("SINGLE", "PRODUCT_SHARED", "WAKE"):
        monkeypatch.setattr(products, least, 0)
    for module in (products, im2col, threads):
        monkeypatch.setattr(module, "limit", lambda: number)
    return watched(monkeypatch)


def watched(monkeypatch):
    """Collect for each call of BLAS from compiled code what it computes: (cut, start, stop)."""
    calls, gemm = [], choice.file_of("gemm")

    def watch(function):
        def call(*args):
            assert blas.threads() == 1
            calls.append(args[-4:-1])
            return function(*args)

        return call

    for name in ("products", "picked"):
        monkeypatch.setattr(gemm, name, watch(getattr(gemm, name)))
    return calls


def own(monkeypatch):
    """Skip where BLAS is not the one of NumPy's wheels."""
    needs("compiled")
    if not products.is_own(np):
        pytest.skip("NumPy has another BLAS here")


ORDERS = {
    "as they are": lambda a: a,
    "turned": lambda a: np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2),
    "with gaps": lambda a: np.repeat(a, 2, axis=-2)[..., ::2, :],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("images", [(), (1,), (2,), (3,)], ids=str)
@pytest.mark.parametrize("rows, columns", [(40, 7), (7, 40), (1, 1), (33, 33), (1, 9), (9, 1)])
def test_a_product_is_shared_out(monkeypatch, rows, columns, images, number, order, dtype):
    """By images or rows or columns, written in place, while BLAS has one thread; whoever calls."""
    own(monkeypatch)
    before = blas.threads()
    calls = shared_by(monkeypatch, number)
    a = numbers((*images, 2, rows, 9), dtype, 0)
    b = numbers((*images, 2, 9, columns), dtype, 1)
    expected = np.matmul(a, b)
    for one in (a, a[:1, ...][0] if images else a):  # a weight is the same for all images
        wanted = np.matmul(one, b)
        out = np.full((*images, 2, rows, columns + 3), 7, dtype)
        calls.clear()
        products.multiply(np, ORDERS[order](one), ORDERS[order](b), out[..., :columns])
        assert_near(out[..., :columns], wanted, EPSILONS)
        assert (out[..., columns:] == 7).all()
        gemm = choice.file_of("gemm")
        total, cut = max((columns, gemm.COLUMNS), (rows, gemm.ROWS), key=lambda pair: pair[0])
        if (images or (1,))[0] % number == 0:
            total, cut = images[0], gemm.IMAGES
        # all of it, and no part is empty
        assert {c for c, _, _ in calls} == {cut}
        assert sorted(q for _, start, stop in calls for q in range(start, stop)) == [*range(total)]
        assert len(calls) == min(total, number)
    if images:  # the sum of all images
        calls.clear()
        total = np.full((2, rows, columns), 7, dtype)
        products.multiply(np, ORDERS[order](a), ORDERS[order](b), total)
        assert_near(total, expected.sum(0), EPSILONS)
        assert len(calls) == min(max(rows, columns), number)
    calls.clear()
    alone = np.empty((*images, 2, rows, columns), dtype)
    products.multiply(np, a, b, alone, shared=False)
    assert not calls
    assert_near(alone, expected, EPSILONS)
    assert blas.threads() == before


UNFIT = {
    "every other column": (np.zeros((1, 4, 6), np.float32)[..., ::2], np.float32),
    "backwards": (np.ones((1, 4, 3), np.float32)[:, ::-1], np.float32),
    "the same row": (np.broadcast_to(np.ones((1, 1, 3), np.float32), (1, 4, 3)), np.float32),
    "between two numbers": (
        np.ones(49, np.uint8)[1:].view(np.float32).reshape(1, 4, 3),
        np.float32,
    ),
    "with gaps that are no numbers": (
        np.ones((1, 4, 3), [("a", "f4"), ("b", "i2")])["a"],
        np.float32,
    ),
    "whole numbers": (np.ones((1, 4, 3), np.int64), np.int64),
    "complex numbers": (np.ones((1, 4, 3), np.complex64), np.complex64),
    "short numbers": (np.ones((1, 4, 3), np.float16), np.float16),
}


@pytest.mark.parametrize("name", UNFIT)
def test_blas_is_not_called_for_what_it_cannot_read(monkeypatch, name):
    own(monkeypatch)
    calls = shared_by(monkeypatch, 2)
    a, dtype = UNFIT[name]
    b, out = np.ones((1, 3, 5), dtype), np.empty((1, 4, 5), dtype)
    products.multiply(np, a, b, out)
    assert not calls
    assert_near(out, np.matmul(a, b), EPSILONS)
    products.multiply(np, a, b, out, more=True)  # nor is one added by what NumPy does not know
    assert not calls
    assert_near(out, 2 * np.matmul(a, b), EPSILONS)
    turned = np.empty((1, 5, 4), dtype).swapaxes(1, 2)
    products.multiply(np, np.ones((1, 4, 3), dtype), b, turned)
    assert not calls
    assert (turned == 3).all()
    products.multiply(np, np.ones((1, 4, 3), dtype), b, turned, more=True)
    assert (turned == 6).all()


def test_a_small_product_leaves_blas_threads_asleep(monkeypatch):
    """One thread computes it; and with a single thread in all, nothing is asked of BLAS."""
    own(monkeypatch)
    held, calls = [], watched(monkeypatch)

    @contextmanager
    def one_blas_thread():
        held.append(size)
        yield

    monkeypatch.setattr(products, "one_blas_thread", one_blas_thread)
    a = np.ones((1, 64, 64), np.float32)
    for number in (1, 2):
        monkeypatch.setattr(products, "limit", lambda number=number: number)
        for size in (63, 64):  # 64³ is where BLAS wakes its threads
            out = np.empty((1, 64, size), np.float32)
            products.multiply(np, a, np.ones((1, 64, size), np.float32), out)
            assert (out == 64).all()
    assert held == [64]
    assert not calls


@pytest.mark.parametrize("images", [1, 2, 3])
@pytest.mark.parametrize(
    "size, stride", [((37,), 2), ((12, 33), 2), ((12, 33), (1, 3)), ((5, 6, 9), (2, 1, 2))], ids=str
)
@pytest.mark.parametrize("groups", [1, 2])
def test_cells_of_strided_layers_are_picked_in_each_thread(
    monkeypatch, images, size, stride, groups
):
    """By lines of all images: a thread may begin in the middle of one and end in another."""
    own(monkeypatch)
    calls = shared_by(monkeypatch, 2)
    monkeypatch.setattr(im2col, "ALONE", 1)
    auto_takes_im2col(monkeypatch)
    conv = getattr(convlib, f"conv{len(size)}d")
    x = numbers((images, 4, *size), "float32", 0)
    w = numbers((6, 4 // groups, *(1,) * len(size)), "float32", 1)
    for array in (x, x[:, ::-1]):
        calls.clear()
        found = conv(array, w, stride=stride, groups=groups)
        expected = conv(array, w, stride=stride, groups=groups, algorithm="windows")
        assert_near(found, expected, EPSILONS)
        lines = images * int(np.prod(found.shape[2:-1]))
        parts = sorted((start, stop) for *_, start, stop in calls)
        assert len(parts) == min(lines, 2)
        assert [q for start, stop in parts for q in range(start, stop)] == [*range(lines)]


def test_who_picks_cells_takes_memory_for_its_part(monkeypatch):
    """Not for the whole image. And BLAS gets an aligned weight."""
    own(monkeypatch)
    shared_by(monkeypatch, 2)
    auto_takes_im2col(monkeypatch)
    sizes, weights, gemm = [], [], choice.file_of("gemm")

    def scratch(xp, size, dtype, scratch=products.scratch):
        sizes.append(size)
        return scratch(xp, size, dtype)

    def picked(call, one, w, *rest, picked=gemm.picked):
        weights.append(w)
        return picked(call, one, w, *rest)

    monkeypatch.setattr(products, "scratch", scratch)
    monkeypatch.setattr(gemm, "picked", picked)
    x, w = numbers((1, 4, 25, 33), "float32", 0), numbers((6, 4, 1, 1), "float32", 1)
    for _, weight in layouts(w):
        sizes.clear()
        found = convlib.conv2d(x, weight, stride=2)
        assert_near(found, convlib.conv2d(x, w, stride=2, algorithm="windows"), EPSILONS)
        assert sizes == [4 * 7 * 17] * 2  # of thirteen lines
    assert not any(address % 4 for address in weights)


@pytest.mark.parametrize("numba", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_when_columns_share_rows(monkeypatch, number, numba):
    """Where BLAS can be called for it: alone, by threads that share blocks, not beside own threads."""
    shared_rows = choice.file_of("shared_rows")
    if not blas.address_of_gemm(np.dtype(np.float32)):
        pytest.skip("NumPy has another BLAS here")
    if numba:
        own(monkeypatch)
    else:
        monkeypatch.setattr(products, "is_available", lambda: False)
    for module in (im2col, products, threads):
        monkeypatch.setattr(module, "limit", lambda: number)
    for least, size in (("LEAST", 64), ("TERMS", 12), ("SAVED", 1 << 30), ("COLUMNS", 64)):
        monkeypatch.setattr(shared_rows, least, size)
    monkeypatch.setattr(shared_rows, "is_heavy", lambda *sizes: False)

    def add(a, b, y, function=shared_rows.add_product):
        assert a.shape[1] == b.shape[0] and b.shape[1] == y.shape[1] > 0
        function(a, b, y)

    monkeypatch.setattr(shared_rows, "add_product", add)
    used = []
    for name in ("forward", "weight_gradient"):
        function = getattr(shared_rows, name)

        def watch(*args, function=function):
            used.append(args[5])  # the threads
            function(*args)

        monkeypatch.setattr(shared_rows, name, watch)

    def uses(x_shape, w_shape, x_dtype="float32", **settings):
        x, w = numbers(x_shape, x_dtype, 0), numbers(w_shape, x_dtype, 1)
        used.clear()
        y = convlib.conv2d(x, w, algorithm="im2col", **settings)
        assert_near(y, convlib.conv2d(x, w, algorithm="windows", **settings), EPSILONS)
        gw = grad.conv2d_weight(x, w_shape, y, algorithm="im2col", **settings)
        expected = grad.conv2d_weight(x, w_shape, y, algorithm="windows", **settings)
        assert_near(gw, expected, EPSILONS)
        found = used.copy()
        gx = grad.conv2d_input(x_shape, w, y, algorithm="im2col", **settings)
        expected = grad.conv2d_input(x_shape, w, y, algorithm="windows", **settings)
        assert_near(gx, expected, EPSILONS)
        return found

    monkeypatch.setattr(im2col, "SEVERAL", 0)
    monkeypatch.setattr(im2col, "LEAST_COLUMNS", 1)
    # threads without a block each do without, but for a gradient's
    few = [number] if number > 2 or (numba and number > 1) else [1, 1]
    assert uses((1, 4, 8, 8), (8, 4, 3, 3), padding=1) == few
    assert uses((1, 4, 8, 8), (8, 4, 3, 3), "float64", padding=1) == few
    assert uses((1, 4, 8, 8), (8, 4, 3, 3), "complex64", padding=1) == []
    assert uses((1, 4, 8, 7), (4, 4, 3, 3), padding=1) == []  # few positions
    assert uses((1, 3, 8, 8), (8, 3, 3, 3), padding=1) == []  # short rows of taps
    assert uses((1, 4, 8, 8), (8, 4, 1, 3), padding=(0, 1)) == []  # of which there is one
    assert uses((1, 4, 16, 8), (8, 4, 3, 3), padding=1, stride=(2, 1)) == []
    assert uses((1, 4, 8, 16), (8, 4, 3, 3), padding=1, stride=(1, 2)) == few
    # with a block each, two threads share them without Numba, too
    assert uses((1, 4, 24, 8), (8, 4, 3, 3), padding=1) == [number] * 2
    # rows of padding alone, more than a block
    assert uses((2, 4, 3, 8), (8, 4, 3, 3), padding=(9, 1)) == [number] * 2
    # pieces of the channels, for each thread a gradient's own
    monkeypatch.setattr(shared_rows, "PIECE", 3)
    assert uses((2, 8, 9, 16), (8, 4, 3, 3), padding=1, groups=2) == [number] * 2
    monkeypatch.setattr(im2col, "SEVERAL", 1 << 28)
    monkeypatch.setattr(products, "SINGLE", 0)
    # threads of our own share each product, and BLAS' are to stay asleep
    expected = [] if numba and number > 1 else [1] * 2
    assert uses((1, 4, 8, 8), (8, 4, 3, 3), padding=1) == expected


@pytest.mark.parametrize("piece, shares", [(4, [(0, 2), (2, 4)]), (7, [(0, 4)])])
def test_threads_share_channels_of_a_gradient_or_its_blocks(monkeypatch, piece, shares):
    """Channels, as then nothing is to be added up in the end; if BLAS has enough of them."""
    shared_rows = choice.file_of("shared_rows")
    if not blas.address_of_gemm(np.dtype(np.float32)):
        pytest.skip("NumPy has another BLAS here")
    for name, size in (("LEAST", 1), ("TERMS", 1), ("COLUMNS", 9), ("PIECE", piece)):
        monkeypatch.setattr(shared_rows, name, size)
    used = set()

    def watch(strips, part, channels, function=shared_rows.Strips.each):
        used.add((channels.start, channels.stop))
        return function(strips, part, channels)

    monkeypatch.setattr(shared_rows.Strips, "each", watch)
    x, gy = numbers((2, 1, 4, 9, 8), "float32", 0), numbers((2, 1, 5, 9, 8), "float32", 1)
    steps = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    found, expected = np.empty((2, 1, 5, 4, 3, 3), np.float32)
    shared_rows.weight_gradient(x, gy, found, steps, 0, 2)
    assert sorted(used) == shares
    choice.file_of("einsum").weight_gradient(np, x, gy, expected, steps)
    assert_near(found, expected, EPSILONS)


@pytest.mark.parametrize(
    "change",
    [
        lambda y: np.broadcast_to(y[:, :1], y.shape),
        lambda y: y[:, ::-1],
        lambda y: np.repeat(y, 2, axis=1)[:, ::2],
        lambda y: np.repeat(y, 2, axis=3)[..., ::2],
        lambda y: np.ascontiguousarray(y.swapaxes(2, 3)).swapaxes(2, 3),
        lambda y: np.broadcast_to(y[0, 0, 0, 0], y.shape),
        lambda y: np.frombuffer(b" " + y.tobytes(), np.uint8)[1:].view(y.dtype).reshape(y.shape),
    ],
)
def test_shared_rows_of_any_gradient(monkeypatch, change):
    """Of one that BLAS cannot read where it lies, too: its rows upon each other, backwards, apart."""
    shared_rows = choice.file_of("shared_rows")
    for least in ("LEAST", "TERMS"):
        monkeypatch.setattr(shared_rows, least, 1)
    monkeypatch.setattr(im2col, "threads_for", lambda *sizes: 0)
    x, gy = numbers((2, 3, 9, 8), "float32", 0), change(numbers((2, 5, 9, 8), "float32", 1))
    found, expected = (
        grad.conv2d_weight(x, (5, 3, 3, 3), gy, padding=1, algorithm=name)
        for name in ("im2col", "windows")
    )
    assert_near(found, expected, EPSILONS)


def test_blocks_of_shared_rows_take_an_eighth_of_all_columns():
    """All threads' together, but hundreds of columns at least."""
    shared_rows = choice.file_of("shared_rows")
    steps = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    for inputs, size, number in (
        (64, 112, 1),
        (64, 112, 3),
        (256, 56, 1),
        (256, 56, 2),
        (64, 28, 1),
        (64, 28, 3),
    ):
        shape = Shape(1, 1, inputs, 8, (size, size), (3, 3))
        for pieces in (1, 4):
            channels = inputs // pieces
            parts = shared_rows.blocks_of(shape, steps, 0, 4, channels, number)
            assert len(parts) >= number
            assert [h for part in parts for h in range(size)[part.rows]] == [*range(size)]
            columns = max(part.rows.stop - part.rows.start for part in parts) * size
            # three taps of a row, of these rows and of two around them, and the weight of 8 outputs
            taken = number * (columns + 2 * size) * 3 * channels + 8 * channels * 9
            assert taken <= inputs * size**2 * 9 // 8 or columns <= shared_rows.COLUMNS
            assert columns <= max(shared_rows.COLUMNS, shared_rows.ROOM // (12 * channels))
            most = min(shared_rows.ROOM // (12 * channels), size**2 * 3 * pieces // 8 // number)
            assert columns > max(shared_rows.COLUMNS, most - 3 * size) / 2 / number


def test_blocks_of_shared_rows_leave_room_for_the_weight(monkeypatch):
    shared_rows = choice.file_of("shared_rows")
    monkeypatch.setattr(shared_rows, "ROOM", 6 << 20)
    shape = Shape(1, 1, 64, 256, (112, 112), (3, 3))
    steps = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    parts = shared_rows.blocks_of.__wrapped__(shape, steps, 0, 4, 64, 1)
    columns = max(part.rows.stop - part.rows.start for part in parts) * 112
    taken = (columns + 2 * 112) * 3 * 64 + 256 * 64 * 9
    assert columns > shared_rows.COLUMNS and taken <= 64 * 112**2 * 9 // 8


def test_pieces_of_a_weight_take_an_eighth_of_all_columns():
    """In the order of its taps, with their columns; of a heavy one, as few channels as BLAS takes."""
    shared_rows = choice.file_of("shared_rows")
    for images, inputs, outputs, size, pieces in (
        (1, 512, 512, 32, 2),
        (4, 512, 512, 32, 2),
        (16, 512, 512, 32, 1),
        (1, 512, 256, 64, 2),
        (1, 64, 64, 56, 1),
    ):
        shape = Shape(images, 1, inputs, outputs, (size, size), (3, 3))
        found = shared_rows.cut_channels(shape, 0, 4)
        assert [c for some in found for c in range(inputs)[some]] == [*range(inputs)]
        most = max(some.stop - some.start for some in found)
        taken = outputs * most * 9 + (768 + 2 * size) * most * 3
        eighth = inputs * images * size**2 * 9 // 8
        assert len(found) == pieces
        assert shared_rows.is_heavy(shape, 0, 4, 0) == (taken > eighth)
        assert not shared_rows.is_heavy(shape, 0, 4, max(taken, eighth))
        assert shared_rows.is_heavy(shape, 0, 4, taken - 1) == (taken > eighth)


@pytest.mark.parametrize(
    "inputs, outputs, size, groups, kernel, expected",
    [
        (8, 8, 96, 1, 11, 0),  # few cells in a row of taps, but ten of eleven rows are not copied
        (16, 64, 112, 1, 3, None),
        (32, 64, 112, 1, 3, 0),
        (24, 96, 56, 1, 3, None),
        (8, 8, 96, 2, 11, None),  # too little to multiply in a group
    ],
)
def test_where_rows_are_shared(inputs, outputs, size, groups, kernel, expected):
    shared_rows = choice.file_of("shared_rows")
    if not blas.address_of_gemm(np.dtype(np.float32)):
        pytest.skip("NumPy has another BLAS here")
    shape = Shape(1, groups, inputs, outputs, (size, size), (kernel, kernel))
    steps = Steps((1, 1), ((kernel // 2,) * 2,) * 2, (1, 1))
    y = np.empty((1, groups, outputs, size, size), np.float32)
    assert shared_rows.axis_of(np, shape, steps, y) == expected


# Of three rows and three taps, seven pairs see the input. So it is with frames.
@pytest.mark.parametrize(
    "least, products", [(12, (7 * 7 * 3) * 4), (13, (7 * 3 * 3) * 3 * 4), (37, 0)]
)
def test_rows_of_padding_are_not_multiplied(monkeypatch, least, products):
    """Nor frames of it. Which axis is shared depends on how many columns a product would have."""
    shared_rows = choice.file_of("shared_rows")
    if not blas.address_of_gemm(np.dtype(np.float32)):
        pytest.skip("NumPy has another BLAS here")
    for name, size in (("LEAST", least), ("TERMS", 12)):
        monkeypatch.setattr(shared_rows, name, size)
    monkeypatch.setattr(shared_rows, "is_heavy", lambda *sizes: False)
    monkeypatch.setattr(im2col, "threads_for", lambda *sizes: 0)
    counts = []

    def watch(a, b, y, function=shared_rows.add_product):
        counts.append(a.shape[0] * a.shape[1] * b.shape[1])
        function(a, b, y)

    monkeypatch.setattr(shared_rows, "add_product", watch)
    x, w = numbers((2, 4, 3, 3, 4), "float32", 0), numbers((5, 4, 3, 3, 3), "float32", 1)
    gy = numbers((2, 5, 3, 3, 4), "float32", 2)
    for run in (
        lambda name: convlib.conv3d(x, w, padding=1, algorithm=name),
        lambda name: grad.conv3d_weight(x, w.shape, gy, padding=1, algorithm=name),
    ):
        counts.clear()
        assert_near(run("im2col"), run("windows"), EPSILONS)
        assert sum(counts) == 2 * 5 * 4 * products


@pytest.mark.parametrize("numba, images", [(False, 2), (True, 3)])
def test_picked_images_ask_no_pool(monkeypatch, numba, images):
    """Python's threads are left out: BLAS has its own, or compiled loops have."""
    if numba:
        own(monkeypatch)
        shared_by(monkeypatch, 2)
    else:
        monkeypatch.setattr(products, "address_of", lambda dtype: 0)
    monkeypatch.setattr(threads, "_pool", lambda: pytest.fail("a pool was asked"))
    x, w = numbers((images, 4, 32, 32), "float32", 0), numbers((6, 4, 1, 1), "float32", 1)
    found = convlib.conv2d(x, w, stride=2, algorithm="im2col")
    assert_near(found, convlib.conv2d(x, w, stride=2, algorithm="windows"), EPSILONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 1)])
def test_blas_adds_products(dtype, sizes):
    """Of matrices in rows and in columns, one behind the other or apart, and of a single one."""
    if not blas.address_of_gemm(np.dtype(dtype)):
        pytest.skip("NumPy has another BLAS here")
    rows, inner, columns = sizes

    def matrices(height, width):
        yield numbers((height, width), dtype, 0)
        yield numbers((width, height), dtype, 1).T
        yield numbers((height, width + 3), dtype, 2)[:, 2:-1]
        yield numbers((width, height + 3), dtype, 3)[:, 1:-2].T
        yield numbers((height, 2, width), dtype, 4)[:, 1]

    for a in matrices(rows, inner):
        for b in matrices(inner, columns):
            y = numbers((rows, columns + 2), dtype, 5)
            expected = y.copy()
            expected[:, 1:-1] += a @ b
            blas.add_product(a, b, y[:, 1:-1])
            assert_near(y, expected, EPSILONS)


@pytest.mark.parametrize("suffix, prefix", [("64_", "scipy_"), ("64_", ""), ("_64", ""), ("", "")])
def test_functions_with_short_sizes_are_not_called(suffix, prefix):
    """Whole numbers have 64 bits where names say so; else they may have 32."""
    names = ("openblas_get_num_threads", "openblas_set_num_threads", "cblas_sgemm")
    library = SimpleNamespace(**{f"{prefix}{name}{suffix}": name for name in names})
    controller = SimpleNamespace(
        internal_api="openblas", threading_layer="pthreads", dynlib=library
    )
    found = blas._controls(controller)
    assert (found.get, found.set) == names[:2]
    if suffix:
        assert found.functions("cblas_sgemm") == "cblas_sgemm"
        assert found.functions("cblas_xgemm") is None
    else:
        assert found.functions is None


def test_only_blas_of_numpys_wheels_is_called_by_its_address(monkeypatch):
    """With threads of OpenBLAS' own and whole numbers of 64 bits, which its names end in."""

    def library(functions):
        return blas.Blas(lambda: 2, lambda number: None, False, functions)

    printf = ctypes.CDLL(None).printf if os.name == "posix" else None
    for found, known in (
        ((), False),
        ((library(None),), False),
        ((library(lambda name: None),), False),
        ((library(lambda name: printf),), printf is not None),
        ((library(lambda name: printf),) * 2, False),
    ):
        monkeypatch.setattr(blas, "found", lambda found=found: found)
        assert bool(blas.routine("printf")) == known


@pytest.mark.parametrize(
    "taps, stride, dilation, expected",
    [
        ((2, 2), (2, 2), (1, 1), True),
        ((1, 1), (2, 2), (1, 1), True),
        ((1, 3), (1, 3), (1, 1), True),
        ((2, 1), (1, 2), (1, 1), False),
        ((3, 3), (2, 2), (1, 1), False),
        ((1, 1), (1, 1), (1, 1), False),  # that is one product
        ((3, 2), (3, 2), (2, 3), True),
        ((2, 2), (4, 2), (2, 1), True),
        ((3, 2), (4, 2), (2, 1), False),  # the first and the last tap reach the same cells
    ],
)
def test_windows_lie_apart(monkeypatch, taps, stride, dilation, expected):
    """Then one tap at most reaches each cell; and `apart.py` computes what it says."""
    apart = choice.file_of("apart")
    steps = Steps(stride, ((1, 0), (0, 1)), dilation)
    shape = Shape(2, 1, 3, 4, (4, 5), taps)
    size = tuple(
        (m - 1) * s + (k - 1) * d for m, k, s, d in zip((4, 5), taps, stride, dilation, strict=True)
    )
    assert apart.is_apart(shape, steps) == expected
    reached = np.zeros(size, int)
    places, everywhere = apart.places_of(size, shape, steps)
    for _, cells in places:
        reached[cells] += 1
    if max(stride) > 1:
        assert (reached.max() == 1) == expected
    if expected:
        assert everywhere == reached.all()
        calls = []
        monkeypatch.setattr(apart, "input_gradient", lambda *args: calls.append(args))
        w, out = np.ones((1, 4, 3, *taps)), np.zeros((2, 1, 3, *size))
        gy = np.ones((2, 1, 4, 4, 5))
        settings = Settings("conv2d", taps, *steps, 1, (3, *size), (4, 4, 5), (2,))
        assert calls_module.input_gradient(np, gy, w, out, settings, "im2col")
        assert len(calls) == 1


def cache_folder(path, sizes: dict[str, tuple[str, str, str, str]]):
    """Write what Linux says of caches: level, type, size, cores."""
    for place, values in sizes.items():
        (path / place).mkdir(parents=True)
        for name, value in zip(("level", "type", "size", "shared_cpu_list"), values, strict=True):
            (path / place / name).write_text(value + "\n")
    return path


@pytest.mark.parametrize(
    "second, found",
    [
        (("2", "Unified", "512K", "0"), 1 << 19),
        (("2", "Data", "2M", "0-1,8-9"), 1 << 19),  # four cores share it
        (("2", "Unified", "1048576", "0,4"), 1 << 19),
        (("2", "Unified", "64K", "0"), 1 << 17),  # as small as blocks are useful
        (("2", "Unified", "1G", "0"), 1 << 23),
        (("2", "Instruction", "512K", "0"), 1 << 20),  # nothing is known, as in the rest
        (("3", "Unified", "512K", "0"), 1 << 20),
        (("2", "Unified", "", "0"), 1 << 20),
        (("2", "Unified", "512K", "all"), 1 << 20),
        (("2", "Unified", "?K", "0"), 1 << 20),
    ],
)
def test_the_cache_of_a_core(tmp_path, second, found):
    """As Linux writes it, one core's part of it, and what is usual where that says nothing."""
    first = ("1", "Data", "32K", "0")
    folder = cache_folder(tmp_path, {"cpu0/cache/index0": first, "cpu0/cache/index2": second})
    assert caches.near(folder) == found


def test_the_cache_of_a_core_that_no_system_tells(tmp_path):
    assert caches.near(tmp_path / "nothing") == caches.USUAL
    (tmp_path / "cpu0" / "cache" / "index0").mkdir(parents=True)
    assert caches.near(tmp_path) == caches.USUAL


def test_where_compiled_loops_are_taken(monkeypatch):
    """With Numba: where windows would have to be copied, but for images of a few cells."""
    dense, real = Shape(1, 1, 256, 256, (28, 28), (3, 3)), np.dtype("f4")
    steps = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    bare = steps._replace(padding=((0, 0), (0, 0)))
    monkeypatch.setattr(rules, "has_wide_registers", lambda: True)
    monkeypatch.setattr(rules, "near", lambda: 1 << 21)
    for changes, expected in (
        ({}, "forward input"),
        ({"n": 4}, "forward input weight"),  # as much to add up as there are weights
        ({"i": 128, "o": 128}, "forward input weight"),
        ({"positions": (7, 7)}, "forward input"),
        ({"positions": (3, 3)}, ""),
        ({"taps": (1, 1)}, "forward"),
        # a weight that is soon turned round, and whose gradient BLAS would copy one factor for
        ({"taps": (1, 1), "i": 64, "o": 64}, "forward input weight"),
        ({"taps": (1, 1), "g": 2, "i": 64, "o": 64}, "forward input"),
        ({"taps": (1, 1), "i": 64, "o": 128}, "forward weight"),
        ({"taps": (1, 1), "i": 64, "o": 129}, "forward"),
        ({"taps": (1, 1), "i": 512, "o": 128}, "forward weight"),
        ({"taps": (1, 1), "i": 513, "o": 128}, "forward"),
        ({"taps": (1, 1), "i": 64, "o": 64, "positions": (20, 20)}, "forward weight"),
        ({"taps": (1, 1), "i": 64, "o": 64, "positions": (19, 21), "n": 2}, "forward input"),
        ({"taps": (1, 1), "i": 64, "o": 20}, "forward input"),  # too little
        ({"taps": (1, 1), "i": 512, "o": 5}, "forward input weight"),
        ({"taps": (1, 1), "i": 512, "o": 4}, "forward input"),
        ({"taps": (1, 1), "g": 16, "i": 16, "o": 16}, "forward input"),
        ({"taps": (1, 1), "g": 8, "i": 32, "o": 32}, "forward input"),
        ({"g": 256, "i": 1, "o": 1}, "forward input weight"),
        ({"taps": (1, 1), "i": 32, "o": 64, "positions": (16, 16)}, "forward input"),
        ({"taps": (1, 1), "i": 32, "o": 63, "positions": (16, 16)}, ""),  # BLAS is told sooner
    ):
        shape, taken = dense._replace(**changes), expected.split()
        for task in ("forward", "input", "weight"):
            pays = rules.compiled_pays(task, shape, steps if prod(shape.taps) > 1 else bare, real)
            assert pays == (task in taken), (changes, task)
    thin = dense._replace(taps=(1, 1), i=64, o=64)
    for how, expected in ((bare, True), (bare._replace(stride=(2, 1)), False), (steps, False)):
        assert rules.compiled_pays("weight", thin, how, real) == expected
    assert not rules.compiled_pays("forward", dense, steps, np.dtype("c8"))
    assert rules.compiled_pays("forward", dense._replace(i=64, o=64), steps, np.dtype("c8"))
    # on a processor of narrow registers and a small cache, BLAS computes what needs no columns
    twice = steps._replace(stride=(2, 2))
    for wide, cache, shape, how, expected in (
        (True, 21, dense._replace(taps=(2, 2)), twice, "forward"),  # a product for each tap
        (False, 21, dense._replace(taps=(2, 2)), twice, "forward"),
        (True, 21, dense._replace(taps=(2, 2), i=8, o=8), twice, "forward weight"),
        (True, 21, dense._replace(taps=(2, 2), g=8, i=32, o=32), twice, "forward weight"),
        (True, 21, dense._replace(taps=(2, 2), g=64, i=1, o=1), twice, "forward input weight"),
        (True, 21, dense._replace(taps=(3, 2), i=8, o=8), twice, "forward input weight"),
        (False, 21, dense, twice, "forward input"),
        (False, 21, dense._replace(taps=(1, 1), i=64, o=64), bare, ""),
        (
            False,
            21,
            dense._replace(taps=(1, 1), o=1, positions=(56, 56)),
            steps,
            "",
        ),  # BLAS has a loop for one
        (False, 21, dense._replace(taps=(1, 1), o=2), steps, "forward"),
        (False, 21, dense._replace(taps=(1, 1), o=4), steps, "forward"),
        (False, 21, dense._replace(taps=(1, 1), o=5), steps, ""),
        (False, 21, dense._replace(taps=(1, 1), i=3), steps, "input"),
        (False, 21, dense._replace(taps=(1, 1), o=2, positions=(14, 14)), steps, ""),
        (False, 21, dense._replace(i=128, o=128), steps, "forward input weight"),
        (False, 19, dense._replace(i=128, o=128), steps, "forward input"),
        (False, 19, dense._replace(i=64, o=64), steps, "forward input weight"),
    ):
        monkeypatch.setattr(rules, "has_wide_registers", lambda wide=wide: wide)
        monkeypatch.setattr(rules, "near", lambda cache=cache: 1 << cache)
        for task in ("forward", "input", "weight"):
            pays = rules.compiled_pays(task, shape, how, real)
            assert pays == (task in expected.split()), (wide, cache, shape, task)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, True),
        ({"i": 16}, True),
        ({"i": 17}, False),
        ({"taps": (1, 1)}, False),  # there are no columns to copy
        ({"positions": (400, 400)}, False),  # 17 MB of columns
        ({"n": 8, "positions": (28, 28)}, True),  # one group: several rows are copied at once
        ({"n": 8, "positions": (20, 29)}, True),
        ({"n": 8, "positions": (28, 28), "g": 4}, None),
        ({"n": 8, "positions": (20, 29), "g": 4}, "weight"),
        ({"positions": (7, 7), "g": 64}, True),
        ({"positions": (7, 7), "g": 64, "i": 1, "o": 1}, False),
        ({"positions": (30, 30), "g": 64, "i": 1, "o": 1}, True),
    ],
)
def test_where_all_columns_are_copied_at_once(monkeypatch, changes, expected):
    """Without Numba: where channels are few, and columns do not take much memory."""
    monkeypatch.setattr(choice, "is_available", lambda: False)
    shape = Shape(1, 1, 3, 8, (56, 56), (3, 3))._replace(**changes)
    steps = Steps((2, 2), ((1, 1), (1, 1)), (1, 1))
    for task in ("forward", "weight"):
        name = choice.choose("auto", task, shape, steps, np.dtype("f4"), np, "conv")
        if expected in ("weight", None):  # forwards, rows are flattened
            assert name == ("flat" if task == "forward" else "windows" if expected else "im2col")
        else:
            assert name == ("windows" if expected else "im2col")
    assert not rules.whole_pays("input", shape, np.dtype("f4"))


@pytest.mark.parametrize(
    "task, changes, stride, expected",
    [
        ("forward", {}, 1, True),
        ("forward", {}, 2, True),
        ("input", {}, 1, True),
        ("input", {}, 2, False),  # one small convolution for each phase
        ("weight", {}, 1, False),
        ("forward", {"i": 17}, 1, False),
        ("forward", {"i": 16, "o": 17}, 1, True),
        (
            "input",
            {"i": 16, "o": 17},
            1,
            False,
        ),  # it copies what the outputs' gradients are seen by
        ("input", {"i": 17, "o": 16}, 1, True),
        ("forward", {"positions": (1, 1 << 16), "taps": (1, 16)}, 1, True),
        ("forward", {"positions": (1, 1 << 16), "taps": (1, 17)}, 1, False),  # too much for a cache
        ("forward", {"g": 1}, 1, False),
        ("forward", {"taps": (1, 1)}, 1, False),
        ("forward", {"positions": (32, 63)}, 1, False),  # too little to copy
        ("forward", {"positions": (32, 63), "n": 2}, 1, True),
    ],
)
def test_where_rows_are_flattened(monkeypatch, task, changes, stride, expected):
    """Without Numba: where groups have few channels, and the image is large, or one of several."""
    monkeypatch.setattr(choice, "is_available", lambda: False)
    shape = Shape(1, 64, 1, 1, (32, 64), (3, 3))._replace(**changes)
    steps = Steps((stride,) * 2, ((1, 1), (1, 1)), (1, 1))
    assert rules.flat_pays(task, shape, steps) == expected
    assert (
        choice.choose("auto", task, shape, steps, np.dtype("f4"), np, "conv") == "flat"
    ) == expected


WIDE = {"i": 128, "o": 128, "positions": (8, 16)}


@pytest.mark.parametrize(
    "changes, stride, expected",
    [
        ({}, 1, "turned"),
        ({"i": 25}, 1, "windows"),  # few inputs for many outputs
        ({"i": 26}, 1, "turned"),
        ({"i": 25, "taps": (1, 1)}, 1, "turned"),  # nothing to add up
        ({"i": 25, "g": 2}, 1, "turned"),
        (WIDE, 1, "added"),  # few positions for a large weight
        (WIDE | {"n": 2}, 1, "turned"),
        (WIDE | {"positions": (8, 17)}, 1, "turned"),
        (WIDE | {"g": 2}, 1, "turned"),
        (WIDE | {"taps": (1, 1)}, 1, "turned"),
        (WIDE | {"i": 29}, 1, "added"),
        (WIDE | {"i": 28}, 1, "windows"),  # few inputs, and too little to multiply for blocks
        (WIDE | {"taps": (2, 4)}, 4, "added"),  # nothing to add up
        (WIDE | {"positions": (16, 24)}, 2, "added"),  # or one small convolution for each phase
        (WIDE | {"positions": (16, 25)}, 2, "turned"),
        ({"o": 64, "positions": (8, 8)}, 1, "turned"),  # too little to multiply
    ],
)
def test_where_an_input_gradient_is_added_up(monkeypatch, changes, stride, expected):
    """Without Numba: all columns at once, or block by block, or none: the kernel is turned round."""
    monkeypatch.setattr(choice, "is_available", lambda: False)
    shape = Shape(1, 1, 64, 64, (28, 28), (3, 3))._replace(**changes)
    steps = Steps((stride,) * 2, ((1, 1), (1, 1)), (1, 1))
    size = tuple((m - 1) * stride + k - 2 for m, k in zip(shape.positions, shape.taps, strict=True))
    inputs, outputs = shape.g * shape.i, shape.g * shape.o
    settings = Settings(
        "conv2d",
        shape.taps,
        *steps,
        shape.g,
        (inputs, *size),
        (outputs, *shape.positions),
        (shape.n,),
    )
    way = calls_module.way_of(np, "input", settings, "auto", np.dtype("f4"))
    if expected == "windows":
        assert way.compute is None
    else:
        apart = choice.file_of("apart")
        assert (way.compute is apart.input_gradient) == (expected == "added")
    # who asks for im2col is promised little memory
    way = calls_module.way_of(np, "input", settings, "im2col", np.dtype("f4"))
    assert (way.compute is choice.file_of("apart").input_gradient) == (shape.taps == (2, 4))


@pytest.mark.parametrize("room", [1, 1 << 20])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
def test_columns_are_added_up_in_blocks(monkeypatch, room, dtype):
    """Of some rows, of some channels, and of several images: each sum is whole."""
    apart = choice.file_of("apart")
    for module, name in ((im2col, "LEAST_COLUMNS"), (im2col, "BLOCK"), (apart, "LEAST_CHANNELS")):
        monkeypatch.setattr(module, name, room if name == "BLOCK" else 2)
    for stride, dilation, groups in itertools.product((1, 2, 3), (1, 2), (1, 2)):
        settings = {"stride": stride, "dilation": dilation, "padding": (2, 1), "groups": groups}
        w, x = numbers((6, 4 // groups, 3, 2), dtype, 0), numbers((3, 4, 9, 8), dtype, 1)
        gy = numbers(convlib.conv2d(x, w, **settings).shape, dtype, 2)
        expected = convlib.grad.conv2d_input(x.shape, w, gy, algorithm="windows", **settings)
        grouped = w.conj().reshape(groups, 6 // groups, *w.shape[1:])
        out = np.full((3, groups, 4 // groups, 9, 8), np.nan, dtype)
        steps = Steps((stride,) * 2, ((2, 2), (1, 1)), (dilation,) * 2)
        apart.input_gradient(np, gy.reshape(3, groups, -1, *gy.shape[2:]), grouped, out, steps)
        np.testing.assert_allclose(out.reshape(x.shape), expected, rtol=2e-4, atol=2e-4)


def test_columns_are_added_to_zeros():
    """Also where taps reach as many cells as there are: one of them twice, and the last one never."""
    gy, w, out = np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), np.full((1, 1, 1, 6), np.nan)
    choice.file_of("apart").input_gradient(np, gy, w, out, Steps((2,), ((0, 0),), (1,)))
    np.testing.assert_array_equal(out[0, 0, 0], [1, 1, 2, 1, 1, 0])


@pytest.mark.parametrize("number", [1, 2, 3], ids="groups at once: {}".format)
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2), (2, 2), (2, 3), (3, 2)])
def test_rows_are_flattened_from_image_to_image(monkeypatch, number, stride, dilation):
    """Two images, three, two, three: what a block before left behind is in no result."""
    flat, rng = choice.file_of("flat"), np.random.default_rng(0)
    settings = {"stride": stride, "dilation": dilation, "padding": (2, 1), "groups": 3}
    x, w = rng.standard_normal((10, 6, 9, 8)), rng.standard_normal((3, 2, 3, 2))
    expected = convlib.conv2d(x, w, **settings, algorithm="einsum")
    steps = Steps((stride,) * 2, ((2, 2), (1, 1)), (dilation,) * 2)
    layout = flat.layout_of(Shape(10, 3, 2, 1, expected.shape[2:], (3, 2)), steps)
    plane = int(np.prod(layout.wide))
    block = number * 3 * plane * (2 * (len(layout.phases) + 6) + 1) * 8
    for name, value in {"BLOCK": block, "BLOCKS_SHARED": 0, "LONG": 3 * plane}.items():
        monkeypatch.setattr(flat, name, value)
    monkeypatch.setattr(flat, "limit", lambda: 1)
    found = convlib.conv2d(x, w, **settings, algorithm="flat")
    np.testing.assert_allclose(found, expected, atol=1e-13)
    x[4] = np.nan  # the last of three, where the next two have nothing
    found = convlib.conv2d(x, w, **settings, algorithm="flat")
    others = np.arange(10) != 4
    np.testing.assert_allclose(found[others], expected[others], atol=1e-13)
    assert np.isnan(found[4]).any()


@pytest.mark.filterwarnings("error")
def test_nobody_is_told_of_sums_between_two_rows():
    """At the end of a row stands an infinity, at the beginning of the next one its opposite."""
    x = np.zeros((2, 2, 4, 5))
    x[..., 1, -1], x[..., 2, 0] = np.inf, -np.inf
    w = np.ones((2, 1, 1, 2))
    y = convlib.conv2d(x, w, groups=2, algorithm="flat")
    np.testing.assert_array_equal(y, x[..., 1:] + x[..., :-1])
    x[..., 1, -1], x[..., 2, 0] = 1.5e308, 1.5e308
    y = convlib.conv2d(x, w, groups=2, algorithm="flat")
    np.testing.assert_array_equal(y, x[..., 1:] + x[..., :-1])


def test_scratch_memory_begins_at_a_cache_line():
    threads.forget()
    for size in (1, 1001, threads.KEEP):
        memory = threads.scratch(np, size, np.dtype(np.float32))
        assert memory.size == size
        assert memory.ctypes.data % 64 == 0


def test_a_thread_keeps_its_memory_when_more_is_asked_for_once():
    threads.forget()
    dtype = np.dtype(np.float32)
    first = threads.scratch(np, 1000, dtype)
    assert np.shares_memory(threads.scratch(np, 500, dtype), first)
    once = threads.scratch(np, threads.KEEP, dtype)  # four times what is kept at most
    assert not np.shares_memory(once, first)
    assert np.shares_memory(threads.scratch(np, 1000, dtype), first)


def test_errors_come_out_of_the_threads(monkeypatch):
    monkeypatch.setattr(threads, "limit", lambda: 3)

    def work(number: int) -> None:
        if number == 7:
            raise FloatingPointError("seven")

    before = blas.threads()
    with pytest.raises(FloatingPointError, match="seven"):
        threads.share(work, [(number,) for number in range(40)])
    assert blas.threads() == before
    assert not threads._holders and not threads._busy


def test_errstate_reaches_the_threads(monkeypatch):
    monkeypatch.setattr(threads, "limit", lambda: 3)
    both = threading.Barrier(2)

    def work() -> None:
        both.wait(10)
        np.float32(1e38) * np.float32(1e38)

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.share(work, [(), ()])
    with np.errstate(over="ignore"):
        threads.share(work, [(), ()])


def test_blocks_hold_each_position_once():
    for positions in ((7,), (5, 9), (3, 4, 5), (1, 1)):
        for columns in (1, 3, 8, 20, 1000):
            for at_least in (1, 2, 5):
                shape = Shape(3, 2, 1, 1, positions, (1,) * len(positions))
                seen = np.zeros((3, 2, *positions), int)
                flat = np.zeros((3, 2, seen[0, 0].size), int)
                for block in choice.file_of("blocks").blocks(shape, columns, at_least):
                    seen[(block.n, block.g, *block.at)] += 1
                    flat[block.n, block.g, block.flat] += 1
                assert (seen == 1).all() and (flat == 1).all()
                np.testing.assert_array_equal(seen.reshape(flat.shape), flat)


def test_fast_lengths():
    fft = choice.file_of("fft")
    assert [fft.fast_length(n) for n in (0, 1, 7, 11, 13, 17, 31, 121)] == [
        1, 1, 8, 12, 15, 18, 32, 125,
    ]  # fmt: skip


def test_winograd_matrices_are_exact_for_small_integers():
    """F(m,3) of integers, times the denominators, is the direct sum without any rounding."""
    for m in (2, 4):
        bt, g, at = choice.file_of("winograd").transforms(m, 1, np.dtype("float64"))
        for x in np.eye(m + 2):
            for w in np.eye(3):
                direct = [x[h : h + 3] @ w for h in range(m)]
                np.testing.assert_allclose(at @ ((g @ w) * (bt @ x)), direct, atol=1e-15)


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_on_either_library(xp, name):
    if xp is not np and name == "compiled":
        with pytest.raises(ValueError, match="needs NumPy arrays"):
            convlib.conv2d(xp.ones((1, 1, 5, 5)), xp.ones((1, 1, 3, 3)), algorithm=name)
        return
    needs(name)
    groups = 4 if name == "bands" else 2
    x, w = numbers((2, 4, 9, 8), "float32", 0), numbers((4, 4 // groups, 3, 3), "float32", 1)
    expected = convlib.conv2d(x, w, padding=1, groups=groups, algorithm="windows")
    actual = convlib.conv2d(xp.asarray(x), xp.asarray(w), padding=1, groups=groups, algorithm=name)
    assert isinstance(actual, xp.ndarray)
    assert_near(np.asarray(actual.get() if xp is not np else actual), expected, 1024)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_einsum_names_groups_only_where_there_are_some(groups, axes, monkeypatch):
    """Up to NumPy 2.3 a letter in both arrays and the result keeps einsum from the matrix product."""
    seen, plain = [], np.einsum

    def watched(subscripts, *arrays, **options):
        seen.append(subscripts)
        assert options == {"optimize": True}
        return plain(subscripts, *arrays, **options)

    x, w = numbers((2, 2 * groups, *(5,) * axes), "f8", 0), numbers((2, 2, *(3,) * axes), "f8", 1)
    forward, weight = getattr(convlib, f"conv{axes}d"), getattr(grad, f"conv{axes}d_weight")
    y = forward(x, w, groups=groups, algorithm="im2col")
    gw = weight(x, w.shape, y, groups=groups, algorithm="im2col")
    monkeypatch.setattr(np, "einsum", watched)
    assert_near(forward(x, w, groups=groups, algorithm="einsum"), y, EPSILONS)
    assert_near(weight(x, w.shape, y, groups=groups, algorithm="einsum"), gw, EPSILONS)
    assert ["g" in subscripts for subscripts in seen] == [groups > 1] * 2


def test_memory_of_a_call_is_left_alone_by_a_call_inside_of_it():
    """As a signal's handler makes one, between two lines of the call under way, in its thread."""
    x, w = numbers((2, 16, 24, 24), "float32", 0), numbers((16, 16, 3, 3), "float32", 1)
    expected = convlib.conv2d(x, w, algorithm="im2col")
    for _ in range(2):
        with threads.Call():
            memory = threads.scratch(np, 1000, np.dtype("float32"))
            memory[:] = 7
            np.testing.assert_array_equal(convlib.conv2d(x, w, algorithm="im2col"), expected)
            assert (memory == 7).all()
            again = threads.scratch(np, 1000, np.dtype("float32"))
            assert np.shares_memory(memory, again)


def test_where_no_thread_can_be_started_one_does_the_work(monkeypatch):
    """At the system's limit, or when Python ends."""

    kept = []

    def submit(run, *arguments):
        kept.append((run, arguments))  # as a pool does, before it tries to start a thread
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_pool", lambda: SimpleNamespace(submit=submit))
    monkeypatch.setattr(threads, "limit", lambda: 3)
    done = []

    before = blas.threads()
    threads.share(done.append, [(number,) for number in range(5)])
    assert sorted(done) == [*range(5)] and len(kept) == 1
    run, arguments = kept.pop()
    run(*arguments)  # a thread has come free: too late
    assert sorted(done) == [*range(5)] and blas.threads() == before


def test_kernels_are_compiled_where_there_is_no_place_to_keep_them():
    needs("compiled")
    space: dict = {}
    exec("def more(number):\n    return number + 1", space)  # of no file, so with no folder
    assert choice.file_of("signals").kept()(space["more"])(1) == 2


@pytest.mark.parametrize("broken", ["disabled", "refuses"])
def test_a_numba_that_cannot_be_used_is_left_out(broken, tmp_path):
    environment = dict(os.environ)
    if broken == "disabled":
        environment["NUMBA_DISABLE_JIT"] = "1"
    else:
        (tmp_path / "numba.py").write_text("raise ImportError('Numba needs another NumPy')")
        environment["PYTHONPATH"] = str(tmp_path)
    code = """
import numpy as np, convlib
from convlib.algorithms import choice
y = convlib.conv2d(np.ones((1, 16, 20, 20), "f4"), np.ones((32, 16, 3, 3), "f4"))
assert (y == 144).all() and not choice.is_available()
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)


def test_plans_of_many_images_and_groups_are_not_kept():
    needs("compiled")
    units = choice.file_of("units")
    x, w = np.ones((128, 1, 128, 1, 5, 5), np.float32)[:, 0], np.ones((128, 1, 1, 2, 2), np.float32)
    shape = Shape(128, 128, 1, 1, (4, 4), (2, 2))
    steps = Steps((1, 1), ((0, 0), (0, 0)), (1, 1))
    before = units.plan.cache_info().currsize
    found = units.planned(x, w, shape, steps)
    assert (
        sum(len(units) for (units,) in found.parts) >= 128 * 128
        and units.plan.cache_info().currsize == before
    )


@pytest.mark.parametrize("fit", ["backwards", "the same channel"])
def test_blocks_of_a_gradient_that_blas_cannot_read_are_added(monkeypatch, fit):
    """A weight's gradient is a sum of blocks; the first is a product, and the next are added to it."""
    monkeypatch.setattr(im2col, "BLOCK", 1 << 12)
    monkeypatch.setattr(im2col, "ROOM", 1 << 12)
    monkeypatch.setattr(im2col, "LEAST_COLUMNS", 40)
    monkeypatch.setattr(im2col, "BLOCKS_SHARED", 0)
    x = numbers((1, 4, 20, 20), "float32", 0)
    gy = numbers((1, 6, 20, 20), "float32", 1)
    gy = gy[:, ::-1] if fit == "backwards" else np.broadcast_to(gy[:, :1], gy.shape)
    found, expected = (
        grad.conv2d_weight(x, (6, 4, 3, 3), gy, padding=1, algorithm=name)
        for name in ("im2col", "windows")
    )
    assert_near(found, expected, EPSILONS)
