"""Small repairs of the generated HTML, so that it says what is there, to eyes and to screen readers."""

from __future__ import annotations


def repair(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body")
    if body:
        # docutils calls its citations a list, but gives the entries another role than list items.
        body = body.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )
        # A whole cell is folded away where it holds a solution, and nowhere else.
        for word in ("Show", "Hide"):
            body = body.replace(f"{word} code cell content", f"{word} the solution")
        context["body"] = body


def setup(app):
    app.connect("html-page-context", repair)
    app.add_js_file("formulas.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
