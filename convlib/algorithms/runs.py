"""A run of cells, and some outputs: matrices of sums, one behind another. Importing this needs Numba.

A matrix of sums stays in registers for some terms, then the next one does, all along the run; and then
it goes on with the next terms. So a run's sums are read and written once for each of these rounds, and
the cells that the terms see stay in the innermost cache from one matrix to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .vectors import BYTES, REGISTERS, tile

# Terms that are added up by themselves. Sums of sums are more exact than long ones; and the cells of so
# many terms stay in the innermost cache from one run of cells to the next.
TERMS = 256 if BYTES == 64 else 144
# outputs and registers of cells: as many sums as there is room for, beside what they are made of
MANY, FEW, SINGLE = (
    ((8, (3, 2, 1)), (4, (6, 3, 1)), (1, (8, 4, 1)))
    if REGISTERS == 32
    else ((4, (3, 2, 1)), (2, (4, 2, 1)), (1, (8, 4, 1)))
)


def all_cells_of(
    outputs: int, registers: tuple[int, ...], together: int = TERMS, exact: bool = False
) -> Any:
    """Compile the loop over a run of cells, `registers` of them at a time, and fewer at its end.

    So many terms are added up `together`, for all cells, and then the next ones. The last registers
    may reach over the run's end, or `exact` takes smaller ones. Cells are as far `apart` as they are
    in the run, or farther where they have been put together.
    """
    large, small, least = (tile(outputs, r) for r in registers)
    a, b, c = registers
    # with more registers left than these, or with as many
    wide, narrow, or_equal = (a, b, 1) if exact else (b, c, 0)

    @njit(nogil=True)
    def multiply(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, more, apart=1):
        lanes = BYTES // y.itemsize
        for k in range(0, len(at), together):
            end, q = min(k + together, len(at)), 0
            while q < run:
                p, s, left = at_y + q, q * apart, run - q + or_equal
                if left > wide * lanes:
                    large(y, p, pitch, x, s, at, w, at_w, rows, to, here, k, end, more, y, p, pitch)
                    q += a * lanes
                elif left > narrow * lanes:
                    small(y, p, pitch, x, s, at, w, at_w, rows, to, here, k, end, more, y, p, pitch)
                    q += b * lanes
                else:
                    least(y, p, pitch, x, s, at, w, at_w, rows, to, here, k, end, more, y, p, pitch)
                    q += c * lanes
            more = True

    return multiply


many, few, single = (all_cells_of(*size) for size in (MANY, FEW, SINGLE))


@njit(nogil=True)
def correlate(y, at_y, pitch, x, at, w, at_w, rows, to, run, more):
    """y[at_y + o·pitch + q] = sum over k of w[at_w + rows[o] + to[k]] · x[at[k] + q], q below `run`.

    Or added to what is there, with `more`. There are rows for at most MANY outputs o. The next may be
    written to as well, up to MANY.
    """
    if len(rows) > FEW[0]:
        many(y, at_y, pitch, x, at, w, at_w, rows, to, len(rows), run, more)
    elif len(rows) > 1:
        few(y, at_y, pitch, x, at, w, at_w, rows, to, len(rows), run, more)
    else:
        single(y, at_y, pitch, x, at, w, at_w, rows, to, len(rows), run, more)


three, two, one = (tile(MANY[0], registers) for registers in MANY[1])  # registers of cells


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


@njit(nogil=True)
def correlate_rows(to_y, sums, x, starts, at, w, at_w, rows, to, more, last):
    """The same for MANY outputs, of rows that whole registers fill: these begin at `starts`.

    So nothing is computed between two rows. `to_y` and `sums` are an array, a place in it, and how
    far apart outputs are. Sums go to `sums`, and those of all terms, if they are the `last`, to
    `to_y`.
    """
    s, first, far = sums
    lanes, here = BYTES // s.itemsize, len(rows)
    for k in range(0, len(at), TERMS):
        end, q, r = min(k + TERMS, len(at)), first, 0
        y, p, pitch = to_y if last and end == len(at) else sums
        while r < len(starts):
            n = min(len(starts) - r, 3)
            if n == 3:
                seen = starts[r], starts[r + 1], starts[r + 2]
                three(y, p, pitch, x, seen, at, w, at_w, rows, to, here, k, end, more, s, q, far)
            elif n == 2:
                both = starts[r], starts[r + 1]
                two(y, p, pitch, x, both, at, w, at_w, rows, to, here, k, end, more, s, q, far)
            else:
                last_one = starts[r]
                one(y, p, pitch, x, last_one, at, w, at_w, rows, to, here, k, end, more, s, q, far)
            p, q, r = p + n * lanes, q + n * lanes, r + n
        more = True
