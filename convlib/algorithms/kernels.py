"""The loops of chapter 1, compiled: what `compiled.py` calls. Importing this needs Numba.

Loops over the taps and over four output channels are written out, so that what has been loaded into
a register is used several times before the next is loaded. The innermost loop runs over a long row
of neighbours, which the compiler turns into vector instructions.

No function takes Python's lock, so threads run them side by side, and no sum depends on threads.
"contract" lets a multiplication and an addition be one instruction; sums along the innermost loop
need "reassoc" as well, to be added up a vector at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TILE = 1024  # cells of a row that stay in the innermost cache, for all channels and taps
# Unsigned numbers index memory as they are; a signed one could count from the end.
ONE, TWO, THREE, ROW = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(TILE)


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


@njit(nogil=True, cache=True, fastmath={"contract"})
def one_output(y, x, w, at_y, at_w, a, b, c, n):
    """y[q] += the sum of three taps, which see x from a, b and c on."""
    wa, wb, wc = w[at_w], w[at_w + ONE], w[at_w + TWO]
    for q in range(n):
        u = np.uintp(q)
        y[at_y + u] += wa * x[a + u] + wb * x[b + u] + wc * x[c + u]


@njit(nogil=True, cache=True, fastmath={"contract"})
def four_outputs(y, x, w, at_w, step_w, a, b, c, n):
    """The same for four output channels, TILE apart in y: what x holds is loaded once for them.

    One array with fixed distances is what lets the compiler see that y is not x.
    """
    v0, v1, v2, v3 = at_w, at_w + step_w, at_w + TWO * step_w, at_w + THREE * step_w
    a0, b0, c0 = w[v0], w[v0 + ONE], w[v0 + TWO]
    a1, b1, c1 = w[v1], w[v1 + ONE], w[v1 + TWO]
    a2, b2, c2 = w[v2], w[v2 + ONE], w[v2 + TWO]
    a3, b3, c3 = w[v3], w[v3 + ONE], w[v3 + TWO]
    for q in range(n):
        u = np.uintp(q)
        va, vb, vc = x[a + u], x[b + u], x[c + u]
        y[u] += a0 * va + b0 * vb + c0 * vc
        y[u + ROW] += a1 * va + b1 * vb + c1 * vc
        y[u + TWO * ROW] += a2 * va + b2 * vb + c2 * vc
        y[u + THREE * ROW] += a3 * va + b3 * vb + c3 * vc


@njit(nogil=True, cache=True)
def correlate(y, x, w, outputs, inputs, run, size, at, tile):
    """y[o, q] = sum over i and t of w[o, i, t] · x[i, at[t] + q], all flat; t a multiple of three.

    `w` begins with the weights of this group, and `size` is the distance of two channels of x.
    """
    taps = len(at)
    fours = outputs // 4 * 4
    for start in range(0, run, TILE):
        n = min(TILE, run - start)
        for o in range(0, fours, 4):
            tile[:] = 0
            for i in range(inputs):
                from_x = i * size + start
                for t in range(0, taps, 3):
                    four_outputs(
                        tile, x, w, np.uintp((o * inputs + i) * taps + t), np.uintp(inputs * taps),
                        np.uintp(from_x + at[t]), np.uintp(from_x + at[t + 1]),
                        np.uintp(from_x + at[t + 2]), n,
                    )  # fmt: skip
            for c in range(4):
                copy_row(y, np.uintp((o + c) * run + start), tile, np.uintp(c * TILE), ONE, n)
        for o in range(fours, outputs):
            for q in range(n):
                y[np.uintp(o * run + start + q)] = 0
            for i in range(inputs):
                from_x = i * size + start
                for t in range(0, taps, 3):
                    one_output(
                        y, x, w, np.uintp(o * run + start), np.uintp((o * inputs + i) * taps + t),
                        np.uintp(from_x + at[t]), np.uintp(from_x + at[t + 1]),
                        np.uintp(from_x + at[t + 2]), n,
                    )  # fmt: skip


@njit(nogil=True, cache=True)
def forward(x, w, y, image, wide, stride, sights, at, groups_from, groups_to):
    """Some groups of an image: (n, g, i, D, H, W) and (g, o, i, t) to (n, g, o, d, h, w)."""
    groups, inputs, outputs = x.shape[1], x.shape[2], y.shape[2]
    size = len(sights) * wide[0] * wide[1] * wide[2]
    run = ((y.shape[3] - 1) * wide[1] + y.shape[4] - 1) * wide[2] + y.shape[5]
    planes, flat = np.zeros(inputs * size, x.dtype), np.empty(outputs * run, x.dtype)
    tile = np.empty(4 * TILE, x.dtype)
    cells, weights, results = x.reshape(-1), w.reshape(-1), y.reshape(-1)
    for g in range(groups_from, groups_to):
        channel = image * groups + g
        lay_out(cells, x.shape, channel * inputs, planes, inputs, wide, stride, sights)
        mine = weights[g * outputs * inputs * len(at) :]
        correlate(flat, planes, mine, outputs, inputs, run, size, at, tile)
        between(results, y.shape, channel * outputs, flat, outputs, run, wide, False)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def three_sums(y, at_y, x, a, b, c, n):
    """The sums over q of y[q] · x[q], for x from a, from b and from c on."""
    sa, sb, sc = y[at_y] * x[a], y[at_y] * x[b], y[at_y] * x[c]
    for q in range(1, n):
        u = np.uintp(q)
        v = y[at_y + u]
        sa += v * x[a + u]
        sb += v * x[b + u]
        sc += v * x[c + u]
    return sa, sb, sc


@njit(nogil=True, cache=True)
def weight_gradient(x, gy, w, wide, stride, sights, at, groups_from, groups_to):
    """(n, g, i, D, H, W) and (n, g, o, d, h, w), added to (g, o, i, t); t a multiple of three."""
    groups, inputs, outputs = x.shape[1], x.shape[2], gy.shape[2]
    size = len(sights) * wide[0] * wide[1] * wide[2]
    run = ((gy.shape[3] - 1) * wide[1] + gy.shape[4] - 1) * wide[2] + gy.shape[5]
    planes, flat = np.zeros(inputs * size, x.dtype), np.zeros(outputs * run, x.dtype)
    cells, results = x.reshape(-1), gy.reshape(-1)
    for channel in range(len(x) * groups_from, len(x) * groups_to):
        g, image = divmod(channel, len(x))
        channel = image * groups + g
        lay_out(cells, x.shape, channel * inputs, planes, inputs, wide, stride, sights)
        between(results, gy.shape, channel * outputs, flat, outputs, run, wide, True)
        for start in range(0, run, TILE):
            n = min(TILE, run - start)
            for o in range(outputs):
                for i in range(inputs):
                    first = i * size + start
                    for t in range(0, len(at), 3):
                        sums = three_sums(
                            flat, np.uintp(o * run + start), planes, np.uintp(first + at[t]),
                            np.uintp(first + at[t + 1]), np.uintp(first + at[t + 2]), n,
                        )  # fmt: skip
                        for c in range(3):
                            w[g, o, i, t + c] += sums[c]
