"""Every function once more, as loops over single cells: slow, and plain enough to be believed.

Nothing here comes from PyTorch or from convlib, and there is no formula for an output size: the
windows are found by stepping through the input. Arrays are read and written a cell at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np


def each(value: Any, axes: int) -> tuple:
    """Spell a setting out, one entry an axis."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * axes if len(values) == 1 else values


def starts(n: int, before: int, after: int, span: int, step: int, ceil: bool = False) -> list[int]:
    """Step a window of `span` cells from the start of the padding to its end."""
    found, start = [], -before
    while start + span <= n + after:
        found.append(start)
        start += step
    reached = found[-1] + span if found else -before
    if ceil and reached < n + after and start < n:
        found.append(start)
    return found


def cells(first: tuple, kernel: tuple, dilation: tuple) -> Iterator[tuple[tuple, tuple]]:
    """Walk over the taps of one window: (tap, cell)."""
    for tap in product(*map(range, kernel)):
        yield tap, tuple(f + t * d for f, t, d in zip(first, tap, dilation))


def inside(cell: tuple, size: tuple) -> bool:
    return all(0 <= c < n for c, n in zip(cell, size))


def conv(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    axes = weight.ndim - 2
    if input.ndim == axes + 1:
        return conv(input[None], weight, bias, stride, padding, dilation, groups)[0]
    size, kernel = input.shape[2:], weight.shape[2:]
    step, dilation = each(stride, axes), each(dilation, axes)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    if padding == "same":
        pads = [((s - 1) // 2, s - 1 - (s - 1) // 2) for s in spans]
    else:
        pads = [(p, p) for p in each(0 if padding == "valid" else padding, axes)]
    grid = [starts(n, *p, span, s) for n, p, span, s in zip(size, pads, spans, step)]
    outs, ins = weight.shape[0] // groups, weight.shape[1]
    output = np.zeros((len(input), len(weight), *map(len, grid)), input.dtype)
    for n, o, *at in np.ndindex(*output.shape):
        total = 0 if bias is None else bias[o].item()
        first = tuple(line[a] for line, a in zip(grid, at))
        for tap, cell in cells(first, kernel, dilation):
            if inside(cell, size):
                for i in range(ins):
                    channel = o // outs * ins + i
                    total += input[(n, channel, *cell)].item() * weight[(o, i, *tap)].item()
        output[(n, o, *at)] = total
    return output


def conv_transpose(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    axes = weight.ndim - 2
    if input.ndim == axes + 1:
        args = (bias, stride, padding, output_padding, groups, dilation)
        return conv_transpose(input[None], weight, *args)[0]
    step, padding = each(stride, axes), each(padding, axes)
    extra, dilation = each(output_padding, axes), each(dilation, axes)
    kernel, ins, outs = weight.shape[2:], weight.shape[0] // groups, weight.shape[1]
    # the last cell that the last input cell is spread to, and what is added and cut off
    size = tuple(
        (n - 1) * s + (k - 1) * d + 1 + e - 2 * p
        for n, s, k, d, e, p in zip(input.shape[2:], step, kernel, dilation, extra, padding)
    )
    output = np.zeros((len(input), outs * groups, *size), input.dtype)
    if bias is not None:
        for o in range(outs * groups):
            output[:, o] = bias[o]
    for n, i, *at in np.ndindex(*input.shape):
        first = tuple(a * s - p for a, s, p in zip(at, step, padding))
        for tap, cell in cells(first, kernel, dilation):
            if inside(cell, size):
                for o in range(outs):
                    value = input[(n, i, *at)].item() * weight[(i, o, *tap)].item()
                    output[(n, i // ins * outs + o, *cell)] += value
    return output


def pool(axes, input, kernel_size, stride, padding, dilation, ceil_mode):
    """Yield, for each window, where its result belongs, and (cell, whether inside the input)."""
    size, kernel = input.shape[-axes:], each(kernel_size, axes)
    step = kernel if stride is None or stride == () else each(stride, axes)
    padding, dilation = each(padding, axes), each(dilation, axes)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    axis = zip(size, padding, spans, step)
    grid = [starts(n, p, p, span, s, ceil_mode) for n, p, span, s in axis]
    shape = (*input.shape[:-axes], *map(len, grid))
    for at in np.ndindex(*shape):
        first = tuple(line[a] for line, a in zip(grid, at[-axes:]))
        seen = [cell for _, cell in cells(first, kernel, dilation)]
        yield shape, at, seen, padding


def max_pool(axes, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    output = None
    for shape, at, seen, _ in pool(axes, input, kernel_size, stride, padding, dilation, ceil_mode):
        output = np.zeros(shape, input.dtype) if output is None else output
        values = [input[(*at[:-axes], *c)] for c in seen if inside(c, input.shape[-axes:])]
        output[at] = max(values)
    return output


def avg_pool(
    axes,
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    size, output = input.shape[-axes:], None
    for shape, at, seen, pads in pool(axes, input, kernel_size, stride, padding, 1, ceil_mode):
        output = np.zeros(shape, input.dtype) if output is None else output
        values = [input[(*at[:-axes], *c)].item() for c in seen if inside(c, size)]
        padded = [c for c in seen if all(-p <= i < n + p for i, n, p in zip(c, size, pads))]
        count = divisor_override or len(padded if count_include_pad else values)
        output[at] = sum(values) / count
    return output


def source(mode: str, i: int, n: int) -> int | None:
    """Find which cell of an axis stands at position `i`, which may lie outside."""
    while not 0 <= i < n:
        if mode == "constant":
            return None
        if mode == "replicate":
            i += 1 if i < 0 else -1
        elif mode == "circular":
            i += n if i < 0 else -n
        else:  # reflect: the mirror stands on the edge's cell
            i = -i if i < 0 else 2 * (n - 1) - i
    return i


def pad(input, pad, mode="constant", value=None):
    axes = len(pad) // 2
    # the last axis comes first in `pad`
    pairs = [(pad[2 * a], pad[2 * a + 1]) for a in reversed(range(axes))]
    size = input.shape[-axes:]
    grown = (n + before + after for n, (before, after) in zip(size, pairs))
    output = np.full((*input.shape[:-axes], *grown), value or 0, input.dtype)
    for at in np.ndindex(*output.shape):
        places = zip(at[-axes:], pairs, size)
        cell = tuple(source(mode, a - before, n) for a, (before, _), n in places)
        if None not in cell:
            output[at] = input[(*at[:-axes], *cell)]
    return output


def columns(size, kernel_size, dilation, padding, stride):
    """Yield (column, tap's number, cell) for `unfold` and `fold`."""
    kernel, dilation = each(kernel_size, 2), each(dilation, 2)
    padding, step = each(padding, 2), each(stride, 2)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    grid = [starts(n, p, p, span, s) for n, p, span, s in zip(size, padding, spans, step)]
    for column, first in enumerate(product(*grid)):
        for number, (_, cell) in enumerate(cells(first, kernel, dilation)):
            yield column, number, cell


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    if input.ndim == 3:
        return unfold(input[None], kernel_size, dilation, padding, stride)[0]
    walk = list(columns(input.shape[2:], kernel_size, dilation, padding, stride))
    taps, width = max(t for _, t, _ in walk) + 1, max(c for c, _, _ in walk) + 1
    output = np.zeros((len(input), input.shape[1] * taps, width), input.dtype)
    for n, c in np.ndindex(*input.shape[:2]):
        for column, number, cell in walk:
            if inside(cell, input.shape[2:]):
                output[n, c * taps + number, column] = input[(n, c, *cell)]
    return output


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    if input.ndim == 2:
        return fold(input[None], output_size, kernel_size, dilation, padding, stride)[0]
    size = each(output_size, 2)
    walk = list(columns(size, kernel_size, dilation, padding, stride))
    taps = max(t for _, t, _ in walk) + 1
    output = np.zeros((len(input), input.shape[1] // taps, *size), input.dtype)
    for n, c in np.ndindex(*output.shape[:2]):
        for column, number, cell in walk:
            if inside(cell, size):
                output[(n, c, *cell)] += input[n, c * taps + number, column]
    return output


def oracle(function: str, arguments: dict) -> np.ndarray:
    """Answer a call by name, as `getattr(convlib, function)(**arguments)` does."""
    family = function.rstrip("123d") if function[-1] == "d" and function[-2] in "123" else function
    if family in ("max_pool", "avg_pool"):
        return globals()[family](int(function[-2]), **arguments)
    return globals()[family](**arguments)
