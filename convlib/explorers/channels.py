"""Chapter 1: one window through all input channels, and a kernel for each output channel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..convolution import conv2d
from ._base import CONVLIB, TENSORS, TORCH, Explorer, Whole, toy_input, toy_kernel
from ._still import Picture, number

SIZE = 5
BIAS = (1, -2)
SHAPES = (
    "input (n, i, H, W) = (1, {a:input}, {n:input}, {n:input})",
    "weight (o, i, k, l) = ({b:output}, {a:input}, {k:kernel}, {k:kernel})",
    "output (n, o, h, w) = (1, {b:output}, {m:output}, {m:output})",
)
COUNT = "{a:input}·{k:kernel}·{k:kernel} = {taps:kernel}"
ARGUMENTS = "input, weight, bias"


class ChannelsExplorer(Explorer):
    """A window that stands in all input channels at once, and the partial sum of each.

    Parameters
    ----------
    in_channels, out_channels : int
        From 1 to 3 and from 1 to 2.
    kernel_size : int
        From 1 to 3.
    channel, row, column : int
        The output that is pointed at: its channel, 0 or 1, and its place, from 0 to 4. Beyond the
        end, the last one is meant.

    Examples
    --------
    >>> ChannelsExplorer(kernel_size=2)
    <ChannelsExplorer in_channels=3 out_channels=2 kernel_size=2>
    """

    _explorer = "channels"
    _words: ClassVar = {
        "title": "One window, all channels",
        "sentences": {
            "output": (
                "Output channel {o} at ({row}, {column}) reads {rows listed row} and "
                "{columns listed column} of {channels listed input channel} through W[{o}]: "
                "{taps count product} and the bias make {sum}."
            ),
            "other": "The other output channel reads the same cells through weights of its own.",
        },
        "grids": {
            "input": {"path": "input.{i}", "name": "Input channel {i}", "caption": "Input, i = {i}"},
            "kernel": {"path": "weight.{o}.{i}", "name": "Kernel W[{o}, {i}]", "caption": "W[{o}, {i}]"},
            "output": {
                "path": "output.{o}", "name": "Output channel {o}", "caption": "Output, o = {o}",
                "of": "output channel {o}, ",
            },
        },
        "lines": {
            "count": ("count", f"products for one output number: {COUNT}"),
        },
        "shapes": SHAPES,
        "code": {
            "convlib": CONVLIB + "i, h, w = np.ogrid[:{a}, :{n}, :{n}]\n"
            "input = np.float32((7 * h + 5 * w + 3 * h * w + i * (h + 3 * w + 2)) % 10)[None]\n"
            "o, i, k, l = np.ogrid[:{b}, :{a}, :{k}, :{k}]\n"
            "weight = np.float32((2 * k + 3 * l + k * l + 3 * i + o * (k + l + 1)) % 5 - 2)\n"
            "bias = np.float32({bias})\n"
            f"output = convlib.conv2d({ARGUMENTS})\n",
            "PyTorch": TORCH + "twin = torch.nn.functional.conv2d(\n"
            f"    {TENSORS}, torch.from_numpy(bias),\n)\n",
        },
    }  # fmt: skip
    in_channels = Whole(1, 3, 3, "In channels")
    out_channels = Whole(1, 2, 2, "Out channels", "output")
    kernel_size = Whole(1, 3, 3, "Kernel", "kernel")
    channel = Whole(0, 1, 0)
    row = Whole(0, 4, 0)
    column = Whole(0, 4, 0)

    def _shown(self):
        return list(self.state().items())[:3]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return input (i, H, W), weight (o, i, k, l) and bias (o,), as static/channels.js has them."""
        i, h, w = np.ogrid[: self.in_channels, :SIZE, :SIZE]
        x = (toy_input(SIZE) + i * (h + 3 * w + 2)) % 10
        o, i, k, l = np.ogrid[
            : self.out_channels, : self.in_channels, : self.kernel_size, : self.kernel_size
        ]
        weight = (toy_kernel(self.kernel_size) + 2 + 3 * i + o * (k + l + 1)) % 5 - 2
        return x, weight, np.array(BIAS[: self.out_channels])

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        x, weight, bias = self.arrays()
        output = conv2d(x[None].astype(float), weight.astype(float), bias.astype(float))[0]
        a, k, m = len(x), self.kernel_size, output.shape[-1]
        o, r, c = min(self.channel, len(bias) - 1), min(self.row, m - 1), min(self.column, m - 1)
        parts = [number(part) for part in (x[:, r : r + k, c : c + k] * weight[o]).sum((1, 2))]
        picture, cell, step = Picture(), 24, (SIZE + 0.75) * 24

        def window(h: int, w: int) -> str:
            return "kernel" if r <= h < r + k and c <= w < c + k else "input"

        tops = [22 + SIZE * cell + 26 + at * (max(k, m) * cell + 26) for at in range(len(bias))]
        for i in range(a):
            picture.caption(i * step, 8, f"Input, i = {i}")
            picture.grid(i * step, 22, x[i], window, cell)
            picture.frame(i * step + c * cell, 22 + r * cell, k * cell, k * cell, "kernel")
            for at, top in enumerate(tops):
                picture.caption(i * step, top - 14, f"W[{at}, {i}]")
                picture.grid(i * step, top, weight[at, i], "kernel" if at == o else "surface", cell)
        for at, top in enumerate(tops):
            picture.caption(a * step, top - 14, f"Output, o = {at}")
            picture.grid(a * step, top, output[at], "output" if at == o else "surface", cell)
        picture.frame(a * step + c * cell, tops[o] + r * cell, cell, cell, "output")
        sentence = (
            f"Output channel {o} at ({r}, {c}) is the sum of {a}·{k}·{k} products and the bias: "
            f"{' + '.join(_factor(part) for part in [*parts, number(bias[o])])} "
            f"= {number(output[o, r, c])}."
        )
        label = f"{a} input channels, {len(bias)} kernels of {a} by {k} by {k}. {sentence}"
        return picture.svg(label), sentence


def _factor(words: str) -> str:
    return f"({words})" if words.startswith("−") else words
