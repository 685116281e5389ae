"""Cells laid out in long rows, compiled: what `kernels.py` adds up, and where it leaves the sums.

All rows of a channel, with their padding, lie behind one another, those of each phase of a stride by
themselves, as `flat.py` explains. Importing this needs Numba.

Arrays are taken flat, with the place of their first cell and the steps from cell to cell, so that a
part of an array, a mirrored one, or every second cell of it, is read and written where it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .vectors import compiled_loop, move


def whole_vectors(step: int) -> Any:
    """Compile a loop that copies rows of at least four cells, every `step`-th, as vectors.

    The last vector ends with the row's last cell: it may copy cells that have been copied already.
    """
    sixteen, eight, four = (move(cells, step) for cells in (16, 8, 4))

    @njit(nogil=True, inline="always")
    def copy(to, place, line, x, cell, down, rows, n):
        for _ in range(rows):
            if n >= 16:
                q = 0
                while q < n - 16:
                    sixteen(to, place + q, x, cell + q * step)
                    q += 16
                sixteen(to, place + n - 16, x, cell + (n - 16) * step)
            elif n >= 8:
                eight(to, place, x, cell)
                eight(to, place + n - 8, x, cell + (n - 8) * step)
            else:
                four(to, place, x, cell)
                four(to, place + n - 4, x, cell + (n - 4) * step)
            place, cell = place + line, cell + down

    return copy


neighbours, every_second = whole_vectors(1), whole_vectors(2)


@compiled_loop(inline="always")
def copy_rows(to, place, line, apart, x, cell, down, step, rows, n):
    """to[place + r·line + q·apart] = x[cell + r·down + q·step], for so many rows r of n cells."""
    if apart == 1 and step == 1 and n >= 4:
        neighbours(to, place, line, x, cell, down, rows, n)
    elif apart == 1 and step == 2 and n >= 4:
        every_second(to, place, line, x, cell, down, rows, n)
    else:
        # unsigned numbers index memory as they are; a signed one could count from the end
        for r in range(rows):
            for q in range(n):
                there = np.uintp(place + r * line + q * apart)
                to[there] = x[np.uintp(cell + r * down + q * step)]


@compiled_loop(inline="always")
def put_zeros(to, start, end):
    """Write zeros to the places from `start` to before `end`."""
    for q in range(start, end):
        to[np.uintp(q)] = 0


@compiled_loop(inline="always")
def inside(places, size, stride, offset):
    """The first place q with a cell, and the end of them: 0 <= q·stride + offset < size."""
    first, end = -offset, size - offset
    if stride > 1:  # a division takes as long as the rest of a small row
        first, end = -(offset // stride), (size - 1 - offset) // stride + 1
    first = min(max(0, first), places)
    return first, max(min(places, end), first)


@compiled_loop()
def lay_out(
    to, pitch, x, at_x, steps, size, wide, phases, stride, start, channels, zeros, images=1
):
    """Copy cells (i, D, H, W) of x into places (i, phases, d, h, w), channels `pitch` apart.

    Place q of an axis takes cell q·stride + start + phase, or zero where there is no such cell. Without
    `zeros`, those at the ends of rows are there already, and those behind the last row. The axes have
    `wide` places; `steps` are the place of the first cell and the steps of all axes (n, g, i, D, H, W)
    of x. Where several `images` lie abreast, a place of the last axis is so many cells, neighbours in x
    and in `to`.
    """
    for p in range(len(phases)):
        at_d, at_h, at_w = start[0] + phases[p, 0], start[1] + phases[p, 1], start[2] + phases[p, 2]
        d_from, d_to = inside(wide[0], size[0], stride[0], at_d)
        h_from, h_to = inside(wide[1], size[1], stride[1], at_h)
        w_from, w_to = inside(wide[2] // images, size[2], stride[2], at_w)
        step, down, n = stride[2] * steps[6], stride[1] * steps[5], w_to - w_from
        first = at_x + (h_from * stride[1] + at_h) * steps[5]
        first += (w_from * stride[2] + at_w) * steps[6]
        for i in range(channels):
            for d in range(wide[0]):
                place = i * pitch + ((p * wide[0] + d) * wide[1]) * wide[2]
                end, seen = place + wide[1] * wide[2], d_from <= d < d_to
                if zeros or not seen:  # all at once: a few between two rows would take a call each
                    put_zeros(to, place, end)
                else:  # other rows may have stood here
                    put_zeros(to, place, place + h_from * wide[2])
                    put_zeros(to, place + h_to * wide[2], end)
                if not seen:
                    continue
                cell = first + i * steps[3] + (d * stride[0] + at_d) * steps[4]
                place += h_from * wide[2] + w_from * images
                if step == images:  # all of a row lies in one piece
                    copy_rows(to, place, wide[2], 1, x, cell, down, 1, h_to - h_from, n * images)
                elif images == 1:
                    copy_rows(to, place, wide[2], 1, x, cell, down, step, h_to - h_from, n)
                else:
                    for h in range(h_to - h_from):
                        row = place + h * wide[2]
                        copy_rows(to, row, images, 1, x, cell + h * down, step, 1, n, images)
    if zeros:
        for i in range(channels):
            used = len(phases) * wide[0] * wide[1] * wide[2]
            put_zeros(to, i * pitch + used, (i + 1) * pitch)


@compiled_loop()
def write(y, at_y, steps, results, pitch, wide, sizes, channels):
    """Copy results (o, d, h, w), rows as far apart as `wide` says, to y. The rest is dropped."""
    for o in range(channels):
        for d in range(sizes[0]):
            place, result = at_y + o * steps[3] + d * steps[4], o * pitch + d * wide[1] * wide[2]
            line, apart, (_, rows, n) = steps[5], steps[6], sizes
            copy_rows(y, place, line, apart, results, result, wide[2], 1, rows, n)


@compiled_loop()
def turn(to, places, y, at_y, steps, wide, sizes, channels):
    """Copy y (o, d, h, w) to (d·h·w, o), and tell where position d, h, w stands in rows of `wide`.

    Returns how many positions there are.
    """
    q = 0
    for d in range(sizes[0]):
        for h in range(sizes[1]):
            for w in range(sizes[2]):
                places[q + w] = (d * wide[1] + h) * wide[2] + w
            row = at_y + d * steps[4] + h * steps[5]
            for w in range(0, sizes[2], 16):
                n = min(16, sizes[2] - w)
                place, cell = (q + w) * channels, row + w * steps[6]
                copy_rows(to, place, 1, channels, y, cell, steps[3], steps[6], channels, n)
            q += sizes[2]
    return q
