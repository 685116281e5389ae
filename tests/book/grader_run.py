"""Hand out, take in, grade and export with the real nbgrader: `make test-grader`.

nbgrader lives in an environment of its own, .venv-nbgrader. The notebooks are run by the kernel of
.venv, so that what is graded is what the book was tested with. Students:

    ada   has everything right
    ben   gives a typical wrong answer everywhere
    cleo  is wrong in one exercise, and right in the others
    dora  hands in the notebook as it came
    eve   has one answer that never ends, and sends a `convlib` whose checkers praise everything
    fay   is right, but her answers print and warn

Every student's points are compared exercise by exercise, and the feedback must hold the hints.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import nbformat
from classroom import BUILD, CHECK, GRADER, Exercise, exercises, read

from address import ROOT
from notebooks import CHAPTERS

WRONG = ROOT / "tests" / "wrong_answers"
FIRST = "01-one-window"
# Without a name of its own for every cell, nbgrader's table of scores is read by this, in its Python.
SCORES = """
import json, sys
from nbgrader.api import Gradebook
found = {}
with Gradebook("sqlite:///gradebook.db", "convolution") as book:
    for assignment in book.assignments:
        for submission in assignment.submissions:
            scores = {g.name: [g.score, g.max_score] for n in submission.notebooks for g in n.grades}
            found.setdefault(assignment.name, {})[submission.student.id] = scores
print(json.dumps(found))
"""
PRAISE = """
class Report:
    passed = True
    def __bool__(self): return True
def grade(checker, answer, points): return points
def __getattr__(name): return lambda answer: Report()
"""


def kernels(folder: Path) -> Path:
    """A place for Jupyter to find `python3` in, which is this Python and not nbgrader's."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(text), "utf8")
    return folder


def answer_cells(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """The cells that a student fills in, by the exercise's name: '1-3'."""
    return {
        cell.metadata.nbgrader.grade_id.removeprefix("answer-"): cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def fill(cell: nbformat.NotebookNode, exercise: Exercise, code: str) -> None:
    """Write an answer where the stub was, the checker's call behind it as the student has it."""
    call = CHECK.search(cell.source)
    cell.source = f"{cell.source[: call.start()]}\n{code}\n{call[0]}"


def right(exercise: Exercise, book: nbformat.NotebookNode) -> str:
    solution = book.cells[exercise.solution].source
    call = CHECK.search(solution)
    named = "" if call[2] == exercise.variable else f"\n{exercise.variable} = {call[2]}"
    return solution[: call.start()].rstrip() + named


def typical(exercise: Exercise, which: int = 0) -> tuple[str, str]:
    """Code that takes a typical wrong answer from the tests, and the hint that it must get."""
    path = WRONG / f"{exercise.chapter}.py"
    hint = runpy.run_path(str(path))["ANSWERS"][exercise.checker]["wrong"][which][1]
    answers = f'runpy.run_path({str(path)!r})["ANSWERS"]'
    code = f'{exercise.variable} = {answers}["{exercise.checker}"]["wrong"][{which}][0]'
    return f"import runpy\n\n{code}", hint


ONE_SHORT = '''
def two_loops(input, weight, bias):
    """A loop that ends one early, as many first answers do."""
    N, I, H, W = input.shape
    O, _, K, L = weight.shape
    output = np.zeros((N, O, H - K, W - L))
    for h in range(H - K):
        for w in range(W - L):
            window = input[:, None, :, h : h + K, w : w + L]
            output[:, :, h, w] = (window * weight).sum((2, 3, 4)) + bias
    return output
'''
ENDLESS = "\ndef two_loops(input, weight, bias):\n    while True:\n        pass\n"
LOUD = """
import sys, warnings
import functools

def loud(function):
    @functools.wraps(function)
    def louder(*arguments, **settings):
        print("here")
        print("there", file=sys.stderr)
        warnings.warn("mind the gap")
        return function(*arguments, **settings)
    return louder
"""


class Course:
    """A course folder in use: the nbgrader commands, and the submissions that are made for it."""

    def __init__(self, folder: Path, nbgrader: Path) -> None:
        self.nbgrader = nbgrader
        with zipfile.ZipFile(BUILD / "grader.zip") as archive:
            archive.extractall(folder)
        self.folder = folder / GRADER
        self.config = (self.folder / "nbgrader_config.py").read_text("utf8")
        assert "c.Execute.timeout = 120" in self.config
        self.environment = {
            **os.environ,
            # nbgrader calls alembic by its name alone
            "PATH": f"{nbgrader.parent}{os.pathsep}{os.environ['PATH']}",
            "JUPYTER_PATH": str(kernels(folder / "jupyter")),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.expected: dict[str, dict[str, dict[str, list[float]]]] = {}
        self.hints: dict[tuple[str, str], list[str]] = {}

    def patience(self, seconds: int) -> None:
        """Set how long one cell may take."""
        text = self.config.replace("timeout = 120", f"timeout = {seconds}")
        (self.folder / "nbgrader_config.py").write_text(text, "utf8")

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [str(self.nbgrader), *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"nbgrader {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def scores(self) -> dict:
        done = subprocess.run(
            [str(self.nbgrader.with_name("python")), "-c", SCORES],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def hand_in(self, student: str, path: Path, codes: dict[str, str], lost: set[str]) -> Path:
        """Fill in a released notebook and put it where nbgrader looks for submissions."""
        notebook = read(self.folder / "release" / path.stem / path.name)
        found = {exercise.name: exercise for exercise in exercises(read(path))}
        cells = answer_cells(notebook)
        assert set(cells) == set(found), f"{path.stem}: {set(cells) ^ set(found)}"
        for name, code in codes.items():
            fill(cells[name], found[name], code)
        target = self.folder / "submitted" / student / path.stem / path.name
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)
        self.expected.setdefault(path.stem, {})[student] = {
            f"grade-{name}": [0 if name in lost else one.points, one.points]
            for name, one in found.items()
        }
        return target.parent


def submissions(course: Course, path: Path, number: int) -> None:
    """Hand in one chapter for every student who does it."""
    book = read(path)
    found = exercises(book)
    solved = {one.name: right(one, book) for one in found}
    wrong = {one.name: typical(one) for one in found}
    everything = set(solved)
    course.hand_in("ada", path, solved, set())
    course.hand_in("ben", path, {name: code for name, (code, _) in wrong.items()}, everything)
    course.hints["ben", path.stem] = [hint for _, hint in wrong.values()]
    one = found[number % len(found)].name
    if path.stem == FIRST:
        one, wrong["1-3"] = "1-3", (ONE_SHORT, "your height and width are one short")
    course.hand_in("cleo", path, {**solved, one: wrong[one][0]}, {one})
    course.hints["cleo", path.stem] = [wrong[one][1]]
    if path.stem != FIRST:
        return
    course.hand_in("dora", path, {}, everything)
    folder = course.hand_in("eve", path, {**solved, "1-3": ENDLESS, "1-2": "shift = 0"}, set())
    course.expected[path.stem]["eve"]["grade-1-3"][0] = 0
    course.expected[path.stem]["eve"]["grade-1-2"][0] = 0
    for name in ("convlib", "convlib/exercises"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(PRAISE, "utf8")
    (folder / "convlib" / "exercises" / "one_window.py").write_text(PRAISE, "utf8")
    loud = dict(solved)
    loud["1-3"] = LOUD + solved["1-3"] + "\ntwo_loops = loud(two_loops)"
    course.hand_in("fay", path, loud, set())


def same_stubs(course: Course, path: Path) -> None:
    """What nbgrader hands out is the book's chapter without solutions, and with graded cells."""
    book = read(path)
    cells = answer_cells(read(course.folder / "release" / path.stem / path.name))
    for one in exercises(book):
        given, stub = cells[one.name].source, book.cells[one.stub].source
        assert given.replace("\n\n", "\n").split() == stub.replace("\n\n", "\n").split(), one.number
        assert "SOLUTION" not in given and "NotImplemented" not in given


def check(course: Course) -> list[str]:
    """Compare points, exported file and feedback with what was handed in; return the differences."""
    faults = []
    scores = course.scores()
    for chapter, students in course.expected.items():
        for student, expected in students.items():
            got = scores.get(chapter, {}).get(student)
            if got != expected:
                faults.append(f"{student} in {chapter}: {got}, expected {expected}")
            page = course.folder / "feedback" / student / chapter / f"{chapter}.html"
            words = " ".join(page.read_text("utf8").replace("&#39;", "'").split())
            for hint in course.hints.get((student, chapter), []):
                if (
                    hint.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                    not in words
                ):
                    faults.append(f"{student} in {chapter}: no hint {hint!r} in the feedback")
    with open(course.folder / "grades.csv", encoding="utf8") as file:
        rows = {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}
    for chapter, students in course.expected.items():
        for student, expected in students.items():
            points = [sum(column) for column in zip(*expected.values())]
            row = rows[chapter, student]
            if [float(row["score"]), float(row["max_score"])] != points:
                faults.append(f"grades.csv: {student} in {chapter}: {row}, expected {points}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nbgrader", type=Path, default=ROOT / ".venv-nbgrader/bin/nbgrader")
    parser.add_argument("--chapters", nargs="*", help="such as 01-one-window; all without it")
    parser.add_argument("--timeout", type=int, default=60, help="seconds for the endless answer")
    parser.add_argument("--keep", type=Path, help="leave the course folder here")
    options = parser.parse_args()
    chosen = [path for path in CHAPTERS if not options.chapters or path.stem in options.chapters]
    with tempfile.TemporaryDirectory() as temporary:
        # absolute, but not resolved: a virtual environment's Python is a link
        nbgrader = Path(os.path.abspath(options.nbgrader))
        course = Course(Path(temporary), nbgrader)
        for number, path in enumerate(chosen):
            started = time.monotonic()
            # One chapter has an answer that never ends; the others may be slow on a busy machine.
            course.patience(options.timeout if path.stem == FIRST else 600)
            course.run("generate_assignment", path.stem)
            same_stubs(course, path)
            submissions(course, path, number)
            course.run("autograde", path.stem)
            course.run("generate_feedback", path.stem)
            spent = time.monotonic() - started
            print(f"{path.stem}: {len(course.expected[path.stem])} submissions, {spent:.0f} s")
        course.run("export")
        faults = check(course)
        if options.keep:
            shutil.copytree(course.folder, options.keep, dirs_exist_ok=True)
    print("\n".join(faults) or "All points, hints and exported grades are as they must be.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
