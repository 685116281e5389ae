"""Chapter 5: eight letters, the loops they are, and the matrix product they become."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from ._base import CONVLIB, TORCH, Explorer, Setting, Whole
from ._still import Picture

LETTERS = "ngohwikl"
WINDOWS, WEIGHT = "ngihwkl", "goikl"


ONE, MANY = "It is one matrix product", "It is {batch} matrix products, each"
WITH = " with M = {M}, N = {N}, K = {K}"
MATMUL = "windows {M:input} × {K:input} · weight {K:kernel} × {N:kernel} = output {M:output} × {N:output}"
FLOPS = "2·{outside:output}·{inside} = {flops}"


def _code(assertion: str = "") -> str:
    """Return the text to copy, with or without the comparison with `convlib.contract`."""
    order = "ngihwklo"
    return (
        f"{CONVLIB}{', '.join(order)} = {', '.join(f'{{size.{x}}}' for x in order)}\n"
        "input = np.ones((n, g * i, h + k - 1, w + l - 1), np.float32)\n"
        f"view = convlib.windows(input, (k, l)).reshape({', '.join(WINDOWS)})\n"
        f"weight = np.ones(({', '.join(WEIGHT)}), np.float32)\n"
        'output = np.einsum("{subscripts}", view, weight, optimize=True)\n'
        f"{assertion}flops = 2 * {' * '.join(order)}\n"
        'print(output.shape, flops, "FLOPs,", view.size * 4, "bytes if copied")\n'
    )


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
    _words: ClassVar = {
        "title": "Eight letters: kept or summed",
        "arrays": {"letters": LETTERS, "windows": WINDOWS, "weight": WEIGHT},
        "hint": "Tap a letter to keep it in the output, or to sum it away (Σ).",
        "sentences": {
            "convolution": "{keeps count letter} kept, {sums} summed: a convolution.",
            "other": (
                "{keeps count letter} kept, {sums} summed: not a convolution, which sums i, k and l."
            ),
            **{
                f"{name}{first}": f"{product}{WITH}{then}"
                for name, product in (("one", ONE), ("many", MANY))
                for first, then in (
                    ("", "."),
                    ("_first", ", after a sum over {firsts} in the one array that has it."),
                    ("_firsts", ", after a sum over {firsts}, each in the one array that has it."),
                )
            },
        },
        "lines": {
            "einsum": ("einsum", '"{subscripts}"'),
            "outer": ("loops", "{outer}: {outside:output}×"),
            "inner": ("", "   {inner}: {inside}×"),
            "body": (
                "",
                f"      output[{{index:output}}] += "
                f"windows[{', '.join(WINDOWS)}] · weight[{', '.join(WEIGHT)}]",
            ),
            "product": ("matmul", MATMUL),
            "products": ("matmul", f"{MATMUL}, {{batch}} times: for each {{batches}}"),
            "flops": ("FLOPs", FLOPS),
            "flops_first": ("FLOPs", f"{FLOPS}; the matrix product alone {{product}}"),
            "im2col": (
                "im2col",
                "copies {bytes:input} bytes of float32, {ratio} times the input's {input:input} (stride 1)",
            ),
        },
        "code": {
            "convlib": _code(),
            "contract": _code(
                "assert np.array_equal(output, convlib.contract(np, view, weight))\n"
            ),
            "PyTorch": TORCH
            + 'twin = torch.einsum("{subscripts}", torch.tensor(view), torch.tensor(weight))\n'
            "print(twin.shape)\n",
        },
    }  # fmt: skip
    n = Whole(1, 8, 1, "n images")
    g = Whole(1, 8, 1, "g groups")
    i = Whole(1, 64, 3, "i in")
    h = Whole(1, 64, 6, "h rows")
    w = Whole(1, 64, 6, "w columns")
    k = Whole(1, 7, 3, "k tap rows", "kernel")
    l = Whole(1, 7, 3, "l tap cols", "kernel")
    o = Whole(1, 64, 8, "o out", "output")
    summed = Setting(
        "ikl",
        f"different letters of {LETTERS!r}",
        _summed,
        {"text": rf"^(?!.*(.).*\1)[{LETTERS}]*$"},
    )

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
