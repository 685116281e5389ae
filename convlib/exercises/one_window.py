"""Checkers for chapter 1: what one window computes, and all of them together."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..convolution import conv2d
from ._core import (
    Case,
    Report,
    Slip,
    array,
    check_function,
    check_value,
    convolution_cases,
    with_quarters,
)

__all__ = ["flipped", "mended", "output_shape", "shift_right", "two_loops"]


def output_shape(answer: Any) -> Report:
    """Exercise 1.1: the shape of conv2d of (32, 3, 48, 64) with a weight (16, 3, 5, 5)."""
    n, i, size, o, kernel = 32, 3, (48, 64), 16, 5
    h, w = (side - kernel + 1 for side in size)
    slips = [
        Slip((n, o, *size), "without padding, a 5-wide window has fewer places than pixels."),
        Slip((n, i, h, w), "height and width are right. The channels that come out are new ones."),
        Slip((n, o, h - 1, w - 1), "count the last window too: n - k + 1 places, not n - k."),
        Slip((n, o, h + 1, w + 1), "one too many: the last window must end inside of the image."),
        Slip((n, o * i, h, w), "an output channel reads all the input channels at once."),
        Slip((o, n, h, w), "all four numbers are right. Which one comes first in PyTorch?"),
        Slip((n, o, w, h), "all four numbers are right. Height comes before width."),
        Slip((o, h, w), "the output has a batch axis too: one result for each photograph."),
    ]
    return check_value(answer, (n, o, h, w), slips, "a tuple of four integers", "n, o, h, w.")


def shift_right(answer: Any) -> Report:
    """Exercise 1.2: a 3×3 kernel that moves a picture one pixel to the right."""

    def only(k: int, l: int) -> np.ndarray:
        kernel = np.zeros((3, 3))
        kernel[k, l] = 1
        return kernel

    def blurs(kernel: Any) -> bool:
        kernel = np.asarray(kernel, float)
        return kernel.shape == (3, 3) and bool(np.count_nonzero(kernel) > 1)

    slips = [
        Slip(
            only(1, 2),
            "this moves the picture to the left. For content to go right, each output pixel must "
            "read its neighbour on the left: the kernel is not flipped.",
        ),
        Slip(only(0, 1), "this moves the picture down. Row k comes first, column l second."),
        Slip(only(2, 1), "this moves the picture up. Row k comes first, column l second."),
        Slip(only(1, 1), "this leaves the picture where it is: each output reads its own pixel."),
        Slip(np.zeros((3, 3)), "with zeros alone, every output is 0. One tap must be 1."),
        Slip(blurs, "more than one tap is set, so the output mixes pixels. One 1 is enough."),
    ]
    return check_value(answer, only(1, 0), slips, "a 3 by 3 array of numbers", "One tap is enough.")


def _flat(input: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Height and width swapped in the output."""
    return conv2d(input, weight, bias).swapaxes(2, 3)


def _bias_last(input: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return conv2d(input, weight) + bias


BIAS_LAST = "the bias meets the last axis, w. Give it the axis o: `bias[:, None, None]`."
EARLY = "only the first output is filled: does `return` stand inside of the loop?"


def two_loops(answer: Any) -> Report:
    """Exercise 1.3: conv2d(input, weight, bias) with loops over h and w alone."""

    def last_left_out(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        output = conv2d(x, w, b)
        output[:, :, -1], output[:, :, :, -1] = 0, 0
        # zeros alone tell of no loop that stops early
        return output if output.any() else np.full_like(output, np.nan)

    def pairwise(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        # images and kernels meet one by one, as a product of the two broadcasts them
        n, o = len(x), len(w)
        if n != o and 1 not in (n, o):
            raise ValueError("not broadcast")
        output = np.zeros((n, o, *conv2d(x, w).shape[2:]))
        both = [conv2d(x[j % n][None], w[j % o][None])[0, 0] for j in range(n if o == 1 else o)]
        # (n or o, h, w) fills the axis o of the output, as (n or o,) does at one place
        output[...] = np.stack(both) + b.reshape(-1, 1, 1)
        return output

    def first_place(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        output = np.zeros_like(conv2d(x, w))
        output[:, :, 0, 0] = conv2d(x, w, b)[:, :, 0, 0]
        return output

    slips = [
        Slip(
            lambda x, w, b: conv2d(x, w, b)[:, :, :-1, :-1],
            "your height and width are one short: is the last window dropped?",
        ),
        Slip(
            lambda x, w, b: conv2d(x, w, b)[:, :, :-1],
            "your height is one short: is the last window dropped?",
        ),
        Slip(
            last_left_out,
            "your last row and column are still 0: does the loop reach the last window?",
        ),
        Slip(
            pairwise,
            "each image met one kernel alone. Give n and o an axis each: (n, 1, …) * (o, …).",
        ),
        Slip(lambda x, w, b: conv2d(x, w), "your result is off by the bias. Is it ever added?"),
        Slip(_bias_last, BIAS_LAST),
        Slip(first_place, EARLY),
        Slip(
            lambda x, w, b: conv2d(x, w[:, :, ::-1, ::-1].copy(), b),
            "your kernel is flipped. This is convolution; PyTorch computes correlation.",
        ),
        Slip(
            lambda x, w, b: conv2d(x[:, :1], w[:, :1], b),
            "only the first input channel counts in your result. Sum over i as well.",
        ),
        Slip(_flat, "your height and width are swapped in the result."),
        Slip(
            lambda x, w, b: conv2d(x, w) + w[0].size * b.reshape(-1, 1, 1),
            "your bias is added once for each tap, and must be added once for each window.",
        ),
        Slip(
            lambda x, w, b: conv2d(x, w).sum(axis=1, keepdims=True) + b.reshape(-1, 1, 1),
            "your output channels are added together. Keep o as an axis.",
        ),
    ]
    cases = convolution_cases(bias=True)
    return check_function(answer, conv2d, cases, slips, "nohw")


def mended(answer: Any) -> Report:
    """Exercise 1.4: conv2d by loops whose bias was added once an input channel."""

    def bug(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        return conv2d(x, w) + w.shape[1] * b.reshape(-1, 1, 1)

    def first_number(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray | None:
        output = np.zeros_like(conv2d(x, w))
        for place in np.ndindex(output.shape):
            output[place] = conv2d(x, w, b)[place]
            return output
        return None

    slips = [
        Slip(
            bug,
            "this is right for one input channel, and wrong for more. What is added too often "
            "when i has more than one value?",
        ),
        Slip(lambda x, w, b: conv2d(x, w), "now the bias is missing. It belongs to each output."),
        Slip(
            lambda x, w, b: conv2d(x, w) + w[0].size * b.reshape(-1, 1, 1),
            "now the bias is added once for each tap. It belongs before or after all the sums.",
        ),
        Slip(
            lambda x, w, b: conv2d(x, w) + b.reshape(-1, 1, 1) / w.shape[1],
            "the bias is not shared out over the channels: add all of it, once.",
        ),
        Slip(
            lambda x, w, b: np.broadcast_to(b.reshape(-1, 1, 1), conv2d(x, w).shape),
            "every output is its bias alone. Do later lines overwrite the sum?",
        ),
        Slip(
            lambda x, w, b: conv2d(x[:, -1:], w[:, -1:], b),
            "only the last input channel counts: each channel starts the sum anew.",
        ),
        Slip(_bias_last, BIAS_LAST),
        Slip(first_number, EARLY),
    ]
    return check_function(answer, conv2d, convolution_cases(bias=True), slips, "nohw")


def flipped(answer: Any) -> Report:
    """Exercise 1.5: convolution in the mathematicians' sense, convolve2d(image, kernel)."""

    def correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return conv2d(image[None], np.ascontiguousarray(kernel)[None, None])[0]

    slips = [
        Slip(correlate, "this is correlation: the kernel must be flipped first."),
        Slip(lambda x, w: correlate(x, w[::-1]), "you flipped the rows. The columns too?"),
        Slip(lambda x, w: correlate(x, w[:, ::-1]), "you flipped the columns. The rows too?"),
        Slip(
            lambda x, w: correlate(x, w.T),
            "you transposed the kernel. A flip reverses each axis and leaves its place.",
        ),
        Slip(
            lambda x, w: correlate(x, w)[::-1, ::-1],
            "you flipped the output. That moves the pixels: flip the kernel instead.",
        ),
        Slip(
            lambda x, w: correlate(x[::-1, ::-1], w),
            "you flipped the image. The result then comes out backwards: flip it, or the kernel.",
        ),
    ]
    source = random.Random(5)
    sizes = [(4, 4, 3, 3), (5, 6, 2, 3), (6, 4, 3, 2), (3, 5, 1, 4), (4, 7, 4, 2), (3, 3, 3, 3)]
    cases = [
        Case({"image": array(source, h, w), "kernel": array(source, k, l)}) for h, w, k, l in sizes
    ]

    def right(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return correlate(image, kernel[::-1, ::-1])

    return check_function(answer, right, with_quarters(cases), slips, "hw")
