"""How the built book is found, shared and loaded: previews, the map, the page for the lost, the weight."""

from __future__ import annotations

import re
import sys
from functools import cache
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from pages import HTML, ROOT, toc_pages

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from _sheet import Vocabulary, minify, purge, rebase, split

PAGES = toc_pages()
BASE = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["html"]["baseurl"]


@cache
def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup((HTML / f"{name}.html").read_text("utf8"), "html.parser")


def said(name: str, key: str) -> str:
    tags = soup(name).select(f'meta[name="{key}"], meta[property="{key}"]')
    assert len(tags) == 1, f"{name} says {key} {len(tags)} times"
    return tags[0]["content"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is(book, name):
    words = said(name, "description")
    assert 40 <= len(words) <= 160
    assert said(name, "og:description") == words
    assert said(name, "og:url") == f"{BASE}{name}.html"
    assert soup(name).select_one('link[rel="canonical"]')["href"] == f"{BASE}{name}.html"
    assert said(name, "twitter:card") == "summary_large_image"
    assert said(name, "og:title")
    picture = said(name, "og:image")
    assert picture.startswith(BASE)
    with Image.open(HTML / picture.removeprefix(BASE)) as image:
        assert image.size == (1200, 630)
    assert said(name, "og:image:alt")


def test_no_two_pages_say_the_same(book):
    words = [said(name, "description") for name in PAGES]
    assert len(set(words)) == len(words)


def test_the_map_lists_every_page(book):
    tree = ElementTree.parse(HTML / "sitemap.xml")
    found = [tag.text for tag in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert sorted(found) == sorted(f"{BASE}{name}.html" for name in PAGES)
    assert f"Sitemap: {BASE}sitemap.xml" in (HTML / "robots.txt").read_text("utf8")


def test_the_icons_are_there(book):
    for tag in soup("book/welcome").select('link[rel~="icon"], link[rel="apple-touch-icon"]'):
        assert (HTML / "book" / tag["href"]).resolve().is_file()
    assert soup("book/welcome").select_one('link[rel="apple-touch-icon"]')


def test_a_lost_reader_is_helped(open_page):
    """At any depth: nothing else is asked for, the search and the chapters are found."""
    opened = open_page("no/such/page")
    page = opened.page
    assert page.locator("h1").inner_text() == "No such page"
    assert page.evaluate("() => performance.getEntriesByType('resource').length") == 0
    links = page.locator("main li a")
    assert links.count() == 1 + sum(name.startswith("notebooks/") for name in PAGES)
    targets = links.evaluate_all("list => list.map(a => a.pathname.slice(1))")
    assert [target for target in targets if not (HTML / target).is_file()] == []
    page.get_by_label("Search the book").fill("checkerboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=checkerboard")


def test_the_lost_page_knows_its_folder(book):
    """Without a script, and where the book is published, its links begin with that folder."""
    links = [tag["href"] for tag in soup("404").select("main a")]
    assert links
    assert all(href.startswith(urlsplit(BASE).path) for href in links)


@pytest.mark.parametrize("name", [*PAGES, "search"])
def test_a_page_is_light(book, name):
    page = soup(name)
    assert len(page.select('link[rel="stylesheet"]')) == 1
    scripts = [tag["src"] for tag in page.find_all("script", src=True)]
    assert [src for src in scripts if "mathjax" in src or "fontawesome" in src] == []
    assert [
        tag["src"] for tag in page.find_all("script", src=True) if not tag.has_attr("defer")
    ] == []
    unset = [tag for tag in page.select(".math") if not tag.find("mjx-container")]
    assert unset == []
    images = page.select('img[src*="_images/"]')
    assert [tag["src"] for tag in images if not (tag.get("width") and tag.get("height"))] == []


def test_the_style_sheet_keeps_what_pages_use(book):
    css = (HTML / "_static" / "style.css").read_text("utf8")
    assert len(css) < 200_000
    for address in re.findall(r'url\("([^"]+)"\)', css):
        if not address.startswith("data:"):
            assert (HTML / "_static" / address).is_file(), address
    icons = {
        name
        for name in PAGES
        for tag in soup(name).select("i[class*=fa-]")
        for name in tag["class"]
        if name not in ("fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-fw")
        and name.startswith("fa-")
    }
    assert len(icons) > 5
    assert sorted(name for name in icons if f".{name}:" not in css) == []


def test_a_rule_goes_only_if_nothing_can_match_it():
    words = Vocabulary.of(['<p class="a b" id="c">'], ['x.classList.add("shown")'])
    css = """
    p.a { color: red } p.gone, #c { color: green } .gone > p { color: blue }
    @media print { .shown:hover { top: 0 } .gone { top: 1px } }
    p:not(.gone)::before { content: "a  b" } @keyframes k { from { top: 0 } }
    html[data-theme="dark"] .a { top: 0 }
    """
    kept = purge(css.replace("html", "p"), words)
    assert "color: red" in kept
    assert "#c{" in kept and ".gone," not in kept
    assert "blue" not in kept and "1px" not in kept
    assert ".shown:hover{" in kept and "p:not(.gone)::before" in kept and "@keyframes k" in kept
    assert '[data-theme="dark"] .a' in kept
    assert "gone > p" in minify(css)


def test_selectors_are_split_at_outer_commas():
    assert [one.strip() for one in split("a:is(b, c) d, e[f=','], g")] == [
        "a:is(b, c) d",
        "e[f=',']",
        "g",
    ]


def test_addresses_move_with_the_style_sheet(tmp_path):
    css = "a{background:url(../x.png)} b{background:url('data:,y')}"
    moved = rebase(css, tmp_path / "styles" / "s.css", tmp_path)
    assert 'url("x.png")' in moved and "url('data:,y')" in moved


def test_a_broken_formula_is_seen():
    from typeset import ERROR, typeset

    assert ERROR.search(typeset(r"\frac{a", False))
    assert ERROR.search(typeset(r"\nosuchname", False))
    good = typeset(r"\frac{a}{b}", True)
    assert not ERROR.search(good)
    assert "<mfrac>" in good and 'display="true"' in good


def test_only_a_formula_that_runs_on_is_joined():
    from typeset import pieces

    running = r"\begin{aligned} & a = b \\ & \quad + c \\ & \qquad \quad \cdot d \end{aligned}"
    assert [part.removeprefix(r"\displaystyle ") for part in pieces(running)] == [
        "a = b",
        "{}+ c",
        r"{}\cdot d",
    ]
    for whole in (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a + b"):
        assert pieces(whole) == [whole]
