"""Chapter 7: forward gathers, backward scatters."""

from __future__ import annotations

import numpy as np

from ..geometry import effective_kernel_size, output_size
from ._base import Explorer, Whole, Word, toy_kernel
from ._still import Picture, number


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
    size = Whole(1, 8, 6)
    kernel_size = Whole(1, 5, 3)
    stride = Whole(1, 4, 1)
    padding = Whole(0, 2, 1)
    dilation = Whole(1, 3, 1)
    view = Word("pixel", "window", "convolution")
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
            sentence = (
                f"No output, so no gradient: the kernel spans {d}·({k} − 1) + 1 = {span} cells, the "
                f"padded input has {n} + 2·{p} = {width}."
            )
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

        left, turned = grad_output, self.view == "convolution"
        if turned:
            left = np.zeros((width + span - 1,) * 2, int)
            last = span - 1 + (m - 1) * s + 1
            left[span - 1 : last : s, span - 1 : last : s] = grad_output
        real = range(span - 1, span - 1 + (m - 1) * s + 1, s)

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
