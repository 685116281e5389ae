"""Depthwise 3×3, compiled: the layers that take most of a mobile network's time. Needs Numba.

One channel meets one kernel of nine weights. There is so little to compute that every copy counts:
a channel is put between zeros, in memory that stays in the innermost cache, and each output is
written once, as the sum of all nine products. The weights stay in registers.

The general loops of `kernels.py` lay out what they see, add up, and copy the sums: three passes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .rows import copy_rows
from .signals import rest, ring
from .vectors import kernel, wide_vectors

# Unsigned numbers index memory as they are; a signed one could count from the end.
ONE, TWO = np.uintp(1), np.uintp(2)
SHORT = 32  # a row of fewer outputs is not worth a loop of its own


@njit(nogil=True, fastmath={"contract"})
def nine_taps(y, at, x, a, b, c, w, first, stride, n):
    """y[at + q] = the sum of nine products: weights from `first` on, and rows of x from a, b, c on.

    The two usual strides have loops of their own, which the compiler turns into vectors.
    """
    w0, w1, w2 = w[first], w[first + 1], w[first + 2]
    w3, w4, w5 = w[first + 3], w[first + 4], w[first + 5]
    w6, w7, w8 = w[first + 6], w[first + 7], w[first + 8]
    if stride == 1:
        for q in range(n):
            u = np.uintp(q)
            y[at + u] = (
                x[a + u] * w0 + x[a + u + ONE] * w1 + x[a + u + TWO] * w2
                + x[b + u] * w3 + x[b + u + ONE] * w4 + x[b + u + TWO] * w5
                + x[c + u] * w6 + x[c + u + ONE] * w7 + x[c + u + TWO] * w8
            )  # fmt: skip
    else:
        for q in range(n):
            u, v = np.uintp(q), TWO * np.uintp(q)
            y[at + u] = (
                x[a + v] * w0 + x[a + v + ONE] * w1 + x[a + v + TWO] * w2
                + x[b + v] * w3 + x[b + v + ONE] * w4 + x[b + v + TWO] * w5
                + x[c + v] * w6 + x[c + v + ONE] * w7 + x[c + v + TWO] * w8
            )  # fmt: skip


@kernel()
def forward(x, w, y, sizes, channels_from, channels_to, team):
    """Some of all images' channels: x (n·c·H·W,), w (c·9,), y (n·c·h·w,), all flat.

    `sizes` are c, H, W, h, w, the strides (1, or 2 along w), the padding before each axis, and how far
    apart the cells are put: 1, and the stride where this is a strided convolution's gradient.
    """
    ring(team)
    channels, high, wide, rows, width, stride_h, stride_w, above, left, apart_h, apart_w = sizes
    # the channel between zeros, as high and wide as the windows reach
    tall, line = (rows - 1) * stride_h + 3, (width - 1) * stride_w + 3
    high_seen = min(high, (tall - above + apart_h - 1) // apart_h)
    cells = min(wide, (line - left + apart_w - 1) // apart_w)
    plane, results = np.zeros(tall * line, x.dtype), np.empty(rows * line, x.dtype)
    for c in range(channels_from, channels_to):
        to, here = above * line + left, c * high * wide
        copy_rows(plane, to, apart_h * line, apart_w, x, here, wide, 1, high_seen, cells)
        first, out = np.uintp(c % channels * 9), c * rows * width
        if stride_h == 1 and stride_w == 1 and width < SHORT:
            # all rows as one: what stands between two of them belongs to no window
            n = (rows - 1) * line + width
            one, two = np.uintp(line), np.uintp(2 * line)
            nine_taps(results, np.uintp(0), plane, np.uintp(0), one, two, w, first, 1, n)
            copy_rows(y, out, width, 1, results, 0, line, 1, rows, width)
        else:
            for r in range(rows):
                a = r * stride_h * line
                nine_taps(
                    y, np.uintp(out + r * width), plane, np.uintp(a), np.uintp(a + line),
                    np.uintp(a + 2 * line), w, first, stride_w, width,
                )  # fmt: skip
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


@kernel()
def weight_gradient(x, gy, w, sizes, channels_from, channels_to, team):
    """Some channels of w (c·9,), added up over all images: x (n·c·H·W,), gy (n·c·h·w,), all flat.

    `sizes` are n, c, H, W, h, w, the strides and the padding before each axis. A channel of x is put
    between zeros, and its gradient's cells as far apart as windows are: both are one run then.
    """
    ring(team)
    images, channels, high, wide, rows, width, stride_h, stride_w, above, left = sizes
    tall, line = (rows - 1) * stride_h + 3, (width - 1) * stride_w + 3
    run = (rows - 1) * stride_h * line + (width - 1) * stride_w + 1
    run = (run + 15) // 16 * 16  # whole vectors: cells left over would be added up singly
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
