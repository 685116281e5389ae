"""Chapters 3 and 6: sizes through a stack of layers, and the cells that one output sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..geometry import effective_kernel_size, leftover, output_size
from ._base import Explorer, Setting, Whole
from ._still import Picture, by_column

LIMITS = {
    "kernel_size": (1, 7, 3),
    "stride": (1, 4, 1),
    "padding": (0, 4, 0),
    "dilation": (1, 4, 1),
}


def _layers(value: Any) -> list[dict[str, int]] | None:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 4:
        return None
    layers = []
    for layer in value:
        if not isinstance(layer, dict) or set(layer) - set(LIMITS):
            return None
        full = {key: layer.get(key, default) for key, (_, _, default) in LIMITS.items()}
        for key, (low, high, _) in LIMITS.items():
            number = full[key]
            if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
                return None
            if not low <= number <= high:
                return None
            full[key] = int(number)
        layers.append(full)
    return layers


class StrideExplorer(Explorer):
    """A row of cells through one or more layers, and the receptive field of one output.

    Parameters
    ----------
    size : int
        Cells of the input, from 1 to 32.
    layers : list of dict
        One to four layers, each with kernel_size (1 to 7), stride (1 to 4), padding (0 to 4) and
        dilation (1 to 4); what is left out is PyTorch's default, and kernel_size 3.
    cell : int
        The output of the last layer that is pointed at.
    """

    _explorer = "stride"
    size = Whole(1, 32, 16)
    layers = Setting(
        [
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1},
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1},
        ],
        "a list of one to four dicts with kernel_size 1 to 7, stride 1 to 4, padding 0 to 4 and "
        "dilation 1 to 4",
        _layers,
    )
    cell = Whole(0, 39, 0)

    def _shown(self):
        return list(self.state().items())[:2]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        sizes, stop = [self.size], ""
        for i, layer in enumerate(self.layers):
            span = effective_kernel_size(layer["kernel_size"], layer["dilation"])
            if span > sizes[-1] + 2 * layer["padding"]:
                stop = (
                    f"Layer {i + 1} has no output: its kernel spans {span} cells, its padded input "
                    f"has {sizes[-1]} + 2·{layer['padding']} = {sizes[-1] + 2 * layer['padding']}."
                )
                break
            sizes.append(output_size(sizes[-1], **layer))
        # Backwards from one output: the cells of each layer's input that it depends on.
        seen = [{min(self.cell, sizes[-1] - 1)}]
        for layer, below in reversed(list(zip(self.layers, sizes, strict=False))[: len(sizes) - 1]):
            s, p, d = layer["stride"], layer["padding"], layer["dilation"]
            taps = {m * s - p + t * d for m in seen[0] for t in range(layer["kernel_size"])}
            seen.insert(0, {i for i in taps if 0 <= i < below})
        picture, cell = Picture(), max(16, min(30, 600 // max(sizes)))
        for i, (size, marked) in enumerate(zip(sizes, seen, strict=True)):
            top = i * (cell + 34)
            name = "Input" if i == 0 else f"Layer {i}"
            layer = self.layers[i - 1] if i else None
            detail = "" if layer is None else ", " + ", ".join(f"{k} {v}" for k, v in layer.items())
            picture.caption(0, top + 8, f"{name}: {size} cells{detail.replace('_', ' ')}")
            unread: set[int] = set()
            if i < len(sizes) - 1:
                above = self.layers[i]
                starts = [m * above["stride"] - above["padding"] for m in range(sizes[i + 1])]
                steps = range(above["kernel_size"])
                unread = set(range(size)) - {
                    a + t * above["dilation"] for a in starts for t in steps
                }
            kinds = [
                "kernel" if c in marked else "unused" if c in unread else "output" if i else "input"
                for c in range(size)
            ]
            picture.grid(0, top + 20, [range(size)], by_column(kinds), cell)
        if stop:
            return picture.svg(stop), stop
        spare = leftover(sizes[-2], **self.layers[len(sizes) - 2])
        field = max(seen[0], default=0) - min(seen[0], default=0) + 1 if seen[0] else 0
        sentence = (
            f"Sizes {' → '.join(map(str, sizes))}. Output {max(seen[-1])} depends on "
            f"{len(seen[0])} input cells, {field} wide. The last layer leaves {spare} over."
        )
        return picture.svg(sentence), sentence
