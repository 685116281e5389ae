"""Chapter 7: forward gathers, backward scatters."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..geometry import effective_kernel_size, output_size
from ._base import (
    CONVLIB,
    KERNEL,
    NO_OUTPUT,
    SPREAD,
    TAPS,
    TORCH,
    TURNED,
    WEIGHT,
    Explorer,
    Whole,
    Word,
    call,
    spread_out,
    toy_kernel,
)
from ._still import Picture, number

REFUSED = NO_OUTPUT.replace("output", "output, so no gradient")
READ = {
    "nobody": "cell {place tuple} was read by no window: its gradient is 0.",
    "one": "cell {place tuple} was read by 1 window; its share is {sum}.",
    "many": "cell {place tuple} was read by {reads count window}; the shares add up to {sum}.",
    "convolution": "cell {place tuple} gets {sum}.",
}
GRADIENT = WEIGHT + (
    "h, w = np.ogrid[:{m}, :{m}]\ngrad_output = np.float32((2 * h + 4 * w) % 7 - 3)[None, None]\n"
)
CELLS = {
    "name": "Gradient of the input", "caption": "Input's gradient {n} × {n}", "role": "gradient",
    "padded": True, "outside": ", padding",
}  # fmt: skip
SHAPE, SETTINGS = "(1, 1, {size}, {size})", ("stride", "padding", "dilation")


def toy_gradient(size: int) -> np.ndarray:
    """Return a toy grad_output, shape (size, size): integers from -3 to 3."""
    h, w = np.ogrid[:size, :size]
    return (2 * h + 4 * w) % 7 - 3


class BackwardExplorer(Explorer):
    """The gradient of one input cell, added up from each window that read it.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation : int
        From 1 to 8, 1 to 5, 1 to 4, 0 to 2 and 1 to 3.
    view : {"pixel", "window", "convolution"}
        One input cell adds up what each window that read it hands back; or one window hands its
        gradient back, the earlier ones having done so; or the same as a convolution of the spread-out
        gradient with the turned kernel.
    row, column : int
        What is pointed at: an input cell (from -2, negative ones and those behind the end being
        padding), or in the second view a window. Beyond the end, the last one is meant.
    """

    _explorer = "backward"
    _words: ClassVar = {
        "title": "The gradient, on its way back",
        "sentences": {
            "none": REFUSED,
            "window": (
                "Window {place tuple} hands its gradient {given} back to the {taken count cell} that "
                "it read, each times the weight that it met there. {handed} of {windows count window} "
                "{handed one has/have} handed back."
            ),
            "same": (
                "The same numbers, as a convolution with stride 1: the gradient of the output with "
                "{between count zero} between and {border} around, under the kernel turned by half a "
                "circle."
            ),
            **{f"input_{key}": f"Input {words}" for key, words in READ.items()},
            **{f"padding_{key}": f"Padding {words}" for key, words in READ.items()},
            "lost": "It is cut off: padding is nobody’s input.",
        },
        "grids": {
            "output": {
                "path": "grad_output", "name": "Gradient of the output", "role": "gradient",
                "caption": "Output's gradient {m} × {m}", "met": ", hands back to the cell",
            },
            "kernel": KERNEL,
            "input": {**CELLS, "path": "grad_input"},
            "done": {**CELLS, "path": "done", "caption": f"{CELLS['caption']}, so far"},
            "all": {**CELLS, "path": "done"},
            "gathered": {**CELLS, "path": "grad_input", "met": ""},
            "turned": TURNED,
            "spread": {
                "path": "spread", "name": "Spread-out gradient", "role": "gradient",
                "caption": "Output's gradient, spread out", "outside": ", a zero put in",
            },
        },
        "lines": {
            "shares": ("shares", "{given:gradient} times each weight, tap by tap"),
            "taps": TAPS,
        },
        "code": {
            "convlib": CONVLIB + GRADIENT
            + "grad_input = "
            + call("convlib.grad.conv2d_input", f"{SHAPE}, weight, grad_output", *SETTINGS),
            "convolution": CONVLIB + GRADIENT
            + SPREAD.format(
                values="grad_output", result="grad_input", more=", dilation={dilation}"
            ),
            "PyTorch": TORCH + "twin = " + call(
                "torch.nn.grad.conv2d_input",
                f"{SHAPE}, torch.from_numpy(weight), torch.from_numpy(grad_output)", *SETTINGS,
            ),
            "refused": CONVLIB
            + "# refused\nconvlib.output_size({size}, {k}, {stride}, {padding}, {dilation})\n",
            "refused_twin": TORCH + "# refused\n" + call(
                "torch.nn.functional.conv2d",
                f"torch.zeros{SHAPE}, torch.zeros(1, 1, {{k}}, {{k}})", *SETTINGS,
            ),
        },
    }  # fmt: skip
    size = Whole(1, 8, 6, "Input size")
    kernel_size = Whole(1, 5, 3, "Kernel", "kernel")
    stride = Whole(1, 4, 1, "Stride", "output")
    padding = Whole(0, 2, 1, "Padding")
    dilation = Whole(1, 3, 1, "Dilation", "kernel")
    view = Word(
        "pixel", "window", "convolution", label="Show",
        names=("one pixel adds up", "one window hands back", "as a convolution"),
    )  # fmt: skip
    row = Whole(-2, 11, 2)
    column = Whole(-2, 11, 2)

    def _shown(self):
        return list(self.state().items())[:5]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, s, p, d = (value for _, value in self._shown())
        picture, cell = Picture(), 30
        span, weight, width = effective_kernel_size(k, d), toy_kernel(k), n + 2 * p
        if span > width:
            picture.caption(0, 8, f"Kernel {k} × {k}")
            picture.grid(0, 22, weight, "kernel", cell)
            sentence = REFUSED.format(d=d, k=k, span=span, n=n, p=p, padded=width)
            return picture.svg(sentence), sentence
        m = output_size(n, k, s, p, d)
        grad_output, padded = toy_gradient(m), np.zeros((width, width), int)
        uses = np.zeros_like(padded)
        back = self.view == "window"
        low, high = (0, m - 1) if back else (-p, n + p - 1)
        r, c = (min(max(at, low), high) for at in (self.row, self.column))
        read_by, wrote, done, touched = set(), set(), padded, uses
        for h, w in np.ndindex(m, m):  # each window hands its gradient back, tap by tap
            for a, b in np.ndindex(k, k):
                y, x = h * s + a * d, w * s + b * d
                padded[y, x] += grad_output[h, w] * weight[a, b]
                uses[y, x] += 1
                if back and (h, w) == (r, c):
                    wrote.add((y, x))
                if not back and (y, x) == (r + p, c + p):
                    read_by.add((h, w))
            if back and (h, w) == (r, c):
                done, touched = padded.copy(), uses.copy()

        turned = self.view == "convolution"
        spread, real = spread_out(grad_output, s, span - 1, width)
        left = spread if turned else grad_output

        def given(h: int, w: int) -> str:
            if turned:
                return "gradient" if h in real and w in real else "surface"
            return (
                "gradient" if (h * m + w <= r * m + c if back else (h, w) in read_by) else "surface"
            )

        def received(y: int, x: int) -> str:
            if not uses[y, x]:
                return "unused"
            if (y, x) in wrote:
                return "kernel"
            inside = range(p, p + n)
            return "gradient" if y in inside and x in inside and touched[y, x] else "surface"

        picture.caption(
            0, 8, f"Gradient of the output{', spread out' if turned else f' {m} × {m}'}"
        )
        picture.grid(0, 22, left, given, cell)
        if turned:
            picture.frame((c + p) * cell, 22 + (r + p) * cell, span * cell, span * cell, "kernel")
        if back:
            picture.frame(c * cell, 22 + r * cell, cell, cell, "gradient")
        across = max(len(left) + 1, 6.5) * cell
        picture.caption(across, 8, f"Kernel {k} × {k}{', turned' if turned else ''}")
        picture.grid(across, 22, weight[::-1, ::-1] if turned else weight, "kernel", cell)
        across += max(k + 1, 5 if turned else 3.5) * cell
        picture.caption(
            across, 8, f"Gradient of the input {n} × {n}{' and its padding' if p else ''}"
        )
        picture.grid(across, 22, done if back else padded, received, cell)
        if p:
            picture.frame(across + p * cell, 22 + p * cell, n * cell, n * cell, "muted")
        box = (c * s, r * s, span, span, "kernel") if back else (c + p, r + p, 1, 1, "gradient")
        x, y, wide, tall, role = box
        picture.frame(across + x * cell, 22 + y * cell, wide * cell, tall * cell, role)

        if back:
            sentence = (
                f"Window ({r}, {c}) hands its gradient {number(grad_output[r, c])} back to the cells "
                f"that it read, each times the weight that it met there."
            )
            return picture.svg(sentence), sentence
        what = "Input" if 0 <= r < n and 0 <= c < n else "Padding"
        windows = {0: "no window", 1: "1 window"}.get(len(read_by), f"{len(read_by)} windows")
        sentence = (
            f"{what} cell ({number(r)}, {number(c)}) was read by {windows}; the shares add up to "
            f"{number(padded[r + p, c + p])}."
        )
        return picture.svg(sentence), sentence
