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
from .runs import FEW, MANY, SINGLE, all_cells_of, many
from .signals import rest, ring
from .vectors import BYTES, kernel, move, wide_vectors

OUTPUTS, (WIDE, _, _) = MANY  # of a matrix of sums: outputs, and registers of positions
# Outputs, and weights: with no more, cells are read too few times to be copied first. Else copies
# pay, as they also begin at cache lines.
THIN, LIGHT = 64, 1 << 13
# For outputs that registers hold at once, cells are read once. So memory sets the pace, and it is quick
# where a few long runs are read side by side: these many channels, of one cache line each, stay in
# the innermost cache even where images are a power of two apart, and all lines have the same place.
STREAMS = 8
register = move(0, 1)
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


@njit(nogil=True)
def add_up(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, ahead, thin):
    """The sums of `runs.correlate`, of panels' cells, or for few outputs: some terms at a time."""
    if not thin:
        many(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False, ahead)
    elif here > FEW[0]:
        most(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False, ahead)
    elif here > 1:
        some(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False, ahead)
    else:
        single(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False, ahead)


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
    to = np.arange(inputs)
    in_panels, in_place, rows = to * (WIDE * lanes), to * apart, np.arange(OUTPUTS) * inputs
    for u in range(len(units)):
        n, g, q, q_end, o_first, o_end = units[u]
        run, whole = q_end - q, (q_end - q) // lanes * lanes
        cell = x_steps[0] + n * x_steps[1] + g * x_steps[2] + q
        number = o_end - o_first
        seen, at, ahead, thin = x[cell:], in_place, 1, number <= OUTPUTS
        if number > THIN or number * inputs >= LIGHT:
            seen, at, ahead, thin = panels, in_panels, inputs, False
            put_together(panels, x, cell, apart, whole, inputs)
        stand_up(columns, x, cell + whole, apart, run - whole, inputs)
        for o in range(o_first, o_end, OUTPUTS):
            here, at_w = min(OUTPUTS, o_end - o), (g * outputs + o) * inputs
            at_y = y_steps[0] + n * y_steps[1] + g * y_steps[2] + o * pitch + q
            # all outputs of a matrix of sums are written, and more than there are would be others' cells
            if here == OUTPUTS or (thin and (here == FEW[0] or here == 1)):
                add_up(y, at_y, pitch, seen, at, w, at_w, rows, to, here, whole, ahead, thin)
            else:
                add_up(sums, 0, whole, seen, at, w, at_w, rows, to, here, whole, ahead, thin)
                copy_rows(y, at_y, pitch, 1, sums, 0, whole, 1, here, whole)
            for c in range(run - whole):
                for r in range(0, here, 4):
                    at_r, last = at_w + r * inputs, min(3, here - r - 1)
                    found = four_sums(columns, c * inputs, w, at_r, inputs, last, inputs)
                    for s in range(last + 1):
                        y[at_y + (r + s) * pitch + whole + c] = found[s]
    return rest(team)
