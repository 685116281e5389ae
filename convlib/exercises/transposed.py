"""Checkers for chapter 8: stamps, sizes, and the checkerboard."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..convolution import conv2d
from ..transposed import conv_transpose2d
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters

__all__ = ["extra_for", "heights", "mended", "phases", "transposed"]


def heights(answer: Any) -> Report:
    """Exercise 8.1: heights after three transposed layers, from 4."""
    slips = [
        Slip(
            (2, 1, -1), "these are the sizes of convolutions. A transposed layer makes maps larger."
        ),
        Slip((10, 22, 26), "padding is cut off at each side: it makes the output smaller."),
        Slip((8, 15, 17), "output_padding makes the second layer's output one longer."),
        Slip((8, 16, 16), "a kernel of 5 with padding 1 and stride 1 does not keep the size."),
        Slip((8, 16, 20), "the third layer has padding 1, which is cut off at both sides."),
        Slip((10, 22, 25), "the last stamp begins at (n - 1) * s, and not at n * s."),
        Slip((8, 17, 19), "output_padding counts once, at the end, not at each side."),
    ]
    why = "(n-1)s - 2p + k, and the output_padding."
    return check_value(answer, (8, 16, 18), slips, "a tuple of three integers", why)


def extra_for(answer: Any) -> Report:
    """Exercise 8.2: the output_padding with which n becomes m."""

    def right(n: int, m: int, k: int, s: int, p: int) -> int:
        return within(n, m, k, s, p, 0, s - 1)

    def within(n: int, m: int, k: int, s: int, p: int, least: int, most: int) -> int:
        extra = m - ((n - 1) * s - 2 * p + k)
        if not least <= extra <= most:
            raise ValueError
        return extra

    slips = [
        Slip(
            lambda n, m, k, s, p: within(n, m, k, s, p, 0, s),
            "s itself is too much: it must be smaller than the stride, so s - 1 is the largest.",
        ),
        Slip(
            lambda n, m, k, s, p: within(n, m, k, s, p, 1, s - 1),
            "0 is an answer too: then the size without output_padding is the one that is wanted.",
        ),
        Slip(
            lambda n, m, k, s, p: within(n, m, k, s, p, -(10**9), s - 1),
            "an output_padding is never negative: if m is too small for n, your function must raise.",
        ),
        Slip(
            lambda n, m, k, s, p: m - ((n - 1) * s - 2 * p + k),
            "right where there is an answer. Where there is none, your function must raise.",
        ),
        Slip(
            lambda n, m, k, s, p: (m + 2 * p - k) % s,
            "the remainder is the right number only if m is within reach of n. Check that too.",
        ),
        Slip(
            lambda n, m, k, s, p: right(n, m, k, s, -p),
            "padding makes the output smaller: it is subtracted in the size.",
        ),
        Slip(
            lambda n, m, k, s, p: right(n, m, k, s, p) if p == 0 else right(n, m - p, k, s, p),
            "padding is cut off at both sides. Is yours counted once?",
        ),
        Slip(
            lambda n, m, k, s, p: right(n, m - s, k, s, p),
            "the last stamp begins at (n - 1) * s, not at n * s.",
        ),
        Slip(
            lambda n, m, k, s, p: max(0, min(s - 1, m - ((n - 1) * s - 2 * p + k))),
            "forcing the number into its range hides that m can't be reached. Raise ValueError.",
        ),
    ]
    calls = [
        (4, 8, 3, 2, 1),
        (4, 7, 3, 2, 1),
        (4, 8, 4, 2, 1),
        (2, 5, 3, 2, 0),
        (2, 6, 3, 2, 0),
        (5, 15, 3, 3, 1),
        (7, 224, 32, 32, 0),
        (6, 6, 3, 1, 1),
        (1, 2, 1, 4, 0),
        (4, 9, 3, 2, 1),
        (4, 6, 3, 2, 1),
        (6, 7, 3, 1, 1),
        (3, 20, 3, 2, 0),
    ]
    cases = [Case(dict(zip("nmksp", call, strict=True))) for call in calls]
    return check_function(answer, right, cases, slips)


def transposed(answer: Any) -> Report:
    """Exercise 8.3: a transposed convolution by stamps, with stride and padding."""

    def right(x: np.ndarray, w: np.ndarray, stride: int, padding: int) -> np.ndarray:
        return conv_transpose2d(x, w, stride=stride, padding=padding)

    def overwritten(x: np.ndarray, w: np.ndarray, s: int, p: int) -> np.ndarray:
        out = np.zeros_like(right(x, w, s, 0))
        for h, v in np.ndindex(x.shape[2:]):
            stamp = np.tensordot(x[:, :, h, v], w, axes=1)
            rows, columns = slice(h * s, h * s + w.shape[2]), slice(v * s, v * s + w.shape[3])
            out[:, :, rows, columns] = stamp
        return out[:, :, p : out.shape[2] - p, p : out.shape[3] - p]

    def at_input_places(x: np.ndarray, w: np.ndarray, s: int, p: int) -> np.ndarray:
        """Stamps at h and w, in an output with room for h * s and w * s."""
        out, small = np.zeros_like(right(x, w, s, 0)), right(x, w, 1, 0)
        out[:, :, : small.shape[2], : small.shape[3]] = small
        return out[:, :, p : out.shape[2] - p, p : out.shape[3] - p]

    def square(x: np.ndarray, w: np.ndarray, s: int, p: int) -> np.ndarray:
        if w.shape[2] != w.shape[3]:
            raise ValueError("does not fit")
        return right(x, w, s, p)

    slips = [
        Slip(
            square,
            "right for square kernels. A stamp is K rows high and L columns wide: which of the two "
            "do your slices use?",
        ),
        Slip(
            at_input_places,
            "right for stride 1. The size is right, but the stamp of input (h, w) has to begin at "
            "(h * s, w * s).",
        ),
        Slip(
            lambda x, w, s, p: right(x, w, s, 0),
            "right without padding. Padding p cuts p cells off at each side of the output.",
        ),
        Slip(
            lambda x, w, s, p: np.pad(right(x, w, s, 0), ((0, 0), (0, 0), (p, p), (p, p))),
            "your padding makes the output larger. In this layer it is cut off.",
        ),
        Slip(
            lambda x, w, s, p: right(x, w, s, 0)[:, :, p:-p, p:-p],
            "a slice from p to -p is empty where p is 0. Where does it end, counted from the front?",
        ),
        Slip(overwritten, "later stamps overwrite earlier ones. Where they overlap, they add up."),
        Slip(
            lambda x, w, s, p: right(x, w[:, :, ::-1, ::-1], s, p),
            "your kernel is turned. A stamp lies as it is; the turn belongs to the convolution.",
        ),
        Slip(
            lambda x, w, s, p: right(x, w, 1, p),
            "right for stride 1. With stride s, neighbours stamp s cells apart.",
        ),
        Slip(
            lambda x, w, s, p: right(x[:, :1], w[:1], s, p),
            "only the first input channel stamps. All of them add up.",
        ),
        Slip(
            lambda x, w, s, p: right(x, w.swapaxes(0, 1), s, p),
            "you read the weight as (O, C, k, l). Here the input's channels come first.",
        ),
    ]
    source = random.Random(8)
    # (n, C, O) (input size) (kernel size) stride padding
    shapes = [
        ((1, 1, 1), (2, 2), (3, 3), 1, 0),
        ((1, 1, 1), (3, 4), (3, 3), 2, 0),
        ((1, 2, 2), (3, 2), (2, 3), 1, 0),
        ((2, 3, 2), (4, 3), (3, 2), 2, 0),
        ((1, 2, 1), (3, 3), (2, 2), 3, 0),
        ((1, 1, 1), (3, 4), (3, 3), 1, 1),
        ((2, 2, 3), (3, 5), (4, 3), 2, 1),
        ((1, 3, 3), (4, 3), (5, 4), 1, 2),
        ((0, 2, 1), (3, 3), (3, 3), 2, 1),
    ]
    cases = [
        Case(
            {
                "input": array(source, n, c, *size),
                "weight": array(source, c, o, *kernel),
                "stride": s,
                "padding": p,
            }
        )
        for (n, c, o), size, kernel, s, p in shapes
    ]
    return check_function(answer, right, with_quarters(cases), slips, "nohw")


def mended(answer: Any) -> Report:
    """Exercise 8.4: stride one half as a convolution, whose kernel was not turned."""

    def by(x: np.ndarray, kernel: np.ndarray, s: int) -> np.ndarray:
        h, w = x.shape
        k, l = kernel.shape
        spread = np.zeros(((h - 1) * s + 1, (w - 1) * s + 1))
        spread[::s, ::s] = x
        framed = np.pad(spread, ((k - 1, k - 1), (l - 1, l - 1)))
        return conv2d(framed[None], kernel[None, None])[0]

    def right(x: np.ndarray, kernel: np.ndarray, s: int) -> np.ndarray:
        return by(x, kernel[::-1, ::-1], s)

    slips = [
        Slip(by, "right for kernels that look the same turned round. How does a stamp lie?"),
        Slip(lambda x, w, s: by(x, w[::-1], s), "you turn the rows. The columns too?"),
        Slip(lambda x, w, s: by(x, w[:, ::-1], s), "you turn the columns. The rows too?"),
        Slip(
            lambda x, w, s: by(x, w.T, s),
            "you transposed the kernel's two axes. It is the big matrix that is transposed.",
        ),
        Slip(
            lambda x, w, s: by(x[::-1, ::-1], w, s),
            "you turn the input, so the output comes out turned. Turn the kernel instead.",
        ),
        Slip(
            lambda x, w, s: right(x, w, 1),
            "the kernel is right now, but the zeros between the numbers are gone.",
        ),
    ]
    source = random.Random(9)
    sizes = [(3, 3, 3, 3, 2), (2, 4, 2, 3, 2), (3, 2, 4, 4, 2), (2, 2, 3, 2, 3), (4, 3, 1, 2, 1)]
    cases = [
        Case({"x": array(source, h, w), "kernel": array(source, k, l), "s": s})
        for h, w, k, l, s in sizes
    ]
    return check_function(answer, right, with_quarters(cases), slips, "hw")


def phases(answer: Any) -> Report:
    """Exercise 8.5: the sum of a kernel's weights in each phase."""

    def right(kernel: np.ndarray, s: int) -> np.ndarray:
        return np.array([kernel[phase::s].sum() for phase in range(s)])

    def counts(kernel: np.ndarray, s: int) -> np.ndarray:
        return right(np.ones(kernel.shape), s)

    def pieces(kernel: np.ndarray, s: int) -> np.ndarray:
        padded = np.pad(kernel, (0, -kernel.size % s))
        return padded.reshape(s, -1).sum(1)

    slips = [
        Slip(counts, "you count the taps of each phase. Add up their weights."),
        Slip(
            lambda kernel, s: right(kernel[::-1], s),
            "you begin at the last tap. Phase 0 is that of tap 0.",
        ),
        Slip(
            lambda kernel, s: right(kernel, s) / counts(kernel, s),
            "you take the mean of each phase. The stamps are added.",
        ),
        Slip(
            pieces,
            "you cut the kernel into s pieces. The taps of a phase are s apart.",
        ),
        Slip(
            lambda kernel, s: right(kernel[: kernel.size // s * s], s),
            "the last taps are missing where s does not divide the kernel size.",
        ),
        Slip(
            lambda kernel, s: np.full(s, kernel.sum() / s),
            "that is the mean over all phases. Each phase has a sum of its own.",
        ),
    ]
    source = random.Random(10)
    sizes = [(4, 2), (3, 2), (6, 3), (5, 3), (2, 3), (1, 2), (4, 1), (7, 4)]
    cases = [Case({"kernel": array(source, k), "s": s}) for k, s in sizes]
    return check_function(answer, right, with_quarters(cases), slips)
