"""Links that open an explorer in a state, and tables of exercises, computed when the book is built.

    {explorer}`a 6 by 6 input <1: WindowExplorer(size=6, kernel_size=3)>`

is a link to the explorer of chapter 1, in that state. The call is made when the book is built, so a
setting that the explorer refuses is a warning, and warnings are errors.

    ```{exercises} 1
    ```

is the table of a chapter's exercises, with the minutes and points that the notebook gives them.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).resolve().parents[2]
TARGET = re.compile(r"(\d+): *(\w+\(.*\))", re.S)
HEADING = re.compile(r"^### (Exercise (\d+\.\d+): (.+) \((\d+) minutes?\))$", re.M)


def notebook(number: int) -> Path:
    """The file of a chapter.

    Raises
    ------
    ValueError
        If no chapter has that number.
    """
    found = sorted((ROOT / "notebooks").glob(f"{number:02d}-*.ipynb"))
    if not found:
        raise ValueError(f"there is no chapter {number}")
    return found[0]


@cache
def _explorers(path: Path, changed: float) -> list[str]:
    """The explorers of a page, by the names of their classes, in the order of the page."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return re.findall(r"^(\w+(?:Explorer|Playground))\(", code, re.M)


def state(call: str) -> tuple[str, dict]:
    """The name of the class in `Class(setting=…)`, and the full state that the call makes.

    Raises
    ------
    ValueError
        If the call is no call of an explorer, or the explorer refuses a setting.
    """
    import convlib.explorers

    tree = ast.parse(call.strip(), mode="eval").body
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.args:
        raise ValueError(f"{call!r} is no call of an explorer with settings by name")
    name = tree.func.id
    if not hasattr(convlib.explorers, name):
        raise ValueError(f"there is no explorer {name}")
    settings = {key.arg: ast.literal_eval(key.value) for key in tree.keywords}
    try:
        made = getattr(convlib.explorers, name)(**settings).state()
    except TypeError as error:
        raise ValueError(str(error)) from error
    return name, {key: value for key, value in made.items() if key != "image"}


def address(number: int, call: str, page: str = "book/teach/notes") -> str:
    """The link, as seen from a page of the book, that opens a chapter's explorer in a state.

    It is what the explorer's own button *Link* puts together in convlib/explorers/static/lib/input.js.

    Raises
    ------
    ValueError
        If the chapter has no such explorer, or the state is refused.
    """
    import convlib.explorers

    name, made = state(call)
    path = notebook(number)
    if name not in _explorers(path, path.stat().st_mtime):
        raise ValueError(f"chapter {number} shows no {name}")
    words = "&".join(f"{key}={quote(_written(value), safe=',:')}" for key, value in made.items())
    short = getattr(convlib.explorers, name)._explorer
    return f"{'../' * page.count('/')}notebooks/{path.stem}.html#cw-{short}?{words}"


def _written(value) -> str:
    """A value of the state as the address has it: words as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class ExplorerLink(SphinxRole):
    """The role `explorer`: words, and in angle brackets a chapter's number and a constructor call."""

    def run(self):
        split = re.fullmatch(r"(.+?)\s*<(.+)>", self.text, re.S)
        target = split and TARGET.fullmatch(split[2])
        try:
            if not target:
                raise ValueError("expected: words <chapter: Explorer(setting=value)>")
            link = address(int(target[1]), target[2], self.env.docname)
        except (ValueError, SyntaxError) as error:
            message = self.inliner.reporter.error(
                f"explorer role {self.text!r}: {error}", line=self.lineno
            )
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        node = nodes.reference(
            "", "", nodes.inline("", split[1]), refuri=link, classes=["explorer-link"]
        )
        return [node], []


class Exercises(Directive):
    """The directive `exercises`: a chapter's exercises with minutes, points and a link."""

    required_arguments = 1

    def run(self):
        from convlib.exercises import points_for

        path = notebook(int(self.arguments[0]))
        self.state.document.settings.env.note_dependency(str(path))
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        rows = [
            (f"{number} {title}", int(minutes), points_for(int(minutes)))
            for _, number, title, minutes in HEADING.findall(text)
        ]
        rows.append(("together", sum(r[1] for r in rows), sum(r[2] for r in rows)))
        return [table(("exercise", "minutes", "points"), rows)]


def table(head: tuple[str, ...], rows: list[tuple]) -> nodes.table:
    """A table whose first column is words and whose others are numbers."""

    def row(entries, strong=False):
        out = nodes.row()
        for index, entry in enumerate(entries):
            kind = nodes.strong if strong else nodes.inline
            words = nodes.paragraph("", "", kind("", str(entry)))
            out += nodes.entry("", words, classes=["text-right"] if index else [])
        return out

    group = nodes.tgroup(cols=len(head))
    for index in range(len(head)):
        group += nodes.colspec(colwidth=1 if index else 4)
    group += nodes.thead("", row(head))
    group += nodes.tbody("", *[row(r, strong=r is rows[-1]) for r in rows])
    return nodes.table("", group, classes=["colwidths-auto"])


def setup(app):
    app.add_role("explorer", ExplorerLink())
    app.add_directive("exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
