"""BLAS' product of matrices, called from compiled code. Importing this needs Numba.

`np.matmul` takes Python's lock before BLAS computes and after it. Where two threads share a product,
each waits for the other's lock: a tenth of a millisecond, as long as some products take. So BLAS' own
function is called here, at its address, by the threads of `helpers.py`.
The function's arguments are in `blas.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .blas import AS_IT_IS, ROWS_FIRST, TURNED, order_of
from .signals import rest, ring
from .threads import pieces
from .vectors import compiled_loop

IMAGES, ROWS, COLUMNS = range(3)  # what of a product is cut into parts


@intrinsic
def gemm(_: Any, call, turned, sizes, one, a, b, plus, y, pitches):
    """y = a @ b + plus · y, of (rows, terms) and (terms, columns), at their addresses.

    `sizes` are rows, columns and terms. `pitches` are the distances of rows of a, b and y, in numbers;
    of a turned matrix, of columns. The type of `one`, which is 1, and of `plus` is that of all numbers.
    """

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, whole = context.get_value_type(signature.args[3]), ir.IntType(64)
        short, memory = ir.IntType(32), ir.IntType(8).as_pointer()
        call, turned, sizes, one, a, b, plus, y, pitches = arguments
        a, b, y = (builder.inttoptr(address, memory) for address in (a, b, y))
        orders = [builder.trunc(builder.extract_value(turned, k), short) for k in range(2)]
        sizes = [builder.extract_value(sizes, k) for k in range(3)]
        pitches = [builder.extract_value(pitches, k) for k in range(3)]
        # (order, order of a, order of b, m, n, k, alpha, a, its pitch, b, its pitch, beta, y, its pitch)
        kinds = [*[short] * 3, *[whole] * 3, number, *[memory, whole] * 2, number, memory, whole]
        function = builder.inttoptr(call, ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        matrices = [one, a, pitches[0], b, pitches[1], plus, y, pitches[2]]
        builder.call(function, [short(ROWS_FIRST), *orders, *sizes, *matrices])
        return context.get_dummy_value()

    return types.void(call, turned, sizes, one, a, b, plus, y, pitches), instructions


@compiled_loop()
def products(call, one, a, b, y, sizes, arrays, adds, more, cut, start, stop, team):
    """From `start` to `stop` of what is cut, of (n, g, o, i) @ (n, g, i, q) -> (n, g, o, q).

    a, b and y are addresses, `sizes` are n, g, o, q, i. `arrays` has a row for each of the three: the
    steps of its four axes in bytes, its pitch in numbers, and its order's number. If it `adds`, the
    result is the sum of all images. If there is `more`, it is added to what is in y.
    """
    ring(team)
    images, groups, rows, columns, terms = sizes
    first, of_a, of_b, of_y = 0, arrays[0], arrays[1], arrays[2]
    if cut == IMAGES:
        first, images = start, stop
    elif cut == ROWS:
        a, y, rows = a + start * of_a[2], y + start * of_y[2], stop - start
    else:
        b, y, columns = b + start * of_b[3], y + start * of_y[3], stop - start
    turned, pitches = (of_a[5], of_b[5]), (of_a[4], of_b[4], of_y[4])
    for n in range(first, images):
        plus = one if more or (adds and n > 0) else one - one
        for g in range(groups):
            at_a, at_b = a + n * of_a[0] + g * of_a[1], b + n * of_b[0] + g * of_b[1]
            at_y = y + n * of_y[0] + g * of_y[1]
            gemm(call, turned, (rows, columns, terms), one, at_a, at_b, plus, at_y, pitches)
    return rest(team)


@compiled_loop()
def picked(call, one, w, y, sizes, arrays, x, x_steps, memory, start, stop, team):
    """Products of w (g, o, i) by lines `start` to `stop` of all images, where lines are rows (d, h).

    w and y are addresses, `arrays` has their rows. `sizes` are g, o, i, lines of an image, h, and w. x is
    flat: the place of its first cell and the steps of its six axes are in `x_steps`.
    """
    ring(team)
    groups, outputs, terms, lines, high, wide = sizes
    of_w, of_y, cells = arrays[0], arrays[1], memory.ctypes.data
    while start < stop:
        n, first = start // lines, start % lines
        number = min(lines - first, stop - start)
        start, columns = start + number, number * wide
        for g in range(groups):
            to, at = 0, x_steps[0] + n * x_steps[1] + g * x_steps[2]
            for k in range(terms):
                for line in range(first, first + number):
                    cell = (
                        at + k * x_steps[3] + line // high * x_steps[4] + line % high * x_steps[5]
                    )
                    for q in range(wide):
                        memory[np.uintp(to + q)] = x[np.uintp(cell + q * x_steps[6])]
                    to += wide
            at_y = y + n * of_y[0] + g * of_y[1] + first * wide * of_y[3]
            turned, pitches = (of_w[5], np.int64(AS_IT_IS)), (of_w[4], columns, of_y[4])
            size, at_w = (outputs, columns, terms), w + g * of_w[1]
            gemm(call, turned, size, one, at_w, cells, one - one, at_y, pitches)
    return rest(team)


def matrix(shape: tuple[int, ...], steps: tuple[int, ...], itemsize: int) -> tuple[int, ...] | None:
    """An aligned array's row of `arrays`, or nothing if BLAS cannot read its matrices where they are."""
    rows, columns = shape[-2:]
    found = order_of(rows, columns, steps[-2] // itemsize, steps[-1] // itemsize)
    return found and (*(0,) * (4 - len(shape)), *steps, *reversed(found))


class Plan(NamedTuple):
    """How a product is shared out: what is the same for all arrays of the same sizes and steps."""

    sizes: np.ndarray
    arrays: np.ndarray
    adds: bool
    cut: int
    parts: tuple[tuple[int, int], ...]


@lru_cache(maxsize=1024)
def planned(
    shapes: tuple[tuple[int, ...], ...],
    strides: tuple[tuple[int, ...], ...],
    itemsize: int,
    threads: int,
) -> Plan | None:
    """Plan a product a @ b -> y for as many threads, or return nothing if it is not one for BLAS.

    It is cut by images if there are as many for each thread, else its larger matrix is.
    """
    found = [matrix(*array, itemsize) for array in zip(shapes, strides, strict=True)]
    if None in found or found[2][-1] == TURNED:  # type: ignore[index]
        return None
    images = max(shape[0] if len(shape) == 4 else 1 for shape in shapes[:2])
    groups, rows, columns = shapes[2][-3:]
    adds = len(shapes[2]) < max(map(len, shapes))
    # of a matrix each part reads one of the factors as a whole: the smaller one
    cut, total = (ROWS, rows) if rows > columns else (COLUMNS, columns)
    if not adds and images % threads == 0:
        cut, total = IMAGES, images
    parts = tuple((part.start, part.stop) for part in pieces(total, total, threads))
    return Plan(
        np.array([images, groups, rows, columns, shapes[0][-1]]), np.array(found), adds, cut, parts
    )
