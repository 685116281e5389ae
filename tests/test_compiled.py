"""Compiled loops: all sizes and views, units, threads that wait. Needs Numba."""

from __future__ import annotations

import ctypes
import gc
import itertools
import mmap
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from near import EPSILONS, assert_near, numbers

import convlib
from convlib import grad
from convlib.algorithms import choice, im2col, threads
from convlib.algorithms.steps import Shape, Steps, shape_of

pytest.importorskip("numba")


def test_a_view_of_what_was_made_read_only_is_copied():
    """Else its memory is read-only, for which loops would be compiled once more."""
    memory = choice.file_of("memory")
    cells = np.zeros((4, 6))
    view = cells[:, 1:-1]
    assert memory.usable(view) is view
    cells.flags.writeable = False
    assert view.flags.writeable
    assert memory.memory_of(memory.usable(view))[0].flags.writeable
    assert not np.shares_memory(memory.usable(view), cells)
    assert memory.usable(cells[1:]).flags.writeable


@pytest.mark.parametrize("cells", [1 << 8, 1 << 14, 1 << 30])
def test_units_hold_each_output_once(monkeypatch, cells):
    """For any size of a unit, and any number of threads; each thread gets about as many."""
    units = choice.file_of("units")
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
            seen = np.zeros((n, g, *units.three(positions, 1)[:2], o, 4), int)
            for (part,) in found.parts:
                done = 4
                for image, group, d, d_end, h, h_end, first, end, *_, i, i_end in part:
                    seen[image, group, d:d_end, h:h_end, first:end, i:i_end] += 1
                    assert first % 16 == 0
                    assert i == done % 4  # the channels of some outputs follow one another
                    done = i_end
                assert done == 4
            assert (seen == 1).all()
            sizes = [(part[:, 10] == 0).sum() for (part,) in found.parts]
            assert len(sizes) <= threads_
            assert max(sizes) - min(sizes) <= 1
    units.plan.cache_clear()


def test_rows_share_the_zeros_between_them():
    """As many as both sides have, and no more than keep two windows of a row apart."""
    units = choice.file_of("units")
    for cells, taps, stride, before, after, dilation, shared in (
        (9, 3, 1, 1, 1, 1, 1),
        (9, 3, 1, 0, 2, 1, 0),
        (9, 3, 1, 2, 1, 1, 1),
        (9, 3, 1, 5, 5, 1, 2),  # between two windows' ends lie two cells, whatever the padding
        (9, 5, 1, 2, 2, 1, 2),
        (9, 3, 1, 2, 2, 2, 2),
        (9, 3, 2, 1, 1, 1, 0),  # one phase begins with zeros, the other one ends with them
        (9, 5, 2, 3, 3, 1, 1),
        (9, 1, 1, 3, 3, 1, 0),
    ):
        positions = (cells + before + after - dilation * (taps - 1) - 1) // stride + 1
        shape = Shape(1, 1, 1, 1, (4, positions), (3, taps))
        steps = Steps((1, stride), ((1, 1), (before, after)), (1, dilation))
        assert units.shared_zeros((4, cells), shape, steps, 1) == shared
        # each stands for a cell of every image, and so many stand behind the last row
        slack = choice.file_of("kernels").SLACK
        assert units.shared_zeros((4, cells), shape, steps, slack) == min(shared, 1)


@pytest.mark.parametrize("outputs", [3, 20])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_nothing_is_read_that_a_last_call_left(outputs, padding):
    """Memory is kept from call to call: what is not written again holds no cell."""
    w, rest = numbers((outputs, 3, 3, 3), "float32", 0), {"padding": padding}
    for size in ((9, 9), (5, 30), (30, 4)):
        x = numbers((1, 3, *size), "float32", 1)
        y = convlib.conv2d(x, w, algorithm="windows", **rest)
        plain = grad.conv2d_weight(x, w.shape, y, algorithm="windows", **rest)
        nothing = np.full((1, 3, 60, 60), np.nan, np.float32)
        convlib.conv2d(nothing, w, algorithm="compiled", **rest)
        assert_near(convlib.conv2d(x, w, algorithm="compiled", **rest), y, EPSILONS)
        convlib.conv2d(nothing, w, algorithm="compiled", **rest)
        gw = grad.conv2d_weight(x, w.shape, y, algorithm="compiled", **rest)
        assert_near(gw, plain, EPSILONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_read_behind_a_first_unit_of_fewer_channels(monkeypatch, dtype):
    """The last row ends with zeros, and where the next channel would begin lies a last call's cell."""
    units = choice.file_of("units")
    monkeypatch.setattr(units, "UNIT", 1 << 10)
    units.plan.cache_clear()
    for inputs, width in itertools.product((3, 5, 13), range(4, 40)):
        x, w = numbers((1, inputs, 4, width), dtype, 0), numbers((4, inputs, 2, 2), dtype, 1)
        y = convlib.conv2d(x, w, padding=1, algorithm="windows")
        nothing = np.full((1, inputs, 60, 60), np.nan, dtype)
        convlib.conv2d(nothing, w, padding=1, algorithm="compiled")
        assert_near(convlib.conv2d(x, w, padding=1, algorithm="compiled"), y, EPSILONS)
    units.plan.cache_clear()


@pytest.mark.parametrize("size", [1 << 10, 3 << 10, 5 << 10, 9 << 10])
def test_units_of_few_rows_give_the_same_sums(monkeypatch, size):
    """Zeros of the padding stand elsewhere in each unit, and those of the last one go. Or few slices."""
    units = choice.file_of("units")
    monkeypatch.setattr(units, "UNIT", size)
    units.plan.cache_clear()
    for outputs in (3, 20):
        x, w = numbers((2, 6, 13, 9), "float64", 0), numbers((outputs, 6, 3, 3), "float64", 1)
        y = convlib.conv2d(x, w, padding=2, algorithm="windows")
        assert_near(convlib.conv2d(x, w, padding=2, algorithm="compiled"), y, EPSILONS)
        gw = grad.conv2d_weight(x, w.shape, y, padding=2, algorithm="windows")
        mine = grad.conv2d_weight(x, w.shape, y, padding=2, algorithm="compiled")
        assert_near(mine, gw, EPSILONS)
        x, w = numbers((1, 2, 7, 4, 3), "float64", 0), numbers((outputs, 2, 3, 3, 3), "float64", 1)
        y = convlib.conv3d(x, w, padding=1, algorithm="windows")
        assert_near(convlib.conv3d(x, w, padding=1, algorithm="compiled"), y, EPSILONS)
    units.plan.cache_clear()


@pytest.mark.parametrize("cells", [1 << 8, 1 << 20])
@pytest.mark.parametrize("outputs", [2, 10])
def test_taps_that_see_padding_alone_are_left_out(monkeypatch, cells, outputs):
    """Slices and rows that see padding with a part of their taps, with all, and with none."""
    units = choice.file_of("units")
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
        terms: dict[tuple, int] = {}  # of all channels, which may stand in two units
        for *place, start, end, _, _ in found.parts[0][0].tolist():
            terms[tuple(place)] = terms.get(tuple(place), 0) + end - start
        lengths |= set(terms.values())
        if (depth, padding, dilation, stride) == (4, (1, 1, 1), 1, 1):
            first, last = ([n for place, n in terms.items() if place[2] == at] for at in (0, 3))
            assert first == last and max(first) == 24  # a third of the taps, on either side
    # all 36 terms, and those of two slices of taps, and of one
    assert {36, 24, 12} <= lengths
    units.plan.cache_clear()


@pytest.mark.parametrize("unit", [1 << 10, 1 << 20])
@pytest.mark.parametrize("sums, often", [(1 << 10, 0), (1 << 20, 1 << 20)])
def test_units_go_on_with_sums(monkeypatch, unit, sums, often):
    """Channels a few at a time, of unequal numbers, all rows at once or some; forwards and back.

    Backwards, the weight is read in place, or put in order first.
    """
    units = choice.file_of("units")
    monkeypatch.setattr(units, "UNIT", unit)
    monkeypatch.setattr(units, "SUMS", sums)
    monkeypatch.setattr(choice.file_of("compiled"), "OFTEN", often)
    units.plan.cache_clear()
    for size, outputs in (((4, 6, 7), 12), ((9, 13), 14), ((40,), 2), ((12, 12), 40)):
        axes = len(size)
        x, w = (
            numbers((2, 22, *size), "float64", 0),
            numbers((outputs, 11, *(3,) * axes), "float64", 1),
        )
        for stride in (1, 2):
            rest = {"padding": 1, "groups": 2, "stride": stride}
            y = getattr(convlib, f"conv{axes}d")(x, w, algorithm="windows", **rest)
            mine = getattr(convlib, f"conv{axes}d")(x, w, algorithm="compiled", **rest)
            assert_near(mine, y, EPSILONS)
            gradient = getattr(grad, f"conv{axes}d_input")
            plain = gradient(x.shape, w, y, algorithm="windows", **rest)
            assert_near(gradient(x.shape, w, y, algorithm="compiled", **rest), plain, EPSILONS)
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


@pytest.mark.parametrize("taps, width", [(1, 13), (3, 13), (3, 16)])
def test_compiled_loops_read_and_write_views(taps, width):
    """Mirrored, strided and read-only arrays, and steps that are no whole number of cells."""
    compiled, steps = choice.file_of("compiled"), Steps((2, 1), ((1, 0), (2, 2)), (1, 2))
    x, w = numbers((2, 3, 4, 11, width), "float32", 0), numbers((3, 8, 4, taps, taps), "float32", 1)
    y = np.zeros((2, 3, 8, 5, width), np.float32)
    turned = np.ascontiguousarray(w[..., ::-1, ::-1])[..., ::-1, ::-1]
    swapped = np.ascontiguousarray(w.swapaxes(1, 2)).swapaxes(1, 2)
    strides = [(2, 1)]
    if taps == 1:
        steps, strides = Steps((1, 1), ((0, 0), (0, 0)), (1, 1)), [(1, 1), (2, 1), (2, 3)]
    for stride in strides:
        steps = steps._replace(stride=stride)
        if taps == 1:
            y = np.zeros((2, 3, 8, *x[..., :: stride[0], :: stride[1]].shape[3:]), np.float32)
        im2col.forward(np, x, w, y, steps)
        for cells in views_of(x):
            for weight in (w, turned, swapped):
                high, across = y.shape[3:]
                room = np.full((2, 3, 8, 2 * high, 2 * across), np.nan, np.float32)
                compiled.forward(np, cells, weight, room[..., ::2, ::2], steps)
                np.testing.assert_allclose(room[..., ::2, ::2], y, rtol=1e-5, atol=1e-5)
                assert np.isnan(room[..., 1::2, :]).all()
                assert np.isnan(room[..., 1::2]).all()
                room = np.full((2, 3, 16, high, across), np.nan, np.float32)
                compiled.forward(np, cells, weight, room[:, :, ::2], steps)
                np.testing.assert_allclose(room[:, :, ::2], y, rtol=1e-5, atol=1e-5)
                assert np.isnan(room[:, :, 1::2]).all()
                compiled.forward(np, cells, weight, room[:, :, ::2, :, ::-1], steps)
                np.testing.assert_allclose(room[:, :, ::2, :, ::-1], y, rtol=1e-5, atol=1e-5)
                assert np.isnan(room[:, :, 1::2]).all()
    if taps == 1:
        return
    cells = views_of(x)[2]
    gy, gw = numbers(y.shape, "float32", 2), np.empty(w.shape, np.float32)
    im2col.weight_gradient(np, x, gy, gw, steps)
    room = np.full((3, 16, 4, 3, 3), np.nan, np.float32)
    compiled.weight_gradient(np, cells, gy, room[:, ::2], steps)
    np.testing.assert_allclose(room[:, ::2], gw, rtol=1e-4, atol=1e-4)
    assert np.isnan(room[:, 1::2]).all()


READY = [  # sizes of an input and a weight, settings, and whether one loop takes the arrays as they are
    ((2, 6, 9, 11), (4, 3, 3, 2), {"stride": (2, 1), "padding": 1, "groups": 2}, True),
    ((6, 9, 11), (8, 6, 3, 3), {"dilation": 2, "padding": "same"}, True),
    ((2, 40, 31), (70, 40, 1), {}, True),
    ((2, 8, 5, 6, 7), (16, 8, 3, 3, 3), {"padding": (0, 1, 2)}, True),
    ((1, 8, 9, 9), (4, 8, 1, 1), {"stride": 2}, False),  # cells are picked first
    ((1, 8, 9, 9), (8, 1, 3, 3), {"groups": 8}, False),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize(("size", "weight", "settings", "whole"), READY)
def test_whole_arrays_go_to_the_loops_as_they_are(
    monkeypatch, dtype, size, weight, settings, whole
):
    """The same bits come out of arrays of another layout, whose way is longer; for any threads."""
    compiled, ready = choice.file_of("compiled"), choice.file_of("ready")
    convolve = getattr(convlib, f"conv{len(weight) - 2}d")
    x, w = numbers(size, dtype, 0), numbers(weight, dtype, 1)
    apart = np.full((*x.shape, 2), np.nan, dtype)
    apart[..., 0] = x
    fixed = w.copy()
    fixed.flags.writeable = False
    long_way, forward = [], compiled.forward
    monkeypatch.setattr(compiled, "forward", lambda *all: (long_way.append(1), forward(*all)))
    expected = convolve(x, w, algorithm="windows", **settings)
    for number in (1, 2, 1, 3):  # a user may change it at any time
        for file in (ready, compiled, choice.file_of("units")):
            monkeypatch.setattr(file, "threads_for", lambda *_, number=number: number)
        long_way.clear()
        y = convolve(x, w, algorithm="compiled", **settings)
        assert bool(long_way) == (not whole or dtype == "complex64")
        for cells, kernel in ((apart[..., 0], w), (x, fixed)):
            long_way.clear()
            other = convolve(cells, kernel, algorithm="compiled", **settings)
            assert long_way
            if dtype != "complex64":  # parts of such a weight lie otherwise, and so do sums
                np.testing.assert_array_equal(other, y)
            assert_near(other, expected, EPSILONS)
        assert_near(y, expected, EPSILONS)


@pytest.mark.parametrize("outputs", [1, 2, 4, 5, 8, 9, 12, 16, 17])
@pytest.mark.parametrize("width", [1, 5, 16, 17, 33, 49, 70, 100])
def test_compiled_sums_of_every_size(outputs, width):
    """As many outputs and cells as make up whole tiles, and some more or fewer."""
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


@pytest.mark.parametrize("unit", [1 << 10, 1 << 20])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_narrow_images_are_put_abreast(monkeypatch, dtype, number, unit):
    """Of one axis or more, in groups, in units of some rows and channels, with all settings."""
    abreast, units = choice.file_of("abreast"), choice.file_of("units")
    monkeypatch.setattr(abreast, "COPIED", 0)
    monkeypatch.setattr(units, "UNIT", unit)
    monkeypatch.setattr(units, "SHARED", 1)
    monkeypatch.setattr(units, "limit", lambda: number)
    asked, images_of = [], abreast.images_of
    monkeypatch.setattr(abreast, "images_of", lambda *a: asked.append(images_of(*a)) or asked[-1])
    units.plan.cache_clear()
    lanes = choice.file_of("vectors").BYTES // np.dtype(dtype).type(0).real.itemsize
    wide = min(2 * lanes, abreast.WIDE)
    cases = [
        ((lanes - 1,), {"padding": 1}),
        ((5, lanes - 1), {"padding": 1, "groups": 2}),
        ((9, lanes + 1), {"stride": (2, 1), "dilation": (2, 1)}),
        ((6, lanes - 3), {"padding": (0, 2), "dilation": (1, 2)}),
        ((14, wide - 2), {"padding": 1}),
        ((11, lanes - 1), {"padding": 1, "stride": 2}),
        ((3, lanes), {"padding": 7, "stride": (3, 3), "dilation": (2, 1)}),
        ((2, 2), {"padding": (1, 8), "stride": (1, 4)}),
        ((3, 8), {"padding": 1, "stride": (1, 4)}),  # the last cells are seen by no window
        ((7, 5, lanes // 2), {"padding": (2, 1, 1), "stride": (2, 1, 2)}),
        ((3, 4, lanes - 1), {"padding": "same"}),
    ]
    for inputs, outputs, (size, rest) in itertools.product((4, 40), (6, 16), cases):
        axes = len(size)
        x = numbers((2 * lanes, inputs, *size), dtype, 0)
        w = numbers((outputs, inputs // rest.get("groups", 1), *(3,) * axes), dtype, 1)
        x[3] *= np.inf  # images stay by themselves
        conv, back = getattr(convlib, f"conv{axes}d"), getattr(grad, f"conv{axes}d_input")
        with np.errstate(invalid="ignore"):
            y = conv(x, w, algorithm="windows", **rest)
            found = conv(x, w, algorithm="compiled", **rest)
            # not one behind another
            again = conv(x[..., ::-1].copy()[..., ::-1], w, algorithm="compiled", **rest)
        others = np.arange(len(x)) != 3
        assert np.isfinite(y[others]).all()
        assert_near(found[others], y[others], EPSILONS)
        np.testing.assert_array_equal(found[others], again[others])
        np.testing.assert_array_equal(np.isfinite(found[3]), np.isfinite(y[3]))
        if rest.get("padding") == "same":
            continue
        y[3] = 0
        gx = back(x.shape, w, y, algorithm="windows", **rest)
        assert_near(back(x.shape, w, y, algorithm="compiled", **rest), gx, EPSILONS)
    several = [images for images in asked if images > 1]
    assert (len(several) >= 36 and set(several) <= {2, 4, 8, 16}) or dtype == "complex64"
    units.plan.cache_clear()


def test_images_are_put_abreast_where_that_pays():
    images_of, lanes = choice.file_of("abreast").images_of, choice.file_of("vectors").BYTES // 4

    def images(n, i, width, stride=1, axes=2):
        steps = Steps((stride,) * axes, ((1, 1),) * axes, (1,) * axes)
        return images_of(Shape(n, 1, i, i, (*(7,) * (axes - 1), width), (3,) * axes), steps, 4)

    assert images(lanes, 64, lanes - 1) == lanes
    assert images(3 * lanes, 64, lanes - 2) == lanes // 2
    assert images(lanes, 64, lanes // 2 - 1, stride=2) == lanes
    assert images(lanes, 64, lanes // 2 + 1, stride=2) == 1  # each phase is copied by itself
    most = min(2 * lanes, choice.file_of("abreast").WIDE) - 1
    assert images(lanes, 128, most) == lanes
    assert images(lanes, 128, lanes) == 1  # whole registers
    assert images(lanes, 128, most + 2) == 1  # too little is left over
    assert images(lanes, 64, most) == 1  # less is, and copies cost as much
    assert images(lanes, 64, lanes - 1, axes=3) == lanes
    assert images(lanes, 128, lanes + 1, axes=3) == 1  # a unit has three slices of all
    assert images(lanes + 1, 64, lanes - 1) == 1
    assert images(lanes // 2, 64, lanes - 1) == lanes // 2
    assert images(lanes // 4, 64, lanes - 1) == 1  # they would fill too little of a register
    assert images(lanes, 8, lanes - 1) == 1  # copies would cost more


@pytest.mark.parametrize("unit", [1 << 10, 1 << 20])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("outputs", [8, 13])
def test_rows_that_registers_fill(monkeypatch, outputs, number, unit):
    """Of one axis or more, whole slices or some of their rows, and the phases of a strided gradient."""
    units = choice.file_of("units")
    monkeypatch.setattr(units, "UNIT", unit)
    monkeypatch.setattr(units, "SHARED", 1)
    monkeypatch.setattr(units, "limit", lambda: number)
    units.plan.cache_clear()
    for size, stride in (
        ((48,), 1),
        ((32,), 2),
        ((9, 16), 1),
        ((8, 64), 2),
        ((5, 7, 32), 1),
        ((8, 10, 32), (2, 2, 1)),
        ((6, 4, 64), 2),
    ):
        axes = len(size)
        x = numbers((2, 5, *size), "float32", 0)
        w = numbers((outputs, 5, *(3,) * axes), "float32", 1)
        conv = getattr(convlib, f"conv{axes}d")
        back = getattr(grad, f"conv{axes}d_input")
        rest = {"padding": 1, "stride": stride}
        y = conv(x, w, algorithm="windows", **rest)
        assert_near(conv(x, w, algorithm="compiled", **rest), y, EPSILONS)
        gx = back(x.shape, w, y, algorithm="windows", **rest)
        assert_near(back(x.shape, w, y, algorithm="compiled", **rest), gx, EPSILONS)
        # the same with as many inputs as make up whole matrices
        x, w = numbers((1, 8, *size), "float32", 2), numbers((4, 8, *(3,) * axes), "float32", 3)
        y = conv(x, w, algorithm="windows", **rest)
        gx = back(x.shape, w, y, algorithm="windows", **rest)
        assert_near(back(x.shape, w, y, algorithm="compiled", **rest), gx, EPSILONS)
    units.plan.cache_clear()


@pytest.mark.parametrize("width", [7, 16, 48])
@pytest.mark.parametrize(
    "rest", [{}, {"dilation": (2, 1)}, {"dilation": 2}, {"stride": (1, 2)}, {"stride": (2, 1)}]
)
def test_columns_of_taps(rest, width):
    """For as many rows as are stacked, and some more; where columns lie apart, and where there are none."""
    terms, runs = choice.file_of("terms"), choice.file_of("runs")
    for rows in range(1, 9):
        x, w = numbers((2, 40, rows, width), "float32", 0), numbers((8, 40, 3, 3), "float32", 1)
        rest = {"padding": (2, 2), **rest}
        y = convlib.conv2d(x, w, algorithm="windows", **rest)
        assert_near(convlib.conv2d(x, w, algorithm="compiled", **rest), y, EPSILONS)
        gx = grad.conv2d_input(x.shape, w, y, algorithm="windows", **rest)
        assert_near(grad.conv2d_input(x.shape, w, y, algorithm="compiled", **rest), gx, EPSILONS)
        x, w = x.reshape(2, 10, 4, rows, width), w.reshape(8, 10, 4, 3, 3)[:, :, :3]
        up, back = w[..., ::-1, :], np.ascontiguousarray(w[..., ::-1, ::-1])[..., ::-1, ::-1]
        for kernel in (w, up, back, w[..., :2], w[:7]):
            y = convlib.conv3d(x, kernel, padding=1, algorithm="windows")
            found = convlib.conv3d(x, kernel, padding=1, algorithm="compiled")
            assert_near(found, y, EPSILONS)
    shape, steps = Shape(1, 1, 40, 8, (9, width), (3, 3)), Steps((1, 1), ((1, 1),) * 2, (1, 1))
    assert terms.is_columned(shape, steps, 3)
    assert terms.is_columned(shape, steps._replace(stride=(1, 2)), 3)
    assert not terms.is_columned(shape, steps._replace(stride=(2, 1)), 3)
    assert terms.is_columned(shape, steps, -3)
    assert not terms.is_columned(shape, steps, 9)
    assert not terms.is_columned(shape._replace(o=runs.MANY[0] + 1), steps, 3)
    assert not terms.is_columned(shape._replace(taps=(3, 2)), steps, 3)


def test_loops_for_registers_of_other_processors(tmp_path):
    """Narrower ones and fewer, or as many again, which this processor can only put into memory."""
    vectors = choice.file_of("vectors")
    few = vectors.REGISTERS == 16
    registers = (vectors.BYTES, 32) if few else (min(vectors.BYTES, 32), 16)
    tests = ["test_columns_of_taps[rest0-16]", "test_columns_of_taps[rest0-7]"]
    tests += [
        "test_rows_that_registers_fill[13-1-1024]",
        "test_rows_that_registers_fill[8-2-1048576]",
    ]
    tests += [f"test_compiled_sums_of_one_tap_of_every_size[{o}-21]" for o in (6, 13, 140)]
    tests += ["test_narrow_images_are_put_abreast[float32-1-1024]"]
    tests += [f"test_sums_along_runs_of_every_size[{t}-1]" for t in ("float32", "float64")]
    program = (
        "import sys, pytest; from convlib.algorithms import vectors;"
        f"vectors.BYTES, vectors.REGISTERS = {registers};"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *(f"{__file__}::{test}" for test in tests)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0 and f"{len(tests)} passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("taps, stacked", [(1, False), (3, False), (3, True)])
def test_sums_stay_in_registers(taps, stacked):
    """In the loop over terms no vector is put into memory: it is as slow as that memory then."""
    numba = pytest.importorskip("numba")
    registers, runs, vectors = map(choice.file_of, ("registers", "runs", "vectors"))
    if platform.machine() not in ("x86_64", "AMD64") or vectors.BYTES < 32:
        pytest.skip("reads the instructions of processors with AVX2")
    (outputs, (most, _, _)) = runs.MANY
    sizes = [(outputs, most)]
    if runs.HALVES and (stacked or taps == 1):
        sizes.append((outputs // 2, 2 * most))
    for outputs, most in sizes:
        multiply = registers.tile(outputs, (most,), taps, stacked)

        @numba.njit
        def sums(y, x, start, line, at, w, rows, to, multiply=multiply, n=most, here=outputs):
            multiply(
                n, y, 0, 99, 16, x, start, line, at, w, 0, rows, to, here, 0, 9, True, y, 0, 99, 16
            )

        numbers_, places = np.zeros(1 << 12, np.float32), np.zeros(16, np.int64)
        for start in [0] if stacked else [0, (0,) * most]:
            sums(numbers_.copy(), numbers_, start, 0, places, numbers_, places, places)
        for code in sums.inspect_asm().values():
            lines = code.splitlines()
            products = [n for n, line in enumerate(lines) if "vfmadd" in line]
            assert len(products) == outputs * most * taps
            loop = lines[products[0] : products[-1]]
            assert not [line for line in loop if "mm" in line and "(%rsp)" in line]


def test_sums_along_runs_stay_in_registers():
    """The same in the loop along a run."""
    numba = pytest.importorskip("numba")
    dots, vectors = map(choice.file_of, ("dots", "vectors"))
    if platform.machine() not in ("x86_64", "AMD64") or vectors.BYTES < 32:
        pytest.skip("reads the instructions of processors with AVX2")

    @numba.njit
    def sums(s, a, b):
        dots.dots(s, 0, a, 0, 99, b, 0, 99, 9, True)

    cells = np.zeros(1 << 12, np.float32)
    sums(cells.copy(), cells, cells)
    (code,) = sums.inspect_asm().values()
    lines = code.splitlines()
    products = [n for n, line in enumerate(lines) if "vfmadd" in line]
    assert len(products) == dots.ROWS * dots.COLUMNS
    loop = lines[products[0] : products[-1]]
    assert not [line for line in loop if "mm" in line and "(%rsp)" in line]


def test_what_memory_held_before_is_not_reported(monkeypatch):
    """Whole registers are added up, and what is beside a gradient may overflow: that is no one's."""
    compiled, units = choice.file_of("compiled"), choice.file_of("units")
    monkeypatch.setattr(units, "SHARED", 1)
    monkeypatch.setattr(units, "limit", lambda: 2)
    x, gy = numbers((2, 21, 16, 16), "float32", 0), numbers((2, 21, 16, 16), "float32", 1)
    expected = grad.conv2d_weight(x, (21, 21, 3, 3), gy, padding=1, algorithm="windows")
    units.plan.cache_clear()

    def dirty(xp, size, dtype):
        return np.full(size, 2e38, dtype)

    monkeypatch.setattr(compiled, "scratch", dirty)
    with np.errstate(all="raise"):
        found = grad.conv2d_weight(x, (21, 21, 3, 3), gy, padding=1, algorithm="compiled")
    assert_near(found, expected, EPSILONS)
    units.plan.cache_clear()


def test_rounds_are_of_about_one_length():
    """Of as few terms as are left, a round would cost as much as of many."""
    round_of = choice.file_of("runs").round_of.py_func
    assert [round_of(n, 48) for n in (0, 1, 47, 48, 54, 71, 72, 96, 119, 120)] == [
        1, 1, 47, 48, 54, 71, 36, 48, 60, 40,
    ]  # fmt: skip


@pytest.mark.parametrize("inputs", [1, 7, 21, 64, 501])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 6, 8, 13, 128, 136, 140])
def test_compiled_sums_of_one_tap_of_every_size(outputs, inputs):
    """As many outputs and positions as make up whole tiles, and some more or fewer."""
    for dtype in ("float32", "float64"):
        for positions in (1, 2, 7, 15, 16, 17, 33, 48, 49, 83, 97, 150):
            x, w = (
                numbers((2, inputs, positions), dtype, 0),
                numbers((outputs, inputs, 1), dtype, 1),
            )
            y, exact = convlib.conv1d(x, w, algorithm="compiled"), np.einsum("nip,oil->nop", x, w)
            np.testing.assert_allclose(y, exact, rtol=1e-4, atol=5e-4)


@pytest.mark.skipif(not hasattr(mmap, "PROT_READ"), reason="no pages that end where we say")
@pytest.mark.parametrize("outputs", [*range(1, 10), 69])
def test_one_tap_reads_and_writes_nothing_behind_a_run(monkeypatch, outputs):
    """Input and weight end where the process's memory does, other numbers lie between the outputs."""
    compiled, units = choice.file_of("compiled"), choice.file_of("units")
    monkeypatch.setattr(units, "LONG", 1)
    monkeypatch.setattr(units, "PANELS", 1)
    steps, inputs = Steps((1,), ((0, 0),), (1,)), 11
    for positions in (*range(1, 20), 47, 48, 63, 72, 80, 127):
        units.panels.cache_clear()
        x = at_the_end(numbers((1, 1, inputs, positions), "float32", 0))
        w = at_the_end(numbers((1, outputs, inputs, 1), "float32", 1))
        between = np.full((1, 1, outputs + 1, positions + 64), 7, np.float32)
        y = between[:, :, :outputs, :positions]
        compiled.pointwise(x, w, y, shape_of(x, w, y), steps)
        np.testing.assert_allclose(y[0, 0], w[0, :, :, 0] @ x[0, 0], rtol=1e-4, atol=1e-5)
        y[...] = 7
        assert (between == 7).all()
    units.panels.cache_clear()


@pytest.mark.parametrize("outputs", [9, 24, 31, 43])
def test_cells_read_in_place_may_begin_anywhere(outputs):
    """Registers begin at a cache line, where all channels can; the sums are the same ones, bit by bit."""
    compiled, steps = choice.file_of("compiled"), Steps((1,), ((0, 0),), (1,))
    for dtype, (inputs, positions) in itertools.product(
        ("float32", "float64"), ((21, 272), (21, 264), (301, 416), (411, 272))
    ):
        cells, w = (
            numbers((inputs, positions), dtype, 0),
            numbers((1, outputs, inputs, 1), dtype, 1),
        )
        found = []
        for begin in range(16):
            x = np.empty(begin + cells.size, dtype)[begin:].reshape(1, 1, inputs, positions)
            x[...] = cells
            between = np.full((1, 1, outputs + 2, positions + 37), 7, dtype)
            y = between[:, :, 1:-1, 5 : 5 + positions]
            compiled.pointwise(x, w, y, shape_of(x, w, y), steps)
            np.testing.assert_allclose(y[0, 0], w[0, :, :, 0] @ cells, rtol=1e-4, atol=5e-4)
            found.append(y.copy())
            y[...] = 7
            assert (between == 7).all()
        assert all((y == found[0]).all() for y in found)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_sums_along_runs_of_every_size(monkeypatch, dtype, number):
    """Matrices of sums that are whole or not, runs that fill registers or not, several images, groups."""
    units, dots, vectors = map(choice.file_of, ("units", "dots", "vectors"))
    monkeypatch.setattr(units, "SHARED", 1)
    monkeypatch.setattr(units, "limit", lambda: number)
    rows, columns, lanes = dots.ROWS, dots.COLUMNS, vectors.BYTES // 4
    channels = [1, rows, columns + 1, 2 * rows + columns, 3 * columns - 1]
    runs = [
        1,
        7,
        lanes,
        lanes + 3,
        4 * lanes,
        (2 * dots.ROUND + 5) * lanes,
        3 * dots.ROUND * lanes + 9,
    ]
    for inputs, outputs, run in itertools.product(channels, channels, runs):
        images, groups = 1 + run % 2, 1 + (inputs + outputs) % 2
        x = whole_numbers((images, groups * inputs, run), dtype, 0)
        gy = whole_numbers((images, groups * outputs, run), dtype, 1)
        size = (groups * outputs, inputs, 1)
        found = grad.conv1d_weight(x, size, gy, groups=groups, algorithm="compiled")
        a, b = (array.reshape(images, groups, -1, run) for array in (gy, x.conj()))
        exact = (a @ b.swapaxes(2, 3)).sum(0).reshape(size)
        np.testing.assert_array_equal(found, exact)  # whole numbers: to the last bit


def whole_numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Small ones, whose sums are exact in any order."""
    found = np.random.default_rng(seed).integers(-4, 5, (2, *shape)).astype(dtype)
    return found[0] + 1j * found[1] if np.dtype(dtype).kind == "c" else found[0]


def test_sums_along_runs_may_begin_anywhere():
    """The sums are the same ones, bit by bit. Memory may end with either array, or be a view's."""
    lanes, end = choice.file_of("vectors").BYTES // 4, hasattr(mmap, "PROT_READ")
    for inputs, outputs, run in itertools.product((5, 13), (7, 12), (19, 20 * lanes, 64 * lanes)):
        cells, gy = (
            numbers((1, inputs, run), "float32", 0),
            numbers((1, outputs, run), "float32", 1),
        )
        size = outputs, inputs, 1
        pairs, apart = [], run + -run % lanes  # channels, of cells that are some of those in memory
        for begin, far in itertools.product(range(17), (run, apart)):
            x = np.empty(begin + inputs * far, np.float32)[begin:].reshape(1, inputs, far)[
                ..., :run
            ]
            x[...] = cells
            y = np.empty(16 - begin + gy.size, np.float32)[16 - begin :].reshape(gy.shape)
            y[...] = gy
            pairs.append((x, y))
        if end:
            pairs.append((at_the_end(cells), at_the_end(gy)))
        pairs.append((cells[..., ::-1].copy()[..., ::-1], gy[:, ::-1].copy()[:, ::-1]))
        found = [grad.conv1d_weight(x, size, y, algorithm="compiled") for x, y in pairs]
        assert_near(found[0], (gy[0] @ cells[0].T).reshape(size), EPSILONS)
        assert all((one == found[0]).all() for one in found)


@pytest.mark.parametrize("stride, padding", [(1, 0), (2, 0), (1, 1)])
def test_sums_along_runs_are_of_their_own_channels(stride, padding):
    """What one channel holds reaches no sum of another one; windows may be some of the cells."""
    x, w = whole_numbers((2, 5, 9, 9), "float32", 0), whole_numbers((7, 5, 1, 1), "float32", 1)
    y = convlib.conv2d(x, w, stride=stride, padding=padding, algorithm="windows")
    gy = whole_numbers(y.shape, "float32", 2)
    x[:, 2], gy[:, 4] = np.nan, np.inf
    how = {"stride": stride, "padding": padding}
    with np.errstate(invalid="ignore"):
        found = grad.conv2d_weight(x, w.shape, gy, algorithm="compiled", **how)
        exact = grad.conv2d_weight(x, w.shape, gy, algorithm="windows", **how)
    np.testing.assert_array_equal(found, exact)
    assert np.isfinite(exact).sum() == 6 * 4


def test_what_lies_beside_sums_along_runs_is_not_reported(monkeypatch):
    """Memory that is used again holds anything; sums that there are not are no one's."""
    compiled = choice.file_of("compiled")
    x, gy = numbers((2, 13, 50), "float32", 0), numbers((2, 9, 50), "float32", 1)
    expected = grad.conv1d_weight(x, (9, 13, 1), gy, algorithm="windows")
    monkeypatch.setattr(compiled, "scratch", lambda xp, size, dtype: np.full(size, np.nan, dtype))
    with np.errstate(all="raise"):
        found = grad.conv1d_weight(x, (9, 13, 1), gy, algorithm="compiled")
    assert_near(found, expected, EPSILONS)


def at_the_end(array: np.ndarray) -> np.ndarray:
    """Copy an array to some pages, behind which are as many that may not be read."""
    memory = mmap.mmap(-1, 2 * mmap.PAGESIZE * -(-array.nbytes // mmap.PAGESIZE))
    cells = np.frombuffer(memory, array.dtype)
    end = len(cells) // 2
    forbid(cells[end:])
    placed = cells[end - array.size : end].reshape(array.shape)
    placed[...] = array
    return placed


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (9, 1 << 12, 2, 1 << 12), (112, 1 << 20, 16, 1 << 21)]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_tiles_of_every_size(monkeypatch, sizes, number):
    """Rows of tiles, inputs and outputs, all at once or a few at a time, shared out or not."""
    winograd, units = choice.file_of("winograd"), choice.file_of("units")
    for name, value in zip(("TILES", "CACHED", "INPUTS", "PRODUCTS"), sizes, strict=True):
        monkeypatch.setattr(winograd, name, value)
    monkeypatch.setattr(winograd, "FEW", 4)
    monkeypatch.setattr(units, "SHARED", 1)
    monkeypatch.setattr(units, "limit", lambda: number)
    winograd.planned.cache_clear()
    for n, g, i, o, high, wide, padding in (
        (1, 1, 1, 1, 3, 3, 0),
        (2, 1, 5, 17, 4, 9, 1),
        (1, 2, 8, 24, 13, 6, (0, 2)),
        (1, 1, 20, 40, 18, 30, 2),
        (3, 1, 3, 9, 2, 70, (1, 5)),
        (1, 3, 4, 2, 40, 1, (3, 1)),
    ):
        for dtype in ("float32", "float64"):
            x, w = numbers((n, g * i, high, wide), dtype, high), numbers((g * o, i, 3, 3), dtype, i)
            rest = {"padding": padding, "groups": g}
            y = convlib.conv2d(x, w, algorithm="windows", **rest)
            assert_near(
                convlib.conv2d(x, w, algorithm="winograd", **rest), y, choice.ERROR["winograd"]
            )
            for view in (x[:, :, ::-1].copy()[:, :, ::-1], np.asfortranarray(x)):
                again = convlib.conv2d(view, w, algorithm="winograd", **rest)
                assert_near(again, y, choice.ERROR["winograd"])
    winograd.planned.cache_clear()


def test_tiles_read_nothing_but_what_they_see():
    """An infinite cell stays in the tiles that see it, and memory of a last call in nobody's."""
    x, w = numbers((1, 20, 24, 24), "float32", 0), numbers((9, 20, 3, 3), "float32", 1)
    convlib.conv2d(np.full_like(x, np.nan), w, padding=1, algorithm="winograd")
    y = convlib.conv2d(x, w, padding=1, algorithm="winograd")
    assert_near(y, convlib.conv2d(x, w, padding=1, algorithm="windows"), choice.ERROR["winograd"])
    x[0, 3, 0, 0] = np.inf
    seen = ~np.isfinite(convlib.conv2d(x, w, padding=1, algorithm="winograd"))
    assert seen[:, :, :2, :2].all()
    assert not seen[:, :, 4:].any() and not seen[:, :, :, 4:].any()


def test_units_of_few_outputs_are_long_where_inputs_are_few():
    """Long runs of many inputs would not stay in a cache, and take much memory."""
    units = choice.file_of("units")
    for inputs, most in ((8, 1 << 13), (64, 1 << 12), (2048, 1 << 8)):
        _, sizes, memory, *_ = units.panels(Shape(1, 1, inputs, 4, (128, 128), (1, 1)), 1, 4)
        assert most // 4 <= sizes[2] <= 4 * most
        assert memory <= 1 << 20


@pytest.mark.parametrize("cells", [1 << 8, 1 << 14, 1 << 30])
def test_units_of_one_tap_hold_each_output_once(monkeypatch, cells):
    """For any size of a unit, and any number of threads; each thread gets about as many."""
    units = choice.file_of("units")
    monkeypatch.setattr(units, "PANELS", cells)
    for shape in (
        Shape(1, 1, 3, 5, (300,), (1,)),
        Shape(2, 3, 64, 40, (9, 31), (1, 1)),
        Shape(1, 1, 512, 2048, (7, 7), (1, 1)),
        Shape(1, 1, 4, 17, (1, 2, 3), (1, 1, 1)),
    ):
        for number in (1, 2, 3, 5, 8):
            units.panels.cache_clear()
            shares, sizes, *_ = units.panels(shape, number, 4)
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


def test_each_of_several_functions_has_a_name_of_its_own():
    """Else Numba may take one for another, in code that two processes have compiled and kept."""
    runs, pointwise = choice.file_of("runs"), choice.file_of("pointwise")
    found = {id(f): f for module in (runs, pointwise) for f in vars(module).values()}
    names = [f.py_func.__qualname__ for f in found.values() if hasattr(f, "py_func")]
    assert len(names) > 10 and len(set(names)) == len(names)


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


class Bell:
    """A helper's bell that counts how often it is rung, and waited for."""

    def __init__(self) -> None:
        self.queue, self.rung, self.waited_for = SimpleQueue(), 0, 0
        self.empty = self.queue.empty

    def put(self, goes_on: bool) -> None:
        self.rung += 1
        self.queue.put(goes_on)

    def get(self) -> bool:
        self.waited_for += 1
        return self.queue.get()


@pytest.fixture
def helpers(monkeypatch):
    """Three threads, however little there is to do, on any machine."""
    module = choice.file_of("helpers")
    module.stop()
    monkeypatch.setattr(threads, "limit", lambda: 3)
    monkeypatch.setattr(choice.file_of("units"), "limit", lambda: 3)
    monkeypatch.setattr(choice.file_of("units"), "SHARED", 1)
    monkeypatch.setattr(choice.file_of("units"), "WAKE", 0)
    monkeypatch.setattr(module, "SimpleQueue", Bell)
    yield module
    assert not threads._busy
    module.stop()
    assert not [thread for thread in threading.enumerate() if isinstance(thread, module.Helper)]


def until(condition, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


def forbid(pages: np.ndarray) -> None:
    """Let the system end the process if it touches these pages."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(pages.ctypes.data), ctypes.c_size_t(pages.nbytes), 0):
        raise OSError(ctypes.get_errno(), "mprotect")


def numbers_of(helpers) -> list[list[int]]:
    """Each helper's state, and whether it sleeps."""
    return [helper.memory[:2].tolist() for helper in helpers._helpers.values()]


def all_asleep(helpers) -> bool:
    """Tell whether helpers say that they sleep. Python may still be on its way to their bells."""
    return numbers_of(helpers) == [[0, 1], [0, 1]]


def all_at_their_bells(helpers) -> bool:
    """Tell whether they sleep: one that has its bell taken away now does not see the new one."""
    bells = [helper.bell for helper in helpers._helpers.values()]
    return all_asleep(helpers) and all(bell.waited_for == bell.rung + 1 for bell in bells)


def both_ways(x, w, **settings):
    """A forward pass and both gradients, by compiled loops."""
    y = convlib.conv2d(x, w, algorithm="compiled", **settings)
    rest = {"algorithm": "compiled", **settings}
    return (
        y,
        grad.conv2d_input(x.shape, w, y, **rest),
        grad.conv2d_weight(x, w.shape, y, **rest),
    )


LAYERS = [
    ((2, 8, 20, 18), (24, 8, 3, 3), {"padding": 1}),
    ((1, 32, 9, 9), (40, 32, 1, 1), {}),
    ((2, 12, 15, 15), (12, 1, 3, 3), {"padding": 1, "groups": 12}),
    ((1, 32, 14, 14), (32, 4, 3, 3), {"padding": 1, "groups": 8, "stride": 2}),
]


def layer(number: int):
    x_shape, w_shape, settings = LAYERS[number]
    return numbers(x_shape, "float32", number), numbers(w_shape, "float32", number + 9), settings


def assert_right_as_ever() -> None:
    x, w, settings = layer(0)
    plain = convlib.conv2d(x, w, algorithm="windows", **settings)
    assert_near(convlib.conv2d(x, w, algorithm="compiled", **settings), plain, EPSILONS)


def test_helpers_compute_the_same_bits_as_one_thread(helpers, monkeypatch):
    """Awake or asleep, free or busy: which thread computes a part changes no sum."""
    for number in range(len(LAYERS)):
        x, w, settings = layer(number)
        mine = both_ways(x, w, **settings)
        with monkeypatch.context() as patch:
            patch.setattr(helpers, "_claim", lambda _: None)
            alone = both_ways(x, w, **settings)
        for _ in range(20):
            for one, other, third in zip(mine, alone, both_ways(x, w, **settings), strict=True):
                np.testing.assert_array_equal(one, other)
                np.testing.assert_array_equal(one, third)
    assert len(helpers._helpers) == 2


def test_helpers_fall_asleep_and_wake_up(helpers):
    x, w, settings = layer(0)
    y = convlib.conv2d(x, w, algorithm="compiled", **settings)
    for _ in range(3):
        assert until(lambda: all_asleep(helpers))
        np.testing.assert_array_equal(convlib.conv2d(x, w, algorithm="compiled", **settings), y)


def noted(signals, seen, seconds=0.0):
    def work(part: int, team: np.ndarray) -> bool:
        seen.append((part, threading.current_thread(), len(team)))
        signals.ring(team)
        time.sleep(seconds)
        return signals.rest(team)

    return work


def test_helpers_that_do_not_begin_are_not_waited_for(helpers, monkeypatch):
    """They sleep, and nobody hears the bell: the caller takes their parts back."""
    parts, seen, me = [(0,), (1,), (2,)], [], threading.current_thread()
    work = noted(choice.file_of("signals"), seen)
    helpers.share(work, parts)
    assert until(lambda: all_at_their_bells(helpers))
    with monkeypatch.context() as patch:
        for helper in helpers._helpers.values():
            patch.setattr(helper, "bell", SimpleQueue())
        for _ in range(3):
            seen.clear()
            helpers.share(work, parts)
            assert seen == [(0, me, 2), (1, me, 0), (2, me, 0)]
            assert all_asleep(helpers)
            assert [helper.part for helper in helpers._helpers.values()] == [None, None]


def test_little_work_in_a_row_wakes_helpers_for_the_next_call(helpers, monkeypatch):
    parts, seen, me = [(0,), (1,), (2,)], [], threading.current_thread()
    work = noted(choice.file_of("signals"), seen)
    helpers.share(work, parts)
    assert until(lambda: all_at_their_bells(helpers))
    seen.clear()
    with monkeypatch.context() as patch:
        bells = [SimpleQueue(), SimpleQueue()]
        for helper, bell in zip(helpers._helpers.values(), bells, strict=True):
            patch.setattr(helper, "bell", bell)
        for last, rings in ((-1.0, False), (time.perf_counter() + 10, True)):
            seen.clear()
            patch.setattr(helpers, "_last", last)  # long ago, or just now
            helpers.share(work, parts, wake=False)
            assert [(part, thread) for part, thread, _ in seen] == [(0, me), (1, me), (2, me)]
            assert [bell.empty() for bell in bells] == [not rings] * 2
        assert [helper.part for helper in helpers._helpers.values()] == [None, None]
        assert all_asleep(helpers)


@pytest.mark.parametrize(("wake", "seconds"), [(True, 0.005), (False, 0.0003)])
def test_helpers_that_are_awake_take_parts(helpers, wake, seconds):
    """Small ones, too."""
    parts, seen = [(0,), (1,), (2,)], []
    work = noted(choice.file_of("signals"), seen, seconds)
    for _ in range(1000):
        seen.clear()
        helpers.share(work, parts, wake)
        assert sorted(part for part, _, _ in seen) == [0, 1, 2]
        if len({thread for _, thread, _ in seen}) == 3:
            return
    pytest.fail("no call had three threads")


def test_another_caller_gets_other_helpers(helpers, monkeypatch):
    """Of five threads two callers take two each; a third caller finds one, and does the rest."""
    monkeypatch.setattr(threads, "limit", lambda: 5)
    none = choice.file_of("signals").NONE
    teams = [np.full(size, none, np.int64) for size in (1, 2, 2)]
    for team in teams:
        helpers._claim(team)
    assert [(team > none).sum() for team in teams] == [1, 2, 1]
    assert len({state for team in teams for state in team.tolist()} - {none}) == 4
    for team in teams:
        helpers._let_go(team)
        assert (team == none).all()
    assert [state for state, _ in numbers_of(helpers)] == [0] * 4


@pytest.mark.parametrize("interrupted", ["_claim", "takes", "_let_go"])
def test_an_interrupt_leaves_no_helper_claimed(helpers, monkeypatch, interrupted):
    """Ctrl-C may come between any two steps."""
    parts, signals = [(0,), (1,), (2,)], choice.file_of("signals")
    work = noted(signals, [])
    helpers.share(work, parts)

    where = helpers.Helper if interrupted == "takes" else helpers
    step = getattr(where, interrupted)

    def interrupt(*arguments):
        patch.undo()
        if interrupted == "_claim":  # just after it
            step(*arguments)
            assert 1 in {state for state, _ in numbers_of(helpers)}
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, interrupted, interrupt)
        helpers.share(work, parts)
    assert not threads._busy
    assert {state for state, _ in numbers_of(helpers)} == {0}
    assert_right_as_ever()


def test_helpers_keep_no_arrays(helpers):
    x, w, settings = layer(0)
    y = convlib.conv2d(x, w, algorithm="compiled", **settings)
    kept = weakref.ref(y)
    del y

    def gone() -> bool:
        gc.collect()
        return kept() is None

    assert until(gone)


def test_errors_come_out_of_helpers_and_leave_them_usable(helpers):
    signals = choice.file_of("signals")

    def work(part: int, fails: int, team: np.ndarray) -> bool:
        if part == fails:
            raise FloatingPointError(f"part {part}")
        signals.ring(team)
        return signals.rest(team)

    for _ in range(5):
        for fails in range(4):
            parts = [(part, fails) for part in range(4)]
            with pytest.raises(FloatingPointError, match=f"part {fails}"):
                helpers.share(work, parts)
            assert not threads._busy
            assert {state for state, _ in numbers_of(helpers)} == {0}
    assert_right_as_ever()


def test_an_error_after_ringing_waits_for_the_helpers(helpers):
    """They write to arrays that the caller would think its own again."""
    signals, done, main = choice.file_of("signals"), [], threading.current_thread()

    def work(part: int, team: np.ndarray) -> bool:
        signals.ring(team)
        if threading.current_thread() is main:
            time.sleep(0.01)
            raise KeyboardInterrupt
        time.sleep(0.05)
        done.append(part)
        return signals.rest(team)

    for _ in range(5):  # awake or not: who has begun is waited for
        with pytest.raises(KeyboardInterrupt):
            helpers.share(work, [(0,), (1,), (2,)])
        here = len(done)
        time.sleep(0.1)
        assert len(done) == here
    assert done


def test_without_more_threads_all_is_done_by_one(helpers, monkeypatch):
    def refuse(_) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(helpers.Helper, "start", refuse)
    assert_right_as_ever()
    assert helpers._helpers == {}


def test_several_callers_at_once(helpers):
    """More callers than threads: each has the bits that it has alone."""
    expected = [both_ways(x, w, **settings) for x, w, settings in map(layer, range(len(LAYERS)))]

    def caller(number: int) -> None:
        for turn in range(60):
            one = (number + turn) % len(LAYERS)
            x, w, settings = layer(one)
            for actual, wanted in zip(both_ways(x, w, **settings), expected[one], strict=True):
                np.testing.assert_array_equal(actual, wanted)

    with ThreadPoolExecutor(6) as pool:
        for result in [pool.submit(caller, number) for number in range(6)]:
            result.result(120)


def in_a_child(queue) -> None:
    x, w, settings = layer(0)
    queue.put(convlib.conv2d(x, w, algorithm="compiled", **settings))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_helpers_of_its_own(helpers):
    x, w, settings = layer(0)
    y = convlib.conv2d(x, w, algorithm="compiled", **settings)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=in_a_child, args=(queue,))
    child.start()
    np.testing.assert_array_equal(queue.get(), y)
    child.join(30)
    assert child.exitcode == 0


def test_python_ends_while_helpers_wait():
    program = (
        "import numpy as np, convlib; from convlib.algorithms import threads, units;"
        "threads.limit = units.limit = lambda: 3; units.SHARED = 1;"
        "x = np.ones((1, 8, 20, 20), 'f4'); w = np.ones((16, 8, 3, 3), 'f4');"
        "[convlib.conv2d(x, w, algorithm='compiled') for _ in range(50)]; print('end')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "end\n", "")
