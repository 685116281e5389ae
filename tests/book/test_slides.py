"""Every slide of every deck in a real browser: whole, within the screen, alive, printable, and timed."""

from __future__ import annotations

import re

import pytest

from notebooks import CHAPTERS
from slide_deck import deck
from slide_text import blocks, sentences
from slides import clock, spoken

NAMES = [path.stem for path in CHAPTERS]
LECTURE = (40, 50)  # minutes, where a chapter says itself how long its slides take
SMALLEST = 0.7  # deck.js makes type no smaller than this part of its size

# What is wrong with the slide that is shown, all fragments visible.
WRONG = r"""() => {
  const slide = Reveal.getCurrentSlide(), out = [], wide = innerWidth, high = innerHeight;
  const main = slide.querySelector('.main');
  const name = e => `<${e.tagName.toLowerCase()} ${e.className}>`;
  if (!main) return ['the slide has no body'];
  for (const e of slide.querySelectorAll('.page, .page *')) {
    if (e.closest('mjx-assistive-mml, .live')) continue;
    const box = e.getBoundingClientRect();
    const beside = box.right > wide + 1 || box.bottom > high + 1 || box.left < -1 || box.top < -1;
    if (box.width && box.height && beside)
      out.push(`${name(e)} to ${Math.round(box.right)}, ${Math.round(box.bottom)}`);
  }
  for (const e of slide.querySelectorAll('.main, .right, .live, pre, table'))
    if (e.scrollHeight > e.clientHeight + 1 || (!e.matches('table') && e.scrollWidth > e.clientWidth + 1))
      out.push(`${name(e)} holds more than it shows`);
  for (const e of slide.querySelectorAll('img')) {
    if (!e.complete || !e.naturalWidth) out.push(`no picture: ${e.src}`);
    else if (e.getBoundingClientRect().height < 150) out.push(`a tiny picture: ${e.src}`);
    if (!e.alt) out.push(`no words for ${e.src}`);
  }
  for (const e of slide.querySelectorAll('.main .math'))
    if (!e.querySelector('mjx-container') || e.querySelector('mjx-merror'))
      out.push(`no formula: ${e.textContent}`);
  const words = slide.querySelector('.page').innerText;
  if (!words.trim()) out.push('an empty slide');
  if (!main.querySelector('pre, .live') && /\\\(|\\\[|\$\$|\*\*|\]\(/.test(words))
    out.push(`raw marks: ${words}`);
  for (const e of slide.querySelectorAll('.cw-explorer')) {
    if (!('ready' in e.dataset) || !e.querySelector('.cw-body *')) out.push('no life in an explorer');
    if (!(Number(e.style.zoom) >= 0.8)) out.push(`an explorer at ${e.style.zoom} of its size`);
  }
  if (Number(main.style.getPropertyValue('--fit') || 1) < SMALLEST) out.push('type too small');
  return out.map(text => `${location.hash}: ${text}`);
}"""

NEXT = """() => {
  if (Reveal.isLastSlide()) return false;
  do Reveal.next(); while (Reveal.getCurrentSlide() === window.lastSlide);
  return true;
}"""

SHOWN = """() => {
  window.lastSlide = Reveal.getCurrentSlide();
  lastSlide.querySelectorAll('.fragment').forEach(e => e.classList.add('visible'));
  return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@pytest.fixture
def open_deck(open_page):
    """Open a deck and wait until reveal.js runs it."""

    def opener(name: str, **options):
        opened = open_page(f"slides/{name}", **({"size": "slides"} | options))
        opened.page.wait_for_function("() => document.documentElement.dataset.ready")
        return opened

    return opener


@pytest.mark.parametrize("name", NAMES)
def test_every_slide_is_whole(open_deck, name):
    """From the first slide to the last by the way that the lecturer goes; then on a larger screen."""
    opened = open_deck(name)
    page = opened.page
    found, seen = [], 1
    page.evaluate(SHOWN)
    found += page.evaluate(WRONG.replace("SMALLEST", str(SMALLEST - 0.001)))
    while page.evaluate(NEXT):
        seen += 1
        page.evaluate(SHOWN)
        found += page.evaluate(WRONG.replace("SMALLEST", str(SMALLEST - 0.001)))
    assert seen == page.evaluate("() => Reveal.getTotalSlides()")
    assert opened.faults + found == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    shown = page.locator("section.present:not(.stack) > .page")
    page.wait_for_function("() => Reveal.getScale() === 1.5")
    box = shown.bounding_box()
    assert (box["width"], box["height"]) == (1920, 1080)


def test_a_slides_number_is_its_address(open_deck):
    """Typed into the address, written there by the deck, behind the number, and after key G."""
    name = NAMES[0]
    opened = open_deck(name, query="#/23")
    page = opened.page
    here = "() => [Reveal.getSlidePastCount() + 1, location.hash, Reveal.getCurrentSlide().id]"
    assert page.evaluate(here) == [23, "#/23", "23"]
    last = page.evaluate("() => Reveal.getTotalSlides()")
    for number in range(1, last + 1):
        page.evaluate("hash => { location.hash = hash; }", f"/{number}")
        page.wait_for_function("n => Reveal.getCurrentSlide().id === n", arg=str(number))
        assert page.evaluate("() => Reveal.getSlidePastCount() + 1") == number
        assert page.locator(".slide-number-a").inner_text() == str(number)
        assert page.locator(".slide-number a").get_attribute("href") == f"#/{number}"
    # A fragment stands behind the slide's number.
    page.evaluate("() => Reveal.slide(0)")
    while not page.evaluate("() => Reveal.getIndices().f >= 0"):
        page.keyboard.press("ArrowRight")
    number = page.evaluate("() => Reveal.getSlidePastCount() + 1")
    page.wait_for_function("hash => location.hash === hash", arg=f"#/{number}/0")
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.ready")
    assert page.evaluate(here) == [number, f"#/{number}/0", str(number)]
    assert page.evaluate("() => Reveal.getIndices().f") == 0
    page.keyboard.press("g")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#/12'")
    assert opened.faults == []


def explorers(page) -> list:
    return page.evaluate(
        "() => [...document.querySelectorAll('.cw-explorer')]"
        ".map(e => Reveal.getIndices(e.closest('section')))"
    )


@pytest.mark.parametrize("name", NAMES)
def test_explorers_answer_on_their_slides(open_deck, name):
    """Arrow keys move in the explorer and not the slides; Page down goes on from within it."""
    opened = open_deck(name)
    page = opened.page
    places = explorers(page)
    for place in places:
        page.evaluate("({h, v}) => Reveal.slide(h, v)", place)
        live = page.locator("section.present:not(.stack) .cw-explorer")
        state = "e => JSON.stringify([e.cwState?.(), e.querySelector('input').value])"
        for key in ("ArrowRight", "ArrowLeft"):  # one of them can move, wherever the slider stands
            before = live.evaluate(state)
            live.locator("input[type=range]").first.focus()
            page.keyboard.press(key)
            if live.evaluate(state) != before:
                break
        assert live.evaluate(state) != before, "the slider moves nothing"
        assert page.evaluate("() => Reveal.getIndices()")["h"] == place["h"]
        page.keyboard.press(" ")
        assert page.evaluate("() => Reveal.getIndices()")["v"] == place["v"], (
            "space turned the slide"
        )
        cell = live.locator(
            "[role=gridcell][tabindex='0'], svg [tabindex='0'], svg[tabindex='0']"
        ).first
        if cell.count():
            cell.focus()
            page.keyboard.press("ArrowRight")
        page.keyboard.press("PageDown")
        after = page.evaluate("() => Reveal.getIndices()")
        assert (after["h"], after["v"]) != (place["h"], place["v"]), "Page down did not go on"
        assert page.evaluate("() => document.activeElement === document.body")
    assert opened.faults == []


@pytest.mark.parametrize("name", [name for name in NAMES if name < "09"])
def test_an_explorers_words_and_code_can_be_read_on_a_slide(open_deck, name):
    """At 1280 by 720; the code lies over the explorer, which stays as large as it was."""
    opened = open_deck(name)
    page = opened.page
    places = explorers(page)
    assert places
    for place in places:
        page.evaluate("({h, v}) => Reveal.slide(h, v)", place)
        live = page.locator("section.present:not(.stack) .cw-explorer")
        size = "e => parseFloat(getComputedStyle(e).fontSize) * e.currentCSSZoom"
        assert live.locator(".cw-sentence").evaluate(size) >= 16
        before = live.evaluate("e => e.style.zoom")
        live.get_by_role("button", name="Code").click()
        code = live.locator(".cw-code")
        assert code.locator("pre").first.evaluate(size) >= 14.9
        box, slide = code.bounding_box(), page.viewport_size
        assert box["y"] >= 0 and box["y"] + box["height"] <= slide["height"] + 1
        assert live.evaluate("e => e.style.zoom") == before
        live.get_by_role("button", name="Code").click()
    assert opened.faults == []


@pytest.mark.parametrize("name", NAMES)
def test_a_deck_prints_one_page_a_slide(open_deck, name):
    opened = open_deck(name, query="?print-pdf")
    page = opened.page
    page.wait_for_selector(".pdf-page")
    slides = page.locator("section[data-timing]").count()
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == slides > 10
    sheets = page.locator(".pdf-page")
    assert sheets.evaluate_all("all => all.every(e => e.scrollHeight <= e.clientHeight + 1)")
    assert opened.faults == []


# How a right answer looks beside a wrong one on paper, and whether a question's slide shows the output.
PRINTED = """() => {
  const KEYS = ['outlineStyle', 'backgroundColor', 'color', 'fontWeight'];
  const look = e => KEYS.map(key => getComputedStyle(e)[key]).join();
  const unlike = e => look(e.querySelector('.correct')) !== look(e.querySelector('li:not(.correct)'));
  const answers = [...document.querySelectorAll('.pdf-page .options')];
  const told = [...document.querySelectorAll('.pdf-page .page:has(.predict) .fragment pre.print')];
  return [answers.length, answers.filter(unlike).length,
    told.length, told.filter(e => getComputedStyle(e).visibility === 'visible').length];
}"""


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_print_gives_no_prediction_away(open_deck, name):
    """It can be handed out; the one with notes is the lecturer's, and has the answers marked."""
    page = open_deck(name, query="?print-pdf").page
    page.wait_for_selector(".pdf-page")
    page.emulate_media(media="print")
    answers, marked, outputs, shown = page.evaluate(PRINTED)
    assert answers >= 7 and (marked, shown) == (0, 0)
    page = open_deck(name, query="?print-pdf&showNotes=separate-page").page
    page.wait_for_selector(".pdf-page")
    page.emulate_media(media="print")
    assert page.evaluate(PRINTED) == [answers, answers, outputs, outputs]


def test_a_deck_on_the_screen_prints_one_sheet_that_says_what_to_print(open_deck):
    opened = open_deck(NAMES[0])
    page = opened.page
    sheet = page.locator(".on-paper")
    assert not sheet.is_visible()
    for options in ({"format": "A4"}, {"format": "A4", "landscape": True}):
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(**options))) == 1
    page.emulate_media(media="print")
    assert f"{NAMES[0]}.html?print-pdf" in sheet.inner_text()
    assert not page.locator(".reveal").is_visible()
    page.goto(page.url.split("#")[0].replace(NAMES[0], "index"))
    assert page.locator("table").is_visible(), "the list of decks prints as it is"


def test_the_speakers_window_shows_notes_and_the_clock(open_deck):
    opened = open_deck(NAMES[0])
    page = opened.page
    page.keyboard.press("ArrowRight")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    window = popup.value
    window.wait_for_function(
        "() => document.querySelector('.speaker-controls-notes .value')?.innerText"
    )
    told = window.locator(".speaker-controls-notes .value").inner_text()
    assert re.search(r"\d min, until \d+.* min of \d+", told)
    assert window.locator(".speaker-controls-time").inner_text()
    assert opened.faults == []


def test_the_index_names_every_deck(open_page):
    opened = open_page("slides/index")
    links = opened.page.locator("tbody tr td:first-child a").evaluate_all(
        "all => all.map(e => e.getAttribute('href'))"
    )
    assert links == [f"{name}.html" for name in NAMES]
    assert opened.faults == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_tells_its_slides(path, tmp_path):
    """Each slide has a note and a time; what the cells point to is there; a lecture fits its time."""
    made = deck(path, tmp_path)
    assert made.faults == []
    assert [n for n, slide in enumerate(made.slides, 1) if not any(slide.notes)] == []
    timed = [slide.minutes > 0 or slide.exercise > 0 for slide in made.slides]
    assert all(timed), f"slide {timed.index(False) + 1} has no time"
    if made.tagged:
        assert LECTURE[0] <= made.minutes <= LECTURE[1], f"{made.minutes} minutes"
        assert made.exercises >= 15
    for slide in made.slides:
        kinds = [block.kind for block in slide.blocks]
        # A prediction is made before its answer is shown: the answer waits for a click.
        if "predict" in kinds:
            after = slide.blocks[kinds.index("predict") :]
            assert all(one.fragment for one in after if one.kind == "print"), slide.heading
        assert "explorer" not in kinds or len(kinds) == 1
    solutions = sum("solution" in block.words for slide in made.slides for block in slide.blocks)
    assert solutions == 0


def test_a_slide_shows_the_sentences_that_are_named():
    source = "## A title\n\nFirst one. Second `x`, not 2.5. Third?\n\n**Predict.** What now?\n"
    told = blocks(source, "notebooks/01-one-window", ["Second x", "Nowhere"])
    assert [block.kind for block in told.blocks] == ["heading", "text", "predict"]
    assert told.blocks[1].words == "Second x, not 2.5."
    assert told.unused == ["Nowhere"]
    assert "First one." in told.rest[0] and "Third?" in told.rest[0]
    ruled = blocks(source, "notebooks/01-one-window", None)
    assert ruled.blocks[1].words == "First one."


def test_sentences_end_where_a_reader_ends_them():
    from bs4 import BeautifulSoup

    paragraph = (
        "<p><strong>Never.</strong> It is 5 − 3, e.g. 2. See <code>k</code>. <em>So</em> what?</p>"
    )
    found = sentences(BeautifulSoup(paragraph, "html.parser").p)
    assert (
        len(found) == 4
        and found[0] == "<strong>Never.</strong>"
        and found[3] == "<em>So</em> what?"
    )


def test_times_read_well():
    assert [clock(t) for t in (0.5, 1, 1.5, 45)] == ["½ min", "1 min", "1½ min", "45 min"]
    assert spoken("a < `b`") == "a &lt; <code>b</code>"
