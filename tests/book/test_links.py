"""Links and pictures of the built book, read from its files: all that is inside resolves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from pages import HTML, toc_pages

PAGES = toc_pages()


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf8"), "html.parser")


@cache
def anchors(path: Path) -> frozenset[str]:
    """The places of a page: its ids, and those that its explorers get when they start."""
    page = soup(path)
    names = [tag["data-explorer"] for tag in page.select(".cw-explorer[data-explorer]")]
    return frozenset(
        [tag["id"] for tag in page.find_all(id=True)] + [f"cw-{name}" for name in names]
    )


def broken(path: Path) -> list[str]:
    """Links of a page that lead to no file, or to no place in it."""
    out = []
    for tag in soup(path).find_all("a", href=True):
        link = urlsplit(tag["href"])
        if link.scheme or link.netloc:
            continue
        target = (path.parent / unquote(link.path)).resolve() if link.path else path
        if target.is_dir():
            target = target / "index.html"
        if not target.is_file():
            out.append(f"{tag['href']}: no such file")
        elif (
            link.fragment
            and target.suffix == ".html"
            and unquote(link.fragment).partition("?")[0] not in anchors(target)
        ):
            out.append(f"{tag['href']}: no such place")
    return out


@pytest.mark.parametrize("name", [*PAGES, "genindex", "py-modindex", "search"])
def test_internal_links_resolve(book, name):
    path = book / f"{name}.html"
    assert soup(path).find_all("a", href=True), f"{name} has no link: is it a page at all?"
    assert broken(path) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_other_host(book, name):
    """Scripts, styles, pictures and frames come from the book itself."""
    page = soup(book / f"{name}.html")
    sources = [tag[key] for key in ("src", "data-src") for tag in page.find_all(**{key: True})]
    sources += [
        tag["href"]
        for tag in page.find_all("link", href=True)
        if "canonical" not in tag.get("rel", [])
    ]
    assert sources
    assert [url for url in sources if urlsplit(url).netloc] == []


def test_a_link_into_nothing_is_noticed(tmp_path):
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1>', "utf8")
    page = tmp_path / "a.html"
    page.write_text(
        '<a href="b.html#here"></a><a href="b.html#gone"></a><a href="c.html"></a>', "utf8"
    )
    assert broken(page) == ["b.html#gone: no such place", "c.html: no such file"]


def test_the_pages_come_in_the_order_of_the_book(book):
    """Following "next" from the welcome page visits every page once, in the order of _toc.yml."""
    visited, path = [], HTML / f"{PAGES[0]}.html"
    while path and len(visited) <= len(PAGES):
        visited.append(path.relative_to(HTML).with_suffix("").as_posix())
        following = soup(path).select_one("a.right-next[href]")
        path = (path.parent / following["href"]).resolve() if following else None
    assert visited == PAGES
