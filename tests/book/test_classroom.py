"""The classroom's files: solutions are out, all else is in, and points are lost where they must be."""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import io
import re
import runpy
import sys
import warnings
import zipfile
from datetime import date
from functools import cache
from urllib.parse import quote

import nbformat
import pytest
from classroom import (
    BEGIN,
    END,
    FOLDED,
    GRADER,
    KIT,
    LINK,
    STUDENTS,
    Broken,
    assignment,
    exercises,
    graded_source,
    pack,
    places,
    points_table,
    read,
    release_date,
    relinked,
    student_version,
    write_grader,
    write_students,
)

from convlib.exercises import Report, grade, points_for

from address import ROOT
from notebooks import CHAPTERS

EXERCISES = [(path, one) for path in CHAPTERS for one in exercises(read(path))]


def named(values):
    return [pytest.param(path, one, id=one.number) for path, one in values]


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    return request.param


@cache
def answers(chapter):
    return runpy.run_path(str(ROOT / "tests" / "wrong_answers" / f"{chapter}.py"))["ANSWERS"]


def sources(notebook):
    return [cell.source for cell in notebook.cells]


# What the kit relies on in the notebooks.


def test_every_heading_is_an_exercise_of_the_kit(path):
    """Headings, checkers and the cells that are found agree; numbers go up from 1."""
    notebook = read(path)
    found = exercises(notebook)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ Exercise (\S+):", text, re.M)
    assert headings == [one.number for one in found]
    assert headings == [f"{int(path.stem[:2])}.{n}" for n in range(1, len(found) + 1)]
    module = importlib.import_module(f"convlib.exercises.{found[0].chapter}")
    assert sorted(one.checker for one in found) == sorted(module.__all__)
    for one in found:
        assert getattr(module, one.checker).__doc__.startswith(f"Exercise {one.number}: ")


def test_every_folded_solution_belongs_to_an_exercise(path):
    """A folded cell that is no solution would stay in the students' version: say so here."""
    notebook = read(path)
    folded = [i for i, c in enumerate(notebook.cells) if "hide-cell" in c.metadata.get("tags", [])]
    assert folded == [one.solution for one in exercises(notebook)]


def broken_notebooks():
    """A chapter with one thing wrong each, and what must be said of it."""
    notebook = read(CHAPTERS[0])
    first, second = exercises(notebook)[:2]

    def without(index):
        out = copy.deepcopy(notebook)
        del out.cells[index]
        return out

    unfolded = copy.deepcopy(notebook)
    unfolded.cells[first.solution].metadata["tags"] = []
    another = copy.deepcopy(notebook)
    call = f"check.{second.checker}(solution)"
    another.cells[first.solution].source = f"solution = 1\n{call}"
    return [
        (without(first.solution), "exercise 1.1: the cell after the stub is not its solution"),
        (without(first.stub), "a solution without its exercise"),
        (without(second.stub - 1), "a checker is called outside of an exercise"),
        (unfolded, "exercise 1.1: the cell after the stub is not its solution"),
        (another, "exercise 1.1: the cell after the stub is not its solution"),
    ]


@pytest.mark.parametrize("notebook, words", broken_notebooks())
def test_a_broken_exercise_is_named(notebook, words):
    with pytest.raises(Broken, match=re.escape(words)):
        exercises(notebook)


# The students' version.


def test_the_students_version_is_the_chapter_without_solutions(path):
    """Cell by cell: the same code, the same words but for links, no outputs, no solution."""
    notebook = read(path)
    student = student_version(notebook)
    gone = {one.solution for one in exercises(notebook)}
    kept = [cell for index, cell in enumerate(notebook.cells) if index not in gone]
    assert len(student.cells) == len(notebook.cells) - len(gone)
    for ours, theirs in zip(student.cells, kept):
        assert ours.cell_type == theirs.cell_type
        if ours.cell_type == "code":
            assert ours.source == theirs.source
            assert ours.outputs == [] and ours.execution_count is None
        else:
            bare = LINK.sub(r"\1", theirs.source).replace(FOLDED, "")
            assert LINK.sub(r"\1", ours.source) == bare
        assert set(ours.metadata) <= {"tags", "mystnb"}  # no notes for the speaker
    nbformat.validate(student)


def telling(source):
    """The lines of a solution that would give it away: more than a name or a word in them."""
    lines = (line.split("#")[0].strip() for line in source.splitlines())
    return [line for line in lines if len(line) > 12 and not line.startswith(("def ", "check."))]


def test_no_line_of_a_solution_is_left(path):
    """Neither in the students' version nor in a released assignment; but what the chapter shows."""
    notebook = read(path)
    found = exercises(notebook)
    shown = "\n".join(
        cell.source
        for index, cell in enumerate(notebook.cells)
        if index not in {one.solution for one in found}
    )
    released = "\n".join(cleared(source) for source in sources(assignment(notebook)))
    student = "\n".join(sources(student_version(notebook)))
    telltale = [
        line
        for one in found
        for line in telling(notebook.cells[one.solution].source)
        if line not in shown
    ]
    assert len(telltale) >= len(found)
    assert [line for line in telltale if line in student or line in released] == []
    assert "olutions are folded" not in student


def test_a_solution_that_is_left_would_be_noticed():
    notebook = read(CHAPTERS[0])
    one = exercises(notebook)[2]
    lines = telling(notebook.cells[one.solution].source)
    assert "products = window[:, None] * weight" in lines


def test_links_work_away_from_the_book():
    text = (
        "[chapter 3](03-strides.ipynb#the-formula), [above](#here), [names](../book/api.md#x), "
        "[`convlib/padding.py`](../book/api.md#padding-padding), ![a](b.png), "
        "[PyTorch](https://example.org/a)"
    )
    assert relinked(text, siblings=True) == (
        "[chapter 3](03-strides.ipynb#the-formula), [above](#here), names, "  # no such headings
        "[`convlib/padding.py`](convlib/padding.py), ![a](b.png), [PyTorch](https://example.org/a)"
    )
    assert relinked(text, siblings=False) == (
        "chapter 3, [above](#here), names, `convlib/padding.py`, ![a](b.png), "
        "[PyTorch](https://example.org/a)"
    )


@pytest.fixture(scope="module")
def student_folder(tmp_path_factory):
    return write_students(tmp_path_factory.mktemp("students") / STUDENTS)


@pytest.fixture(scope="module")
def grader_folder(tmp_path_factory):
    return write_grader(tmp_path_factory.mktemp("grader") / GRADER)


def links_of(path):
    text = "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")
    return [target for _, target in LINK.findall(text) if not target.startswith("http")]


def test_links_of_the_archive_lead_to_files_in_it(student_folder):
    for path in sorted(student_folder.glob("*.ipynb")):
        for target in links_of(path):
            if not target.startswith("#"):
                assert (student_folder / target.split("#")[0]).exists(), (path.name, target)


def lead_somewhere(path):
    """Count a notebook's links to headings; each is one that JupyterLab follows.

    JupyterLab 4 calls a heading by its text with dashes for spaces, and compares with the link as the
    browser has it, so nothing in it may be percent-encoded. A cell it finds by its id.
    """
    texts = {
        words.replace("`", "").replace(" ", "-")
        for cell in read(path).cells
        if cell.cell_type == "markdown"
        for words in re.findall("^#+ (.+)$", cell.source, re.M)
    }
    count = 0
    for target in links_of(path):
        file, sign, anchor = target.partition("#")
        if not file:
            assert anchor in texts, (path.name, target)
            assert quote(anchor, safe="'!,.:;?") == anchor
        elif sign:
            name, _, cell_id = anchor.partition("=")
            cells = {cell.id: cell for cell in read(path.parent / file).cells}
            assert name == "cell-id" and cells[cell_id].source.startswith("#"), (path.name, target)
        count += bool(sign)
    return count


def test_links_lead_to_headings_as_jupyterlab_names_them(student_folder):
    assert sum(lead_somewhere(path) for path in sorted(student_folder.glob("*.ipynb"))) > 50


def test_links_of_the_assignments_lead_to_headings_too(grader_folder):
    assert sum(lead_somewhere(path) for path in sorted(grader_folder.glob("source/*/*.ipynb"))) > 40


def test_a_heading_with_a_quote_is_found_by_its_cell():
    words, cell = places("02-padding.ipynb")["the-odd-pixel-of-same"]
    assert words == 'The-odd-pixel-of-"same"'
    text = "[a](#the-odd-pixel-of-same), [b](#a-frame-of-zeros)"
    assert relinked(text, siblings=False, name="02-padding.ipynb") == (
        f"[a](02-padding.ipynb#cell-id={cell}), [b](#A-frame-of-zeros)"
    )
    title = places("08-transposed.ipynb")["what-output_padding-pads"][0]
    assert title == "What-output_padding-pads"


def test_the_archive_holds_all_that_a_student_needs(student_folder):
    names = {path.relative_to(student_folder).as_posix() for path in student_folder.rglob("*")}
    assert {path.name for path in CHAPTERS} <= names
    assert {"README.md", "LECTURERS.md", "LICENSE", "requirements.txt"} <= names
    for path in (ROOT / "convlib").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            assert path.relative_to(ROOT).as_posix() in names
    assert not [name for name in names if "__pycache__" in name or "/." in name]
    assert "<!--" not in (student_folder / "LECTURERS.md").read_text("utf8")


def test_the_archives_are_the_same_each_time(student_folder, tmp_path):
    """One folder at the top, and the same bytes for the same files."""
    other = write_students(tmp_path / STUDENTS)
    one, two = pack(student_folder), pack(other)
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size < 1e6, "book/teach/kit.md says: below 1 MB"
    with zipfile.ZipFile(one) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {STUDENTS}
        # the day of the release: a file without a date is one of 1980
        assert {entry.date_time for entry in archive.infolist()} == {release_date()}
    assert f"date-released: {date(*release_date()[:3])}" in (ROOT / "CITATION.cff").read_text()


def test_requirements_name_what_the_notebooks_import():
    """Every package that a chapter imports is in the students' requirements; the checkers need no more."""
    wanted = {re.match(r"[\w-]+", line).group() for line in lines_of(KIT / "requirements.txt")}
    module = {"scikit-learn": "sklearn"}
    # CuPy is for those who have a GPU: chapter 10 runs without it.
    there = {module.get(name, name) for name in wanted} | {"convlib", "cupy"}
    there |= set(sys.stdlib_module_names)
    for path in CHAPTERS:
        for cell in read(path).cells:
            if cell.cell_type == "code" and "%pip" not in cell.source:
                for node in ast.walk(ast.parse(cell.source)):
                    names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                    names += [node.module] if isinstance(node, ast.ImportFrom) else []
                    assert {name.split(".")[0] for name in names} <= there, path.stem


def lines_of(path):
    lines = (line.split("#")[0].strip() for line in path.read_text("utf8").splitlines())
    return [line for line in lines if line]


# The assignments of nbgrader.


def cleared(source):
    """What nbgrader leaves of a cell: the region of the solution becomes one empty line."""
    return re.sub(rf"^{BEGIN}\n.*?^{END}$", "", source, flags=re.S | re.M)


def marked(notebook):
    return [cell for cell in notebook.cells if "nbgrader" in cell.metadata]


def test_every_exercise_has_an_answer_and_a_graded_cell(path):
    """In pairs, in order, with names of their own; the graded one is locked and has the points."""
    notebook = read(path)
    found = exercises(notebook)
    cells = marked(assignment(notebook))
    assert len(cells) == 2 * len(found)
    names = [cell.metadata.nbgrader.grade_id for cell in cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) for name in names)
    for one, answer, graded in zip(found, cells[::2], cells[1::2]):
        a, g = answer.metadata.nbgrader, graded.metadata.nbgrader
        assert (a.grade_id, a.solution, a.grade, a.locked) == (f"answer-{one.name}", 1, 0, 0)
        assert (g.grade_id, g.solution, g.grade, g.locked) == (f"grade-{one.name}", 0, 1, 1)
        assert g.points == one.points == points_for(one.minutes) >= 1
        assert answer.source.count(BEGIN) == answer.source.count(END) == 1
    total = sum(one.points for one in found)
    assert sum(c.metadata.nbgrader.points for c in cells[1::2]) == total
    assert f"| **{path.stem}** | **{sum(o.minutes for o in found)}** | **{total}** |" in (
        points_table()
    )


def test_without_its_solution_an_assignment_shows_the_stub_of_the_book(path):
    notebook = read(path)
    answer_cells = [c for c in marked(assignment(notebook)) if c.metadata.nbgrader.solution]
    for one, cell in zip(exercises(notebook), answer_cells):
        squeeze = lambda text: re.sub(r"\n+", "\n", text)  # noqa: E731
        assert squeeze(cleared(cell.source)) == squeeze(notebook.cells[one.stub].source)


def test_the_assignments_carry_their_solutions(path):
    """In the source the answer is there: its region assigns the name that the graded cell reads."""
    for one, cell in zip(exercises(read(path)), marked(assignment(read(path)))[::2]):
        region = re.search(rf"{BEGIN}\n(.*){END}", cell.source, re.S).group(1)
        nodes = list(ast.walk(ast.parse(region)))
        defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        defined |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assert one.variable in defined, one.number


def test_the_course_folder_is_complete(grader_folder):
    for path in CHAPTERS:
        assert (grader_folder / "source" / path.stem / path.name).is_file()
    for name in ("README.md", "nbgrader_config.py", "requirements.txt", "convlib/__init__.py"):
        assert (grader_folder / name).is_file()
    assert any(line.startswith("nbgrader") for line in lines_of(grader_folder / "requirements.txt"))
    compile((grader_folder / "nbgrader_config.py").read_text("utf8"), "nbgrader_config.py", "exec")


# Points: the graded cell itself is run on the answers that the checkers are tested with.


def value_of(source, namespace):
    """Run a cell as a notebook does; return its last line's value and what it wrote."""
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exec(compile(tree, "cell", "exec"), namespace)
        value = eval(compile(last, "cell", "eval"), namespace)
    return value, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("path, one", named(EXERCISES))
def test_right_answers_get_all_the_points(path, one):
    for answer in answers(one.chapter)[one.checker]["right"]:
        value, out, err = value_of(graded_source(one), {one.variable: answer})
        assert value == one.points and out.startswith("Right. ") and err == ""


@pytest.mark.parametrize("path, one", named(EXERCISES))
def test_wrong_answers_lose_all_the_points_and_get_the_hint(path, one):
    for answer, fragment in answers(one.chapter)[one.checker]["wrong"]:
        value, out, err = value_of(graded_source(one), {one.variable: answer})
        assert value == 0 and out.startswith("Not yet") and fragment in out and err == ""


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("wrong", range(5))
def test_a_wrong_exercise_loses_its_own_points_and_no_others(path, wrong):
    """A chapter handed in with one exercise wrong is worth the chapter less that exercise."""
    found = exercises(read(path))
    if wrong >= len(found):
        return
    total = 0
    for number, one in enumerate(found):
        kind = answers(one.chapter)[one.checker]
        answer = kind["wrong"][0][0] if number == wrong else kind["right"][0]
        total += value_of(graded_source(one), {one.variable: answer})[0]
    assert total == sum(one.points for one in found) - found[wrong].points


def test_what_an_answer_prints_and_warns_of_costs_nothing():
    """nbgrader gives no points for a cell that writes to stderr."""

    def loud(answer):
        print("here")
        print("there", file=sys.stderr)
        warnings.warn("mind the gap", stacklevel=1)
        return Report(answer, "heard.", 1)

    source = "grade(loud, answer, 3)"
    space = {"grade": grade, "loud": loud}
    assert value_of(source, space | {"answer": True}) == (3, "Right. heard.\n", "")
    assert value_of(source, space | {"answer": False}) == (0, "Not yet: heard.\n", "")


def test_points_grow_with_the_minutes():
    assert [points_for(m) for m in (1, 2, 5, 6, 10, 15, 30)] == [1, 1, 1, 2, 2, 3, 6]
    with pytest.raises(ValueError, match="at least a minute, got 0"):
        points_for(0)
