"""Every exercise of the book passes right answers and tells typical wrong ones what slipped."""

import importlib
import pkgutil
import random
import re
import runpy
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import convlib.exercises
from convlib.exercises._core import (
    Case,
    Report,
    Slip,
    Verdict,
    array,
    check_function,
    check_value,
    convolution_cases,
)
from convlib.exercises._watch import without

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
    # what the answer raised may stand behind a hint
    assert [hint for hint in declared if not any(one.startswith(hint) for one in shown)] == []


def spoiled(answer, how):
    """Let a right answer do its work, then spoil its result or its arguments."""

    def run(*arguments, **settings):
        result = answer(*arguments, **settings)
        return how(result, arguments)

    return run


def as_dtype(dtype, seen):
    def how(result, _):
        if isinstance(result, np.ndarray):
            seen.append(result)
            return result.astype(dtype)
        return result

    return how


@pytest.mark.parametrize("chapter, exercise", EXERCISES)
@pytest.mark.parametrize(
    "dtype, fragment", [(int, "right for whole numbers"), (np.float32, "is of float32")]
)
def test_an_array_with_too_few_digits_is_noticed(chapter, exercise, dtype, fragment):
    """An array filled with integers, or with float32, is right on small whole numbers."""
    seen = []
    answer = answers(chapter)[exercise]["right"][0]
    if not callable(answer):
        return
    report = getattr(checkers(chapter), exercise)(spoiled(answer, as_dtype(dtype, seen)))
    if seen:
        assert not report.passed
        # of softmax nearly every number is cut to 0; CuPy's stand-in has no float32 to compare
        assert fragment in report.hint or exercise == "softmax", report


@pytest.mark.parametrize("chapter, exercise", EXERCISES)
def test_an_answer_leaves_its_arguments_alone(chapter, exercise):
    changed = set()

    def how(result, arguments):
        for value in arguments:
            if isinstance(value, np.ndarray) and value.size:
                value += 1
                changed.add("array")
            if isinstance(value, list):
                value.append(value)
                changed.add("list")
        return result

    answer = answers(chapter)[exercise]["right"][0]
    if not callable(answer):
        return
    report = getattr(checkers(chapter), exercise)(spoiled(answer, how))
    if changed:
        assert f"changes the {changed.pop()} it was given" in report.hint, report
    else:
        assert report.passed


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
    hint = "reads outside (It raised IndexError: far away)"
    assert check_function(fails, square, SQUARE, slips).hint == hint
    assert "raised IndexError: far away" in check_function(fails, square, SQUARE).hint


def test_a_slip_that_raises_explains_every_failure_or_none():
    """Errors are known by their type alone, so half of them may have another cause."""

    def fails(x, power=2):
        raise ValueError("mine")

    def slips_once(x, power=2):
        if x.size == 1:
            raise ValueError("its own")
        return x**power

    hint = check_function(fails, square, SQUARE, [Slip(slips_once, "one number")]).hint
    assert hint == "your function raised ValueError: mine"


def test_what_a_checker_raises_itself_is_not_shown():
    class Watched(Verdict):
        pass

    def fails(x, power=2):
        raise Watched("a count")

    assert check_function(fails, square, SQUARE, [Slip(fails, "too often")]).hint == "too often"


def test_none_in_one_case_is_a_path_without_return():
    report = check_function(lambda x, power=3: x**2 if x.size > 1 else None, square, SQUARE)
    assert "case 2 of 2" in report.where
    assert "is there a path without return" in report.hint
    report = check_function(lambda x, power=3: x**2 if x.size == 1 else None, square, SQUARE)
    assert "case 1 of 2" in report.where


def test_an_array_without_numbers_has_a_hint_of_its_own():
    cases = [Case({"x": np.ones((2, 3))}), Case({"x": np.ones((0, 3))})]
    report = check_function(lambda x: x.reshape(len(x), -1), np.copy, cases)
    assert "can't work out what -1 stands for" in report.hint
    assert "(It raised ValueError: cannot reshape array of size 0" in report.hint


def test_a_count_must_be_an_integer():
    cases = [Case({"x": 4}), Case({"x": 6})]
    right = lambda x: (x // 2, x)  # noqa: E731
    assert "some are floats" in check_function(lambda x: (x / 2, x), right, cases).hint
    assert check_function(lambda x: [np.int64(x // 2), x], right, cases).passed
    assert check_function(lambda x: x / 2, lambda x: x * 0.5, cases).passed


def test_a_list_must_be_left_as_it_was():
    cases = [Case({"x": [1, 2]})]
    assert "changes the list" in check_function(lambda x: x.pop(), lambda x: 2, cases).hint


def test_a_refusal_is_part_of_the_answer():
    def root(x):
        if x < 0:
            raise ValueError("negative")
        return x**0.5

    cases = [Case({"x": 4.0}), Case({"x": -4.0})]
    assert check_function(root, root, cases).passed
    assert "must raise ValueError; it returned" in check_function(lambda x: 2.0, root, cases).hint


def test_an_array_must_not_lose_digits():
    cases = [Case({"x": np.ones(3)}), Case({"x": np.ones(3) / 4})]
    assert check_function(np.longdouble, np.copy, cases).passed
    hint = check_function(np.float32, np.copy, cases).hint
    assert "is of float32, which keeps fewer digits than the float64" in hint
    assert "dtype is complex128" in check_function(np.complex128, np.copy, cases).hint
    assert "right for whole numbers" in check_function(np.int64, np.copy, cases).hint
    # the other way round is no loss: the book's own solutions fill arrays of float64
    cases = [Case({"x": np.ones(3, np.float32)})]
    assert check_function(np.float64, np.copy, cases).passed


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


def test_a_function_is_known_under_any_name_and_profilers_stay():
    """A right answer that leaves the work to it is turned down; what watched before watches again."""
    cases = [Case({"x": np.ones(3)}), Case({"x": np.zeros(0)})]
    report, other_name, seen = Report(True, "All 2 cases agree.", 2), np.pad, []

    def watch(frame, event, _):
        seen.append(event)

    def pads(x):
        return other_name(x, 1) if x.size else x

    sys.setprofile(watch)
    try:
        turned_down = without(report, pads, cases, (np.pad,), "without np.pad, please.")
        assert sys.getprofile() is watch
    finally:
        sys.setprofile(None)
    assert (turned_down.passed, turned_down.hint) == (False, "without np.pad, please.")
    assert not without(report, pads, cases[::-1], (np.pad,), "").passed  # in any case
    assert without(report, pads, cases[1:], (np.pad,), "") is report  # where it is not called
    assert without(report, pads, cases, (np.pad,), "", lambda given: "reflect" in given) is report
    assert without(report, lambda x: x / [], cases, (np.pad,), "") is report
    wrong = Report(False, "this adds zeros.", 2)
    assert without(wrong, pads, cases, (np.pad,), "") is wrong
