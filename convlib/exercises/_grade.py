"""From a checker's report to points: what the graded cells of the classroom kit call."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

from ._core import Report

__all__ = ["grade", "points_for"]

MINUTES_A_POINT = 5


def points_for(minutes: int) -> int:
    """Return what an exercise of so many minutes is worth: one point for each five minutes begun.

    Raises
    ------
    ValueError
        For less than one minute.

    Examples
    --------
    >>> [points_for(minutes) for minutes in (1, 5, 10, 30)]
    [1, 1, 2, 6]
    """
    if minutes < 1:
        raise ValueError(f"points_for: an exercise takes at least a minute, got {minutes}.")
    return -(-minutes // MINUTES_A_POINT)


def grade(checker: Callable[[Any], Report], answer: Any, points: int) -> int:
    """Run a checker, print its sentence, and return all the points or none.

    nbgrader reads the points from a cell's value, and takes anything on stderr for a failure. So
    what an answer prints or warns of is dropped here, and only the checker's sentence is printed.

    Parameters
    ----------
    checker : callable
        A checker of `convlib.exercises`, which takes the answer and returns a `Report`.
    answer : object
        The reader's function or prediction.
    points : int
        What a right answer is worth.

    Returns
    -------
    int
        `points` or 0. There are no parts of a point: the hint says what is missing.

    Examples
    --------
    >>> from convlib.exercises import grade, one_window
    >>> grade(one_window.output_shape, (32, 16, 44, 60), 1)
    Right. n, o, h, w.
    1
    >>> grade(one_window.output_shape, (32, 3, 44, 60), 1)
    Not yet: height and width are right. The channels that come out are new ones.
    0
    """
    unheard = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(unheard),
        contextlib.redirect_stderr(unheard),
    ):
        warnings.simplefilter("ignore")
        report = checker(answer)
    print(report)
    return points if report.passed else 0
