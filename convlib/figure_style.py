"""How still figures look: the book's colours, Matplotlib's defaults, and a picture to show."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.colors
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

__all__ = ["Still", "canvas", "colours", "number", "still", "style", "text_colour"]

WIDTH = 5.0  # inches, 480 pixels on a screen
DPI = 192
SCREEN = 96
TOKENS = Path(__file__).parent / "explorers" / "static" / "tokens.css"


@cache
def colours(theme: str = "light") -> dict[str, str]:
    """Return the book's colours by name, such as 'input', 'input-soft', 'text', 'line'."""
    blocks = re.findall(r"([^{}]*)\{([^{}]*--cw-[^{}]*)\}", TOKENS.read_text(encoding="utf-8"))
    for selectors, block in blocks:
        if f'data-theme="{theme}"' in selectors and ":not(" not in selectors:
            return dict(re.findall(r"--cw-([a-z-]+):\s*(#[0-9a-fA-F]{6})", block))
    raise ValueError(f"colours: theme must be 'light' or 'dark', got {theme!r}.")


@contextmanager
def style() -> Iterator[None]:
    """Set Matplotlib's defaults for the book, inside a with block only."""
    c = colours()
    with matplotlib.rc_context(
        {
            "figure.facecolor": c["surface"],
            "figure.dpi": DPI,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": c["surface"],
            "font.size": 10.5,
            "axes.titlesize": 10.5,
            "axes.labelsize": 10.5,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "legend.frameon": False,
            "text.color": c["text"],
            "axes.labelcolor": c["text"],
            "axes.titlecolor": c["text"],
            "axes.edgecolor": c["muted"],
            "xtick.color": c["muted"],
            "xtick.labelcolor": c["text"],
            "ytick.color": c["muted"],
            "ytick.labelcolor": c["text"],
            "axes.spines.top": False,
            "axes.spines.right": False,
            "lines.linewidth": 1.6,
            "axes.prop_cycle": cycler(
                color=[c[kind] for kind in ("input", "kernel", "output", "gradient")],
                linestyle=["-", "--", "-.", ":"],
            ),
            "image.interpolation": "nearest",
            "image.cmap": "gray",
        }
    ):
        yield


class Still:
    """A finished figure: a PNG that a notebook shows at half its pixels, and a line of text."""

    def __init__(self, figure: Figure):
        buffer = io.BytesIO()
        with style():
            figure.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"optimize": True})
        self.png = buffer.getvalue()
        self.size = tuple(round(inches * SCREEN) for inches in figure.get_size_inches())
        titles = [axes.get_title() for axes in figure.axes]
        self.text = " | ".join(title.replace("\n", " ") for title in titles if title)

    def __repr__(self) -> str:
        return f"<Still {self.text}>" if self.text else "<Still>"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict, dict]:
        width, height = self.size
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": repr(self)}
        return data, {"image/png": {"width": width, "height": height}}


def canvas(
    rows: int = 1, columns: int = 1, width: float = WIDTH, height: float | None = None, **options
) -> tuple[Figure, np.ndarray]:
    """Return a figure in the book's style and its axes, an array (rows, columns).

    Draw on it inside `with style():`, and end with `still(figure)`. Nothing is left open, as
    pyplot is not used.
    """
    with style():
        figure = Figure(figsize=(width, height or rows * width / max(columns, 1.4)))
        return figure, figure.subplots(rows, columns, squeeze=False, **options)


def still(figure: Figure) -> Still:
    """Finish a figure of your own."""
    return Still(figure)


def _luminance(rgb: Any) -> float:
    """Return the relative luminance of WCAG, from which contrast is computed."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb[:3]]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def text_colour(fill: Any) -> str:
    """Return the colour of the two, the book's text or white, that reads better on a fill."""
    light = _luminance(fill) + 0.05
    dark_text = _luminance(matplotlib.colors.to_rgb(colours()["text"])) + 0.05
    return colours()["text"] if light / dark_text >= 1.05 / light else colours()["surface"]


def number(value: Any, decimals: int | None) -> str:
    """Write a number as in a table; a true minus sign, and no minus before a zero."""
    if isinstance(value, str):
        return value
    text = f"{value:g}" if decimals is None else f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")
