"""Make the decks: one reveal.js page a chapter, from the same notebooks.

They lie in _build/html/slides, beside the book's pages, and the folder holds all that they need: it can be
copied to a stick and shown without a network. reveal.js comes from the package sphinx-revealjs, MathJax
from sphinx-mathjax-offline, the explorers from convlib.
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

from convlib.explorers import _bundle, block

from notebooks import CHAPTERS
from slide_deck import Deck, deck

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "book" / "_slides"
# reveal.js itself, its two stylesheets, and the plugin that opens the speaker's window.
REVEAL = ("dist/reveal.js", "dist/reveal.css", "dist/reset.css", "plugin/notes/notes.js", "LICENSE")
MATHJAX = ("tex-chtml.js", "output/chtml/fonts")


def clock(minutes: float) -> str:
    """2 -> "2 min", 0.5 -> "½ min", 1.5 -> "1½ min"."""
    whole, half = divmod(round(minutes * 2), 2)
    return f"{whole or ('' if half else 0)}{'½' if half else ''} min"


def spoken(note: str) -> str:
    """A note as HTML: it may hold `code`, and nothing else."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(note, quote=False))


def package(name: str, *parts: str) -> Path:
    """A folder of an installed package."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"make: {name} is missing, run `make venv`.")
    return Path(found.submodule_search_locations[0]).joinpath(*parts)


def parts(out: Path) -> None:
    """Everything that the decks share, apart from their pictures."""
    (out / "deck.css").write_text((PARTS / "deck.css").read_text("utf8") + colours(), "utf8")
    shutil.copyfile(PARTS / "deck.js", out / "deck.js")
    (out / "explorers.css").write_text(_bundle.style(), "utf8")
    (out / "explorers.js").write_text(_bundle.script(), "utf8")
    shutil.copyfile(ROOT / "book" / "_static" / "favicon.svg", out / "favicon.svg")
    revealjs = package("sphinx_revealjs", "_static", "revealjs")
    mathjax = package("sphinx-mathjax-offline", "static", "mathjax")
    for source, target, names in (
        (revealjs, out / "reveal", REVEAL),
        (mathjax, out / "mathjax", MATHJAX),
    ):
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (source / name).is_dir():
                shutil.copytree(source / name, target / name, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / name, target / name)


def colours() -> str:
    """The colours of code, as on the book's pages."""
    return HtmlFormatter(style="a11y-high-contrast-light").get_style_defs("pre.code") + "\n"


def write(out: Path, chapters: list[Path] = CHAPTERS) -> list[Deck]:
    """Write a deck for each chapter and an index of them into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.html"), *out.glob("pictures/*.png")]:
        old.unlink()
    parts(out)
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
        text = text.replace("</body>", f"{block(text)}</body>")  # what explorers.js reads
        (out / f"{one.name}.html").write_text(text, "utf8")
    text = environment.get_template("index.html").render(decks=decks)
    (out / "index.html").write_text(text, "utf8")
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
