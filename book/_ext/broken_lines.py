"""Lines that a phone breaks (book.css): which may be broken, and how far the rest of a line hangs.

Printed sentences read on in a second line; tables and arrays do not, so they scroll. Code is broken too,
and the rest of a line stands a little further in than the line itself.
"""

from __future__ import annotations

import re
from html import unescape

from docutils import nodes

SHORT = 38  # letters: such a line is not broken
TAG = re.compile(r"<[^>]+>")
TABLE = re.compile(r"\S {2,}\S|^\s*\[.*\n\s*\[|\n +\S", re.MULTILINE)


def reads_on(text: str) -> bool:
    """Whether no place in it has to stand under another."""
    text = text.rstrip("\n")
    return "\n" not in text or not TABLE.search(text)


def hang(code: str) -> str:
    """The HTML of code, with every long line in a box of its own that knows how far it stands in."""
    head, start, body = code.partition("<pre>")
    done, open_tags = [head, start], 0
    for line in body.splitlines(keepends=True):
        text = unescape(TAG.sub("", line)).rstrip()
        depth = len(text) - len(text.lstrip())
        change = line.count("<span") - line.count("</span")
        # A token over several lines, as a docstring, stays whole.
        if len(text) > SHORT and not open_tags and not change and "</pre" not in line:
            line = f'<span class="cw-l" style="--in:{depth}">{line}</span>'
        open_tags += change
        done.append(line)
    return "".join(done)


def mark(app, doctree: nodes.document, docname: str) -> None:
    for output in doctree.findall(nodes.container):
        if "cell_output" in output.get("classes", []):
            for block in output.findall(nodes.literal_block):
                if reads_on(block.astext()):
                    block["classes"].append("cw-reads-on")


def setup(app):
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
