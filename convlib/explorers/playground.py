"""Chapter 1: a photograph under a kernel that the reader edits."""

from __future__ import annotations

import base64
import re
import struct
from functools import cache
from typing import Any, ClassVar

import numpy as np

from ..convolution import conv2d
from ._base import CONVLIB, TORCH, Explorer, Setting, Whole, Word
from ._still import Picture, number
from .padding import MODES

IMAGE = "[A-Za-z0-9+/]{21846}=="  # 128 · 128 bytes
SIDE = 128  # pixels of the photograph that the page carries
NINTH, SIXTEENTH = 1 / 9, 1 / 16
PRESETS = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "box blur": [[NINTH] * 3] * 3,
    "Gaussian blur": [
        [SIXTEENTH * a * b for a in (1, 2, 1)] for b in (1, 2, 1)
    ],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "edges": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "Sobel, left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "Sobel, top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "wide blur": [[0.04] * 5] * 5,
}  # fmt: skip


def _kernel(value: Any) -> list[list[float]] | None:
    if isinstance(value, str):
        value = PRESETS.get(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)) or len(value) not in (1, 3, 5):
        return None
    rows = []
    for row in value:
        if not isinstance(row, (list, tuple)) or len(row) != len(value):
            return None
        if any(isinstance(v, bool) or not isinstance(v, (int, float, np.number)) for v in row):
            return None
        if not all(abs(v) <= 100 for v in row):  # refuses NaN as well
            return None
        rows.append([float(v) for v in row])
    return rows


def _square(k: int) -> dict[str, Any]:
    """Return the rule of a square of numbers."""
    weight = {"from": -100, "to": 100, "real": True}
    return {"list": [k, k], "of": {"list": [k, k], "of": weight}}


SIDES = '({p}, {p}, {p}, {p}), mode="{mode}"'
FILTERED = (
    "weight = np.array(\n    {weight}, float\n)[None, None]\n"
    f"padded = convlib.pad(image, {SIDES})\n"
    "output = convlib.conv2d(padded, weight, stride={stride}, dilation={dilation})\n"
)
OUTSIDE = "Of {outputs} outputs, {cut} {cut one is/are} below black or above white."
# How photograph() begins: the page tells its own picture from the reader's by it.
SAMPLE = "HxsbICMfJSIZEBcYFRccJCAcHRYgGjUbHlSwfSEdHR4cIyAa"


def _image(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(IMAGE, value) else None


@cache
def photograph() -> str:
    """Return the photograph as the page carries it: 128 · 128 grey bytes, in base64."""
    from ..samples import photograph as sample

    colour = sample(top=30, left=60, height=384, width=384).astype(float)
    grey = (colour @ [0.299, 0.587, 0.114]).reshape(SIDE, 3, SIDE, 3).mean((1, 3))
    return base64.b64encode(grey.round().astype(np.uint8).tobytes()).decode()


def bitmap(pixels: np.ndarray) -> str:
    """Return grey pixels as the data: address of an uncompressed bitmap: the same bytes everywhere."""
    rows, columns = pixels.shape
    padded = np.zeros((rows, -(-columns // 4) * 4), np.uint8)
    padded[:, :columns] = pixels[::-1]
    palette = b"".join(bytes((v, v, v, 0)) for v in range(256))
    start = 54 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", start + padded.size, 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 8, 0, padded.size, 2835, 2835, 256, 0)
    return "data:image/bmp;base64," + base64.b64encode(head + palette + padded.tobytes()).decode()


class KernelPlayground(Explorer):
    """A photograph, filtered by a kernel.

    Parameters
    ----------
    kernel : str or list of list of float
        A preset ("identity", "box blur", "Gaussian blur", "sharpen", "edges", "Sobel, left to right",
        "Sobel, top to bottom", "emboss", "wide blur") or a square of 1, 3 or 5 rows.
    stride, dilation : int
        From 1 to 4 each.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the border holds; as much is added as keeps the size at stride 1.
    row, column : int
        The output pixel that is pointed at.
    """

    _explorer = "playground"
    _words: ClassVar = {
        "title": "Your kernel, on a photograph",
        "start": {
            "label": "Start from", "keys": ["kernel"],
            "presets": {name: {"kernel": rows} for name, rows in PRESETS.items()},
        },
        "sample": SAMPLE,
        "unlinked": "image",  # too long for an address
        "promise": "Read in this page, sent nowhere.",
        "sentences": {
            "sum": "Output ({row}, {column}) is {value}, the sum of {products count product}.",
            "grey": "The weights add up to {total}: a flat region becomes 0, drawn in grey.",
            "kept": "The weights add up to {total}: a flat region keeps its brightness.",
            "times": "The weights add up to {total}: a flat region becomes {total} times as bright.",
            "cut": OUTSIDE,
        },
        "grids": {
            "window": {
                "path": "window", "name": "The window of output row {row}, column {column}",
                "caption": "Window at ({row}, {column})",
            },
        },
        "lines": {
            "sum": (
                "sum",
                "of the products {value:output}, of the weights {total:kernel}. Black is {black}, white "
                "{white}; outputs go from {low:output} to {high:output}",
            ),
        },
        "code": {
            "convlib": CONVLIB + "from convlib import samples\n\n"
            "colour = samples.photograph(top=30, left=60, height=384, width=384)\n"
            "grey = (colour @ [0.299, 0.587, 0.114]).reshape(128, 3, 128, 3)\n"
            "image = grey.mean((1, 3)).round()[None, None]\n" + FILTERED,
            "own": CONVLIB + "from PIL import Image\n\n"
            'photo = Image.open("photograph.jpg").convert("L").resize((128, 128))  # yours\n'
            "image = np.array(photo, float)[None, None]\n" + FILTERED,
            "PyTorch": TORCH
            + f"padded = torch.nn.functional.pad(torch.from_numpy(image), {SIDES})\n"
            "twin = torch.nn.functional.conv2d(\n"
            "    padded, torch.from_numpy(weight), stride={stride}, dilation={dilation}\n)\n",
        },
    }  # fmt: skip
    kernel = Setting(
        PRESETS["sharpen"],
        f"one of {', '.join(map(repr, PRESETS))}, or 1, 3 or 5 rows of as many numbers up to 100",
        _kernel,
        {"any": [_square(1), _square(3), _square(5)]},
    )
    stride = Whole(1, 4, 1, "Stride", "output")
    dilation = Whole(1, 4, 1, "Dilation", "kernel")
    padding_mode = Word(*MODES, label="Beyond the border")
    row = Whole(0, SIDE - 1, 60)
    column = Whole(0, SIDE - 1, 60)
    image = Setting("", "the base64 of 128 · 128 bytes", _image, {"text": f"^{IMAGE}$"})

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("image", photograph())
        # Presets are given by name, and kept as numbers.
        settings.setdefault("kernel", "sharpen")
        super().__init__(**settings)

    def _shown(self):
        known = next((name for name, rows in PRESETS.items() if rows == self.kernel), self.kernel)
        return [("kernel", known), *list(self.state().items())[1:4]]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        pixels = np.frombuffer(base64.b64decode(self.image), np.uint8).reshape(SIDE, SIDE)
        weight, side = np.array(self.kernel), 210
        p = self.dilation * (len(weight) - 1) // 2
        padded = np.pad(pixels.astype(float), p, mode=MODES[self.padding_mode])
        output = conv2d(
            padded[None, None], weight[None, None], stride=self.stride, dilation=self.dilation
        )[0, 0]
        # Weights that add up to 0 answer 0 to a flat region: 0 is grey then.
        signed = abs(round(float(weight.sum()), 9)) < 1e-6
        most = max(float(np.abs(output).max()), 1e-9)
        black, white = (-most, most) if signed else (0, 255)
        shown = (255 * (output - black) / (white - black)).round().clip(0, 255).astype(np.uint8)
        picture = Picture()
        name = self._shown()[0][1]
        picture.caption(0, 8, f"Kernel{f', {name}' if isinstance(name, str) else ''}")
        picture.grid(0, 22, weight, "kernel", 34)
        left = max(len(weight) * 34 + 24, 150)
        m = len(output)
        picture.caption(left, 8, f"Output {m} × {m} of a photograph of 128 × 128")
        picture.image(left, 22, side, bitmap(shown), "The filtered photograph")
        r, c = min(self.row, m - 1), min(self.column, m - 1)
        sentence = (
            f"Output ({r}, {c}) is {number(output[r, c])}. The weights add up to "
            f"{number(weight.sum())}; {number(black)} is drawn black, {number(white)} white. "
            f"Stride {self.stride}, dilation {self.dilation}, border {self.padding_mode}."
        )
        return picture.svg(sentence), sentence
