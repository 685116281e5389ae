"""Large type for a projector: switched on three ways, remembered, and nothing breaks by it."""

from __future__ import annotations

import pytest
from test_pages import LIFELESS, OVERFLOW, serious

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
