"""Checkers for chapter 10: launches, memory, time on a device, code for arrays of any library."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..stand_in import Library, Queue, as_cupy
from ._core import Case, Report, Slip, Verdict, array, check_function, check_value

__all__ = ["batch_that_fits", "launches", "mended", "softmax"]


def launches(answer: Any) -> Report:
    """Exercise 10.1: launches of a 5×5 convolution, tap by tap, on an output filled with zeros."""
    slips = [
        Slip(25, "each tap's product has to be added to the output as well."),
        Slip(50, "the output has to be filled with zeros first."),
        Slip(26, "these are the products and the filling. The products have to be added, too."),
        Slip(76, "a slice is a view: nothing is launched for it."),
        Slip(75, "a slice is a view, and launches nothing. Who fills the output with zeros?"),
        Slip(19, "this is the count for 3 × 3. How many taps are there here?"),
        Slip(2, "this would be two taps' worth at most. How many taps are there?"),
        Slip(1, "that would be one program for all of it. NumPy's names have no such thing."),
    ]
    return check_value(answer, 51, slips, "an integer", "One fill, 25 products, 25 sums.")


def batch_that_fits(answer: Any) -> Report:
    """Exercise 10.2: batch_that_fits(memory, image, weight), with all columns in memory."""

    def sizes(image: tuple, weight: tuple) -> tuple[int, int, int, int]:
        (i, H, W), (o, _, k, l) = image, weight
        h, w = H - k + 1, W - l + 1
        return i * H * W, i * k * l * h * w, o * h * w, o * i * k * l

    def right(memory: int, image: tuple, weight: tuple) -> int:
        x, columns, y, fixed = sizes(image, weight)
        return max(0, (memory - 4 * fixed) // (4 * (x + columns + y)))

    def of(choose: Callable[[int, int, int], int], itemsize: int = 4, once: bool = True) -> Any:
        """Fit batches with other parts in each image's share."""

        def fits(memory: int, image: tuple, weight: tuple) -> int:
            x, columns, y, fixed = sizes(image, weight)
            share = choose(x, columns, y) + (0 if once else fixed)
            return max(0, (memory - (itemsize * fixed if once else 0)) // (itemsize * share))

        return fits

    def negative(memory: int, image: tuple, weight: tuple) -> int:
        x, columns, y, fixed = sizes(image, weight)
        return (memory - 4 * fixed) // (4 * (x + columns + y))

    def not_floored(memory: int, image: tuple, weight: tuple) -> float:
        x, columns, y, fixed = sizes(image, weight)
        return max(0, (memory - 4 * fixed) / (4 * (x + columns + y)))

    def no_weight(memory: int, image: tuple, weight: tuple) -> int:
        x, columns, y, _ = sizes(image, weight)
        return memory // (4 * (x + columns + y))

    def one_byte_short(memory: int, image: tuple, weight: tuple) -> int:
        return right(memory - 1, image, weight)

    slips = [
        Slip(
            one_byte_short,
            "one image is missing where it fits exactly. Room that is equal is enough.",
        ),
        Slip(of(lambda x, c, y: x + y), "the columns are missing: they are the largest part."),
        Slip(of(lambda x, c, y: c + y), "the input stays in memory while its windows are copied."),
        Slip(of(lambda x, c, y: x + c), "the output needs room as well."),
        Slip(no_weight, "the weight takes room too, once for the whole batch."),
        Slip(
            of(lambda x, c, y: x + c + y, once=False),
            "the weight is there once, however many images there are.",
        ),
        Slip(of(lambda x, c, y: x + c + y, 1), "memory counts bytes, and a float32 has four."),
        Slip(of(lambda x, c, y: x + c + y, 8), "8 bytes are a float64. These are float32."),
        Slip(not_floored, "there is no half an image: round down."),
        Slip(negative, "where not even the weight fits, no image does: the answer is 0."),
    ]
    rows = [
        (2**20, (3, 32, 32), (8, 3, 3, 3)),
        (2**24, (3, 64, 64), (16, 3, 5, 5)),
        (16 * 2**30, (64, 58, 58), (64, 64, 3, 3)),
        (2**30, (64, 58, 58), (64, 64, 3, 3)),
        (2**30, (512, 9, 9), (512, 512, 3, 3)),
        (8 * 2**20, (256, 16, 14), (256, 256, 3, 2)),
        (12_000_000, (512, 9, 9), (512, 512, 3, 3)),
        (1_000_000, (512, 9, 9), (512, 512, 3, 3)),
        (65_536, (1, 28, 28), (6, 1, 5, 5)),
        (5_592, (1, 8, 8), (2, 1, 3, 3)),  # exactly three
    ]
    cases = [Case({"memory": m, "image": x, "weight": w}) for m, x, w in rows]
    return check_function(answer, right, cases, slips)


def mended(answer: Any) -> Report:
    """Exercise 10.3: mended(run, device), the seconds of one call on a device that works alone."""

    def timed(function: Callable) -> Callable:
        """Let a timer loose on a device that has work waiting, and a run that compiles first."""

        def measure(waiting: float, work: float, compiling: float) -> Any:
            device, calls = Queue(), 0
            device.launch(waiting)

            def run() -> None:
                nonlocal calls
                calls += 1
                if calls == 1:
                    device.compute(compiling)
                device.launch(work)

            return function(run, device)

        return measure

    def timer(warm: bool, before: bool, after: bool) -> Callable:
        def seconds(run: Callable, device: Queue) -> float:
            if warm:
                run()
            if before:
                device.synchronize()
            start = device.now()
            run()
            if after:
                device.synchronize()
            return device.now() - start

        return timed(seconds)

    def both_calls(run: Callable, device: Queue) -> float:
        device.synchronize()
        start = device.now()
        run()
        run()
        device.synchronize()
        return device.now() - start

    slips = [
        Slip(
            timer(True, False, True),
            "the device may still be busy when your clock starts: what it does then is counted.",
        ),
        Slip(
            timer(True, True, False),
            "the clock is stopped as soon as the work was handed over. Has it been done?",
        ),
        Slip(
            timer(False, True, True),
            "the first call compiles. Call it once before the clock starts.",
        ),
        Slip(
            timer(False, False, True),
            "the first call compiles, and the device may be busy: call once, then wait, then start.",
        ),
        Slip(timed(both_calls), "the clock runs during both calls. The first one is the warm-up."),
    ]
    rows = [(0, 2, 0), (0, 3, 7), (5, 2, 0), (4, 1, 3), (1, 6, 0.5), (10, 0.25, 1)]
    cases = [Case({"waiting": a, "work": b, "compiling": c}) for a, b, c in rows]
    given = timed(answer) if callable(answer) else answer
    return check_function(given, timer(True, True, True), cases, slips)


class Fetched(Verdict):
    """Numbers were moved to the CPU on the way."""


class Elsewhere(Verdict):
    """The result does not lie where the input lay."""


class TooMany(Verdict):
    """Far more launches than there are steps."""


def softmax(answer: Any) -> Report:
    """Exercise 10.4: softmax(x) along the last axis, for arrays of NumPy and of CuPy."""

    def right(x: Any) -> Any:
        powers = np.exp(x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def on(function: Callable) -> Callable:
        """Call it on NumPy's arrays, or on those of a stand-in for CuPy, and look what it did."""

        def run(x: np.ndarray, library: str) -> Any:
            if library == "numpy":
                return function(x)
            with as_cupy(Library("cupy")) as there:
                y: Any = function(there.asarray(x))
                if there.fetched:
                    raise Fetched(f"{there.fetched} bytes were fetched")
                if isinstance(y, np.ndarray):
                    raise Elsewhere(f"the result is a {type(y).__name__}")
                if there.launches.total() > 12:
                    raise TooMany(f"{there.launches.total()} launches")
                return y.get() if isinstance(y, there.ndarray) else y

        return run

    def fails(kind: type[Exception]) -> Callable:
        def run(x: np.ndarray, library: str) -> Any:
            if library == "numpy":
                return right(x)
            raise kind

        return run

    def unsafe(x: Any) -> Any:
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    def of_all(x: Any) -> Any:
        powers = np.exp(x - x.max())
        return powers / powers.sum()

    def one_maximum(x: Any) -> Any:
        powers = np.exp(x - x.max())
        return powers / powers.sum(-1, keepdims=True)

    def first_axis(x: Any) -> Any:
        powers = np.exp(x - x.max(0, keepdims=True))
        return powers / powers.sum(0, keepdims=True)

    slips = [
        Slip(
            fails(TypeError),
            "right for NumPy's arrays. Something in it asks for a NumPy array, and CuPy's are none.",
        ),
        Slip(
            fails(Fetched),
            "right, but the numbers are fetched to the CPU on the way. All steps can be done there.",
        ),
        Slip(
            fails(Elsewhere),
            "right for NumPy's arrays. CuPy's go in, so one of CuPy's must come out.",
        ),
        Slip(
            fails(TooMany),
            "right, but with far too many launches: let each step work on the whole array.",
        ),
        Slip(
            on(unsafe),
            "large numbers overflow in exp. Take the largest of each row away first.",
        ),
        Slip(
            on(one_maximum),
            "one row's largest number makes another row's exp 0: take each row's own away.",
        ),
        Slip(on(of_all), "each row has a sum of its own: the last axis, with keepdims."),
        Slip(on(first_axis), "this goes along the first axis. It must be the last one."),
    ]
    source = random.Random(104)
    shapes = [(2, 3), (3, 4), (1, 5), (4, 2, 3), (2, 1), (12, 3)]
    cases = [Case({"x": array(source, *shape) / 4, "library": "numpy"}) for shape in shapes]
    cases += [Case({"x": array(source, 2, 3) * 100, "library": "numpy"})]
    cases += [Case({"x": np.array([[0.0, 1.0], [1000.0, 1001.0]]), "library": "numpy"})]
    cases += [
        Case({"x": array(source, *shape) / 4, "library": "stand-in for cupy"}) for shape in shapes
    ]
    given = on(answer) if callable(answer) else answer
    return check_function(given, on(right), cases, slips)
