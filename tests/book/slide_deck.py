"""A notebook's cells as slides: which cell begins one, what stands on it, how long it takes.

A cell says how it is shown in its metadata, and every part may be left out:

    "slideshow": {"slide_type": "slide"}      nbconvert's word: slide, subslide, fragment, skip, notes, -
    "slides": {
        "minutes": 2,                          or a list, one for each slide that the cell begins
        "notes": "Ask who …",                  or a list; for the lecturer alone
        "keep": ["A kernel is a question"],    the sentences shown, by their first words;
                                               "| " before them begins a slide
        "code": ["def conv2d_loops"],          the parts of the code shown, by their first words
        "drop": ["table", "print"],            kinds of blocks that are not shown
        "lead": true,                          the picture stands beside the question, before the code
        "extra": true                          at the end of the deck, for those who have the time
    }

Without metadata a rule decides: a heading begins a slide, code and pictures follow on their own, prose is
cut to the first sentence of each paragraph, and solutions and the set-up are left out.
"""

from __future__ import annotations

import base64
import html
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from slide_text import NARROW, Block, blocks

ROWS = 16.5  # lines of text that go below a slide's heading; the last of them make the type smaller
SIDE_ROWS = 18.0  # and beside a picture, in smaller type
BELOW = 4.5  # that go below a wide picture
LINE = 43  # the height of a line of text, in pixels
FOLD = 84  # characters after which a printed line is folded
LONGEST = 24  # lines of code on one slide
ALONE = {"explorer", "html"}  # nothing else stands on their slide
SKIPPED = {"remove-cell", "hide-cell"}
EXERCISE = re.compile(r"Exercise \d+\.\d+: .*\((\d+) minutes?\)")


@dataclass(eq=False)
class Slide:
    """One slide: what stands on it, and what the lecturer sees."""

    heading: str
    stack: bool  # it begins a new stack, in nbconvert's words: it is a slide, not a subslide
    blocks: list[Block] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    minutes: float = 0
    exercise: int = 0  # minutes of work, which are not the lecture's
    extra: bool = False  # not counted either
    level: int = 2

    @property
    def side(self) -> bool:
        """Whether a picture stands on the left and all else on the right."""
        others = [block for block in self.blocks if block.kind != "picture"]
        pictures = [block for block in self.blocks if block.kind == "picture"]
        if not pictures or not others:
            return False
        width, height = pictures[0].size
        return width < 1.6 * height or sum(_height(block) for block in others) > BELOW

    @property
    def height(self) -> float:
        """A guess, in lines of text."""
        if self.side:
            others = [block for block in self.blocks if block.kind != "picture"]
            return sum(_narrow(block) for block in others) * ROWS / SIDE_ROWS
        return sum(_height(block) for block in self.blocks if block.kind != "picture")

    @property
    def kind(self) -> str:
        kinds = {block.kind for block in self.blocks}
        if self.level == 1:
            return "title"
        if kinds & ALONE:
            return "explorer"
        return "beside" if self.side else "plain"


@dataclass
class Deck:
    """A chapter's slides."""

    name: str
    title: str
    slides: list[Slide]
    tagged: bool  # its cells say themselves how long they take
    faults: list[str]

    @property
    def minutes(self) -> float:
        return sum(slide.minutes for slide in self.slides if not slide.extra)

    @property
    def exercises(self) -> int:
        return sum(slide.exercise for slide in self.slides)


def _height(block: Block) -> float:
    if block.kind in ("code", "print"):
        columns, rows = block.size
        return rows * code_size(columns, rows) * 1.38 / LINE + 0.8
    return ROWS if block.kind in ALONE else block.lines + 0.4


def _narrow(block: Block) -> float:
    """A block's height beside a picture."""
    if block.kind in ("code", "print"):
        return block.size[1] * 0.62 + 0.6
    lines = math.ceil(len(block.words) / NARROW) if block.words else block.lines
    if block.kind in ("list", "options", "table"):
        lines = max(lines, block.lines) * 1.1
    return lines + 0.5


def code_size(columns: int, rows: int) -> int:
    """The type size in pixels at which so much code fits."""
    return max(16, min(26, int(1160 / 0.6 / max(columns, 1)), int(560 / 1.38 / max(rows, 1))))


def _size(text: str) -> tuple[int, int]:
    rows = text.rstrip("\n").split("\n")
    return max(map(len, rows)), len(rows)


def _code(text: str) -> Block:
    size = _size(text)
    body = highlight(text, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    px = code_size(*size)
    markup = f"<pre class='code' style='--size:{px}px'><code>{body}</code></pre>"
    return Block("code", markup, size=size)


def _print(text: str) -> Block:
    text = text.rstrip("\n")
    columns, rows = _size(text)
    if columns > FOLD:  # a sentence, such as a refusal, goes on in the next line
        columns, rows = FOLD, sum(1 + len(row) // FOLD for row in text.split("\n"))
    size = columns, rows
    px = code_size(*size)
    markup = (
        f"<pre class='print' style='--size:{px}px;--columns:{size[0]}'>{html.escape(text)}</pre>"
    )
    return Block("print", markup, size=size)


def paragraphs(source: str) -> list[str]:
    """Code cut where blank lines are; what is indented stays with what stands above it."""
    found: list[str] = []
    for part in re.split(r"\n\s*\n", source.strip("\n")):
        if found and part.startswith((" ", ")", "]", "}")):
            found[-1] += "\n\n" + part
        else:
            found.append(part)
    return found


def _part(parts: list[str], pointer: str) -> str | None:
    """The part of the code that begins so; or, from the line that begins so, the rest of its part."""
    for part in parts:
        if part.startswith(pointer):
            return part
    for part in parts:
        if (at := part.find("\n" + pointer)) >= 0:
            return part[at + 1 :]
    return None


def code_blocks(source: str, wanted: list[str] | None) -> tuple[list[Block], list[str]]:
    """The code of a cell, in as many blocks as it needs slides; and pointers to nothing."""
    parts = paragraphs(source)
    new = [False] * len(parts)
    unused = []
    if wanted is not None:
        chosen, new = [], []
        for one in wanted:
            hit = _part(parts, one.removeprefix("| "))
            if hit is None:
                unused.append(one)
                continue
            chosen.append(hit)
            new.append(one.startswith("| "))
        parts = chosen
    pages: list[str] = []
    for part, begins in zip(parts, new):
        blank = "\n\n\n" if part.startswith(("def ", "class ")) else "\n\n"
        together = pages[-1] + blank.replace("\n\n\n", "\n\n") + part if pages else part
        if pages and not begins and together.count("\n") < LONGEST:
            pages[-1] = together
        else:
            pages.append(part)
    return [_code(page) for page in pages], unused


def _picture(data: str, cell: nbformat.NotebookNode, folder: Path, name: str) -> Block:
    raw = base64.b64decode(data)
    width, height = struct.unpack(">II", raw[16:24])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)
    told = cell.metadata.get("mystnb", {})
    alt = html.escape(told.get("image", {}).get("alt", ""))
    caption = html.escape(told.get("figure", {}).get("caption", ""))
    image = f"<img src='pictures/{name}' alt='{alt}' width='{width}' height='{height}'>"
    words = f"<figcaption>{caption}</figcaption>" if caption else ""
    shape = "wide" if width > 1.6 * height else "tall"
    markup = f"<figure class='{shape}'>{image}{words}</figure>"
    return Block("picture", markup, size=(width, height))


def output_blocks(cell: nbformat.NotebookNode, folder: Path, name: str) -> list[Block]:
    found = []
    for number, output in enumerate(cell.outputs):
        if output.output_type == "stream":
            found.append(_print(output.text))
            continue
        data = output.get("data", {})
        if "image/png" in data:
            found.append(_picture(data["image/png"], cell, folder, f"{name}-{number}.png"))
        elif "cw-explorer" in data.get("text/html", ""):
            found.append(Block("explorer", f"<div class='live'>{data['text/html']}</div>"))
        elif "text/html" in data:
            found.append(Block("html", f"<div class='live'>{data['text/html']}</div>"))
        elif "text/plain" in data:
            found.append(_print(data["text/plain"]))
    return found


class Maker:
    """Goes through the cells, and begins a slide where one says so, or where the last one is full."""

    def __init__(self, name: str, page: str, folder: Path):
        self.name, self.page, self.folder = name, page, folder
        self.slides: list[Slide] = []
        self.faults: list[str] = []
        self.heading, self.level = "", 1
        self.exercise = 0
        self.begun: list[Slide] = []  # by the present cell
        self.touched: list[Slide] = []  # by it, begun or not

    def begin(self, stack: bool = False) -> Slide:
        """A new slide, unless the last one has nothing but its heading."""
        if self.slides and not self.slides[-1].blocks and self.slides[-1].heading == self.heading:
            last = self.slides[-1]
        else:
            last = Slide(self.heading, stack, level=self.level)
            self.slides.append(last)
        if last not in self.begun:
            self.begun.append(last)
        return last

    def add(self, block: Block, *, fragment: bool = False, join: bool = False, after=()) -> None:
        """Put a block on the last slide, or on a new one if it does not fit with what comes after."""
        last = self.slides[-1] if self.slides else self.begin(True)
        trial = Slide(last.heading, False, [*last.blocks, block, *after], level=last.level)
        kinds = {one.kind for one in last.blocks}
        # An exercise stays on one slide, a question with its answers.
        room = ROWS + 3 if last.exercise else ROWS
        full = bool(last.blocks) and trial.height > room and block.kind != "options" and not join
        # A picture has its own slide, and what explains it follows there; so has an explorer.
        apart = block.kind in ALONE or (block.kind == "picture" and not join)
        parts = (apart and bool(last.blocks)) or bool(kinds & ALONE)
        if block.new or full or parts:
            last = self.begin()
            fragment = False
        block.fragment = fragment and bool(last.blocks)
        last.blocks.append(block)
        if last not in self.touched:
            self.touched.append(last)

    def markdown(self, cell: nbformat.NotebookNode, told: dict, kind: str) -> None:
        page = blocks(cell.source, self.page, told.get("keep"))
        self.faults += [f"no sentence begins with {one!r}" for one in page.unused]
        headed = bool(page.blocks) and page.blocks[0].kind == "heading"
        if not headed and kind in ("slide", "subslide"):
            self.begin(kind == "slide")
        for number, block in enumerate(page.blocks):
            if block.kind == "heading":
                self.heading, self.level = block.markup, min(block.level, 2)
                work = EXERCISE.search(block.words)
                if block.words == "Exercises" and len(page.blocks) > 1:
                    continue  # the first exercise stands in the same cell
                slide = Slide(self.heading, kind != "subslide", level=block.level)
                slide.exercise = int(work[1]) if work else 0
                self.slides.append(slide)
                self.begun.append(slide)
                continue
            if self.heading == "Exercises":
                continue
            if block.kind in told.get("drop", []):
                continue
            if block.kind == "predict" and not headed:
                last = self.slides[-1]
                if last.blocks and not (last in self.begun and last.blocks[0].new):
                    self.begin()
            last_kinds = {one.kind for one in self.slides[-1].blocks}
            explains = not headed and bool(last_kinds & {"print", "picture"})
            after = [one for one in page.blocks[number + 1 : number + 2] if one.kind == "options"]
            self.add(block, fragment=kind == "fragment" or explains, after=after)
            if block.kind == "text" and self.level == 1 and page.blocks[number + 1 :]:
                self.level = 2  # what one will be able to do stands on the next slide
                if page.blocks[number + 1].kind == "text":
                    self.begin()
        if self.begun:
            self.begun[0].rest += page.rest
        elif self.slides:
            self.slides[-1].rest += page.rest

    def code(self, cell: nbformat.NotebookNode, told: dict, kind: str, number: int) -> None:
        tags = set(cell.metadata.get("tags", []))
        outputs = output_blocks(cell, self.folder / "pictures", f"{self.name}-{number}")
        outputs = [block for block in outputs if block.kind not in told.get("drop", [])]
        live = any(block.kind == "explorer" for block in outputs)
        stub = bool(self.slides) and self.slides[-1].exercise
        wanted = [] if "hide-input" in tags or live else told.get("code")
        code, unused = code_blocks(cell.source, wanted)
        self.faults += [f"no part of the code begins with {one!r}" for one in unused]
        if told.get("lead"):
            for block in [one for one in outputs if one.kind == "picture"]:
                self.add(block, join=True)
                outputs.remove(block)
        for block in code:
            if not stub and (kind != "-" or block is not code[0]):
                self.begin()
            self.add(block)
        if stub:
            return  # what the checker says to an empty answer helps nobody
        outputs.sort(key=lambda block: block.kind == "picture")
        pictured = any(block.kind == "picture" for block in outputs)
        for block in outputs:
            if block.kind == "print" and pictured and code:
                last = self.slides[-1]
                trial = Slide("", False, [*last.blocks, block])
                if trial.height > ROWS:
                    # No room below the code: beside the picture then.
                    outputs = [one for one in outputs if one is not block] + [block]
        for block in outputs:
            hidden = block.kind == "print"  # a prediction comes before its answer
            self.add(block, fragment=hidden, join=kind == "-" and not code)

    def cell(self, cell: nbformat.NotebookNode, number: int) -> None:
        tags = set(cell.metadata.get("tags", []))
        told = cell.metadata.get("slides", {})
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "")
        imports = cell.cell_type == "code" and not cell.outputs and number < 4
        if kind == "skip" or tags & SKIPPED or (not kind and imports):
            return
        self.begun, self.touched = [], []
        before = len(self.slides)
        if kind == "notes":
            self.slides[-1].notes.append(cell.source)
            return
        if cell.cell_type == "markdown":
            self.markdown(cell, told, kind)
        elif cell.cell_type == "code":
            self.code(cell, told, kind, number)
        for slide in self.slides[before:]:
            slide.extra = bool(told.get("extra"))
        self.tell(told, self.touched or self.slides[-1:])

    def tell(self, told: dict, mine: list[Slide]) -> None:
        """Minutes and notes go to the cell's slides in order; what is left over to the last one."""
        for key, empty in (("minutes", 0), ("notes", "")):
            given = told.get(key, [])
            given = given if isinstance(given, list) else [given]
            rest = [mine[-1]] * len(given)
            for slide, value in zip([*mine, *rest], given):
                if key == "minutes":
                    slide.minutes += value or empty
                elif value:
                    slide.notes.append(value)


def by_rule(slide: Slide) -> None:
    """Minutes and a note where the cells say nothing."""
    kinds = {block.kind for block in slide.blocks}
    if EXERCISE.search(slide.heading):
        time = "1 minute" if slide.exercise == 1 else f"{slide.exercise} minutes"
        told = 0, f"Work in pairs, {time}; then one pair says how."
    elif "predict" in kinds:
        told = 2, "Read the question out. Let everybody decide, then count hands for each answer."
    elif "explorer" in kinds:
        told = 4, "Ask before each change what will happen, then make it."
    elif "code" in kinds:
        told = 2, "Read the code aloud, one line at a time. Ask what it prints before you go on."
    elif "picture" in kinds:
        told = 2, "Ask what is to be seen before you say it."
    else:
        told = 1, "Say it in your own words, and ask for an example."
    if not slide.notes:
        slide.notes = [told[1]]
        slide.minutes = slide.minutes or told[0]
    elif not slide.minutes and not slide.exercise:
        slide.minutes = 0.5


def deck(path: Path, folder: Path) -> Deck:
    """The deck of a notebook; its pictures are written to `folder`/pictures."""
    notebook = nbformat.read(path, as_version=4)
    maker = Maker(path.stem, f"{path.parent.name}/{path.stem}", folder)
    for number, cell in enumerate(notebook.cells):
        maker.cell(cell, number)
    tagged = any(cell.metadata.get("slides") for cell in notebook.cells)
    for slide in maker.slides:
        by_rule(slide)
    slides = sorted(maker.slides, key=lambda slide: slide.extra)  # the others keep their order
    for before, slide in zip(slides, slides[1:]):
        slide.stack |= slide.extra != before.extra  # moved away from its stack
    faults = [f"{path.name}: {fault}" for fault in maker.faults]
    title = re.sub(r"<[^>]+>", "", maker.slides[0].heading)
    return Deck(path.stem, title, slides, tagged, faults)
