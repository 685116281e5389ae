"""Ship the explorers with the book: one stylesheet, one classic script on the pages that need it.

A classic script (no module, no blob:, no eval) works over http:// and file:// and under a strict
Content-Security-Policy. It is linked from the ES modules in convlib/explorers/static.
"""

from pathlib import Path

from convlib.explorers import _bundle, block


def _write(app, config):
    out = Path(app.srcdir) / "_build" / "explorers"
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("explorers.css", _bundle.style()), ("explorers.js", _bundle.script())):
        file = out / name
        if not file.exists() or file.read_text("utf8") != text:
            file.write_text(text, "utf8")
    config.html_static_path = [*config.html_static_path, str(out)]


def _add(app, pagename, templatename, context, doctree):
    if "data-explorer=" in context.get("body", ""):
        app.add_js_file("explorers.js", loading_method="defer")
        context["body"] += block(context["body"])


def setup(app):
    app.connect("config-inited", _write)
    app.connect("html-page-context", _add)
    app.add_css_file("explorers.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
