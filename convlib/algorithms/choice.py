"""Which algorithm computes a convolution: the one asked for, or the one that measured fastest.

"auto" goes by the sizes and the machine, never by the values. It takes only algorithms that add up the
direct sum, in another order at most, so that its error is the direct sum's. Winograd and FFT compute
other sums with larger errors: they are taken where they are asked for, or inside of `allowed_error`.

When an algorithm pays is said in `rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from numbers import Real
from types import ModuleType

import numpy as np

from . import apart
from .rules import adding_whole_pays, compiled_pays, flat_pays, pays, whole_pays
from .steps import Shape, Steps, is_available, is_pointwise

# "windows" is the library's core: pad, view, one product of matrices over all columns
ALGORITHMS = (
    "windows", "einsum", "tensordot", "im2col", "taps", "flat", "bands",
    "winograd", "winograd-f23", "fft", "compiled",
)  # fmt: skip

# The largest error relative to the largest result, in units of the dtype's epsilon: what the tests
# hold each algorithm to. All that are missing here have the direct sum's.
ERROR = {"winograd-f23": 64, "fft": 64, "winograd": 1024}

TINY = 1 << 14  # multiplications: below, what takes the fewest calls is fastest

_allowed: ContextVar[float] = ContextVar("convlib_allowed_error", default=0.0)
allowed_now = _allowed.get


@contextmanager
def allowed_error(relative: float) -> Iterator[None]:
    """Let convolutions in this block be off by `relative`, a part of the largest result.

    Inside, ``algorithm="auto"`` may take an algorithm with fewer multiplications, Winograd's or the
    FFT, where that is faster and its error stays below `relative`. In float32, 1e-5 allows the FFT
    and F(2,3), and 2e-4 allows F(4,3). That is for sums whose terms do not cancel nearly: where they
    do, the direct sum has lost digits as well.

    Parameters
    ----------
    relative : float
        From 0, which allows direct sums alone, up to 1.

    Raises
    ------
    ValueError
        If `relative` is not from 0 to 1.
    TypeError
        If it is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from convlib import allowed_error, conv2d
    >>> x, w = np.ones((1, 8, 16, 16)), np.ones((8, 8, 3, 3))
    >>> with allowed_error(1e-3):
    ...     conv2d(x, w).shape
    (1, 8, 14, 14)
    """
    if isinstance(relative, bool) or not isinstance(relative, Real):
        raise TypeError(f"allowed_error: relative must be a number, got {relative!r}.")
    if not 0 <= relative <= 1:
        raise ValueError(f"allowed_error: relative must be from 0 to 1, got {relative!r}.")
    token = _allowed.set(float(relative))
    try:
        yield
    finally:
        _allowed.reset(token)


def refusal(name: str, shape: Shape, steps: Steps, dtype: np.dtype, on_cpu: bool) -> str:
    """Say why an algorithm cannot compute a convolution, or nothing if it can."""
    axes = len(shape.taps)
    ones = (1,) * axes
    if name.startswith("winograd"):
        if shape.taps != (3,) * axes or steps.stride != ones or steps.dilation != ones:
            return (
                "needs three taps an axis, stride 1 and dilation 1, got "
                f"kernel_size {shape.taps}, stride {steps.stride}, dilation {steps.dilation}"
            )
    if name in ("winograd", "winograd-f23", "fft") and dtype.kind not in "fc":
        return f"needs floating or complex numbers, got {dtype}"
    if name == "bands" and not shape.i == shape.o == 1:
        return f"needs one channel a group, got {shape.i} and {shape.o}"
    if name == "compiled":
        if not on_cpu:
            return "needs NumPy arrays"
        if dtype.kind not in "fc":
            return f"needs floating or complex numbers, got {dtype}"
        if not is_available():
            return "needs Numba: pip install convolution-window-by-window[fast]"
    return ""


def choose(
    algorithm: str,
    task: str,
    shape: Shape,
    steps: Steps,
    dtype: np.dtype,
    xp: ModuleType,
    function: str,
    allowed: float = 0.0,
) -> str:
    """Return an algorithm's name: what "auto" means for these sizes, or what was asked for.

    `allowed` is the error that `allowed_error` lets "auto" make.
    """
    if algorithm == "auto":
        return _auto(task, shape, steps, dtype, xp is np, allowed)
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"{function}: algorithm must be 'auto' or one of {', '.join(ALGORITHMS)}, "
            f"got {algorithm!r}."
        )
    if reason := refusal(algorithm, shape, steps, dtype, xp is np):
        raise ValueError(f"{function}: algorithm={algorithm!r} {reason}.")
    return algorithm


def _auto(
    task: str,
    shape: Shape,
    steps: Steps,
    dtype: np.dtype,
    on_cpu: bool,
    allowed: float,
) -> str:
    if shape.products < TINY:
        # of one tap the input is the columns: one call of BLAS; else the plain way takes fewest
        alone = on_cpu and dtype.kind in "fc" and is_pointwise(shape, steps)
        return "im2col" if alone else "windows"
    if dtype.kind in "fc":
        # the fewer multiplications first
        for name in ("winograd", "winograd-f23", "fft"):
            error = ERROR[name] * float(np.finfo(dtype).eps)
            if (
                error <= allowed
                and pays(name, shape)
                and not refusal(name, shape, steps, dtype, on_cpu)
            ):
                return name
    if not on_cpu or dtype.kind not in "fc":
        return "im2col"
    if is_available() and compiled_pays(task, shape, steps, dtype):
        return "compiled"
    if flat_pays(task, shape, steps):
        return "flat"
    if whole_pays(task, shape, dtype):
        return "windows"
    if task == "input" and not apart.is_apart(shape, steps) and adding_whole_pays(shape, steps):
        return "windows"
    return "im2col"


def file_of(name: str) -> ModuleType:
    """Import an algorithm's file when it is needed."""
    return import_module(f".{name.partition('-')[0]}", __package__)


def computes(name: str, task: str) -> Callable[..., None]:
    """Find what computes 'forward', or a gradient; F(2,3) has functions of its own."""
    return getattr(file_of(name), task + ("_f23" if name == "winograd-f23" else ""))
