"""Print the built book: `make pdf` writes _build/book.pdf and _build/cheat-sheet.pdf.

The pages of the built book are joined to one page in the order of `_toc.yml`, every place in it gets
a name of its own, links between pages become links inside it, and a browser prints it on A4. It is
printed twice: the first run tells on which sheet each heading lands, the second has those numbers in
its contents.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from pages import HTML, ROOT, toc_pages

BUILD = ROOT / "_build"
BOOK = BUILD / "book.pdf"
SHEET = BUILD / "cheat-sheet.pdf"
STYLE = ROOT / "book" / "paper.css"
# A page that is printed by itself, and only there: in the book its two columns would have no room.
CHEAT_SHEET = "book/cheat-sheet"
SHEET_OPTIONS = {
    "format": "A4",
    "margin": dict.fromkeys(("top", "right", "bottom", "left"), "9mm"),
    "print_background": True,
    "tagged": True,
}
LONG = 22  # lines of code
TALL = 9  # rows of a table
# Not to be broken within the narrow column of a table: a time of day from, to, or a short name.
TIMES = re.compile(r"\d\d:\d\d–\d\d:\d\d")
NAME = 22  # letters
# A sheet with less text than this, and no picture, is nearly empty.
FEW = 130
# Attributes that name places of the same page.
NAMING = ("aria-labelledby", "aria-describedby", "aria-controls", "for")
SCREEN_ONLY = "script, .headerlink, .copybtn, .d-print-none, .viewcode-link, button"


@dataclass
class Chapter:
    """One page of the book, made ready to stand in one document with the others."""

    name: str  # as in _toc.yml
    title: str
    body: Tag
    headings: list[tuple[str, str]] = field(default_factory=list)  # (place, words), level 2

    @property
    def place(self) -> str:
        return place(self.name)


def place(name: str, anchor: str = "") -> str:
    """The name in the joined document of a page, or of a place in it."""
    page = re.sub(r"[^a-z0-9]+", "-", name.lower())
    return f"{page}--{anchor}" if anchor else page


def site_address() -> str:
    """Where the book is published: what is not printed is linked to there."""
    import yaml

    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    return config["html"].get("baseurl", "")


def localise(chapter: Chapter, names: set[str], site: str) -> None:
    """Name places after their page, and lead links to them; what is not printed stays on the web."""
    name, body = chapter.name, chapter.body
    for tag in body.find_all(id=True):
        tag["id"] = place(name, tag["id"])
    for tag in body.find_all(True):
        for key in NAMING:
            if tag.has_attr(key):
                value = tag[key] if isinstance(tag[key], str) else " ".join(tag[key])
                tag[key] = " ".join(place(name, one) for one in value.split())
        for key, value in tag.attrs.items():
            if isinstance(value, str) and "url(#" in value:
                tag[key] = re.sub(r"url\(#([^)]+)\)", rf"url(#{place(name, '')}--\1)", value)
    for tag in body.find_all("a", href=True):
        link = urlsplit(tag["href"])
        if link.scheme == "mailto":
            tag.unwrap()
            continue
        if link.scheme or link.netloc:
            continue
        target = urljoin(f"/{name}.html", unquote(link.path)).lstrip("/")
        page = target.removesuffix(".html")
        anchor = unquote(link.fragment)
        if anchor == "contents" and not link.path:
            continue
        if page in names and "?" not in anchor:  # a state of an explorer is for the living page
            tag["href"] = f"#{place(page, anchor)}"
        elif target.startswith("_images/") or not site:
            tag.unwrap()  # a picture stands here already
        else:
            tag["href"] = urljoin(site, target) + (f"#{link.fragment}" if anchor else "")
    for tag in body.find_all("img", src=True):
        source = tag["src"]
        if not source.startswith("data:"):
            tag["src"] = "../html/" + urljoin(f"/{name}.html", source).lstrip("/")
        for key in ("loading", "decoding"):
            tag.attrs.pop(key, None)


def print_quizzes(body: Tag, soup: BeautifulSoup) -> None:
    """A prediction's options as a list, and the answers together at the end of the chapter."""
    answers = soup.new_tag("ol", attrs={"class": "paper-answers"})
    for number, quiz in enumerate(body.select(".cw-options"), start=1):
        question = quiz.find_previous("p")
        if question is not None:
            question["class"] = [*question.get("class", []), "paper-question"]
        options = soup.new_tag("ol", attrs={"class": "paper-options", "type": "A"})
        answer = soup.new_tag("li", id=f"answer-{number}")
        for letter, option in zip("ABCDEFGH", quiz.select("details.cw-option")):
            item = soup.new_tag("li")
            item.extend(list(option.find("summary").contents))
            options.append(item)
            if "cw-right" in option["class"]:
                explained = option.find("p")
                explained.b.string = f"{letter}."
                answer.extend(list(explained.contents))
        note = soup.new_tag("p", attrs={"class": "paper-answer"})
        link = soup.new_tag("a", href=f"#answer-{number}")
        link.string = f"Answer {number}"
        note.append(link)
        note.append(" at the end of the chapter")
        quiz.clear()
        quiz["class"] = ["paper-quiz"]
        quiz.append(options)
        quiz.append(note)
        answers.append(answer)
    if answers.contents:
        heading = soup.new_tag("h2")
        heading.string = "Answers to the predictions"
        section = soup.new_tag("section", id="answers-to-the-predictions")
        section.extend([heading, answers])
        body.append(section)


def keep_together(body: Tag) -> None:
    """Name what the end of a sheet must not part: short tables, times, names, a line that leads in."""
    for table in body.find_all("table"):
        if len(table.find_all("tr")) <= TALL:
            table["class"] = [*table.get("class", []), "paper-whole"]
        for cell in table.find_all("td"):
            short = [code for code in cell.find_all("code") if len(code.get_text()) <= NAME]
            times = [cell] if TIMES.fullmatch(cell.get_text(strip=True)) else []
            for tag in short + times:
                tag["class"] = [*tag.get("class", []), "paper-together"]
    for strong in body.select("p > strong"):
        lead = strong.parent
        if lead.get_text(strip=True) == strong.get_text(strip=True):
            lead["class"] = [*lead.get("class", []), "paper-lead"]


def lay_open(body: Tag, soup: BeautifulSoup) -> None:
    """Paper cannot be unfolded: show what is folded, under a word that says what it is."""
    print_quizzes(body, soup)
    for pre in body.find_all("pre"):
        # A short piece of code stays on one sheet, a long one may go on overleaf.
        if pre.get_text().count("\n") > LONG:
            pre["class"] = [*pre.get("class", []), "paper-long"]
    keep_together(body)
    for number, listed in enumerate(body.select(".toctree-wrapper")):
        if number:
            listed.decompose()
            continue
        where = soup.new_tag("p")
        link = soup.new_tag("a", href="#contents")
        link.string = "contents"
        where.extend(["The list of ", link, " says on which sheet each chapter begins."])
        listed.replace_with(where)
    for folded in body.find_all("details"):
        folded["open"] = ""
        words = folded.find("summary", recursive=False)
        if words is not None and "hide" in folded.get("class", []):
            # Jupyter Book's folded cells, which say "Show …" and "Hide …".
            title = soup.new_tag("p", attrs={"class": "paper-solution"})
            title.string = "Solution" if "solution" in words.get_text() else "Folded on the page"
            words.replace_with(title)
            folded.name = "div"
            folded["class"] = ["paper-folded"]


def link_explorers(chapter: Chapter, soup: BeautifulSoup, site: str) -> None:
    """Under each explorer's still picture, the way to the one that moves."""
    seen: dict[str, int] = {}
    for explorer in chapter.body.select(".cw-explorer[data-explorer]"):
        kind = explorer["data-explorer"]
        seen[kind] = seen.get(kind, 0) + 1
        anchor = f"cw-{kind}" + (f"-{seen[kind]}" if seen[kind] > 1 else "")
        explorer["id"] = place(chapter.name, anchor)
        explorer.attrs.pop("data-state", None)
        note = soup.new_tag("p", attrs={"class": "paper-explorer"})
        note.append("A still of an explorer. ")
        link = soup.new_tag("a", href=urljoin(site, f"{chapter.name}.html") + f"#{anchor}")
        link.string = "On the page it answers to your hand"
        note.append(link)
        note.append(".")
        explorer.append(note)


def read(name: str, names: set[str], site: str) -> Chapter:
    """A page of the built book, ready to be joined."""
    soup = BeautifulSoup((HTML / f"{name}.html").read_text("utf8"), "html.parser")
    body = soup.select_one("article.bd-article")
    for tag in body.select(SCREEN_ONLY):
        tag.decompose()
    lay_open(body, soup)
    heading = body.find("h1")
    chapter = Chapter(name, heading.get_text(" ", strip=True), body)
    localise(chapter, names, site)
    if site:
        link_explorers(chapter, soup, site)
    for section in body.find_all("h2"):
        holder = section.find_parent(id=True)
        chapter.headings.append((holder["id"], section.get_text(" ", strip=True)))
    return chapter


def contents(chapters: list[Chapter], numbers: dict[str, int]) -> str:
    """The list of contents, with the sheet of each heading where it is known."""

    def line(kind: str, where: str, words: str) -> str:
        number = numbers.get(where, "")
        return (
            f'<p class="{kind}"><a href="#{where}"><span>{words}</span>'
            f'<span class="paper-dots"></span><span class="paper-number">{number}</span></a></p>'
        )

    lines = []
    for chapter in chapters[1:]:
        lines.append(line("paper-chapter-line", chapter.place, chapter.title))
        if chapter.name.startswith("notebooks/"):
            lines += [line("paper-section-line", *heading) for heading in chapter.headings]
    return "\n".join(lines)


def styles() -> str:
    """The styles of the book, in the order in which a page asks for them."""
    page = BeautifulSoup((HTML / f"{toc_pages()[1]}.html").read_text("utf8"), "html.parser")
    links = [tag["href"] for tag in page.find_all("link", rel="stylesheet")]
    return "\n".join(
        f'<link rel="stylesheet" href="../html/{urljoin("/notebooks/", href).lstrip("/")}">'
        if href.startswith("/")
        else f'<link rel="stylesheet" href="../html/notebooks/{href}">'
        for href in links
    )


def running_heads(chapters: list[Chapter]) -> str:
    """A page style for each chapter, with its title in the margin."""
    rules = []
    for number, chapter in enumerate(chapters):
        if number == 0:
            continue
        words = chapter.title.replace("\\", "").replace('"', "”")
        rules.append(f".paper-{number} {{ page: chapter-{number}; }}")
        rules.append(f'@page chapter-{number} {{ @top-right {{ content: "{words}"; }} }}')
    return "\n".join(rules)


def join(chapters: list[Chapter], numbers: dict[str, int]) -> str:
    """The whole book as one page."""
    from html import escape

    first = chapters[0]
    parts = [
        f'<section class="paper-part paper-{number}" id="{chapter.place}">'
        f"{chapter.body.decode_contents()}</section>"
        for number, chapter in enumerate(chapters)
    ]
    front = (
        f'<section class="paper-contents" id="contents"><h1>Contents</h1>'
        f"{contents(chapters, numbers)}</section>"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light">\n<head>'
        f'<meta charset="utf-8"><title>{escape(first.title)}</title>\n{styles()}\n'
        f"<style>{STYLE.read_text('utf8')}\n{running_heads(chapters)}</style></head>\n"
        f'<body class="paper"><main><article class="bd-article">\n'
        f"{parts[0]}\n{front}\n{chr(10).join(parts[1:])}\n</article></main></body></html>\n"
    )


# What is wider than the sheet is set smaller, formulas first: paper does not scroll.
FIT = """() => {
  let shrunk = 0;
  for (const formula of document.querySelectorAll('mjx-container')) {
    const holder = formula.closest('div.math, td, li, dd, p') ?? document.body;
    const style = getComputedStyle(holder);
    const room = holder.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const width = formula.getBoundingClientRect().width;
    if (room > 0 && width > room) {
      const size = parseFloat(getComputedStyle(formula).fontSize) * room / width;
      formula.style.setProperty('font-size', `${Math.floor(100 * size) / 100}px`, 'important');
      shrunk += 1;
    }
  }
  return shrunk;
}"""

WIDE = """() => {
  const room = document.querySelector('article').getBoundingClientRect().right + 1;
  const out = [...document.images].filter((e) => !e.complete || !e.naturalWidth)
    .map((e) => `no picture at ${e.getAttribute('src')}`);
  for (const e of document.querySelectorAll('article *')) {
    if (e.closest('mjx-assistive-mml, svg *')) continue;
    const box = e.getBoundingClientRect();
    if (box.width && box.height && box.right > room)
      out.push(`over the edge by ${Math.round(box.right - room)} px: ${e.tagName} `
        + `${e.getAttribute('class') ?? ''} ` + e.textContent.trim().slice(0, 60));
  }
  return out;
}"""


# What sticks out of a cell of a table is cut off there.
CUT = """() => [...document.querySelectorAll('article td')].flatMap((cell) => {
  const holder = cell.closest('.pst-scrollable-table-container') ?? cell;
  const edge = Math.min(...[cell, holder].map((e) => e.getBoundingClientRect().right)) + 1;
  return [...cell.querySelectorAll('mjx-container, code')]
    .filter((e) => e.getBoundingClientRect().right > edge)
    .map((e) => `cut off in a table: ${e.textContent.trim().slice(0, 60)}`);
})"""


def open_for_print(browser, address: str):
    """The page at `address` as it will be printed: light, laid out as wide as a sheet's text."""
    # 210 mm less two margins of 18 mm, at 96 pixels an inch.
    page = browser.new_page(viewport={"width": 658, "height": 900}, color_scheme="light")
    page.set_default_timeout(300_000)
    page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
    page.goto(address, wait_until="load")
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    return page


def sheets(path: Path) -> dict[str, int]:
    """On which sheet, from 1, each named place of a PDF stands."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    return {
        name.lstrip("/"): reader.get_destination_page_number(target) + 1
        for name, target in reader.named_destinations.items()
    }


def squeezed(text: str) -> str:
    """Text without its spaces: a printed line breaks where it likes."""
    return re.sub(r"\s+", "", text)


def bare_fonts(page) -> list[str]:
    """The fonts of a sheet that are not in the file."""
    out = []
    for font in (page.get("/Resources", {}).get("/Font") or {}).values():
        font = font.get_object()
        inner = font.get("/DescendantFonts")
        described = (inner[0].get_object() if inner else font).get("/FontDescriptor") or {}
        held = any(key in described for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        if not held and font["/Subtype"] != "/Type3":
            out.append(str(font.get("/BaseFont")))
    return out


def faults(path: Path, joined: str, chapters: list[Chapter]) -> list[str]:
    """What is wrong with a printed book: missing chapters, dead links, lost explorers, bare fonts."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    landed = sheets(path)
    page = BeautifulSoup(joined, "html.parser")
    out = []
    for chapter in chapters[1:]:
        number = landed.get(chapter.place)
        text = squeezed(reader.pages[number - 1].extract_text()) if number else ""
        if squeezed(chapter.title) not in text:
            out.append(f"{chapter.name}: its title is not on its first sheet ({number})")
    wanted = {tag["href"][1:] for tag in page.select('a[href^="#"]')}
    out += [f"#{name}: no such place" for name in sorted(wanted - landed.keys())]
    annotations = [
        note.get_object() for sheet in reader.pages for note in sheet.get("/Annots") or []
    ]
    named = [note["/Dest"] for note in annotations if "/Dest" in note]
    out += [f"{name}: leads nowhere" for name in named if str(name).lstrip("/") not in landed]
    links = [str(note["/A"].get("/URI", "")) for note in annotations if "/A" in note]
    living = {link for link in links if "#cw-" in link}
    drawn = {tag["href"] for tag in page.select(".paper-explorer a")}
    out += [f"{link}: this explorer is not printed" for link in sorted(drawn - living)]
    out += sorted({f"{font}: not embedded" for sheet in reader.pages for font in bare_fonts(sheet)})
    if not reader.outline:
        out.append("there are no bookmarks")
    return out


def bare_sheets(path: Path) -> list[str]:
    """The sheets on which next to nothing stands."""
    from pypdf import PdfReader

    out = []
    for number, sheet in enumerate(PdfReader(path).pages, start=1):
        pictures = (sheet.get("/Resources") or {}).get("/XObject")
        if not pictures and len(squeezed(sheet.extract_text())) < FEW:
            out.append(f"sheet {number} is nearly empty")
    return out


def sign(path: Path) -> None:
    """Say in a printed file who wrote it, and let a reader's program open it with its bookmarks."""
    import yaml
    from pypdf import PdfWriter

    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    writer = PdfWriter(path, incremental=True)
    writer.add_metadata({"/Author": config["author"], "/Creator": "make pdf"})
    if writer.outline:
        writer.page_mode = "/UseOutlines"
    writer.write(path)


def print_book(browser, address: str) -> list[str]:
    """Write the book; what is wrong with it, if anything is."""
    names = toc_pages()
    names.remove(CHEAT_SHEET)
    chapters = [read(name, set(names), site_address()) for name in names]
    folder = BUILD / "paper"
    folder.mkdir(exist_ok=True)
    numbers: dict[str, int] = {}
    for _ in range(2):
        (folder / "book.html").write_text(join(chapters, numbers), "utf8")
        page = open_for_print(browser, f"{address}/paper/book.html")
        page.evaluate(FIT)
        wide = page.evaluate(WIDE) + page.evaluate(CUT)
        page.pdf(
            path=BOOK, prefer_css_page_size=True, print_background=True, outline=True, tagged=True
        )
        page.close()
        before, numbers = numbers, sheets(BOOK)
    if before != numbers:
        wide.append("the contents name other sheets than those on which the headings landed")
    sign(BOOK)
    return [*wide, *faults(BOOK, join(chapters, numbers), chapters), *bare_sheets(BOOK)]


def print_sheet(browser, address: str, path: Path = SHEET) -> list[str]:
    """Write the cheat sheet from its page at `address`; what is wrong with it, if anything is."""
    from pypdf import PdfReader

    page = open_for_print(browser, address)
    # As wide as its own margins leave, so that what is measured is what is printed: 192 mm.
    page.set_viewport_size({"width": 726, "height": 1054})
    page.evaluate(FIT)
    out = page.evaluate(CUT)
    page.pdf(path=path, **SHEET_OPTIONS)
    page.close()
    sign(path)
    printed = PdfReader(path)
    if len(printed.pages) != 1:
        out.append("the cheat sheet is longer than one sheet")
    text = squeezed(printed.pages[0].extract_text())
    if not text.startswith("Cheatsheet") or "Contents" in text:
        out.append("the cheat sheet begins with the web page's contents, not with its title")
    return out


def main() -> int:
    from playwright.sync_api import sync_playwright
    from pypdf import PdfReader

    from browser import ARGUMENTS, NoBrowser, find_browser
    from serve import serving

    started = time.monotonic()
    with sync_playwright() as playwright, serving(BUILD) as address:
        try:
            path = find_browser(playwright)
        except NoBrowser as error:
            print(f"make: {error}", file=sys.stderr)
            return 1
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        wrong = print_book(browser, address)
        wrong += print_sheet(browser, f"{address}/html/{CHEAT_SHEET}.html")
        browser.close()
    for file in (BOOK, SHEET):
        count = len(PdfReader(file).pages)
        size = file.stat().st_size / 1e6
        print(f"{file.relative_to(ROOT)}: {count} page{'s' * (count > 1)}, {size:.1f} MB")
    print(f"Printed in {time.monotonic() - started:.0f} s")
    if wrong:
        print("make: the printed book has faults:\n  " + "\n  ".join(wrong), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
