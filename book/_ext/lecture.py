"""For those who teach: a button to a chapter's slides, and one for large type on every page.

Large type is a class on the page's root, and CSS does the rest (book.css). The script only remembers it
for the tab; `?projector` in the address switches it on.
"""

from __future__ import annotations

SCRIPT = "projector.js"


def add(app, pagename, templatename, context, doctree) -> None:
    buttons = context.get("header_buttons")
    if buttons is None or not doctree:
        return
    if pagename.startswith("notebooks/"):
        name = pagename.removeprefix("notebooks/")
        slides = {
            "type": "link",
            "url": f"{context['pathto']('slides', 1)}/{name}.html",
            "tooltip": "Slides of this chapter",
            "icon": "fas fa-person-chalkboard",
            "label": "slides-button",
        }
        buttons.insert(0, slides)
    large = {
        "type": "javascript",
        "javascript": "",
        "tooltip": "Large type, for a projector (Alt+P)",
        "icon": "fas fa-display",
        "label": "projector-button",
    }
    buttons.insert(0, large)
    app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    # After the theme, which makes the list of buttons.
    app.connect("html-page-context", add, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
