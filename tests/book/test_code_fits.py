"""Code that is shown can be read without scrolling sideways: at 1280 px no cell's source scrolls."""

from __future__ import annotations

import nbformat
import pytest

from notebooks import NOTEBOOKS, SETUP_TAG, tags

# The measure of notebooks/ruff.toml and book/ruff.toml.
LONGEST_LINE = 72

# A folded solution is read too, so it is opened before it is measured.
TOO_WIDE = """() => {
  for (const folded of document.querySelectorAll('details')) folded.open = true;
  return [...document.querySelectorAll('div.cell_input pre')]
    .filter((e) => e.scrollWidth > e.clientWidth)
    .map((e) => `${e.scrollWidth} of ${e.clientWidth} px: `
      + e.innerText.split('\\n').sort((a, b) => b.length - a.length)[0]);
}"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_line_of_code_keeps_its_measure(path):
    """Also in words: comments, docstrings and texts, which a formatter does not break."""
    long = [
        line
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and SETUP_TAG not in tags(cell)
        for line in cell.source.splitlines()
        if len(line) > LONGEST_LINE
    ]
    assert long == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_code_scrolls_sideways(open_page, path):
    """Outputs may scroll, what is typed may not."""
    page = open_page(f"{path.parent.name}/{path.stem}").page
    cells = page.locator("div.cell_input pre").count()
    assert cells, "the page shows no code"
    assert page.evaluate(TOO_WIDE) == []
