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

from ._cases import Case, Outcome, array, convolution_cases, with_quarters
from ._hints import CUT_OFF, NO_NUMBERS, NONE_HERE, brief, difference, equal, line, poorer

__all__ = [
    "Case",
    "Report",
    "Slip",
    "Verdict",
    "array",
    "check_function",
    "check_value",
    "convolution_cases",
    "with_quarters",
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


class Verdict(Exception):
    """Raised by a checker that watched the answer at work; the hint of its slip says it all."""


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
) -> Report:
    """Compare the reader's function with a right one on every case.

    The arguments must be left as they were, an integer must not come out as a float, and an array
    must have no fewer digits than the right one.

    Parameters
    ----------
    answer : callable
        The reader's function. None and a function that always returns None are "not done yet".
    right : callable
        Takes the same arguments. Where it raises, the reader's function must raise the same type.
    cases : sequence of Case
        The plain ones first: the first case that differs is the one shown.
    slips : sequence of Slip
        Each a typical wrong function, and the hint shown when the answer gives the same.
    axes : str
        The letters of the result's axes, such as 'nohw', used to name them in hints.

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
    called = [case.call(answer) for case in cases]
    outcomes = [outcome for outcome, _ in called]
    if all(outcome.is_none for outcome in outcomes):
        return Report(False, "your function returns None so far.", total)
    expected = [case.call(right)[0] for case in cases]
    failed = [at for at, one in enumerate(outcomes) if not _same(one, expected[at])]
    for at, (_, changed) in enumerate(called[: failed[0] if failed else total]):
        if changed:
            hint = f"your function changes the {changed} it was given. Work on a new one."
            return Report(False, hint, total, _where(cases, at))
    if not failed:
        for at, outcome in enumerate(outcomes):
            if hint := poorer(outcome.value, expected[at].value):
                return Report(False, hint, total, _where(cases, at))
        return Report(True, f"All {total} cases agree.", total)

    first = failed[0]
    hint = _in_this_case(cases[first], outcomes[first], expected[first])
    slip, at = (None, 0) if hint else _best_slip(slips, cases, outcomes, failed)
    if slip is not None:
        hint, error = slip.hint, outcomes[at].error
        # another mistake may raise the same error: show what it says
        if error and not expected[at].error and not isinstance(error, Verdict):
            hint += f" (It raised {line(error)})"
        return Report(False, hint, total, _where(cases, at))
    hint = hint or _ending(outcomes[first], expected[first], axes)
    return Report(False, hint, total, _where(cases, first))


def _in_this_case(case: Case, outcome: Outcome, expected: Outcome) -> str:
    """Say what is special about the first case that differs, if that alone explains it."""
    if expected.error is not None:
        return ""
    if outcome.is_none:
        return NONE_HERE
    given = [value for value in case.arguments.values() if isinstance(value, np.ndarray)]
    if isinstance(outcome.error, ValueError) and not all(value.size for value in given):
        return f"{NO_NUMBERS} (It raised {line(outcome.error)})"
    got = outcome.value
    if any((value % 1).any() for value in given) and isinstance(got, np.ndarray):
        return CUT_OFF if got.dtype.kind in "iu" else ""
    return ""


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
    that explains less than a third of the failures does so by chance; where the answer raises,
    one that does not explain them all, for errors are known by their type alone.
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
        told = any(outcomes[number].error is None for number in explained)
        if not told and len(explained) < len(failed):
            continue
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
