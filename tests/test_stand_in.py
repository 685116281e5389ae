"""The library's path for GPUs, run on the CPU: a stand-in for CuPy goes in and comes out."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from support.checks import ARRAYS, build, describe, outputs
from support.problems import PROBLEMS

import convlib
from convlib.stand_in import Library, Queue, as_cupy


@pytest.fixture
def library():
    with as_cupy(Library()) as found:
        yield found


def sent(library, arguments):
    return {k: library.asarray(v) if k in ARRAYS else v for k, v in arguments.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=describe)
def test_same_as_numpy(problem, dtype, library):
    """Nothing is fetched on the way, and nothing of NumPy's gets in."""
    function, arguments = problem["function"], build(problem, dtype)
    try:
        expected = getattr(convlib, function)(**arguments)
    except TypeError:
        with pytest.raises(TypeError):
            getattr(convlib, function)(**sent(library, arguments))
        return
    arguments = sent(library, arguments)
    actual = getattr(convlib, function)(**arguments)
    assert library.fetched == 0
    tolerance = 200 * np.finfo(dtype).eps
    for one, other in zip(outputs(actual), outputs(expected), strict=True):
        assert isinstance(one, library.ndarray)
        scale = max(float(np.abs(other).max(initial=0)), 1.0)
        np.testing.assert_allclose(one.get(), other, atol=tolerance * scale)


@pytest.mark.parametrize("algorithm", sorted(set(convlib.algorithms.ALGORITHMS) - {"compiled"}))
@pytest.mark.parametrize("groups", [1, 2])
def test_every_algorithm(algorithm, groups, library):
    rng = np.random.default_rng(0)
    i = 1 if algorithm == "bands" else 3
    channels = groups * i
    x, w = rng.normal(size=(2, channels, 9, 8)), rng.normal(size=(channels, i, 3, 3))
    if algorithm == "bands":
        w = w[:, :1]
    expected = convlib.conv2d(x, w, padding=1, groups=groups, algorithm="windows")
    on = [library.asarray(a) for a in (x, w)]
    actual = convlib.conv2d(*on, padding=1, groups=groups, algorithm=algorithm)
    assert library.fetched == 0
    np.testing.assert_allclose(actual.get(), expected, atol=1e-9)


def test_a_numpy_array_does_not_slip_in_or_out(library):
    there, here = library.asarray(np.ones(3)), np.ones(3)
    with pytest.raises(TypeError, match="use .get()"):
        np.asarray(there)
    for mixed in (
        lambda: there + here,
        lambda: here + there,
        lambda: library.add(there, here),
        lambda: there.__setitem__(slice(None), here),
    ):
        with pytest.raises(TypeError):
            mixed()
    with pytest.raises(TypeError, match="has to be sent"):
        np.concatenate([there, here])
    assert isinstance(np.exp(there), library.ndarray)
    assert isinstance(np.concatenate([there, there]), library.ndarray)
    with pytest.raises(TypeError, match="input is numpy, weight is stand_in"):
        convlib.conv2d(np.ones((1, 1, 3, 3)), library.asarray(np.ones((1, 1, 2, 2))))


def test_launches_and_bytes_are_counted(library):
    a = library.asarray(np.arange(6.0))
    assert library.sent == 48 and not library.launches
    view = a.reshape(2, 3).T[1:]
    assert not library.launches and view.shape == (2, 2)
    view += 1
    a[:2] = 0
    a[2:] += a[:4]  # one launch: nothing is copied onto itself
    copy = view.reshape(4)  # the cells are no neighbours
    library.matmul(a.reshape(2, 3), a.reshape(3, 2), out=library.empty((2, 2)))
    assert dict(library.launches) == {"add": 2, "fill": 1, "reshape": 1, "matmul": 1}
    assert copy.get().shape == (4,) and library.fetched == 32
    library.reset()
    assert not library.launches and library.sent == library.fetched == 0


def test_operators_take_their_operands_in_either_order(library):
    a = library.asarray(np.array([2, 3]))
    for found, expected in ((7 // a, [3, 2]), (7 % a, [1, 1]), (7 - a, [5, 4]), (2**a, [4, 8])):
        np.testing.assert_array_equal(found.get(), expected)
    assert dict(library.launches) == {"floordiv": 1, "mod": 1, "sub": 1, "pow": 1}


def test_what_writes_to_an_array_that_is_there_is_a_launch_too(library):
    a, b = library.asarray(np.arange(6.0)), library.asarray(np.ones(6))
    library.maximum(a, b, out=a)
    library.copyto(b, a)
    a.fill(2)
    single = library.asarray(a, np.float32)
    assert dict(library.launches) == {"maximum": 1, "copyto": 1, "fill": 1, "astype": 1}
    assert library.sent == 96 and single.dtype == np.float32
    np.testing.assert_array_equal(b.get(), [1, 1, 2, 3, 4, 5])


def test_the_real_library_is_put_back():
    before = sys.modules.get("cupy")
    with pytest.raises(KeyError), as_cupy(Library()) as library:
        assert sys.modules["cupy"] is library
        raise KeyError
    assert sys.modules.get("cupy") is before


def test_a_queue_works_while_its_host_goes_on():
    queue = Queue(launch=1.0)
    queue.launch(5)
    queue.launch(5)
    assert queue.now() == 2
    queue.synchronize()
    assert queue.now() == 11
    queue.compute(3)
    queue.launch(1)
    queue.synchronize()
    assert queue.now() == 16
