"""The weight's gradient of kernels of one tap, compiled: sums along runs. Importing this needs Numba.

gw[o, i] is the sum over positions q of gy[o, q] · x[i, q]. Both lie in memory along q. But where a
register holds neighbouring sums, as in `pointwise.py` or in BLAS, one of the two has to be copied in
another order first. Here it holds neighbouring positions, and adds up a sum in parts, one for each of
its places. At the end the parts are added up, those of many registers at once.

That pays where runs are long. For a short one, the end takes as long as all before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .registers import hold
from .runs import round_of
from .signals import rest, ring
from .vectors import ATTRIBUTE, BYTES, REGISTERS, compiled_loop

# A matrix of sums: as many registers, beside those for cells of all its rows, and of one column
ROWS, COLUMNS = (4, 6) if REGISTERS == 32 else (3, 4)
SUMS = (
    -(-4 * ROWS * COLUMNS // BYTES) * BYTES // 4
)  # values that it takes in memory, whole registers
# Registers of a run, about, that are added up by themselves: those of a matrix's rows and columns stay
# in the innermost cache
TERMS = 56
NAMES = "sums place a at_a far_a here_a b at_b far_b here_b length ends_a ends_b end more".split()


@intrinsic
def dots(
    _: Any, sums, place, a, at_a, far_a, here_a, b, at_b, far_b, here_b, length,
    ends_a, ends_b, end, more,
):  # fmt: skip
    """Compute s[r, c] = sum over q of a[r, q] · b[c, q], for ROWS r and COLUMNS c, in registers.

    The function takes everything flat::

        sums, place            s[r, c] is sums[place + r·COLUMNS + c]
        a, at_a, far_a         a[r, q] is a[at_a + r·far_a + q]
        here_a                 the rows that there are: further ones repeat the last
        b, at_b, far_b, here_b the same for columns
        length                 how many registers q fills
        ends_a, ends_b, end    whether there is an end that takes one more register, and where: row r's
                               is register r of ends_a, and column c's register c of ends_b
        more                   whether s is added to what is there
    """

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, ATTRIBUTE)
        kinds = dict(zip(NAMES, signature.args, strict=True))
        given = dict(zip(NAMES, arguments, strict=True))
        number = context.get_value_type(kinds["a"].dtype)
        size, whole = context.get_abi_sizeof(number), ir.IntType(64)
        vector = ir.VectorType(number, BYTES // size)
        none = ir.Constant(vector, None)

        def cells(name: str, *places: Any) -> Any:
            memory = context.make_array(kinds[name])(context, builder, given[name]).data
            for place in places:
                memory = builder.gep(memory, [place])
            return builder.bitcast(memory, vector.as_pointer())

        def starts(count: int, here: Any, at: Any, far: Any) -> list[Any]:
            """Where some rows or columns begin."""
            last = builder.sub(here, whole(1))
            found = []
            for n in range(count):
                there = builder.icmp_signed("<", whole(n), here)
                row = builder.select(there, whole(n), last)
                found.append(builder.add(at, builder.mul(row, far)))
            return found

        totals = [
            [cgutils.alloca_once(builder, vector) for _ in range(COLUMNS)] for _ in range(ROWS)
        ]
        for total in sum(totals, []):
            builder.store(none, total)

        def add(a: str, rows: list[Any], b: str, columns: list[Any], q: Any) -> None:
            """Add the products of one register of each row with one of each column."""
            seen = [builder.load(cells(a, row, q), align=size) for row in rows]
            for c, column in enumerate(columns):
                values = builder.load(cells(b, column, q), align=size)
                for r, row in enumerate(seen):
                    product = builder.fmul(row, values, flags=["contract"])
                    total = builder.load(totals[r][c])
                    builder.store(builder.fadd(total, product, flags=["contract"]), totals[r][c])
                hold(builder, [builder.load(of_row[c]) for of_row in totals])

        rows = starts(ROWS, given["here_a"], given["at_a"], given["far_a"])
        columns = starts(COLUMNS, given["here_b"], given["at_b"], given["far_b"])
        with cgutils.for_range_slice(builder, whole(0), given["length"], whole(1)) as (k, _):
            add("a", rows, "b", columns, builder.mul(k, whole(vector.count)))
        with builder.if_then(given["end"]):
            one = whole(vector.count)
            rows = starts(ROWS, given["here_a"], whole(0), one)
            add("ends_a", rows, "ends_b", starts(COLUMNS, given["here_b"], whole(0), one), whole(0))

        parts = [builder.load(total) for of_row in totals for total in of_row]
        for first in range(0, len(parts), vector.count):
            some = parts[first : first + vector.count]
            total = _added_up(builder, some + [none] * (vector.count - len(some)))
            at = cells("sums", given["place"], whole(first))
            before = builder.select(given["more"], builder.load(at, align=size), none)
            builder.store(builder.fadd(before, total), at, align=size)
        return context.get_dummy_value()

    taken = (
        sums, place, a, at_a, far_a, here_a, b, at_b, far_b, here_b, length,
        ends_a, ends_b, end, more,
    )  # fmt: skip
    return types.void(*taken), instructions


def _added_up(builder: Any, vectors: list[Any]) -> Any:
    """The sum of each vector's values, of as many vectors as they have values: a vector of sums.

    Of two vectors, neighbours are added: half as many sums of each, one behind another. So there are
    half as many vectors, and then again.
    """
    count = vectors[0].type.count
    kind = ir.VectorType(ir.IntType(32), count)
    even, odd = (ir.Constant(kind, list(range(first, 2 * count, 2))) for first in (0, 1))
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(builder.shuffle_vector(a, b, even), builder.shuffle_vector(a, b, odd))
            for a, b in pairs
        ]
    return vectors[0]


@njit(nogil=True)
def put_ends(ends, x, at, far, number, head, tail_at, tail):
    """Copy the cells of rows that do not fill registers: `head` first ones, and `tail` last ones.

    Of each row to a register of its own, with zeros behind them.
    """
    lanes = BYTES // x.itemsize
    for c in range(number):
        first, row = c * lanes, at + c * far
        for q in range(head):
            ends[first + q] = x[row + q]
        for q in range(tail):
            ends[first + head + q] = x[row + tail_at + q]
        for q in range(head + tail, lanes):
            ends[first + q] = 0


@njit(nogil=True)
def write_sums(w, at, row_step, column_step, sums, rows, columns):
    """Write matrices of sums, those of ROWS rows behind one another, to w[row, column].

    The innermost loop is along w's own rows: places that are a power of two apart share one of a cache.
    """
    matrices, whole = (columns + COLUMNS - 1) // COLUMNS, columns // COLUMNS
    of_rows = matrices * SUMS
    if column_step == 1:
        for r in range(rows):
            first = np.uintp(at + r * row_step)
            place = np.uintp(r // ROWS * of_rows + r % ROWS * COLUMNS)
            for m in range(whole):  # so many at a time that the compiler sees it
                to, there = first + np.uintp(m * COLUMNS), place + np.uintp(m * SUMS)
                for c in range(COLUMNS):
                    w[to + np.uintp(c)] = sums[there + np.uintp(c)]
            for c in range(columns - whole * COLUMNS):
                to, there = first + np.uintp(whole * COLUMNS), place + np.uintp(whole * SUMS)
                w[to + np.uintp(c)] = sums[there + np.uintp(c)]
    else:
        for c in range(columns):
            first = np.uintp(at + c * column_step)
            place = np.uintp(c // COLUMNS * SUMS + c % COLUMNS)
            for r in range(rows):
                there = place + np.uintp(r // ROWS * of_rows + r % ROWS * COLUMNS)
                w[first + np.uintp(r * row_step)] = sums[there]


def sizes_of(rows, columns, itemsize):
    """The values that the ends of some rows and of all columns take, and the sums."""
    lanes, matrices = BYTES // itemsize, -(-rows // ROWS) * -(-columns // COLUMNS)
    return rows * lanes, columns * lanes, matrices * SUMS


distances = njit(nogil=True)(sizes_of)


@compiled_loop()
def weight_gradient(a, a_steps, b, b_steps, w, w_steps, sizes, first, end, memory, team):
    """The rows `first` to `end` of w (g, row, column), from a (n, g, row, q) and b (n, g, column, q).

    Arrays are flat; their steps begin with the place of the first cell. Each row's and each column's
    cells are a run. `sizes` are n, g, the columns and q.
    """
    ring(team)
    images, groups, columns, run = sizes
    lanes, rows = BYTES // a.itemsize, end - first
    of_rows, of_columns, _ = distances(rows, columns, a.itemsize)
    ends_a, ends_b = memory[:of_rows], memory[of_rows : of_rows + of_columns]
    sums, matrices = memory[of_rows + of_columns :], (columns + COLUMNS - 1) // COLUMNS
    far_a, far_b = a_steps[3], b_steps[3]
    for g in range(groups):
        for n in range(images):
            at_a = a_steps[0] + n * a_steps[1] + g * a_steps[2] + first * far_a
            at_b = b_steps[0] + n * b_steps[1] + g * b_steps[2]
            # where all columns can, registers begin at cache lines; what is before is with the rest
            aligned = far_b % lanes == 0 and run % lanes == 0
            head = -(b.ctypes.data // b.itemsize + at_b) % lanes if aligned else 0
            whole = (run - head) // lanes
            left, tail_at = run - whole * lanes, head + whole * lanes
            if left > 0:
                put_ends(ends_a, a, at_a, far_a, rows, head, tail_at, left - head)
                put_ends(ends_b, b, at_b, far_b, columns, head, tail_at, left - head)
            length = round_of(max(whole, 1), TERMS)
            for k in range(0, max(whole, 1), length):
                number, q = min(length, whole - k), head + k * lanes
                more, left_too = n > 0 or k > 0, left > 0 and k + length >= whole
                for r in range(0, rows, ROWS):
                    for m in range(matrices):
                        c = m * COLUMNS
                        dots(
                            sums, (r // ROWS * matrices + m) * SUMS,
                            a, at_a + r * far_a + q, far_a, min(ROWS, rows - r),
                            b, at_b + c * far_b + q, far_b, min(COLUMNS, columns - c),
                            number, ends_a[r * lanes :], ends_b[c * lanes :], left_too, more,
                        )  # fmt: skip
        at_w = w_steps[0] + g * w_steps[1] + first * w_steps[2]
        write_sums(w, at_w, w_steps[2], w_steps[3], sums, rows, columns)
    return rest(team)
