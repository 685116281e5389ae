"""Every exercise of the book passes right answers and tells typical wrong ones what slipped."""

import importlib
import pkgutil
import random
import re
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import convlib.exercises
from convlib.exercises._core import (
    Case,
    Slip,
    array,
    check_function,
    check_value,
    convolution_cases,
)

CHAPTERS = [
    module.name
    for module in pkgutil.iter_modules(convlib.exercises.__path__)
    if not module.name.startswith("_")
]


def checkers(chapter):
    return importlib.import_module(f"convlib.exercises.{chapter}")


@cache
def answers(chapter):
    return runpy.run_path(Path(__file__).parent / "wrong_answers" / f"{chapter}.py")["ANSWERS"]


EXERCISES = [(chapter, name) for chapter in CHAPTERS for name in checkers(chapter).__all__]


def each(kind):
    """List (checker, answer[, fragment]) over all chapters, with readable test names."""
    return [
        pytest.param(chapter, exercise, entry, id=f"{chapter}-{exercise}-{number}")
        for chapter in CHAPTERS
        for exercise, entries in answers(chapter).items()
        for number, entry in enumerate(entries[kind])
    ]


def test_there_are_exercises():
    assert "one_window" in CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_answers(chapter):
    exercises = checkers(chapter).__all__
    assert 3 <= len(exercises) <= 5
    assert sorted(exercises) == sorted(answers(chapter))
    for name in exercises:
        assert re.match(r"Exercise \d+\.\d: ", getattr(checkers(chapter), name).__doc__)
        assert answers(chapter)[name]["right"]
        assert len(answers(chapter)[name]["wrong"]) >= 5


@pytest.mark.parametrize("chapter, exercise, answer", each("right"))
def test_right_answers_pass(chapter, exercise, answer):
    report = getattr(checkers(chapter), exercise)(answer)
    assert report.passed, report
    assert repr(report).startswith("Right. ")


@pytest.mark.parametrize("chapter, exercise, entry", each("wrong"))
def test_wrong_answers_get_the_hint(chapter, exercise, entry):
    answer, fragment = entry
    checker = getattr(checkers(chapter), exercise)
    report = checker(answer)
    assert not report.passed
    assert fragment in report.hint, report
    assert "\n" not in repr(report)
    assert "0x" not in repr(report)
    assert repr(checker(answer)) == repr(report)


@pytest.mark.parametrize("chapter, exercise", EXERCISES)
def test_every_slip_is_made_by_a_wrong_answer(chapter, exercise, monkeypatch):
    """No hint stands in a checker that no reader could ever see."""
    declared = set()

    def recorded(gives, hint):
        declared.add(hint)
        return Slip(gives, hint)

    monkeypatch.setattr(checkers(chapter), "Slip", recorded)
    checker = getattr(checkers(chapter), exercise)
    shown = {checker(answer).hint for answer, _ in answers(chapter)[exercise]["wrong"]}
    assert declared <= shown


@pytest.mark.parametrize("chapter, exercise", EXERCISES)
def test_no_answer_and_broken_answers_never_raise(chapter, exercise):
    checker = getattr(checkers(chapter), exercise)

    def unfinished(*arguments, **settings):
        pass

    def broken(*arguments, **settings):
        raise KeyError("a\nkey")

    for nothing in (None, ...):
        assert "there is no answer so far" in repr(checker(nothing))
    for answer in (unfinished, broken, object(), "text", [1, [2]], {}, np.nan, int, print):
        report = checker(answer)
        assert not report.passed
        assert repr(report).startswith("Not yet")
        assert "\n" not in repr(report)


SQUARE = [Case({"x": np.array([1.0, 2.0, 3.0])}), Case({"x": np.array([4.0])}, {"power": 2})]


def square(x, power=2):
    return x**power


def test_the_first_case_that_differs_is_shown():
    report = check_function(lambda x, power=3: x**power, square, SQUARE)
    assert "(case 1 of 2: x [1 2 3])" in repr(report)
    assert "2 of 3 numbers differ, first at [1]: yours is 8, it must be 4" in report.hint


def test_a_stub_is_not_done_yet():
    report = check_function(lambda x, power=2: None, square, SQUARE)
    assert "returns None" in report.hint
    assert not report
    assert report.cases == 2


def test_the_slip_that_explains_most_wins():
    slips = [
        Slip(lambda x, power=2: x**2 + (x.size > 1), "only the longer array"),
        Slip(lambda x, power=2: x**2 + 1, "one too much"),
    ]
    assert "one too much" in check_function(lambda x, power=2: x**2 + 1, square, SQUARE, slips).hint


def test_a_slip_may_be_an_error():
    def fails(x, power=2):
        raise IndexError("far away")

    slips = [Slip(fails, "reads outside")]
    assert check_function(fails, square, SQUARE, slips).hint == "reads outside"
    assert "raised IndexError: far away" in check_function(fails, square, SQUARE).hint


def test_a_refusal_is_part_of_the_answer():
    def root(x):
        if x < 0:
            raise ValueError("negative")
        return x**0.5

    cases = [Case({"x": 4.0}), Case({"x": -4.0})]
    assert check_function(root, root, cases).passed
    assert "must raise ValueError; it returned" in check_function(lambda x: 2.0, root, cases).hint


def test_dtype_is_compared_on_demand():
    cases = [Case({"x": np.ones(3, np.float32)})]
    wide = lambda x: x.astype(np.float64)  # noqa: E731
    assert check_function(wide, np.copy, cases).passed
    hint = check_function(wide, np.copy, cases, same_dtype=True).hint
    assert "dtype is float64, and must be float32" in hint


def test_several_results_are_told_apart():
    right = lambda x, power=2: (x, x**2)  # noqa: E731
    wrong = lambda x, power=2: (x, x**3)  # noqa: E731
    assert check_function(right, right, SQUARE).passed
    assert "result 2: " in check_function(wrong, right, SQUARE).hint
    assert "must return 2" in check_function(square, right, SQUARE).hint
    assert "returns 1 values" in check_function(lambda x, power=2: (x,), right, SQUARE).hint


@pytest.mark.parametrize(
    "got, hint",
    [
        ((2, 3, 4, 5), "your height is one short: is the last window dropped?"),
        ((2, 3, 6, 5), "your height is one too long"),
        ((2, 3, 5, 4), "your width is one short"),
        ((2, 1, 5, 5), "your number of output channels is 1, and must be 3"),
        ((5, 5, 2, 3), "the axes are in another order"),
        ((2, 3, 5), "has 3 axes, and must have 4 (n, o, h, w)"),
    ],
)
def test_a_wrong_shape_names_the_axis(got, hint):
    cases = [Case({"x": np.ones(1)})]
    right = lambda x: np.ones((2, 3, 5, 5))  # noqa: E731
    assert hint in check_function(lambda x: np.ones(got), right, cases, axes="nohw").hint


def test_values_know_what_they_are_asked_for():
    assert check_value(3, 3).passed
    assert check_value("Same", "same").passed
    assert not check_value(True, 1).passed
    assert "must be a number" in check_value("three", 3).hint
    assert check_value(4, 3, [Slip(lambda v: v > 3, "too many")]).hint == "too many"


def test_convolution_cases_are_the_same_each_time_and_reach_the_difficulties():
    cases = convolution_cases(bias=True, stride=True, padding=True, dilation=True, groups=True)
    again = convolution_cases(bias=True, stride=True, padding=True, dilation=True, groups=True)
    assert [str(case) for case in cases] == [str(case) for case in again]
    for case, other in zip(cases, again):
        np.testing.assert_array_equal(case.arguments["input"], other.arguments["input"])
    shapes = [(case.arguments["input"].shape, case.arguments["weight"].shape) for case in cases]
    assert any(x[0] == 0 for x, _ in shapes)
    assert any(x[2] != x[3] for x, _ in shapes)
    assert any(w[2] % 2 == 0 for _, w in shapes)
    assert any(w[2] != w[3] for _, w in shapes)
    assert any(case.settings["groups"] > 1 for case in cases)
    assert any(
        (x[2] - w[2]) % case.settings["stride"][0]
        for case, (x, w) in zip(cases, shapes)
        if case.settings["padding"] == (0, 0)
    )
    for case in cases:
        outcome, _ = case.call(convlib.conv2d)
        assert outcome.error is None
    assert all(not case.settings for case in convolution_cases())
    for case in convolution_cases(axes=1, stride=True, bias=True):
        outcome, _ = case.call(convlib.conv1d)
        assert outcome.error is None


def test_case_numbers_are_whole_and_never_zero():
    numbers = array(random.Random(0), 40, 5)
    assert numbers.dtype == np.float64
    assert (numbers == numbers.astype(int)).all()
    assert (numbers != 0).all()
    assert np.abs(numbers).max() == 9
