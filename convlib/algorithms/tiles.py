"""Winograd's transforms for F(4×4, 3×3), compiled: what `winograd.py` calls where Numba is there.

As products of matrices the transforms take a dozen times the operations that they need, and tiles of
6×6 have to be gathered and spread, four cells at a time. Here each is two short sums: along h for
whole rows, which the compiler turns into vectors, then along w for all tiles of a row.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Unsigned numbers index memory as they are; a signed one could count from the end.
ONE, TWO, THREE, FOUR, FIVE = (np.uintp(n) for n in range(1, 6))


@njit(nogil=True, cache=True, fastmath={"contract"})
def from_cells(x0, x1, x2, x3, x4, x5, two, four, five):
    """Bᵀ of `winograd.F`: six cells to six sums. Numbers are of the cells' dtype, or all is float64."""
    far, near = x4 - x2, two * (x3 - x1)
    return (
        four * x0 - five * x2 + x4,
        x4 + x3 - four * (x1 + x2),
        x4 - x3 + four * (x1 - x2),
        far + near,
        far - near,
        four * x1 - five * x3 + x5,
    )


@njit(nogil=True, cache=True, fastmath={"contract"})
def to_outputs(x0, x1, x2, x3, x4, x5, two, four, eight):
    """Aᵀ: six sums of products to four outputs."""
    plus, minus, plus2, minus2 = x1 + x2, x1 - x2, x3 + x4, x3 - x4
    return (
        x0 + plus + plus2,
        minus + two * minus2,
        plus + four * plus2,
        minus + eight * minus2 + x5,
    )


@njit(nogil=True, cache=True, fastmath={"contract"})
def down(band, first, line, sums, numbers):
    """Six rows of the band, all cells of a row at once, to six rows of sums."""
    two, four, five, s = numbers[1], numbers[2], numbers[3], np.uintp(line)
    for q in range(line):
        u, a = np.uintp(q), np.uintp(first) + np.uintp(q)
        (
            sums[u], sums[u + s], sums[u + TWO * s], sums[u + THREE * s], sums[u + FOUR * s],
            sums[u + FIVE * s],
        ) = from_cells(
            band[a], band[a + s], band[a + TWO * s], band[a + THREE * s], band[a + FOUR * s],
            band[a + FIVE * s], two, four, five,
        )  # fmt: skip


@njit(nogil=True, cache=True, fastmath={"contract"})
def across_cells(sums, first, tiles, v, at, apart, numbers):
    """Six cells of a row of sums, four further on for each tile, to six places that lie apart."""
    two, four, five, s = numbers[1], numbers[2], numbers[3], np.uintp(apart)
    for q in range(tiles):
        u, a = np.uintp(at) + np.uintp(q), np.uintp(first) + FOUR * np.uintp(q)
        (
            v[u], v[u + s], v[u + TWO * s], v[u + THREE * s], v[u + FOUR * s], v[u + FIVE * s],
        ) = from_cells(
            sums[a], sums[a + ONE], sums[a + TWO], sums[a + THREE], sums[a + FOUR],
            sums[a + FIVE], two, four, five,
        )  # fmt: skip


@njit(nogil=True, cache=True, fastmath={"contract"})
def up(products, first, apart, tiles, sums, at, next_row, numbers):
    """Six products that lie apart, for all tiles of a row, to four rows of sums."""
    two, four, eight = numbers[1], numbers[2], numbers[4]
    s, t = np.uintp(apart), np.uintp(next_row)
    for q in range(tiles):
        u, a = np.uintp(at) + np.uintp(q), np.uintp(first) + np.uintp(q)
        sums[u], sums[u + t], sums[u + TWO * t], sums[u + THREE * t] = to_outputs(
            products[a], products[a + s], products[a + TWO * s], products[a + THREE * s],
            products[a + FOUR * s], products[a + FIVE * s], two, four, eight,
        )  # fmt: skip


@njit(nogil=True, cache=True, fastmath={"contract"})
def across_tiles(sums, first, tiles, band, numbers):
    """Six rows of sums to one row of outputs, four of each tile."""
    two, four, eight, s = numbers[1], numbers[2], numbers[4], np.uintp(tiles)
    for q in range(tiles):
        u, a = FOUR * np.uintp(q), np.uintp(first) + np.uintp(q)
        band[u], band[u + ONE], band[u + TWO], band[u + THREE] = to_outputs(
            sums[a], sums[a + s], sums[a + TWO * s], sums[a + THREE * s], sums[a + FOUR * s],
            sums[a + FIVE * s], two, four, eight,
        )  # fmt: skip


@njit(nogil=True, cache=True)
def inputs(x, v, numbers, sizes, above, left, row_from, row_to, total, at_tile):
    """One image's x (i·H·W,) to v (36·i·total,), tiles of some rows, from tile `at_tile` on.

    `numbers` are 1, 2, 4, 5 and 8; `sizes` are i, H, W and the number of tiles across.
    """
    channels, high, wide, across = sizes
    rows, line = row_to - row_from, 4 * across + 2
    band, sums = np.zeros((4 * rows + 2) * line, x.dtype), np.empty(6 * line, x.dtype)
    # the row of the input that the band begins with, and how much of the band sees the input
    top = 4 * row_from - above
    first, last, cells = max(0, -top), min(4 * rows + 2, high - top), min(wide, line - left)
    for i in range(channels):
        for r in range(first, last):
            to, here = np.uintp(r * line + left), np.uintp((i * high + top + r) * wide)
            for q in range(cells):
                band[to + np.uintp(q)] = x[here + np.uintp(q)]
        for r in range(rows):
            down(band, 4 * r * line, line, sums, numbers)
            for k in range(6):
                at = (6 * k * channels + i) * total + at_tile + r * across
                across_cells(sums, k * line, across, v, at, channels * total, numbers)


@njit(nogil=True, cache=True)
def outputs(products, y, numbers, sizes, row_from, row_to, total, at_tile):
    """Products (36·o·total,) to one image's y (o·h·w,), the same tiles.

    `sizes` are o, h, w and the number of tiles across.
    """
    channels, high, wide, across = sizes
    line = 4 * across
    sums, band = np.empty(24 * across, y.dtype), np.empty(line, y.dtype)
    for o in range(channels):
        for r in range(row_from, row_to):
            for l in range(6):
                first = (l * channels + o) * total + at_tile + (r - row_from) * across
                apart = 6 * channels * total
                up(products, first, apart, across, sums, l * across, 6 * across, numbers)
            for h in range(min(4, high - 4 * r)):
                across_tiles(sums, 6 * h * across, across, band, numbers)
                to = np.uintp((o * high + 4 * r + h) * wide)
                for q in range(wide):  # what stands over the end is cut off
                    y[to + np.uintp(q)] = band[np.uintp(q)]
