"""Still pictures: small SVG elements in the explorers' colours, for paper and for no JavaScript.

Each shape has the light theme's colour as an attribute and a class of explorers.css, which follows
the theme where the stylesheet is present. No style attributes: a strict page would block them.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

from ._bundle import STATIC


def colours() -> dict[str, str]:
    """Return the light theme's tokens: {"input": "#0b63bd", "input-soft": …}."""
    light = (STATIC / "tokens.css").read_text("utf8").split("{")[1].split("}")[0]
    pairs = (line.split(":") for line in light.split(";") if "--cw-" in line)
    return {name.strip().removeprefix("--cw-"): value.strip() for name, value in pairs}


COLOURS = colours()


def number(value: Any) -> str:
    """Return a number as the pages write it: at most two decimals, a true minus sign."""
    value = round(float(value), 2)
    return (str(int(value)) if value == int(value) else str(value)).replace("-", "−")


def _f(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def by_column(kinds: Sequence[str]) -> Callable[[int, int], str]:
    """Return the `kind` of a grid with one row, from a list."""
    return lambda _, column: kinds[column]


class Picture:
    """Shapes on a canvas that grows with them. Roles are names of tokens."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.width = self.height = 0.0

    def _reach(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)

    def boxes(
        self, boxes: Sequence[tuple[float, float, float, float]], role: str, line: str = "surface"
    ) -> None:
        """Filled boxes (x, y, width, height) of one role, as one path."""
        if not boxes:
            return
        path = "".join(f"M{_f(x)} {_f(y)}h{_f(w)}v{_f(h)}h{_f(-w)}z" for x, y, w, h in boxes)
        fill = COLOURS.get(f"{role}-soft", COLOURS[role])
        self.parts.append(
            f'<path class="cw-f-{role} cw-s-{line}" d="{path}" fill="{fill}" '
            f'stroke="{COLOURS[line]}"/>'
        )
        for x, y, w, h in boxes:
            self._reach(x + w, y + h)

    def frame(self, x: float, y: float, w: float, h: float, role: str) -> None:
        """An outline."""
        self.parts.append(
            f'<rect class="cw-s-{role}" x="{_f(x)}" y="{_f(y)}" width="{_f(w)}" height="{_f(h)}" '
            f'rx="3" fill="none" stroke="{COLOURS[role]}" stroke-width="2.5"/>'
        )
        self._reach(x + w, y + h)

    def lines(
        self, lines: Sequence[tuple[float, float, float, float]], role: str, width: float = 1.0
    ) -> None:
        """Straight lines (x1, y1, x2, y2) of one role, as one path."""
        if lines:
            path = "".join(f"M{_f(a)} {_f(b)}L{_f(c)} {_f(d)}" for a, b, c, d in lines)
            self.parts.append(
                f'<path class="cw-s-{role}" d="{path}" fill="none" stroke="{COLOURS[role]}" '
                f'stroke-width="{_f(width)}"/>'
            )

    def texts(
        self,
        texts: Sequence[tuple[float, float, str]],
        role: str = "text",
        size: float = 13,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        """Words at (x, y), y being their middle; anchored at x in the middle, start or end."""
        if not texts:
            return
        weight = ' font-weight="600"' if bold else ""
        inner = "".join(
            f'<text x="{_f(x)}" y="{_f(y + 0.36 * size)}">{html.escape(words)}</text>'
            for x, y, words in texts
        )
        self.parts.append(
            f'<g class="cw-t-{role}" fill="{COLOURS[role]}" font-size="{_f(size)}" '
            f'text-anchor="{anchor}"{weight}>{inner}</g>'
        )
        for x, y, words in texts:
            long = 0.56 * size * len(words) * {"middle": 0.5, "start": 1.0, "end": 0.0}[anchor]
            self._reach(x + long, y + size)

    def caption(self, x: float, y: float, words: str) -> None:
        """Name a part, on the line whose middle is y."""
        self.texts([(x, y, words)], "muted", 12, "start")

    def grid(
        self,
        x: float,
        y: float,
        values: Any,
        kind: Callable[[int, int], str] | str = "input",
        cell: float = 30,
    ) -> None:
        """Cells with their values; `kind` names the role of (row, column)."""
        rows = [list(row) for row in values]
        by_kind: dict[str, list[tuple[int, int]]] = {}
        for r, row in enumerate(rows):
            for c in range(len(row)):
                by_kind.setdefault(kind if isinstance(kind, str) else kind(r, c), []).append((r, c))
        for role, places in sorted(by_kind.items()):
            line = "line" if role == "surface" else "surface"
            self.boxes([(x + c * cell, y + r * cell, cell, cell) for r, c in places], role, line)
            if role == "unused":  # hatched: not by colour alone
                strokes = [
                    stroke
                    for r, c in places
                    for left, top in [(x + c * cell, y + r * cell)]
                    for stroke in (
                        (left + 3, top + cell / 2, left + cell / 2, top + 3),
                        (left + 3, top + cell - 3, left + cell - 3, top + 3),
                        (left + cell / 2, top + cell - 3, left + cell - 3, top + cell / 2),
                    )
                ]
                self.lines(strokes, "line")
        longest = max((len(number(v)) for row in rows for v in row), default=1)
        size = min(0.46 * cell, 1.5 * cell / max(2, longest))
        middle = [
            (x + (c + 0.5) * cell, y + (r + 0.5) * cell, number(value))
            for r, row in enumerate(rows)
            for c, value in enumerate(row)
        ]
        self.texts(middle, size=size)

    def image(self, x: float, y: float, side: float, source: str, words: str) -> None:
        """A square picture from a data: address."""
        self.parts.append(
            f'<image x="{_f(x)}" y="{_f(y)}" width="{_f(side)}" height="{_f(side)}" '
            f'href="{source}"><title>{html.escape(words)}</title></image>'
        )
        self._reach(x + side, y + side)

    def svg(self, label: str) -> str:
        """Return the SVG element, named by `label` for readers who do not see it."""
        width, height = _f(self.width + 2), _f(self.height + 2)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(label)}" '
            f'viewBox="-2 -2 {_f(self.width + 4)} {_f(self.height + 4)}" width="{width}" '
            f'height="{height}" font-family="system-ui, sans-serif">{"".join(self.parts)}</svg>'
        )
