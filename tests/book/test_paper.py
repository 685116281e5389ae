"""The book on paper: what is joined for `make pdf`, the check that it ends with, and the cheat sheet."""

from __future__ import annotations

import re
from functools import cache

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

import paper
from pages import toc_pages


@cache
def chapters() -> list[paper.Chapter]:
    names = [name for name in toc_pages() if name != paper.CHEAT_SHEET]
    return [paper.read(name, set(names), "https://example.org/book/") for name in names]


@cache
def joined() -> BeautifulSoup:
    return BeautifulSoup(paper.join(chapters(), {}), "html.parser")


def test_every_place_has_a_name_of_its_own(book):
    places = [tag["id"] for tag in joined().find_all(id=True)]
    assert len(places) > 300
    assert sorted({name for name in places if places.count(name) > 1}) == []


def test_every_link_inside_leads_somewhere(book):
    places = {tag["id"] for tag in joined().find_all(id=True)}
    wanted = {tag["href"][1:] for tag in joined().select('a[href^="#"]')}
    assert len(wanted) > 100
    assert sorted(wanted - places) == []


def test_links_out_of_the_book_have_a_host(book):
    out = [tag["href"] for tag in joined().find_all("a", href=True)]
    assert [href for href in out if not href.startswith(("#", "https://", "http://"))] == []


def test_the_contents_name_every_chapter(book):
    lines = [tag.get_text() for tag in joined().select(".paper-contents .paper-chapter-line")]
    assert lines == [chapter.title for chapter in chapters()[1:]]


def test_every_explorer_is_there_with_its_still_picture(book):
    count = sum(
        (book / f"{chapter.name}.html").read_text("utf8").count('class="cw-explorer"')
        for chapter in chapters()
    )
    stills = joined().select(".cw-explorer .cw-still svg")
    assert len(stills) == count >= 9
    assert len(joined().select(".paper-explorer a")) == count


def test_nothing_is_folded_and_every_question_has_its_answer(book):
    assert joined().select("details:not([open])") == []
    assert len(joined().select(".paper-folded")) >= 40
    answers = joined().select(".paper-answers > li")
    assert len(answers) == len(joined().select(".paper-quiz")) > 0
    assert [tag for tag in answers if not tag.get_text(strip=True)] == []


def test_pictures_are_where_the_joined_page_looks_for_them(book):
    sources = [tag["src"] for tag in joined().find_all("img", src=True)]
    assert len(sources) > 20
    folder = book.parent / "paper"
    assert [src for src in sources if not (folder / src).resolve().is_file()] == []


def test_the_cheat_sheet_is_one_sheet(chromium, site, tmp_path):
    path = tmp_path / "sheet.pdf"
    assert paper.print_sheet(chromium, f"{site}/{paper.CHEAT_SHEET}.html", path) == []
    text = paper.squeezed(PdfReader(path).pages[0].extract_text())
    assert "Shapesoftheweights" in text
    assert "ngihwkl,goikl->ngohw" in text


def test_a_cheat_sheet_with_faults_is_noticed(chromium, tmp_path):
    (tmp_path / "sheet.html").write_text(
        "<h2>Contents</h2><article><table style='table-layout: fixed; width: 90px'><tr>"
        "<td><code>far_too_long_a_name_for_it</code><td>next</table>"
        "<p style='break-before: page'>overleaf</p></article>"
    )
    address = (tmp_path / "sheet.html").as_uri()
    found = " ".join(paper.print_sheet(chromium, address, tmp_path / "sheet.pdf"))
    assert "cut off in a table: far_too_long" in found
    assert "longer than one sheet" in found
    assert "not with its title" in found


def test_what_belongs_together_is_named():
    body = BeautifulSoup(
        "<table><tr><td>09:00–09:15</td><td>a plan</td></tr></table>"
        f"<table>{'<tr><td>row</td></tr>' * (paper.TALL + 1)}</table>"
        "<p><strong>Ask.</strong></p><p><strong>Goals.</strong> All.</p>",
        "html.parser",
    )
    paper.keep_together(body)
    named = {name: len(body.select(f".paper-{name}")) for name in ("whole", "together", "lead")}
    assert named == {"whole": 1, "together": 1, "lead": 1}


def test_options_stay_with_their_question(book):
    for quiz in joined().select(".paper-quiz"):
        assert "paper-question" in quiz.find_previous("p").get("class", []), quiz


def test_no_markup_is_left_in_the_text(book):
    """What Sphinx or MathJax does not understand stands on the page as it was typed."""
    typed = re.compile(r"\.\. [a-z]+::|``\w|:[a-z]+:`|\\text\{[^}]*\\_")
    texts = [chapter.body.get_text() for chapter in chapters()]
    assert [found for text in texts for found in typed.findall(text)] == []


def test_a_nearly_empty_sheet_is_noticed_and_a_file_is_signed(chromium, tmp_path):
    page = chromium.new_page()
    full = "<p>Enough of it to be read.</p>" * 20
    page.set_content(
        f'<html lang="en"><title>small</title><h1>One</h1>{full}'
        '<p style="break-before: page">Two words.</p></html>'
    )
    path = tmp_path / "small.pdf"
    page.pdf(path=path, outline=True, tagged=True)
    page.close()
    assert paper.bare_sheets(path) == ["sheet 2 is nearly empty"]
    paper.sign(path)
    signed = PdfReader(path)
    assert signed.metadata.title == "small"
    assert signed.metadata.author
    assert signed.page_mode == "/UseOutlines"
    assert [entry.title for entry in signed.outline] == ["One"]


SMALL = """<h1 id="one">One</h1><p><a href="#two">on</a> <a href="#{there}">back</a></p>
<h1 id="two" style="break-before: page">{title}</h1>
<p class="paper-explorer"><a href="https://example.org/a.html#cw-{name}">alive</a></p>"""


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({}, None),
        ({"title": "Three"}, "its title is not on its first sheet"),
        ({"there": "nowhere"}, "#nowhere: no such place"),
        ({"name": "lost"}, "#cw-lost: this explorer is not printed"),
    ],
)
def test_a_fault_of_the_print_is_noticed(chromium, tmp_path, change, complaint):
    right = {"there": "one", "title": "Two", "name": "window"}
    printed = {**right, **change} if "name" not in change else right
    page = chromium.new_page()
    page.set_content(f'<html lang="en"><title>small</title>{SMALL.format(**printed)}</html>')
    path = tmp_path / "small.pdf"
    page.pdf(path=path, outline=True, tagged=True)
    page.close()
    body = BeautifulSoup("", "html.parser")
    wanted = [paper.Chapter("one", "One", body), paper.Chapter("two", "Two", body)]
    found = paper.faults(path, SMALL.format(**{**right, **change}), wanted)
    assert (found == []) if complaint is None else (complaint in " ".join(found))
