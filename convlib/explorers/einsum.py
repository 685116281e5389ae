"""Chapter 5: eight letters, the loops they are, and the matrix product they become."""

from __future__ import annotations

from math import prod
from typing import Any

from ._base import Explorer, Setting, Whole
from ._still import Picture

LETTERS = "ngohwikl"
WINDOWS, WEIGHT = "ngihwkl", "goikl"


def _summed(value: Any) -> str | None:
    if not isinstance(value, str) or set(value) - set(LETTERS) or len(set(value)) < len(value):
        return None
    return "".join(letter for letter in LETTERS if letter in value)


class EinsumExplorer(Explorer):
    """The letters of a convolution: keep one or sum it, and see loops, matmul, FLOPs and bytes.

    Parameters
    ----------
    n, g, i, h, w, k, l, o : int
        Images (1 to 8), groups (1 to 8), input channels a group (1 to 64), output rows and columns
        (1 to 64), kernel rows and columns (1 to 7), output channels a group (1 to 64).
    summed : str
        The letters that are summed.
    """

    _explorer = "einsum"
    n = Whole(1, 8, 1)
    g = Whole(1, 8, 1)
    i = Whole(1, 64, 3)
    h = Whole(1, 64, 6)
    w = Whole(1, 64, 6)
    k = Whole(1, 7, 3)
    l = Whole(1, 7, 3)
    o = Whole(1, 64, 8)
    summed = Setting("ikl", f"different letters of {LETTERS!r}", _summed)

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        size = {letter: getattr(self, letter) for letter in LETTERS}
        kept = [letter for letter in LETTERS if letter not in self.summed]
        picture, cell = Picture(), 30
        rows = (
            ("windows", WINDOWS, "input"),
            ("weight", WEIGHT, "kernel"),
            ("output", kept, "output"),
        )
        picture.texts(
            [(90 + (c + 0.5) * cell, 10, letter) for c, letter in enumerate(LETTERS)], bold=True
        )
        for r, (name, letters, role) in enumerate(rows):
            top = 24 + r * (cell + 6)
            picture.texts([(0, top + cell / 2, name)], role, anchor="start")
            has = [c for c, letter in enumerate(LETTERS) if letter in letters]
            picture.boxes([(90 + c * cell, top, cell, cell) for c in has], role)
            picture.texts(
                [(90 + (c + 0.5) * cell, top + cell / 2, str(size[LETTERS[c]])) for c in has]
            )

        def count(letters) -> int:
            return prod(size[letter] for letter in letters)

        both = set(WINDOWS) & set(WEIGHT)
        m = count(x for x in kept if x in WINDOWS and x not in both)
        n = count(x for x in kept if x in WEIGHT and x not in both)
        k = count(x for x in self.summed if x in both)
        batch = count(x for x in kept if x in both)
        sentence = (
            f"{len(kept)} letters are kept, {len(self.summed)} summed: {batch} matrix "
            f"{'product' if batch == 1 else 'products'} with M = {m}, N = {n}, K = {k}; "
            f"{2 * count(LETTERS)} FLOPs as loops; windows copied as float32 take "
            f"{4 * count(WINDOWS)} bytes."
        )
        return picture.svg(sentence), sentence
