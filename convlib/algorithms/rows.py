"""Cells laid out in long rows, compiled: what `kernels.py` adds up, and where it leaves the sums.

All rows of a channel, with their padding, lie behind one another, those of each phase of a stride by
themselves, as `flat.py` explains. Importing this needs Numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Unsigned numbers index memory as they are; a signed one could count from the end.
ONE, TWO, THREE = np.uintp(1), np.uintp(2), np.uintp(3)


@njit(nogil=True, cache=True, inline="always")
def copy_row(to, at_to, row, at_row, step, n):
    """Copy every step-th of a row's cells to neighbours. The usual steps have loops of their own."""
    if step == 1:
        for q in range(n):
            u = np.uintp(q)
            to[at_to + u] = row[at_row + u]
    elif step == 2:
        for q in range(n):
            u = np.uintp(q)
            to[at_to + u] = row[at_row + TWO * u]
    else:
        for q in range(n):
            u = np.uintp(q)
            to[at_to + u] = row[at_row + step * u]


@njit(nogil=True, cache=True)
def lay_out(cells, shape, first, places, inputs, wide, stride, sights):
    """Copy cells (i, D, H, W), channels from `first` on, into places (i, phases·size).

    `sights` says for each phase and axis which position is the first to see a cell, how many do,
    and which cell the first one sees. All other places keep the zeros that they hold.
    """
    size = wide[0] * wide[1] * wide[2]
    depth, height, width = shape[-3:]
    step = np.uintp(stride[2])
    for i in range(inputs):
        for p in range(len(sights)):
            n, plane = sights[p, 2, 1], (i * len(sights) + p) * size
            for d in range(sights[p, 0, 1]):
                from_d = ((first + i) * depth + sights[p, 0, 2] + d * stride[0]) * height
                to_d = (sights[p, 0, 0] + d) * wide[1]
                for h in range(sights[p, 1, 1]):
                    start = (from_d + sights[p, 1, 2] + h * stride[1]) * width + sights[p, 2, 2]
                    to = plane + (to_d + sights[p, 1, 0] + h) * wide[2] + sights[p, 2, 0]
                    copy_row(places, np.uintp(to), cells, np.uintp(start), step, n)


@njit(nogil=True, cache=True)
def between(cells, shape, first, places, outputs, run, wide, inwards):
    """Copy cells (o, d, h, w), channels from `first` on, from places (o, run), or into them.

    Places that stand between two rows are left as they are.
    """
    depth, height, width = shape[-3:]
    for o in range(outputs):
        for d in range(depth):
            for h in range(height):
                there = np.uintp(o * run + (d * wide[1] + h) * wide[2])
                here = np.uintp((((first + o) * depth + d) * height + h) * width)
                if inwards:
                    copy_row(places, there, cells, here, ONE, width)
                else:
                    copy_row(cells, here, places, there, ONE, width)
