"""Mark what a prediction asks for: the output that answers it, which the page may cover.

Marked is the output of the code cell that follows a prediction's answers. Of several cells in a row it
is the last one: those before it show what is asked about. An explorer is never marked, nor a note that
there is no result yet. answers.js covers what is marked; without it, and on paper, all stays open.
"""

from __future__ import annotations

from docutils import nodes

SCRIPT = "answers.js"
OPTIONS = 'class="cw-options"'
NEVER = ("cw-explorer", "No GPU here")


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


def answers(doctree: nodes.document) -> list[nodes.container]:
    """The outputs that answer predictions, in order."""
    found = []
    for raw in doctree.findall(nodes.raw):
        if OPTIONS not in raw.astext():
            continue
        shown = [output for cell in cells_after(raw) for output in outputs(cell)]
        if shown and not any(word in shown[-1].astext() for word in NEVER):
            found.append(shown[-1])
    return found


def mark(app, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html":
        return
    for number, output in enumerate(answers(doctree), 1):
        output["classes"].append("cw-answer")
        output["ids"].append(f"comes-out-{number}")


def add(app, pagename, templatename, context, doctree) -> None:
    if "cw-answer" in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
