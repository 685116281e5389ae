"""The predictions' answers: one is right and says why, each wrong one names its slip, all are open to all.

They are native disclosures in the notebooks' Markdown. So they need no kernel and no script, on the
page as in JupyterLab, Colab and VS Code, and there is nothing that could be sent anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import nbformat
import pytest
from test_pages import OVERFLOW

from notebooks import CHAPTERS
from quiz_facts import FACTS
from quizzes import PREDICT, Question, plain, questions

TAGS = {"div", "details", "summary", "p", "b", "code", "em"}
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


def read(path):
    return list(questions(nbformat.read(path, as_version=4)))


ALL = {path: read(path) for path in CHAPTERS}
EACH = [
    pytest.param(path, question, id=f"{path.stem}-{number}")
    for path, found in ALL.items()
    for number, question in enumerate(found)
]
each_question = pytest.mark.parametrize("path, question", EACH)


def right(question: Question):
    found = [option for option in question.options if option.right]
    assert len(found) == 1, f"{len(found)} right answers: {question.asked}"
    return found[0]


def place(question: Question) -> int:
    return [option.right for option in question.options].index(True)


def test_there_are_quizzes():
    assert EACH
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        asked = sum(PREDICT in cell.source for cell in cells if cell.cell_type == "markdown")
        assert len(ALL[path]) == asked


@each_question
def test_one_answer_is_right_and_all_are_explained(path, question):
    assert 3 <= len(question.options) <= 4, question.asked
    assert sum(option.right for option in question.options) == 1, question.asked
    for option in question.options:
        verdict = "Right. " if option.right else "No. "
        assert option.why.startswith(verdict), option
        reason = option.why.removeprefix(verdict)
        # "Last in, first out." is a reason, a verdict alone is none
        assert len(reason.split()) >= (3 if option.right else 6), option
        assert reason.endswith((".", ")")), option


@each_question
def test_no_answer_and_no_reason_stands_twice(path, question):
    says = Counter(plain(option.says) for option in question.options)
    why = Counter(plain(option.why) for option in question.options)
    assert max(says.values()) == max(why.values()) == 1, question.asked


@each_question
def test_the_markup_reads_the_same_everywhere(path, question):
    """A blank line would end the HTML, and what is not on the list may be taken out by a host."""
    assert "\n\n" not in question.markup
    assert set(question.tags) <= TAGS
    assert question.attributes <= {"class", "role", "aria-label"}
    assert "`" not in question.markup and "$" not in question.markup


@each_question
def test_the_right_answer_is_what_the_cell_shows(path, question):
    """Its numbers stand in the question, the code, the output or the words after it; or in a fact."""
    if any(plain(question.asked).startswith(plain(start)) for _, start in FACTS):
        return  # computed below
    seen = set(NUMBER.findall(question.asked + " " + question.after))
    missing = [number for number in NUMBER.findall(right(question).says) if number not in seen]
    assert not missing, f"{question.asked[:60]}: {missing}"


@pytest.mark.parametrize("chapter, start", FACTS, ids=lambda value: value[:24])
def test_the_right_answer_is_what_pytorch_says(chapter, start):
    """Computed apart from the notebook; and no wrong answer says the same."""
    path = next(path for path in CHAPTERS if path.stem == chapter)
    (question,) = (q for q in ALL[path] if plain(q.asked).startswith(plain(start)))
    pieces = [plain(piece) for piece in FACTS[chapter, start]()]
    assert pieces
    for option in question.options:
        holds = all(piece in plain(option.says) for piece in pieces)
        assert holds == option.right, f"{option.says!r} and {pieces}"


def test_most_answers_are_computed():
    """A question without a fact asks for words, a time or a picture."""
    numeric = sum(bool(NUMBER.search(right(q).says)) for found in ALL.values() for q in found)
    assert len(FACTS) >= 0.6 * len(EACH) and len(FACTS) >= 0.75 * numeric


def test_the_place_of_the_right_answer_tells_nothing():
    places = Counter(place(question) for found in ALL.values() for question in found)
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 0.4 * len(EACH), places
    for path, found in ALL.items():
        here = Counter(place(question) for question in found)
        assert max(here.values()) <= 0.6 * len(found), f"{path.stem}: {here}"


# ---- in the browser ----

AXE = """(options) => axe.run('.cw-options', options).then((report) => ({
  looked: report.passes.length,
  found: report.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes[0].html}`),
}))"""
STATE = """() => ({
  open: document.querySelectorAll('.cw-option[open]').length,
  stored: [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie].flat().join(),
})"""


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_answers_open_by_keyboard_and_send_nothing(open_page, path):
    opened = open_page(f"notebooks/{path.stem}")
    page = opened.page
    sent = []

    def note(request) -> None:
        """A picture further down is fetched when it comes near; that says nothing of the reader.

        Nor does the page's icon, which the browser fetches when it finds the time.
        """
        picture = request.resource_type == "image" or request.url.endswith("/favicon.svg")
        if not picture or request.method != "GET" or "?" in request.url:
            sent.append(f"{request.method} {request.url}")

    page.on("request", note)
    before = page.evaluate(STATE)
    summaries = page.locator(".cw-option > summary")
    total = summaries.count()
    assert total == sum(len(question.options) for question in ALL[path])
    assert before["open"] == 0, "an answer that is open gives itself away"

    # From the first answer on, Tab leads through a question's answers; Enter and Space open.
    count = len(ALL[path][0].options)
    summaries.first.focus()
    for number in range(count):
        focused = (
            "() => document.activeElement === document.querySelectorAll('.cw-option > summary')"
        )
        assert page.evaluate(f"{focused}[{number}]"), f"Tab does not reach answer {number}"
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", "the focus is not seen"
        page.keyboard.press("Enter" if number % 2 else "Space")
        reason = page.locator(".cw-option > p").nth(number)
        assert reason.is_visible()
        page.keyboard.press("Tab")
    assert page.evaluate(STATE)["open"] == count, "an answer closed another"

    page.evaluate(
        "(from) => [...document.querySelectorAll('.cw-option > summary')].slice(from)"
        ".forEach((e) => e.click())",
        count,
    )
    after = page.evaluate(STATE)
    assert after["open"] == total
    assert after["stored"] == before["stored"] and sent == [] and opened.faults == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_open_answers_are_open_to_all(open_page, path):
    """axe finds nothing in them, of any weight, in both themes; on a phone they stay within it."""
    page = open_page(f"notebooks/{path.stem}", size="narrow").page
    page.evaluate("() => document.querySelectorAll('.cw-option').forEach((e) => (e.open = true))")
    assert page.evaluate(OVERFLOW) == []
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf8"))
    report = page.evaluate(AXE, {})
    assert report["looked"], "axe looked at nothing"
    assert report["found"] == []
    # The other theme has other colours and nothing else; all answers have the same ones.
    page.evaluate("() => (document.documentElement.dataset.theme = 'dark')")
    page.evaluate(
        "() => [...document.querySelectorAll('.cw-options')].slice(3).forEach((e) => e.remove())"
    )
    report = page.evaluate(AXE, {"runOnly": ["color-contrast"]})
    assert report["looked"] and report["found"] == []
    least = page.evaluate(
        "() => Math.min(...[...document.querySelectorAll('.cw-option > summary')]"
        ".map((e) => e.getBoundingClientRect().height))"
    )
    assert least >= 44, f"an answer is {least} px high: too small for a finger"


def test_a_screen_reader_hears_a_group_of_answers(open_page):
    """The browser's tree for readers has the group's name, and each answer as a button to open."""
    page = open_page("notebooks/01-one-window").page
    group = page.get_by_role("group", name="What do you predict?").first
    tree = group.aria_snapshot()
    for option in ALL[CHAPTERS[0]][0].options:
        assert plain(option.says) in tree.replace("`", "")


def test_answers_open_without_scripts(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{site}/notebooks/01-one-window.html")
        option = page.locator(".cw-option").first
        option.locator("summary").click()
        assert option.locator("p").is_visible()
    finally:
        context.close()


def test_paper_says_where_the_answer_is(open_page):
    page = open_page("notebooks/01-one-window").page
    page.emulate_media(media="print")
    note = page.evaluate(
        "() => getComputedStyle(document.querySelector('.cw-options'), '::after').content"
    )
    assert "answer" in note
    assert not page.locator(".cw-option > p").first.is_visible()
