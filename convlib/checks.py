"""What must fit together in a call of a convolution: shapes, channels, groups and settings.

Refusals are sentences, as in `settings`, and come before any array is read.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .geometry import count, same, spread_size
from .padding import MOST
from .settings import Settings, integer, integers, remembered


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
    return tuple(map(same, kernel_size, dilation))


def check_shapes(
    function: str, axes: int, input_shape: tuple, weight_shape: tuple, names: str
) -> None:
    """Check that input is (N, C, *spatial) or (C, *spatial), and that the weight has such axes."""
    if len(weight_shape) != axes + 2:
        raise ValueError(
            f"{function}: weight must have {axes + 2} axes ({names}, and {axes} of the kernel), "
            f"got shape {weight_shape}."
        )
    if min(weight_shape[2:]) < 1:
        raise ValueError(
            f"{function}: weight must have at least one tap an axis, got shape {weight_shape}."
        )
    if len(input_shape) not in (axes + 1, axes + 2):
        raise ValueError(
            f"{function}: input must have {axes + 2} axes (batch, channels, {axes} spatial) or "
            f"{axes + 1} without the batch, got shape {input_shape}."
        )
    if 0 in input_shape[-axes:] and 0 not in input_shape[:-axes]:
        raise ValueError(
            f"{function}: input must have at least one cell along each spatial axis, or no images "
            f"or no channels at all, got shape {input_shape}."
        )


def check_padded(function: str, size: tuple, pairs: tuple[tuple[int, int], ...]) -> None:
    """Check that memory has addresses for the padded input, as `padding.pad` does."""
    for n, (before, after) in zip(size, pairs, strict=True):
        if n + before + after > MOST:
            raise ValueError(
                f"{function}: padding {before} and {after} makes an axis of {n + before + after} "
                "cells, too many."
            )


def check_memory(function: str, what: str, shape: tuple[int, ...]) -> None:
    """Check that memory has addresses for an array of this shape; NumPy passes over zeros, too."""
    cells = prod(max(n, 1) for n in shape)
    if cells > MOST:
        raise ValueError(f"{function}: {what} of shape {shape} has {cells} cells, too many.")


def check_groups(function: str, groups: Any, first: int, named: str) -> int:
    """Check that the first axis of a weight, here called `named`, falls into groups."""
    groups = integer(function, "groups", groups)
    if groups < 1:
        raise ValueError(f"{function}: groups must be at least 1, got {groups}.")
    if first < groups or first % groups:
        raise ValueError(
            f"{function}: the weight's {first} {named} channels must be a positive multiple "
            f"of groups={groups}."
        )
    return groups


def check_bias(function: str, bias_shape: tuple | None, channels: int) -> None:
    """Check that the bias, where there is one, has one value for each output channel."""
    if bias_shape is not None and bias_shape != (channels,):
        raise ValueError(
            f"{function}: bias must have shape ({channels},), one value for each output channel, "
            f"got {bias_shape}."
        )


@remembered
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
    check_shapes(function, axes, input_shape, weight_shape, "out_channels, in_channels // groups")
    stride = integers(function, "stride", stride, axes, least=1)
    dilation = integers(function, "dilation", dilation, axes, least=1)
    out_channels, in_channels, *_ = weight_shape
    kernel_size = weight_shape[2:]
    pairs = padding_pairs(function, padding, kernel_size, stride, dilation)
    groups = check_groups(function, groups, out_channels, "output")
    channels, size = input_shape[-axes - 1], input_shape[-axes:]
    if channels != in_channels * groups:
        raise ValueError(
            f"{function}: with weight {weight_shape} and groups={groups} the input must have "
            f"{in_channels} * {groups} = {in_channels * groups} channels, got {channels}."
        )
    check_bias(function, bias_shape, out_channels)
    check_padded(function, size, pairs)
    output = [
        count(function, n, k, s, *pair, d)
        for n, k, s, pair, d in zip(size, kernel_size, stride, pairs, dilation, strict=True)
    ]
    # PyTorch's rule for an input without channels: the output has none either
    out_channels = out_channels if channels else 0
    check_memory(function, "the output", (*input_shape[: -axes - 1], out_channels, *output))
    return Settings(
        function,
        kernel_size,
        stride,
        pairs,
        dilation,
        groups,
        (channels, *size),
        (out_channels, *output),
        input_shape[: -axes - 1],
    )


@remembered
def transposed_settings(
    function: str,
    axes: int,
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    bias_shape: tuple[int, ...] | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Settings:
    """Check a transposed convolution. The settings are those of the convolution it transposes.

    So its output is their `image`, and its input their `maps`. An output_padding of a stride or more,
    which a larger dilation allows, leaves room in the image for more windows than the maps have cells.
    """
    check_shapes(function, axes, input_shape, weight_shape, "in_channels, out_channels // groups")
    stride = integers(function, "stride", stride, axes, least=1)
    padding = integers(function, "padding", padding, axes, least=0)
    extra = integers(function, "output_padding", output_padding, axes, least=0)
    dilation = integers(function, "dilation", dilation, axes, least=1)
    in_channels, out_channels, *_ = weight_shape
    kernel_size = weight_shape[2:]
    groups = check_groups(function, groups, in_channels, "input")
    channels, size = input_shape[-axes - 1], input_shape[-axes:]
    if channels != in_channels:
        raise ValueError(
            f"{function}: with weight {weight_shape} the input must have {in_channels} channels, "
            f"got {channels}."
        )
    if out_channels < 1:
        raise ValueError(
            f"{function}: weight must have at least one output channel, got shape {weight_shape}."
        )
    check_bias(function, bias_shape, out_channels * groups)
    output = []
    for n, k, s, p, x, d in zip(size, kernel_size, stride, padding, extra, dilation, strict=True):
        if x >= s and x >= d:
            raise ValueError(
                f"{function}: output_padding must be smaller than stride or dilation, got "
                f"output_padding {x} with stride {s} and dilation {d}."
            )
        output.append(spread_size(function, n, k, s, p, x, d))
    # PyTorch's own loops refuse this, oneDNN answers, and the size of the call decides between them
    if 0 in output and 0 not in input_shape[: -axes - 1]:
        raise ValueError(
            f"{function}: padding {padding} cuts off every cell: the output would have size "
            f"{tuple(output)}."
        )
    pairs = tuple((p, p) for p in padding)
    check_memory(
        function, "the output", (*input_shape[: -axes - 1], out_channels * groups, *output)
    )
    check_padded(function, tuple(output), pairs)
    return Settings(
        function,
        kernel_size,
        stride,
        pairs,
        dilation,
        groups,
        (out_channels * groups, *output),
        (channels, *size),
        input_shape[: -axes - 1],
    )
