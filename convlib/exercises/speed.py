"""Checkers for chapter 9: fewer multiplications, the roofline, runs of pixels, Winograd by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..convolution import conv1d, conv2d
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters
from ._watch import without

__all__ = ["fast_filter", "least_seconds", "mended", "times_fewer"]


def times_fewer(answer: Any) -> Report:
    """Exercise 9.1: how many times fewer multiplications F(4,3) takes, along three axes."""
    slips = [
        Slip(2, "this is one axis. The trick is used along all three, one after the other."),
        Slip(4, "this is for two axes. A video has one more."),
        Slip(6, "the savings of the axes multiply, they do not add up."),
        Slip(0.125, "the right number, upside down: how many times *fewer*?"),
        Slip((3 / 2) ** 3, "this is F(2,3), with 4 in place of 6. F(4,3) has 6 in place of 4 · 3."),
        Slip(216, "this is what a tile takes by Winograd. What would the direct sum take?"),
        Slip(1728, "this is what a tile takes directly. Divide by what Winograd takes."),
        Slip(27, "this counts the taps. How many outputs share the multiplications?"),
    ]
    praise = "12 products become 6 along an axis: 2 · 2 · 2."
    return check_value(answer, 8, slips, "a number", praise)


def least_seconds(answer: Any) -> Report:
    """Exercise 9.2: least_seconds(flops, numbers, rate, bandwidth), under the roof."""

    def right(flops: float, numbers: float, rate: float, bandwidth: float) -> float:
        return max(flops / rate, 4 * numbers / bandwidth)

    slips = [
        Slip(
            lambda f, n, r, b: f / r + 4 * n / b,
            "you add the two times. They pass side by side, so the longer one decides.",
        ),
        Slip(
            lambda f, n, r, b: min(f / r, 4 * n / b),
            "both have to be done: the layer is ready when the slower of the two is.",
        ),
        Slip(
            lambda f, n, r, b: f / r,
            "this is the flat roof alone. Some layers wait for the memory.",
        ),
        Slip(
            lambda f, n, r, b: 4 * n / b,
            "this is the slope alone. Some layers wait for the multiplications.",
        ),
        Slip(
            lambda f, n, r, b: max(f / r, n / b),
            "bandwidth counts bytes. How many has a float32?",
        ),
        Slip(
            lambda f, n, r, b: max(f / r, 8 * n / b),
            "8 bytes are a float64. These are float32.",
        ),
        Slip(
            lambda f, n, r, b: max(2 * f / r, 4 * n / b),
            "FLOPs count multiplications and additions already.",
        ),
        Slip(
            lambda f, n, r, b: min(r, b * f / (4 * n)),
            "this is the rate that the roof allows. How many seconds do the FLOPs take at it?",
        ),
    ]
    calls = [
        (2e9, 1e6, 1e11, 1e10),
        (2e6, 1e7, 1e11, 1e10),
        (1e9, 25e6, 1e11, 1e10),
        (3e8, 6e6, 4e10, 2e10),
        (1e12, 3e8, 2e13, 9e11),
        (5e7, 8e7, 2e13, 9e11),
        (4e8, 5e5, 1e11, 1e10),
        (2e9, 5e7, 1.5e11, 1.2e10),
    ]
    names = ("flops", "numbers", "rate", "bandwidth")
    cases = [Case(dict(zip(names, call, strict=True))) for call in calls]
    return check_function(answer, right, cases, slips)


def _flat(
    x: np.ndarray,
    weight: np.ndarray,
    padding: int,
    width: int | None = None,
    end: int | None = None,
) -> np.ndarray:
    """Sum runs of flattened rows, `width` cells from one row to the next."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    o, i, K, L = weight.shape
    h, w = x.shape[1] - K + 1, x.shape[2] - L + 1
    W = x.shape[2] if width is None else width
    run = (h - 1) * W + w
    line = x.reshape(i, -1)
    y = np.zeros((o, h * W))
    for k, l in np.ndindex(K, L):
        y[:, :run] += weight[:, :, k, l] @ line[:, k * W + l : k * W + l + run]
    return y.reshape(o, h, W)[:, :, : w if end is None else end]


def mended(answer: Any) -> Report:
    """Exercise 9.3: mended(x, weight, padding), a convolution of runs of pixels, with padding."""

    def right(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        return conv2d(x, weight, padding=padding)

    def unpadded_width(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        """The suspect: rows follow one another at the distance of rows without padding."""
        return _flat(x, weight, padding, x.shape[2])

    def one_side(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        more = np.pad(x, ((0, 0), (0, padding), (0, padding)))
        return _flat(more, weight, 0)

    def rows_kept(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        """The last step left out: the places between two rows are still there."""
        return _flat(x, weight, padding, end=x.shape[2] + 2 * padding)

    def width_of_one_side(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        return _flat(x, weight, padding, x.shape[2] + padding)

    def turned(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        return right(x, weight[:, :, ::-1, ::-1], padding)

    def whole_rows(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        if weight.shape[2:] != (1, 1):
            raise ValueError("the run ends behind the line")
        return right(x, weight, padding)

    def channels_too(x: np.ndarray, weight: np.ndarray, padding: int) -> np.ndarray:
        if padding:
            raise ValueError("too many channels")
        return right(x, weight, padding)

    slips = [
        Slip(
            whole_rows,
            "the arrays do not fit. Is your run h · W long? The last row has w places alone, so a run "
            "is (h - 1) · W + w long.",
        ),
        Slip(
            channels_too,
            "right without padding. Does `np.pad` add channels too? Give it a pair for each axis: "
            "(0, 0) for i.",
        ),
        Slip(
            unpadded_width,
            "a step of one row along the line is W, the width before the padding. How long is a row "
            "in the line now?",
        ),
        Slip(
            width_of_one_side,
            "the padding stands on both sides of each row.",
        ),
        Slip(
            one_side,
            "zeros stand after each row, and none before it: the picture moves.",
        ),
        Slip(
            rows_kept,
            "the places between two rows belong to no window. Cut them off at the end.",
        ),
        Slip(
            lambda x, weight, padding: right(x, weight, 0),
            "this is the convolution without padding. Is `padding` used?",
        ),
        Slip(turned, "the kernel lies backwards: tap [k, l] begins at k rows and l cells."),
    ]
    source = random.Random(93)
    rows = [
        ((1, 4, 4), (1, 1, 2, 2), 1),
        ((1, 5, 4), (1, 1, 3, 3), 1),
        ((2, 4, 6), (3, 2, 3, 2), 1),
        ((3, 5, 5), (2, 3, 3, 3), 2),
        ((2, 6, 3), (4, 2, 1, 1), 1),
        ((2, 6, 5), (3, 2, 3, 2), 0),
        ((1, 3, 7), (2, 1, 3, 4), 3),
        ((4, 2, 3), (2, 4, 4, 5), 1),
    ]
    cases = [
        Case({"x": array(source, *x), "weight": array(source, *w), "padding": p})
        for x, w, p in rows
    ]
    return check_function(answer, right, with_quarters(cases), slips, "ohw")


def fast_filter(answer: Any) -> Report:
    """Exercise 9.4: fast_filter(x, w), three taps along a signal, by Winograd's F(2,3)."""

    def right(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return np.convolve(x, w[::-1], "valid")

    def pairs(x: np.ndarray, w: np.ndarray, half: float = 2, sign: int = 1) -> np.ndarray:
        """Two outputs for each even start, as far as whole tiles reach."""
        starts = range(0, len(x) - 3, 2)
        found = []
        for s in starts:
            a, b, c, d = x[s : s + 4]
            m1, m4 = (a - c) * w[0], (b - d) * w[2]
            m2 = (b + c) * (w[0] + w[1] + w[2]) / half
            m3 = (c - b) * (w[0] - w[1] + w[2]) / half
            found += [m1 + m2 + m3, m2 - m3 - sign * m4]
        return np.array(found)

    def padded(change: Callable) -> Callable:
        def run(x: np.ndarray, w: np.ndarray) -> np.ndarray:
            n = len(x) - 2
            return change(np.append(x, np.zeros(n % 2)), w)[:n]

        return run

    def one_too_many(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return pairs(np.append(x, np.zeros(len(x) % 2)), w)

    slips = [
        Slip(pairs, "right for an even number of outputs. Of an odd number the last is missing."),
        Slip(
            one_too_many,
            "right for an even number of outputs. Of an odd number, yours has one too many.",
        ),
        Slip(
            padded(lambda x, w: pairs(x, w, half=1)),
            "m2 and m3 are *half* of the sum and half of the difference.",
        ),
        Slip(
            padded(lambda x, w: pairs(x, w, sign=-1)),
            "the second output of each pair is off: which sign has m4?",
        ),
        Slip(
            lambda x, w: np.convolve(x, w, "valid"),
            "this flips the kernel. Tap 0 meets the first of the four pixels.",
        ),
        Slip(
            padded(lambda x, w: pairs(x, w).reshape(-1, 2).T.ravel()),
            "the numbers are right, but all first outputs come before all second ones: the pairs "
            "have to stay together.",
        ),
        Slip(
            lambda x, w: np.convolve(x, w[::-1], "same"),
            "windows hang over both ends of your signal. There are n - 2 outputs.",
        ),
    ]
    source = random.Random(94)
    cases = [
        Case({"x": array(source, n), "w": array(source, 3)}) for n in (4, 6, 10, 5, 3, 9, 17, 24)
    ]
    report = check_function(answer, right, with_quarters(cases), slips, "w")
    hint = (
        "the numbers are right, by three multiplications for each output. Take m1 to m4, and two "
        "outputs of them."
    )
    # the last output of an odd number may be computed in any way
    return without(
        report,
        answer,
        cases,
        (np.convolve, np.correlate, conv1d),
        hint,
        lambda given: max(map(np.size, given.values())) > 3,
    )
