"""Every page of the built book, in a real browser: whole, quiet, within its width, open to all."""

from __future__ import annotations

from importlib.resources import files

import pytest

from covers import covered, open_all
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


LIFELESS = """() => [...document.querySelectorAll('.cw-explorer')]
  .filter(e => !e.hasAttribute('data-ready') || !e.querySelector('.cw-body *'))
  .map(e => `no life in ${e.outerHTML.slice(0, 160)}`)"""


def serious(page, within: list[str] | None = None, **options) -> list[str]:
    """What axe-core calls serious or critical on the open page, or in some parts of it."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf8"))
    report = page.evaluate(
        "([within, options]) => axe.run(within ?? document, options)", [within, options]
    )
    looked = ("passes", "violations", "incomplete", "inapplicable")
    assert any(report[kind] for kind in looked), "axe looked at nothing"
    return [
        f"{violation['impact']} {violation['id']}: {node['target']} {node['html'][:160]}"
        for violation in report["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("name", [*PAGES, *GENERATED])
def test_a_page_is_whole(open_page, name):
    """At 1280 px: no request to another host, no error, explorers alive, all within, open to all."""
    opened = open_page(name)
    page = opened.page
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"
    assert page.locator("h1:visible").count() == 1
    found = [*opened.faults, *page.evaluate(LIFELESS), *page.evaluate(OVERFLOW)]
    found += [f"a picture without words: {html}" for html in page.evaluate(NAMELESS_PICTURES)]
    assert found + serious(page) == []
    if covered(page):
        open_all(page)
        assert page.evaluate(OVERFLOW) + serious(page, within=[".cw-answer"]) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_in_the_dark(open_page, name):
    """In the dark theme every text keeps its contrast."""
    opened = open_page(name, scheme="dark")
    assert opened.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    contrast = {"type": "rule", "values": ["color-contrast"]}
    if covered(opened.page):
        assert serious(opened.page, within=[".cw-cover", ".cw-always"], runOnly=contrast) == []
        open_all(opened.page)
    assert opened.faults + serious(opened.page, runOnly=contrast) == []


@pytest.mark.parametrize("name", [*PAGES, *GENERATED])
def test_a_page_fits_a_phone(open_page, name):
    """At 390 px nothing is wider than the window, and what scrolls can be reached by keyboard."""
    opened = open_page(name, size="narrow")
    if covered(opened.page):
        open_all(opened.page)
    scrolling = {"type": "rule", "values": ["scrollable-region-focusable"]}
    found = [*opened.faults, *opened.page.evaluate(LIFELESS), *opened.page.evaluate(OVERFLOW)]
    assert found + serious(opened.page, runOnly=scrolling) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_the_disk(open_page, name):
    """Without any server the page is the same: explorers alive, nothing missing."""
    opened = open_page(name, over="file")
    assert opened.faults + opened.page.evaluate(LIFELESS) == []


def test_the_front_door_leads_to_the_welcome_page(open_page):
    opened = open_page("index")
    opened.page.wait_for_url(f"**/{PAGES[0]}.html")
    assert opened.faults == []


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


FOUND = """() => [...document.querySelectorAll('#search-results li > a')]
  .map((e) => new URL(e.href)).map((url) => url.pathname.split('/').pop() + url.hash)"""


@pytest.mark.parametrize(
    "query, page",
    [
        ("1x1 convolution", "glossary.html#"),
        ("two 3x3 instead of 5x5", "glossary.html"),
        ("3 by 3 kernel", "01-one-window.html"),
        ("mat1 and mat2 shapes", "questions.html"),
        ("upsampling", "glossary.html#"),
        ("maxpool", "glossary.html#"),
        ("toeplitz matrix", "glossary.html#term-Toeplitz-matrix"),
        ("gradient with respect to weights", "07-backward.html"),
        ("shift equivariance", "glossary.html#"),
        ("number of parameters", "glossary.html"),
        ("atrous", "glossary.html"),
        ("winograd quantum banana", "09-speed.html"),
        ("output size formula checkerboard stride", "08-transposed.html"),
    ],
)
def test_search_finds_what_people_type(open_page, query, page):
    """Other words for a thing, sizes however they are written, and words that the book does not have."""
    opened = open_page("search", query=f"?q={query}")
    opened.page.get_by_text("Search finished").wait_for()
    found = opened.page.evaluate(FOUND)
    assert any(name.startswith(page) for name in found), found
    opened.page.wait_for_function(
        "() => [...document.querySelectorAll('#search-results li')]"
        ".every((e) => e.querySelector('p, span'))"
    )
    assert opened.faults == []


def test_search_says_what_it_left_out(open_page):
    page = open_page("search", query="?q=winograd banana").page
    page.get_by_text("No page has: banana.").wait_for()
    page = open_page("search", query="?q=feature map size formula").page
    page.get_by_text("No page has all of these words").wait_for()
    scores = page.locator("#search-results li > a").evaluate_all(
        "a => a.map((e) => +e.dataset.score)"
    )
    assert len(scores) > 3 and scores == sorted(scores, reverse=True)


def test_the_magnifier_stands_beside_the_words(open_page):
    page = open_page("search", query="?q=stride").page
    icon = page.locator(".bd-main .bd-search .fa-magnifying-glass").bounding_box()
    field = page.locator(".bd-main .bd-search input")
    words = field.bounding_box()["x"] + field.evaluate(
        "e => parseFloat(getComputedStyle(e).paddingLeft)"
    )
    assert words >= icon["x"] + icon["width"] + 2


def test_a_formula_takes_one_line_where_there_is_room(open_page):
    """Its author broke it for a phone; on a phone it still breaks, and nothing is cut off."""
    lines = (
        "(e) => new Set([...e.querySelectorAll('mjx-container')].map((m) => m.offsetTop >> 4)).size"
    )
    for chapter, name in [("01-one-window", "eq-conv2d"), ("08-transposed", "eq-transposed-size")]:
        wide = open_page(f"notebooks/{chapter}").page.locator(f"#equation-{name}")
        narrow = open_page(f"notebooks/{chapter}", size="narrow").page.locator(f"#equation-{name}")
        assert wide.evaluate(lines) == 1 and wide.bounding_box()["height"] < 90
        assert narrow.evaluate(lines) == 2
        for formula in wide, narrow:
            assert formula.evaluate("e => e.scrollWidth <= e.clientWidth")
