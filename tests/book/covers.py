"""What answers.js covers: the state of the open page, and a way to open all of it."""

from __future__ import annotations

STATE = "() => [...document.querySelectorAll('.cw-answer')].map((e) => !!e.hidden)"
SEEN = """() => [...document.querySelectorAll('.cw-answer')]
  .map((e) => [...e.children].every((inside) => inside.checkVisibility({ visibilityProperty: true })))"""
OPEN_ALL = (
    "() => document.querySelectorAll('.cw-show[aria-expanded=false]').forEach((e) => e.click())"
)


def covered(page) -> list[bool]:
    """For each output that answers a prediction, whether it is covered."""
    return page.evaluate(STATE)


def seen(page) -> list[bool]:
    """For each such output, whether a reader sees it."""
    return page.evaluate(SEEN)


def open_all(page) -> None:
    """Press every button that is left."""
    page.evaluate(OPEN_ALL)
    assert not any(covered(page)) and all(seen(page))
