"""Every page of the built book, in a real browser: whole, quiet, within its width, open to all."""

from __future__ import annotations

from importlib.resources import files

import pytest

from pages import toc_pages

PAGES = toc_pages()
GENERATED = ["genindex", "search"]

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (e) => {
    for (let p = e.parentElement; p; p = p.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return true;
      if (p.matches('.sr-only, .visually-hidden, mjx-assistive-mml')) return true;
    }
    return e.matches('.sr-only, .visually-hidden, .headerlink, mjx-assistive-mml');
  };
  const out = [];
  if (document.documentElement.scrollWidth > wide)
    out.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${wide}`);
  for (const e of document.querySelectorAll('main *')) {
    const box = e.getBoundingClientRect();
    // The contents drawer waits outside of a narrow window until it is called.
    if (!box.width || !box.height || e.closest('.bd-sidebar-secondary')) continue;
    if ((box.right > wide + 1 || box.left < -1) && !scrolls(e))
      out.push(`<${e.tagName.toLowerCase()} class="${e.getAttribute('class') ?? ''}"> `
        + `from ${Math.round(box.left)} to ${Math.round(box.right)} of ${wide}`);
  }
  return out.slice(0, 8);
}"""

NAMELESS_PICTURES = """() => [...document.querySelectorAll('img, [role=img]')]
  .filter(e => !e.closest('[aria-hidden=true]'))
  .filter(e => e.tagName === 'IMG'
    ? !e.hasAttribute('alt') || (!e.alt.trim() && !e.closest('.navbar-brand'))
    : !['aria-label', 'aria-labelledby'].some(a => e.getAttribute(a)) && !e.querySelector('title'))
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", [*PAGES, *GENERATED, "index"])
def test_a_page_loads_alone_and_quietly(open_page, name):
    """No request to another host is attempted, nothing fails to load, the console has no error."""
    opened = open_page(name)
    assert opened.faults == []
    if name != "index":
        assert opened.page.locator("h1:visible").count() == 1
        assert opened.page.evaluate(NAMELESS_PICTURES) == []


@pytest.mark.parametrize("name", PAGES)
def test_explorers_are_alive(open_page, name):
    """Each mount point of the page became an explorer that draws, over http and from the disk."""
    for over in ("http", "file"):
        opened = open_page(name, over=over)
        drawn = opened.page.evaluate(
            "() => [...document.querySelectorAll('.cw-explorer')].map("
            "e => e.hasAttribute('data-ready') && e.querySelectorAll('svg, canvas').length > 0)"
        )
        assert all(drawn), f"{name} over {over}: {drawn}"
        assert opened.faults == []


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("name", [*PAGES, *GENERATED])
def test_nothing_is_wider_than_the_window(open_page, name, size):
    opened = open_page(name, size=size)
    assert opened.page.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, "search"])
def test_axe_finds_nothing_serious(open_page, name, scheme):
    opened = open_page(name, scheme=scheme)
    page = opened.page
    assert page.evaluate("() => document.documentElement.dataset.theme") == scheme
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf8"))
    report = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert report["passes"], "axe looked at nothing"
    serious = [
        f"{violation['impact']} {violation['id']}: {node['target']} {node['html'][:160]}"
        for violation in report["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert serious == []


def test_search_finds_a_page(open_page):
    """A word typed into the search field leads to the page that holds it, with the word marked."""
    opened = open_page("book/welcome")
    page = opened.page
    page.keyboard.press("Control+k")
    field = page.locator("dialog input[type=search], .search-button__wrapper input").first
    field.fill("checkerboard")
    field.press("Enter")
    page.wait_for_url("**/search.html?*")
    hit = page.locator("#search-results li a", has_text="Bibliography").first
    hit.wait_for()
    hit.click()
    page.wait_for_url("**/bibliography.html*")
    assert opened.faults == []


def test_search_says_so_when_there_is_nothing(open_page):
    opened = open_page("search", query="?q=xyzzyplugh")
    opened.page.get_by_text("did not match any documents").wait_for()
    assert opened.faults == []
