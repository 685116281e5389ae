"""Which arrays and dtypes are taken, and what comes out of every function."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import convlib
from convlib import arrays
from convlib.validation import is_array


class FakeArray:
    """What stands in for an array of CuPy where there is no GPU."""


@pytest.fixture
def fake_cupy(monkeypatch):
    cupy = types.ModuleType("cupy")
    cupy.ndarray = FakeArray
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return cupy


def test_library_of_the_arguments(fake_cupy):
    x = np.zeros(3)
    assert arrays.array_module("f", input=x, weight=x) is np
    assert arrays.array_module("f", input=x, bias=None) is np
    assert arrays.array_module("f", input=FakeArray(), bias=FakeArray()) is fake_cupy
    assert is_array(FakeArray()) and is_array(x) and not is_array([1])


def test_mixed_libraries(fake_cupy):
    pattern = "^f: all arrays must be of one library, but input is numpy, weight is cupy.$"
    with pytest.raises(TypeError, match=pattern):
        arrays.array_module("f", input=np.zeros(3), weight=FakeArray())
    with pytest.raises(TypeError, match="bias is cupy"):
        arrays.array_module("f", input=np.zeros(3), bias=FakeArray())


def test_cupy_is_not_imported_to_look():
    """Where the caller has not imported CuPy, its arrays cannot have come in."""
    assert "cupy" not in sys.modules or sys.modules["cupy"] is not None
    with pytest.raises(TypeError, match="got .*FakeArray"):
        arrays.array_module("f", input=FakeArray())


@pytest.mark.parametrize("value", [None, [1.0], 1.0, "x", np.float64(1), np.ma.zeros(3)])
def test_no_arrays(value):
    with pytest.raises(
        TypeError, match="^f: weight must be a numpy.ndarray or a cupy.ndarray, got"
    ):
        arrays.array_module("f", input=np.zeros(3), weight=value)


def test_dtypes():
    x, y = np.zeros(3, np.float32), np.zeros(3)
    assert arrays.check_dtypes("f", input=x, weight=x) == np.float32
    with pytest.raises(
        TypeError, match="^f: input and weight must have the same dtype, got float32"
    ):
        arrays.check_dtypes("f", input=x, weight=y)
    with pytest.raises(TypeError, match="^f: input and bias must have the same dtype"):
        arrays.check_dtypes("f", input=x, bias=y)
    with pytest.raises(TypeError, match="^f: the dtype of input must be one of float16.*got int64"):
        arrays.check_dtypes("f", input=np.zeros(3, np.int64))
    assert arrays.check_dtypes("f", "int64", input=np.zeros(3, np.int64)) == np.int64
    with pytest.raises(TypeError, match="got >f4"):
        arrays.check_dtypes("f", input=np.zeros(3, ">f4"))
    # a substring of a name that is allowed is not allowed
    with pytest.raises(TypeError, match="got int8"):
        arrays.check_dtypes("f", "uint8", input=np.zeros(3, np.int8))


def test_working_dtype():
    assert arrays.working_dtype(np.dtype(np.float16)) == np.float32
    for name in ("float32", "float64", "complex64", "uint8", "int64"):
        assert arrays.working_dtype(np.dtype(name)) == name


X, W, W_T = np.ones((2, 4, 6, 6)), np.ones((6, 2, 3, 3)), np.ones((4, 3, 2, 2))
G = np.ones((2, 6, 4, 4))

CALLS = {
    "conv1d": lambda x: convlib.conv1d(x[:, :, 0], W[:, :, 0].astype(x.dtype), groups=2),
    "conv2d": lambda x: convlib.conv2d(x, W.astype(x.dtype), groups=2),
    "conv2d one window": lambda x: convlib.conv2d(x, np.ones((1, 4, 6, 6), x.dtype)),
    "conv2d 1×1": lambda x: convlib.conv2d(x, np.ones((1, 4, 1, 1), x.dtype)),
    "conv2d unbatched": lambda x: convlib.conv2d(x[0], W.astype(x.dtype), groups=2),
    "conv3d": lambda x: convlib.conv3d(x, np.ones((1, 2, 3, 3, 3), x.dtype)),
    "conv_transpose2d": lambda x: convlib.conv_transpose2d(x, W_T.astype(x.dtype)),
    "conv_transpose2d 1×1": lambda x: convlib.conv_transpose2d(x, np.ones((4, 1, 1, 1), x.dtype)),
    "pad": lambda x: convlib.pad(x, (1, 1)),
    "pad nothing": lambda x: convlib.pad(x, ()),
    "pad off": lambda x: convlib.pad(x, (-1, -1)),
    "pad reflect": lambda x: convlib.pad(x, (1, 1, 0, 0), "reflect"),
    "pad reflect nothing": lambda x: convlib.pad(x, (0, 0, 0, 0), "reflect"),
    "pad circular": lambda x: convlib.pad(x, (1, 1, 1, 1), "circular"),
    "unfold": lambda x: convlib.unfold(x, 2),
    "unfold 1×1": lambda x: convlib.unfold(x, 1),
    "fold": lambda x: convlib.fold(x.reshape(2, 4, 36), 7, 2),
    "fold 1×1": lambda x: convlib.fold(x.reshape(2, 4, 36), 6, 1),
    "scatter_windows": lambda x: convlib.scatter_windows(x, 16, 2),
    "conv2d_input": lambda x: convlib.grad.conv2d_input(
        (2, 4, 6, 6), W.astype(x.dtype), G.astype(x.dtype), groups=2
    ),
    "conv2d_weight": lambda x: convlib.grad.conv2d_weight(x, W.shape, G.astype(x.dtype), groups=2),
    "conv2d_bias": lambda x: convlib.grad.conv2d_bias(x),
    "conv_transpose2d_input": lambda x: convlib.grad.conv_transpose2d_input(
        (2, 4, 5, 5), W_T.astype(x.dtype), np.ones((2, 3, 6, 6), x.dtype)
    ),
    "conv_transpose2d_weight": lambda x: convlib.grad.conv_transpose2d_weight(
        x, W_T.shape, np.ones((2, 3, 7, 7), x.dtype)
    ),
    "pad_input": lambda x: convlib.grad.pad_input((2, 4, 6, 6), x, ()),
    "pad_input cut": lambda x: convlib.grad.pad_input((2, 4, 6, 4), x, (1, 1)),
    "pad_input reflect": lambda x: convlib.grad.pad_input((2, 4, 6, 4), x, (1, 1, 0, 0), "reflect"),
    "unfold_input": lambda x: convlib.grad.unfold_input((2, 4, 6, 6), x.reshape(2, 4, 36), 1),
    "fold_input": lambda x: convlib.grad.fold_input((2, 4, 36), x, 6, 1),
    "max_pool2d": lambda x: convlib.max_pool2d(x, 1),
    "avg_pool2d": lambda x: convlib.avg_pool2d(x, 2),
}


DTYPES = ["float16", "float32", "float64", "complex64"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    # pooling takes no complex numbers
    [(n, d) for n in CALLS for d in DTYPES if not ("pool" in n and d == "complex64")],
)
def test_results_are_their_own(name, dtype):
    """The dtype that went in, plain memory of its own that can be written, an input left alone."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 4, 6, 6)).astype(dtype)
    before = x.copy()
    y = CALLS[name](x)
    assert type(y) is np.ndarray and y.dtype == dtype
    assert y.flags.owndata and y.flags.writeable and y.flags.c_contiguous
    assert not np.shares_memory(x, y)
    y[...] = 0
    np.testing.assert_array_equal(x, before)
    frozen = before.copy()
    frozen.flags.writeable = False
    again = CALLS[name](frozen)
    assert again.flags.writeable
    assert CALLS[name](frozen).tobytes() == again.tobytes()


@pytest.mark.parametrize("name", CALLS)
def test_memory_maps(name, tmp_path):
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=X.shape)
    mapped[...] = np.random.default_rng(0).standard_normal(X.shape)
    y = CALLS[name](mapped)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, CALLS[name](np.array(mapped)))
