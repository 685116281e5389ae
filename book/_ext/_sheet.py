"""Style sheets for slim.py: what no page uses goes, and icon fonts keep the icons in use."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tinycss2

CONTENT = re.compile(r'content:\s*"([^"]*)"')
URL = re.compile(r"url\(\s*(['\"]?)([^)'\"]+)\1\s*\)")
IMPORT = re.compile(r"@import\s*(?:url\()?\s*['\"]?([^'\");]+)['\"]?\s*\)?\s*;")
CLASSES = re.compile(r'\bclass="([^"]*)"')
TAGS = re.compile(r"<([a-zA-Z][\w-]*)")
IDS = re.compile(r'\bid="([^"]*)"')
WORDS = re.compile(r"[A-Za-z_][\w-]*")
# What a selector says in brackets is left out of the question: it can only narrow down.
ARGUMENTS = re.compile(
    r":(?:not|is|where|has|host|nth[\w-]*|lang|dir)\([^()]*(?:\([^()]*\)[^()]*)*\)"
)
ATTRIBUTES = re.compile(r"\[[^\]]*\]")
NAMES = re.compile(r"([.#]?)(-?[A-Za-z_][\w-]*)")
PSEUDO = re.compile(r"::?-?[A-Za-z][\w-]*")


@dataclass
class Vocabulary:
    """The classes, places and elements that pages have or that a script may give them."""

    names: set[str]
    tags: set[str]

    @classmethod
    def of(cls, pages: Iterable[str], scripts: Iterable[str]) -> Vocabulary:
        names: set[str] = set()
        tags: set[str] = set()
        for text in pages:
            for classes in set(CLASSES.findall(text)):
                names.update(classes.split())
            names.update(IDS.findall(text))
            tags.update(tag.lower() for tag in TAGS.findall(text))
        words = {word for text in scripts for word in WORDS.findall(text)}
        return cls(names | words, tags | {word.lower() for word in words})

    def knows(self, selector: str) -> bool:
        """Whether anything could match `selector`."""
        if "\\" in selector:
            return True
        bare = PSEUDO.sub("", ATTRIBUTES.sub("", ARGUMENTS.sub("", selector)))
        for kind, name in NAMES.findall(bare):
            if kind and name not in self.names:
                return False
            if not kind and name.lower() not in self.tags:
                return False
        return True


def split(prelude: str) -> list[str]:
    """The selectors of a list, at its outer commas."""
    out, depth, start = [], 0, 0
    for at, letter in enumerate(prelude):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            out.append(prelude[start:at])
            start = at + 1
    return [*out, prelude[start:]]


def squeeze(css: str) -> str:
    return re.sub(r"\s+", " ", css).strip()


def declarations(content) -> str:
    text = squeeze(tinycss2.serialize(content))
    return re.sub(r"\s*([;{}])\s*", r"\1", text)


def rules(nodes, words: Vocabulary | None) -> str:
    out = []
    for node in nodes:
        if node.type == "at-rule":
            head = f"@{node.at_keyword} {squeeze(tinycss2.serialize(node.prelude))}".strip()
            if node.content is None:
                out.append(f"{head};")
            elif node.at_keyword in ("media", "supports", "container", "layer"):
                inner = tinycss2.parse_rule_list(
                    node.content, skip_comments=True, skip_whitespace=True
                )
                if body := rules(inner, words):
                    out.append(f"{head}{{{body}}}")
            else:
                out.append(f"{head}{{{declarations(node.content)}}}")
        elif node.type == "qualified-rule":
            selectors = [squeeze(one) for one in split(tinycss2.serialize(node.prelude))]
            kept = [one for one in selectors if words is None or words.knows(one)]
            body = declarations(node.content)
            if kept and body:
                out.append(f"{','.join(kept)}{{{body}}}")
    return "".join(out)


def parsed(css: str):
    return tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)


def purge(css: str, words: Vocabulary) -> str:
    """A style sheet without the rules that nothing on any page matches."""
    return rules(parsed(css), words)


def minify(css: str) -> str:
    return rules(parsed(css), None)


def with_imports(path: Path) -> str:
    """A style sheet with the ones it imports in their place."""

    def one(match: re.Match[str]) -> str:
        inner = path.parent / match[1]
        return rebase(with_imports(inner), inner, path.parent) if inner.is_file() else ""

    return IMPORT.sub(one, path.read_text("utf8"))


def rebase(css: str, path: Path, static: Path) -> str:
    """The addresses in a style sheet, as they read from the folder `static`."""

    def one(match: re.Match[str]) -> str:
        address = match[2]
        if address.startswith(("data:", "#", "http")):
            return match[0]
        moved = os.path.relpath(path.parent / address, static).replace(os.sep, "/")
        return f'url("{moved}")'

    return URL.sub(one, css)


def small_fonts(css: str, static: Path) -> str:
    """Cut the fonts of icons and formulas down to the letters that the rules still name.

    The rules name all of them: an icon and a letter of a formula are `content`. The parser has read
    the escapes, so each stands in the style sheet as itself.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    codes = {ord(letter) for text in CONTENT.findall(css) for letter in text}

    def face(match: re.Match[str]) -> str:
        sources = [static / address for _, address in URL.findall(match[0])]
        found = [path for path in sources if path.suffix in (".ttf", ".woff") and path.is_file()]
        if not found or "vendor" not in str(found[0]) and "mathjax" not in str(found[0]):
            return match[0]
        font = TTFont(found[0])
        used = codes & set(font.getBestCmap())
        if not used:
            # One of MathJax's fonts is empty on purpose: it gives a line its height.
            return match[0] if "Zero" in found[0].name else ""
        options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
        options.drop_tables += ["FFTM"]
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=used)
        cutter.subset(font)
        small = static / "fonts" / f"{found[0].stem}.woff"
        small.parent.mkdir(exist_ok=True)
        subset.save_font(font, str(small), options)
        return re.sub(
            r"src:[^;}]*", f'src:url("fonts/{small.name}") format("woff")', match[0], count=1
        )

    return re.sub(r"@font-face\s*\{[^}]*\}", face, css)
