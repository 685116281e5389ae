"""Winograd's F(4×4, 3×3), compiled: what `winograd.py` calls where Numba is there.

As products of matrices the transforms take a dozen times the operations that they need, and tiles of
6×6 have to be gathered and spread, four cells at a time. Here each is two short sums, along one axis
after the other, for all tiles of some rows at once. So that neighbours in memory are neighbouring
tiles, every fourth cell of a row is put beside the next.

A unit of work is some rows of tiles and some outputs. Its inputs are transformed, as many channels at
a time as stay in the cache; then as many outputs' kernels as a matrix of sums has, which meet them at
once. Nothing that has been transformed goes farther than the cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .linear import join, linear, part
from .rows import copy_rows, put_zeros
from .runs import MANY, many
from .signals import rest, ring
from .vectors import BYTES, compiled_loop
from .winograd import F

OUTPUTS = MANY[0]  # of a matrix of sums
PLACES = 36  # of a tile
# Values between two places: lines of memory that are a power of two apart share a few places in a cache.
BETWEEN = 16
of_cells, of_weights, to_outputs = (linear(matrix) for matrix in F[4])
part_fours, join_fours = part(4), join(4)  # the columns of tiles


def whole(n, itemsize):
    """Round up to whole registers."""
    lanes = BYTES // itemsize
    return (n + lanes - 1) // lanes * lanes


rounded = njit(nogil=True)(whole)


def sizes_of(rows, across, inputs, itemsize):
    """How far apart runs are, for so many tiles and inputs at a time, and how long a band is.

    The runs of cells in a column, those of tiles, and those of inputs: registers reach over the ends.
    """
    run = rounded((4 * rows + 2) * (across + 1), itemsize)
    tiles = rounded((rows - 1) * across + rounded(across, itemsize), itemsize)
    tiles = rounded(max(tiles, rows * across), itemsize)
    return run, tiles, rounded(inputs, itemsize) + BYTES // itemsize


def memory_for(run, tiles, inputs, products):
    """How many values the parts of a thread's memory have, in the order in which they are used."""
    return (
        max(4 * run, 8 * tiles),  # a band: rows of cells; later a row of outputs, four a tile
        4 * run + 64,  # its four columns: every fourth cell of a row; registers reach over the end
        # sums along one axis: six of cells; of products 24, and the four that they become along the other
        max(6 * run, 28 * tiles),
        # an output's nine weights, and for each output 18 sums along h
        (9 + 18 * OUTPUTS) * inputs,
        6 * OUTPUTS * inputs,  # these outputs' transformed weights, for six places
        PLACES * (inputs * tiles + BETWEEN),  # transformed cells
        PLACES * (OUTPUTS * tiles + BETWEEN) * products,  # of so many matrices of sums
    )


distances, sizes_in_memory = njit(nogil=True)(sizes_of), njit(nogil=True)(memory_for)


@njit(nogil=True)
def transform_inputs(v, pitch, x, at_x, steps, size, before, tiles, channels, run, memory):
    """Bᵀ along both axes: channels of cells, seen by tiles of some rows, to v (36, channels, pitch)."""
    (high, wide), (row, rows, across), (first, end) = size, tiles, channels
    band, columns, sums = memory
    line, tall, number = across + 1, 4 * rows + 2, end - first
    apart = number * pitch + BETWEEN
    # the row of the input that the band begins with, and how much of the band sees the input
    top = 4 * row - before[0]
    r_from, r_to = max(0, -top), min(tall, high - top)
    cells = min(wide, 4 * line - before[1])
    put_zeros(band, 0, 4 * run)
    for i in range(number):
        cell = at_x + (first + i) * steps[3] + (top + r_from) * steps[5]
        to = r_from * 4 * line + before[1]
        copy_rows(band, to, 4 * line, 1, x, cell, steps[5], steps[6], r_to - r_from, cells)
        # every fourth cell beside the next: so a tile's last two cells are the next one's first
        part_fours(columns, 0, run, band, 0, tall * line)
        of = (0, run, 2 * run, 3 * run, 1, run + 1)
        of_cells(sums, 0, run, columns, of, tall * line)
        for b in range(6):
            for r in range(rows):
                at, s = b * run + 4 * r * line, line
                of = (at, at + s, at + 2 * s, at + 3 * s, at + 4 * s, at + 5 * s)
                of_cells(v, b * apart + i * pitch + r * across, 6 * apart, sums, of, across)


@njit(nogil=True)
def begin_weights(rows, at, w, at_w, number, pitch):
    """G along h: an output's kernels (i, 9) to 18 rows of i from `at` on; the first nine rows are used."""
    for i in range(number):  # a kernel's nine weights into nine rows
        for k in range(9):
            rows[np.uintp(k * pitch + i)] = w[np.uintp(at_w + 9 * i + k)]
    for l in range(3):
        of = (l * pitch, (3 + l) * pitch, (6 + l) * pitch)
        of_weights(rows, at + 6 * l * pitch, pitch, rows, of, number)


@njit(nogil=True)
def transform_outputs(y, at_y, steps, size, products, first, apart, tiles, pitch, memory):
    """Aᵀ along both axes: an output's products, places `apart`, to the rows of y that the tiles hold."""
    (high, wide), (row, rows, across) = size, tiles
    band, _, sums = memory
    for b in range(6):  # along h: rows 6·h + b
        at, s = first + b * apart, 6 * apart
        of = (at, at + s, at + 2 * s, at + 3 * s, at + 4 * s, at + 5 * s)
        to_outputs(sums, b * pitch, 6 * pitch, products, of, rows * across)
    for h in range(4):
        at, s = 6 * h * pitch, pitch
        of = (at, at + s, at + 2 * s, at + 3 * s, at + 4 * s, at + 5 * s)
        to_outputs(sums, 24 * s, s, sums, of, rows * across)
        for r in range(rows):
            if 4 * (row + r) + h < high:  # what stands over the ends is cut off
                join_fours(band, 0, sums, 24 * s + r * across, s, across)
                to = at_y + (4 * (row + r) + h) * steps[5]
                copy_rows(y, to, 0, steps[6], band, 0, 0, 1, 1, wide)


@compiled_loop()
def forward(x, x_steps, w, y, y_steps, units, sizes, memory, team):
    """The units' parts of y (n, g, o, h, w), from (n, g, i, H, W) and (g, o, i, 9).

    A unit is an image, a group, and ranges of rows of tiles and of outputs. Arrays are flat; their
    steps begin with the place of the first cell. `sizes` are i, o, H, W, h, w, the padding before
    each axis, the tiles across, the most rows of a unit, how many inputs are transformed at a time,
    and of how many matrices of sums the products are kept.
    """
    ring(team)
    inputs, outputs, high, wide, height, width, above, left, across, most, chunk, kept = sizes
    run, pitch, apart = distances(most, across, chunk, x.itemsize)
    of_band, of_columns, of_sums, of_rows, of_u, of_v, _ = sizes_in_memory(run, pitch, apart, kept)
    band, memory = memory[:of_band], memory[of_band:]
    columns, memory = memory[:of_columns], memory[of_columns:]
    sums, memory = memory[:of_sums], memory[of_sums:]
    rows, memory = memory[:of_rows], memory[of_rows:]
    u, memory = memory[:of_u], memory[of_u:]
    v, products = memory[:of_v], memory[of_v:]
    put_zeros(v, 0, of_v)
    parts, place = (band, columns, sums), OUTPUTS * pitch + BETWEEN
    for one in range(len(units)):
        n, g, row, row_end, o_from, o_end = units[one]
        tiles, number = (row, row_end - row, across), (row_end - row) * across
        at_x = x_steps[0] + n * x_steps[1] + g * x_steps[2]
        at_y = y_steps[0] + n * y_steps[1] + g * y_steps[2]
        for first in range(0, inputs, chunk):
            end = min(first + chunk, inputs)
            k = end - first
            transform_inputs(
                v, pitch, x, at_x, x_steps, (high, wide), (above, left), tiles, (first, end), run,
                parts,
            )  # fmt: skip
            at, to, of_output = np.arange(k) * pitch, np.arange(k), np.arange(OUTPUTS) * apart
            for o in range(o_from, o_end, OUTPUTS):
                here = min(OUTPUTS, o_end - o)
                for r in range(here):
                    at_w = ((g * outputs + o + r) * inputs + first) * 9
                    begin_weights(rows, (9 + 18 * r) * apart, w, at_w, k, apart)
                # where sums over inputs go on with the next channels, all outputs' products are kept
                block = (o - o_from) // OUTPUTS * PLACES * place if chunk < inputs else 0
                for a in range(6):
                    # G along w: six places at a time stay in the innermost cache
                    for r in range(here):
                        from_row = (9 + 18 * r + a) * apart
                        of = (from_row, from_row + 6 * apart, from_row + 12 * apart)
                        of_weights(u, r * apart, OUTPUTS * apart, rows, of, k)
                    for b in range(6):
                        t = 6 * a + b
                        many(
                            products, block + t * place, pitch, v[t * (k * pitch + BETWEEN) :], at,
                            u, b * OUTPUTS * apart, of_output, to, here, number, first > 0,
                        )  # fmt: skip
                for r in range(here if end == inputs else 0):
                    transform_outputs(
                        y, at_y + (o + r) * y_steps[3], y_steps, (height, width), products,
                        block + r * pitch, place, tiles, pitch, parts,
                    )  # fmt: skip
    return rest(team)
