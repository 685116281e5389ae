"""Every algorithm computes the sums of convolution: forward, both gradients, and transposed."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from conv_cases import CASES, Case

import convlib
from convlib import algorithms, grad
from convlib.algorithms import choice, im2col, threads
from convlib.algorithms.steps import Shape, Steps

DIRECT = [name for name in algorithms.ALGORITHMS if name not in choice.ERROR]
EPSILONS = 64  # of the largest result: what sums in different orders may differ by


def needs(name: str) -> None:
    if name == "compiled":
        pytest.importorskip("numba")


def numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, 9, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def assert_near(actual: np.ndarray, expected: np.ndarray, epsilons: float) -> None:
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if not actual.size:
        return
    if actual.dtype.kind in "iu":
        np.testing.assert_array_equal(actual, expected)
        return
    # in float16 the sum is float32's, rounded once
    tolerance = epsilons * np.finfo(actual.dtype).eps
    if actual.dtype == np.float16:
        tolerance = max(epsilons * float(np.finfo(np.float32).eps), 1e-3)
    scale = float(np.abs(expected).max())
    assert float(np.abs(actual - expected).max()) <= tolerance * max(scale, 1.0)


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
]


@pytest.fixture(params=["as it is", "cut small"])
def blocks(request, monkeypatch):
    """Blocks as they are, where a small case is one block, and cut so that each case has many."""
    if request.param == "cut small":
        monkeypatch.setattr(im2col, "BLOCK", 64)
        monkeypatch.setattr(im2col, "LEAST_COLUMNS", 3)
        for name in ("im2col", "flat", "bands", "taps", "compiled", "winograd", "fft"):
            for least in ("SMALL", "SEVERAL"):
                if hasattr(choice.module(name), least):
                    monkeypatch.setattr(choice.module(name), least, 0)
        monkeypatch.setattr(choice.module("winograd"), "BLOCK", 64)
        monkeypatch.setattr(choice.module("flat"), "CELLS", 16)
        monkeypatch.setattr(choice.module("bands"), "CELLS", 16)
        monkeypatch.setattr(threads, "limit", lambda: 3)
        for name in ("im2col", "flat", "bands", "taps", "compiled", "winograd", "fft"):
            monkeypatch.setattr(choice.module(name), "limit", lambda: 2)
    return request.param


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
    choice._auto.cache_clear()
    plain = Steps((1, 1), ((1, 1), (1, 1)), (1, 1))
    taken = {}
    for shape in SHAPES:
        axes = len(shape.taps)
        steps = Steps((1,) * axes, ((1, 1),) * axes, (1,) * axes)
        for dtype in ("float32", "float64", "complex64", "int64"):
            name = choice.choose("auto", task, shape, steps, np.dtype(dtype), np)
            assert name in DIRECT and name != "bands"
            assert numba or name != "compiled"
    dense = SHAPES[1]._replace(i=128, o=128)
    for allowed in (0, 1e-5, 1e-3):
        with convlib.allowed_error(allowed):
            taken[allowed] = choice.choose("auto", task, dense, plain, np.dtype("float32"), np)
    direct = "compiled" if numba else "im2col"
    assert taken == {0: direct, 1e-5: "winograd-f23", 1e-3: "winograd"}
    with convlib.allowed_error(1e-3):
        large = choice.choose("auto", task, SHAPES[7], plain, np.dtype("float32"), np)
        strided = plain._replace(stride=(2, 2))
        assert large == "fft"
        assert choice.choose("auto", task, dense, strided, np.dtype("float32"), np) == direct
        assert choice.choose("auto", task, dense, plain, np.dtype("int64"), np) == "im2col"
    choice._auto.cache_clear()


def test_allowed_error_belongs_to_its_block_and_thread():
    dense, plain = SHAPES[1], Steps((1, 1), ((1, 1), (1, 1)), (1, 1))

    def name() -> str:
        return choice.choose("auto", "forward", dense, plain, np.dtype("float32"), np)

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
    ("value", "error"), [(-1, ValueError), (2, ValueError), ("1e-3", TypeError), (True, TypeError)]
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
    before = threads._blas_threads()
    start = threading.Barrier(4)

    def caller(_: int) -> list[np.ndarray]:
        start.wait()
        return [array for _ in range(3) for array in results()]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(caller, range(4)):
            for actual, expected in zip(found, alone * 3, strict=True):
                np.testing.assert_array_equal(actual, expected)
    assert threads._blas_threads() == before
    assert threads._sharing == threads._running == 0


@pytest.mark.parametrize("number", [1, 3, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_im2col_takes_an_eighth_of_all_columns_at_most(monkeypatch, stride, number):
    """Peak memory beside the result, as NumPy reports it, with one thread or several at work."""
    monkeypatch.setattr(im2col, "limit", lambda: number)
    monkeypatch.setattr(im2col, "SEVERAL", 0)
    monkeypatch.setattr(threads, "limit", lambda: number)
    x, w = numbers((4, 64, 112, 112), "float32", 0), numbers((64, 64, 3, 3), "float32", 1)
    gy = numbers((4, 64, 112 // stride, 112 // stride), "float32", 2)
    columns = 9 * x.nbytes // stride**2
    settings = {"stride": stride, "padding": 1, "algorithm": "im2col"}
    for run in (
        lambda: convlib.conv2d(x, w, **settings),
        lambda: grad.conv2d_weight(x, w.shape, gy, **settings),
    ):
        threads.forget()
        tracemalloc.start()
        try:
            result = run()
            peak = tracemalloc.get_traced_memory()[1] - result.nbytes
        finally:
            tracemalloc.stop()
        assert 0 < peak <= columns / 8


def test_limits_of_the_user_are_kept(monkeypatch):
    from threadpoolctl import threadpool_limits

    if not threads._blas():
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


def test_two_threads_are_left_to_blas(monkeypatch):
    """im2col's blocks are shared out from three threads on, and large layers alone."""
    large = Shape(1, 1, 256, 256, (56, 56), (3, 3))
    small = large._replace(positions=(7, 7))
    for number, shared in ((1, False), (2, False), (3, True), (8, True)):
        monkeypatch.setattr(im2col, "limit", lambda number=number: number)
        assert im2col.is_shared(np, large) == shared
        assert not im2col.is_shared(np, small)


def test_where_compiled_loops_are_taken():
    """With Numba: where windows would have to be copied, but for images of a few cells."""
    dense, real = Shape(1, 1, 256, 256, (28, 28), (3, 3)), np.dtype("f4")
    for changes, expected in (
        ({}, "forward input"),
        ({"n": 4}, "forward input weight"),  # as much to add up as there are weights
        ({"i": 128, "o": 128}, "forward input weight"),
        ({"positions": (7, 7)}, "forward input"),
        ({"positions": (3, 3)}, ""),
        ({"taps": (1, 1)}, "forward"),
        ({"taps": (1, 1), "i": 64, "o": 64}, "forward input"),  # a weight that is soon turned round
        ({"taps": (1, 1), "g": 16, "i": 16, "o": 16}, "forward input weight"),
        ({"taps": (1, 1), "g": 8, "i": 32, "o": 32}, "forward input"),
        ({"g": 256, "i": 1, "o": 1}, "forward input weight"),
        ({"i": 1, "o": 1, "positions": (4, 4)}, ""),  # too little to do
    ):
        shape, taken = dense._replace(**changes), expected.split()
        for task in ("forward", "input", "weight"):
            assert choice.compiled_pays(task, shape, real) == (task in taken), (changes, task)
            # BLAS' threads begin sooner
            dense_one = shape.taps == (1, 1) and shape.i > 16
            several = task in taken and not dense_one
            assert choice.compiled_pays(task, shape, real, True) == several, (changes, task)
    assert not choice.compiled_pays("forward", dense, np.dtype("c8"))
    assert choice.compiled_pays("forward", dense._replace(i=64, o=64), np.dtype("c8"))


@pytest.mark.parametrize("cells", [1 << 8, 1 << 14, 1 << 30])
def test_units_hold_each_output_once(monkeypatch, cells):
    """For any size of a unit, and any number of threads; each thread gets about as many."""
    pytest.importorskip("numba")
    units = choice.module("units")
    monkeypatch.setattr(units, "UNIT", cells)
    for n, g, o, positions, threads_ in (
        (1, 1, 64, (5, 20, 30), 1),
        (2, 3, 8, (6, 7), 2),
        (1, 1, 40, (9, 9), 4),
        (1, 1, 3, (30,), 3),
        (3, 2, 5, (33, 4), 8),
    ):
        axes = len(positions)
        shape = Shape(n, g, 4, o, positions, (3,) * axes)
        steps = Steps((1,) * axes, ((1, 1),) * axes, (1,) * axes)
        for of_weight in (False, True):
            units.plan.cache_clear()
            found = units.plan(positions, (0,) * (axes + 3), shape, steps, threads_, 4, of_weight)
            seen = np.zeros((n, g, *units.three(positions, 1)[:2], o), int)
            for part in found.shares:
                for image, group, d, d_end, h, h_end, first, end in found.units[part, :8]:
                    seen[image, group, d:d_end, h:h_end, first:end] += 1
                    assert first % 16 == 0
            assert (seen == 1).all()
            sizes = [part.stop - part.start for part in found.shares]
            assert len(sizes) <= threads_
            assert max(sizes) - min(sizes) <= 1
    units.plan.cache_clear()


@pytest.mark.parametrize("size", [1 << 10, 5 << 10, 9 << 10])
def test_units_of_few_rows_give_the_same_sums(monkeypatch, size):
    """Zeros of the padding stand elsewhere in each unit, and those of the last one go."""
    needs("compiled")
    units = choice.module("units")
    monkeypatch.setattr(units, "UNIT", size)
    units.plan.cache_clear()
    for outputs in (3, 20):
        x, w = numbers((2, 6, 13, 9), "float64", 0), numbers((outputs, 6, 3, 3), "float64", 1)
        y = convlib.conv2d(x, w, padding=2, algorithm="windows")
        assert_near(convlib.conv2d(x, w, padding=2, algorithm="compiled"), y, EPSILONS)
        gw = grad.conv2d_weight(x, w.shape, y, padding=2, algorithm="windows")
        mine = grad.conv2d_weight(x, w.shape, y, padding=2, algorithm="compiled")
        assert_near(mine, gw, EPSILONS)
    units.plan.cache_clear()


@pytest.mark.parametrize("cells", [1 << 8, 1 << 20])
@pytest.mark.parametrize("outputs", [2, 10])
def test_taps_that_see_padding_alone_are_left_out(monkeypatch, cells, outputs):
    """Slices and rows that see padding with a part of their taps, with all, and with none."""
    needs("compiled")
    units = choice.module("units")
    monkeypatch.setattr(units, "UNIT", cells)
    units.plan.cache_clear()
    lengths = set()
    for depth, padding, dilation, stride in itertools.product(
        (1, 2, 4), ((0, 0, 0), (1, 1, 1), (3, 1, 0), (4, 3, 4)), (1, 2), (1, 2)
    ):
        if depth + 2 * padding[0] < 2 * dilation + 1:
            continue
        x = numbers((1, 4, depth, 6, 7), "float64", depth)
        w = numbers((outputs, 2, 3, 3, 2), "float64", 1)
        rest = {"padding": padding, "dilation": (dilation, 1, 1), "stride": stride, "groups": 2}
        y = convlib.conv3d(x, w, algorithm="windows", **rest)
        assert_near(convlib.conv3d(x, w, algorithm="compiled", **rest), y, EPSILONS)
        for name, args in (("input", (x.shape, w, y)), ("weight", (x, w.shape, y))):
            gradient = getattr(grad, f"conv3d_{name}")
            plain = gradient(*args, algorithm="windows", **rest)
            assert_near(gradient(*args, algorithm="compiled", **rest), plain, EPSILONS)
        shape = Shape(1, 2, 2, outputs // 2, y.shape[2:], (3, 3, 2))
        steps = Steps((stride,) * 3, tuple((p, p) for p in padding), (dilation, 1, 1))
        found = units.plan(x.shape[2:], (0, 0, 144, 48, 16, 8), shape, steps, 1, 8, False)
        lengths |= {end - start for start, end in found.units[:, 8:]}
    # all 36 terms, and those of two slices of taps, and of one
    assert {36, 24, 12} <= lengths
    units.plan.cache_clear()


@pytest.mark.parametrize("often", [0, 1 << 30])
def test_weights_in_another_order_are_put_together(monkeypatch, often):
    """Once for all units, or for each unit its own, with all taps and without some."""
    needs("compiled")
    compiled, units = choice.module("compiled"), choice.module("units")
    monkeypatch.setattr(compiled, "OFTEN", often)
    monkeypatch.setattr(units, "NEAR", 0)
    monkeypatch.setattr(units, "UNIT", 1 << 10)
    units.plan.cache_clear()
    for size in ((4, 6, 7), (9, 13), (40,)):
        axes = len(size)
        x = np.zeros((2, 4, *size))
        w, gy = numbers((12, 2, *(3,) * axes), "float64", 1), numbers((2, 12, *size), "float64", 2)
        gradient = getattr(grad, f"conv{axes}d_input")
        rest = {"padding": 1, "groups": 2}
        plain = gradient(x.shape, w, gy, algorithm="windows", **rest)
        assert_near(gradient(x.shape, w, gy, algorithm="compiled", **rest), plain, EPSILONS)
    units.plan.cache_clear()


def views_of(x):
    """The same cells in other places: odd steps, read-only, strided, mirrored, Fortran's order."""
    bytes_ = np.zeros(x.size * 5, np.uint8)
    odd = np.ndarray(x.shape, x.dtype, bytes_, 0, tuple(s // 4 * 5 for s in x.strides))
    odd[...] = x
    still = x.copy()
    still.flags.writeable = False
    n, g, i, h, w = x.shape
    wide = np.zeros((n, g, 2 * i, h, 2 * w), x.dtype)
    wide[:, :, ::2, :, ::2] = x
    channels = np.zeros((n, g, 2 * i, h, w), x.dtype)
    channels[:, :, ::2] = x
    rows, images = x[:, :, :, ::-1].copy()[:, :, :, ::-1], x[::-1].copy()[::-1]
    mirrored = x[:, :, ::-1].copy()[:, :, ::-1]
    parts = wide[:, :, ::2, :, ::2], channels[:, :, ::2]
    return odd, still, *parts, rows, images, mirrored, np.asfortranarray(x)


@pytest.mark.parametrize("taps", [1, 3])
def test_compiled_loops_read_and_write_views(taps):
    """Mirrored, strided and read-only arrays, and steps that are no whole number of cells."""
    needs("compiled")
    compiled, steps = choice.module("compiled"), Steps((2, 1), ((1, 0), (2, 2)), (1, 2))
    x, w = numbers((2, 3, 4, 11, 13), "float32", 0), numbers((3, 6, 4, taps, taps), "float32", 1)
    y = np.zeros((2, 3, 6, 5, 13), np.float32)
    turned = np.ascontiguousarray(w[..., ::-1, ::-1])[..., ::-1, ::-1]
    swapped = np.ascontiguousarray(w.swapaxes(1, 2)).swapaxes(1, 2)
    strides = [(2, 1)]
    if taps == 1:
        steps, strides = Steps((1, 1), ((0, 0), (0, 0)), (1, 1)), [(1, 1), (2, 1), (2, 3)]
    for stride in strides:
        steps = steps._replace(stride=stride)
        if taps == 1:
            y = np.zeros((2, 3, 6, *x[..., :: stride[0], :: stride[1]].shape[3:]), np.float32)
        im2col.forward(np, x, w, y, steps)
        for cells in views_of(x):
            for weight in (w, turned, swapped):
                high, across = y.shape[3:]
                room = np.full((2, 3, 6, 2 * high, 2 * across), np.nan, np.float32)
                compiled.forward(np, cells, weight, room[..., ::2, ::2], steps)
                np.testing.assert_allclose(room[..., ::2, ::2], y, rtol=1e-5, atol=1e-5)
                assert np.isnan(room[..., 1::2, :]).all()
                assert np.isnan(room[..., 1::2]).all()
                room = np.full((2, 3, 12, high, across), np.nan, np.float32)
                compiled.forward(np, cells, weight, room[:, :, ::2], steps)
                np.testing.assert_allclose(room[:, :, ::2], y, rtol=1e-5, atol=1e-5)
                assert np.isnan(room[:, :, 1::2]).all()
    if taps == 1:
        return
    cells = views_of(x)[2]
    gy, gw = numbers(y.shape, "float32", 2), np.empty(w.shape, np.float32)
    im2col.weight_gradient(np, x, gy, gw, steps)
    room = np.full((3, 12, 4, 3, 3), np.nan, np.float32)
    compiled.weight_gradient(np, cells, gy, room[:, ::2], steps)
    np.testing.assert_allclose(room[:, ::2], gw, rtol=1e-4, atol=1e-4)
    assert np.isnan(room[:, 1::2]).all()


@pytest.mark.parametrize("outputs", [1, 2, 4, 5, 8, 9, 12, 16, 17])
@pytest.mark.parametrize("width", [1, 5, 16, 17, 33, 49, 70, 100])
def test_compiled_sums_of_every_size(outputs, width):
    """As many outputs and cells as make up whole tiles, and some more or fewer."""
    needs("compiled")
    for dtype in ("float32", "float64"):
        x, w = numbers((1, 2, 3, width + 2), dtype, 0), numbers((outputs, 2, 3, 3), dtype, 1)
        rest = {"algorithm": "compiled"}
        y, exact = convlib.conv2d(x, w, **rest), convlib.conv2d(x, w, algorithm="windows")
        np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-5)
        gw = grad.conv2d_weight(x, w.shape, exact, **rest)
        np.testing.assert_allclose(
            gw, grad.conv2d_weight(x, w.shape, exact, algorithm="windows"),
            rtol=1e-4, atol=1e-4,
        )  # fmt: skip


@pytest.mark.parametrize("inputs", [1, 7, 64])
@pytest.mark.parametrize("outputs", [1, 3, 4, 6, 8, 13, 128, 136, 140])
def test_compiled_sums_of_one_tap_of_every_size(outputs, inputs):
    """As many outputs and positions as make up whole tiles, and some more or fewer."""
    needs("compiled")
    for dtype in ("float32", "float64"):
        for positions in (1, 2, 7, 15, 16, 17, 33, 48, 49, 83, 97, 150):
            x, w = (
                numbers((2, inputs, positions), dtype, 0),
                numbers((outputs, inputs, 1), dtype, 1),
            )
            y, exact = convlib.conv1d(x, w, algorithm="compiled"), np.einsum("nip,oil->nop", x, w)
            np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cells", [1 << 8, 1 << 14, 1 << 30])
def test_units_of_one_tap_hold_each_output_once(monkeypatch, cells):
    """For any size of a unit, and any number of threads; each thread gets about as many."""
    pytest.importorskip("numba")
    units = choice.module("units")
    monkeypatch.setattr(units, "PANELS", cells)
    for shape in (
        Shape(1, 1, 3, 5, (300,), (1,)),
        Shape(2, 3, 64, 40, (9, 31), (1, 1)),
        Shape(1, 1, 512, 2048, (7, 7), (1, 1)),
        Shape(1, 1, 4, 17, (1, 2, 3), (1, 1, 1)),
    ):
        for number in (1, 2, 3, 5, 8):
            units.panels.cache_clear()
            shares, sizes, _ = units.panels(shape, number, 4)
            seen = np.zeros((shape.n, shape.g, shape.o, np.prod(shape.positions)), int)
            for (share,) in shares:
                for n, g, q, q_end, o, o_end in share:
                    assert 0 < q_end - q <= sizes[2]
                    seen[n, g, o:o_end, q:q_end] += 1
            assert (seen == 1).all()
            lengths = [len(share) for (share,) in shares]
            assert max(lengths) - min(lengths) <= 1
    units.panels.cache_clear()


def test_a_change_of_one_file_compiles_all_kernels_anew(tmp_path):
    """Numba looks at a function's own file alone; what it calls may be in another."""
    pytest.importorskip("numba")
    folder = Path(convlib.__file__).parent
    shutil.copytree(folder, tmp_path / "convlib", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import numpy as np; from convlib.algorithms import rows;"
        "to = np.ones(4); rows.write(to, 0, np.ones(4, int), np.full(4, 5.0), 4, np.ones(3, int),"
        " np.ones(3, int), 1); print(sum(rows.write.stats.cache_hits.values()))"
    )

    def hits() -> str:
        run = [sys.executable, "-c", program]
        place = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "c")}
        return subprocess.run(run, env=place, cwd=tmp_path, capture_output=True, text=True).stdout

    assert [hits(), hits()] == ["0\n", "1\n"]
    vectors = tmp_path / "convlib" / "algorithms" / "vectors.py"
    vectors.write_text(vectors.read_text() + "# changed\n")
    assert [hits(), hits()] == ["0\n", "1\n"]


def test_compiled_loops_may_use_the_widest_vectors():
    numba = pytest.importorskip("numba")
    from convlib.algorithms.vectors import ATTRIBUTE, wide_vectors

    @numba.njit
    def marked() -> None:
        wide_vectors()

    @numba.njit
    def plain() -> None:
        return

    for function, expected in ((marked, True), (plain, False)):
        function()
        (code,) = function.inspect_llvm().values()
        assert (ATTRIBUTE in code) == expected


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

    before = threads._blas_threads()
    with pytest.raises(FloatingPointError, match="seven"):
        threads.share(work, [(number,) for number in range(40)])
    assert threads._blas_threads() == before
    assert threads._sharing == threads._running == 0


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
                for block in im2col.blocks(shape, columns, at_least):
                    seen[(block.n, block.g, *block.at)] += 1
                    flat[block.n, block.g, block.flat] += 1
                assert (seen == 1).all() and (flat == 1).all()
                np.testing.assert_array_equal(seen.reshape(flat.shape), flat)


def test_fast_lengths():
    fft = choice.module("fft")
    assert [fft.fast_length(n) for n in (0, 1, 7, 11, 13, 17, 31, 121)] == [
        1, 1, 8, 12, 15, 18, 32, 125,
    ]  # fmt: skip


def test_winograd_matrices_are_exact_for_small_integers():
    """F(m,3) of integers, times the denominators, is the direct sum without any rounding."""
    for m in (2, 4):
        bt, g, at = choice.module("winograd").transforms(m, 1, np.dtype("float64"))
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
