"""The same call to convlib and to PyTorch: compare values, shape, dtype, or that both refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import arrays

__all__ = ["assert_matches_torch"]

# Relative to the largest value, for sums in different orders: some dozens of roundings.
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-11}


def assert_matches_torch(function: str | Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function of convlib and its namesake in PyTorch, and compare what they do.

    Parameters
    ----------
    function : str or callable
        The function, or its name: 'conv2d' is compared with `torch.nn.functional.conv2d`, and
        a function of `convlib.grad` with its namesake in `torch.nn.grad`.
    *args, **kwargs
        The arguments, NumPy or CuPy arrays and settings. Arrays go to PyTorch as tensors, CuPy
        arrays on the GPU.

    Returns
    -------
    object
        What the function of convlib returned, or None where both refuse.

    Raises
    ------
    AssertionError
        If values, shape or dtype differ, or only one of the two refuses.

    Examples
    --------
    >>> x, w = np.ones((1, 2, 5, 5)), np.ones((4, 2, 3, 3))
    >>> assert_matches_torch("conv2d", x, w, stride=2).shape
    (1, 4, 2, 2)
    """
    ours = _ours(function) if isinstance(function, str) else function
    theirs = _theirs(ours)
    try:
        actual = ours(*args, **kwargs)
        refused = None
    except (ValueError, TypeError) as error:
        actual, refused = None, error
    try:
        expected = theirs(*map(_tensor, args), **{k: _tensor(v) for k, v in kwargs.items()})
    except Exception as error:
        assert refused is not None, (
            f"PyTorch refuses this call to {ours.__name__}, convlib does not: {error}"
        )
        return None
    assert refused is None, f"convlib refuses a call that PyTorch takes: {refused}"
    if isinstance(expected, tuple):
        assert isinstance(actual, tuple) and len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_close(a, e, ours.__name__)
    else:
        assert_close(actual, expected, ours.__name__)
    return actual


def _ours(name: str) -> Callable:
    import convlib

    if hasattr(convlib, name):
        return getattr(convlib, name)
    return getattr(convlib.grad, name)


def _theirs(function: Callable) -> Callable:
    import torch

    home = torch.nn.grad if function.__module__.startswith("convlib.grad") else torch.nn.functional
    return getattr(home, function.__name__)


def _tensor(value: Any) -> Any:
    """Turn an array into a tensor with its own memory; leave everything else as it is."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, order="C"))
    if arrays.is_array(value):  # CuPy
        return torch.from_dlpack(value.copy())
    return value


def assert_close(actual: Any, expected: Any, what: str = "result") -> None:
    """Assert that an array and a tensor have one shape, one dtype, and the same values.

    Floating values may differ by a tolerance relative to the largest value; integers may not.
    """
    expected = expected.detach().cpu().resolve_conj().numpy()
    actual = arrays.to_numpy(actual)
    assert actual.shape == expected.shape, (
        f"{what}: shape {actual.shape}, PyTorch has {expected.shape}"
    )
    assert actual.dtype == expected.dtype, (
        f"{what}: dtype {actual.dtype}, PyTorch has {expected.dtype}"
    )
    real = np.dtype(actual.real.dtype).name
    if real not in TOLERANCE or not actual.size:
        np.testing.assert_array_equal(actual, expected, err_msg=what)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        actual, expected, rtol=TOLERANCE[real], atol=TOLERANCE[real] * scale, err_msg=what
    )
