"""Depthwise 3×3, compiled: the layers that take most of a mobile network's time. Needs Numba.

One channel meets one kernel of nine weights. There is so little to compute that every copy counts:
a channel is put between zeros, in memory that stays in the innermost cache, and each output is
written once, as the sum of all nine products. The weights stay in registers. With a stride, cells of
each phase lie by themselves, as `flat.py` explains: what a tap sees is a run of neighbours.

The general loops of `kernels.py` lay out what they see, add up, and copy the sums: three passes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .linear import weighted
from .rows import copy_rows, inside
from .signals import rest, ring
from .vectors import BYTES, compiled_loop, wide_vectors

# Unsigned numbers index memory as they are; a signed one could count from the end.
ONE, TWO = np.uintp(1), np.uintp(2)
ROUND = 16  # cells: runs are multiples, since cells beside whole vectors would be added up singly
SHORT = 32  # a row of fewer outputs is not worth a loop of its own

nine_taps = weighted(9)


@njit(nogil=True)
def first_seen(places, size, stride, offset, apart):
    """The first of some places with a cell, its cell, and how many there are.

    Place q takes cell q·stride + offset; or, of a stride of 1, every `apart`-th place takes the next.
    """
    if stride == 1:
        first = max(0, -offset)
        cell = first + offset
        return first, cell, max(0, min(size - cell, (places - first + apart - 1) // apart))
    first, end = inside(places, size, stride, offset)
    return first, first * stride + offset, end - first


@compiled_loop()
def forward(x, w, y, sizes, channels_from, channels_to, team):
    """Some of all images' channels: x (n·c·H·W,), w (c·9,), y (n·c·h·w,), all flat.

    `sizes` are c, H, W, h, w, the strides (1, or 2 along w), the padding before each axis, and how far
    apart the cells are put: 1, and the stride where this is a strided convolution's gradient.
    """
    ring(team)
    channels, high, wide, rows, width, stride_h, stride_w, above, left, apart_h, apart_w = sizes
    # the channel between zeros, as high and wide as the windows reach; of a stride, each phase by itself
    tall, line = rows + 2 // stride_h, width + 2 // stride_w
    part = tall * line
    copies = np.empty((min(stride_h, 3) * stride_w, 4), np.int64)
    for k in range(len(copies)):
        p, q = k // stride_w, k % stride_w
        row, from_row, some_rows = first_seen(tall, high, stride_h, p - above, apart_h)
        column, from_column, some = first_seen(line, wide, stride_w, q - left, apart_w)
        copies[k, 0], copies[k, 1] = k * part + row * line + column, from_row * wide + from_column
        copies[k, 2], copies[k, 3] = some_rows, some
    # where the cells begin that the nine taps see
    b = 1 % stride_h * stride_w * part + 1 // stride_h * line
    c = 2 % stride_h * stride_w * part + 2 // stride_h * line
    l, r = 1 % stride_w * part + 1 // stride_w, 2 % stride_w * part + 2 // stride_w
    starts = 0, l, r, b, b + l, b + r, c, c + l, c + r
    # all rows as one: what stands between two of them belongs to no window
    lanes = BYTES // x.itemsize
    whole, run = width < SHORT, ((rows - 1) * line + width + lanes - 1) // lanes * lanes
    plane = np.zeros(len(copies) * part + lanes, x.dtype)
    results = np.empty(run if whole else 0, x.dtype)
    for channel in range(channels_from, channels_to):
        here, out = channel * high * wide, channel * rows * width
        for k in range(len(copies)):
            to, cell = copies[k, 0], here + copies[k, 1]
            down, n = stride_h * wide, copies[k, 3]
            copy_rows(plane, to, apart_h * line, apart_w, x, cell, down, stride_w, copies[k, 2], n)
        first = channel % channels * 9
        if whole:
            nine_taps(results, 0, plane, 0, starts, w, first, run)
            copy_rows(y, out, width, 1, results, 0, line, 1, rows, width)
        else:
            for row in range(rows):
                nine_taps(y, out + row * width, plane, row * line, starts, w, first, width)
    return rest(team)


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def nine_sums(y, x, line, n):
    """The sums over q of y[q] · x[q + k·line + l] for the nine taps k, l.

    To be added up a vector at a time, sums along the innermost loop need "reassoc".
    """
    wide_vectors()
    b, c = np.uintp(line), np.uintp(2 * line)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = y.dtype.type(0)
    for q in range(n):
        u = np.uintp(q)
        v = y[u]
        s0, s1, s2 = s0 + v * x[u], s1 + v * x[u + ONE], s2 + v * x[u + TWO]
        s3, s4, s5 = s3 + v * x[b + u], s4 + v * x[b + u + ONE], s5 + v * x[b + u + TWO]
        s6, s7, s8 = s6 + v * x[c + u], s7 + v * x[c + u + ONE], s8 + v * x[c + u + TWO]
    return s0, s1, s2, s3, s4, s5, s6, s7, s8


@compiled_loop()
def weight_gradient(x, gy, w, sizes, channels_from, channels_to, team):
    """Some channels of w (c·9,), added up over all images: x (n·c·H·W,), gy (n·c·h·w,), all flat.

    `sizes` are n, c, H, W, h, w, the strides and the padding before each axis. A channel of x is put
    between zeros, and its gradient's cells as far apart as windows are: both are one run then.
    """
    ring(team)
    images, channels, high, wide, rows, width, stride_h, stride_w, above, left = sizes
    tall, line = (rows - 1) * stride_h + 3, (width - 1) * stride_w + 3
    run = (rows - 1) * stride_h * line + (width - 1) * stride_w + 1
    run = (run + ROUND - 1) // ROUND * ROUND
    high_seen, cells = min(high, tall - above), min(wide, line - left)
    plane, results = np.zeros(run + 2 * line + 2, x.dtype), np.zeros(run, x.dtype)
    for c in range(channels_from, channels_to):
        for n in range(images):
            one = n * channels + c
            copy_rows(
                plane, above * line + left, line, 1, x, one * high * wide, wide, 1, high_seen, cells
            )
            copy_rows(
                results, 0, stride_h * line, stride_w, gy, one * rows * width, width, 1, rows, width
            )
            sums = nine_sums(results, plane, line, run)
            for k in range(9):
                w[9 * c + k] += sums[k]
    return rest(team)
