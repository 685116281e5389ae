"""Kernels of one tap, compiled: a product of matrices for each image. Importing this needs Numba.

Each output cell is a sum over the input channels at its own place. Rows and columns do not matter:
the positions of a channel are one long run. But two channels' cells at one place are a whole image
apart, and memory is quick where neighbours are read. So cells are put together first: as many
positions as registers take at a time, of all channels, one behind another. That is a panel. Where the
outputs, or the positions, are few, a copy costs more than it gains. Cells are read where they lie then,
and asked for a little before.
The positions that do not fill a register are in `leftovers.py`.

Source: K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .caches import near
from .leftovers import few_cells, stand_up
from .registers import tile
from .rows import copy_rows
from .runs import FEW, MANY, SINGLE, TERMS, all_cells_of, round_of
from .signals import rest, ring
from .vectors import BYTES, compiled_loop, move

OUTPUTS = MANY[0]  # of a matrix of sums
WIDE = MANY[1][0]  # registers of positions: of a matrix of sums, and of a panel
TOGETHER = 4  # channels that are one term: less is to be looked up
# Outputs; or positions and outputs: with no more, cells are read where they are. Else copies pay, as
# they also begin at cache lines.
THIN, SHORT, SEVERAL = 32, 256, 128
NEAR = (24 << 10) // (WIDE * BYTES)  # channels whose cells take half of the innermost cache
GROUP = 1 << 18  # bytes of weights that stay in the cache beside all else
# For outputs that registers hold at once, cells are read once. So memory sets the pace, and it is quick
# where a few long runs are read side by side: these many channels, of one cache line each, stay in
# the innermost cache even where images are a power of two apart, and all lines have the same place.
# With more than so many channels, sums would be read too often.
STREAMS, FEW_TERMS = 8, 1 << 10
FAR = 16  # registers of a run, from which it pays to begin at a cache line
register = move(0, 1)
ones, fours = (tile(OUTPUTS, MANY[1], taps, beside=1) for taps in (1, TOGETHER))
fours_ahead = tile(OUTPUTS, MANY[1], TOGETHER, beside=1, ahead=True)
many_streams, few_streams, one_stream = (
    all_cells_of(*size, STREAMS, True) for size in (MANY, FEW, SINGLE)
)


def panel_of(itemsize):
    """How many positions a panel has."""
    return WIDE * (BYTES // itemsize)


def read_in_place(inputs, outputs, positions, itemsize):
    """Whether an image's cells are read where they lie, for all of its outputs.

    Then registers can begin at cache lines. Where outputs are many, results are better written in long
    runs, and a copy of the cells pays. It does for fewer where cells come from beyond a core's cache.
    """
    lanes = BYTES // itemsize
    whole = positions % lanes == 0 and positions >= FAR * lanes and inputs <= FEW_TERMS
    most = SEVERAL if inputs * positions * itemsize <= near() else SEVERAL // 2
    return whole and OUTPUTS < outputs <= min(inputs, most)


def sizes_of(inputs, positions, copied, itemsize):
    """The values that panels, columns and sums take, for units of as many positions.

    There are panels where cells are `copied`.
    """
    lanes = BYTES // itemsize
    panels = -(-positions // (WIDE * lanes)) if copied else 0
    return panels * WIDE * lanes * inputs, (lanes - 1) * inputs, OUTPUTS * positions


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
def few_outputs(y, at_y, pitch, x, at, w, at_w, rows, to, here, run):
    """The sums of `runs.correlate` for one matrix of sums, of cells where they lie."""
    if here > FEW[0]:
        many_streams(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)
    elif here > 1:
        few_streams(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)
    else:
        one_stream(y, at_y, pitch, x, at, w, at_w, rows, to, here, run, False)


@njit(nogil=True)
def all_outputs(y, at_y, pitch, x, cell, apart, at, to, w, at_w, rows, inputs, outputs, head, run):
    """The sums of `outputs`, of cells where they lie: all outputs see some, and then the next.

    So cells come from a near cache for all outputs but the first. With a `head`, registers begin so
    many cells on. The cells at both ends are then a first and a last register's; they come behind the
    others, some of whose places they write to again. Terms are as for `panel_outputs`.
    """
    lanes, terms = BYTES // x.itemsize, inputs // TOGETHER
    all_terms, together = len(to), round_of(max(terms, 1), TERMS // TOGETHER)
    cells, end_of_whole = max(1, NEAR // inputs) * WIDE * lanes, run - (lanes - head if head else 0)
    parts = (end_of_whole - head + cells - 1) // cells
    for part in range(parts + 2 if head else parts):
        first = head + part * cells
        last = min(first + cells, end_of_whole)
        if part >= parts:
            first = 0 if part == parts else run - lanes
            last = first + lanes
        for k in range(0, max(terms, 1), together):
            end = min(k + together, terms)
            for o in range(0, outputs, OUTPUTS):
                here, at_o, q = min(OUTPUTS, outputs - o), at_w + o * inputs, first
                while q < last:
                    left, p = (last - q) // lanes, at_y + o * pitch + q
                    # four left are two and two: one has too few sums to keep a processor busy
                    n = 2 if left == 4 else min(left, WIDE)
                    fours_ahead(
                        n, y, p, pitch, lanes, x, cell + q, apart, at, w, at_o, rows, to,
                        here, k, end, k > 0, y, p, pitch, lanes,
                    )  # fmt: skip
                    if end == terms and terms < all_terms:
                        ones(
                            n, y, p, pitch, lanes, x, cell + q, apart, at, w, at_o, rows, to,
                            here, terms, all_terms, terms > 0, y, p, pitch, lanes,
                        )  # fmt: skip
                    q += n * lanes


@njit(nogil=True)
def panel_outputs(y, at_y, pitch, panels, line, at, to, w, at_w, rows, inputs, outputs, run):
    """The sums of `outputs`, of panels: an output sees all cells, and then the next one does.

    So results are written in long runs, and a weight is read row by row. The channels that do not
    make a whole term are `inputs % TOGETHER` terms behind the others.
    """
    lanes, terms = BYTES // y.itemsize, inputs // TOGETHER
    all_terms, together = len(to), round_of(max(terms, 1), TERMS // TOGETHER)
    for o in range(0, outputs, OUTPUTS):
        here, at_o = min(OUTPUTS, outputs - o), at_w + o * inputs
        for k in range(0, max(terms, 1), together):
            end = min(k + together, terms)
            for q in range(0, run, line):
                p, n = at_y + o * pitch + q, min((run - q) // lanes, WIDE)
                fours(
                    n, y, p, pitch, lanes, panels, q * inputs, line, at, w, at_o, rows, to,
                    here, k, end, k > 0, y, p, pitch, lanes,
                )  # fmt: skip
                if end == terms and terms < all_terms:
                    ones(
                        n, y, p, pitch, lanes, panels, q * inputs, line, at, w, at_o, rows, to,
                        here, terms, all_terms, terms > 0, y, p, pitch, lanes,
                    )  # fmt: skip


@compiled_loop()
def forward(x, x_steps, w, y, y_steps, units, sizes, memory, team):
    """The units' parts of y (n, g, o, positions), from (n, g, i, positions) and w (g, o, i).

    A unit is an image, a group, and ranges of positions and of outputs. Arrays are flat; the steps of
    x and y are the place of the first cell and those of n, g and channels. `sizes` are i, o, the most
    positions of a unit, and whether `read_in_place` says so.
    """
    ring(team)
    inputs, outputs, positions, all_in_place = sizes
    lanes, apart, pitch = BYTES // w.itemsize, x_steps[3], y_steps[3]
    first, second, _ = distances(inputs, positions, not all_in_place, w.itemsize)
    panels, columns, sums = memory[:first], memory[first:], memory[first + second :]
    line, rows, to = WIDE * lanes, np.arange(OUTPUTS) * inputs, np.arange(inputs)
    at = to * apart
    # of the channels of a panel, some are a term, and those that are left are terms by themselves
    left = inputs - inputs % TOGETHER
    to_terms = np.concatenate((np.arange(0, left, TOGETHER), np.arange(left, inputs)))
    at_panel, at_image = to_terms * line, to_terms * apart
    group = max(1, GROUP // (inputs * w.itemsize * OUTPUTS)) * OUTPUTS
    for u in range(len(units)):
        n, g, q, q_end, o, o_end = units[u]
        run, whole, number = q_end - q, (q_end - q) // lanes * lanes, o_end - o
        cell = x_steps[0] + n * x_steps[1] + g * x_steps[2] + q
        at_y = y_steps[0] + n * y_steps[1] + g * y_steps[2] + o * pitch + q
        at_w = (g * outputs + o) * inputs
        streams = number <= OUTPUTS and inputs <= FEW_TERMS
        in_place = all_in_place or number <= THIN or (run <= SHORT and number <= SEVERAL)
        # registers of cells that are read in place begin at cache lines, if those of all channels can
        head, lines = 0, apart % lanes == 0 and run % lanes == 0 and run >= FAR * lanes
        if in_place and not streams and lines:
            head = -(x.ctypes.data // w.itemsize + cell) % lanes
        if not in_place:
            put_together(panels, x, cell, apart, whole, inputs)
        stand_up(columns, x, cell + whole, apart, run - whole, inputs)
        # all outputs of a matrix of sums are written, and more than there are would be others' cells
        exact = streams and (number == FEW[0] or number == 1)
        direct = number if exact else number // OUTPUTS * OUTPUTS
        while number > 0:
            # some whole matrices, or the outputs that are left
            here, to_y, place, far = direct if all_in_place else min(group, direct), y, at_y, pitch
            if here == 0:
                here, to_y, place, far = number, sums, 0, whole
            if streams:
                few_outputs(to_y, place, far, x[cell:], at, w, at_w, rows, to, here, whole)
            elif in_place:
                all_outputs(
                    to_y, place, far, x, cell, apart, at_image, to_terms, w, at_w, rows,
                    inputs, here, head, whole,
                )  # fmt: skip
            else:
                panel_outputs(
                    to_y, place, far, panels, line, at_panel, to_terms, w, at_w, rows,
                    inputs, here, whole,
                )  # fmt: skip
            if direct == 0:
                copy_rows(y, at_y, pitch, 1, sums, 0, whole, 1, here, whole)
            few_cells(y, at_y + whole, pitch, columns, w, at_w, inputs, here, run - whole)
            number, direct = number - here, max(0, direct - here)
            at_y, at_w = at_y + here * pitch, at_w + here * inputs
    return rest(team)
