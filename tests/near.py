"""Numbers to compute with, and how near two algorithms' sums have to be."""

from __future__ import annotations

import numpy as np
import pytest

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
