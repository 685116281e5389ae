"""How long a chapter takes, by one rule: `python tests/book/times.py` says it for each.

Nobody was clocked. The rule counts what a reader does: prose, the lines of code that are shown, a
minute for each prediction, two for each explorer. An exercise names its own minutes, which are its
author's estimate; here they are added up. The welcome page says so to the reader.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from notebooks import CHAPTERS, prose_words, tags

WORDS_A_MINUTE = 180
LINES_A_MINUTE = 10
MINUTES_A_PREDICTION = 1
MINUTES_AN_EXPLORER = 2

EXERCISE = re.compile(r"^### Exercise \d+\.\d+: .+ \((\d+) minutes?\)$", re.M)
SENTENCE = re.compile(
    r"It takes about (\d+) minutes to read and run, and about (\d+) more for the exercises\."
)


class Minutes(NamedTuple):
    reading: float
    exercises: int


def minutes(notebook: nbformat.NotebookNode) -> Minutes:
    """What the rule gives, not yet rounded."""
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    exercises = [int(number) for source in text for number in EXERCISE.findall(source)]
    shown = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and not tags(cell) & {"hide-cell", "hide-input", "remove-cell"}
    ]
    lines = sum(bool(line.strip()) for source in shown for line in source.splitlines())
    explorers = sum(bool(re.search(r"^\w+(Explorer|Playground)\(", s, re.M)) for s in shown)
    reading = (
        prose_words(notebook) / WORDS_A_MINUTE
        + lines / LINES_A_MINUTE
        + sum("**Predict.**" in source for source in text) * MINUTES_A_PREDICTION
        + explorers * MINUTES_AN_EXPLORER
    )
    return Minutes(reading, sum(exercises))


def sentence(notebook: nbformat.NotebookNode) -> str:
    """What the chapter's first cell should say, in steps of five minutes."""
    reading, exercises = (5 * round(number / 5) for number in minutes(notebook))
    return (
        f"It takes about {reading} minutes to read and run, and about {exercises} more for the "
        "exercises."
    )


def main() -> None:
    for path in CHAPTERS:
        notebook = nbformat.read(path, as_version=4)
        reading, exercises = minutes(notebook)
        print(f"{Path(path).stem:24}{reading:6.1f} +{exercises:3}  {sentence(notebook)}")


if __name__ == "__main__":
    main()
