"""Make the decks: one reveal.js page a chapter, from the same notebooks, beside the book's pages.

They lie in _build/html/slides and use what the book has: its MathJax, its explorers. reveal.js comes
from the package sphinx-revealjs, so nothing is fetched when they are made or shown.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pygments.formatters import HtmlFormatter

from notebooks import CHAPTERS
from slide_deck import Deck, deck

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "book" / "_slides"
# reveal.js itself, its two stylesheets, and the plugin that opens the speaker's window.
REVEAL = ("dist/reveal.js", "dist/reveal.css", "dist/reset.css", "plugin/notes/notes.js", "LICENSE")


def clock(minutes: float) -> str:
    """2 -> "2 min", 0.5 -> "½ min", 1.5 -> "1½ min"."""
    whole, half = divmod(round(minutes * 2), 2)
    return f"{whole or ('' if half else 0)}{'½' if half else ''} min"


def spoken(note: str) -> str:
    """A note as HTML: it may hold `code`, and nothing else."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(note, quote=False))


def reveal(out: Path) -> None:
    package = find_spec("sphinx_revealjs")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("make: sphinx-revealjs is missing, run `make venv`.")
    source = Path(package.submodule_search_locations[0]) / "_static" / "revealjs"
    for name in REVEAL:
        target = out / "reveal" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)


def write(out: Path, chapters: list[Path] = CHAPTERS) -> list[Deck]:
    """Write a deck for each chapter and an index of them into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.html"), *out.glob("pictures/*.png")]:
        old.unlink()
    reveal(out)
    environment = Environment(
        loader=FileSystemLoader(PARTS),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "spoken": spoken}
    decks = [deck(path, out) for path in chapters]
    for one in decks:
        text = environment.get_template("deck.html").render(deck=one)
        (out / f"{one.name}.html").write_text(text, "utf8")
    text = environment.get_template("index.html").render(decks=decks)
    (out / "index.html").write_text(text, "utf8")
    colours = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs("pre.code")
    (out / "deck.css").write_text((PARTS / "deck.css").read_text("utf8") + colours + "\n", "utf8")
    shutil.copyfile(PARTS / "deck.js", out / "deck.js")
    return decks


def main(out: Path) -> int:
    started = time.monotonic()
    decks = write(out)
    faults = [fault for one in decks for fault in one.faults]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        print("make: the slides' metadata points to nothing, see above.", file=sys.stderr)
        return 1
    count = sum(len(one.slides) for one in decks)
    print(f"Built {len(decks)} decks, {count} slides in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "_build" / "html" / "slides"))
