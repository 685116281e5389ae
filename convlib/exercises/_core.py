"""The kit that all exercises share: run an answer on cases, compare, find the slip, report.

A checker runs the reader's function on cases and compares with a right one. Where they differ, it
looks for a slip, a typical wrong implementation that gives the same numbers, and shows that slip's
hint. A wrong answer never raises, and the text of a report is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ._cases import Case, Outcome, array, convolution_cases
from ._hints import brief, difference, equal, line

__all__ = [
    "Case",
    "Report",
    "Slip",
    "array",
    "check_function",
    "check_value",
    "convolution_cases",
]


@dataclass(frozen=True)
class Report:
    """What a checker found. In a notebook, its repr is the sentence that the reader sees."""

    passed: bool
    hint: str
    cases: int
    where: str = ""

    def __repr__(self) -> str:
        if self.passed:
            return f"Right. {self.hint}".rstrip()
        return f"Not yet{self.where}: {self.hint}"

    def __bool__(self) -> bool:
        return self.passed


class Slip(NamedTuple):
    """A typical wrong implementation (or, for `check_value`, a typical wrong value)."""

    gives: Any
    hint: str


def _same(one: Outcome, other: Outcome) -> bool:
    """Tell whether two calls ended in the same way. An error is known by its type."""
    if one.error is not None or other.error is not None:
        return type(one.error) is type(other.error)
    if isinstance(other.value, np.ndarray) and not isinstance(one.value, (np.ndarray, np.generic)):
        return False  # a list or a tensor of the same numbers is not an array
    return equal(one.value, other.value)


def check_function(
    answer: Any,
    right: Callable,
    cases: Sequence[Case],
    slips: Sequence[Slip] = (),
    axes: str = "",
    same_dtype: bool = False,
) -> Report:
    """Compare the reader's function with a right one on every case.

    Parameters
    ----------
    answer : callable
        The reader's function. None and a function that returns None are "not done yet".
    right : callable
        Takes the same arguments. Where it raises, the reader's function must raise the same type.
    cases : sequence of Case
        The plain ones first: the first case that differs is the one shown.
    slips : sequence of Slip
        Each a typical wrong function, and the hint shown when the answer gives the same.
    axes : str
        The letters of the result's axes, such as 'nohw', used to name them in hints.
    same_dtype : bool
        Whether the result must have the dtype of the right one.

    Returns
    -------
    Report
    """
    total = len(cases)
    if answer is None or answer is Ellipsis:
        return Report(False, "there is no answer so far.", total)
    if not callable(answer):
        return Report(
            False,
            f"give the function itself, without calling it: got {type(answer).__name__}.",
            total,
        )
    outcomes: list[Outcome] = []
    failures: list[tuple[int, Outcome, Outcome]] = []
    for number, case in enumerate(cases):
        outcome, changed = case.call(answer)
        expected, _ = case.call(right)
        outcomes.append(outcome)
        if outcome.error is None and outcome.value is None and expected.error is None:
            return Report(False, "your function returns None so far.", total)
        if not _same(outcome, expected):
            failures.append((number, outcome, expected))
        elif changed:
            hint = "your function changes the array it was given. Work on a new one."
            return Report(False, hint, total, _where(cases, number))
        elif same_dtype and np.asarray(outcome.value).dtype != np.asarray(expected.value).dtype:
            hint = (
                f"the numbers are right, but their dtype is {np.asarray(outcome.value).dtype}, "
                f"and must be {np.asarray(expected.value).dtype}."
            )
            return Report(False, hint, total, _where(cases, number))
    if not failures:
        return Report(True, f"All {total} cases agree.", total)

    number, outcome, expected = failures[0]
    slip, number_of_slip = _best_slip(slips, cases, outcomes, [f[0] for f in failures])
    if slip is not None:
        return Report(False, slip.hint, total, _where(cases, number_of_slip))
    return Report(False, _ending(outcome, expected, axes), total, _where(cases, number))


def _ending(outcome: Outcome, expected: Outcome, axes: str) -> str:
    """Say in one line how one call ended differently, when no slip explains it."""
    if expected.error is not None:
        kind = type(expected.error).__name__
        if outcome.error is None:
            return f"this call makes no sense, so your function must raise {kind}; it returned."
        return f"this call must raise {kind}, your function raised {line(outcome.error)}"
    if outcome.error is not None:
        return f"your function raised {line(outcome.error)}"
    return difference(outcome.value, expected.value, axes)


def _where(cases: Sequence[Case], number: int) -> str:
    return f" (case {number + 1} of {len(cases)}: {cases[number]})"


def _best_slip(
    slips: Sequence[Slip], cases: Sequence[Case], outcomes: Sequence[Outcome], failed: list[int]
) -> tuple[Slip | None, int]:
    """Return the slip that is most like the answer, and the first failure that it explains.

    A slip that gives the answer's wrong numbers may differ from it where the answer is right, so
    all cases are compared, and a slip must be as near to the answer as the right function is. One
    that explains less than a third of the failures does so by chance.
    """
    best, first = None, -1
    # the right function is like the answer where it did not fail: a slip must be no less so
    best_count = len(cases) - len(failed) - 1
    for slip in slips:
        alike = [
            number
            for number, outcome in enumerate(outcomes)
            if _same(outcome, cases[number].call(slip.gives)[0])
        ]
        explained = [number for number in failed if number in alike]
        if 3 * len(explained) >= len(failed) and len(alike) > best_count:
            best, best_count, first = slip, len(alike), explained[0]
    return best, first


def check_value(
    answer: Any, right: Any, slips: Sequence[Slip] = (), kind: str = "", praise: str = ""
) -> Report:
    """Compare a predicted number, tuple, word or array with the right one.

    Parameters
    ----------
    answer : object
        The reader's prediction. None and ... are "not done yet".
    right : int, float, bool, str, tuple or array
    slips : sequence of Slip
        Each a wrong value and the hint shown for it.
    kind : str
        What is asked for, such as "a tuple of four integers"; shown where the type is wrong.
    praise : str
        What to add when the answer is right.
    """
    if answer is None or answer is Ellipsis:
        return Report(False, "there is no answer so far.", 1)
    if _matches(answer, right):
        return Report(True, praise, 1)
    for slip in slips:
        if _matches(answer, slip.gives):
            return Report(False, slip.hint, 1)
    try:
        got, must = np.asarray(answer), np.asarray(right)
    except ValueError:  # a ragged list
        got, must = np.asarray(None), np.asarray(right)
    numbers = "biufc"
    if (got.dtype.kind in numbers) != (must.dtype.kind in numbers) or got.dtype.kind == "O":
        return Report(False, f"the answer must be {kind or 'a number'}, got {brief(answer)}.", 1)
    if got.shape != must.shape:
        if got.ndim <= 1 and must.ndim == 1:
            return Report(
                False, f"the answer must have {must.size} numbers, got {brief(answer)}.", 1
            )
        return Report(False, f"the answer must have shape {must.shape}, yours has {got.shape}.", 1)
    return Report(False, f"{brief(answer)} is not right.", 1)


def _matches(answer: Any, value: Any) -> bool:
    """Compare with a value, or ask a function of the answer whether this is it."""
    if callable(value):
        try:
            return bool(value(answer))
        except Exception:
            return False
    if isinstance(answer, str) or isinstance(value, str):
        return isinstance(answer, str) and answer.strip().lower() == str(value).lower()
    # True is not the number 1 here
    if isinstance(answer, (bool, np.bool_)) != isinstance(value, (bool, np.bool_)):
        return False
    return equal(answer, value)
