"""Where convlib and PyTorch part on purpose: one table, each with its reason and an example.

Everything else that one takes and the other refuses is a bug of convlib.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .layouts import LAYOUTS
from .oracle import each

INTEGER_OR_BOOL = "iub"


class Difference(NamedTuple):
    """`convlib` says what it does: 'accepts' or 'refuses'; PyTorch does the other."""

    reason: str
    convlib: str
    applies: Callable[[str, dict], bool]
    example: tuple[str, dict]


def _array(arguments: dict) -> np.ndarray:
    return next(v for v in arguments.values() if isinstance(v, np.ndarray))


def _settings(arguments: dict) -> list[Any]:
    return [v for v in arguments.values() if not isinstance(v, np.ndarray)]


def _blind_window(function: str, arguments: dict) -> bool:
    return function.startswith("max_pool") and bool(arguments.get("return_indices"))


def _no_image(function: str, arguments: dict) -> bool:
    array = _array(arguments)
    unchecked = array.dtype.kind in INTEGER_OR_BOOL or "output_padding" in arguments
    return "conv" in function and 0 in array.shape and unchecked


def _no_step(function: str, arguments: dict) -> bool:
    dilation = arguments.get("dilation")
    return "conv" in function and 0 in (dilation if isinstance(dilation, tuple) else (dilation,))


def _no_cell(function: str, arguments: dict) -> bool:
    if not function.startswith("conv_transpose"):
        return False
    settings = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, **arguments}
    axes = int(function[-2])
    names = ("stride", "padding", "dilation", "output_padding")
    rows = zip(
        arguments["input"].shape[-axes:],
        arguments["weight"].shape[2:],
        *(each(settings[name], axes) for name in names),
        strict=True,
    )
    return 0 in [(n - 1) * s - 2 * p + d * (k - 1) + 1 + e for n, k, s, p, d, e in rows]


def _bool_in_tuple(function: str, arguments: dict) -> bool:
    return any(
        isinstance(value, (tuple, list)) and any(isinstance(part, bool) for part in value[1:])
        for value in _settings(arguments)
    )


def _large_setting(function: str, arguments: dict) -> bool:
    return function == "max_pool1d" and any(
        isinstance(value, int) and value >= 2**31 for value in _settings(arguments)
    )


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return LAYOUTS["contiguous"](np.zeros(shape, dtype))


DIFFERENCES = [
    Difference(
        "A window that sees padding alone has no largest cell; PyTorch returns an index outside "
        "of the input, and its gradient then writes there.",
        "refuses",
        _blind_window,
        (
            "max_pool1d",
            {
                "input": zeros(1, 1),
                "kernel_size": 2,
                "stride": 1,
                "padding": 1,
                "dilation": 2,
                "return_indices": True,
            },
        ),
    ),
    Difference(
        "Without an image PyTorch returns before it looks at the dtype and at output_padding; "
        "convlib refuses them whatever the size of the batch.",
        "refuses",
        _no_image,
        ("conv1d", {"input": zeros(0, 1, 4, dtype="bool"), "weight": zeros(1, 1, 2, dtype="bool")}),
    ),
    Difference(
        "PyTorch takes a dilation of 0 without an image, and for a transposed kernel of one tap "
        "where oneDNN computes it; convlib refuses it.",
        "refuses",
        _no_step,
        ("conv1d", {"input": zeros(0, 1, 4), "weight": zeros(1, 1, 2), "dilation": 0}),
    ),
    Difference(
        "A transposed convolution whose padding cuts off every cell: PyTorch refuses it or answers "
        "without cells, by dtype, shape and the number of threads; convlib always refuses it.",
        "refuses",
        _no_cell,
        (
            "conv_transpose1d",
            {"input": zeros(2, 1, 2), "weight": zeros(1, 1, 3), "padding": 2},
        ),
    ),
    Difference(
        "PyTorch looks at the type of the first entry of a tuple alone; convlib takes True for an "
        "integer nowhere.",
        "refuses",
        _bool_in_tuple,
        ("max_pool2d", {"input": zeros(1, 4, 4), "kernel_size": (2, True)}),
    ),
    Difference(
        "PyTorch holds the settings of 2-d and 3-d pooling in 32 bits, those of max_pool1d in 64; "
        "convlib has one limit, 2**31, for all of them.",
        "refuses",
        _large_setting,
        ("max_pool1d", {"input": zeros(1, 4), "kernel_size": 2, "stride": 2**31}),
    ),
]


def known_difference(function: str, arguments: dict, convlib: str) -> Difference | None:
    """Return the difference that explains why convlib alone 'accepts' or 'refuses', or None."""
    for difference in DIFFERENCES:
        if difference.convlib == convlib and difference.applies(function, arguments):
            return difference
    return None
