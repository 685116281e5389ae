"""Make the classroom's files from the notebooks: `make classroom`, `make grader`.

The notebooks with their folded solutions are the one source. From them come the student's version
(solutions out, everything else in) and the source of nbgrader's assignments (solutions in regions
that nbgrader takes out, and a graded cell behind each exercise).
"""

from __future__ import annotations

import argparse
import copy
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat

from convlib.exercises import points_for

from address import ROOT
from notebooks import CHAPTERS, KERNELSPEC, LANGUAGE_INFO

KIT = ROOT / "book" / "teach" / "kit"
BUILD = ROOT / "_build"
STUDENTS, GRADER = "convolution-classroom", "convolution-grader"

SOLUTION_TAG = "hide-cell"
HEADING = re.compile(r"^### Exercise (\d+\.\d+): (.+) \((\d+) minutes?\)$", re.M)
CHECK = re.compile(r"check\.(\w+)\((\w+)\)\Z")
IMPORT = re.compile(r"^from convlib\.exercises import (\w+) as check$", re.M)
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
# A link in Markdown, but for pictures.
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
TITLE = re.compile(r"^#+ (.+)$", re.M)
# A heading's text in a link that a browser leaves as it is: no quote, no bracket, ASCII alone.
PLAIN = re.compile(r"[\w\-?'!,.:;]+", re.ASCII)
# What chapter 1 says of the page, and what is not so here.
FOLDED = " Solutions are folded below each exercise."
# Of what a cell says about itself; the rest is the slides' affair, with notes that tell the answers.
KEPT = {"tags", "mystnb"}


class Broken(ValueError):
    """A notebook whose exercises do not have the form that the kit relies on."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a chapter: where its cells are, and how it is checked."""

    number: str  # "1.3"
    title: str
    minutes: int
    chapter: str  # the module of the checkers: "one_window"
    checker: str  # "two_loops"
    variable: str  # what the stub defines: "two_loops"
    stub: int  # index of the cell that the student fills in
    solution: int  # index of the folded cell

    @property
    def points(self) -> int:
        return points_for(self.minutes)

    @property
    def name(self) -> str:
        """What nbgrader calls the pair of cells: '1-3'."""
        return self.number.replace(".", "-")


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def is_solution(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell holds a folded solution: tagged, and ending in the checker's call."""
    tagged = SOLUTION_TAG in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and tagged and bool(CHECK.search(cell.source))


def exercises(notebook: nbformat.NotebookNode) -> list[Exercise]:
    """The exercises of a chapter, in order.

    Each is a heading with its minutes, a cell that ends in `check.name(variable)`, and right after
    it the folded solution, which ends in a call of the same checker.

    Raises
    ------
    Broken
        With the exercise's number and what is missing.
    """
    imported = IMPORT.search("\n".join(c.source for c in notebook.cells if c.cell_type == "code"))
    found: list[Exercise] = []
    heading = None
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            if match := HEADING.search(cell.source):
                if heading:
                    raise Broken(f"exercise {heading[1]} has no cell to fill in")
                heading = match
            continue
        call = CHECK.search(cell.source)
        if is_solution(cell) and not (found and found[-1].solution == index):
            raise Broken(f"a solution without its exercise: {cell.source[:60]!r}")
        if not call or is_solution(cell):
            continue
        if not heading:
            raise Broken(f"a checker is called outside of an exercise: {call[0]}")
        if not imported:
            raise Broken("no line `from convlib.exercises import … as check`")
        number, title, minutes = heading.groups()
        after = notebook.cells[index + 1 : index + 2]
        if not after or not is_solution(after[0]) or CHECK.search(after[0].source)[1] != call[1]:
            raise Broken(f"exercise {number}: the cell after the stub is not its solution")
        found.append(
            Exercise(number, title, int(minutes), imported[1], call[1], call[2], index, index + 1)
        )
        heading = None
    if heading:
        raise Broken(f"exercise {heading[1]} has no cell to fill in")
    return found


@cache
def places(name: str) -> dict[str, tuple[str, str]]:
    """A chapter's headings by the name that the book's links give them.

    Each is JupyterLab's own name for it, its text with dashes for spaces, and the id of its cell.
    """
    found: dict[str, tuple[str, str]] = {}
    for cell in read(ROOT / "notebooks" / name).cells if name else []:
        for title in TITLE.findall(cell.source) if cell.cell_type == "markdown" else []:
            words = title.replace("`", "").replace(" ", "-")
            found.setdefault(re.sub(r"[^\w-]", "", words.lower()), (words, cell.id))
    return found


def place(target: str, name: str) -> str:
    """A link into a chapter, as JupyterLab follows it. `name` is the notebook that holds the link.

    Within a notebook JupyterLab goes by the heading's text. It finds no text that a browser
    encodes, such as a quote, and none in a notebook that has to be opened first; a cell's id it
    finds there too.
    """
    file, _, anchor = target.partition("#")
    words, cell = places(file or name).get(anchor, ("", ""))
    if not words:
        return target
    return f"#{words}" if not file and PLAIN.fullmatch(words) else f"{file or name}#cell-id={cell}"


def relinked(text: str, siblings: bool, name: str = "") -> str:
    """Markdown whose links work away from the book; a link that leads nowhere is left as its words.

    `siblings` says whether the other chapters lie beside this one, whose file is called `name`.
    """

    def mended(match: re.Match) -> str:
        words, target = match.groups()
        if target.startswith(("http:", "https:", "mailto:")):
            return match[0]
        if target.startswith("#") or siblings and "/" not in target.split("#")[0]:
            return f"[{words}]({place(target, name)})"
        module = words.strip("`")
        if siblings and module.startswith("convlib") and (ROOT / module).exists():
            return f"[{words}]({module})"
        return words

    return LINK.sub(mended, text)


def blank(notebook: nbformat.NotebookNode, siblings: bool, name: str = "") -> nbformat.NotebookNode:
    """A copy without outputs, counts and speaker's notes, with links that work elsewhere."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = {"kernelspec": dict(KERNELSPEC), "language_info": dict(LANGUAGE_INFO)}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "markdown":
            cell.source = relinked(cell.source.replace(FOLDED, ""), siblings, name)
    return notebook


def student_version(notebook: nbformat.NotebookNode, name: str = "") -> nbformat.NotebookNode:
    """The chapter without its solutions. All else stays: text, stubs, explorers, checkers.

    `name` is what its file will be called; without it, its links are left as they are.
    """
    gone = {exercise.solution for exercise in exercises(notebook)}
    out = blank(notebook, siblings=True, name=name)
    out.cells = [cell for index, cell in enumerate(out.cells) if index not in gone]
    return out


def nbgrader_cell(name: str, *, points: int | None = None) -> dict:
    """nbgrader's metadata, schema 3: a cell to fill in, or with points a graded one, locked."""
    graded = points is not None
    data = {
        "schema_version": 3,
        "cell_type": "code",
        "grade_id": name,
        "grade": graded,
        "solution": not graded,
        "locked": graded,
        "task": False,
    }
    return data | {"points": points} if graded else data


def with_solution(exercise: Exercise, stub: str, solution: str) -> str:
    """The stub, the solution in nbgrader's region, the checker's call.

    What nbgrader leaves when it takes the region out is the stub of the book.
    """
    head = stub[: CHECK.search(stub).start()].rstrip()
    body = solution[: CHECK.search(solution).start()].rstrip()
    called = CHECK.search(solution)[2]
    if called != exercise.variable:
        body += f"\n{exercise.variable} = {called}"
    # two empty lines behind a function: one here, one that nbgrader puts in the region's place
    gap = "\n" if head.splitlines()[-1].startswith(" ") else ""
    return f"{head}\n{gap}{BEGIN}\n{body}\n{END}\ncheck.{exercise.checker}({exercise.variable})"


def graded_source(exercise: Exercise) -> str:
    """The cell that gives the points. It imports anew: the student may have used these names.

    The checkers are called `check` as in the chapter; by its own name the module `transposed` would
    take the place of exercise 8.3's function.
    """
    points = f"{exercise.points} point{'s' if exercise.points > 1 else ''}"
    return (
        f"# Exercise {exercise.number}: {points}\n"
        f"from convlib.exercises import {exercise.chapter} as check\n"
        "from convlib.exercises import grade\n\n"
        f"grade(check.{exercise.checker}, {exercise.variable}, {exercise.points})"
    )


def assignment(notebook: nbformat.NotebookNode, name: str = "") -> nbformat.NotebookNode:
    """The source of nbgrader's assignment: stub and solution in one cell, a graded cell after it."""
    found = {exercise.stub: exercise for exercise in exercises(notebook)}
    gone = {exercise.solution for exercise in found.values()}
    out = blank(notebook, siblings=False, name=name)
    cells = []
    for index, cell in enumerate(out.cells):
        if index in gone:
            continue
        cells.append(cell)
        if exercise := found.get(index):
            solution = notebook.cells[exercise.solution].source
            cell.source = with_solution(exercise, cell.source, solution)
            cell.metadata["nbgrader"] = nbgrader_cell(f"answer-{exercise.name}")
            graded = nbformat.v4.new_code_cell(graded_source(exercise), id=f"grade-{exercise.name}")
            graded.metadata["nbgrader"] = nbgrader_cell(
                f"grade-{exercise.name}", points=exercise.points
            )
            cells.append(graded)
    out.cells = cells
    nbformat.validate(out)
    return out


def library(target: Path) -> None:
    """Copy convlib, which is pure Python: beside a notebook it needs no installation."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(ROOT / "convlib", target / "convlib", ignore=ignored)
    shutil.copy(ROOT / "LICENSE", target / "LICENSE")


def points_table() -> str:
    """Every exercise with its minutes and points, as a table in Markdown."""
    lines = ["| exercise | minutes | points |", "| --- | ---: | ---: |"]
    for path in CHAPTERS:
        found = exercises(read(path))
        for one in found:
            lines.append(f"| {one.number} {one.title} | {one.minutes} | {one.points} |")
        total = sum(one.minutes for one in found), sum(one.points for one in found)
        lines.append(f"| **{path.stem}** | **{total[0]}** | **{total[1]}** |")
    return "\n".join(lines)


def write_students(target: Path) -> Path:
    """Write what a student gets: notebooks, convlib, requirements, and a README for each side."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in CHAPTERS:
        nbformat.write(student_version(read(path), path.name), target / path.name)
    shutil.copy(KIT / "students.md", target / "README.md")
    shutil.copy(KIT / "requirements.txt", target / "requirements.txt")
    lecturers = (KIT / "lecturers.md").read_text("utf8")
    (target / "LECTURERS.md").write_text(
        lecturers.replace("<!-- points -->", points_table()), "utf8"
    )
    library(target)
    return target


def write_grader(target: Path) -> Path:
    """Write a course folder for nbgrader: a source for each chapter, its settings, convlib."""
    shutil.rmtree(target, ignore_errors=True)
    for path in CHAPTERS:
        folder = target / "source" / path.stem
        folder.mkdir(parents=True)
        nbformat.write(assignment(read(path), path.name), folder / path.name)
    shutil.copy(KIT / "nbgrader_config.py", target)
    shutil.copy(KIT / "grader.md", target / "README.md")
    wanted = (KIT / "requirements.txt").read_text("utf8") + (KIT / "grader.txt").read_text("utf8")
    (target / "requirements.txt").write_text(wanted, "utf8")
    library(target)
    return target


def release_date() -> tuple[int, int, int, int, int, int]:
    """The day of the release, at midnight."""
    words = (ROOT / "CITATION.cff").read_text("utf8")
    year, month, day = re.search(r"^date-released: (\d+)-(\d+)-(\d+)$", words, re.M).groups()
    return int(year), int(month), int(day), 0, 0, 0


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def pack(folder: Path) -> Path:
    """Zip a folder, itself the one entry at the top. The same files give the same bytes."""
    packed, date = folder.with_suffix(".zip"), release_date()  # 1980 without a date
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, date_time=date)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return packed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["students", "grader"])
    what = parser.parse_args().what
    name, write = (STUDENTS, write_students) if what == "students" else (GRADER, write_grader)
    packed = pack(write(BUILD / name))
    final = BUILD / ("classroom.zip" if what == "students" else "grader.zip")
    packed.replace(final)
    shutil.rmtree(BUILD / name)
    count = sum(len(exercises(read(path))) for path in CHAPTERS)
    size = final.stat().st_size / 1e6
    print(f"{final.relative_to(ROOT)}: {len(CHAPTERS)} chapters, {count} exercises, {size:.1f} MB")


if __name__ == "__main__":
    main()
