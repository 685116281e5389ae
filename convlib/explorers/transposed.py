"""Chapter 8: how often a transposed convolution writes each output."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ._base import (
    CONVLIB,
    INPUT,
    KERNEL,
    SPREAD,
    TAPS,
    TENSORS,
    TORCH,
    TURNED,
    WEIGHT,
    Explorer,
    Whole,
    Word,
    call,
    spread_out,
    toy_input,
    toy_kernel,
)
from ._still import Picture, number

SETTINGS = "stride", "padding", "output_padding"
NO_OUTPUT = {
    "no_extra": "No output: output_padding {extra} must be below the stride {s}.",
    "no_size": "No output: ({n} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {m} is below 1.",
}
SAME = "It is a convolution with stride 1: {between count zero} between the numbers of the input,"
CELLS = {
    "name": "Output", "caption": "Output {m} × {m}", "role": "output", "padded": True,
    "outside": ", cut off",
}  # fmt: skip
STAMPS = "Input cell {place tuple} stamps {value} times the kernel on {stamped count cell}"


class TransposedExplorer(Explorer):
    """Each input cell writes a window; where windows overlap unevenly, a checkerboard shows.

    Parameters
    ----------
    size, kernel_size, stride, padding, output_padding : int
        As in `convlib.conv_transpose2d`, from 1 to 4, 1 to 5, 1 to 4, 0 to 3 and 0 to 3.
    view : {"counts", "values", "convolution"}
        How many windows write each cell; or the sums that they make; or the same sums as a convolution
        with stride 1, of the spread-out input with the turned kernel.
    at : {"input", "output"}
        Whether `row` and `column` point at an input cell (which cells does it write?) or at an
        output (who writes it?). In the third view they always point at an output.
    row, column : int
        The cell that is pointed at; negative outputs, and those behind the end, are cut off by the
        padding. Beyond the end, the last one is meant.
    """

    _explorer = "transposed"
    _words: ClassVar = {
        "title": "Each input cell stamps a window",
        "sentences": {
            **NO_OUTPUT,
            "stamps": f"{STAMPS}.",
            "stamps_less": f"{STAMPS}, {{lost}} of them cut off by the padding.",
            "cut": "Cell {place tuple} is cut off by the padding.",
            "blank": "Output {place tuple} is written by 0 stamps.",
            "once": "Output {place tuple} is written by 1 stamp, which adds up to {sum}.",
            "written": "Output {place tuple} is written by {stamps} stamps, which add up to {sum}.",
            "apart": "Kernel {k} is smaller than stride {s}: between the stamps nothing is written.",
            "uneven": (
                "Stride {s} does not divide kernel {k}: away from the border the counts along an axis "
                "repeat {cycle}, and two axes make a checkerboard."
            ),
            "even": (
                "Stride {s} divides kernel {k}: away from the border every cell is written "
                "{less}·{less} times, and there is no pattern."
            ),
            "more": "At the end {extra count row} more {extra one is/are} kept.",
            "more_blank": (
                "At the end {extra count row} more {extra one is/are} kept; no stamp reaches {beyond} "
                "of them."
            ),
            "meets": (
                "Output {place tuple} is {sum}: where {down listed row} and {across listed column} of "
                "the turned kernel cross, it meets numbers of the input, elsewhere zeros that were put in."
            ),
            "meets_all": (
                "Output {place tuple} is {sum}: the {stamped count tap} of the turned kernel all meet "
                "numbers of the input."
            ),
            "meets_none": "Output {place tuple} is 0: the turned kernel meets zeros that were put in.",
            "spread": f"{SAME} {{k}} − 1 − {{p}} = {{around}} around.",
            "spread_less": (
                f"{SAME} as {{k}} − 1 − {{p}} = {{around}} is below 0, none around: {{over count row}} "
                "and as many columns are cut off at each side."
            ),
        },
        "grids": {
            "input": {
                "path": "input", "name": "Input", "caption": "Input {n} × {n}", "role": "input",
                "of": "input ", "met": ", stamps the cell",
            },
            "kernel": KERNEL,
            "values": {**CELLS, "path": "output"},
            "counts": {
                **CELLS, "path": "counts", "name": "Stamps on each cell of the output",
                "caption": "Output {m} × {m}: how many stamps write a cell",
            },
            "gathered": {**CELLS, "path": "output"},
            "turned": TURNED,
            "spread": {
                "path": "spread", "name": "Input, spread out", "role": "input", "padded": True,
                "caption": "Input, spread out (dashed: put in)", "outside": ", cut off",
            },
            "cut": {**CELLS, "path": "output", "caption": "All of it is cut off"},
        },
        "lines": {
            "size": (
                "size", "({n:input} − 1)·{s} − 2·{p} + ({k:kernel} − 1) + {extra} + 1 = {m:output}"
            ),
            "walk": (
                "size",
                "({n:input} − 1)·{s} + 1 + 2·({k:kernel} − 1 − {p}) + {extra} − ({k:kernel} − 1) = "
                "{m:output}",
            ),
            "back": ("back", "⌊({m:output} + 2·{p} − {k:kernel}) / {s}⌋ + 1 = {back:input}"),
            "taps": TAPS,
            "stamps": ("stamps", "along one axis {line.*:output}"),
        },
        "code": {
            "convlib": CONVLIB + INPUT + WEIGHT
            + "output = " + call("convlib.conv_transpose2d", "input, weight", *SETTINGS)
            + "# how many stamps write each cell\ncounts = "
            + call("convlib.conv_transpose2d", "np.ones_like(input), np.ones_like(weight)", *SETTINGS),
            "convolution": CONVLIB + INPUT + WEIGHT
            + SPREAD.format(values="input", result="output", more=""),
            "PyTorch": TORCH
            + "twin = " + call("torch.nn.functional.conv_transpose2d", TENSORS, *SETTINGS),
        },
    }  # fmt: skip
    size = Whole(1, 4, 4, "Input size")
    kernel_size = Whole(1, 5, 3, "Kernel", "kernel")
    stride = Whole(1, 4, 2, "Stride", "output")
    padding = Whole(0, 3, 1, "Padding")
    output_padding = Whole(0, 3, 0, "Output pad", "output")
    view = Word(
        "counts", "values", "convolution", label="Show",
        names=("how many stamps", "their sums", "as a convolution"),
    )  # fmt: skip
    at = Word("input", "output")
    row = Whole(-3, 23, 1)
    column = Whole(-3, 23, 1)

    def _shown(self):
        return list(self.state().items())[:5]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, s, p, extra = (value for _, value in self._shown())
        picture, cell = Picture(), 28
        full = (n - 1) * s + k
        m = full - 2 * p + extra
        side = max(full, p + m)
        walks = self.view == "convolution"
        given = self.at == "input" and not walks
        low, high = (0, n - 1) if given else (-p, max(side - p - 1, -p))
        r, c = (min(max(at, low), high) for at in (self.row, self.column))
        values, weight = toy_input(n), toy_kernel(k)
        refused = extra >= s or m < 1
        if refused or not walks:
            picture.caption(0, 8, f"Input {n} × {n}")
            picture.grid(0, 22, values, "input", cell)
            left = max(n + 1, 3.5) * cell
        else:
            left = self._spread(picture, cell, side, m, r, c)
        turned = walks and not refused
        picture.caption(left, 8, f"{'Turned kernel' if turned else 'Kernel'} {k} × {k}")
        picture.grid(left, 22, weight[::-1, ::-1] if turned else weight, "kernel", cell)
        if refused:
            words = NO_OUTPUT["no_extra" if extra >= s else "no_size"]
            sentence = words.format(n=n, k=k, s=s, p=p, extra=extra, m=number(m))
            return picture.svg(sentence), sentence

        table = np.zeros((2, side, side), int)  # sums and counts
        for h, w in np.ndindex(n, n):
            table[:, h * s : h * s + k, w * s : w * s + k] += [values[h, w] * weight, weight**0]
        output, counts = table

        def kind(y: int, x: int) -> str:
            if not (p <= y < p + m and p <= x < p + m):
                return "surface"
            return "output" if counts[y, x] else "unused"

        left += max(k + 1, 5 if turned else 3.5) * cell
        shown, what = (counts, ": stamps on each cell") if self.view == "counts" else (output, "")
        picture.caption(left, 8, f"Output {m} × {m}{what}")
        picture.grid(left, 22, shown, kind, cell)
        picture.frame(left + p * cell, 22 + p * cell, m * cell, m * cell, "muted")
        if given:
            picture.frame(c * cell, 22 + r * cell, cell, cell, "input")
            picture.frame(left + c * s * cell, 22 + r * s * cell, k * cell, k * cell, "kernel")
        else:
            picture.frame(left + (c + p) * cell, 22 + (r + p) * cell, cell, cell, "output")
        line = [sum(0 <= i + p - h * s < k for h in range(n)) for i in range(m)]
        sentence = (
            f"Output size ({n} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {m}. Along one axis the "
            f"outputs are written {', '.join(map(str, line))} times."
        )
        if turned:
            words = "zero" if s == 2 else "zeros"
            sentence += (
                f" As a convolution with stride 1: {s - 1} {words} between the numbers, {k} − 1 − {p} = "
                f"{number(k - 1 - p)} around, and the turned kernel."
            )
        return picture.svg(sentence), sentence

    def _spread(self, picture: Picture, cell: int, side: int, m: int, r: int, c: int) -> float:
        """Draw the spread-out input with the window that makes output (r, c); return where it ends."""
        n, k, s, p, _ = (value for _, value in self._shown())
        spread, real = spread_out(toy_input(n), s, k - 1, side)

        def kind(y: int, x: int) -> str:
            if not (p <= y < p + m + k - 1 and p <= x < p + m + k - 1):
                return "unused"
            return "input" if y in real and x in real else "surface"

        picture.caption(0, 8, f"Input {n} × {n}, spread out")
        picture.grid(0, 22, spread, kind, cell)
        picture.frame((c + p) * cell, 22 + (r + p) * cell, k * cell, k * cell, "kernel")
        return (len(spread) + 1) * cell
