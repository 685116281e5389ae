"""Nothing in a page may come from another host: drop what parts of Jupyter Book load."""

from __future__ import annotations


def drop_thebe(app):
    """Take out sphinx-thebe: its scripts fetch from a CDN, need a Binder, and come in twice."""
    for event in ("env-before-read-docs", "doctree-resolved", "html-page-context"):
        listeners = app.events.listeners.get(event, [])
        listeners[:] = [one for one in listeners if "sphinx_thebe" not in one.handler.__module__]


def setup(app):
    app.connect("builder-inited", drop_thebe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
