"""Chapter 7: forward gathers, backward scatters."""

from __future__ import annotations

import numpy as np

from ..geometry import effective_kernel_size, output_size
from ._base import Explorer, Whole, Word, toy_kernel
from ._still import Picture, number


def toy_gradient(size: int) -> np.ndarray:
    """Return a toy grad_output, shape (size, size): integers from -3 to 3."""
    h, w = np.ogrid[:size, :size]
    return (3 * h + 5 * w + 2 * h * w) % 7 - 3


class BackwardExplorer(Explorer):
    """The gradient of one input cell, added up from each window that read it.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation : int
        From 1 to 8, 1 to 5, 1 to 4, 0 to 2 and 1 to 3.
    view : {"scatter", "convolution"}
        Windows handing back their share, or the same as a convolution of the spread-out gradient
        with the flipped kernel.
    row, column : int
        The input cell that is pointed at.
    """

    _explorer = "backward"
    size = Whole(1, 8, 6)
    kernel_size = Whole(1, 5, 3)
    stride = Whole(1, 4, 1)
    padding = Whole(0, 2, 1)
    dilation = Whole(1, 3, 1)
    view = Word("scatter", "convolution")
    row = Whole(0, 7, 2)
    column = Whole(0, 7, 2)

    def _shown(self):
        return list(self.state().items())[:5]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        n, k, s, p, d = (value for _, value in self._shown())
        picture, cell = Picture(), 30
        span, weight = effective_kernel_size(k, d), toy_kernel(k)
        if span > n + 2 * p:
            picture.caption(0, 8, f"Kernel {k} × {k}")
            picture.grid(0, 22, weight, "kernel", cell)
            sentence = (
                f"No output, so no gradient: the kernel spans {d}·({k} − 1) + 1 = {span} cells, the "
                f"padded input has {n} + 2·{p} = {n + 2 * p}."
            )
            return picture.svg(sentence), sentence
        m = output_size(n, k, s, p, d)
        grad_output, padded = toy_gradient(m), np.zeros((n + 2 * p, n + 2 * p), int)
        r, c = min(self.row, n - 1), min(self.column, n - 1)
        read_by = set()
        for h, w in np.ndindex(m, m):  # each window hands its gradient back, tap by tap
            for a, b in np.ndindex(k, k):
                y, x = h * s + a * d, w * s + b * d
                padded[y, x] += grad_output[h, w] * weight[a, b]
                if (y, x) == (r + p, c + p):
                    read_by.add((h, w))
        grad_input = padded[p : p + n, p : p + n]
        picture.caption(0, 8, f"Gradient of the output {m} × {m}")
        picture.grid(
            0, 22, grad_output, lambda h, w: "gradient" if (h, w) in read_by else "surface", cell
        )
        left = max(m + 1, 6.5) * cell
        picture.caption(left, 8, f"Kernel {k} × {k}")
        picture.grid(left, 22, weight, "kernel", cell)
        left += max(k + 1, 3.5) * cell
        picture.caption(left, 8, f"Gradient of the input {n} × {n}")
        picture.grid(left, 22, grad_input, "gradient", cell)
        picture.frame(left + c * cell, 22 + r * cell, cell, cell, "gradient")
        windows = "1 window" if len(read_by) == 1 else f"{len(read_by)} windows"
        sentence = (
            f"Input cell ({r}, {c}) was read by {windows}; the shares add up to "
            f"{number(grad_input[r, c])}."
        )
        return picture.svg(sentence), sentence
