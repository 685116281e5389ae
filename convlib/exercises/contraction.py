"""Checkers for chapter 5: letters, their product, and the matrix product that they become."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..windows import windows
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters
from ._watch import without

__all__ = ["matrix_sizes", "mended", "multiplications", "pair_einsum", "to_columns"]


def matrix_sizes(answer: Any) -> Report:
    """Exercise 5.1: (M, N, K) of 8 images, 64 to 128 channels, 3×3 on 28×28 with padding 1."""
    n, i, o, size, kernel = 8, 64, 128, 28, 3
    m, k = n * size * size, i * kernel * kernel
    small = n * (size - kernel + 1) ** 2
    slips = [
        Slip((size * size, o, k), "this is one image. The batch letter is a row letter too."),
        Slip((m, o, i), "each window has more than its channels: k and l are summed as well."),
        Slip((m, o, kernel * kernel), "a window goes through all the input channels: i is summed."),
        Slip(
            (small, o, k), "with padding 1 a 3×3 window has a place for each of the 28×28 pixels."
        ),
        Slip(
            (n * (size + 2) ** 2, o, k),
            "30×30 is the padded image. A 3×3 window has fewer places on it.",
        ),
        Slip((m, i, k), "64 is what goes in. Which letter stands in the weight alone?"),
        Slip((m, k, o), "all three numbers are right. K is the size that is summed away."),
        Slip((o, m, k), "all three are right. M counts the windows here, N the output channels."),
    ]
    return check_value(
        answer, (m, o, k), slips, "a tuple of three integers", "M = n·h·w, N = o, K = i·k·l."
    )


def _multiplications(subscripts: str, *shapes: tuple[int, ...]) -> int:
    letters = subscripts.split("->")[0].split(",")
    sizes = {
        letter: size
        for term, shape in zip(letters, shapes, strict=True)
        for letter, size in zip(term, shape, strict=True)
    }
    return prod(sizes.values())


def multiplications(answer: Any) -> Report:
    """Exercise 5.2: multiplications(subscripts, shape_a, shape_b), one for each round of loops."""

    def of(choose: Callable[[str, str, str], Any]) -> Callable:
        """Multiply the sizes of the letters that `choose` picks, a letter as often as it picks."""

        def count(subscripts: str, shape_a: tuple, shape_b: tuple) -> int:
            (a, b), out = subscripts.split("->")[0].split(","), subscripts.split("->")[1]
            sizes = {**dict(zip(a, shape_a, strict=True)), **dict(zip(b, shape_b, strict=True))}
            return prod(sizes[letter] for letter in choose(a, b, out))

        return count

    slips = [
        Slip(
            of(lambda a, b, out: a + b),
            "a letter that stands in both inputs is one loop, and counts once.",
        ),
        Slip(
            of(lambda a, b, out: out),
            "this is the number of outputs. Each of them is a sum: over which letters?",
        ),
        Slip(
            of(lambda a, b, out: set(a + b) - set(out)),
            "this is the length of one sum. How many such sums are there?",
        ),
        Slip(
            of(lambda a, b, out: set(a) & set(b)),
            "letters that stand in one input alone are loops as well.",
        ),
        Slip(
            of(lambda a, b, out: a),
            "these are the letters of the first input. The second may bring new ones.",
        ),
        Slip(
            of(lambda a, b, out: b),
            "these are the letters of the second input. The first may bring new ones.",
        ),
        Slip(
            lambda s, a, b: 2 * _multiplications(s, a, b),
            "you count additions too. These are FLOPs; the question is for multiplications.",
        ),
    ]
    calls = [
        ("ij,jk->ik", (2, 3), (3, 5)),
        ("i,j->ij", (4,), (7,)),
        ("i,i->", (6,), (6,)),
        ("nihwkl,oikl->nohw", (2, 3, 5, 4, 3, 2), (7, 3, 3, 2)),
        ("ngihwkl,goikl->ngohw", (2, 2, 3, 4, 5, 3, 3), (2, 6, 3, 3, 3)),
        ("gij,gjk->gik", (5, 2, 3), (5, 3, 4)),
        ("ab,cb->a", (2, 3), (4, 3)),
        ("qd,kd->qk", (8, 16), (9, 16)),
        ("nihwkl,nohw->oikl", (2, 3, 5, 4, 3, 2), (2, 7, 5, 4)),
        ("ij,jk->ik", (0, 3), (3, 2)),
    ]
    cases = [Case({"subscripts": s, "shape_a": a, "shape_b": b}) for s, a, b in calls]
    return check_function(answer, _multiplications, cases, slips)


def _sizes() -> list[tuple[int, ...]]:
    """Return (n, i, o, h, w, k, l): the plain one first, a batch of 0 last."""
    return [
        (1, 1, 1, 3, 3, 2, 2),
        (1, 1, 2, 2, 5, 3, 2),
        (1, 3, 2, 4, 3, 2, 3),
        (2, 2, 3, 3, 2, 1, 4),
        (3, 4, 1, 1, 6, 2, 2),
        (2, 3, 4, 5, 2, 3, 3),
        (1, 5, 2, 2, 2, 1, 1),
        (0, 2, 3, 3, 2, 2, 3),
    ]


def mended(answer: Any) -> Report:
    """Exercise 5.3: contract(windows, weight) by a matrix product, whose columns were mixed up."""

    def right(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.einsum("nihwkl,oikl->nohw", windows, weight)

    def product(view: np.ndarray, weight: np.ndarray, order: str, matrix: str = "oikl") -> Any:
        n, i, h, w, k, l = view.shape
        columns = np.einsum(f"nihwkl->n{order}", view).reshape(n, i * k * l, h * w)
        rows = np.einsum(f"oikl->{matrix}", weight).reshape(len(weight), -1)
        return rows @ columns

    def shaped(order: str, matrix: str = "oikl") -> Callable:
        def contract(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
            n, _, h, w = windows.shape[:4]
            return product(windows, weight, order, matrix).reshape(n, len(weight), h, w)

        return contract

    def widths_first(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        n, _, h, w = windows.shape[:4]
        return product(windows, weight, "iklwh").reshape(n, len(weight), h, w)

    def not_shaped(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return product(windows, weight, "iklhw")

    slips = [
        Slip(
            shaped("ihwkl"),
            "a reshape alone cuts the numbers where they stand. For a column to be one window, its "
            "letters i, k, l must stand together first.",
        ),
        Slip(
            shaped("ilkhw"),
            "the rows of your columns run over i, l, k, and the weight over i, k, l.",
        ),
        Slip(
            shaped("klihw"),
            "the rows of your columns run over k, l, i, and the weight over i, k, l.",
        ),
        Slip(
            shaped("iklhw", "oilk"),
            "the columns are right now. The weight must keep its order i, k, l.",
        ),
        Slip(
            widths_first,
            "each window is right, but they stand in the order w, h, and the result wants h, w.",
        ),
        Slip(
            not_shaped,
            "the numbers are right. Split h·w again: the result has the axes n, o, h, w.",
        ),
        Slip(
            lambda windows, weight: right(windows[:, :, :, :, ::-1, ::-1], weight),
            "now the kernel lies backwards on the window. Nothing has to be flipped.",
        ),
    ]
    source = random.Random(53)
    cases = [
        Case({"windows": array(source, n, i, h, w, k, l), "weight": array(source, o, i, k, l)})
        for n, i, o, h, w, k, l in _sizes()
    ]
    return check_function(answer, right, with_quarters(cases), slips, "nohw")


def to_columns(answer: Any) -> Report:
    """Exercise 5.4: to_columns(input, kernel_size, stride), what torch's unfold gives."""

    def ordered(order: str) -> Callable:
        def columns(input: np.ndarray, kernel_size: tuple, stride: int) -> np.ndarray:
            n, i = input.shape[:2]
            k, l = kernel_size
            view = windows(input, kernel_size, stride)
            size = n, i * k * l, view.shape[2] * view.shape[3]
            return np.einsum(f"nihwkl->n{order}", view).reshape(size)

        return columns

    right = ordered("iklhw")

    def no_batch(input: np.ndarray, kernel_size: tuple, stride: int) -> np.ndarray:
        return np.hstack(right(input, kernel_size, stride))

    slips = [
        Slip(
            ordered("ihwkl"),
            "the shape is right, but a column is no window: bring i, k, l together before you "
            "reshape.",
        ),
        Slip(
            lambda *arguments: right(*arguments).swapaxes(1, 2),
            "each window is a row in your result. It must be a column: (n, i·k·l, h·w).",
        ),
        Slip(ordered("klihw"), "a column runs over k, l, i. It must run over i first, then k, l."),
        Slip(ordered("ilkhw"), "a column runs over i, l, k. It must run over i, then k, then l."),
        Slip(ordered("iklwh"), "the windows stand in the order w, h. They must go row by row."),
        Slip(
            lambda input, kernel_size, stride: right(input, kernel_size, 1),
            "these are the windows of stride 1. Is `stride` used?",
        ),
        Slip(no_batch, "the images of the batch stand side by side. Keep n as the first axis."),
    ]
    source = random.Random(54)
    rows = [
        ((1, 1, 4, 4), (2, 2), 1),
        ((1, 1, 5, 4), (2, 3), 1),
        ((1, 3, 4, 6), (3, 2), 1),
        ((2, 2, 5, 6), (3, 3), 2),
        ((3, 2, 6, 5), (2, 1), 3),
        ((2, 1, 7, 4), (1, 4), 2),
        ((1, 4, 3, 3), (1, 1), 1),
        ((2, 3, 3, 4), (3, 4), 2),
        ((0, 2, 4, 5), (3, 2), 1),
    ]
    cases = [
        Case({"input": array(source, *shape), "kernel_size": k, "stride": s})
        for shape, k, s in rows
    ]
    return check_function(answer, right, with_quarters(cases), slips)


def pair_einsum(answer: Any) -> Report:
    """Exercise 5.5: pair_einsum(subscripts, a, b), any two-array einsum by one matmul."""

    def right(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum(subscripts, a, b))

    def in_matmul_order(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The product's own order: batch, rows, columns."""
        (one, two), out = subscripts.split("->")[0].split(","), subscripts.split("->")[1]
        batch = [x for x in one if x in two and x in out]
        rows = [x for x in one if x not in two]
        columns = [x for x in two if x not in one]
        return right(f"{one},{two}->{''.join([*batch, *rows, *columns])}", a, b)

    def batch_summed(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Every letter of both inputs summed, as tensordot does."""
        (one, two), out = subscripts.split("->")[0].split(","), subscripts.split("->")[1]
        return right(f"{one},{two}->{''.join(x for x in out if not (x in one and x in two))}", a, b)

    def reshaped_only(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The product's numbers, cut into the output's shape without moving an axis."""
        return in_matmul_order(subscripts, a, b).reshape(right(subscripts, a, b).shape)

    def two_orders(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Let the letters that both share stand in b's own order, and take them for a's."""
        (one, two), out = subscripts.split("->")[0].split(","), subscripts.split("->")[1]
        for kept in (True, False):
            mine = [x for x in one if x in two and (x in out) == kept]
            its, rest = [x for x in two if x in mine], [x for x in two if x not in mine]
            b = b.transpose([two.index(x) for x in its + rest])
            sizes = [a.shape[one.index(x)] for x in mine]
            b, two = b.reshape(sizes + list(b.shape[len(its) :])), "".join(mine + rest)
        return right(f"{one},{two}->{out}", a, b)

    slips = [
        Slip(
            two_orders,
            "letters that a and b share stand in another order in b. Give both the same order.",
        ),
        Slip(
            reshaped_only,
            "the shape is right, but matmul gives batch, rows, columns. Reshape to those letters, "
            "then transpose to the order of the output.",
        ),
        Slip(
            in_matmul_order,
            "right when the output asks for the order batch, rows, columns. For any other order, "
            "transpose at the end.",
        ),
        Slip(
            batch_summed,
            "a letter that stands in both inputs and in the output is kept: matmul's batch axis.",
        ),
    ]
    calls: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,kj->ik", (2, 3), (4, 3)),
        ("ij,jk->ki", (2, 3), (3, 4)),
        ("i,i->", (5,), (5,)),
        ("i,j->ji", (2,), (3,)),
        ("gij,gjk->gik", (2, 3, 4), (2, 4, 5)),
        ("igj,jkg->kgi", (3, 2, 4), (4, 5, 2)),
        ("nihwkl,oikl->nohw", (2, 3, 2, 3, 2, 2), (4, 3, 2, 2)),
        ("nhwikl,oikl->nhwo", (2, 2, 3, 2, 2, 3), (4, 2, 2, 3)),
        ("ngihwkl,goikl->ngohw", (2, 2, 3, 2, 3, 2, 2), (2, 4, 3, 2, 2)),
        ("nihwkl,nohw->oikl", (2, 3, 2, 3, 2, 2), (2, 4, 2, 3)),
        ("ij,ij->ij", (2, 3), (2, 3)),
        ("aij,jib->ab", (2, 3, 4), (4, 3, 2)),
        ("pqi,qip->pq", (2, 3, 4), (3, 4, 2)),
        ("ij,jk->ik", (2, 0), (0, 3)),
    ]
    source = random.Random(55)
    cases = [
        Case({"subscripts": s, "a": array(source, *a), "b": array(source, *b)}) for s, a, b in calls
    ]
    report = check_function(answer, right, with_quarters(cases), slips)
    hint = "the numbers are right, but an einsum has made them. Do what it does by one matmul."
    return without(report, answer, cases, (np.einsum,), hint)
