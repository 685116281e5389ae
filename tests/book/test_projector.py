"""Large type for a projector: switched on three ways, remembered, and nothing breaks by it."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from test_pages import LIFELESS, OVERFLOW, serious
from test_teach import FILES, links_of

from notebooks import CHAPTERS

PAGES = [f"notebooks/{path.stem}" for path in CHAPTERS] + ["book/welcome", "book/cheat-sheet"]
ON = "() => document.documentElement.classList.contains('projector')"
# The height of a small letter's line, in pixels of the screen.
LINE = """selector => {
  const range = document.createRange(), node = document.querySelector(selector);
  range.selectNodeContents(node);
  return range.getClientRects()[0].height;
}"""
TEXT, CODE = ".bd-article section > p", "div.cell_input pre"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_in_large_type(open_page, name):
    """At 1920 by 1080: nothing overflows, explorers live, and it is as open to all as before."""
    opened = open_page(name, size="projector", query="?projector")
    page = opened.page
    assert page.evaluate(ON)
    assert not page.locator(".bd-sidebar-primary:visible, .bd-sidebar-secondary:visible").count()
    found = [*opened.faults, *page.evaluate(LIFELESS), *page.evaluate(OVERFLOW)]
    assert found + serious(page) == []


def test_text_code_and_explorers_are_larger(open_page):
    opened = open_page(PAGES[0], size="projector")
    page = opened.page
    cell = ".cw-explorer [role=gridcell]"
    small = [page.evaluate(LINE, selector) for selector in (TEXT, CODE)]
    small.append(page.locator(cell).first.bounding_box()["height"])
    page.keyboard.press("Alt+p")
    large = [page.evaluate(LINE, selector) for selector in (TEXT, CODE)]
    large.append(page.locator(cell).first.bounding_box()["height"])
    assert all(b > 1.5 * a for a, b in zip(small, large)), (small, large)
    assert large[0] > 30 and large[1] > 24
    assert opened.faults == []


def test_it_is_switched_and_remembered_in_the_tab(open_page):
    opened = open_page(PAGES[0], size="wide")
    page, button = opened.page, opened.page.locator(".btn-projector-button")
    base = page.url.rsplit("/notebooks/", 1)[0]
    assert not page.evaluate(ON) and button.get_attribute("aria-pressed") == "false"
    button.click()
    assert page.evaluate(ON) and button.get_attribute("aria-pressed") == "true"
    page.goto(f"{base}/{PAGES[1]}.html")
    assert page.evaluate(ON), "the next page forgot it"
    page.keyboard.press("Alt+p")
    assert not page.evaluate(ON)
    page.goto(f"{base}/{PAGES[0]}.html?projector")
    assert page.evaluate(ON)
    page.goto(f"{base}/{PAGES[0]}.html?projector=0")
    assert not page.evaluate(ON)
    assert opened.faults == []


def test_an_explorer_is_pointed_at_in_large_type(open_page):
    """What a pointer touches is what lies under it, though the page is enlarged."""
    opened = open_page(PAGES[0], size="projector", query="?projector")
    page = opened.page
    photo = page.locator(".cw-photo").first
    photo.scroll_into_view_if_needed()
    box = photo.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    state = page.locator(".cw-explorer:has(.cw-photo)").evaluate("e => e.cwState()")
    assert abs(state["column"] - 32) <= 1 and abs(state["row"] - 96) <= 1, state
    slider = page.locator(".cw-explorer input[type=range]").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert slider.evaluate("e => e.value === e.max")
    assert opened.faults == []


def test_a_phone_has_no_button_for_it(open_page):
    opened = open_page(PAGES[0], size="narrow", query="?projector")
    assert not opened.page.locator(".btn-projector-button").is_visible()
    assert opened.faults + opened.page.evaluate(OVERFLOW) == []


def test_a_chapter_leads_to_its_slides(open_page):
    opened = open_page(PAGES[0], size="wide")
    link = opened.page.locator(".btn-slides-button")
    assert link.get_attribute("href") == "../slides/01-one-window.html"
    with opened.page.expect_popup() as popup:
        link.click()
    # a window that has just been opened may not have its document yet
    popup.value.wait_for_function("() => document.documentElement?.dataset.ready")
    assert "One window" in popup.value.title()
    assert opened.faults == []


# What of an explorer is not within the window or lies under the page's head, and its smallest label.
SEEN = r"""id => {
  const explorer = document.getElementById(id), head = document.querySelector('.bd-header-article');
  const top = head.getBoundingClientRect().bottom - 1, out = [];
  const name = e => `<${e.tagName.toLowerCase()} ${e.getAttribute('class') ?? ''}>`;
  for (const e of explorer.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), { left, right, bottom } = box;
    if (!box.width || !box.height || e.closest('.cw-note') || !e.checkVisibility()) continue;
    if (box.top < top || left < -1 || right > innerWidth + 1 || bottom > innerHeight + 1)
      out.push(`${name(e)} from ${left | 0}, ${box.top | 0} to ${right | 0}, ${bottom | 0}`);
  }
  const sentence = explorer.querySelector('.cw-sentence');
  const size = parseFloat(getComputedStyle(sentence).fontSize) * sentence.currentCSSZoom;
  return [out.slice(0, 5), size];
}"""
# The sentence of an explorer at 1280 by 720, in pixels of the screen.
READABLE = 13


@pytest.mark.parametrize("size, least", [("slides", READABLE), ("projector", 1.5 * READABLE)])
def test_a_linked_explorer_is_on_the_screen_whole(open_page, size, least):
    """Each that a plan or a note for lecturers links: controls, figure, formulas and sentence."""
    links = sorted({link for name in FILES for link in links_of(name)})
    opened, number, shown, found = None, None, None, []
    for file, fragment, call in links:
        if file != number:
            name = file.removesuffix(".html")
            opened, number = open_page(name, size=size, query=f"?projector#{fragment}"), file
            opened.page.wait_for_selector(".cw-large")
        elif fragment != shown:
            opened.page.evaluate("hash => { location.hash = hash; }", fragment)
        shown = fragment
        opened.page.wait_for_timeout(200)  # what has grown is fitted once more
        cut, text = opened.page.evaluate(SEEN, unquote(fragment).partition("?")[0])
        if cut or text < least:
            found.append(f"{call}: {cut}, {text:.1f} px")
        assert not opened.faults
    assert len(links) > 30 and found == []


def test_an_explorer_that_grows_stays_within_the_window(open_page):
    """And gets its own size back as the large type is switched off."""
    opened = open_page("notebooks/03-strides", size="slides", query="?projector")
    page = opened.page
    page.wait_for_selector(".cw-large")
    explorer = page.locator(".cw-explorer").first
    explorer.evaluate("e => e.cwSet({ layers: Array(4).fill(e.cwState().layers[0]) })")
    page.wait_for_function(
        "() => document.querySelector('.cw-large').getBoundingClientRect().height < innerHeight"
    )
    page.keyboard.press("Alt+p")
    assert explorer.evaluate("e => e.style.zoom") == ""
    assert not page.locator(".cw-large").count()
    assert opened.faults == []
