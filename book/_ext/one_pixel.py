"""The figure of the welcome page: one pixel, nine windows, and its gradient.

Every number in it is computed here, from a handwritten digit, by `convlib`. The directive
`one-pixel` puts three panels into the page, which stand side by side or one below the other; run as
a program, the module writes the same three panels as one file for the README.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
README_PICTURE = ROOT / "book" / "_static" / "one-pixel.svg"
TITLES = ("One pixel", "Nine windows", "Its gradient")
KERNEL_SIZE = 3
SIZE = 5


@dataclass(frozen=True)
class Numbers:
    """What the figure shows, all of it integers."""

    input: np.ndarray  # (h, w), 5 × 5
    weight: np.ndarray  # (k, l), 3 × 3
    output: np.ndarray  # (h, w), 3 × 3
    grad_output: np.ndarray  # (h, w), 3 × 3
    grad_pixel: int

    @property
    def pixel(self) -> tuple[int, int]:
        """Where the pixel of the figure is: the middle, which all nine windows read."""
        return SIZE // 2, SIZE // 2


def compute() -> Numbers:
    """Compute the figure's numbers, the gradient in three ways that have to agree."""
    from convlib import conv2d
    from convlib.samples import digits

    # The upper part of a handwritten zero, where its stroke bends: ink from 0 to 16.
    images, _ = digits()
    x = np.rint(images[0, :SIZE, 1 : 1 + SIZE] * 16).astype(np.int64)
    # Each weight is the number of its tap, so that a reader can tell the nine apart.
    w = np.arange(1, KERNEL_SIZE**2 + 1).reshape(KERNEL_SIZE, KERNEL_SIZE)
    g = np.random.default_rng(3).integers(-3, 4, size=(SIZE - KERNEL_SIZE + 1,) * 2)

    def forward(image: np.ndarray) -> np.ndarray:
        return conv2d(image[None, None], w[None, None])[0, 0]

    y = forward(x)
    h, c = SIZE // 2, SIZE // 2
    taps = [(k, l) for k in range(KERNEL_SIZE) for l in range(KERNEL_SIZE)]
    by_sum = sum(int(g[h - k, c - l] * w[k, l]) for k, l in taps)
    # The same sum as a convolution: the gradient with room around it, and the kernel turned round.
    spread = np.pad(g, KERNEL_SIZE - 1)
    by_convolution = conv2d(spread[None, None], w[::-1, ::-1].copy()[None, None])[0, 0, h, c]
    # And by the definition: one more unit of ink, how much more is the weighted sum of the outputs?
    nudged = x.copy()
    nudged[h, c] += 1
    by_difference = int((g * (forward(nudged) - y)).sum())
    if not by_sum == by_convolution == by_difference:
        raise ExtensionError(
            f"the welcome figure's gradients differ: {by_sum}, {by_convolution}, {by_difference}"
        )
    return Numbers(x, w, y, g, by_sum)


def minus(value: int) -> str:
    """A number with a real minus sign."""
    return str(value).replace("-", "−")


def cell(x: float, y: float, size: float, names: str) -> str:
    return f'<rect class="{names}" x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"/>'


def label(x: float, y: float, text: str, names: str) -> str:
    return f'<text class="{names}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


PANEL = 300  # width and height of a panel's drawing


def one_pixel(n: Numbers) -> str:
    """The input, its middle pixel marked."""
    step, parts = 56, []
    left = top = (PANEL - step * SIZE) / 2
    for h in range(SIZE):
        for w in range(SIZE):
            mark = " op-pixel" if (h, w) == n.pixel else ""
            x, y = left + w * step, top + h * step
            parts.append(cell(x + 2, y + 2, step - 4, "op-input" + mark))
            parts.append(label(x + step / 2, y + step / 2, str(n.input[h, w]), "op-number" + mark))
    return "".join(parts)


def nine_windows(n: Numbers) -> str:
    """The nine windows that read the pixel, each through another tap of the kernel."""
    step, block, parts = 12.8, PANEL / 3, []
    for h in range(KERNEL_SIZE):
        for w in range(KERNEL_SIZE):
            k, l = n.pixel[0] - h, n.pixel[1] - w
            left, top = w * block + (block - step * SIZE) / 2, h * block + 16
            parts.append(label(w * block + block / 2, top - 8, f"y[{h},{w}]", "op-small op-y"))
            for a in range(SIZE):
                for b in range(SIZE):
                    inside = h <= a < h + KERNEL_SIZE and w <= b < w + KERNEL_SIZE
                    name = "op-tap" if (a, b) == n.pixel else "op-window" if inside else "op-rest"
                    parts.append(
                        cell(left + b * step + 0.6, top + a * step + 0.6, step - 1.2, name)
                    )
            text = f"w[{k},{l}] = {n.weight[k, l]}"
            parts.append(
                label(w * block + block / 2, top + step * SIZE + 9.5, text, "op-small op-w")
            )
    return "".join(parts)


def gradient(n: Numbers) -> str:
    """Nine products, one a window, that add up to the pixel's gradient."""
    step, parts = 84, []
    left = (PANEL - step * KERNEL_SIZE) / 2
    for h in range(KERNEL_SIZE):
        for w in range(KERNEL_SIZE):
            k, l = n.pixel[0] - h, n.pixel[1] - w
            x, y = left + w * step, h * step
            product = int(n.grad_output[h, w] * n.weight[k, l])
            parts.append(cell(x + 2, y + 2, step - 4, "op-grad"))
            parts.append(label(x + step / 2, y + 34, minus(product), "op-number op-g"))
            text = f"{minus(int(n.grad_output[h, w]))} · {n.weight[k, l]}"
            parts.append(label(x + step / 2, y + 60, text, "op-term"))
    parts.append(
        label(PANEL / 2, step * 3 + 26, f"sum = {minus(n.grad_pixel)}", "op-number op-sum")
    )
    return "".join(parts)


def captions(n: Numbers) -> tuple[str, str, str]:
    """What a screen reader says in place of each panel."""
    a, b = n.pixel
    rows = "; ".join(" ".join(map(str, row)) for row in n.input.tolist())
    taps = ", ".join(
        f"y[{h},{w}] through w[{a - h},{b - w}]"
        for h in range(KERNEL_SIZE)
        for w in range(KERNEL_SIZE)
    )
    products = ", ".join(
        f"{minus(int(n.grad_output[h, w]))} times {n.weight[a - h, b - w]}"
        for h in range(KERNEL_SIZE)
        for w in range(KERNEL_SIZE)
    )
    return (
        f"An input of five by five numbers, row by row: {rows}. "
        f"The pixel in the middle, x[{a},{b}] = {n.input[a, b]}, is marked.",
        f"The nine windows that read this pixel, each through another weight: {taps}.",
        f"The pixel's gradient, nine products of a gradient and a weight: {products}. "
        f"They add up to {minus(n.grad_pixel)}.",
    )


def sums(n: Numbers) -> tuple[str, str]:
    """The two sums in numbers: one output from nine pixels, one gradient from nine windows."""
    taps = [(k, l) for k in range(KERNEL_SIZE) for l in range(KERNEL_SIZE)]
    a, b = n.pixel

    def factor(value: int) -> str:
        return f"({minus(value)})" if value < 0 else str(value)

    forwards = " + ".join(f"{n.input[1 + k, 1 + l]}·{n.weight[k, l]}" for k, l in taps)
    backwards = " + ".join(
        f"{factor(int(n.grad_output[a - k, b - l]))}·{n.weight[k, l]}" for k, l in taps
    )
    return f"{forwards} = {n.output[1, 1]}", f"{backwards} = {minus(n.grad_pixel)}"


def panels(n: Numbers) -> list[tuple[str, str, str]]:
    """Title, drawing and spoken text of each panel."""
    return list(zip(TITLES, (one_pixel(n), nine_windows(n), gradient(n)), captions(n)))


def as_html(n: Numbers) -> str:
    """The figure for the page: three drawings and the two sums."""
    parts = []
    for title, drawing, spoken in panels(n):
        parts.append(
            f'<div class="op-panel"><p class="op-title">{escape(title)}</p>'
            f'<svg viewBox="0 0 {PANEL} {PANEL}" role="img" aria-label="{escape(spoken)}">'
            f"{drawing}</svg></div>"
        )
    forwards, backwards = sums(n)
    a, b = n.pixel
    parts.append(
        '<dl class="op-sums">'
        f'<div><dt>Forwards: <span class="op-y">y[1,1]</span> gathers nine pixels</dt>'
        f"<dd>{forwards}</dd></div>"
        f'<div><dt>Backwards: <span class="op-g">the gradient of x[{a},{b}]</span> '
        f"gathers nine windows</dt><dd>{backwards}</dd></div></dl>"
    )
    return f'<div class="one-pixel-frame"><div class="one-pixel">{"".join(parts)}</div></div>'


def block_of(css: str, dark: bool) -> str:
    """The light or the dark declarations of tokens.css."""
    start = css.index("[data-theme=" + ('"dark"]' if dark else '"light"]'))
    opening = css.index("{", start)
    body = css[opening + 1 : css.index("}", opening)]
    return " ".join(line.strip() for line in body.strip().splitlines())


def as_svg(n: Numbers) -> str:
    """The figure as one file, with its colours inside, for places that know no style sheet."""
    tokens = (ROOT / "convlib" / "explorers" / "static" / "tokens.css").read_text("utf8")
    style = (ROOT / "book" / "_static" / "one-pixel.css").read_text("utf8")
    drawn = []
    for number, (title, drawing, _) in enumerate(panels(n)):
        x = 16 + number * (PANEL + 20)
        drawn.append(label(x + PANEL / 2, 24, title, "op-heading"))
        drawn.append(f'<g transform="translate({x} 44)">{drawing}</g>')
    width, height = 3 * PANEL + 2 * 20 + 32, PANEL + 60
    spoken = " ".join(captions(n))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{', '.join(TITLES)}</title>\n<desc>{escape(spoken)}</desc>\n"
        f"<style>\n:root {{ {block_of(tokens, dark=False)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {block_of(tokens, dark=True)} }} }}\n"
        f"{style}</style>\n"
        f'<rect width="{width}" height="{height}" rx="12" fill="var(--cw-surface)"/>\n'
        f"{chr(10).join(drawn)}\n</svg>\n"
    )


class OnePixel(SphinxDirective):
    """`one-pixel`: the computed figure of the welcome page."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        for name in ("convolution", "contraction", "windows", "samples"):
            self.env.note_dependency(str(ROOT / "convlib" / f"{name}.py"))
        self.env.note_dependency(__file__)
        return [nodes.raw("", as_html(compute()), format="html")]


def setup(app):
    app.add_directive("one-pixel", OnePixel)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    README_PICTURE.write_text(as_svg(compute()), "utf8")
    sys.stdout.write(f"wrote {README_PICTURE.relative_to(ROOT)}\n")
