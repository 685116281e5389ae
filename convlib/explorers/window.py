"""Chapter 1: which cells one output reads, and which outputs read one cell."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..convolution import conv2d
from ..geometry import effective_kernel_size
from ._base import (
    CONVLIB,
    INPUT,
    KERNEL,
    NO_OUTPUT,
    TENSORS,
    TORCH,
    WEIGHT,
    Explorer,
    Whole,
    Word,
    call,
    toy_input,
    toy_kernel,
)
from ._still import Picture, number

SIZE = "⌊({n:input} + 2·{p:input} − {d:kernel}·({k:kernel} − 1) − 1) / {s}⌋ + 1"
CELLS = {"path": "input", "name": "Padded input", "role": "input", "outside": ", padding"}
SETTINGS = "stride", "padding", "dilation"


class WindowExplorer(Explorer):
    """A kernel on a small input: windows, their sums, and the cells that no window reads.

    Parameters
    ----------
    size : int
        Rows and columns of the input, from 1 to 10.
    kernel_size, padding, stride, dilation : int
        As in `convlib.conv2d`, from 1 to 5, 0 to 2, 1 to 4 and 1 to 3.
    view : {"output", "input"}
        Whether `row` and `column` point at an output (which cells does it read?) or at a cell of
        the padded input (which outputs read it?).
    row, column : int
        The cell that is pointed at, from 0 to 13; beyond the end, the last one is meant.

    Examples
    --------
    >>> WindowExplorer(size=5, stride=2)
    <WindowExplorer size=5 kernel_size=3 padding=0 stride=2 dilation=1>
    """

    _explorer = "window"
    _words: ClassVar = {
        "title": "One output, one window",
        "sentences": {
            "none": NO_OUTPUT,
            "output": (
                "Output ({row}, {column}) reads {rows listed row} and {columns listed column} of the "
                "{of}; its sum is {sum}."
            ),
            "nobody": "{what} cell ({row}, {column}) is read by no window.",
            "one": "{what} cell ({row}, {column}) is read by one window.",
            "many": (
                "{what} cell ({row}, {column}) is read by {reads} windows, each with another weight."
            ),
            "never": "Never read: {unread listed row} and {unread listed column}, {never count cell}.",
        },
        "grids": {
            "input": {**CELLS, "name": "Input", "caption": "Input {padded} × {padded}"},
            "padded": {**CELLS, "caption": "Padded input {padded} × {padded}"},
            "kernel": KERNEL,
            "spread": {**KERNEL, "caption": "Kernel {k} × {k}, spans {span}"},
            "output": {
                "path": "output", "name": "Output", "caption": "Output {m} × {m}", "role": "output",
                "of": "output ", "met": ", reads the cell",
            },
        },
        "lines": {
            "size": ("size", f"{SIZE} = ⌊{{room}} / {{s}}⌋ + 1 = {{m:output}}"),
            "windowless": ("size", f"{SIZE} has no windows: {{span:kernel}} > {{padded:input}}"),
        },
        "code": {
            "convlib": CONVLIB + INPUT + WEIGHT
            + "output = " + call("convlib.conv2d", "input, weight", *SETTINGS),
            "PyTorch": TORCH + "twin = " + call("torch.nn.functional.conv2d", TENSORS, *SETTINGS),
        },
    }  # fmt: skip
    size = Whole(1, 10, 6, "Input size")
    kernel_size = Whole(1, 5, 3, "Kernel", "kernel")
    padding = Whole(0, 2, 0, "Padding")
    stride = Whole(1, 4, 1, "Stride", "output")
    dilation = Whole(1, 3, 1, "Dilation", "kernel")
    view = Word("output", "input")
    row = Whole(0, 13, 0)
    column = Whole(0, 13, 0)

    def _shown(self):
        return list(self.state().items())[:5]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, p, s, d = (value for _, value in self._shown())
        span, width = effective_kernel_size(k, d), n + 2 * p
        padded, weight = np.pad(toy_input(n), p), toy_kernel(k)
        picture, cell = Picture(), 30
        picture.caption(0, 8, f"{'Padded input' if p else 'Input'} {width} × {width}")
        if span > width:
            picture.grid(0, 22, padded, self._kinds(set(), set()), cell)
            picture.caption((width + 1) * cell, 8, f"Kernel {k} × {k}")
            picture.grid((width + 1) * cell, 22, weight, "kernel", cell)
            sentence = NO_OUTPUT.format(d=d, k=k, span=span, n=n, p=p, padded=width)
            return picture.svg(f"{n} by {n} input, {k} by {k} kernel. {sentence}"), sentence

        output = conv2d(
            toy_input(n)[None, None].astype(float), weight[None, None].astype(float),
            stride=s, padding=p, dilation=d,
        )[0, 0]  # fmt: skip
        m = len(output)
        r, c = min(self.row, m - 1), min(self.column, m - 1)
        used = {h * s + t * d for h in range(m) for t in range(k)}
        rows, columns = ({at * s + t * d for t in range(k)} for at in (r, c))
        picture.grid(0, 22, padded, self._kinds(rows, columns, used), cell)
        picture.frame(c * s * cell, 22 + r * s * cell, span * cell, span * cell, "kernel")
        left = (width + 1) * cell
        picture.caption(left, 8, f"Kernel {k} × {k}")
        picture.grid(left, 22, weight, "kernel", cell)
        left += max(k + 1, 3.5) * cell
        picture.caption(left, 8, f"Output {m} × {m}")
        picture.grid(left, 22, output, "output", cell)
        picture.frame(left + c * cell, 22 + r * cell, cell, cell, "output")
        unread = width**2 - len(used) ** 2
        sentence = (
            f"Output ({r}, {c}) is the sum of {k}·{k} products: {number(output[r, c])}. "
            f"Output size ⌊({n} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = {m}."
        )
        if unread:
            sentence += f" Hatched cells are never read: {unread} of {width**2}."
        return picture.svg(f"{n} by {n} input, {k} by {k} kernel, {m} by {m} output."), sentence

    def _kinds(self, rows: set[int], columns: set[int], used: set[int] | None = None):
        inside = range(self.padding, self.padding + self.size)

        def kind(r: int, c: int) -> str:
            if used is not None and not (r in used and c in used):
                return "unused"
            if r in rows and c in columns:
                return "kernel"
            return "input" if r in inside and c in inside else "surface"

        return kind
