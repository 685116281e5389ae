"""The weight's gradient of kernels of one tap, compiled: sums along runs. Importing this needs Numba.

gw[o, i] is the sum over positions q of gy[o, q] · x[i, q], and both lie in memory along q. But where
the places of a register are neighbouring sums, as in `pointwise.py` or in BLAS, one of the two has to
be put in another order. Here each place of a register adds up its own part of one sum. At the end the
parts are added up, those of many registers at once.

That pays where runs are long. For a short one, the end takes as long as all before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .linear import Cells, pairs_of
from .registers import hold
from .rows import copy_rows, put_zeros
from .runs import round_of
from .signals import rest, ring
from .vectors import ATTRIBUTE, BYTES, REGISTERS, compiled_loop

# A matrix of sums: as many registers, beside those for cells of all its rows, and of one column
ROWS, COLUMNS = (4, 6) if REGISTERS == 32 else (3, 4)
SUMS = (
    -(-4 * ROWS * COLUMNS // BYTES) * BYTES // 4
)  # values that it takes in memory, whole registers
ROUND = 56  # registers of a run, about, that are added up by themselves


@intrinsic
def dots(_: Any, sums, place, a, at_a, far, b, at_b, pitch, length, more):
    """Compute s[r, c] = sum over q of a[r, q] · b[c, q], for ROWS r and COLUMNS c, in registers.

    The function takes everything flat::

        sums, place         s[r, c] is sums[place + r·COLUMNS + c]
        a, at_a, far        a[r, q] is a[at_a + r·far + q]
        b, at_b, pitch      b[c, q] is b[at_b + c·pitch + q]
        length              how many registers q fills
        more                whether s is added to what is there
    """

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, ATTRIBUTE)
        _, place, _, at_a, far, _, at_b, pitch, length, more = arguments
        s, a, b = (Cells(context, builder, signature, arguments, which) for which in (0, 2, 5))
        whole, vector, zeros = ir.IntType(64), a.vector, ir.Constant(a.vector, None)
        rows = [builder.add(at_a, builder.mul(far, whole(r))) for r in range(ROWS)]
        columns = [builder.add(at_b, builder.mul(pitch, whole(c))) for c in range(COLUMNS)]
        totals = [[cgutils.alloca_once(builder, vector) for _ in columns] for _ in rows]
        for total in sum(totals, []):
            builder.store(zeros, total)

        with cgutils.for_range_slice(builder, whole(0), length, whole(1)) as (k, _):
            q = builder.mul(k, whole(vector.count))
            seen = [a.load(builder.add(row, q)) for row in rows]
            for c, column in enumerate(columns):
                values = b.load(builder.add(column, q))
                for r, row in enumerate(seen):
                    product = builder.fmul(row, values, flags=["contract"])
                    total = builder.load(totals[r][c])
                    builder.store(builder.fadd(total, product, flags=["contract"]), totals[r][c])
                # or all columns' cells would be loaded at once, with no registers left for sums
                hold(builder, [builder.load(of_row[c]) for of_row in totals])

        parts = [builder.load(total) for of_row in totals for total in of_row]
        for first in range(0, len(parts), vector.count):
            some = parts[first : first + vector.count]
            total = _added_up(builder, some + [zeros] * (vector.count - len(some)))
            at = builder.add(place, whole(first))
            before = builder.select(more, s.load(at), zeros)
            s.store(builder.fadd(before, total), at)
        return context.get_dummy_value()

    return types.void(sums, place, a, at_a, far, b, at_b, pitch, length, more), instructions


def _added_up(builder: Any, vectors: list[Any]) -> Any:
    """Add up the values of each vector, of as many vectors as they have values: a vector of sums.

    Of two vectors, neighbours are added, and the results are joined to one. So half as many vectors are
    left, and then again half, until place v of the last one is the sum of vector v.
    """
    count = vectors[0].type.count
    even, odd = range(0, 2 * count, 2), range(1, 2 * count, 2)
    while len(vectors) > 1:
        vectors = [
            builder.fadd(pairs_of(builder, a, b, even), pairs_of(builder, a, b, odd))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]


@njit(nogil=True)
def put_in_line(to, pitch, x, cell, far, rows, places, cells, end):
    """Copy some cells of each row to where registers begin at cache lines, and zeros behind, to an end.

    There are places for more rows; these get the last row again.
    """
    copy_rows(to, 0, pitch, 1, x, cell, far, 1, rows, cells)
    for r in range(rows, places):
        copy_rows(to, r * pitch, pitch, 1, x, cell + (rows - 1) * far, far, 1, 1, cells)
    for r in range(places):
        put_zeros(to, r * pitch + cells, r * pitch + end)


@njit(nogil=True)
def write_sums(w, at, row_step, column_step, sums, rows, columns):
    """Write matrices of sums, those of ROWS rows behind one another, to w[row, column].

    The innermost loop is along neighbours in w: places that are a power of two apart share one of a cache.
    """
    matrices, whole = (columns + COLUMNS - 1) // COLUMNS, columns // COLUMNS
    of_rows = matrices * SUMS
    if column_step == 1:
        for r in range(rows):
            first = np.uintp(at + r * row_step)
            place = np.uintp(r // ROWS * of_rows + r % ROWS * COLUMNS)
            for m in range(whole):
                target, source = first + np.uintp(m * COLUMNS), place + np.uintp(m * SUMS)
                for c in range(COLUMNS):  # a fixed number: the compiler writes the loop out
                    w[target + np.uintp(c)] = sums[source + np.uintp(c)]
            target, source = first + np.uintp(whole * COLUMNS), place + np.uintp(whole * SUMS)
            for c in range(columns - whole * COLUMNS):
                w[target + np.uintp(c)] = sums[source + np.uintp(c)]
    else:
        for c in range(columns):
            first = np.uintp(at + c * column_step)
            place = np.uintp(c // COLUMNS * SUMS + c % COLUMNS)
            for r in range(rows):
                source = place + np.uintp(r // ROWS * of_rows + r % ROWS * COLUMNS)
                w[first + np.uintp(r * row_step)] = sums[source]


def sizes_of(rows, columns, run, itemsize):
    """How many registers make a round, how far apart rows are in line, the values of some, and sums'.

    Rows in line are an odd number of registers apart: a power of two would put them all into one place
    of a cache.
    """
    lanes = BYTES // itemsize
    length = round_of((run + lanes - 1) // lanes, ROUND)
    pitch, matrices = (length | 1) * lanes, (columns + COLUMNS - 1) // COLUMNS
    sums = (rows + ROWS - 1) // ROWS * matrices * SUMS
    return length, pitch, ROWS * pitch, matrices * COLUMNS * pitch, sums


distances = njit(nogil=True)(sizes_of)


@compiled_loop()
def weight_gradient(a, a_steps, b, b_steps, w, w_steps, sizes, first, end, memory, team):
    """The rows `first` to `end` of w (g, row, column), from a (n, g, row, q) and b (n, g, column, q).

    Arrays are flat; their steps begin with the place of the first cell. Each row's and each column's
    cells are a run. `sizes` are n, g, the number of columns, and a run's length; none is zero.
    """
    ring(team)
    images, groups, columns, run = sizes
    lanes, rows = BYTES // a.itemsize, end - first
    length, pitch, of_rows, of_columns, _ = distances(rows, columns, run, a.itemsize)
    some, all_columns = memory[:of_rows], memory[of_rows : of_rows + of_columns]
    sums, matrices = memory[of_rows + of_columns :], of_columns // (COLUMNS * pitch)
    far_a, far_b = a_steps[3], b_steps[3]
    for g in range(groups):
        for n in range(images):
            at_a = a_steps[0] + n * a_steps[1] + g * a_steps[2] + first * far_a
            at_b = b_steps[0] + n * b_steps[1] + g * b_steps[2]
            for q in range(0, run, length * lanes):
                cells = min(length * lanes, run - q)
                registers, more = (cells + lanes - 1) // lanes, n > 0 or q > 0
                put_in_line(
                    all_columns, pitch, b, at_b + q, far_b, columns, matrices * COLUMNS,
                    cells, registers * lanes,
                )  # fmt: skip
                for r in range(0, rows, ROWS):
                    here, at, far = a, at_a + r * far_a + q, far_a
                    if rows - r < ROWS or cells < registers * lanes:
                        put_in_line(
                            some, pitch, a, at, far, min(ROWS, rows - r), ROWS, cells,
                            registers * lanes,
                        )  # fmt: skip
                        here, at, far = some, 0, pitch
                    for m in range(matrices):
                        place, column = (r // ROWS * matrices + m) * SUMS, m * COLUMNS * pitch
                        dots(
                            sums, place, here, at, far, all_columns, column, pitch, registers, more
                        )
        at_w = w_steps[0] + g * w_steps[1] + first * w_steps[2]
        write_sums(w, at_w, w_steps[2], w_steps[3], sums, rows, columns)
    return rest(team)
