"""Settings as PyTorch spells them, and the refusals: every check on a parameter is here.

A refusal is a ValueError or a TypeError and reads as a sentence: the function, the parameter, the
value given, what it must be. It is raised from integers and shapes, before any array is read.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

Ints = int | Sequence[int]

# The least value that makes sense, for each integer setting.
LEAST = {
    "input_size": 0,
    "output_size": 0,
    "kernel_size": 1,
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
}


def integer(function: str, name: str, value: Any) -> int:
    """Return `value` as a Python int. NumPy integers count as integers, bools and floats do not."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool_", "bool"):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{function}: {name} must be an integer, got {value!r}.")


def integers(function: str, name: str, value: Any, axes: int, least: int | None = None):
    """Return a setting as a tuple with one int an axis.

    An int or a one-element tuple or list goes with every axis.
    """
    parts = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    numbers = tuple(integer(function, name, part) for part in parts)
    if len(numbers) == 1:
        numbers *= axes
    if len(numbers) != axes:
        raise ValueError(
            f"{function}: {name} must be one integer or {axes}, one for each spatial axis, "
            f"got {value!r}."
        )
    if least is not None and min(numbers, default=least) < least:
        raise ValueError(f"{function}: {name} must be at least {least}, got {value!r}.")
    return numbers


class Settings(NamedTuple):
    """The checked settings of one call, one entry a spatial axis."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # (before, after)
    dilation: tuple[int, ...]
    groups: int
    output_size: tuple[int, ...]
    batched: bool


def padding_pairs(
    function: str, padding: Any, kernel_size: tuple, stride: tuple, dilation: tuple
) -> tuple[tuple[int, int], ...]:
    """Read `padding`, an int, a tuple, 'valid' or 'same', as (before, after) for each axis."""
    axes = len(kernel_size)
    if not isinstance(padding, str):
        return tuple((p, p) for p in integers(function, "padding", padding, axes, least=0))
    if padding == "valid":
        return ((0, 0),) * axes
    if padding != "same":
        raise ValueError(
            f"{function}: padding must be integers, 'same' or 'valid', got {padding!r}."
        )
    if stride != (1,) * axes:
        raise ValueError(
            f"{function}: padding='same' needs stride 1, got stride={stride}: with a stride the "
            "output is smaller than the input. Try integers for padding."
        )
    # d·(k-1) cells in all; where that is odd, the one more goes to the end, as in PyTorch
    totals = (d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True))
    return tuple((total // 2, total - total // 2) for total in totals)


def check_channels(
    function: str, channels: int, weight: tuple, bias: tuple | None, groups: Any
) -> int:
    """Check channels against a weight (out_channels, in_channels // groups, *kernel) and a bias."""
    groups = integer(function, "groups", groups)
    if groups < 1:
        raise ValueError(f"{function}: groups must be at least 1, got {groups}.")
    if weight[0] < groups or weight[0] % groups:
        raise ValueError(
            f"{function}: the weight's {weight[0]} output channels must be a positive multiple "
            f"of groups={groups}."
        )
    if channels != weight[1] * groups:
        raise ValueError(
            f"{function}: with weight {weight} and groups={groups} the input must have "
            f"{weight[1]} * {groups} = {weight[1] * groups} channels, got {channels}."
        )
    if bias is not None and bias != (weight[0],):
        raise ValueError(
            f"{function}: bias must have shape ({weight[0]},), one value for each output channel, "
            f"got {bias}."
        )
    return groups


def check_ndim(function: str, axes: int, input_shape: tuple, weight_shape: tuple) -> None:
    """Check that input is (N, C, *spatial) or (C, *spatial) and weight has two axes more."""
    if len(weight_shape) != axes + 2:
        raise ValueError(
            f"{function}: weight must have {axes + 2} axes (out_channels, in_channels // groups, "
            f"and {axes} of the kernel), got shape {weight_shape}."
        )
    if len(input_shape) not in (axes + 1, axes + 2):
        raise ValueError(
            f"{function}: input must have {axes + 2} axes (batch, channels, {axes} spatial) or "
            f"{axes + 1} without the batch, got shape {input_shape}."
        )


def convolution_settings(
    function: str,
    axes: int,
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    bias_shape: tuple[int, ...] | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
) -> Settings:
    """Check everything about a convolution that can be known without reading an array."""
    check_ndim(function, axes, input_shape, weight_shape)
    strides = integers(function, "stride", stride, axes, least=1)
    dilations = integers(function, "dilation", dilation, axes, least=1)
    kernel_size = weight_shape[2:]
    if min(kernel_size) < 1:
        raise ValueError(f"{function}: the kernel has no taps, got weight {weight_shape}.")
    pairs = padding_pairs(function, padding, kernel_size, strides, dilations)
    groups = check_channels(function, input_shape[-axes - 1], weight_shape, bias_shape, groups)
    size = []
    for n, k, s, (before, after), d in zip(
        input_shape[-axes:], kernel_size, strides, pairs, dilations, strict=True
    ):
        padded, span = n + before + after, d * (k - 1) + 1
        if span > padded:
            raise ValueError(
                f"{function}: the kernel spans {span} (dilation {d}, kernel_size {k}), but the "
                f"padded input has {padded} (input {n}, padding {before} and {after})."
            )
        size.append((padded - span) // s + 1)
    batched = len(input_shape) == axes + 2
    return Settings(kernel_size, strides, pairs, dilations, groups, tuple(size), batched)
