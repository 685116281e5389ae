"""Chapter 8: how often a transposed convolution writes each output."""

from __future__ import annotations

import numpy as np

from ._base import Explorer, Whole
from ._still import Picture


class TransposedExplorer(Explorer):
    """Each input cell writes a window; where windows overlap unevenly, a checkerboard shows.

    Parameters
    ----------
    size, kernel_size, stride, padding, output_padding : int
        As in `convlib.conv_transpose2d`, from 1 to 6, 1 to 5, 1 to 4, 0 to 3 and 0 to 3.
    row, column : int
        The input cell that is pointed at.
    """

    _explorer = "transposed"
    size = Whole(1, 6, 4)
    kernel_size = Whole(1, 5, 3)
    stride = Whole(1, 4, 2)
    padding = Whole(0, 3, 1)
    output_padding = Whole(0, 3, 0)
    row = Whole(0, 24, 0)
    column = Whole(0, 24, 0)

    def _shown(self):
        return list(self.state().items())[:5]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, s, p, extra = (value for _, value in self._shown())
        picture, cell = Picture(), 28
        m = (n - 1) * s - 2 * p + k + extra
        r, c = min(self.row, n - 1), min(self.column, n - 1)
        picture.caption(0, 8, f"Input {n} × {n}")
        picture.grid(0, 22, np.arange(n * n).reshape(n, n), "input", cell)
        picture.frame(c * cell, 22 + r * cell, cell, cell, "input")
        sentence = ""
        if extra >= s:
            sentence = f"No output: output_padding {extra} must be below the stride {s}."
        elif m < 1:
            sentence = (
                f"No output: ({n} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {m} is below 1."
            ).replace("= -", "= −")
        if sentence:
            return picture.svg(sentence), sentence
        whole = np.zeros((n - 1) * s + k + extra + 2 * p, int)
        for i in range(n):
            whole[i * s : i * s + k] += 1
        counts = whole[p : p + m]
        table = np.outer(counts, counts)
        left = max(n + 1, 3.5) * cell
        mine = range(r * s - p, r * s - p + k), range(c * s - p, c * s - p + k)

        def kind(y: int, x: int) -> str:
            written = "unused" if table[y, x] == 0 else "output"
            return "kernel" if y in mine[0] and x in mine[1] else written

        picture.caption(left, 8, f"Output {m} × {m}: how many windows write each cell")
        picture.grid(left, 22, table, kind, cell)
        values = ", ".join(map(str, counts))
        sentence = (
            f"Output size ({n} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {m}. Along one axis the "
            f"outputs are written {values} times."
        )
        return picture.svg(sentence), sentence
