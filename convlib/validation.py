"""The same call to convlib and to PyTorch: compare values, gradients, or that both refuse."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import array_module

__all__ = ["assert_close", "assert_gradients_match_torch", "assert_matches_torch"]

# Relative to the largest value, for sums in different orders: 2, 170 and 45,000 roundings.
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-11}

# Parameters that convlib has and PyTorch has not.
EXTRAS = ("algorithm",)


def assert_matches_torch(function: str | Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function of convlib and its namesake in PyTorch, and compare what they do.

    Parameters
    ----------
    function : str or callable
        The function, or its name: 'conv2d' is compared with `torch.nn.functional.conv2d`, and
        'conv2d_input', a function of `convlib.grad`, with `torch.nn.grad.conv2d_input`.
    *args, **kwargs
        The arguments, by position or by name: NumPy or CuPy arrays and settings. Arrays go to
        PyTorch as tensors with memory of their own, CuPy arrays on the GPU.

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
    >>> assert_matches_torch("conv2d", x, w, padding="same", stride=2)  # both refuse
    """
    ours = _ours(function) if isinstance(function, str) else function
    name, theirs = ours.__name__, _theirs(ours)
    refused = None
    try:
        actual = ours(*args, **kwargs)
    except (ValueError, TypeError) as error:
        refused = error
    try:
        shared = {name: _tensor(v) for name, v in kwargs.items() if name not in EXTRAS}
        expected = theirs(*map(_tensor, args), **shared)
    except Exception as error:
        if refused is None:
            raise AssertionError(
                f"{name}: PyTorch refuses this call, convlib does not: {error}"
            ) from error
        return None
    if refused is not None:
        raise AssertionError(
            f"{name}: convlib refuses a call that PyTorch takes: {refused}"
        ) from refused
    assert_close(actual, expected, name)
    return actual


def assert_gradients_match_torch(function: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Compare the gradients of a function with those that PyTorch's autograd finds.

    The gradient for a parameter `input` of `conv2d` is `convlib.grad.conv2d_input`. Its arguments
    are read off its signature: `grad_output`, which is drawn here; `input_size`, the shape of the
    argument `input`; `indices`, where the function returns them; all others as they are.

    Parameters
    ----------
    function : str
        A function of convlib that PyTorch's `torch.nn.functional` has too.
    *args, **kwargs
        Its arguments, by position or by name; the arrays are of a floating or complex dtype.

    Returns
    -------
    dict
        The gradient for each array among the arguments, by the parameter's name.

    Raises
    ------
    AssertionError
        If a gradient differs, or convlib has none for one of the arrays.

    Examples
    --------
    >>> x, w = np.ones((1, 2, 5, 5)), np.ones((4, 2, 3, 3))
    >>> sorted(assert_gradients_match_torch("conv2d", x, w, stride=2))
    ['input', 'weight']
    """
    import torch

    from . import grad

    ours = _ours(function)
    bound = inspect.signature(ours).bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    tensors = {name: _tensor(value) for name, value in given.items() if is_array(value)}
    for tensor in tensors.values():
        tensor.requires_grad_()
    # gradients go through the values alone: indices, where they are returned, have none
    bare = {k: v for k, v in given.items() if k not in ("return_indices", *EXTRAS)}
    output = _theirs(ours)(**{**bare, **tensors})
    generator = np.random.default_rng(0)
    grad_output = generator.standard_normal(tuple(output.shape))
    if output.is_complex():
        grad_output = grad_output + 1j * generator.standard_normal(tuple(output.shape))
    first = next(iter(given[name] for name in tensors))
    library = array_module(function, input=first)
    known = {**given, "grad_output": library.asarray(grad_output.astype(first.dtype))}
    known |= {f"{name}_size": given[name].shape for name in tensors}
    if "return_indices" in given:
        known["indices"] = ours(**{**given, "return_indices": True})[1]
    expected = torch.autograd.grad(output, tuple(tensors.values()), _tensor(known["grad_output"]))
    gradients = {}
    for name, gradient in zip(tensors, expected, strict=True):
        # a bias is added the same way in a transposed convolution
        forward = function.replace("_transpose", "") if name == "bias" else function
        backward = getattr(grad, f"{forward}_{name}", None)
        if backward is None:
            raise AssertionError(f"convlib.grad has no {forward}_{name}")
        wanted = inspect.signature(backward).parameters
        gradients[name] = backward(**{k: known[k] for k in wanted if k in known})
        assert_close(gradients[name], gradient, backward.__name__)
    return gradients


def _ours(name: str) -> Callable:
    import convlib

    function = getattr(convlib, name, None) or getattr(convlib.grad, name, None)
    if function is None:
        raise ValueError(f"assert_matches_torch: convlib has no function {name!r}.")
    return function


def _theirs(function: Callable) -> Callable:
    import torch

    in_grad = function.__module__.startswith("convlib.grad")
    home = torch.nn.grad if in_grad else torch.nn.functional
    namesake = getattr(home, function.__name__, None)
    if namesake is None:
        raise ValueError(
            f"assert_matches_torch: {home.__name__} has no function {function.__name__!r}."
        )
    return namesake


def _tensor(value: Any) -> Any:
    """Turn an array into a tensor with its own memory; leave everything else as it is."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, order="C"))
    if is_array(value):  # CuPy
        return torch.from_dlpack(value.copy())
    return value


def is_array(value: Any) -> bool:
    """Tell whether `value` is a NumPy or a CuPy array."""
    cupy = sys.modules.get("cupy")
    return isinstance(value, np.ndarray) or (
        cupy is not None and isinstance(value, getattr(cupy, "ndarray", ()))
    )


def to_numpy(array: Any) -> np.ndarray:
    """Return the array itself if it is NumPy's, else a copy of it in the CPU's memory."""
    return array if isinstance(array, np.ndarray) else array.get()


def require(holds: bool, message: str) -> None:
    """Raise an AssertionError, also where Python leaves `assert` out (`python -O`)."""
    if not holds:
        raise AssertionError(message)


def assert_close(actual: Any, expected: Any, what: str = "result") -> None:
    """Assert that an array and a tensor have one shape, one dtype, and the same values.

    Tuples are compared part by part. Floating values may differ by a tolerance relative to the
    largest value; integers may not. The message names the first place that differs.

    Parameters
    ----------
    actual : array, or tuple of arrays
    expected : torch.Tensor, or tuple of tensors
    what : str
        What the message calls them.
    """
    if isinstance(expected, tuple) or isinstance(actual, tuple):
        parts = [len(value) if isinstance(value, tuple) else 1 for value in (actual, expected)]
        require(
            isinstance(actual, tuple) and isinstance(expected, tuple) and parts[0] == parts[1],
            f"{what}: {parts[0]} outputs, PyTorch has {parts[1]}",
        )
        for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
            assert_close(a, e, f"{what}[{number}]")
        return
    theirs = expected.detach().cpu().resolve_conj().resolve_neg().numpy()
    ours = to_numpy(actual)
    require(ours.shape == theirs.shape, f"{what}: shape {ours.shape}, PyTorch has {theirs.shape}")
    require(ours.dtype == theirs.dtype, f"{what}: dtype {ours.dtype}, PyTorch has {theirs.dtype}")
    same = _same(ours, theirs)
    if not same.all():
        place = tuple(int(i) for i in np.argwhere(~same)[0])
        raise AssertionError(
            f"{what}: {int((~same).sum())} of {same.size} values differ, the first at {place}: "
            f"{ours[place]!r}, PyTorch has {theirs[place]!r}"
        )


def _same(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Tell for each value whether it is the same up to rounding. NaN equals NaN."""
    tolerance = TOLERANCE.get(ours.real.dtype.name)
    if tolerance is None:
        return ours == theirs
    sizes = np.abs(theirs[np.isfinite(theirs)])
    scale = float(sizes.max()) if sizes.size else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        return np.isclose(ours, theirs, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
