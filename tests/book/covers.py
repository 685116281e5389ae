"""What answers.js covers: the state of the open page, and a way to open all of it."""

from __future__ import annotations

# An output, the words behind it and code that tells, none of which is shown without the others.
BOTH = "const both = (e) => [e, ...document.querySelectorAll(`[id^='${e.id}-']`)];"
STATE = f"""() => {{ {BOTH}
  return [...document.querySelectorAll('.cw-answer')].map((e) => {{
    if (new Set(both(e).map((one) => !!one.hidden)).size > 1) throw new Error(e.id);
    return !!e.hidden;
  }});
}}"""
SEEN = f"""() => {{ {BOTH}
  return [...document.querySelectorAll('.cw-answer')].map((e) => both(e).flatMap((one) => [...one.children])
    .every((inside) => inside.checkVisibility({{ visibilityProperty: true }})));
}}"""
OPEN_ALL = (
    "() => document.querySelectorAll('.cw-show[aria-expanded=false]').forEach((e) => e.click())"
)


def covered(page) -> list[bool]:
    """For each output that answers a prediction, whether it is covered."""
    return page.evaluate(STATE)


def seen(page) -> list[bool]:
    """For each such output, whether a reader sees it and what is said to it."""
    return page.evaluate(SEEN)


def open_all(page) -> None:
    """Press every button that is left."""
    page.evaluate(OPEN_ALL)
    assert not any(covered(page)) and all(seen(page))
