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


@njit(nogil=True)
def round_of(terms, most):
    """How many terms make a round, of about `most` each: a short one would cost as much as a long one."""
    rounds = max(1, (terms + most // 2) // most)
    return max(1, (terms + rounds - 1) // rounds)


def all_cells_of(
    outputs: int,
    registers: tuple[int, ...],
    together: int = TERMS,
    exact: bool = False,
    taps: int = 1,
) -> Any:
    """Compile the loop over a run of cells, `registers` of them at a time, and fewer at its end.

    About as many terms are added up `together`, for all cells, and then the next ones. The last
    registers may reach over the run's end, or `exact` takes smaller ones. Cells are as far `apart` as
    they are in the run, or farther where they have been put together. A term may be several `taps`:
    their cells are a `line` apart.
    """
    large, small, least = (tile(outputs, r, taps) for r in registers)
    a, b, c = registers
    # with more registers left than these, or with as many
    wide, narrow, or_equal = (a, b, 1) if exact else (b, c, 0)
    most = together // taps

    @njit(nogil=True)
    def multiply(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more, apart=1, line=0):
        lanes = BYTES // y.itemsize
        some = round_of(len(at), most)
        for k in range(0, len(at), some):
            end, q = min(k + some, len(at)), 0
            while q < run:
                p, s, left = at_y + q, q * apart, run - q + or_equal
                # four left are two and two: one has too few sums to keep a processor busy
                halves = apart == 1 and a * lanes < run - q <= 2 * b * lanes
                if left > wide * lanes and not halves:
                    large(
                        y, p, pitch, lanes, x, s, line, at, w, at_w, rows, to,
                        here, k, end, more, y, p, pitch, lanes,
                    )  # fmt: skip
                    q += a * lanes
                elif left > narrow * lanes:
                    small(
                        y, p, pitch, lanes, x, s, line, at, w, at_w, rows, to,
                        here, k, end, more, y, p, pitch, lanes,
                    )  # fmt: skip
                    q += b * lanes
                else:
                    least(
                        y, p, pitch, lanes, x, s, line, at, w, at_w, rows, to,
                        here, k, end, more, y, p, pitch, lanes,
                    )  # fmt: skip
                    q += c * lanes
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
        many_columns(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more, 1, line)
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
    three, two, one = (tile(MANY[0], registers, taps) for registers in MANY[1])
    column = tile(MANY[0], COLUMN, taps, stacked=True)
    most = TERMS // taps

    @njit(nogil=True)
    def multiply(to_y, sums, x, starts, shape, wide, at, w, at_w, rows, to, more, last, line):
        s, first, far = sums
        lanes, here, some = BYTES // s.itemsize, len(rows), round_of(len(at), most)
        stacks = shape[1] // COLUMN if taps > 1 and abs(line) == wide[2] else 0
        # registers are stacked from above, or from the last row, in the direction of the taps
        down, top = (shape[2], 0) if line > 0 else (-shape[2], COLUMN - 1)
        for k in range(0, len(at), some):
            end = min(k + some, len(at))
            y, place, pitch = to_y if last and end == len(at) else sums
            for d in range(shape[0]):
                at_d = d * shape[1] * shape[2]
                for h in range(0, COLUMN * stacks, COLUMN):
                    for j in range(0, shape[2], lanes):
                        start = (d * wide[1] + h + top) * wide[2] + j
                        q = at_d + (h + top) * shape[2] + j
                        column(
                            y, place + q, pitch, down, x, start, line, at, w, at_w, rows, to,
                            here, k, end, more, s, first + q, far, down,
                        )  # fmt: skip
                r = (d * shape[1] + COLUMN * stacks) * (shape[2] // lanes)
                r_end = (d + 1) * shape[1] * (shape[2] // lanes)
                while r < r_end:
                    n = 2 if r_end - r == 4 else min(r_end - r, 3)
                    p, q = place + r * lanes, first + r * lanes
                    if n == 3:
                        seen = starts[r], starts[r + 1], starts[r + 2]
                        three(
                            y, p, pitch, lanes, x, seen, line, at, w, at_w, rows, to,
                            here, k, end, more, s, q, far, lanes,
                        )  # fmt: skip
                    elif n == 2:
                        both = starts[r], starts[r + 1]
                        two(
                            y, p, pitch, lanes, x, both, line, at, w, at_w, rows, to,
                            here, k, end, more, s, q, far, lanes,
                        )  # fmt: skip
                    else:
                        one(
                            y, p, pitch, lanes, x, starts[r], line, at, w, at_w, rows, to,
                            here, k, end, more, s, q, far, lanes,
                        )  # fmt: skip
                    r += n
            more = True

    return multiply


correlate_rows, correlate_columns = all_rows_of(1), all_rows_of(COLUMN)
