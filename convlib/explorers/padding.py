"""Chapter 2: what stands beside the border, and how often each pixel is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..geometry import effective_kernel_size, same_padding
from ._base import CONVLIB, INPUT, TORCH, WEIGHT, Explorer, Setting, Whole, Word, toy_input
from ._still import Picture

MODES: dict[str, Any] = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


def _padding(value: Any) -> int | str | None:
    if isinstance(value, str):
        return value if value == "same" else None
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return int(value) if whole and 0 <= value <= 5 else None


REFUSED = "No padding: {mode} has at most {most count cell} beside an input of {n}, {wanted} are asked for."
USED = "Pixel {pixel tuple} is used {used count time}, by {windows} of {all count window}"
CELLS = {"path": "input", "name": "Padded input"}
SIZE = "{n:input} + {before:input} + {after:input} − {k:kernel} + 1 = "
ONES = (
    "\n# how often each pixel is used: the gradient where all weights are 1\n"
    "ones = torch.ones(1, 1, {kernel_size}, {kernel_size})\n"
)


def _with_zeros(library: str, x: str, w: str) -> str:
    return f"{library}.conv2d({x}, {w}, padding={{amount}})"


def _with_copies(library: str, x: str, w: str) -> str:
    return f'{library}.conv2d({library}.pad({x}, ({{sides}}), mode="{{mode}}"), {w})'


def _code(convolved: Callable[[str, str, str], str]) -> tuple[str, str]:
    """Return the two texts to copy, for a way to write the padded convolution of x with w."""
    torch = "torch.nn.functional"
    return (
        f"{CONVLIB}{INPUT}{WEIGHT}output = {convolved('convlib', 'input', 'weight')}\n",
        f"{TORCH}x = torch.from_numpy(input).requires_grad_()\n"
        f"twin = {convolved(torch, 'x', 'torch.from_numpy(weight)')}\n{ONES}"
        f"{convolved(torch, 'x', 'ones')}.sum().backward()\nuses = x.grad\n",
    )


class PaddingExplorer(Explorer):
    """Padding a small input by an amount and a mode, and the use count of each pixel.

    Parameters
    ----------
    size, kernel_size : int
        From 1 to 8 and from 1 to 6. The stride is 1.
    padding : int or "same"
        Cells per side, from 0 to 5; "same" keeps the input's size, the odd cell going to the end.
    mode : {"zeros", "reflect", "replicate", "circular"}
        What the padding holds.
    row, column : int
        The cell that is pointed at, counted from the first pixel: below 0 is padding.
    """

    _explorer = "padding"
    _words: ClassVar = {
        "title": "Padding, and how often a pixel is used",
        "sentences": {
            "refused": REFUSED,
            "none": "No output: the kernel spans {k} cells, the padded input has {padded}.",
            "zero": "A zero of the padding, read by {windows} of {all count window}.",
            "pixel": f"{USED}.",
            "copies": f"{USED}: it stands in {{cells}} cells.",
            "even": "All pixels are used equally often: {low count time}.",
            "uneven": "Uses of a pixel go from {low} to {high}.",
            "same": "The output is as large as the input.",
            "less": "The output has {change count row} less than the input.",
            "more": "The output has {change count row} more than the input.",
        },
        "grids": {
            "input": {**CELLS, "name": "Input", "caption": "Input {padded} × {padded}"},
            "padded": {**CELLS, "caption": "Padded input {padded} × {padded}"},
            "uses": {"path": "uses", "name": "Uses of each pixel", "caption": "Uses of each pixel"},
            "taps": {
                "path": "taps", "name": "Output: how often each window reads the cell",
                "caption": "Output {m} × {m}: readers",
            },
        },
        "lines": {
            "size": ("size", SIZE + "{m:output}"),
            "windowless": ("size", SIZE + "no window"),
            "uses": ("uses", "along one axis {line.*:output}"),
            "used": (
                "uses",
                "along one axis {line.*:output}; here {own.0:output}·{own.1:output} = {used:output}",
            ),
        },
        "code": dict(zip(
            ("convlib", "PyTorch", "pad", "pad_twin"), _code(_with_zeros) + _code(_with_copies),
            strict=True,
        )),
    }  # fmt: skip
    size = Whole(1, 8, 5, "Input size")
    kernel_size = Whole(1, 6, 3, "Kernel", "kernel")
    padding = Setting(
        1, "an integer from 0 to 5, or 'same'", _padding,
        {"words": [*range(6), "same"]}, "Padding on each side",
    )  # fmt: skip
    mode = Word(*MODES, label="What it holds")
    row = Whole(-5, 12, 0)
    column = Whole(-5, 12, 0)

    def _shown(self):
        return list(self.state().items())[:4]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, cell = self.size, self.kernel_size, 30
        before, after = same_padding(k) if self.padding == "same" else (self.padding, self.padding)
        width = n + before + after
        most = {"reflect": n - 1, "circular": n}.get(self.mode, after)
        picture = Picture()
        if after > most:
            picture.caption(0, 8, f"Input {n} × {n}")
            picture.grid(0, 22, toy_input(n), "input", cell)
            sentence = (
                f"No padding: {self.mode} has at most {most} cells beside an input of {n}, "
                f"{after} are asked for."
            )
            return picture.svg(sentence), sentence
        padded = np.pad(toy_input(n), (before, after), mode=MODES[self.mode])
        inside = range(before, before + n)
        picture.caption(0, 8, f"Padded input {width} × {width}, {self.mode}")
        picture.grid(
            0, 22, padded, lambda r, c: "input" if r in inside and c in inside else "surface", cell
        )
        if effective_kernel_size(k) > width:
            sentence = f"No output: the kernel spans {k} cells, the padded input has {width}."
            return picture.svg(sentence), sentence
        # How many windows read each padded place, then added up at the pixel whose value it holds.
        reads = np.convolve(np.ones(width - k + 1, int), np.ones(k, int))
        holds = np.pad(np.arange(n), (before, after), mode=MODES[self.mode])
        if self.mode == "zeros":
            reads, holds = reads[before : before + n], np.arange(n)
        uses = np.bincount(holds, weights=reads, minlength=n).astype(int)
        left = (width + 1) * cell
        picture.caption(left, 8, "Uses of each pixel")
        picture.grid(left, 22, np.outer(uses, uses), "output", cell)
        sentence = (
            f"An output of {width - k + 1} × {width - k + 1}. Along one axis the {n} pixels are "
            f"used {', '.join(map(str, uses))} times."
        )
        return picture.svg(sentence), sentence
