"""Chapter 8: how often a transposed convolution writes each output."""

from __future__ import annotations

import numpy as np

from ._base import Explorer, Whole, Word, toy_input, toy_kernel
from ._still import Picture


class TransposedExplorer(Explorer):
    """Each input cell writes a window; where windows overlap unevenly, a checkerboard shows.

    Parameters
    ----------
    size, kernel_size, stride, padding, output_padding : int
        As in `convlib.conv_transpose2d`, from 1 to 5, 1 to 5, 1 to 4, 0 to 3 and 0 to 3.
    view : {"counts", "values"}
        How many windows write each cell, or the sums that they make.
    at : {"input", "output"}
        Whether `row` and `column` point at an input cell (which cells does it write?) or at an
        output (who writes it?).
    row, column : int
        The cell that is pointed at; negative outputs, and those behind the end, are cut off by the
        padding. Beyond the end, the last one is meant.
    """

    _explorer = "transposed"
    size = Whole(1, 5, 4)
    kernel_size = Whole(1, 5, 3)
    stride = Whole(1, 4, 2)
    padding = Whole(0, 3, 1)
    output_padding = Whole(0, 3, 0)
    view = Word("counts", "values")
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
        given = self.at == "input"
        low, high = (0, n - 1) if given else (-p, max(side - p - 1, -p))
        r, c = (min(max(at, low), high) for at in (self.row, self.column))
        values, weight = toy_input(n), toy_kernel(k)
        picture.caption(0, 8, f"Input {n} × {n}")
        picture.grid(0, 22, values, "input", cell)
        left = max(n + 1, 3.5) * cell
        picture.caption(left, 8, f"Kernel {k} × {k}")
        picture.grid(left, 22, weight, "kernel", cell)
        sentence = ""
        if extra >= s:
            sentence = f"No output: output_padding {extra} must be below the stride {s}."
        elif m < 1:
            sentence = (
                f"No output: ({n} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {m} is below 1."
            ).replace("= -", "= −")
        if sentence:
            return picture.svg(sentence), sentence

        table = np.zeros((2, side, side), int)  # sums and counts
        for h, w in np.ndindex(n, n):
            table[:, h * s : h * s + k, w * s : w * s + k] += [values[h, w] * weight, weight**0]
        output, counts = table

        def kind(y: int, x: int) -> str:
            if not (p <= y < p + m and p <= x < p + m):
                return "surface"
            return "output" if counts[y, x] else "unused"

        left += max(k + 1, 3.5) * cell
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
        return picture.svg(sentence), sentence
