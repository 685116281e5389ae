"""Mark what a prediction asks for: the output that answers it, which the page may cover.

Marked is the output of the code cell that follows a prediction's answers. Of several outputs in a row it
is the last one: those before it show what is asked about. An explorer is never marked, nor a note that
there is no result yet. Behind the output, a cell that checks it and the paragraph that says what came
out would tell, so both are marked as well, with the formula behind it or the list to which its sentence
goes on. Where the code itself is an option, word for word, its cell has the tag `code-tells`, and the code
is marked, too. answers.js covers what is marked; without it, and on paper, all stays open.
"""

from __future__ import annotations

from docutils import nodes

SCRIPT = "answers.js"
OPTIONS = 'class="cw-options"'
NEVER = ("cw-explorer", "No GPU here")
PREDICT = "Predict."
TELLS = "tag_code-tells"
STOPS = tuple(end + close for end in ".?!" for close in ("", ")", "”", '"', "’"))


def cells_after(options: nodes.Node) -> list[nodes.container]:
    """The code cells that follow with nothing between."""
    found = []
    for node in options.findall(nodes.Element, descend=False, siblings=True, include_self=False):
        if isinstance(node, (nodes.comment, nodes.target)):
            continue
        if "cell" not in node.get("classes", []):
            break
        found.append(node)
    return found


def outputs(cell: nodes.container) -> list[nodes.container]:
    return [
        node for node in cell.findall(nodes.container) if "cell_output" in node.get("classes", [])
    ]


def words_after(cell: nodes.container) -> list[nodes.Element]:
    """The first paragraph behind a cell, to the end of its last sentence, and its formula."""
    found: list[nodes.Element] = []
    ended = False
    for node in cell.findall(nodes.Element, descend=False, siblings=True, include_self=False):
        if isinstance(node, (nodes.comment, nodes.target)):
            continue
        asks = isinstance(node, nodes.paragraph) and node.astext().startswith(PREDICT)
        if (
            asks
            or isinstance(node, (nodes.section, nodes.raw))
            or "cell" in node.get("classes", [])
        ):
            break
        if ended and not isinstance(node, nodes.math_block):
            break
        found.append(node)
        if not isinstance(node, nodes.paragraph):
            break
        ended = node.astext().rstrip().endswith(STOPS)
    return found


def answers(doctree: nodes.document) -> list[tuple[nodes.container, list[nodes.Element]]]:
    """The outputs that answer predictions, in order, and what checks and says each."""
    found = []
    for raw in doctree.findall(nodes.raw):
        if OPTIONS not in raw.astext():
            continue
        cells = cells_after(raw)
        shown = [output for cell in cells for output in outputs(cell)]
        if shown and not any(word in shown[-1].astext() for word in NEVER):
            last = max(number for number, cell in enumerate(cells) if outputs(cell))
            found.append((shown[-1], cells[last + 1 :] + words_after(cells[-1])))
    return found


def mark(app, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html":
        return
    for number, (output, words) in enumerate(answers(doctree), 1):
        output["classes"].append("cw-answer")
        output["ids"].append(f"comes-out-{number}")
        cell = output.parent
        if TELLS in cell["classes"]:
            code = next(part for part in cell if "cell_input" in part["classes"])
            code["classes"].append("cw-tells")
            code["ids"].append(f"comes-out-{number}-code")
        if words:
            box = nodes.container(classes=["cw-words"], ids=[f"comes-out-{number}-words"])
            inside = words[0].parent
            first, last = inside.index(words[0]), inside.index(words[-1])
            box += inside[first : last + 1]
            inside[first : last + 1] = [box]


def add(app, pagename, templatename, context, doctree) -> None:
    if "cw-answer" in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
