"""Some exercises ask for what a function gives, without that function: this sees whether it was called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

from ._cases import Case
from ._core import Report

__all__ = ["without"]


def _calls(
    answer: Callable, case: Case, functions: Sequence[Callable], meant: Callable[[dict], bool]
) -> bool:
    """Tell whether a call of the answer comes to one of some functions, under whatever name.

    In this thread: what others compute meanwhile is no one's answer.
    """
    codes, found = [inspect.unwrap(function).__code__ for function in functions], False

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal found
        if event == "call" and frame.f_code in codes and meant(frame.f_locals):
            found = True

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        case.call(answer)
    finally:
        sys.setprofile(before)
    return found


def without(
    report: Report,
    answer: Callable,
    cases: Sequence[Case],
    functions: Sequence[Callable],
    hint: str,
    meant: Callable[[dict], bool] = lambda given: True,
) -> Report:
    """Turn a right answer down if it leaves the work to one of some functions.

    Parameters
    ----------
    report : Report
        What was found so far. A wrong answer has its own hint.
    functions : sequence of callable
        Written in Python, as NumPy's `pad` is. It counts as well if another function calls it.
    hint : str
        What is shown then.
    meant : callable
        Takes the arguments of such a call by name, and says whether it is one to turn down.
    """
    if not report or not any(_calls(answer, case, functions, meant) for case in cases):
        return report
    return replace(report, passed=False, hint=hint)
