"""The book on paper: what is joined for `make pdf`, the check that it ends with, and the cheat sheet."""

from __future__ import annotations

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
    page = paper.open_for_print(chromium, f"{site}/{paper.CHEAT_SHEET}.html")
    page.pdf(path=tmp_path / "sheet.pdf", **paper.SHEET_OPTIONS)
    page.close()
    printed = PdfReader(tmp_path / "sheet.pdf")
    assert len(printed.pages) == 1
    text = paper.squeezed(printed.pages[0].extract_text())
    assert "Shapesoftheweights" in text
    assert "ngihwkl,goikl->ngohw" in text


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
