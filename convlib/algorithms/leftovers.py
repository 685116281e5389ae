"""Kernels of one tap, compiled: the positions that do not fill a register. Importing this needs Numba.

A register holds neighbouring positions, and there are too few of them here. But there are many
channels: of these, it holds as many as there is room for. So the cells of a position stand behind one
another, and a sum is added up in parts, one for each place in a register.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .vectors import wide_vectors


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
