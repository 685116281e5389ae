"""The pages for lecturers: minutes add up, links open the states they mean, and the answers are right."""

from __future__ import annotations

import json
import re
import sys
from math import prod
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from classroom import exercises, points_table, read

from address import ROOT
from notebooks import CHAPTERS
from pages import HTML
from slide_deck import deck
from slides import clock

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import teach

import convlib
from convlib import scatter_windows, windows
from convlib.explorers import (
    BackwardExplorer,
    EinsumExplorer,
    GroupsExplorer,
    MemoryExplorer,
    StrideExplorer,
    TransposedExplorer,
)

PAGES = ["index", "one-lecture", "two-lectures", "workshop", "notes", "kit", "jupyterhub"]
ROLE = re.compile(r"\{explorer\}`(.+?)\s*<(\d+): *(.+?\))>`", re.S)
FILES = {name: f"book/teach/{name}" for name in PAGES} | {"explorers": "book/explorers"}
TEXT = {name: (ROOT / f"{file}.md").read_text("utf8") for name, file in FILES.items()}
LINKS = sorted({(int(n), call) for text in TEXT.values() for _, n, call in ROLE.findall(text)})
EXERCISES = {one.number: one for path in CHAPTERS for one in exercises(read(path))}


# Plans.


def minutes(words: str) -> int:
    """'17' or '09:15' as minutes."""
    hours, _, rest = words.rpartition(":")
    return 60 * int(hours or 0) + int(rest)


def plan_rows(text: str) -> list[tuple[int, int, str]]:
    """Start, end and words of each row of the plans in a page."""
    rows = re.findall(r"^\| (\d[\d:]*)–(\d[\d:]*) \| (.*) \|$", text, re.M)
    return [(minutes(start), minutes(end), words) for start, end, words in rows]


def plans(name: str) -> list[list[tuple[int, int, str]]]:
    """The plans of a page, one a section."""
    return [rows for part in TEXT[name].split("\n## ") if (rows := plan_rows(part))]


@pytest.mark.parametrize(
    "name, spans",
    [
        ("one-lecture", [(0, 45)]),
        ("two-lectures", [(0, 90), (0, 90)]),
        ("workshop", [(9 * 60, 17 * 60)]),
    ],
)
def test_the_minutes_of_a_plan_add_up(name, spans):
    """Each row begins where the one before ends, and the whole is as long as the page says."""
    found = plans(name)
    assert [(rows[0][0], rows[-1][1]) for rows in found] == spans
    for rows in found:
        assert all(start < end for start, end, _ in rows)
        assert [row[1] for row in rows[:-1]] == [row[0] for row in rows[1:]]


@pytest.mark.parametrize("name", ["one-lecture", "two-lectures", "workshop"])
def test_every_row_that_shows_something_links_to_it(name):
    for rows in plans(name):
        shown = [words for _, _, words in rows if words.split("|")[-1].strip()]
        assert len(shown) >= len(rows) - 5
        assert all("](" in words or "{explorer}" in words for words in shown)


@pytest.mark.parametrize("name", ["two-lectures", "workshop"])
def test_exercises_fit_into_their_slots(name):
    """The minutes of the exercises named in a row are at most the row's; of "a or b" the longer."""
    checked = 0
    for rows in plans(name):
        for start, end, words in rows:
            if match := re.match(r"\*Exercises?\* ([\d., andor]*\d)", words):
                needed = [EXERCISES[number].minutes for number in re.findall(r"\d\.\d", match[1])]
                assert needed, words
                wanted = max(needed) if " or " in match[1] else sum(needed)
                assert wanted <= end - start, words
                checked += 1
    assert checked >= 4


def test_the_share_of_typing_is_the_one_that_is_promised():
    """The workshop says what share of the taught time belongs to exercises."""
    rows = plans("workshop")[0]
    breaks = sum(end - start for start, end, words in rows if re.match("Break|Lunch", words))
    typed = sum(end - start for start, end, words in rows if words.startswith("*Exercise"))
    share = typed / (rows[-1][1] - rows[0][0] - breaks)
    assert "a third of the taught time" in TEXT["workshop"]
    assert 0.28 < share < 0.38


def test_named_exercises_exist_and_the_homework_takes_as_long_as_said():
    for name, text in TEXT.items():
        # Neither code nor a program's version: "JupyterLab 4.6" names no exercise.
        words = re.sub(r"`[^`]*`|\bJupyter(Hub|Lab) \d+\.\d+", "", text)
        for number in re.findall(r"(?<![\d.])([1-9]0?\.[1-9])(?![\d.])", words):
            if number not in ("0.3", "1.5"):  # sizes, in MB and GB
                assert number in EXERCISES, f"{name}: exercise {number}"
    home = sum(EXERCISES[number].minutes for number in ("1.1", "1.2", "1.3", "3.1"))
    assert f"Exercises 1.1 to 1.3 and 3.1: {home} minutes" in " ".join(TEXT["one-lecture"].split())


# Notes.


def test_every_chapter_has_its_notes():
    """Goals, wrong ideas, questions, settings, exercises; in the order of the book."""
    parts = re.split(r"^## (\d+)\. (.+)$", TEXT["notes"], flags=re.M)[1:]
    numbers, titles, bodies = [int(n) for n in parts[::3]], parts[1::3], parts[2::3]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 8
    for number, title, body in zip(numbers, titles, bodies):
        notebook = read(teach.notebook(number))
        assert notebook.cells[0].source.splitlines()[0] == f"# {title}"
        for part in ("**Goals.**", "| a wrong idea | ask | you hear |", "**Ask the room.**"):
            assert part in body, f"chapter {number}: {part}"
        assert len(re.findall(r"^- \*.+\?\* ", body, re.M)) >= 3
        assert len(re.findall(r"^\| .+ \| .+ \| .+ \|$", body, re.M)) >= 4
        path = teach.notebook(number)
        explorers = teach._explorers(path, path.stat().st_mtime)
        assert len(ROLE.findall(body)) >= 3 or (not explorers and f"{path.name}#" in body)
        assert f"```{{exercises}} {number}\n" in body


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_late_lecturer_leaves_out_is_in_the_deck(path, tmp_path):
    """The notes name sections of the deck and their minutes, and so do the speaker's notes there."""
    body = re.search(rf"\n## {int(path.stem[:2])}\. .*?(?=\n## |\Z)", TEXT["notes"], re.S)[0]
    (line,) = re.findall(r"^\*\*Late with the slides\?\*\* Leave out (.+)\.$", body, re.M)
    named = re.findall(r"\*(.+?)\* \((.+? min)\)", line)
    sections: dict[str, list] = {}
    for slide in deck(path, tmp_path).slides:
        if not slide.extra and not slide.exercise:
            title = BeautifulSoup(slide.heading, "html.parser").get_text()
            sections.setdefault(title, []).append(slide)
    found = {
        title: clock(sum(slide.minutes for slide in slides))
        for title, slides in sections.items()
        if slides[0].notes[0].startswith("If time is")
    }
    assert found == dict(named) and named


@pytest.mark.parametrize("name", ["one-lecture", "two-lectures", "workshop"])
def test_a_link_to_a_section_says_its_title(name):
    """The slides have the same title, so a lecturer finds them."""
    links = re.findall(r"\[([^]]+)\]\([./]*/notebooks/([\w-]+)\.ipynb#([\w-]+)\)", TEXT[name])
    assert links
    for words, stem, anchor in links:
        if anchor != "exercises":
            source = (ROOT / "notebooks" / f"{stem}.ipynb").read_text("utf8")
            assert json.dumps(f"## {words}")[1:-1] in source, words
            assert "-".join(re.findall(r"\w+", words.lower())) == anchor


def plain(words: str) -> str:
    """Words as they are typed: the page has printer's quotation marks."""
    return words.translate(str.maketrans("“”‘’", "\"\"''"))


def test_the_tables_of_exercises_are_those_of_the_notebooks():
    """What the page shows is what the kit counts."""
    page = BeautifulSoup((HTML / "book/teach/notes.html").read_text("utf8"), "html.parser")
    shown = [
        tuple(plain(cell.get_text(strip=True)) for cell in row.select("td"))
        for row in page.select("table tr")
    ]
    kit = re.findall(r"^\| (\d+\.\d .+?) \| (\d+) \| (\d+) \|$", points_table(), re.M)
    rows = [row for row in shown if len(row) == 3 and re.match(r"\d+\.\d ", row[0])]
    noted = {int(n) for n in re.findall(r"```\{exercises\} (\d+)", TEXT["notes"])}
    assert len(noted) >= 8
    assert rows == [row for row in kit if int(row[0].split(".")[0]) in noted]


# Links to explorers.


def test_a_wrong_link_is_refused():
    for number, call, words in [
        (1, "WindowExplorer(size=11)", "size must be an integer from 1 to 10"),
        (1, "WindowExplorer(sizes=6)", "no setting named 'sizes'"),
        (1, "PaddingExplorer()", "chapter 1 shows no PaddingExplorer"),
        (1, "NoExplorer()", "there is no explorer NoExplorer"),
        (99, "WindowExplorer()", "there is no chapter 99"),
        (1, "print(1)", "is no call of an explorer"),
    ]:
        with pytest.raises(ValueError, match=re.escape(words)):
            teach.address(number, call)


@pytest.mark.parametrize("number, call", LINKS)
def test_a_link_says_the_whole_state(number, call):
    link = urlsplit(teach.address(number, call))
    pairs = parse_qsl(link.fragment.partition("?")[2], keep_blank_values=True)
    _, state = teach.state(call)
    read_back = {k: v if isinstance(state[k], str) else json.loads(v) for k, v in pairs}
    assert read_back == state


def test_the_sizes_beside_a_link_are_those_of_its_state():
    """The table of convolution arithmetic: `5, kernel 3, padding 1 → 5` beside the link that shows it."""
    rows = re.findall(r"^\| \{explorer\}`.+? <(\d+): (.+)>` \| (.+) \|$", TEXT["explorers"], re.M)
    assert len(rows) == 15
    for number, call, words in rows:
        _, state = teach.state(call)
        settings = {name: state[name] for name in ("stride", "padding")}
        if number == "1":
            settings["dilation"] = state["dilation"]
            size = convlib.output_size(state["size"], state["kernel_size"], **settings)
        else:
            settings["output_padding"] = state["output_padding"]
            size = convlib.transposed_output_size(state["size"], state["kernel_size"], **settings)
        said = [f"{state['size']}, kernel {state['kernel_size']}"]
        for name, value in settings.items():
            if value != (name in ("stride", "dilation")):
                said.append(f"{name.replace('_', ' ')} {value}")
        assert words == f"{', '.join(said)} → {size}", call


def links_of(name: str) -> list[tuple[str, str, str]]:
    """Page and fragment of each explorer link in the built page, and the call it was made of."""
    calls = [call for _, _, call in ROLE.findall(TEXT[name])]
    page = BeautifulSoup((HTML / f"{FILES[name]}.html").read_text("utf8"), "html.parser")
    hrefs = [tag["href"] for tag in page.select("a.explorer-link")]
    assert len(hrefs) == len(calls), name
    return [(*href.replace("../", "").split("#"), call) for href, call in zip(hrefs, calls)]


def differing(page, fragment: str, call: str) -> dict:
    """The settings in which the explorer on the page is not in the state of the call."""
    place = unquote(fragment).partition("?")[0]
    got = page.evaluate("id => document.getElementById(id).cwState()", place)
    return {k: (got[k], v) for k, v in teach.state(call)[1].items() if got[k] != v}


def test_links_open_the_state_they_mean(open_page):
    """In the browser: each link of the built pages puts its explorer in the state of its call.

    The first link of each chapter opens the page; the others are given to the open page, as when
    a lecturer clicks one while the chapter is on the screen.
    """
    links = sorted({link for name in FILES for link in links_of(name)})
    assert len(links) == len(LINKS) > 30
    opened, number, shown = None, None, None
    for file, fragment, call in links:
        if file != number:
            opened, number = open_page(file.removesuffix(".html"), query=f"#{fragment}"), file
        elif fragment != shown:  # two calls can mean one state: then there is no change to wait for
            opened.page.evaluate(
                """hash => new Promise((done) => {
                  addEventListener("hashchange", () => done(), { once: true });
                  location.hash = hash;
                })""",
                fragment,
            )
        shown = fragment
        assert differing(opened.page, fragment, call) == {}, call
        assert not opened.faults


@pytest.mark.parametrize("query", ["", "?projector"])
@pytest.mark.parametrize("chapter", ["01-one-window", "03-strides", "07-backward"])
def test_a_click_in_a_plan_leads_to_the_explorer(open_page, query, chapter):
    """From the plan to the chapter: the explorer is at the top of the screen, in its state.

    In large type too, which moves everything below while the page is loading.
    """
    opened = open_page("book/teach/one-lecture", query=query)
    file, fragment, call = next(link for link in links_of("one-lecture") if chapter in link[0])
    opened.page.locator(f'a.explorer-link[href$="#{fragment}"]').first.click()
    opened.page.wait_for_url(f"**/{file}**", wait_until="load")
    opened.page.wait_for_function("() => document.querySelector('.cw-explorer[data-ready]')")
    assert differing(opened.page, fragment, call) == {}
    explorer = opened.page.locator(".cw-explorer").first.element_handle()
    opened.page.wait_for_timeout(1000)  # formulas are set late; they may move it once more
    top = explorer.evaluate("el => el.getBoundingClientRect().top")
    assert -1 <= top < 300, f"{top:.0f} px"
    assert not opened.faults


# Answers: what the pages state, computed. Each line is a page, words of it, and whether they hold.


def counts(n: int, k: int, p: int = 0, s: int = 1) -> list[int]:
    """How often each of n pixels on a line is read."""
    ones = np.ones((1, n))
    view = windows(np.pad(ones, ((0, 0), (p, p))), k, s)
    return scatter_windows(view.copy(), (n + 2 * p,), s)[0, p : p + n].astype(int).tolist()


def size(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return convlib.output_size(n, k, s, p, d)


def says(explorer, words: str) -> bool:
    """Whether the explorer's own sentence has the words."""
    return words in explorer.still()[1]


def moves_right() -> bool:
    """A kernel with its one weight left of the middle moves a picture to the right."""
    image, kernel = np.arange(25.0).reshape(1, 5, 5), np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1, 0] = 1
    return np.array_equal(convlib.conv2d(image, kernel)[0], image[0, 1:-1, :-2])


def written_in_place() -> list[int]:
    line = np.zeros(6, int)
    line[np.arange(4)[:, None] + np.arange(3)] += 1
    return line.tolist()


def added_twice() -> int:
    line, address = np.zeros(1, int), np.array([0, 0])
    line[address] += 1
    return line[0]


def printed(chapter: int) -> str:
    """What the cells of a chapter print, as stored."""
    cells = read(teach.notebook(chapter)).cells
    return "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))


def phases(kernel: list[float], stride: int) -> set[float]:
    """What a flat region becomes, phase by phase."""
    return {sum(kernel[phase::stride]) for phase in range(stride)}


LAYER = {"kernel_size": 3, "stride": 2}
CLAIMS = [
    ("one-lecture", "show the sum: −6", lambda: "sum: -6\n" in printed(1)),
    ("one-lecture", "padding 2, where all counts are 9", lambda: counts(5, 3, 2) == [3] * 5),
    ("one-lecture", "Nine: it has a place", lambda: counts(5, 3)[2] ** 2 == 9),
    ("one-lecture", "The four corners.", lambda: counts(6, 3) == [1, 2, 3, 3, 2, 1]),
    (
        "one-lecture",
        "2 3 3 3 2, so a corner is read 4 times",
        lambda: counts(5, 3, 1) == [2, 3, 3, 3, 2],
    ),
    ("one-lecture", "2, 2 and 3. At 6", lambda: [size(n, 3, 2) for n in (5, 6, 7)] == [2, 2, 3]),
    ("one-lecture", "At 6 the last cell is never read", lambda: counts(6, 3, 0, 2)[-1] == 0),
    ("one-lecture", "`(32, 16, 44, 60)`", lambda: (size(48, 5), size(64, 5)) == (44, 60)),
    ("two-lectures", "A view shows 18 numbers", lambda: prod(MemoryExplorer().shape) == 18),
    (
        "two-lectures",
        "In 16 bytes, eight numbers",
        lambda: MemoryExplorer().buffer == 16 == 8 * MemoryExplorer().itemsize,
    ),
    ("two-lectures", "shown up to three times", lambda: max(counts(8, 3)) == 3),
    (
        "two-lectures",
        "1 2 3 3 2 1. With `line[address] += 1` six ones",
        lambda: counts(6, 3) == [1, 2, 3, 3, 2, 1] and written_in_place() == [1] * 6,
    ),
    ("two-lectures", "9, without padding", lambda: convlib.transposed_output_size(4, 3, 2) == 9),
    (
        "two-lectures",
        "1, 2, 1, 2 … times. Kernel 4 writes 2",
        lambda: (
            says(TransposedExplorer(kernel_size=3, padding=0), "1, 1, 2, 1, 2, 1, 2, 1, 1")
            and says(TransposedExplorer(kernel_size=4, padding=0), "1, 1, 2, 2, 2, 2, 2, 2, 1, 1")
        ),
    ),
    ("two-lectures", "Lines of 5 and of 6 both", lambda: size(5, 3, 2) == size(6, 3, 2) == 2),
    (
        "workshop",
        "which stack sees 13 cells and reads 7",
        lambda: says(
            StrideExplorer(size=22, layers=[{"dilation": 2}] * 3), "7 input cells, 13 wide"
        ),
    ),
    ("notes", "18, in place of 54", lambda: torch.nn.Conv2d(3, 2, 3).weight.numel() == 54),
    ("notes", "6, or 2; it is 4", lambda: size(6, 3) == 4),
    ("notes", "the one that moves it to the left", moves_right),
    ("notes", "9; it is 4", lambda: counts(5, 3, 1)[0] ** 2 == 4),
    ("notes", "4; it is 5", lambda: size(5, 3, 1, 1) == 5),
    ("notes", "4 by 4; it is 5 by 3", lambda: (size(5, 3, 1, 1), size(5, 3)) == (5, 3)),
    ("notes", "2 and 1; they are 1 and 2", lambda: tuple(convlib.same_padding(4)) == (1, 2)),
    (
        "notes",
        "From 2 on, which is k − 1",
        lambda: len(set(counts(5, 3, 2))) == 1 < len(set(counts(5, 3, 1))),
    ),
    ("notes", "2; it is 3", lambda: size(7, 3, 2) == 3),
    ("notes", "an error, or 3; it is 2", lambda: size(6, 3, 2) == 2),
    ("notes", "6; it is 5", lambda: convlib.effective_kernel_size(3, 2) == 5),
    (
        "notes",
        "12; it is 9",
        lambda: says(StrideExplorer(size=9, layers=[{"kernel_size": 3}] * 4), "9 wide"),
    ),
    (
        "notes",
        ": 11 wide",
        lambda: says(
            StrideExplorer(size=16, layers=[LAYER, {"kernel_size": 3}, {"kernel_size": 3}]),
            "11 wide",
        ),
    ),
    ("notes", "(6, 2); they are (2, 8)", lambda: np.zeros((3, 4), np.int16).T.strides == (2, 8)),
    ("notes", "1 2 3 3 2 1; it is 1 1 1 1 1 1", lambda: written_in_place() == [1] * 6),
    (
        "notes",
        "index (6, 2) would read bytes 16 to 17",
        lambda: says(MemoryExplorer(preset="too far"), "index (6, 2) would read bytes 16 to 17"),
    ),
    ("notes", "M = 36, N = 8, K = 27", lambda: says(EinsumExplorer(), "M = 36, N = 8, K = 27")),
    (
        "notes",
        "fewer; it is the same number",
        lambda: (
            says(EinsumExplorer(summed=""), "15552 FLOPs") and says(EinsumExplorer(), "15552 FLOPs")
        ),
    ),
    (
        "notes",
        "take 14 million bytes",
        lambda: says(EinsumExplorer(n=8, i=64, h=28, w=28, o=64), "14450688 bytes"),
    ),
    (
        "notes",
        "48; they are 12",
        lambda: len(convlib.conv2d(np.ones((4, 5, 5)), np.ones((12, 1, 3, 3)), groups=4)) == 12,
    ),
    (
        "notes",
        "weight (12, 1, 3, 3)",
        lambda: says(GroupsExplorer(in_channels=4, out_channels=12, groups=4), "(12, 1, 3, 3)"),
    ),
    (
        "notes",
        "(12, 2, 3, 3)",
        lambda: says(GroupsExplorer(in_channels=4, out_channels=12, groups=2), "(12, 2, 3, 3)"),
    ),
    (
        "notes",
        "13; they are 7",
        lambda: says(
            StrideExplorer(size=22, layers=[{"dilation": 2}] * 3), "7 input cells, 13 wide"
        ),
    ),
    (
        "notes",
        "15 of 15 cells",
        lambda: says(
            StrideExplorer(size=22, layers=[{"dilation": d} for d in (1, 2, 4)]),
            "15 input cells, 15 wide",
        ),
    ),
    (
        "notes",
        "Up to 7, the gapless stretch",
        lambda: says(
            StrideExplorer(size=22, layers=[{"dilation": 1}, {"dilation": 2}]),
            "7 input cells, 7 wide",
        ),
    ),
    ("notes", "2; it is 1", lambda: added_twice() == 1),
    (
        "notes",
        "5; it was 5 or 6",
        lambda: [n for n in range(1, 12) if n >= 3 and size(n, 3, 2) == 2] == [5, 6],
    ),
    (
        "notes",
        "nine windows",
        lambda: says(BackwardExplorer(size=5, padding=0), "read by 9 windows"),
    ),
    (
        "notes",
        "none, and so 0",
        lambda: says(
            BackwardExplorer(size=6, stride=2, padding=0, row=5, column=5),
            "by no window; the shares add up to 0",
        ),
    ),
    ("notes", "7; it is 3", lambda: convlib.transposed_output_size(2, 3, 2, 1) == 3),
    ("notes", "flat; it has a pattern", lambda: len(phases([1, 4, 1, 2], 2)) == 2),
    (
        "notes",
        "7 and 8: the way back",
        lambda: [n for n in range(1, 12) if size(n, 3, 2, 1) == 4] == [7, 8],
    ),
    (
        "notes",
        "1 1 2 1 2 1 2 1 1 on each axis",
        lambda: says(TransposedExplorer(kernel_size=3, padding=0), "1, 1, 2, 1, 2, 1, 2, 1, 1"),
    ),
    (
        "notes",
        "Four, by Winograd, in place of six",
        lambda: "6 directly, 4 by Winograd" in printed(9),
    ),
    (
        "notes",
        "16 products in place of 36: how much faster? | 2.25 times",
        lambda: (2 + 2) ** 2 == 16 and 36 / 16 == 2.25,
    ),
    (
        "notes",
        "holds 14 pixels for 12 windows",
        lambda: "[ 6  7  8  9 10 11 12 13 14 15 16 17 18 19]" in printed(9),
    ),
    ("notes", "300; it is 5, the order alone", lambda: "no waiting       5.0\n" in printed(10)),
    (
        "notes",
        "19. By one copy and one product it is two",
        lambda: (
            "{'zeros': 1, 'einsum': 9, 'add': 9}" in printed(10)
            and "{'reshape': 1, 'matmul': 1}" in printed(10)
        ),
    ),
    (
        "notes",
        "multiplying; it is launching",
        lambda: re.search(r"^LeNet 1→6 +1 .* launch$", printed(10), re.M),
    ),
    (
        "notes",
        "In float16. TF32",
        lambda: re.search(r"^float16 .*100,000 is inf$", printed(10), re.M),
    ),
    ("notes", "it is a refusal", lambda: "all arrays must be of one library" in printed(10)),
    ("notes", ": 7 long", lambda: convlib.transposed_output_size(4, 3, 2, 1) == 7),
    ("notes", ": 8", lambda: convlib.transposed_output_size(4, 3, 2, 1, 1) == 8),
]


def shown_words(text: str) -> str:
    """A page's words on one line, with each explorer link as its words."""
    return " ".join(ROLE.sub(r"\1", text).split())


@pytest.mark.parametrize("name, words, holds", CLAIMS, ids=[words for _, words, _ in CLAIMS])
def test_what_the_pages_say_is_so(name, words, holds):
    assert words in shown_words(TEXT[name])
    assert holds()


def test_the_memory_table_names_every_chapter():
    """Each chapter has its measured line, and the advice is above the largest number."""
    rows = re.findall(r"^\| (\d\d-[\w-]+) \| (\d+) \| (\d+) \|$", TEXT["jupyterhub"], re.M)
    assert [name for name, _, _ in rows] == [path.stem for path in CHAPTERS][: len(rows)]
    assert len(rows) >= 8
    most = max(int(at_most) for _, _, at_most in rows)
    guarantee = int(re.search(r'mem_guarantee = "(\d+)M"', TEXT["jupyterhub"])[1])
    assert most < guarantee < 1.5 * most
    assert "with one chapter open is safe with 1 GB" in TEXT["jupyterhub"]


def test_the_commands_on_the_pages_exist():
    """Every `make` target and every file that the pages name is there."""
    makefile = (ROOT / "Makefile").read_text("utf8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = {word for text in TEXT.values() for word in re.findall(r"`make ([a-z-]+)`", text)}
    assert {"book", "classroom", "grader", "test-grader"} <= named <= targets
    for path in re.findall(r"`python (\S+\.py)`", TEXT["jupyterhub"]):
        assert (ROOT / path).is_file()
