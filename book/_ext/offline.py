"""Nothing in a page may come from another host: drop what Jupyter Book's parts load from elsewhere."""

from __future__ import annotations


def drop_thebe(app):
    """Take out sphinx-thebe's scripts: they fetch from a CDN, need a Binder, and are put in twice."""
    for event in ("env-before-read-docs", "doctree-resolved", "html-page-context"):
        listeners = app.events.listeners.get(event, [])
        listeners[:] = [one for one in listeners if "sphinx_thebe" not in one.handler.__module__]


def setup(app):
    app.connect("builder-inited", drop_thebe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
