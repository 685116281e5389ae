"""Small repairs of the generated HTML, so that a screen reader is told no untruth."""

from __future__ import annotations


def repair(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body")
    if body:
        # docutils calls its citations a list, but gives the entries another role than list items.
        context["body"] = body.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def setup(app):
    app.connect("html-page-context", repair)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
