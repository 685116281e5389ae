"""The weight's gradient for few outputs, compiled: sums along rows. Importing this needs Numba.

Where a register would hold more outputs than a group has, registers hold neighbouring cells instead,
and are added up at the end of a row. A few terms and outputs are written out, so that what has been
loaded is used several times.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .kernels import distances, see
from .rows import lay_out
from .signals import rest, ring
from .vectors import compiled_loop, wide_vectors

ROUND = 32  # cells: runs are multiples, since cells beside whole vectors would be added up singly
TILE = 1024  # cells of a row that stay in the innermost cache, for all channels and taps
TWO, THREE = np.uintp(2), np.uintp(3)  # unsigned, as all that index memory


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def nine_sums(y, at_y, x, at, k, start, n):
    """The sums over q of y[q] · x[q], for terms k to k + 8 and one output channel.

    To be added up a vector at a time, sums along the innermost loop need "reassoc".
    """
    wide_vectors()
    j0, j1, j2 = np.uintp(start + at[k]), np.uintp(start + at[k + 1]), np.uintp(start + at[k + 2])
    j3, j4, j5 = (
        np.uintp(start + at[k + 3]),
        np.uintp(start + at[k + 4]),
        np.uintp(start + at[k + 5]),
    )
    j6, j7, j8 = (
        np.uintp(start + at[k + 6]),
        np.uintp(start + at[k + 7]),
        np.uintp(start + at[k + 8]),
    )
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = x.dtype.type(0)
    for q in range(n):
        u = np.uintp(q)
        v = y[at_y + u]
        s0, s1, s2 = s0 + v * x[j0 + u], s1 + v * x[j1 + u], s2 + v * x[j2 + u]
        s3, s4, s5 = s3 + v * x[j3 + u], s4 + v * x[j4 + u], s5 + v * x[j5 + u]
        s6, s7, s8 = s6 + v * x[j6 + u], s7 + v * x[j7 + u], s8 + v * x[j8 + u]
    return s0, s1, s2, s3, s4, s5, s6, s7, s8


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def twelve_sums(y, at_y, pitch, x, at, k, start, n):
    """The same for terms k to k + 2 and four output channels, `pitch` apart in y, one after another."""
    wide_vectors()
    a, b, c = np.uintp(start + at[k]), np.uintp(start + at[k + 1]), np.uintp(start + at[k + 2])
    p0, p1, p2, p3 = at_y, at_y + pitch, at_y + TWO * pitch, at_y + THREE * pitch
    a0 = b0 = c0 = a1 = b1 = c1 = a2 = b2 = c2 = a3 = b3 = c3 = x.dtype.type(0)
    for q in range(n):
        u = np.uintp(q)
        va, vb, vc = x[a + u], x[b + u], x[c + u]
        v0, v1, v2, v3 = y[p0 + u], y[p1 + u], y[p2 + u], y[p3 + u]
        a0, b0, c0 = a0 + v0 * va, b0 + v0 * vb, c0 + v0 * vc
        a1, b1, c1 = a1 + v1 * va, b1 + v1 * vb, c1 + v1 * vc
        a2, b2, c2 = a2 + v2 * va, b2 + v2 * vb, c2 + v2 * vc
        a3, b3, c3 = a3 + v3 * va, b3 + v3 * vb, c3 + v3 * vc
    return a0, b0, c0, a1, b1, c1, a2, b2, c2, a3, b3, c3


@compiled_loop()
def weight_gradient(x, x_steps, gy, gy_steps, w, units, at, phases, geometry, memory, team):
    """The units' sums, added to w (g, o, k); there k is a multiple of nine. Else as for `forward`."""
    ring(team)
    _, wide, _, _, most, counts = geometry
    inputs, terms = counts[0], len(at)
    channel, pitch, number = distances(inputs, most, wide, len(phases))
    cells, results = memory[:number], memory[number:]
    rows_before, number_before = (0, 0, 0, 0), 0
    ones, one_phase, rows = np.ones(3, np.int64), np.zeros((1, 3), np.int64), wide.copy()
    for u in range(len(units)):
        see(cells, channel, x, x_steps, units, u, phases, geometry, memory[:0])
        n, g, d, d_end, h, h_end, o, o_end, _, _, _, _ = units[u]
        # the same rows of gy, and zeros between two of them: what x holds there belongs to no window.
        # The last unit of as many rows has left them there.
        here, end = (d, h, 0), (d_end, h_end, most[2])
        at_y = gy_steps[0] + n * gy_steps[1] + g * gy_steps[2] + o * gy_steps[3]
        rows[0], number = d_end - d, o_end - o
        zeros = u == 0 or (d, d_end, h, h_end) != rows_before or number != number_before
        rows_before, number_before = (d, d_end, h, h_end), number
        lay_out(results, pitch, gy, at_y, gy_steps, end, rows, one_phase, ones, here, number, zeros)
        run = ((d_end - d - 1) * wide[1] + h_end - h - 1) * wide[2] + most[2]
        run = (run + ROUND - 1) // ROUND * ROUND
        for q in range(0, run, TILE):
            n = min(TILE, run - q)
            for first in range(0, number, 4):
                four = number - first >= 4
                at_y = np.uintp(first * pitch + q)
                for k in range(0, terms if four else 0, 3):
                    twelve = twelve_sums(results, at_y, np.uintp(pitch), cells, at, k, q, n)
                    for c in range(12):
                        w[g, o + first + c // 3, k + c % 3] += twelve[c]
                for k in range(0, 0 if four else terms, 9):
                    for one in range(number - first):
                        there = at_y + np.uintp(one * pitch)
                        sums = nine_sums(results, there, cells, at, k, q, n)
                        for c in range(9):
                            w[g, o + first + one, k + c] += sums[c]
    return rest(team)
