"""A run of cells, and some outputs: matrices of sums, one behind another. Importing this needs Numba.

A matrix of sums stays in registers for some terms, then the next one does, all along the run; and then
it goes on with the next terms. So a run's sums are read and written once for each of these rounds, and
the cells that the terms see stay in the innermost cache from one matrix to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .registers import tile
from .vectors import BYTES, REGISTERS

# Terms that are added up by themselves. Sums of sums are more exact than long ones; and the cells of so
# many terms stay in the innermost cache from one run of cells to the next.
TERMS = 256 if BYTES == 64 else 144
# outputs and registers of cells: as many sums as there is room for, beside what they are made of
MANY, FEW, SINGLE = (
    ((8, (3, 2, 1)), (4, (6, 3, 1)), (1, (8, 4, 1)))
    if REGISTERS == 32
    else ((4, (3, 2, 1)), (2, (4, 2, 1)), (1, (8, 4, 1)))
)
COLUMN = 3  # taps below one another, of a term that stands for as many; a square kernel's
# With as many registers, a matrix may as well have half of the outputs and twice the cells. Then less is
# to be loaded, if cells begin at cache lines, or in a stack of rows serve three taps.
HALVES = REGISTERS == 32


@njit(nogil=True)
def round_of(terms, most):
    """How many terms make a round, of about `most` each: a short one would cost as much as a long one."""
    rounds = max(1, (terms + most // 2) // most)
    return max(1, (terms + rounds - 1) // rounds)


def named(*settings: Any) -> Any:
    """Compile one of several functions that are written once, under a name of its own.

    Numba tells those of one name apart by a number that each process counts anew. Of code that two
    processes have kept, one would be called for the other.
    """

    def compile_it(function: Any) -> Any:
        function.__qualname__ += "".join(f"_{setting}" for setting in settings)
        return njit(nogil=True)(function)

    return compile_it


def all_cells_of(
    outputs: int,
    registers: tuple[int, ...],
    together: int = TERMS,
    exact: bool = False,
    taps: int = 1,
) -> Any:
    """Compile the loop over a run of cells, `registers` of them at a time, and fewer at its end.

    About as many terms are added up `together`, for all cells, and then the next ones. The last
    registers may reach over the run's end, or `exact` takes smaller ones. A term may be several `taps`,
    whose cells are a `line` apart.
    """
    sums = tile(outputs, registers, taps)
    most, middle, least = registers
    # exact: take the most registers if so many are left; else take them as soon as more than the middle
    # number are left, and reach over the end
    wide, narrow, or_equal = (most, middle, 1) if exact else (middle, least, 0)
    most_terms = together // taps

    @named(outputs, *registers, together, exact, taps)
    def multiply(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more, line=0):
        lanes = BYTES // y.itemsize
        some = round_of(len(at), most_terms)
        for k in range(0, len(at), some):
            end, q = min(k + some, len(at)), 0
            while q < run:
                p, left = at_y + q, run - q + or_equal
                # four left are two and two: one has too few sums to keep a processor busy
                halves = most * lanes < run - q <= 2 * middle * lanes
                n = most if left > wide * lanes and not halves else middle
                n = n if left > narrow * lanes else least
                sums(
                    n, y, p, pitch, lanes, x, q, line, at, w, at_w, rows, to,
                    here, k, end, more, y, p, pitch, lanes,
                )  # fmt: skip
                q += n * lanes
            more = True

    return multiply


many, few, single = (all_cells_of(*size) for size in (MANY, FEW, SINGLE))
many_columns = all_cells_of(*MANY, taps=COLUMN)


@njit(nogil=True)
def correlate(y, at_y, pitch, x, at, w, at_w, rows, to, run, more, line):
    """y[at_y + o·pitch + q] = sum over k of w[at_w + rows[o] + to[k]] · x[at[k] + q], q below `run`.

    Or added to what is there, with `more`. There are rows for at most MANY outputs o. The next may be
    written to as well, up to MANY. With a `line`, each term k stands for a COLUMN of taps.
    """
    here = len(rows)
    if line != 0:
        many_columns(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more, line)
    elif here > FEW[0]:
        many(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more)
    elif here > 1:
        few(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more)
    else:
        single(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more)


@njit(nogil=True)
def starts_of(shape, wide, lanes):
    """Where the registers of rows (d, h) begin among cells, rows that whole registers fill."""
    found, r = np.empty(shape[0] * shape[1] * (shape[2] // lanes), np.int64), 0
    for d in range(shape[0]):
        for h in range(shape[1]):
            for q in range(shape[2] // lanes):
                found[r] = (d * wide[1] + h) * wide[2] + q * lanes
                r += 1
    return found


def all_rows_of(taps: int) -> Any:
    """Compile the loop over rows that whole registers fill, for MANY outputs.

    So nothing is computed between two rows. `to_y` and `sums` are an array, a place in it, and how
    far apart outputs are. Sums go to `sums`, and those of all terms, if they are the `last`, to `to_y`.
    The rest is as in `all_cells_of`. Columns of taps see rows below one another, or above with a `line`
    below zero; and so do registers, where there are as many rows.
    """
    sums_of, heights = tile(MANY[0], MANY[1], taps), (2 * COLUMN, COLUMN) if HALVES else (COLUMN,)
    stack_of = tile(MANY[0], heights, taps, stacked=True)
    most_terms = TERMS // taps

    @named(taps)
    def multiply(to_y, sums, x, starts, shape, wide, at, w, at_w, rows, to, more, last, line):
        s, first, far = sums
        lanes, here, some = BYTES // s.itemsize, len(rows), round_of(len(at), most_terms)
        stacked = shape[1] // COLUMN * COLUMN if taps > 1 and abs(line) == wide[2] else 0
        # registers are stacked from above, or from the last row, in the direction of the taps
        down = shape[2] if line > 0 else -shape[2]
        for k in range(0, len(at), some):
            end = min(k + some, len(at))
            y, place, pitch = to_y if last and end == len(at) else sums
            for d in range(shape[0]):
                at_d, h = d * shape[1] * shape[2], 0
                while h < stacked:
                    number = heights[0] if stacked - h >= heights[0] else COLUMN
                    top = h if line > 0 else h + number - 1
                    for j in range(0, shape[2], lanes):
                        start = (d * wide[1] + top) * wide[2] + j
                        q = at_d + top * shape[2] + j
                        stack_of(
                            number, y, place + q, pitch, down, x, start, line, at, w, at_w, rows, to,
                            here, k, end, more, s, first + q, far, down,
                        )  # fmt: skip
                    h += number
                r = (d * shape[1] + stacked) * (shape[2] // lanes)
                r_end = (d + 1) * shape[1] * (shape[2] // lanes)
                while r < r_end:
                    n = 2 if r_end - r == 4 else min(r_end - r, 3)
                    p, q = place + r * lanes, first + r * lanes
                    begin = starts[r], starts[min(r + 1, r_end - 1)], starts[min(r + 2, r_end - 1)]
                    sums_of(
                        n, y, p, pitch, lanes, x, begin, line, at, w, at_w, rows, to,
                        here, k, end, more, s, q, far, lanes,
                    )  # fmt: skip
                    r += n
            more = True

    return multiply


correlate_rows, correlate_columns = all_rows_of(1), all_rows_of(COLUMN)
