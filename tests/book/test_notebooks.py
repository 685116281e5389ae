"""The notebooks are stored the way `make execute` leaves them, and keep to the book's measure."""

from __future__ import annotations

import copy
import re

import nbformat
import pytest
from normalise import faults, normalise

from notebooks import (
    CHAPTERS,
    MEASURED,
    NOTEBOOKS,
    SETUP_TAG,
    first_line,
    prose_words,
    setup_source,
    tags,
)
from times import EXERCISE, SENTENCE, minutes, sentence

MEASURED_TAG = "nbval-ignore-output"
TAGS = {"remove-cell", "hide-cell", "hide-input", "hide-output", "remove-input", "code-tells"} | {
    MEASURED_TAG
}
TAGS |= {
    "raises-exception",
    "remove-output",
    "slide",
    "fragment",
    "subslide",
    "skip",
    "notes",
    "solution",
    "exercise",
}
# A page is 1,500 to 2,500 words and at most about 25 cells of code beside exercises; some air around.
WORDS = (1200, 3000)
CODE_CELLS = 30


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert CHAPTERS, "notebooks/ holds no chapter"
    assert all(re.fullmatch(r"\d\d-[a-z0-9-]+\.ipynb", path.name) for path in CHAPTERS)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_a_notebook_is_in_the_normal_form(path):
    """Counts in order, one kernelspec, no traces: what `make execute` would write is what is there."""
    stored = read(path)
    command = f"make execute NB={path.parent.name}/{path.name}"
    assert stored == normalise(copy.deepcopy(stored)), f"run: {command}"


def test_a_notebook_tells_nothing_of_a_machine(path):
    assert faults(read(path)) == []


def test_a_notebook_was_run_from_top_to_bottom(path):
    cells = [cell for cell in code(read(path)) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)


def test_a_notebook_starts_like_all_the_others(path):
    notebook = read(path)
    title, first = notebook.cells[0], code(notebook)[0]
    assert title.cell_type == "markdown" and re.match(r"# \S", title.source)
    headings = re.findall(
        r"^# .*", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"), re.M
    )
    assert len(headings) == 1, f"a chapter has one title: {headings}"
    assert first.source == setup_source()
    assert tags(first) == {SETUP_TAG} and not first.outputs


def test_only_measured_times_may_differ(path):
    """A cell that is not compared is on the list, and shows a time or the name of a device."""
    loose = {
        (path.stem, first_line(cell.source))
        for cell in code(read(path))
        if MEASURED_TAG in tags(cell)
    }
    assert loose == {entry for entry in MEASURED if entry[0] == path.stem}


def test_tags_mean_something(path):
    assert set().union(*(tags(cell) for cell in read(path).cells)) <= TAGS


def test_pictures_are_described(path):
    """Every cell that shows a picture says in words what is to be seen."""
    for cell in code(read(path)):
        pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
        if pictures and not tags(cell) & {"remove-cell", "remove-output"}:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt.split()) >= 4, f"no description: {cell.source[:80]!r}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_its_measure(path):
    notebook = read(path)
    words = prose_words(notebook)
    shown = [cell for cell in code(notebook) if not tags(cell) & {"hide-cell", "remove-cell"}]
    assert WORDS[0] <= words <= WORDS[1], f"{words} words"
    assert len(shown) <= CODE_CELLS, f"{len(shown)} cells of code"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_how_long_it_takes(path):
    """The minutes at its top are those of one rule (tests/book/times.py), to five minutes."""
    notebook = read(path)
    said = SENTENCE.findall(" ".join(notebook.cells[0].source.split()))
    assert len(said) == 1, f"say: {sentence(notebook)}"
    for stated, counted in zip(map(int, said[0]), minutes(notebook)):
        assert stated % 5 == 0 and abs(stated - counted) <= 5, f"say: {sentence(notebook)}"


def test_every_exercise_names_its_minutes(path):
    notebook = read(path)
    headings = re.findall(
        r"^### Exercise .*",
        "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"),
        re.M,
    )
    assert all(EXERCISE.fullmatch(heading) for heading in headings), headings
    assert len(headings) >= 3 or path not in CHAPTERS


def test_an_experiment_shows_its_output_once_there_is_a_result():
    """`make execute` takes the tag away when somebody has recorded it, and puts it there before."""
    cell = nbformat.v4.new_code_cell('@gpu.experiment("x")\ndef x():\n    return {}\n\n\nx')
    cell.metadata["tags"] = ["hide-input", MEASURED_TAG]
    for text, left_out in (("No GPU here, and no result is recorded yet.", True), ("a  3", False)):
        data = {"text/plain": text}
        cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
        notebook = normalise(nbformat.v4.new_notebook(cells=[cell]))
        assert tags(notebook.cells[0]) >= {"hide-input", MEASURED_TAG}
        assert ("remove-output" in tags(notebook.cells[0])) == left_out


def test_traces_are_noticed():
    """The normal form and the list of faults find what an editor or a machine leaves behind."""
    cell = nbformat.v4.new_code_cell("print('x')", execution_count=7)
    cell.metadata["collapsed"] = True
    home = "/" + "home/someone/book"
    cell.outputs = [
        nbformat.v4.new_output("stream", text=f"{home}/a.py <object at 0x7fe6a2f08c90>\n"),
        nbformat.v4.new_output("stream", name="stderr", text="DeprecationWarning"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["vscode"] = {"interpreter": "3.11"}
    tidy = normalise(copy.deepcopy(notebook))
    assert tidy.cells[0].execution_count == 1
    assert "collapsed" not in tidy.cells[0].metadata and "vscode" not in tidy.metadata
    found = "\n".join(faults(tidy))
    assert home.rsplit("/", 1)[0] in found and "0x7fe6a2f08c90" in found and "stderr" in found
