"""Kernels of one tap, compiled: a product of matrices for each image. Importing this needs Numba.

Each output cell is a sum over the input channels at its own place. Rows and columns do not matter:
the positions of a channel are one long run. But two channels' cells at one place are a whole image
apart, and memory is quick where neighbours are read. So cells are put together first: as many
positions as registers take at a time, of all channels, one behind another. That is a panel.

Source: K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .rows import copy_rows
from .runs import FEW, HALVES, MANY, SINGLE, all_cells_of, many
from .signals import rest, ring
from .vectors import BYTES, kernel, move, wide_vectors

OUTPUTS, WIDE = (
    MANY[0],
    MANY[1][0] * (2 if HALVES else 1),
)  # of sums: outputs, registers of positions
TOGETHER = 4  # channels of a panel that are one term: less is to be looked up
# Outputs, and weights: with no more, cells are read too few times to be copied first. Else copies
# pay, as they also begin at cache lines.
THIN, LIGHT = 64, 1 << 13
# For outputs that registers hold at once, cells are read once. So memory sets the pace, and it is quick
# where a few long runs are read side by side: these many channels, of one cache line each, stay in
# the innermost cache even where images are a power of two apart, and all lines have the same place.
STREAMS = 8
register = move(0, 1)
ones, fours = (all_cells_of(*MANY, taps=n, beside=1, in_halves=HALVES) for n in (1, TOGETHER))
most, some, single = (all_cells_of(*size, STREAMS, True) for size in (MANY, FEW, SINGLE))


def panel_of(itemsize):
    """How many positions a panel has."""
    return WIDE * (BYTES // itemsize)


def sizes_of(inputs, positions, itemsize):
    """The values that panels, columns and sums take, for units of as many positions."""
    lanes = BYTES // itemsize
    panel = WIDE * lanes
    return -(-positions // panel) * panel * inputs, (lanes - 1) * inputs, OUTPUTS * positions


distances = njit(nogil=True)(sizes_of)


@njit(nogil=True)
def put_together(panels, x, cell, apart, n, inputs):
    """Copy n cells of each channel, whole registers, to panels (channel, position)."""
    lanes = BYTES // x.itemsize
    panel = WIDE * lanes
    for q in range(0, n, panel):
        for k in range(inputs):
            for r in range(0, min(panel, n - q), lanes):
                register(panels, q * inputs + k * panel + r, x, cell + k * apart + q + r)


@njit(nogil=True)
def stand_up(columns, x, cell, apart, n, inputs):
    """Copy the cells that do not fill a register to columns (position, channel)."""
    for q in range(n):
        for k in range(inputs):
            columns[np.uintp(q * inputs + k)] = x[np.uintp(cell + k * apart + q)]


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def four_sums(x, c, w, at, row, last, n):
    """The sums over k of w[at + o·row + k] · x[c + k] for four outputs o, or `last` over and over.

    To be added up a vector at a time, sums along the innermost loop need "reassoc".
    """
    wide_vectors()
    c, w0, w1 = np.uintp(c), np.uintp(at), np.uintp(at + min(1, last) * row)
    w2, w3 = np.uintp(at + min(2, last) * row), np.uintp(at + min(3, last) * row)
    s0 = s1 = s2 = s3 = x.dtype.type(0)
    for q in range(n):
        k = np.uintp(q)
        v = x[c + k]
        s0, s1 = s0 + w[w0 + k] * v, s1 + w[w1 + k] * v
        s2, s3 = s2 + w[w2 + k] * v, s3 + w[w3 + k] * v
    return s0, s1, s2, s3


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def sixteen_sums(x, c, w, at, row, last, n):
    """The same for four columns, n apart, one after another."""
    wide_vectors()
    c0, c1, c2, c3 = np.uintp(c), np.uintp(c + n), np.uintp(c + 2 * n), np.uintp(c + 3 * n)
    p0, p1 = np.uintp(at), np.uintp(at + min(1, last) * row)
    p2, p3 = np.uintp(at + min(2, last) * row), np.uintp(at + min(3, last) * row)
    a0 = b0 = d0 = e0 = a1 = b1 = d1 = e1 = x.dtype.type(0)
    a2 = b2 = d2 = e2 = a3 = b3 = d3 = e3 = x.dtype.type(0)
    for q in range(n):
        k = np.uintp(q)
        w0, w1, w2, w3 = w[p0 + k], w[p1 + k], w[p2 + k], w[p3 + k]
        v = x[c0 + k]
        a0, b0, d0, e0 = a0 + w0 * v, b0 + w1 * v, d0 + w2 * v, e0 + w3 * v
        v = x[c1 + k]
        a1, b1, d1, e1 = a1 + w0 * v, b1 + w1 * v, d1 + w2 * v, e1 + w3 * v
        v = x[c2 + k]
        a2, b2, d2, e2 = a2 + w0 * v, b2 + w1 * v, d2 + w2 * v, e2 + w3 * v
        v = x[c3 + k]
        a3, b3, d3, e3 = a3 + w0 * v, b3 + w1 * v, d3 + w2 * v, e3 + w3 * v
    return a0, b0, d0, e0, a1, b1, d1, e1, a2, b2, d2, e2, a3, b3, d3, e3


@njit(nogil=True)
def few_cells(y, at_y, pitch, columns, w, at_w, inputs, here, cells):
    """The sums of some outputs `here` for the cells that do not fill a register."""
    for r in range(0, here, 4):
        at_r, last, c = at_w + r * inputs, min(3, here - r - 1), 0
        while c < cells:
            at_c, at = c * inputs, at_y + r * pitch + c
            if cells - c >= 4:
                sixteen = sixteen_sums(columns, at_c, w, at_r, inputs, last, inputs)
                for s in range(last + 1):
                    for q in range(4):
                        y[at + s * pitch + q] = sixteen[4 * q + s]
                c += 4
            else:
                four = four_sums(columns, at_c, w, at_r, inputs, last, inputs)
                for s in range(last + 1):
                    y[at + s * pitch] = four[s]
                c += 1


@njit(nogil=True)
def add_up(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, thin):
    """The sums of `runs.correlate`, of cells where they lie, or for few outputs: some terms at a time."""
    if not thin:
        many(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)
    elif here > FEW[0]:
        most(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)
    elif here > 1:
        some(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)
    else:
        single(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)


@kernel()
def forward(x, x_steps, w, y, y_steps, units, sizes, memory, team):
    """The units' parts of y (n, g, o, positions), from (n, g, i, positions) and w (g, o, i).

    A unit is an image, a group, and ranges of positions and of outputs. Arrays are flat; the steps of
    x and y are the place of the first cell and those of n, g and channels. `sizes` are i, o, and the
    most positions of a unit.
    """
    ring(team)
    inputs, outputs, positions = sizes
    lanes, apart, pitch = BYTES // w.itemsize, x_steps[3], y_steps[3]
    first, second, _ = distances(inputs, positions, w.itemsize)
    panels, columns, sums = memory[:first], memory[first:], memory[first + second :]
    to, line, rows = np.arange(inputs), WIDE * lanes, np.arange(OUTPUTS) * inputs
    # of the channels of a panel, some are a term
    terms = inputs // TOGETHER
    at_terms, to_terms = to[:terms] * (TOGETHER * line), to[:terms] * TOGETHER
    at_last, to_last = to[terms * TOGETHER :] * line, to[terms * TOGETHER :]
    for u in range(len(units)):
        n, g, q, q_end, o_first, o_end = units[u]
        run, whole = q_end - q, (q_end - q) // lanes * lanes
        cell = x_steps[0] + n * x_steps[1] + g * x_steps[2] + q
        number = o_end - o_first
        in_place, thin = number <= THIN and number * inputs < LIGHT, number <= OUTPUTS
        if not in_place:
            put_together(panels, x, cell, apart, whole, inputs)
        stand_up(columns, x, cell + whole, apart, run - whole, inputs)
        for o in range(o_first, o_end, OUTPUTS):
            here, at_w = min(OUTPUTS, o_end - o), (g * outputs + o) * inputs
            at_y = y_steps[0] + n * y_steps[1] + g * y_steps[2] + o * pitch + q
            # all outputs of a matrix of sums are written, and more than there are would be others' cells
            direct = here == OUTPUTS or (in_place and thin and (here == FEW[0] or here == 1))
            to_y, place, far = (y, at_y, pitch) if direct else (sums, 0, whole)
            if in_place:
                add_up(to_y, place, far, x[cell:], to * apart, w, at_w, rows, to, here, whole, thin)
            else:
                fours(
                    to_y, place, far, panels, at_terms, w, at_w, rows, to_terms,
                    here, whole, False, inputs, line,
                )  # fmt: skip
                ones(
                    to_y, place, far, panels, at_last, w, at_w, rows, to_last,
                    here, whole, terms > 0, inputs,
                )  # fmt: skip
            if not direct:
                copy_rows(y, at_y, pitch, 1, sums, 0, whole, 1, here, whole)
            few_cells(y, at_y + whole, pitch, columns, w, at_w, inputs, here, run - whole)
    return rest(team)
