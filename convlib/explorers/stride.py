"""Chapters 3 and 6: sizes through a stack of layers, and the cells that one output sees."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..geometry import effective_kernel_size, leftover, output_size
from ._base import CONVLIB, TORCH, Explorer, Setting, Whole
from ._still import Picture

LIMITS = {
    "kernel_size": (1, 7, 3),
    "stride": (1, 4, 1),
    "padding": (0, 4, 0),
    "dilation": (1, 4, 1),
}


LAYER = (
    "⌊({layers.#.n:input} + 2·{layers.#.p:input} − {layers.#.d:kernel}·({layers.#.k:kernel} − 1) − 1) / "
    "{layers.#.s:output}⌋ + 1"
)
WINDOWS = " = ⌊{layers.#.room} / {layers.#.s:output}⌋ + 1 = {layers.#.m:output}"
OUTSIDE = "Its receptive field is {field count cell} wide"


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
        The output of the last layer that is pointed at; beyond the end, the last one is meant.

    Examples
    --------
    >>> StrideExplorer(size=6, layers=[{"kernel_size": 3, "stride": 2}]).still()[1]
    'Sizes 6 → 2. Output 0 depends on 3 input cells, 3 wide. The last layer leaves 1 over.'
    """

    _explorer = "stride"
    _words: ClassVar = {
        "title": "Sizes and receptive fields, layer by layer",
        "layer": {
            "kernel_size": ("Kernel", "kernel"),
            "stride": ("Stride", "output"),
            "padding": ("Padding", "input"),
            "dilation": ("Dilation", "kernel"),
        },
        "field": " = {field:kernel} wide; the next output's begins {jump} further",
        "legend": (
            "Dots: places where a window fits, skipped by the stride; red ones are left over, the next "
            "step would leave the input."
        ),
        "sentences": {
            "none": (
                "Layer {stop} has no output: its kernel spans {end.d}·({end.k} − 1) + 1 = {end.span} "
                "cells, its padded input has {end.n} + 2·{end.p} = {end.padded}."
            ),
            # Of one layer an output reads cells, of several it depends on them.
            "input": "Output {at} reads input {own}.",
            "gaps": "Output {at} reads input {own} and skips {skipped} between them.",
            "padding": "Output {at} reads padding only.",
            "several_input": "Output {at} depends on input {own}.",
            "several_gaps": "Output {at} depends on input {own} and skips {skipped} between them.",
            "several_padding": "Output {at} depends on no input cell: its taps meet padding only.",
            "field": f"{OUTSIDE}.",
            "some": f"{OUTSIDE}, {{outside}} of them outside the input.",
            "all": f"{OUTSIDE}, all of them outside the input.",
            "it": f"{OUTSIDE}, all of it outside the input.",
            "never": "Never read: input {unread}.",
        },
        "lines": {
            "layer": ("layer", LAYER + WINDOWS),
            "leftover": ("layer", LAYER + WINDOWS + ", {layers.#.leftover:unused} left over"),
            "windowless": (
                "layer", LAYER + " has no windows: {layers.#.span:kernel} > {layers.#.padded:input}"
            ),
        },
        "code": {
            "convlib": CONVLIB
            + "from convlib.receptive import receptive_field\n\nlayers = {settings}\n"
            "sizes = [{size}]\nfor layer in layers:\n"
            "    sizes.append(convlib.output_size(sizes[-1], **layer))\n"
            "field, jump = receptive_field(layers)\nprint(sizes, field, jump)\n",
            "PyTorch": TORCH
            + "x = torch.zeros(1, 1, {size}, requires_grad=True)\ny, shapes = x, [{size}]\n"
            "for layer in layers:\n"
            '    ones = torch.ones(1, 1, layer["kernel_size"])\n'
            '    y = torch.conv1d(y, ones, None, layer["stride"], layer["padding"], layer["dilation"])\n'
            "    shapes.append(y.shape[2])\n"
            "y[0, 0, {at}].backward()\n"
            "ways = x.grad[0, 0]  # from each input cell to output {at}\n"
            "print(shapes, ways.tolist())\n",
        },
    }  # fmt: skip
    size = Whole(1, 32, 16, "Input size")
    layers = Setting(
        [
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1},
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1},
        ],
        "a list of one to four dicts with kernel_size 1 to 7, stride 1 to 4, padding 0 to 4 and "
        "dilation 1 to 4",
        _layers,
        {
            "list": [1, 4],
            "of": {
                "keys": {key: {"from": low, "to": high} for key, (low, high, _) in LIMITS.items()}
            },
        },
    )
    cell = Whole(0, 63, 0)

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
        # A cell stands over the middle of what it reads, in units of input cells.
        middles, jumps = [0.0], [1]
        for layer in self.layers[: len(sizes) - 1]:
            span = effective_kernel_size(layer["kernel_size"], layer["dilation"])
            middles.append(middles[-1] + jumps[-1] * ((span - 1) / 2 - layer["padding"]))
            jumps.append(jumps[-1] * layer["stride"])
        pads = [layer["padding"] for layer in self.layers[: len(sizes) - 1]] + [0]
        rows = list(zip(sizes, pads, middles, jumps, strict=True))
        low = min(middle - jump * pad for _, pad, middle, jump in rows)
        high = max(middle + jump * (size - 1 + pad) for size, pad, middle, jump in rows)
        picture, unit = Picture(), min(30.0, 600 / (high - low + 1))
        cell = 26.0

        def place(row: int, index: int) -> float:
            return (middles[row] + jumps[row] * index - low + 0.5) * unit

        def top(row: int) -> float:
            return 4 + row * (cell + 44)

        for row, layer in enumerate(self.layers[: len(sizes) - 1], start=1):
            s, p, d = layer["stride"], layer["padding"], layer["dilation"]
            for marked in (False, True):
                wires = [
                    (
                        place(row - 1, m * s - p + t * d),
                        top(row - 1) + cell,
                        place(row, m),
                        top(row),
                    )
                    for m in range(sizes[row])
                    if (not stop and m in seen[row]) == marked
                    for t in range(layer["kernel_size"])
                ]
                picture.lines(wires, "kernel" if marked else "line", 2 if marked else 1)
        for row, (size, pad, _, jump) in enumerate(rows):
            width = min(30.0, unit * min(jump, jumps[max(0, row - 1)]))
            kinds: dict[str, list[int]] = {}
            unread: set[int] = set()
            if row < len(sizes) - 1:
                above = self.layers[row]
                s, p, d = above["stride"], above["padding"], above["dilation"]
                kernel = range(above["kernel_size"])
                unread = set(range(-pad, size + pad)) - {
                    m * s - p + t * d for m in range(sizes[row + 1]) for t in kernel
                }
            for i in range(-pad, size + pad):
                role = "output" if row else "input"
                if i in unread:
                    role = "unused"
                elif not 0 <= i < size:
                    role = "surface"
                elif not stop and row < len(sizes) - 1 and i in seen[row]:
                    role = "kernel"
                kinds.setdefault(role, []).append(i)
            for role, places in sorted(kinds.items()):
                boxes = [(place(row, i) - width / 2, top(row), width, cell) for i in places]
                picture.boxes(boxes, role, "line" if role == "surface" else "surface")
                if role == "unused":  # hatched: not by colour alone
                    picture.lines(
                        [(x + 2, y + h - 2, x + w - 2, y + 2) for x, y, w, h in boxes], "line"
                    )
            step = 1 if width >= 15 else 5
            picture.texts(
                [(place(row, i), top(row) + cell / 2, str(i)) for i in range(0, size, step)],
                size=min(13.0, max(8.0, width * 0.5)),
            )
            name = f"Layer {row}" if row else "Input"
            picture.caption(
                (high - low + 1) * unit + 8, top(row) + cell / 2, f"{name}: {size} cells"
            )
        if not stop:
            at, row = max(seen[-1]), len(sizes) - 1
            width = min(30.0, unit * min(jumps[row], jumps[row - 1]))
            picture.frame(place(row, at) - width / 2, top(row), width, cell, "output")
        if stop:
            return picture.svg(stop), stop
        spare = leftover(sizes[-2], **self.layers[len(sizes) - 2])
        field = max(seen[0], default=0) - min(seen[0], default=0) + 1 if seen[0] else 0
        sentence = (
            f"Sizes {' → '.join(map(str, sizes))}. Output {max(seen[-1])} depends on "
            f"{len(seen[0])} input cells, {field} wide. The last layer leaves {spare} over."
        )
        return picture.svg(sentence), sentence
