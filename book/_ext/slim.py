"""Make the built pages light: one style sheet, scripts that wait, small pictures, few icons.

The theme's pages ask for eleven style sheets and a script of 1.5 MB that draws icons. After the build
this joins the style sheets to one without the rules that no page uses, cuts the icon fonts down to the
icons in use, lets every script wait until the page stands, and stores pictures as WebP. It works on the
files that Sphinx has written, and leaves a page alone that it has done before.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from PIL import Image

from _sheet import Vocabulary, minify, purge, rebase, small_fonts, with_imports
from broken_lines import hang

JOINED = "style.css"
# Their classes are put together in scripts and in Python, so nothing in them is taken for unused.
OURS = {"explorers.css", "book.css", "one-pixel.css"}
# What only the search page needs.
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
# Names and brackets have the colour of the code around them: more than half of a page's elements.
CODE = re.compile(r'<div class="highlight"><pre>.*?</pre>|<dt class="sig .*?</dt>', re.DOTALL)
TOKEN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
# It keeps a word in one line; these have no place to break.
WHOLE = re.compile(r'(<code\b[^>]*>)<span class="pre">([\w.()]+)</span></code>')
KEPT = re.compile(r'<span class="pre">([^<]*)</span>')
LEFT_OUT = ("scripts/fontawesome.js", "scripts/*.map", "styles/*.map")

BOOTSTRAP = re.compile(r"\b(?:(?:bs-)?tooltip|dropdown|collaps|show|fade|active|disabled)[\w-]*")

SHEET = re.compile(r'[ \t]*<link\b[^>]*\brel="stylesheet"[^>]*/?>\n?')
HREF = re.compile(r'\bhref="([^"?]*)(?:\?[^"]*)?"')
PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="script"[^>]*>\n?')
SCRIPT = re.compile(r'<script\b([^>]*)\bsrc="([^"?]+)(\?[^"]*)?"([^>]*)></script>')
PICTURE = re.compile(r'<img\b[^>]*\bsrc="([^"]*(?:_images|_static/images)/[^"]+)"[^>]*>')
# Two frames after the page stands, its first picture is on the screen.
LATER = (
    'addEventListener("DOMContentLoaded",()=>requestAnimationFrame(()=>setTimeout(()=>'
    'document.head.append(Object.assign(document.createElement("script"),{src:"SOURCE"})))))'
)
# The theme learns late whether "auto" means light or dark, and then every size changes under the reader.
THEME = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
AT_ONCE = (
    "{ const root = document.documentElement.dataset; "
    'root.theme = root.mode !== "auto" ? root.mode : '
    'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; }'
)


def pages(out: Path) -> list[Path]:
    """The pages that Sphinx wrote; the slides have a make-up of their own."""
    return [
        path
        for path in sorted(out.rglob("*.html"))
        if path.relative_to(out).parts[0] not in ("_static", "slides")
    ]


def file_of(href: str, page: Path) -> Path:
    return (page.parent / href).resolve()


def sheets_of(texts: dict[Path, str]) -> list[Path]:
    """The style sheets of the pages that are not done yet, in the order of the page with most."""
    longest: list[Path] = []
    for page, text in texts.items():
        found = [file_of(HREF.search(tag)[1], page) for tag in SHEET.findall(text)]
        if len(found) > len(longest):
            longest = found
    return longest


def scripts_of(texts: dict[Path, str]) -> set[Path]:
    found = {file_of(m[2], page) for page, text in texts.items() for m in SCRIPT.finditer(text)}
    return {path for path in found if path.is_file() and path.name != "fontawesome.js"}


def spoken(texts: dict[Path, str]) -> list[str]:
    """What scripts say, and with it every class that they may give to something."""
    said = []
    for path in scripts_of(texts):
        text = path.read_text("utf8")
        # Bootstrap speaks of all its parts; the theme uses its tooltips and its menus.
        said.append(" ".join(BOOTSTRAP.findall(text)) if path.name == "bootstrap.js" else text)
    return said


def join(sheets: list[Path], words: Vocabulary, static: Path) -> str:
    """One style sheet from many, without what no page uses."""
    parts = []
    for path in sheets:
        css = rebase(with_imports(path), path, static)
        parts.append(minify(css) if path.name in OURS else purge(css, words))
    # Icons stand in it as letters, so its encoding is said first.
    return '@charset "utf-8";\n' + "\n".join(parts)


def stamp(text: str) -> str:
    return hashlib.sha256(text.encode("utf8")).hexdigest()[:8]


def wait(text: str, page: Path) -> str:
    """Let the scripts of a page wait until it stands, and drop those that it has no use for."""

    def one(match: re.Match[str]) -> str:
        before, source, query, after = match.groups()
        name = source.rsplit("/", 1)[-1]
        if name == "fontawesome.js" or (name in SEARCH and page.name != "search.html"):
            return ""
        if name == "documentation_options.js":
            # Lines in the page use it, so it cannot wait; it is as short as the words that ask for it.
            return f"<script>{file_of(source, page).read_text('utf8').strip()}</script>"
        if name == "explorers.js":
            # After the first painting: until then the still pictures stand there.
            return f"<script>{LATER.replace('SOURCE', source + (query or ''))}</script>"
        if "defer" in before + after or "async" in before + after:
            return match[0]
        return f'<script defer{before}src="{source}{query or ""}"{after}></script>'

    return SCRIPT.sub(one, PRELOAD.sub("", text))


def steady(text: str) -> str:
    """Say at the top of a page what else comes late and would move everything: theme and width."""
    text = text.replace(THEME, AT_ONCE, 1)
    if "bd-sidebar-secondary" not in text:
        text = text.replace('<div class="bd-content">', '<div class="bd-content cw-alone">', 1)
    return text


def lighten(path: Path) -> Path:
    """The WebP of a picture, where that is smaller; else the picture itself."""
    light = path.with_suffix(".webp")
    if not light.exists():
        with Image.open(path) as image:
            image.save(light, lossless=True, quality=80, method=4, exact=False)
    return light if light.stat().st_size < path.stat().st_size else path


def plain(text: str) -> str:
    """Code without the spans that change nothing to the eye, and its long lines marked."""
    text = WHOLE.sub(r"\1\2</code>", text)
    return CODE.sub(lambda code: hang(TOKEN.sub(r"\1", KEPT.sub(r"\1", code[0]))), text)


def picture(text: str, page: Path, heavy: set[Path]) -> str:
    """Tell the browser how large each picture is, show the light one, and load it when it is near."""

    def one(match: re.Match[str]) -> str:
        tag, source = match[0], match[1]
        path = file_of(source, page)
        if path.suffix == ".png" and path.is_file():
            light = lighten(path)
            if light != path:
                heavy.add(path)
                tag = tag.replace(source, source.removesuffix(".png") + ".webp")
                path = light
        if not path.is_file() or path.suffix == ".svg":
            return tag
        with Image.open(path) as image:
            width, height = image.size
        extra = "" if re.search(r"\bwidth=", tag) else f' width="{width}" height="{height}"'
        if "loading=" not in tag:
            extra += ' loading="lazy" decoding="async"'
        return tag.replace("<img", f"<img{extra}", 1)

    text = PICTURE.sub(one, text)
    for path in heavy:
        # The link around a picture leads to the picture.
        text = text.replace(f'images/{path.name}"', f'images/{path.stem}.webp"')
    return text


def finish(app, error) -> None:
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    texts = {page: page.read_text("utf8") for page in pages(out)}
    # A page that is done asks for one sheet; genindex and search are written anew in every build.
    fresh = {
        page: text for page, text in texts.items() if JOINED not in text and SHEET.search(text)
    }
    sheets = [path for path in sheets_of(fresh) if path.is_file()]
    words = Vocabulary.of(texts.values(), spoken(fresh))
    css = small_fonts(join(sheets, words, static), static)
    (static / JOINED).write_text(css, "utf8")
    version = stamp(css)
    heavy: set[Path] = set()
    for page, text in texts.items():
        done = text
        if page in fresh:
            root = "../" * (len(page.relative_to(out).parts) - 1)
            link = f'<link rel="stylesheet" href="{root}_static/{JOINED}?v={version}" />\n'
            at = SHEET.search(text).start()
            done = text[:at] + link + SHEET.sub("", text[at:])
            done = plain(steady(wait(done, page)))
            done = picture(done, page, heavy)
        else:
            done = re.sub(rf"{re.escape(JOINED)}\?v=\w+", f"{JOINED}?v={version}", done)
        if done != text:
            page.write_text(done, "utf8")
    for path in heavy:
        path.unlink(missing_ok=True)
    for pattern in LEFT_OUT:
        for path in static.glob(pattern):
            path.unlink()


def setup(app):
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
