"""Code that is shown can be read without scrolling sideways: at 1280 px as typed, on a phone broken."""

from __future__ import annotations

import sys

import nbformat
import pytest

from covers import open_all
from notebooks import NOTEBOOKS, SETUP_TAG, tags
from pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from broken_lines import hang, reads_on

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
    # here scrollbars lie over the page; where they stand beside it, they take 15 pixels
    page.set_viewport_size({"width": 1280 - 15, "height": 900})
    assert page.evaluate(TOO_WIDE) == []


SCROLLS = """(selector) => [...document.querySelectorAll(selector)]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText)"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_on_a_phone_code_breaks_and_only_tables_scroll(open_page, path):
    """What scrolls has a shadow at its edge, and lines that could be read broken do not scroll."""
    page = open_page(f"{path.parent.name}/{path.stem}", size="narrow").page
    page.evaluate("() => document.querySelectorAll('details').forEach((e) => (e.open = true))")
    open_all(page)
    assert page.evaluate(SCROLLS, "div.cell_input pre") == []
    scrolling = page.evaluate(SCROLLS, "div.cell_output pre")
    assert [text for text in scrolling if reads_on(text)] == []
    hidden = """() => [...document.querySelectorAll('div.cell_output pre')]
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .filter((e) => !getComputedStyle(e).backgroundImage.includes('gradient')).length"""
    assert page.evaluate(hidden) == 0


def test_long_lines_hang_from_where_they_begin():
    long = "x" * 50
    inner = f'    <span class="k">return</span> {long}\n'
    code = f'<div class="highlight"><pre>def f():\n{inner}    y\n{long}\n</pre>'
    made = hang(code)
    assert f'<span class="cw-l" style="--in:4">{inner}</span>' in made
    assert f'<span class="cw-l" style="--in:0">{long}\n</span>' in made
    assert made.count("cw-l") == 2 and made.endswith("</pre>")
    token = f'<pre><span class="sd">"""{long}\n{long}"""</span>\n'
    assert hang(token) == token, "a token over several lines was taken apart"
    assert reads_on(f"{long} {long}\n") and reads_on("one line\nand a second\n")
    assert not reads_on("[[1 2]\n [3 4]]") and not reads_on("a    1\nbc   2")
