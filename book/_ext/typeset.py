"""Set the formulas when the book is built, so that a page needs no MathJax to show them.

MathJax itself does it, the copy that sphinx-mathjax-offline brings, in the Node.js that Playwright
brings: both are pinned in requirements.txt. The result is what MathJax would make in the browser,
with the MathML for screen readers beside it. A formula that MathJax cannot read is a warning.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import subprocess
from functools import cache
from html import unescape
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.fileutil import copy_asset
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_suffix(".cjs")
FONTS = "mathjax-fonts"
ERROR = re.compile(r'data-mjx-error="([^"]*)"')
BROKEN = re.compile(r"\\begin\{aligned\}(.*)\\end\{aligned\}", re.DOTALL)
INDENT = re.compile(r"^&\s*(?:\\q?quad\s*)*")
LEADING = re.compile(r"^([+=-]|\\(?:cdot|le|mathrel)\b)")


def mathjax() -> Path:
    """The folder with MathJax in it."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError("typeset: sphinx-mathjax-offline is not installed.")
    return Path(spec.submodule_search_locations[0]) / "static" / "mathjax"


def node() -> str:
    """A Node.js: the one in Playwright's wheel, else one on PATH."""
    spec = find_spec("playwright")
    if spec is not None and spec.submodule_search_locations:
        driver = Path(spec.submodule_search_locations[0]) / "driver"
        for name in ("node", "node.exe"):
            if (driver / name).is_file():
                return str(driver / name)
    found = shutil.which("node")
    if not found:
        raise ExtensionError("typeset: no Node.js, neither in Playwright's package nor on PATH.")
    return found


@cache
def compositor() -> subprocess.Popen:
    """The process that sets formulas; one for the whole build."""
    command = [node(), str(PROGRAM), str(mathjax() / "node-main.js"), FONTS]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf8",
    )
    atexit.register(process.kill)
    return process


def ask(**question: object) -> str:
    process = compositor()
    try:
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except OSError:
        line = ""
    # MathJax's loader may say something of its own before the first answer.
    while line and not line.startswith('"'):
        line = process.stdout.readline()
    if not line:
        raise ExtensionError("typeset: the process that sets formulas ended.")
    return json.loads(line)


@cache
def typeset(tex: str, display: bool) -> str:
    """A formula's HTML."""
    return ask(tex=tex, display=display)


def checked(tex: str, display: bool, at: nodes.Node) -> str:
    html = typeset(tex, display)
    if wrong := ERROR.search(html):
        logger.warning("typeset: %s in %r", unescape(wrong[1]), tex, location=at)
    return html


def pieces(tex: str) -> list[str]:
    """A formula that its author broke into rows, apart; it breaks there again where room is short.

    Only one that runs on: rows with something before the & are equations of their own.
    """
    broken = BROKEN.fullmatch(tex)
    rows = [row.strip() for row in broken[1].split(r"\\")] if broken else []
    if len(rows) < 2 or not all(row.startswith("&") for row in rows[1:]):
        return [tex]
    rows = [INDENT.sub("", row).replace("&", "", 1).strip() for row in rows]
    # An operator at an end keeps the space that it has between two things.
    rows = [LEADING.sub(r"{}\1", row) for row in rows]
    return [r"\displaystyle " + re.sub(r"=$", "={}", row) for row in rows]


def visit_inline(self, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(checked(node.astext(), False, node) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node: nodes.math_block) -> None:
    parts = pieces(node.astext().strip())
    kind = "math notranslate nohighlight" + " cw-pieces" * (len(parts) > 1)
    self.body.append(self.starttag(node, "div", CLASS=kind))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    if len(parts) > 1:
        row = "<wbr>".join(checked(part, False, node) for part in parts)
        self.body.append(f"<span>{row}</span></div>\n")
    else:
        self.body.append(checked(parts[0], True, node) + "</div>\n")
    raise nodes.SkipNode


def write(app, error) -> None:
    """The style sheet of the formulas, and the fonts it names."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    fonts = mathjax() / "output" / "chtml" / "fonts" / "woff-v2"
    copy_asset(str(fonts), str(static / FONTS))
    (static / "formulas.css").write_text(ask(style=True), "utf8")


def setup(app):
    app.add_html_math_renderer("typeset", (visit_inline, None), (visit_block, None))
    app.add_css_file("formulas.css")
    # Before the style sheets are joined.
    app.connect("build-finished", write, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
