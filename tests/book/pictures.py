"""Draw the pictures that stand for the book elsewhere: the link preview and the icons.

`python tests/book/pictures.py` writes them into book/_static, where they are committed. The preview is
a figure of convlib.figures, computed like those of chapter 1; the icons are the favicon in pixels.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static"
PREVIEW = STATIC / "preview.png"
SIZE = (1200, 630)
ICONS = {32: False, 180: True, 512: True}  # width: whether it stands on a white card


def preview() -> Image.Image:
    """Input, kernel and output of one convolution, one window marked, under the book's title."""
    from matplotlib.figure import Figure

    from convlib import conv2d
    from convlib.figures import colours, draw_grid, outline, style
    from convlib.samples import digits

    images, _ = digits()
    x = np.rint(images[0, :5, 1:6] * 16).astype(int)
    w = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    y = conv2d(x[None, None], w[None, None])[0, 0]
    row, column = 1, 2
    ink = colours()
    with style():
        figure = Figure(layout="none", figsize=(6, 3.15), dpi=200, facecolor=ink["surface"])
        figure.text(
            0.055, 0.86, "Convolution, Window by Window", size=18, weight="bold", color=ink["text"]
        )
        figure.text(
            0.056,
            0.775,
            "PyTorch's convolutions rebuilt in NumPy, forwards and backwards",
            size=9.8,
            color=ink["muted"],
        )
        panels = [
            (x, "input", [0.055, 0.09, 0.31, 0.59]),
            (w, "kernel", [0.45, 0.2, 0.19, 0.37]),
            (y, "output", [0.72, 0.2, 0.19, 0.37]),
        ]
        for values, kind, box in panels:
            axes = figure.add_axes(box)
            draw_grid(axes, values, kind=kind)
            if kind == "input":
                outline(axes, row, column, 3, 3)
            if kind == "output":
                outline(axes, row, column, 1, 1)
        for words, at in (("∗", 0.408), ("=", 0.68)):
            figure.text(at, 0.385, words, size=20, color=ink["muted"], ha="center", va="center")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=200)
    image = Image.open(buffer).convert("RGB")
    assert image.size == SIZE
    return image.quantize(64, dither=Image.Dither.NONE)


def icons(browser) -> dict[int, bytes]:
    """The favicon in pixels, by width."""
    svg = (STATIC / "favicon.svg").read_text("utf8")
    drawn = {}
    for width, card in ICONS.items():
        page = browser.new_page(viewport={"width": width, "height": width})
        inner = round(width * 0.72) if card else width
        background = "#fff" if card else "transparent"
        page.set_content(
            f"<style>html,body{{margin:0;background:{background}}} body{{display:grid;"
            f"place-items:center;height:100vh}} svg{{width:{inner}px;height:{inner}px}}</style>{svg}"
        )
        drawn[width] = page.screenshot(omit_background=True)
        page.close()
    return drawn


def main() -> int:
    from playwright.sync_api import sync_playwright

    from browser import ARGUMENTS, find_browser

    preview().save(PREVIEW, optimize=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright), args=ARGUMENTS
        )
        for width, data in icons(browser).items():
            image = Image.open(io.BytesIO(data))
            image.save(STATIC / f"icon-{width}.png", optimize=True)
        browser.close()
    for path in [PREVIEW, *(STATIC / f"icon-{width}.png" for width in ICONS)]:
        print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
