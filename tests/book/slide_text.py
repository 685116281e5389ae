"""A cell's Markdown as blocks for a slide: HTML, its sentences told apart, and a guess at its height.

A slide shows less than the page. What a block shows is said by the cell's metadata, or by rule; the
sentences that are left out are kept, for the speaker's notes. No text is written twice.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass, field

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

PREDICT = "Predict."
# The end of a sentence inside of a text: a stop, perhaps a closing quote, and then a new beginning.
STOP = re.compile(r"""(?<=[.?!])(?<!e\.g\.)(["”')]*)\s+(?=[A-Z0-9"“(−])""")
WIDE = 76  # characters in a line of a slide
NARROW = 38  # and in its right half, beside a picture


@dataclass
class Block:
    """One piece of a slide."""

    kind: str  # heading, predict, options, text, list, table, math, code, print, picture, explorer, html
    markup: str
    words: str = ""
    lines: float = 1  # of text, at full width
    level: int = 0  # of a heading
    fragment: bool = False
    new: bool = False  # it begins a slide
    size: tuple[int, int] = (0, 0)  # a picture's width and height; a text's columns and lines


@dataclass
class Page:
    """The blocks of one cell, and what of its prose stands on none of them."""

    blocks: list[Block] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # pointers that no sentence answers to


def _tex(content: str, options: dict) -> str:
    left, right = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return left + html.escape(content) + right


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.use(dollarmath_plugin, renderer=_tex, label_renderer=lambda label: "")
    return reader


READER = _reader()


def plain(node: Tag | NavigableString | str) -> str:
    text = node if isinstance(node, str) else node.get_text()
    return re.sub(r"\s+", " ", text).strip()


def sentences(element: Tag) -> list[str]:
    """The sentences of a paragraph, each as HTML."""
    found: list[str] = []
    current, said = "", ""
    for node in element.children:
        if isinstance(node, NavigableString):
            text = str(node)
            # A stop inside the element before, as in <strong>So.</strong>, ends the sentence too.
            if re.search(r"[.?!][\"”')]*$", said) and re.match(r"\s+[A-Z0-9\"“(]", text):
                found.append(current)
                current, text = "", text.lstrip()
            parts = STOP.split(text)
            # parts: text, quotes, text, quotes, … text
            for i in range(0, len(parts) - 1, 2):
                found.append(current + html.escape(parts[i] + parts[i + 1], quote=False))
                current = ""
            current += html.escape(parts[-1], quote=False)
            said = parts[-1].rstrip() if not parts[-1].endswith((" ", "\n")) else parts[-1]
            if re.search(r"[.?!][\"”')]*\s+$", parts[-1]):
                found.append(current.rstrip())
                current = ""
        else:
            current += str(node)
            said = plain(node) if node.name in ("strong", "em") else ""
    if current.strip():
        found.append(current)
    return [one.strip() for one in found if one.strip()]


class Chooser:
    """Which sentences of a cell are shown: those that a pointer names, or by rule the first ones.

    A pointer is the beginning of a sentence, as it is read. With "| " in front it begins a slide.
    """

    def __init__(self, keep: list[str] | None, everything: bool = False):
        self.everything = everything
        self.pointers = (
            None if keep is None else [(one.removeprefix("| "), one[:2] == "| ") for one in keep]
        )
        self.used: set[str] = set()

    def names(self, sentence: str) -> tuple[str, bool] | None:
        """The pointer that names the sentence, if one does."""
        words = plain(BeautifulSoup(sentence, "html.parser"))
        return next((one for one in self.pointers or [] if words.startswith(one[0])), None)

    def choose(self, found: list[str], *, ruled: bool = False) -> tuple[list[str], list[str], bool]:
        """(shown, left out, whether a slide begins before them)"""
        if self.everything:
            return found, [], False
        if self.pointers is None or ruled:
            return found[:1], found[1:], False
        shown, left, new = [], [], False
        for one in found:
            if hit := self.names(one):
                self.used.add(hit[0])
                new = new or hit[1]
                shown.append(one)
            else:
                left.append(one)
        return shown, left, new

    @property
    def unused(self) -> list[str]:
        return [one for one, _ in self.pointers or [] if one not in self.used]


def _lines(words: str, width: int = WIDE) -> int:
    return max(1, math.ceil(len(words) / width))


def _links(soup: BeautifulSoup, page: str) -> None:
    """Links lead to the book's pages, which lie beside the slides."""
    for link in soup.find_all("a"):
        where = link.get("href", "")
        if "://" in where or where.startswith("mailto:"):
            continue
        path, _, anchor = where.partition("#")
        path = re.sub(r"\.(ipynb|md)$", ".html", path) if path else f"{page.split('/')[-1]}.html"
        path = (
            path.removeprefix("../") if path.startswith("../") else f"{page.split('/')[0]}/{path}"
        )
        link["href"] = f"../{path}" + (f"#{anchor}" if anchor else "")


def _options(group: Tag) -> tuple[Block, str]:
    """A prediction's answers to choose from, the right one marked by a click; and what explains them."""
    items, lines, told = [], 0.0, []
    for one in group.find_all("details"):
        summary = one.find("summary").extract()
        right = " class='correct'" if "cw-right" in one.get("class", []) else ""
        items.append(f"<li{right}>{summary.decode_contents()}</li>")
        lines += _lines(plain(summary), WIDE - 6) + 0.25
        told.append(f"{plain(summary)}: {plain(one)}")
    markup = f"<ol class='options'>{''.join(items)}</ol><span class='answer fragment'></span>"
    return Block("options", markup, plain(group), lines), " ".join(told)


def _prose(shown: list[str], new: bool, headed: bool) -> Block:
    """The sentences of one paragraph: what leads to a question stays prose, what explains is a list."""
    texts = [plain(BeautifulSoup(one, "html.parser")) for one in shown]
    if headed or len(shown) == 1:
        lines = _lines(" ".join(texts))
        return Block("text", f"<p>{' '.join(shown)}</p>", " ".join(texts), lines, new=new)
    body = "".join(f"<li>{one}</li>" for one in shown)
    lines = sum(_lines(one, WIDE - 4) + 0.2 for one in texts)
    return Block("text", f"<ul class='points'>{body}</ul>", " ".join(texts), lines, new=new)


def blocks(source: str, page: str, keep: list[str] | None, *, everything: bool = False) -> Page:
    """The blocks of a Markdown cell of the page `page`, such as notebooks/01-one-window."""
    soup = BeautifulSoup(READER.render(source), "html.parser")
    _links(soup, page)
    out, chooser = Page(), Chooser(keep, everything)
    questions: list[str] = []
    asking, headed = False, source.lstrip().startswith("#")

    def flush() -> None:
        if questions:
            words = " ".join(plain(BeautifulSoup(one, "html.parser")) for one in questions)
            items = "".join(f"<li>{one}</li>" for one in questions)
            out.blocks.append(Block("list", f"<ul>{items}</ul>", words, 1.2 * len(questions)))
            questions.clear()

    for node in soup.children:
        if isinstance(node, NavigableString):
            continue
        if not (asking and node.name == "p"):
            flush()
        if node.name in ("h1", "h2", "h3", "h4"):
            asking = plain(node) == "Questions people ask"
            chooser.everything = everything or plain(node).startswith("Exercise ")
            level = int(node.name[1])
            out.blocks.append(Block("heading", node.decode_contents(), plain(node), level=level))
        elif node.name == "p" and plain(node).startswith(PREDICT):
            markup = f"<p class='predict'>{node.decode_contents()}</p>"
            out.blocks.append(Block("predict", markup, plain(node), _lines(plain(node), WIDE - 4)))
        elif node.name == "p" and asking:
            first, *others = sentences(node)
            questions.append(re.sub(r"</?strong>", "", first))
            out.rest.append(f"<b>{questions[-1]}</b> " + " ".join(others))
        elif node.name == "p":
            shown, left, new = chooser.choose(sentences(node))
            if shown:
                out.blocks.append(_prose(shown, new, headed))
            if left:
                out.rest.append(" ".join(left))
        elif node.name in ("ul", "ol"):
            items, lines, begins = [], 0.0, False
            each = [sentences(item) for item in node.find_all("li", recursive=False)]
            # A list that no pointer names is shown by rule; what a lecturer wants gone is dropped.
            ruled = not any(chooser.names(one) for found in each for one in found)
            for found in each:
                shown, left, new = chooser.choose(found, ruled=ruled)
                begins = begins or new
                if left:
                    out.rest.append(" ".join(left))
                if shown:
                    items.append(" ".join(shown))
                    lines += _lines(plain(BeautifulSoup(items[-1], "html.parser")), WIDE - 4) + 0.15
            if items:
                body = "".join(f"<li>{item}</li>" for item in items)
                words = plain(BeautifulSoup(body, "html.parser"))
                markup = f"<{node.name}>{body}</{node.name}>"
                out.blocks.append(Block("list", markup, words, lines, new=begins))
        elif "cw-options" in node.get("class", []):
            block, told = _options(node)
            out.blocks.append(block)
            out.rest.append(html.escape(told, quote=False))
        elif node.name == "table":
            rows = len(node.find_all("tr"))
            out.blocks.append(Block("table", str(node), plain(node), 1.2 * rows))
        elif "math" in node.get("class", []):
            rows = node.get_text().count("\\\\") + 1
            out.blocks.append(Block("math", str(node), "", 1.4 * rows + 0.6))
        elif node.name == "pre":
            rows = node.get_text().rstrip().count("\n") + 1
            out.blocks.append(Block("text", str(node), plain(node), rows))
        else:
            out.blocks.append(Block("text", str(node), plain(node), _lines(plain(node))))
    flush()
    out.unused = chooser.unused
    return out
