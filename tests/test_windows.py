"""Windows show the right cells and no others, and adding them back is the adjoint."""

from __future__ import annotations

import ast
import contextlib
import itertools
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from layouts import assert_own_memory, layouts
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import convlib
from convlib.validation import to_numpy

try:
    from numpy.lib.array_utils import byte_bounds
except ModuleNotFoundError:  # NumPy 1 had it elsewhere
    from numpy import byte_bounds

HERE = Path(__file__).parent

CASES = [
    # input, kernel_size, stride, dilation
    ((5,), (3,), (1,), (1,)),
    ((5,), (5,), (9,), (1,)),
    ((9,), (2,), (3,), (4,)),
    ((6, 7), (3, 2), (2, 1), (1, 3)),
    ((2, 3, 8, 5), (4, 1), (3, 2), (2, 5)),
    ((4, 5, 6), (2, 3, 2), (1, 2, 3), (3, 1, 2)),
    ((2, 7), (3,), (2,), (2,)),
    ((0, 7), (3,), (2,), (2,)),
]


def windows_by_hand(array, kernel_size, stride, dilation):
    """Every window cut out by itself."""
    axes = len(kernel_size)
    positions = convlib.output_size(array.shape[-axes:], kernel_size, stride, 0, dilation)
    result = np.empty((*array.shape[:-axes], *positions, *kernel_size), array.dtype)
    for position in np.ndindex(*positions):
        cut = tuple(
            slice(p * s, p * s + d * (k - 1) + 1, d)
            for p, s, k, d in zip(position, stride, kernel_size, dilation, strict=True)
        )
        result[(..., *position, *(slice(None),) * axes)] = array[(..., *cut)]
    return result


@pytest.mark.parametrize(("shape", "kernel_size", "stride", "dilation"), CASES)
def test_cells(shape, kernel_size, stride, dilation):
    array = np.arange(np.prod(shape)).reshape(shape)
    expected = windows_by_hand(array, kernel_size, stride, dilation)
    for _, laid_out in layouts(array):
        view = convlib.windows(laid_out, kernel_size, stride, dilation)
        np.testing.assert_array_equal(view, expected)
        assert not view.flags.writeable
        assert np.shares_memory(view, laid_out) or not view.size


def test_as_numpy_has_it():
    array = np.arange(60).reshape(3, 4, 5)
    expected = sliding_window_view(array, (2, 3), axis=(1, 2))
    np.testing.assert_array_equal(convlib.windows(array, (2, 3)), expected)


def test_broadcast_input():
    row = np.broadcast_to(np.arange(4), (3, 4))
    view = convlib.windows(row, (2, 2))
    np.testing.assert_array_equal(view, windows_by_hand(row, (2, 2), (1, 1), (1, 1)))


def test_views_cannot_be_written():
    view = convlib.windows(np.zeros((4, 4)), (2, 2))
    with pytest.raises(ValueError, match="read-only"):
        view[...] = 1


def test_memory_maps(tmp_path):
    array = np.memmap(tmp_path / "cells", np.int32, "w+", shape=(4, 5))
    array[...] = np.arange(20).reshape(4, 5)
    view = convlib.windows(array, (2, 2))
    np.testing.assert_array_equal(view, windows_by_hand(np.array(array), (2, 2), (1, 1), (1, 1)))


@pytest.mark.parametrize(
    ("call", "error", "pattern"),
    [
        (lambda x: convlib.windows(x, (7, 1)), ValueError, r"windows: the kernel spans 7.*input 4"),
        (lambda x: convlib.windows(x, (2, 2), dilation=(4, 1)), ValueError, "kernel spans 5"),
        (lambda x: convlib.windows(x, (2, 2, 2)), ValueError, "from 1 to 2 entries"),
        (lambda x: convlib.windows(x, ()), ValueError, "from 1 to 2 entries"),
        (lambda x: convlib.windows(x[0, 0], 1), TypeError, "must be a numpy.ndarray"),
        (lambda x: convlib.windows(x, 0), ValueError, "kernel_size must be at least 1, got 0"),
        (lambda x: convlib.windows(x, 2, -1), ValueError, "stride must be at least 1, got -1"),
        (lambda x: convlib.windows(x, 2, 1, 0), ValueError, "dilation must be at least 1, got 0"),
        (lambda x: convlib.windows(x, 2.0), TypeError, "kernel_size must be an integer, got 2.0"),
        (lambda x: convlib.windows(x, 2, (1, 1)), ValueError, "stride must be one integer or 1"),
        (lambda x: convlib.windows(x.tolist(), 2), TypeError, "got builtins.list"),
        (lambda x: convlib.windows(x[:, :0], 1), ValueError, "kernel spans 1.*padded input has 0"),
    ],
)
def test_refusals(call, error, pattern):
    with pytest.raises(error, match=pattern):
        call(np.zeros((4, 5)))


# The one dangerous call


def test_as_strided_is_called_in_one_place():
    calls = []
    for path in sorted(Path(convlib.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("as_strided"):
                calls.append(path.name)
    assert calls == ["windows.py"]


class LyingInt(int):
    """An int that claims to be within any bounds, and to be small in any product."""

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return True

    def __le__(self, other):
        return True

    def __ge__(self, other):
        return True

    def __mul__(self, other):
        return 0

    __rmul__ = __mul__
    __sub__ = __mul__


HOSTILE = [
    *(0, -1, -3, 6, 17, 2**31 - 1, 2**31, 2**62, 2**63 - 1, 2**63, 2**64 + 1, -(2**63), 10**30),
    *(True, False, None, 2.0, float("nan"), "3", b"1", np.bool_(True), np.float32(1), 1j),
    *(np.int8(3), np.uint64(2**63), np.array(2), np.array([1, 2]), LyingInt(-2), LyingInt(40)),
]


def hostile_array(rng):
    """An array somewhere in the middle of a buffer of canaries, in some strange layout."""
    dtype = np.dtype(rng.choice(["u1", "i2", "f4", "f8", "c16", "S3", "bool", "f4,u1"]))
    shape = tuple(map(int, rng.choice([0, 1, 2, 3, 5, 7, 9, 12], rng.integers(0, 4))))
    cells = int(np.prod(shape))
    buffer = np.full(cells * dtype.itemsize + 256, 0xAA, np.uint8)
    start = int(rng.integers(100, 130))
    array = buffer[start : start + cells * dtype.itemsize].view(dtype).reshape(shape)
    for axis in range(array.ndim):
        step = [1, 1, -1, 2, -2, 3][rng.integers(6)]
        array = array[(slice(None),) * axis + (slice(None, None, step),)]
    if array.ndim > 1 and rng.random() < 0.3:
        array = array.transpose(rng.permutation(array.ndim))
    if rng.random() < 0.2:
        array = np.broadcast_to(array, (3, *array.shape))
    if rng.random() < 0.1 and 1 in array.shape:
        # the stride of an axis with one cell may be anything
        strides = [2**55 if n == 1 else s for n, s in zip(array.shape, array.strides, strict=True)]
        array = as_strided(array, array.shape, strides)
    return buffer, array


def hostile_setting(rng, axes):
    """A number, a tuple or a list, mostly of reasonable numbers, some of them not."""

    def number():
        if rng.random() < 0.06:
            return HOSTILE[rng.integers(len(HOSTILE))]
        return int(rng.integers(1, 4))

    length = axes if rng.random() < 0.95 else int(rng.integers(0, 5))
    kind = rng.random()
    if kind < 0.3:
        return number()
    return (tuple if kind < 0.8 else list)(number() for _ in range(length))


def addresses(array):
    """The addresses of all cells of an array."""
    offsets = np.zeros(array.shape, np.int64)
    for axis, (n, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        along = np.arange(n) * stride if n > 1 else np.zeros(n, np.int64)
        offsets = offsets + along.reshape(-1, *(1,) * (array.ndim - axis - 1))
    return set((array.__array_interface__["data"][0] + offsets).ravel().tolist())


@pytest.mark.parametrize("seed", range(8))
def test_no_view_reaches_out_of_its_array(seed):
    """Thousands of tries: each is refused, or every cell shown is a cell of the input."""
    rng = np.random.default_rng(seed)
    shown = refused = 0
    while shown + refused < 1500:
        buffer, array = hostile_array(rng)
        canaries = buffer.copy()
        axes = int(rng.integers(1, max(array.ndim, 1) + 1))
        settings = [hostile_setting(rng, axes) for _ in range(3)]
        try:
            view = convlib.windows(array, *settings)
        except (ValueError, TypeError) as error:
            assert str(error).startswith("windows: ")
            refused += 1
            continue
        shown += 1
        assert not view.flags.writeable
        if view.size:
            low, high = byte_bounds(view)
            inner = byte_bounds(array)
            owner = byte_bounds(buffer)
            assert owner[0] + 100 <= low and high <= owner[1] - 100
            assert inner[0] <= low and high <= inner[1]
            assert addresses(view) <= addresses(array)
        np.testing.assert_array_equal(buffer, canaries)
    assert shown > 200 and refused > 200


def is_large(*settings):
    """Tell whether there is a number above 99 among settings."""
    flat = np.ravel(np.array([np.array(s, object).ravel().tolist() for s in settings], object))
    numbers = [n for part in flat for n in (part if isinstance(part, list) else [part])]
    return any(isinstance(n, (int, np.integer)) and int(n) > 99 for n in numbers)


def test_no_caller_reaches_out_of_its_array(monkeypatch):
    """The same for what the other functions hand to `as_strided`, with settings of all kinds."""
    calls = 0

    def watched(array, shape, strides, **kwargs):
        nonlocal calls
        calls += 1
        view = as_strided(array, shape, strides, **kwargs)
        if view.size:
            low, high = byte_bounds(array)
            assert low <= byte_bounds(view)[0] and byte_bounds(view)[1] <= high
        return view

    monkeypatch.setattr(np.lib.stride_tricks, "as_strided", watched)
    rng = np.random.default_rng(3)
    for _ in range(1500):
        axes = int(rng.integers(1, 4))
        shape = tuple(map(int, rng.integers(0, 7, axes + 2)))
        weight = np.ones((2, shape[1], *map(int, rng.integers(0, 5, axes))))
        x = np.ones(shape)
        s, p, d, k = (hostile_setting(rng, axes) for _ in range(4))
        if is_large(p, k):
            continue  # they ask for more memory than there is
        transposed = (getattr(convlib, f"conv_transpose{axes}d"), (x, weight, None, s, p, 0, 1, d))
        for function, args in [
            (getattr(convlib, f"conv{axes}d"), (x, weight, None, s, p, d)),
            (getattr(convlib.grad, f"conv{axes}d_weight"), (x, weight.shape, x, s, p, d)),
            (getattr(convlib, f"max_pool{axes}d"), (x, k, s, p, d)),
            (getattr(convlib, f"avg_pool{axes}d"), (x, k, s, p)),
            (convlib.unfold, (x, k, d, p, s)),
            *([] if is_large(s, d) else [transposed]),
        ]:
            with contextlib.suppress(ValueError, TypeError):
                function(*args)
    assert calls > 500


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mprotect as Linux has it")
def test_between_forbidden_pages():
    command = [sys.executable, str(HERE / "guard_pages.py")]
    ours = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ours.returncode, ours.stdout) == (0, "read 3000\n"), ours.stderr
    control = subprocess.run([*command, "control"], capture_output=True, timeout=120)
    assert control.returncode == -signal.SIGSEGV


# Adding windows back


@pytest.mark.parametrize(("shape", "kernel_size", "stride", "dilation"), CASES)
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float64, np.complex128])
def test_scatter_is_the_adjoint(shape, kernel_size, stride, dilation, dtype):
    """⟨windows(x), v⟩ = ⟨x, scatter_windows(v)⟩, exactly: small integers, wrapping for uint8."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 100, shape).astype(dtype)
    view = convlib.windows(x, kernel_size, stride, dilation)
    v = rng.integers(0, 100, view.shape).astype(dtype)
    size = shape[-len(kernel_size) :]
    for _, laid_out in layouts(v):
        back = convlib.scatter_windows(laid_out, size, stride, dilation)
        assert back.shape == shape and back.dtype == dtype
        assert (view * v).sum(dtype=dtype) == (x * back).sum(dtype=dtype)
        assert_own_memory(back, laid_out)


def test_scatter_counts():
    ones = np.ones((3, 3, 3, 3), int)
    expected = [[1, 2, 3, 2, 1], [2, 4, 6, 4, 2], [3, 6, 9, 6, 3], [2, 4, 6, 4, 2], [1, 2, 3, 2, 1]]
    np.testing.assert_array_equal(convlib.scatter_windows(ones, (5, 5)), expected)
    # with a stride, the cells left over get nothing
    np.testing.assert_array_equal(
        convlib.scatter_windows(np.ones((2, 2), int), 6, stride=3), [1, 1, 0, 1, 1, 0]
    )


def test_float16_is_added_up_in_float32():
    """In float16, ones stop growing at 2048: the number after it is 2050."""
    ones = np.broadcast_to(np.float16(1), (4096, 4096))
    back = convlib.scatter_windows(ones, 8191)
    assert back.dtype == np.float16 and back[4095] == 4096
    # and rounded once, after the last axis
    v = np.random.default_rng(0).standard_normal((2, 4, 5, 3, 3)).astype(np.float16)
    once = convlib.scatter_windows(v.astype(np.float32), (6, 7)).astype(np.float16)
    for _, laid_out in layouts(v):
        back = convlib.scatter_windows(laid_out, (6, 7))
        np.testing.assert_array_equal(back, once)
        assert_own_memory(back, laid_out)


@pytest.mark.parametrize("stride", [(1, 31), (31, 1)])
def test_scatter_takes_little_memory(stride):
    """Of an axis whose windows stand far apart, more is left than there was: it comes last."""
    taps, size = stride[::-1], tuple(31 * 20 if s > 1 else 900 for s in stride)
    v = np.ones(convlib.windows(np.empty(size), taps, stride).shape)
    tracemalloc.start()
    try:
        result = convlib.scatter_windows(v, size, stride)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.nbytes <= peak < 1.5 * result.nbytes


def test_scatter_by_add_at():
    rng = np.random.default_rng(1)
    for shape, kernel_size, stride, dilation in CASES:
        numbers = np.arange(np.prod(shape)).reshape(shape)
        v = rng.standard_normal(convlib.windows(numbers, kernel_size, stride, dilation).shape)
        expected = np.zeros(numbers.size)
        np.add.at(expected, convlib.windows(numbers, kernel_size, stride, dilation), v)
        back = convlib.scatter_windows(v, shape[-len(kernel_size) :], stride, dilation)
        np.testing.assert_allclose(back, expected.reshape(shape), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("windows", "size", "pattern"),
    [
        ((2, 3), 5, r"has \(3,\) windows of \(3,\).*but windows has \(2,\)"),
        ((3, 3), (5, 5), "from 1 to 1 entries"),
        ((3, 3), -5, "input_size must be at least 0, got -5"),
        ((3, 3), 2, "kernel spans 3"),
        ((3,), 3, "from 1 to 0 entries"),
        ((7, 0), 6, r"at least one tap an axis, got shape \(7, 0\)"),
        ((5, 7, 2, 0), (6, 6), "at least one tap an axis"),
    ],
)
def test_scatter_refusals(windows, size, pattern):
    with pytest.raises(ValueError, match=f"^scatter_windows: .*{pattern}"):
        convlib.scatter_windows(np.ones(windows), size)


def test_on_either_library(xp):
    array = xp.arange(2 * 6 * 7).reshape(2, 6, 7)
    view = convlib.windows(array, (3, 2), (2, 1), (1, 3))
    expected = windows_by_hand(np.arange(84).reshape(2, 6, 7), (3, 2), (2, 1), (1, 3))
    assert type(view) is xp.ndarray
    np.testing.assert_array_equal(to_numpy(view), expected)
    back = to_numpy(convlib.scatter_windows(view, (6, 7), (2, 1), (1, 3)))
    np.testing.assert_array_equal(back, convlib.scatter_windows(expected, (6, 7), (2, 1), (1, 3)))


def test_every_case_is_hard_enough():
    """The tables hold what breaks careless code: leftovers, gaps, dilation, more than one axis."""
    leftovers = [
        convlib.leftover(shape[-len(k) :], k, s, 0, d) for shape, k, s, d in CASES if 0 not in shape
    ]
    assert any(itertools.chain(*leftovers))
    assert any(s > k for _, ks, ss, _ in CASES for k, s in zip(ks, ss, strict=True))
    assert any(d > 1 and k > 1 for _, ks, _, ds in CASES for k, d in zip(ks, ds, strict=True))
