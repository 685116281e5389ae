"""Chapter 4: a view is an offset, a shape and strides, and every index is a place in the bytes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import traitlets

from ._base import CONVLIB, TORCH, Explorer, Setting, Whole, Word
from ._still import Picture, by_column

# name → shape, strides in bytes, bytes of the buffer, byte of the first element, the element that is
# pointed at. Elements have 2 bytes.
PRESETS = {
    "windows": ([6, 3], [2, 2], 16, 0, [2, 1]),
    "windows with stride": ([3, 3], [4, 2], 16, 0, [1, 0]),
    "windows with dilation": ([4, 3], [2, 4], 16, 0, [1, 1]),
    "windows in 2-d": ([2, 2, 3, 3], [8, 2, 8, 2], 32, 0, [0, 1, 1, 1]),
    "rows": ([3, 4], [8, 2], 24, 0, [1, 2]),
    "transpose": ([4, 3], [2, 8], 24, 0, [2, 1]),
    "reversed": ([8], [-2], 16, 14, [1]),
    "broadcast": ([3, 8], [0, 2], 16, 0, [1, 2]),
    "too far": ([7, 3], [2, 2], 16, 0, [6, 2]),
}
LOADED = "shape", "strides", "buffer", "offset", "index"
SETTINGS = {
    name: {**dict(zip(LOADED, values, strict=True)), "itemsize": 2, "preset": name}
    for name, values in PRESETS.items()
}
ELEMENTS = 64  # of a view, at most: what a page can redraw between two frames


NUMBERS = CONVLIB + 'numbers = np.arange({items}, dtype="<i{size}") * {step}\n'
VIEW = 'view = np.ndarray({shape}, "<i{size}", buffer, {start}, {strides})\n'
LOOKS = "np.ndarray looks whether the bytes are there, as_strided does not\n"
BUFFER = "buffer = numbers.tobytes() + bytes({rest})\n"
TWIN = "twin = torch.as_strided(torch.from_numpy(numbers), {shape}, {units}, {first})\n"
WOULD = "Element {index tuple} would be read from {bytes}, but the buffer"


def _integers(low: int, high: int, least: int, product: int | None = None):
    """Return a check and a rule for a list of `least` to four integers."""

    def check(value: Any) -> list[int] | None:
        if not isinstance(value, (list, tuple)) or not least <= len(value) <= 4:
            return None
        if any(not isinstance(v, (int, np.integer)) or isinstance(v, bool) for v in value):
            return None
        numbers = [int(v) for v in value]
        small = product is None or math.prod(numbers) <= product
        return numbers if small and all(low <= v <= high for v in numbers) else None

    rule: dict[str, Any] = {"list": [least, 4], "of": {"from": low, "to": high}}
    return check, rule if product is None else {**rule, "product": product}


class MemoryExplorer(Explorer):
    """A strided view over a ribbon of bytes; an offset outside of the buffer is named, never read.

    Parameters
    ----------
    preset : str
        One of "windows", "windows with stride", "windows with dilation", "windows in 2-d", "rows",
        "transpose", "reversed", "broadcast", "too far".
    shape, strides : list of int
        Instead of a preset: one to four axes of 1 to 12, at most 64 elements; strides in bytes, from
        -48 to 48 (left out: those of a C-ordered array).
    buffer, itemsize, offset : int
        Bytes of the buffer (1 to 64), of an element (1, 2, 4 or 8), and before element (0, …, 0).
        The buffer holds the integers 0, 10, 20, …, of `itemsize` bytes each.
    index : list of int
        The element that is pointed at.
    """

    _explorer = "memory"
    _words: ClassVar = {
        "title": "Where an element lies in memory",
        "start": {"label": "Example", "keys": ["preset"], "presets": SETTINGS},
        "changed": {"preset": "custom"},  # by any control
        "sentences": {
            "read": "Element {index tuple} is read from {bytes}.",
            "before": f"{WOULD} begins with byte 0. as_strided would go there.",
            "behind": f"{WOULD} ends with byte {{final}}. as_strided would go there.",
            "alone": "No other element lies there.",
            "shared": "So {others one is/are} {named}: stored once, shown {sharing} times.",
            "overlap": "Some of these bytes also belong to {named}.",
            "outside": (
                "{bad} of {elements count element} {bad one lies/lie} outside, the first at index "
                "{wrong tuple}."
            ),
            "all": "In all, {elements count element} of {size count byte} live in {used count byte}.",
            "never": "Never read: {unread listed byte}.",
        },
        "grids": {
            "memory": {
                "name": "Memory",
                "caption": (
                    "Memory: {buffer count byte} and the numbers that they hold. Dashed: not in the buffer."
                ),
            },
            "view": {
                "name": "View of shape {shape tuple}",
                "caption": (
                    "View: shape {shape tuple}, strides {strides tuple}. Small: where an element begins."
                ),
            },
        },
        "lines": {
            "value": ("value", "{value:output}"),
            "none": ("value", "outside of 0 to {final}"),
        },
        "code": {
            "windows": NUMBERS
            + "view = convlib.windows(numbers, {kernel}, stride={stride}, dilation={dilation})\n"
            "assert list(view.strides) == {strides}\n",
            "ndarray": f"{NUMBERS}{BUFFER}# {LOOKS}{VIEW}",
            "refused": f"{NUMBERS}{BUFFER}# ValueError: {LOOKS}{VIEW}",
            "PyTorch": f"{TORCH}# in elements\n{TWIN}",
            "refused_twin": f"{TORCH}# in elements; RuntimeError: it looks whether they are there\n{TWIN}",
            "no_twin": f"{TORCH}# no twin: the strides of torch are whole elements, and not negative\n",
        },
    }  # fmt: skip
    preset = Word(*PRESETS, "custom")
    shape = Setting(
        [6, 3],
        f"a list of one to four integers from 1 to 12, with a product up to {ELEMENTS}",
        *_integers(1, 12, 1, ELEMENTS),
    )
    strides = Setting(
        [2, 2], "a list of one to four integers from -48 to 48", *_integers(-48, 48, 1)
    )
    buffer = Whole(1, 64, 16, "Buffer, bytes")
    itemsize = Setting(
        2,
        "1, 2, 4 or 8",
        lambda v: v if v in (1, 2, 4, 8) else None,
        {"words": [1, 2, 4, 8]},
        "Itemsize",
    )
    offset = Whole(0, 95, 0, "Start")
    index = Setting([2, 1], "a list of integers from 0 to 11", *_integers(0, 11, 0))

    def __init__(self, preset: str | None = None, **settings: Any) -> None:
        chosen = sorted(settings.keys() - {"index"})
        if preset not in (None, "custom") and chosen:
            raise ValueError(
                f"MemoryExplorer: give a preset or {chosen[0]}, not both, got preset={preset!r}."
            )
        if preset in PRESETS or (preset is None and not chosen):
            preset = preset or "windows"
            for key, value in zip(LOADED, PRESETS[preset], strict=True):
                settings.setdefault(key, value)
        elif chosen:
            preset = "custom"
            shape, size = settings.setdefault("shape", [6, 3]), settings.get("itemsize", 2)
            if isinstance(shape, (list, tuple)) and "strides" not in settings:
                steps = [size * int(np.prod(shape[i + 1 :])) for i in range(len(shape))]
                settings["strides"] = steps
            elif len(shape) != len(settings["strides"]):
                raise ValueError(
                    "MemoryExplorer: shape and strides must have one length, "
                    f"got shape={shape} and strides={settings['strides']}."
                )
        settings.setdefault("index", [0] * len(settings.get("shape", [0, 0])))
        super().__init__(preset=preset or "windows", **settings)

    @traitlets.observe("preset")
    def _load(self, change: Any) -> None:
        """A preset that is set later brings its settings along, as in the page."""
        if change["new"] not in PRESETS:
            return
        wanted = SETTINGS[change["new"]]
        if any(getattr(self, name) != wanted[name] for name in wanted if name != "index"):
            with self.hold_sync():
                for name, value in wanted.items():
                    self.set_trait(name, value)

    def _shown(self):
        everything = self.state()
        if self.preset != "custom":
            return [("preset", self.preset)]
        return [
            (key, everything[key]) for key in ("shape", "strides", "buffer", "itemsize", "offset")
        ]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        shape, strides, size = self.shape, self.strides, self.itemsize
        axes = min(len(shape), len(strides))
        shape, strides = shape[:axes], strides[:axes]
        index = [min(i, n - 1) for i, n in zip(self.index, shape, strict=False)]
        index += [0] * (axes - len(index))
        offsets = self.offset + sum(
            i * step for i, step in zip(np.indices(shape), strides, strict=True)
        )
        here = int(offsets[tuple(index)])
        outside = (offsets < 0) | (offsets + size > self.buffer)
        picture, cell, a_row = Picture(), 22, 24
        used = {int(o) + b for o in offsets[~outside].flat for b in range(size)}
        asked = {int(o) + b for o in offsets.flat for b in range(size)}
        missing = {b for b in asked if not 0 <= b < self.buffer}
        picture.caption(0, 8, f"Memory: a buffer of {self.buffer} bytes, by their addresses")
        first = max(min(missing | {0}) // a_row, -2) * a_row
        last = min(max(missing | {self.buffer - 1}), self.buffer + 2 * a_row)
        for number, start in enumerate(range(first, last + 1, a_row)):
            line = range(start, start + a_row)
            kinds = [
                "outside" if b in missing
                else "surface" if not 0 <= b < self.buffer
                else "kernel" if here <= b < here + size
                else "input" if b in used
                else "unused"
                for b in line
            ]  # fmt: skip
            picture.grid(0, 22 + number * (cell + 4), [line], by_column(kinds), cell)
        top = picture.height + 12
        table, bad = offsets.reshape(-1, shape[-1]), outside.reshape(-1, shape[-1])
        same = (abs(offsets - here) < size).reshape(-1, shape[-1])
        words = ", ".join(map(str, shape)), ", ".join(map(str, strides)).replace("-", "−")
        picture.caption(
            0, top + 8, f"View: shape ({words[0]}), strides ({words[1]}); where each element begins"
        )

        def kind(r: int, c: int) -> str:
            return "outside" if bad[r, c] else "kernel" if same[r, c] else "output"

        picture.grid(0, top + 22, table, kind, 28)
        r, c = divmod(int(np.ravel_multi_index(index, shape)), shape[-1])
        picture.frame(c * 28, top + 22 + r * 28, 28, 28, "kernel")
        terms = "".join(f" + {i}·{s}" for i, s in zip(index, strides, strict=True))
        at = "(" + ", ".join(map(str, index)) + ("," if axes == 1 else "") + ")"
        sentence = f"Element {at} begins at byte {self.offset}{terms} = {here}."
        sharing = int(same.sum())
        if sharing > 1:
            sentence += f" {sharing} elements lie on its bytes."
        if outside.any():
            wrong = tuple(int(i[0]) for i in np.nonzero(outside))
            sentence += (
                f" {int(outside.sum())} of {offsets.size} elements lie outside of the buffer: index "
                f"{wrong} would read bytes {int(offsets[wrong])} to {int(offsets[wrong]) + size - 1}."
            )
        sentence = sentence.replace("-", "−")
        return picture.svg(sentence), sentence
