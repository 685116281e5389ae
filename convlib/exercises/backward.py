"""Checkers for chapter 7: what comes back to the input and to the weight."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..convolution import conv2d
from ..grad import conv2d_input, conv2d_weight
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters

__all__ = ["grad_input", "grad_weight", "mended", "shares"]

# (n, i, o) (input size) (kernel size) stride padding: the plain one first
SHAPES = [
    ((1, 1, 1), (5, 5), (3, 3), 1, 0),
    ((1, 1, 1), (4, 6), (2, 3), 1, 0),
    ((1, 2, 3), (5, 4), (3, 2), 1, 0),
    ((3, 2, 2), (4, 5), (2, 2), 1, 0),
    ((1, 1, 1), (7, 7), (3, 3), 2, 0),
    ((2, 3, 2), (6, 8), (3, 3), 2, 0),
    ((1, 2, 1), (8, 7), (2, 1), 3, 0),
    ((1, 1, 1), (4, 5), (3, 3), 1, 1),
    ((2, 2, 3), (6, 5), (3, 2), 2, 1),
    ((1, 1, 2), (5, 4), (4, 3), 3, 2),
    ((0, 2, 1), (4, 4), (3, 3), 1, 0),
]


def shares(answer: Any) -> Report:
    """Exercise 7.1: gradient of a line of 6, kernel 3, stride 2, padding 1, all numbers 1."""
    slips = [
        Slip((1, 1, 2, 1, 1, 0), "that is without padding. The first window begins at pixel -1."),
        Slip((2, 3, 3, 3, 3, 2), "that is with stride 1. How many windows does stride 2 leave?"),
        Slip(
            (1, 2, 1, 2, 1, 0),
            "nothing is left over here: the third window begins at 3. Where does it end?",
        ),
        Slip(
            (1, 1, 1, 1, 1, 1), "neighbouring windows share a pixel, which gets both their shares."
        ),
        Slip(
            (2, 1, 2, 1, 2, 1),
            "the windows begin at -1, 1 and 3. Which pixels do two of them read?",
        ),
        Slip(
            (3, 3, 3, 3, 3, 3), "only pixels that all three windows read would get 3. Is there one?"
        ),
        Slip(
            (1, 1, 2, 1, 2, 1, 1, 0),
            "these are the eight cells of the padded line. Which six are pixels?",
        ),
    ]
    return check_value(answer, (1, 2, 1, 2, 1, 1), slips, "a tuple of six numbers", "Added up.")


def _cases(padding: bool) -> list[tuple]:
    """Draw (input, weight, grad_output, stride, padding) for each shape."""
    source, drawn = random.Random(7), []
    for (n, i, o), size, kernel, s, p in SHAPES:
        if p and not padding:
            continue
        x, w = array(source, n, i, *size), array(source, o, i, *kernel)
        g = array(source, *conv2d(x, w, stride=s, padding=p).shape)
        drawn.append((x, w, g, s, p))
    return drawn


def grad_weight(answer: Any) -> Report:
    """Exercise 7.2: grad_weight(input, weight_size, grad_output, stride)."""

    def right(input: np.ndarray, weight_size: tuple, grad_output: np.ndarray, stride: int) -> Any:
        return conv2d_weight(input, weight_size, grad_output, stride)

    def no_stride(x: np.ndarray, size: tuple, g: np.ndarray, stride: int) -> Any:
        cut = x[:, :, : g.shape[2] + size[2] - 1, : g.shape[3] + size[3] - 1]
        return conv2d_weight(np.ascontiguousarray(cut), size, g)

    def to_the_end(x: np.ndarray, size: tuple, g: np.ndarray, stride: int) -> Any:
        result = np.zeros(size)
        for k, l in np.ndindex(size[2:]):
            read = x[:, :, k::stride, l::stride]
            result[:, :, k, l] = np.einsum("nohw,nihw->oi", g, read)
        return result

    slips = [
        Slip(
            to_the_end,
            "the arrays do not fit. Do your slices run on to the end of the input? A tap reads one "
            "cell for each window, h rows and w columns: where does the last window put it?",
        ),
        Slip(
            no_stride,
            "right for stride 1. With a stride, a tap reads every s-th cell, not neighbours.",
        ),
        Slip(
            lambda x, size, g, s: right(x, size, g, s)[:, :, ::-1, ::-1],
            "your kernel comes out turned by half a circle. The flip belongs to the input's gradient.",
        ),
        Slip(
            lambda x, size, g, s: right(x, size, g, s) / max(len(x), 1),
            "the images' shares are added, and the mean is not taken here.",
        ),
        Slip(
            lambda x, size, g, s: right(x[-1:], size, g[-1:], s),
            "only the last image counts. Add over the batch, with +=.",
        ),
        Slip(
            lambda x, size, g, s: right(x, size, g, s).swapaxes(0, 1),
            "your first two axes are swapped: o comes before i.",
        ),
        Slip(
            lambda x, size, g, s: np.broadcast_to(
                right(x, size, g, s).sum(1, keepdims=True), size
            ).copy(),
            "your input channels are added together. A weight has i, so i is kept.",
        ),
    ]
    cases = [
        Case({"input": x, "weight_size": w.shape, "grad_output": g, "stride": s})
        for x, w, g, s, _ in _cases(padding=False)
    ]
    return check_function(answer, right, with_quarters(cases), slips, "oikl")


def grad_input(answer: Any) -> Report:
    """Exercise 7.3: grad_input(input_size, weight, grad_output, stride, padding)."""

    def right(input_size: tuple, weight: np.ndarray, g: np.ndarray, stride: int, padding: int):
        return conv2d_input(input_size, weight, g, stride, padding)

    def padded(size: tuple, w: np.ndarray, g: np.ndarray, s: int, p: int) -> np.ndarray:
        return right((*size[:2], size[2] + 2 * p, size[3] + 2 * p), w, g, s, 0)

    def short(size: tuple, w: np.ndarray, g: np.ndarray, s: int, p: int) -> np.ndarray:
        reached = [(m - 1) * s + k - 2 * p for m, k in zip(g.shape[2:], w.shape[2:], strict=True)]
        return right(size, w, g, s, p)[:, :, : reached[0], : reached[1]]

    def overwritten(size: tuple, w: np.ndarray, g: np.ndarray, s: int, p: int) -> np.ndarray:
        n, i, height, width = size
        out = np.zeros((n, i, height + 2 * p, width + 2 * p))
        h, v = g.shape[2:]
        for k, l in np.ndindex(w.shape[2:]):
            share = np.einsum("nohw,oi->nihw", g, w[:, :, k, l])
            out[:, :, k : k + (h - 1) * s + 1 : s, l : l + (v - 1) * s + 1 : s] = share
        return out[:, :, p : p + height, p : p + width]

    def no_stride(size: tuple, w: np.ndarray, g: np.ndarray, s: int, p: int) -> np.ndarray:
        n, i, height, width = size
        out = np.zeros((n, i, height + 2 * p, width + 2 * p))
        h, v = g.shape[2:]
        for k, l in np.ndindex(w.shape[2:]):
            share = np.einsum("nohw,oi->nihw", g, w[:, :, k, l])
            out[:, :, k : k + h, l : l + v] += share
        return out[:, :, p : p + height, p : p + width]

    slips = [
        Slip(padded, "your result still has its padding. Cut p cells off at each side."),
        Slip(
            lambda size, w, g, s, p: padded(size, w, g, s, p)[:, :, : size[2], : size[3]],
            "you cut the padding off at the end alone. Pixel 0 lies at p in the padded array.",
        ),
        Slip(
            lambda size, w, g, s, p: padded(size, w, g, s, p)[:, :, p:-p, p:-p],
            "a slice from p to -p is empty where p is 0. Where does it end, counted from the front?",
        ),
        Slip(
            overwritten,
            "each tap overwrites what an earlier tap wrote. Shares are added.",
        ),
        Slip(
            no_stride,
            "right for stride 1. With a stride, neighbours of g land s cells apart.",
        ),
        Slip(
            lambda size, w, g, s, p: right(size, w[:, :, ::-1, ::-1], g, s, p),
            "your kernel is flipped. In a scatter it lies as it is; the flip is for the convolution.",
        ),
        Slip(
            short,
            "your result ends where the last window ends. Cells that no window read get 0.",
        ),
    ]
    cases = [
        Case({"input_size": x.shape, "weight": w, "grad_output": g, "stride": s, "padding": p})
        for x, w, g, s, p in _cases(padding=True)
    ]
    return check_function(answer, right, with_quarters(cases), slips, "nihw")


def mended(answer: Any) -> Report:
    """Exercise 7.4: the input's gradient by conv2d whose channels were not swapped."""

    def right(weight: np.ndarray, grad_output: np.ndarray, padding: int) -> np.ndarray:
        return by(weight[:, :, ::-1, ::-1].swapaxes(0, 1), grad_output, padding)

    def by(turned: np.ndarray, g: np.ndarray, padding: int) -> np.ndarray:
        return conv2d(g, turned, padding=turned.shape[2] - 1 - padding)

    slips = [
        Slip(
            lambda w, g, p: by(w[:, :, ::-1, ::-1], g, p),
            "right for one channel. Which letter is summed now, o or i? Where does conv2d sum?",
        ),
        Slip(
            lambda w, g, p: by(w.swapaxes(0, 1), g, p),
            "the channels are right now, but the kernel lies as it is. It must be turned.",
        ),
        Slip(
            lambda w, g, p: by(w[:, :, ::-1].swapaxes(0, 1), g, p),
            "you turn the rows. The columns too?",
        ),
        Slip(
            lambda w, g, p: by(w[::-1, ::-1, ::-1, ::-1].swapaxes(0, 1), g, p),
            "you turn the channels round as well. They change places, and keep their order.",
        ),
        Slip(
            lambda w, g, p: by(w.T, g, p),
            "a full transpose swaps rows and columns of the kernel too. Swap the channels alone.",
        ),
        Slip(
            lambda w, g, p: conv2d(g, w[:, :, ::-1, ::-1].swapaxes(0, 1), padding=p),
            "the weight is right, the padding is the forward one. Backward it is k - 1 - p.",
        ),
    ]
    source = random.Random(4)
    # n i o, output size, kernel, padding
    shapes = [
        (1, 1, 1, (4, 4), 3, 0),
        (1, 3, 3, (4, 5), 3, 0),
        (2, 2, 2, (5, 4), 3, 1),
        (1, 2, 4, (3, 4), 2, 0),
        (2, 3, 1, (5, 5), 5, 1),
        (1, 3, 3, (4, 3), 1, 0),
        (0, 2, 3, (4, 4), 3, 1),
    ]
    cases = [
        Case(
            {
                "weight": array(source, o, i, k, k),
                "grad_output": array(source, n, o, *size),
                "padding": p,
            }
        )
        for n, i, o, size, k, p in shapes
    ]
    return check_function(answer, right, with_quarters(cases), slips, "nihw")
