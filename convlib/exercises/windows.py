"""Checkers for chapter 4: offsets, reaches, and plans for views. No answer is ever read from."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ._core import Case, Report, Slip, check_function, check_value

__all__ = ["mended", "reach", "window_plan", "window_strides"]

# The axes of a view, by their number.
LETTERS = {2: "w, l", 4: "h, w, k, l", 5: "i, h, w, k, l", 6: "n, i, h, w, k, l"}
LETTERS[7] = "n, g, i, h, w, k, l"

EMPTY = (
    "right, but for one case: a size of 0 on any axis means that no element is there, so "
    "nothing is read. Return (start, start)."
)


def _reach(start: int, shape: Sequence[int], strides: Sequence[int], itemsize: int) -> tuple:
    if 0 in shape:
        return start, start
    walks = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    low = start + sum(min(walk, 0) for walk in walks)
    return low, start + sum(max(walk, 0) for walk in walks) + itemsize


def _fresh(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the strides, in bytes, of a new array of this shape."""
    return tuple(
        int(np.prod(shape[axis + 1 :], dtype=int)) * itemsize for axis in range(len(shape))
    )


def window_strides(answer: Any) -> Report:
    """Exercise 4.1: the six strides of the 3×3 windows, stride 2, of a float32 (2, 3, 8, 10)."""
    image, channel, row, pixel = _fresh((2, 3, 8, 10), 4)
    lead = (image, channel)
    right = (*lead, 2 * row, 2 * pixel, row, pixel)
    slips = [
        Slip(
            tuple(stride // 4 for stride in right),
            "these are counted in elements, as PyTorch counts them. NumPy counts bytes.",
        ),
        Slip(
            tuple(stride * 2 for stride in right),
            "these fit elements of 8 bytes. A float32 has 32 bits: how many bytes is that?",
        ),
        Slip(
            (*lead, row, pixel, row, pixel),
            "these are the windows of stride 1. With stride 2, which walk becomes longer: the one "
            "from window to window, or the one from tap to tap?",
        ),
        Slip(
            (*lead, row, pixel, 2 * row, 2 * pixel),
            "you moved the taps apart: this is dilation 2. The stride moves whole windows.",
        ),
        Slip(
            (*lead, 2 * row, 2 * pixel, 2 * row, 2 * pixel),
            "the taps of one window are still neighbours. Only h and w take the stride.",
        ),
        Slip(
            (*lead, 2 * pixel, 2 * row, pixel, row),
            "rows and columns are swapped: one step of h goes down, across a whole row.",
        ),
        Slip(
            (*lead, 2 * row, row, 2 * pixel, pixel),
            "all six numbers are right. The order of the axes is n, i, h, w, k, l.",
        ),
        Slip(
            _fresh((2, 3, 3, 4, 3, 3), 4),
            "these are the strides of a copy of the windows. A view walks on the input's bytes.",
        ),
    ]
    return check_value(
        answer, right, slips, "a tuple of six integers", "Strides of n, i, h, w, k, l, in bytes."
    )


def reach(answer: Any) -> Report:
    """Exercise 4.2: reach(start, shape, strides, itemsize), the first byte read and the end."""

    def case(start: int, shape: tuple, strides: tuple, itemsize: int) -> Case:
        return Case({"start": start, "shape": shape, "strides": strides, "itemsize": itemsize})

    cases = [
        case(0, (6,), (2,), 2),
        case(0, (3, 4), (8, 2), 2),
        case(0, (4, 3), (2, 2), 2),
        case(0, (6, 3), (2, 2), 2),
        case(8, (3, 4), (40, 4), 4),
        case(0, (5, 1, 4), (16, 100, 4), 4),
        case(10, (6,), (-2,), 2),
        case(16, (3, 4), (-8, 2), 2),
        case(0, (3, 4), (0, 2), 2),
        case(0, (2, 3, 3, 4, 3, 3), (960, 320, 80, 8, 40, 4), 4),
        case(12, (), (), 4),
        case(4, (0, 3), (8, 2), 2),
        case(0, (3, 0), (-8, 2), 2),
    ]

    def parts(start: int, shape: tuple, strides: tuple) -> list[int]:
        return [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]

    slips = [
        Slip(
            lambda start, shape, strides, itemsize: (
                start,
                start + sum(parts(start, shape, strides)) + itemsize,
            ),
            "right while every stride is positive. A negative stride lowers the first byte, and "
            "leaves the end where it is: keep the two sums apart.",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                start,
                start + sum(max(part, 0) for part in parts(start, shape, strides)) + itemsize,
            ),
            "a negative stride walks to bytes before the start. What is the lowest one?",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                start + sum(min(part, 0) for part in parts(start, shape, strides)),
                start + sum(max(part, 0) for part in parts(start, shape, strides)),
            ),
            "this is where the last element begins. It fills `itemsize` bytes: where does it end?",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                start + sum(min(s * t, 0) for s, t in zip(shape, strides, strict=True)),
                start + sum(max(s * t, 0) for s, t in zip(shape, strides, strict=True)) + itemsize,
            ),
            "the largest index on an axis of size m is m - 1, not m.",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                _reach(0, shape, strides, itemsize)[0],
                _reach(0, shape, strides, itemsize)[1],
            ),
            "right for a view that begins at byte 0. Add `start` to both results.",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                start,
                start + int(np.prod(shape)) * itemsize,
            ),
            "this multiplies the shape, as if each element had bytes of its own. Ask for the "
            "largest offset instead: the strides decide.",
        ),
        Slip(
            lambda start, shape, strides, itemsize: (
                start + sum(min(part, 0) for part in parts(start, shape, strides)),
                start + sum(max(part, 0) for part in parts(start, shape, strides)) + itemsize,
            ),
            EMPTY,
        ),
        # the same slip, by the sign of the stride: an empty axis then gives another wrong number
        Slip(
            lambda start, shape, strides, itemsize: (
                start + sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t < 0),
                start
                + sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t >= 0)
                + itemsize,
            ),
            EMPTY,
        ),
    ]
    return check_function(answer, _reach, cases, slips)


def _plan(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
    span = dilation * (kernel_size - 1) + 1
    return ((n - span) // stride + 1, kernel_size), (stride * step, dilation * step)


def _outside(got: Any, low: int, high: int, itemsize: int) -> str:
    """Say at which byte a plan would leave the buffer, or say nothing."""
    try:
        shape, strides = ([int(value) for value in part] for part in got)
        first, end = _reach(0, shape, strides, itemsize)
    except (TypeError, ValueError):
        return ""
    if first >= low and end <= high:
        return ""
    return (
        f"this view would read bytes {first} to {end - 1}, but the memory given has bytes {low} "
        f"to {high - 1}. as_strided would not stop it"
    )


def _check_plan(
    answer: Any,
    right: Callable,
    cases: Sequence[Case],
    slips: Sequence[Slip],
    memory: Callable[[Case], tuple[int, int, int]],
) -> Report:
    """Check a function that returns (shape, strides); nothing is read through them.

    `memory` returns, for a case, the first byte of the buffer, its end, and the itemsize.
    """
    report = check_function(answer, right, cases, slips)
    general = "your function returns "
    if report.passed or not report.hint.startswith(general) or "None" in report.hint:
        return report
    for case in cases:
        got, must = case.call(answer)[0].value, case.call(right)[0].value
        if got == must:
            continue
        letters = LETTERS[len(must[0])]
        try:
            shape, strides = (tuple(int(value) for value in part) for part in got)
        except (TypeError, ValueError):
            hint = "return two tuples of integers, the shape and the strides."
            return replace(report, hint=hint)
        if len(shape) != len(must[0]) or len(strides) != len(must[1]):
            hint = f"shape and strides must have {len(must[0])} entries each, for {letters}; "
            return replace(report, hint=f"{hint}yours have {len(shape)} and {len(strides)}.")
        for name, one, other in (("size", shape, must[0]), ("stride", strides, must[1])):
            for letter, mine, its in zip(letters.split(", "), one, other, strict=True):
                if mine != its:
                    outside = _outside(got, *memory(case))
                    hint = f"your {name} of axis {letter} is {mine}, and must be {its}"
                    return replace(report, hint=f"{hint}; {outside}." if outside else f"{hint}.")
    return report


def mended(answer: Any) -> Report:
    """Exercise 4.3: plan_1d(n, step, kernel_size, stride, dilation), which read out of bounds."""

    def count_of(span: Callable[[int, int], int]) -> Callable:
        def plan(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
            count = (n - span(kernel_size, dilation)) // stride + 1
            return (count, kernel_size), (stride * step, dilation * step)

        return plan

    def rounded_up(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
        span = dilation * (kernel_size - 1) + 1
        return (-((span - n) // stride) + 1, kernel_size), (stride * step, dilation * step)

    def swapped(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
        shape, strides = _plan(n, step, kernel_size, stride, dilation)
        return shape, strides[::-1]

    def no_dilation(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
        return _plan(n, step, kernel_size, stride, 1)

    def taps_close(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
        shape, strides = _plan(n, step, kernel_size, stride, dilation)
        return shape, (strides[0], step)

    def one_short(n: int, step: int, kernel_size: int, stride: int, dilation: int) -> tuple:
        shape, strides = _plan(n, step, kernel_size, stride, dilation)
        return (shape[0] - 1, kernel_size), strides

    slips = [
        Slip(
            count_of(lambda k, d: k),
            "this is right for dilation 1 alone. With dilation, the last window still begins "
            "n - kernel_size cells in, and its last tap lies beyond the end. How wide is the "
            "kernel when its taps stand apart?",
        ),
        Slip(
            rounded_up,
            "you round up. The window that hangs over the end is counted, and read.",
        ),
        Slip(
            count_of(lambda k, d: d * k),
            "this never reads outside, but drops windows that fit: there are kernel_size - 1 gaps "
            "between kernel_size taps, not kernel_size.",
        ),
        Slip(
            count_of(lambda k, d: d * (k - 1)),
            "the span counts both ends: with k taps there are d·(k - 1) cells from the first to "
            "the last, and one more. Your last window hangs over the end.",
        ),
        Slip(no_dilation, "now the dilation is gone from the view: the taps are neighbours again."),
        Slip(
            taps_close,
            "the count is right now, but the taps are neighbours: the stride of axis l lost its "
            "dilation.",
        ),
        Slip(swapped, "the two strides are swapped: w walks `stride` cells, l walks `dilation`."),
        Slip(one_short, "safe, but one window short: count the first one too."),
    ]
    source = random.Random(43)
    settings = [(6, 2, 3, 1, 1), (8, 2, 3, 2, 1), (8, 2, 3, 1, 2), (9, 4, 3, 2, 2), (7, 8, 4, 1, 2)]
    settings += [(5, 4, 1, 2, 3), (12, 4, 2, 3, 5), (7, 2, 3, 1, 3), (10, -2, 3, 2, 2)]
    while len(settings) < 16:
        kernel_size, stride, dilation = (source.randint(2, 4) for _ in range(3))
        n = dilation * (kernel_size - 1) + 1 + source.randint(1, 7)
        settings.append((n, source.choice((2, 4, 8)), kernel_size, stride, dilation))
    names = ("n", "step", "kernel_size", "stride", "dilation")
    cases = [Case(dict(zip(names, row, strict=True))) for row in settings]

    def memory(case: Case) -> tuple[int, int, int]:
        n, step = case.arguments["n"], case.arguments["step"]
        return *_reach(0, (n,), (step,), abs(step)), abs(step)

    return _check_plan(answer, _plan, cases, slips, memory)


def _window_plan(
    shape: tuple, strides: tuple, kernel_size: tuple, stride: tuple, dilation: tuple
) -> tuple:
    plans = []
    for axis, (k, s, d) in enumerate(zip(kernel_size, stride, dilation, strict=True), start=-2):
        if d * (k - 1) + 1 > shape[axis]:
            raise ValueError("no window fits")
        plans.append(_plan(shape[axis], strides[axis], k, s, d))
    (counts_h, steps_h), (counts_w, steps_w) = plans
    view_shape = (*shape[:-2], counts_h[0], counts_w[0], counts_h[1], counts_w[1])
    return view_shape, (*strides[:-2], steps_h[0], steps_w[0], steps_h[1], steps_w[1])


def window_plan(answer: Any) -> Report:
    """Exercise 4.4: window_plan(shape, strides, kernel_size, stride, dilation) of (…, H, W)."""

    def change(of: Callable) -> Callable:
        """Return a plan that is right but for `of(shape, strides, arguments)`."""

        def plan(*arguments: tuple) -> tuple:
            return of(*_window_plan(*arguments), arguments)

        return plan

    def swap_roles(*arguments: tuple) -> tuple:
        shape, strides, kernel_size, stride, dilation = arguments
        view_shape = _window_plan(*arguments)[0]
        steps = strides[-2:]
        walk = [
            n * s for factors in (dilation, stride) for n, s in zip(steps, factors, strict=True)
        ]
        return view_shape, (*strides[:-2], *walk)

    def from_shape(*arguments: tuple) -> tuple:
        shape, strides, *settings = arguments
        itemsize = min(abs(value) for value in strides if value)
        return _window_plan(shape, _fresh(shape, itemsize), *settings)

    def interleaved(shape: tuple, strides: tuple, _: tuple) -> tuple:
        order = (*range(len(shape) - 4), -4, -2, -3, -1)
        return tuple(shape[axis] for axis in order), tuple(strides[axis] for axis in order)

    def no_refusal(*arguments: tuple) -> tuple:
        shape, strides, kernel_size, stride, dilation = arguments
        plans = [
            _plan(*row)
            for row in zip(shape[-2:], strides[-2:], kernel_size, stride, dilation, strict=True)
        ]
        counts = (plans[0][0][0], plans[1][0][0], plans[0][0][1], plans[1][0][1])
        walk = (plans[0][1][0], plans[1][1][0], plans[0][1][1], plans[1][1][1])
        return (*shape[:-2], *counts), (*strides[:-2], *walk)

    def no_dilated_count(*arguments: tuple) -> tuple:
        shape, _, kernel_size, stride, _ = arguments
        _, view_strides = _window_plan(*arguments)
        counts = ((n - k) // s + 1 for n, k, s in zip(shape[-2:], kernel_size, stride, strict=True))
        return (*shape[:-2], *counts, *kernel_size), view_strides

    slips = [
        Slip(
            swap_roles,
            "stride and dilation have changed places: h and w walk `stride` cells, k and l walk "
            "`dilation` cells.",
        ),
        Slip(
            from_shape,
            "you compute the strides from the shape. That fits a fresh array; a transposed, "
            "reversed or sliced one has other strides. Multiply the strides that you are given.",
        ),
        Slip(
            change(interleaved),
            "all numbers are right, in the order h, k, w, l. The order asked for is h, w, k, l.",
        ),
        Slip(
            change(lambda shape, strides, _: (shape[-4:], strides[-4:])),
            "only the last four axes are there. The axes before H and W keep their sizes and "
            "strides, and come first.",
        ),
        Slip(
            no_dilated_count,
            "the count of windows ignores the dilation: the last ones would read outside. The "
            "span of the kernel is dilation · (kernel_size - 1) + 1.",
        ),
        Slip(
            change(
                lambda shape, strides, arguments: (
                    shape,
                    (*strides[:-4], *arguments[1][-2:], *strides[-2:]),
                )
            ),
            "the strides of h and w are those of stride 1. Multiply each by its `stride`.",
        ),
        Slip(
            change(lambda shape, strides, arguments: (shape, (*strides[:-2], *arguments[1][-2:]))),
            "the taps of one window are neighbours in your view. Multiply the strides of k and l "
            "by the `dilation`.",
        ),
        Slip(
            change(
                lambda shape, strides, _: (
                    (*shape[:-4], shape[-4] - 1, shape[-3] - 1, *shape[-2:]),
                    strides,
                )
            ),
            "your height and width are one short: count the first window too.",
        ),
        Slip(
            no_refusal,
            "right where a window fits. Where none does, this plan must not exist: raise "
            "ValueError.",
        ),
    ]
    rows = [
        ((6, 6), (12, 2), (3, 3), (1, 1), (1, 1)),
        ((5, 8), (32, 4), (3, 2), (2, 2), (1, 1)),
        ((7, 9), (72, 8), (3, 3), (1, 1), (2, 3)),
        ((2, 3, 8, 10), (960, 320, 40, 4), (3, 3), (2, 2), (1, 1)),
        ((3, 7, 6), (4, 72, 12), (2, 3), (2, 1), (1, 2)),  # channels last in memory
        ((6, 5), (2, 12), (3, 2), (1, 2), (1, 1)),  # a transpose
        ((6, 5), (-20, -4), (2, 2), (2, 1), (1, 2)),  # reversed
        ((4, 5), (0, 4), (3, 3), (1, 1), (1, 1)),  # one row, broadcast
        ((2, 1, 3, 9, 7), (756, 756, 252, 28, 4), (4, 1), (3, 2), (2, 1)),
        ((3, 4), (16, 4), (3, 4), (1, 1), (1, 1)),
        ((3, 6), (24, 4), (4, 2), (1, 1), (1, 1)),  # too high
        ((6, 4), (16, 4), (2, 3), (1, 1), (1, 2)),  # too wide, by its dilation
    ]
    names = ("shape", "strides", "kernel_size", "stride", "dilation")
    cases = [Case(dict(zip(names, row, strict=True))) for row in rows]

    def memory(case: Case) -> tuple[int, int, int]:
        shape, strides = case.arguments["shape"], case.arguments["strides"]
        itemsize = min(abs(value) for value in strides if value)
        return *_reach(0, shape, strides, itemsize), itemsize

    return _check_plan(answer, _window_plan, cases, slips, memory)
