"""Calls to try a reader's function on: the plain one first, then one difficulty at a time."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Case", "Outcome", "array", "convolution_cases", "with_quarters"]


class Outcome(NamedTuple):
    """What a call returned, or the exception that it raised."""

    value: Any = None
    error: Exception | None = None

    @property
    def is_none(self) -> bool:
        """Whether the call came back with None, as a function without return does."""
        return self.value is None and self.error is None


@dataclass(frozen=True)
class Case:
    """One call: positional arguments by name, in order, and settings passed by keyword."""

    arguments: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)

    def call(self, function: Callable) -> tuple[Outcome, str]:
        """Call on copies. Return the outcome, and the kind of an argument that was changed, or ''."""
        arguments, settings = copy.deepcopy(self.arguments), copy.deepcopy(self.settings)
        try:
            with np.errstate(all="ignore"):
                outcome = Outcome(function(*arguments.values(), **settings))
        except Exception as error:
            outcome = Outcome(error=error)
        given = zip(self.arguments.values(), arguments.values(), strict=True)
        changed = [_kind(was) for was, now in given if not _untouched(was, now)]
        return outcome, changed[0] if changed else ""

    def __str__(self) -> str:
        return ", ".join(
            [f"{name} {_show(value)}" for name, value in self.arguments.items()]
            + [f"{name}={_show(value)}" for name, value in self.settings.items()]
        )


def _kind(value: Any) -> str:
    return "array" if isinstance(value, np.ndarray) else type(value).__name__


def _untouched(was: Any, now: Any) -> bool:
    return np.array_equal(was, now) if isinstance(was, np.ndarray) else bool(was == now)


def _show(value: Any) -> str:
    """Write a small array out; name a larger one by its shape."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.ndim == 1 and 0 < value.size <= 6:
        return "[" + " ".join(f"{number:g}" for number in value) + "]"
    return f"of shape {value.shape}"


def array(source: random.Random, *shape: int) -> np.ndarray:
    """Return whole numbers from -9 to 9 as float64, so that sums are exact and easy to read."""
    count = int(np.prod(shape, dtype=int))
    # never 0: an output that is zero by chance would hide a slip
    numbers = [source.choice((-1, 1)) * source.randint(1, 9) for _ in range(count)]
    return np.array(numbers, dtype=np.float64).reshape(shape)


def with_quarters(cases: list[Case], like: int = 0) -> list[Case]:
    """Return the cases, and one of them again with its arrays divided by 4, as the last one.

    An answer that cuts its numbers to integers is right on all the others. The new sums are exact.
    """
    arguments = {
        name: value / 4 if isinstance(value, np.ndarray) else value
        for name, value in cases[like].arguments.items()
    }
    return [*cases, Case(arguments, cases[like].settings)]


# (batch, in, out) (input size) (kernel size) stride padding dilation groups: the plain one first,
# then one difficulty at a time. Names say what each is there to catch.
PLAIN = ((1, 1, 1), (5, 5), (3, 3), (1, 1), (0, 0), (1, 1), 1)
DIFFICULT = {
    "not square": ((1, 1, 1), (4, 7), (3, 3), (1, 1), (0, 0), (1, 1), 1),
    "kernel not square": ((1, 1, 1), (6, 5), (2, 3), (1, 1), (0, 0), (1, 1), 1),
    "even kernel": ((1, 1, 1), (5, 6), (2, 4), (1, 1), (0, 0), (1, 1), 1),
    "one output": ((2, 1, 2), (3, 4), (3, 4), (1, 1), (0, 0), (1, 1), 1),
    "kernel of one": ((1, 2, 3), (3, 4), (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "channels": ((1, 3, 2), (5, 4), (3, 2), (1, 1), (0, 0), (1, 1), 1),
    "images": ((3, 2, 4), (4, 5), (2, 2), (1, 1), (0, 0), (1, 1), 1),
    "stride": ((1, 1, 1), (7, 7), (3, 3), (2, 2), (0, 0), (1, 1), 1),
    "leftover": ((1, 2, 2), (6, 8), (3, 3), (2, 3), (0, 0), (1, 1), 1),
    "stride above kernel": ((2, 1, 1), (7, 9), (2, 2), (3, 4), (0, 0), (1, 1), 1),
    "padding": ((1, 1, 1), (4, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "padding by axis": ((1, 2, 2), (4, 3), (3, 2), (2, 1), (0, 2), (1, 1), 1),
    "dilation": ((1, 1, 1), (7, 6), (3, 3), (1, 1), (0, 0), (2, 2), 1),
    "dilation by axis": ((2, 2, 1), (6, 8), (2, 3), (1, 2), (0, 0), (1, 3), 1),
    "dilation and padding": ((1, 1, 2), (5, 4), (3, 2), (2, 1), (2, 1), (2, 3), 1),
    "groups": ((1, 4, 4), (4, 5), (3, 3), (1, 1), (0, 0), (1, 1), 2),
    "groups of unequal in and out": ((2, 4, 6), (5, 4), (2, 3), (1, 1), (0, 0), (1, 1), 2),
    "depthwise": ((1, 3, 6), (4, 4), (3, 2), (1, 1), (0, 0), (1, 1), 3),
    "no image": ((0, 2, 3), (5, 4), (3, 3), (1, 1), (0, 0), (1, 1), 1),
}


def convolution_cases(
    axes: int = 2,
    bias: bool = False,
    stride: bool = False,
    padding: bool = False,
    dilation: bool = False,
    groups: bool = False,
    random_cases: int = 4,
    seed: int = 1,
) -> list[Case]:
    """Return calls of a convolution: a plain one, the difficult ones, and a few random ones.

    The last one is the plain one with numbers that are not whole.

    A setting that is not asked for keeps its default and is not passed. With `axes=1` the first
    spatial axis is left out, and settings are single integers.

    Returns
    -------
    list of Case
        `f(input, weight)` or `f(input, weight, bias)`, with settings by keyword. An input has
        shape (n, i, h, w), a weight (o, i / groups, k, l).
    """
    source = random.Random(seed)
    asked = (stride, padding, dilation, groups)
    plain = ((1, 1), (0, 0), (1, 1), 1)
    shapes = [
        row
        for row in (PLAIN, *DIFFICULT.values())
        if all(wanted or row[3 + at] == plain[at] for at, wanted in enumerate(asked))
    ]
    # the batch of no image stays behind them
    shapes[-1:-1] = [_random_shape(source, asked) for _ in range(random_cases)]
    cases = []
    for (n, i, o), size, kernel, s, p, d, g in shapes:
        spatial, taps = size[-axes:], kernel[-axes:]
        arguments = {
            "input": array(source, n, i, *spatial),
            "weight": array(source, o, i // g, *taps),
        }
        if bias:
            arguments["bias"] = array(source, o)
        settings = {
            name: value if axes == 2 else value[-1]
            for name, value, wanted in zip(
                ("stride", "padding", "dilation"), (s, p, d), asked, strict=False
            )
            if wanted
        }
        if groups:
            settings["groups"] = g
        cases.append(Case(arguments, settings))
    return with_quarters(cases)


def _random_shape(source: random.Random, asked: tuple[bool, ...]) -> tuple:
    def pair(low: int, high: int) -> tuple[int, int]:
        return source.randint(low, high), source.randint(low, high)

    s = pair(1, 3) if asked[0] else (1, 1)
    p = pair(0, 2) if asked[1] else (0, 0)
    d = pair(1, 2) if asked[2] else (1, 1)
    g = source.randint(1, 3) if asked[3] else 1
    kernel = pair(1, 3)
    # wide enough for the kernel without its padding
    least = [step * (k - 1) + 1 for k, step in zip(kernel, d, strict=True)]
    size = (least[0] + source.randint(0, 4), least[1] + source.randint(0, 4))
    counts = (source.randint(1, 2), g * source.randint(1, 2), g * source.randint(1, 2))
    return counts, size, kernel, s, p, d, g
