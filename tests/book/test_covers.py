"""What a prediction asks for is covered until the reader has chosen, and never in a reader's way."""

from __future__ import annotations

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_pages import OVERFLOW, serious

from covers import covered, open_all, seen
from notebooks import CHAPTERS
from quizzes import PREDICT

FIRST = "notebooks/01-one-window"
TALL = "() => document.documentElement.scrollHeight"
LONG = 8  # letters of code: fewer stand everywhere
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def squeezed(code) -> str:
    """Code without its spaces."""
    return "".join(code.get_text().split())


def cells_after(cells, number: int) -> list:
    """The code cells with an output that follow a prediction at once."""
    found = []
    for cell in cells[number + 1 :]:
        if cell.cell_type != "code":
            break
        found.append(cell)
    return [cell for cell in found if cell.outputs]


@each_chapter
def test_each_prediction_has_its_output_covered(book, path):
    """One output each, the last of those that follow; but for a note that nothing was recorded."""
    cells = nbformat.read(path, as_version=4).cells
    expected = []
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and PREDICT in cell.source:
            # none where an explorer answers: it is never covered
            for last in cells_after(cells, number)[-1:]:
                said = "".join(str(one.get("data", one.get("text"))) for one in last.outputs)
                if "No GPU here" not in said and "cw-explorer" not in said:
                    expected.append(last.source)
    page = BeautifulSoup((book / f"notebooks/{path.stem}.html").read_text("utf8"), "html.parser")
    marked = page.select(".cw-answer")
    assert len(expected) > 4
    sources = [one.find_parent(class_="cell").select_one("pre").get_text() for one in marked]
    assert ["".join(s.split()) for s in sources] == ["".join(s.split()) for s in expected]
    assert len({one["id"] for one in marked}) == len(marked)
    assert not page.select(".cw-answer .cw-explorer, .tag_hide-cell .cw-answer")


@each_chapter
def test_the_words_that_say_what_came_out_are_covered_with_it(book, path):
    """Cells that check it, the paragraph behind it, its formula or its list; and nothing that leads on."""
    page = BeautifulSoup((book / f"notebooks/{path.stem}.html").read_text("utf8"), "html.parser")
    boxes = page.select(".cw-words")
    assert len(boxes) > 4
    for box in boxes:
        answer = page.find(id=box["id"].removesuffix("-words"))
        assert "cw-answer" in answer["class"]
        before = box.find_previous_sibling()
        assert "cell" in before["class"]
        parts = box.find_all(recursive=False)
        checks = [one for one in parts if "cell" in one.get("class", [])]
        assert parts[: len(checks)] == checks and not box.select(".cell_output")
        if parts == checks:
            continue
        first, *others = parts[len(checks) :]
        assert first.name in ("p", "ul", "ol", "div")
        assert all(one.name in ("ul", "ol") or "math" in one["class"] for one in others)
        assert not first.get_text().startswith("Predict.")
        assert not box.select("h2, h3, .cw-options, .cw-explorer, .cw-answer")
    for answer in page.select(".cw-answer"):
        after = answer.find_parent(class_="cell").find_next_sibling()
        if after is None or "cw-words" in after.get("class", []):
            continue
        asserts = "cell" in after.get("class", []) and not after.select(".cell_output")
        if asserts or after.name == "p" and not after.get_text().startswith("Predict."):
            raise AssertionError(f"open below {answer['id']}: {after.get_text()[:60]}")


@each_chapter
def test_code_that_is_an_option_is_covered_with_its_output(book, path):
    """Where the right option stands in the cell below word for word, and no wrong one does."""
    page = BeautifulSoup((book / f"notebooks/{path.stem}.html").read_text("utf8"), "html.parser")
    for answer in page.select(".cw-answer"):
        cell = answer.find_parent(class_="cell")
        code, options = cell.select_one(".cell_input"), cell.find_previous(class_="cw-options")
        right, wrong = (
            {squeezed(one) for one in options.select(f"{which} summary code")}
            for which in (".cw-right", ".cw-option:not(.cw-right)")
        )
        stands = {one for one in right | wrong if len(one) > LONG and one in squeezed(code)}
        covered = "tag_code-tells" in cell["class"]
        assert covered == ("cw-tells" in code["class"])
        assert covered or not stands or stands & wrong, stands
        assert not covered or code["id"] == f"{answer['id']}-code"


SPOILED = {
    "01-one-window": "computes a correlation",
    "02-padding": "The extra zero goes to the end.",
    "03-strides": "it was never read",
    "04-windows": "Always. The count is tight",
    "05-contraction": "(n, h, w, o): the letters",
}


@pytest.mark.parametrize("name, words", SPOILED.items(), ids=SPOILED)
def test_no_answer_stands_open_below_its_cover(open_page, name, words):
    page = open_page(f"notebooks/{name}").page
    said = page.locator(".cw-words p, .cw-words li").filter(has_text=words)
    seen_now = "e => e.checkVisibility({ visibilityProperty: true })"
    assert said.count() == 1 and not said.evaluate(seen_now)
    said.evaluate("e => e.closest('.cw-words').click()")
    assert said.evaluate(seen_now) and covered(page).count(False) == 1


@each_chapter
def test_covers_open_and_nothing_moves(open_page, path):
    """Each covered output has its own button, and is as high under its cover as it is open."""
    page = open_page(f"notebooks/{path.stem}").page
    buttons = page.get_by_role("button", name="Show what comes out", exact=True)
    assert all(covered(page)) and not any(seen(page))
    assert buttons.count() == len(covered(page))
    boxes = [button.bounding_box() for button in buttons.all()]
    assert min(box["height"] for box in boxes) >= 44
    assert serious(page, within=[".cw-cover", ".cw-always"]) == []
    before = page.evaluate(TALL)
    open_all(page)
    # a picture that had not come yet has its size from its attributes
    assert abs(page.evaluate(TALL) - before) <= 2
    assert buttons.count() == 0


def test_a_cover_keeps_the_height_when_the_window_changes_its_width(open_page):
    page = open_page(FIRST, size="narrow").page
    page.set_viewport_size({"width": 844, "height": 390})
    page.wait_for_timeout(200)
    assert all(covered(page))
    before = page.evaluate(TALL)
    open_all(page)
    assert abs(page.evaluate(TALL) - before) <= 2


def test_a_button_opens_by_keyboard_and_keeps_the_focus(open_page):
    opened = open_page(FIRST)
    page = opened.page
    button = page.locator(".cw-show").nth(1)
    ids = button.get_attribute("aria-controls").split()
    assert ids == ["comes-out-2-code", "comes-out-2", "comes-out-2-words"]
    code, output, words = (page.locator(f"#{id}") for id in ids)
    assert button.get_attribute("aria-expanded") == "false"
    assert button.text_content() == "Show what comes out"
    assert words.get_attribute("hidden") == code.get_attribute("hidden") == "until-found"
    assert output.get_attribute("hidden") == "until-found"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert button.evaluate(
        "e => e === document.activeElement && getComputedStyle(e).opacity === '1'"
    )
    assert covered(page).count(False) == 1 and seen(page)[1]
    assert button.text_content() == "Cover it again"
    page.keyboard.press("Space")
    assert all(covered(page)), "it does not cover again"
    output.click(position={"x": 5, "y": 5})
    assert not covered(page)[1], "the cover itself may be pressed too"
    assert opened.faults == []


def test_any_answer_opens_the_output_and_no_other(open_page):
    page = open_page(FIRST).page
    for number in (0, 2):
        options = page.locator(".cw-options").nth(number)
        options.locator("summary").last.click()
        page.wait_for_function(
            "(n) => !document.querySelectorAll('.cw-answer')[n].hidden", arg=number
        )
        options.locator("summary").last.click()
    assert [at for at, one in enumerate(covered(page)) if not one] == [0, 2]


def test_it_is_remembered_that_all_is_to_be_shown(open_page):
    opened = open_page(FIRST)
    page = opened.page
    box = page.get_by_role("checkbox", name="Always show what comes out")
    assert box.count() == 1
    box.focus()
    page.keyboard.press("Space")
    assert not any(covered(page))
    page.goto(page.url.replace("01-one-window", "02-padding"))
    assert not any(covered(page)) and len(covered(page)) > 5
    assert box.is_checked()
    box.uncheck()
    assert all(covered(page))
    page.reload()
    assert all(covered(page)) and opened.faults == []


def test_it_works_where_nothing_may_be_remembered(chromium, site):
    page = chromium.new_page()
    try:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
        )
        page.goto(f"{site}/{FIRST}.html")
        assert all(covered(page))
        page.get_by_role("checkbox", name="Always show what comes out").check()
        assert not any(covered(page))
    finally:
        page.close()


@pytest.mark.parametrize(
    "query, shown",
    [
        ("#fig-all-windows", [1]),
        ("#comes-out-3", [2]),
        ("#:~:text=multiplications%203456", [3]),
        ("?highlight=3456", [3]),
        ("#equation-eq-convolution", [5]),
        ("#:~:text=computes%20a%20correlation", [4]),
        ("?highlight=nobody%20minds", []),
        ("?highlight=translation%20equivariance", [8]),
        ("#%E0%A4%A", []),
    ],
)
def test_a_link_or_a_search_into_it_opens_it(open_page, query, shown):
    """An anchor, a link to a text, the marks of the book's search; and no other output."""
    opened = open_page(FIRST, query=query)
    opened.page.wait_for_timeout(300)
    assert [at for at, one in enumerate(covered(opened.page)) if not one] == shown
    if query.startswith("#fig"):
        top = opened.page.locator(query).bounding_box()["y"]
        assert 0 <= top < 300, "the link leads elsewhere"
    assert opened.faults == []


def test_a_link_on_the_page_opens_it(open_page):
    page = open_page(FIRST).page
    page.evaluate("() => (location.hash = 'fig-all-windows')")
    page.wait_for_function("() => !document.querySelector('#fig-all-windows').closest('[hidden]')")
    assert covered(page).count(False) == 1


def test_all_is_open_on_paper_in_large_type_and_without_scripts(open_page, chromium, site):
    page = open_page(FIRST).page
    assert not any(seen(page))
    page.emulate_media(media="print")
    assert all(seen(page)) and not page.locator(".cw-show:visible, .cw-always:visible").count()
    page = open_page(FIRST, size="projector", query="?projector").page
    assert all(seen(page)) and not page.locator(".cw-show:visible, .cw-always:visible").count()
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{site}/{FIRST}.html")
        outputs = page.locator(".cw-answer > *, .cw-words > *")
        assert outputs.count() and all(one.is_visible() for one in outputs.all())
    finally:
        context.close()


def test_a_phone_shows_covers_whole(open_page):
    page = open_page("notebooks/09-speed", size="narrow", scheme="dark").page
    assert all(covered(page)) and page.evaluate(OVERFLOW) == []
