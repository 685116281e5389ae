"""The loops of chapter 1, compiled: what `compiled.py` calls. Importing this needs Numba.

A sum over input channels and taps is one over terms: term k is a weight, and a run of cells that
starts at at[k]. Loops over a few terms and four output channels are written out, so that what has
been loaded into a register is used several times before the next is loaded. The innermost loop runs
over a long row of neighbours, which the compiler turns into vector instructions.

No function takes Python's lock, so threads run them side by side, and no sum depends on threads.
"contract" lets a multiplication and an addition be one instruction; sums along the innermost loop
need "reassoc" as well, to be added up a vector at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .rows import ONE, THREE, TWO, between, copy_row, lay_out
from .vectors import wide_vectors

TILE = 1024  # cells of a row that stay in the innermost cache, for all channels and taps
WHOLE = 32  # rows are as long as some whole vectors: cells left over would be computed singly
ROW = np.uintp(TILE)


@njit(nogil=True, cache=True, fastmath={"contract"})
def three_terms(y, x, w, at_y, at_w, at, k, start, n):
    """y[q] += the sum of terms k to k + 2, for one output channel."""
    wide_vectors()
    wa, wb, wc = w[at_w], w[at_w + ONE], w[at_w + TWO]
    a, b, c = np.uintp(start + at[k]), np.uintp(start + at[k + 1]), np.uintp(start + at[k + 2])
    for q in range(n):
        u = np.uintp(q)
        y[at_y + u] += wa * x[a + u] + wb * x[b + u] + wc * x[c + u]


@njit(nogil=True, cache=True, inline="always")
def nine(values, first):
    """Nine neighbours, for registers to hold."""
    p, q = first + THREE, first + THREE + THREE
    return (
        values[first], values[first + ONE], values[first + TWO],
        values[p], values[p + ONE], values[p + TWO],
        values[q], values[q + ONE], values[q + TWO],
    )  # fmt: skip


@njit(nogil=True, cache=True, inline="always")
def cells_of(at, k, start):
    """Where nine terms' runs begin, from cell `start` on."""
    a, b, c, d, e, f, g, h, i = nine(at, np.uintp(k))
    return (
        np.uintp(start + a), np.uintp(start + b), np.uintp(start + c),
        np.uintp(start + d), np.uintp(start + e), np.uintp(start + f),
        np.uintp(start + g), np.uintp(start + h), np.uintp(start + i),
    )  # fmt: skip


@njit(nogil=True, cache=True, fastmath={"contract"})
def nine_terms(y, x, w, at_w, step_w, at, k, start, n):
    """y[q] += the sum of terms k to k + 8, for four output channels, TILE apart in y.

    What x holds is loaded once for them. One array with fixed distances is what lets the compiler see
    that y is not x.
    """
    wide_vectors()
    j0, j1, j2, j3, j4, j5, j6, j7, j8 = cells_of(at, k, start)
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = nine(w, at_w)
    b0, b1, b2, b3, b4, b5, b6, b7, b8 = nine(w, at_w + step_w)
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = nine(w, at_w + TWO * step_w)
    d0, d1, d2, d3, d4, d5, d6, d7, d8 = nine(w, at_w + THREE * step_w)
    for q in range(n):
        u = np.uintp(q)
        x0, x1, x2 = x[j0 + u], x[j1 + u], x[j2 + u]
        x3, x4, x5 = x[j3 + u], x[j4 + u], x[j5 + u]
        x6, x7, x8 = x[j6 + u], x[j7 + u], x[j8 + u]
        y[u] += (
            a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3 + a4 * x4 + a5 * x5 + a6 * x6 + a7 * x7 + a8 * x8
        )
        y[u + ROW] += (
            b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3 + b4 * x4 + b5 * x5 + b6 * x6 + b7 * x7 + b8 * x8
        )
        y[u + TWO * ROW] += (
            c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3 + c4 * x4 + c5 * x5 + c6 * x6 + c7 * x7 + c8 * x8
        )
        y[u + THREE * ROW] += (
            d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3 + d4 * x4 + d5 * x5 + d6 * x6 + d7 * x7 + d8 * x8
        )


@njit(nogil=True, cache=True)
def correlate(y, x, w, outputs, run, pitch, at, terms, tile):
    """y[o, q] = sum over k of w[o, k] · x[at[k] + q], all flat; len(at) is a multiple of nine.

    `w` begins with the weights of this group, and `pitch` is the distance of two channels of y.
    """
    for start in range(0, run, TILE):
        n = min(TILE, run - start)
        many = (n + WHOLE - 1) // WHOLE * WHOLE
        for first in range(0, outputs, 4):
            here, step = min(4, outputs - first), np.uintp(len(at))
            for o in range(here):
                tile[o * TILE : o * TILE + many] = 0
            for k in range(0, terms if here == 4 else 0, 9):
                at_w = np.uintp(first * len(at) + k)
                nine_terms(tile, x, w, at_w, step, at, k, start, many)
            for k in range(0, 0 if here == 4 else terms, 3):
                for o in range(here):
                    at_w = np.uintp((first + o) * len(at) + k)
                    three_terms(tile, x, w, np.uintp(o * TILE), at_w, at, k, start, many)
            for o in range(here):
                to = np.uintp((first + o) * pitch + start)
                copy_row(y, to, tile, np.uintp(o * TILE), ONE, n)


@njit(nogil=True, cache=True)
def sizes_of(inputs, outputs, positions, wide, phases):
    """How long a run of windows is, one with whole vectors, the cells of all channels, and all memory.

    The memory is for `forward` or `weight_gradient`: cells, outputs, and a tile.
    """
    plane = wide[0] * wide[1] * wide[2]
    run = ((positions[0] - 1) * wide[1] + positions[1] - 1) * wide[2] + positions[2]
    pitch = (run + WHOLE - 1) // WHOLE * WHOLE
    # zeros at the end: what terms see that only fill up, and what vectors reach over
    size = inputs * phases * plane + plane + WHOLE
    return run, pitch, size, size + outputs * pitch + 4 * TILE


@njit(nogil=True, cache=True)
def forward(x, w, y, wide, stride, sights, at, terms, first, last, some, memory):
    """Some of all images' groups, and outputs `some` of each: (n, g, i, D, H, W) and (g, o, k) to y.

    y is (n, g, o, d, h, w). Groups are counted over the images, n·g of them.
    """
    inputs, outputs = x.shape[2], some[1] - some[0]
    run, pitch, size, _ = sizes_of(inputs, outputs, y.shape[3:], wide, len(sights))
    planes, flat, tile = memory[-size:], memory[4 * TILE : -size], memory[: 4 * TILE]
    planes[:] = 0
    cells, weights, results = x.reshape(-1), w.reshape(-1), y.reshape(-1)
    for group in range(first, last):
        lay_out(cells, x.shape, group * inputs, planes, inputs, wide, stride, sights)
        mine = weights[(group % x.shape[1] * y.shape[2] + some[0]) * len(at) :]
        correlate(flat, planes, mine, outputs, run, pitch, at, terms, tile)
        channel = group * y.shape[2] + some[0]
        between(results, y.shape, channel, flat, outputs, pitch, wide, False)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def nine_sums(y, at_y, x, at, k, start, n):
    """The sums over q of y[q] · x[q], for terms k to k + 8 and one output channel."""
    wide_vectors()
    j0, j1, j2, j3, j4, j5, j6, j7, j8 = cells_of(at, k, start)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = x.dtype.type(0)
    for q in range(n):
        u = np.uintp(q)
        v = y[at_y + u]
        s0, s1, s2 = s0 + v * x[j0 + u], s1 + v * x[j1 + u], s2 + v * x[j2 + u]
        s3, s4, s5 = s3 + v * x[j3 + u], s4 + v * x[j4 + u], s5 + v * x[j5 + u]
        s6, s7, s8 = s6 + v * x[j6 + u], s7 + v * x[j7 + u], s8 + v * x[j8 + u]
    return s0, s1, s2, s3, s4, s5, s6, s7, s8


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
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


@njit(nogil=True, cache=True)
def weight_gradient(
    x, gy, w, wide, stride, sights, at, terms, groups_from, groups_to, some, memory
):
    """(n, g, i, D, H, W) and (n, g, o, d, h, w), added to (g, o, k), k a multiple of nine."""
    groups, inputs, outputs = x.shape[1], x.shape[2], some[1] - some[0]
    _, pitch, size, _ = sizes_of(inputs, outputs, gy.shape[3:], wide, len(sights))
    planes, flat = memory[-size:], memory[4 * TILE : -size]
    memory[:] = 0
    cells, results = x.reshape(-1), gy.reshape(-1)
    for channel in range(len(x) * groups_from, len(x) * groups_to):
        g, image = divmod(channel, len(x))
        channel = image * groups + g
        lay_out(cells, x.shape, channel * inputs, planes, inputs, wide, stride, sights)
        between(
            results, gy.shape, channel * gy.shape[2] + some[0], flat, outputs, pitch, wide, True
        )
        for start in range(0, pitch, TILE):
            n = min(TILE, pitch - start)
            for first in range(0, outputs, 4):
                here = min(4, outputs - first)
                at_y = np.uintp(first * pitch + start)
                for k in range(0, terms if here == 4 else 0, 3):
                    twelve = twelve_sums(flat, at_y, np.uintp(pitch), planes, at, k, start, n)
                    for c in range(12):
                        w[g, some[0] + first + c // 3, k + c % 3] += twelve[c]
                for k in range(0, 0 if here == 4 else terms, 9):
                    for o in range(here):
                        sums = nine_sums(flat, at_y + np.uintp(o * pitch), planes, at, k, start, n)
                        for c in range(9):
                            w[g, some[0] + first + o, k + c] += sums[c]
