"""Checkers for chapter 2: how often a pixel is read, amounts of padding, and modes."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..convolution import conv1d, conv2d, conv3d
from ..geometry import same_padding
from ..windows import scatter_windows
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters
from ._watch import without

__all__ = ["framed", "reflect", "same_pads", "use_counts", "without_copy"]


def _counts(n: int, k: int, p: int) -> list[int]:
    """How many windows read each cell of a line, its padding included."""
    padded = n + 2 * p
    return scatter_windows(np.ones((padded - k + 1, k), int), padded).tolist()


def use_counts(answer: Any) -> Report:
    """Exercise 2.1: how often each of 6 pixels is read, with kernel size 5 and padding 2."""
    n, k, p = 6, 5, 2
    padded = _counts(n, k, p)
    right = padded[p:-p]
    slips = [
        Slip(
            [k] * n,
            "equal counts need padding k - 1 on each side. Here the first window starts at -2.",
        ),
        Slip([3] + [k] * (n - 2) + [3], "the second pixel too lies outside of some windows."),
        Slip(_counts(n, k, 0), "this is without padding: two windows. With padding 2 there are 6."),
        Slip(
            _counts(n, k, 1)[1:-1],
            "this is padding 1 on each side. PyTorch's padding=2 is 2 cells on each side.",
        ),
        Slip([2] + [3] * (n - 2) + [2], "these are the counts of a kernel of size 3."),
        Slip(padded, "these counts hold for the padded line. Leave out those of the padding."),
        Slip(
            [k - count + 1 for count in right],
            "the middle must be read most, and the border least.",
        ),
        Slip([min(count + 1, k) for count in right], "count again how many windows hold pixel 0."),
    ]
    return check_value(answer, right, slips, "a list of six integers", "The border is read less.")


def same_pads(answer: Any) -> Report:
    """Exercise 2.2: same_pads(kernel_size), the zeros before and after that keep the size."""
    slips = [
        Slip(
            lambda k: (k // 2, k // 2),
            "for an even kernel this is one zero too many: the output grows by one.",
        ),
        Slip(
            lambda k: ((k - 1) // 2, (k - 1) // 2),
            "for an even kernel this is one zero too few: the output shrinks by one.",
        ),
        Slip(
            lambda k: (k // 2, (k - 1) // 2),
            "the total is right. Where it is odd, PyTorch puts the extra zero at the end.",
        ),
        Slip(
            lambda k: (k // 2, k - k // 2),
            "the total is k here, and must be k - 1: a kernel of 1 needs no padding.",
        ),
        Slip(lambda k: (k - 1, 0), "that is causal padding: all of it at the start. Share it out."),
        Slip(lambda k: (0, k - 1), "all of it is at the end. Share it out over both sides."),
        Slip(lambda k: (k - 1, k - 1), "that is full padding. 'same' needs k - 1 in all."),
        Slip(lambda k: k - 1, "this is the total. Return two numbers: before and after."),
    ]
    cases = [Case({"kernel_size": k}) for k in (3, 4, 1, 2, 5, 6, 7, 10)]
    return check_function(answer, same_padding, cases, slips)


def _frame(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return np.pad(image, ((top, bottom), (left, right)))


def framed(answer: Any) -> Report:
    """Exercise 2.3: pad_zeros(image, top, bottom, left, right) that fails for some amounts."""

    def bug(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        output = np.zeros((image.shape[0] + top + bottom, image.shape[1] + left + right))
        output[top:-bottom, left:-right] = image
        return output

    def columns(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        return bug(np.pad(image, ((top, bottom), (0, 0))), 0, image.shape[1], left, right)

    def half_bug(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        output = np.zeros((image.shape[0] + top + bottom, image.shape[1] + left + right))
        output[top : top + image.shape[0], left:-right] = image
        return output

    def empty(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        return _frame(image, top, bottom, left, right) * (bottom > 0) * (right > 0)

    def unpadded(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        return _frame(image, top, bottom, left, right) if bottom and right else image

    slips = [
        Slip(half_bug, "the rows are mended. The slice of the columns has the same slip."),
        Slip(
            bug, "try a slice that ends at -0: -0 is 0, and [1:0] is empty. Where to end instead?"
        ),
        Slip(unpadded, "with 0 on one side the other sides still need their zeros."),
        Slip(empty, "with a 0 at the end every number is 0: is the image written at all?"),
        Slip(
            lambda image, top, bottom, left, right: _frame(image, left, right, top, bottom),
            "rows and columns are swapped: top and bottom are rows of the first axis.",
        ),
        Slip(
            lambda image, top, bottom, left, right: _frame(image, bottom, top, right, left),
            "the amounts before and after are swapped: the image starts at [top, left].",
        ),
        Slip(
            lambda image, top, bottom, left, right: _frame(image, top, top, left, left),
            "the frame is the same on both sides here. Use bottom and right as well.",
        ),
    ]
    source = random.Random(23)
    amounts = [(1, 1, 1, 1), (2, 1, 1, 3), (1, 0, 2, 1), (1, 1, 2, 0), (0, 0, 0, 0), (0, 2, 1, 0)]
    amounts += [(0, 1, 0, 2), (3, 0, 0, 0), (0, 0, 0, 2)]
    names = ("top", "bottom", "left", "right")
    cases = [
        Case({"image": array(source, 3, 4), **dict(zip(names, amount, strict=True))})
        for amount in amounts
    ]
    return check_function(answer, _frame, with_quarters(cases), slips, "hw")


def reflect(answer: Any) -> Report:
    """Exercise 2.4: reflect(signal, before, after), without np.pad, with a refusal."""

    def mode(name: Any) -> Callable:
        def padded(signal: np.ndarray, before: int, after: int) -> np.ndarray:
            return np.pad(signal, (before, after), name)

        return padded

    def right(signal: np.ndarray, before: int, after: int) -> np.ndarray:
        if max(before, after) >= len(signal):
            raise ValueError("not enough to reflect")
        return np.pad(signal, (before, after), "reflect")

    def forwards(signal: np.ndarray, before: int, after: int) -> np.ndarray:
        n = len(signal)
        return np.concatenate((signal[1 : before + 1], signal, signal[n - 1 - after : n - 1]))

    def minus_nothing(signal: np.ndarray, before: int, after: int) -> np.ndarray:
        start = signal[before:0:-1]
        return np.concatenate((start, signal, signal[-2 : -2 - after : -1] if after else signal))

    def swapped(signal: np.ndarray, before: int, after: int) -> np.ndarray:
        return right(signal, after, before)

    slips = [
        Slip(
            mode("symmetric"),
            "your mirror stands behind the last pixel, so the edge appears twice. In 'reflect' "
            "the edge pixel is the mirror: start with its neighbour.",
        ),
        Slip(mode("edge"), "this repeats the edge: mode 'replicate'."),
        Slip(mode("wrap"), "this goes on at the other end: mode 'circular'."),
        Slip(mode("constant"), "this adds zeros. Copy from the signal."),
        Slip(forwards, "the right pixels, in the wrong direction: a mirror turns them round."),
        Slip(swapped, "before and after are swapped."),
        Slip(
            mode("reflect"),
            "right where it can be done. With as many cells asked for as the signal has, raise "
            "ValueError, as PyTorch refuses.",
        ),
        Slip(minus_nothing, "with after=0 nothing may be added: look at what your slice gives."),
    ]
    source = random.Random(24)
    amounts = [(5, 2, 2), (6, 1, 3), (4, 3, 0), (4, 0, 2), (5, 0, 0), (3, 2, 2), (7, 6, 1)]
    amounts += [(2, 1, 1), (3, 3, 1), (4, 1, 4), (1, 0, 0)]
    cases = [
        Case({"signal": array(source, n), "before": before, "after": after})
        for n, before, after in amounts
    ]
    report = check_function(answer, right, with_quarters(cases), slips)
    hint = "the numbers are right, but np.pad has made them. Take the pixels by slices."
    return without(report, answer, cases, (np.pad,), hint)


def _padded_conv(mode: Any = "constant") -> Callable:
    def conv(image: np.ndarray, kernel: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
        padded = np.pad(image, [(p, p) for p in padding], mode)
        return conv2d(padded[None], kernel[None, None])[0]

    return conv


def _copies(answer: Callable) -> bool:
    """Tell whether a call takes as much memory as a padded image, which here is 9 images.

    The image is low and wide, so that a short kernel needs that much padding, and the products are
    few enough for conv2d's plainest way: a larger one would wake Numba, which takes seconds.

    Three times out of three, as other threads of the process may take some meanwhile.
    """
    image, kernel, padding = np.ones((2, 448)), np.ones((17, 1)), (8, 0)
    try:
        peaks = (_peak(lambda: answer(image, kernel, padding)) for _ in range(3))
        return all(peak >= 7 * image.nbytes for peak in peaks)
    except Exception:  # right on the cases, and then not on this one: let it be right
        return False


def _peak(call: Callable[[], Any]) -> int:
    """Bytes that a call takes at its peak, as NumPy reports them."""
    already = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not already:
            tracemalloc.stop()


def without_copy(answer: Any) -> Report:
    """Exercise 2.5: conv2d_taps(image, kernel, padding) that never makes the padded image."""
    right = _padded_conv()

    def shifted(image: np.ndarray, kernel: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
        padded = np.pad(image, [(0, 2 * p) for p in padding])
        return right(padded, kernel, (0, 0))

    def half(image: np.ndarray, kernel: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
        padded = np.pad(image, [(p // 2, p - p // 2) for p in padding])
        return right(padded, kernel, (0, 0))

    def unguarded(image: np.ndarray, kernel: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
        output = np.zeros_like(right(image, kernel, padding))
        (height, width), (top, left) = image.shape, padding
        for k, l in np.ndindex(kernel.shape):
            h0, h1 = max(0, top - k), min(output.shape[0], height + top - k)
            w0, w1 = max(0, left - l), min(output.shape[1], width + left - l)
            part = image[h0 + k - top : h1 + k - top, w0 + l - left : w1 + l - left]
            output[h0:h1, w0:w1] += kernel[k, l] * part
        return output

    slips = [
        Slip(
            unguarded,
            "some taps meet zeros alone. Their range is empty: skip them, before its negative end "
            "is read from the other side.",
        ),
        Slip(
            lambda image, kernel, padding: right(image, kernel, (0, 0)),
            "the padding is ignored: the output must have n + 2p - k + 1 rows.",
        ),
        Slip(
            _padded_conv("wrap"),
            "negative indices of NumPy read from the other end. Cut the range at 0 instead.",
        ),
        Slip(_padded_conv("edge"), "the edge is repeated. Outside of the image there are zeros."),
        Slip(
            lambda image, kernel, padding: right(image, kernel[::-1, ::-1].copy(), padding),
            "the kernel is flipped: tap k reads the row h + k - p, not h - k + p.",
        ),
        Slip(
            lambda image, kernel, padding: right(image, kernel, padding[::-1]),
            "rows and columns have swapped their padding.",
        ),
        Slip(
            lambda image, kernel, padding: right(image, kernel, padding)[:-1, :-1],
            "your height and width are one short: is the last window dropped?",
        ),
        Slip(half, "padding is counted on each side: 2p rows more in all."),
        Slip(shifted, "the output starts p windows too late: tap k reads the row h + k - p."),
    ]
    source = random.Random(25)
    # height, width, kernel height and width, padding of rows and columns
    rows = [(4, 4, 3, 3, 1, 1), (5, 4, 3, 3, 0, 0), (4, 6, 3, 2, 1, 0), (5, 3, 2, 4, 0, 2)]
    rows += [(3, 4, 5, 5, 2, 2), (4, 5, 1, 1, 0, 0), (4, 3, 2, 2, 3, 3), (1, 1, 5, 6, 4, 3)]
    rows += [(2, 3, 6, 1, 4, 1), (6, 2, 3, 3, 2, 1), (3, 5, 3, 5, 0, 4), (1, 4, 6, 2, 3, 0)]
    cases = [
        Case({"image": array(source, h, w), "kernel": array(source, k, l), "padding": (ph, pw)})
        for h, w, k, l, ph, pw in rows
    ]
    report = check_function(answer, right, with_quarters(cases), slips, "hw")
    hint = (
        "the numbers are right, but a convolution of convlib has made them. Add each tap to the "
        "outputs it reaches, straight from the image."
    )
    report = without(report, answer, cases, (conv1d, conv2d, conv3d), hint)
    if report and _copies(answer):
        hint = (
            "the numbers are right, but the call takes the memory of a padded image. Add each tap "
            "to the outputs it reaches, straight from the image."
        )
        return replace(report, passed=False, hint=hint)
    return report
