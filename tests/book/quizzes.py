"""The answers under a prediction, read from the notebook's Markdown.

They stand in the prediction's cell, after a blank line, and hold none: a blank line would end the HTML.

    **Predict.** How many windows of 3 fit on a line of 5?

    <div class="cw-options" role="group" aria-label="What do you predict?">
    <details class="cw-option"><summary>2</summary><p><b>No.</b> These are the steps. …</p></details>
    <details class="cw-option cw-right"><summary>3</summary><p><b>Right.</b> …</p></details>
    </div>

The disclosures have no `name` that would let only one be open: a reader compares the reasons, an
answer that closes above another moves the page, and JupyterLab takes the attribute out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import nbformat

PREDICT = "**Predict.**"
OPTIONS = re.compile(r'<div class="cw-options".*?</div>', re.S)


@dataclass
class Option:
    """One answer: what stands on it, and what it says when it is opened."""

    right: bool
    says: str = ""
    why: str = ""


@dataclass
class Question:
    """A prediction, its answers, and what the reader meets after it."""

    asked: str
    markup: str
    options: list[Option]
    after: str  # the code, its printed output, and the words that explain it
    tags: list[str] = field(default_factory=list)  # of the markup, in order
    attributes: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.options: list[Option] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "details":
            self.options.append(Option("cw-right" in (dict(attrs).get("class") or "").split()))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "summary" in self.open:
            self.options[-1].says += data
        elif "details" in self.open:
            self.options[-1].why += data
        else:
            assert not data.strip(), f"words outside of an answer: {data!r}"


def printed(cell: nbformat.NotebookNode) -> str:
    texts = [cell.source]
    for output in cell.get("outputs", []):
        texts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def questions(notebook: nbformat.NotebookNode) -> Iterator[Question]:
    """Every prediction of a chapter, in order."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown" or PREDICT not in cell.source:
            continue
        assert cell.source.count(PREDICT) == 1, "one prediction a cell"
        blocks = OPTIONS.findall(cell.source)
        assert len(blocks) < 2, f"two lists of answers: {cell.source[:80]!r}"
        asked = cell.source.split(PREDICT)[1].split("<div")[0]
        reader = Reader()
        reader.feed("".join(blocks))
        assert not reader.open, f"not closed: {reader.open}"
        after = []
        for later in notebook.cells[number + 1 :]:
            after.append(printed(later))
            if later.cell_type == "markdown":
                break
        yield Question(
            " ".join(asked.split()),
            "".join(blocks),
            reader.options,
            "\n".join(after),
            reader.tags,
            reader.attributes,
        )


def plain(text: str) -> str:
    """Without marks of code, so that answers and facts can be compared."""
    return " ".join(unescape(text).replace("`", "").split())
