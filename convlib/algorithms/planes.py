"""Images put abreast, compiled: what `abreast.py` says is done here. Importing this needs Numba.

A plane of a channel, or some rows of it, is read from each of 2, 4, 8 or 16 images, a register at a
time. These registers are turned round, so that the same cell of all images lies side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from .linear import join, part
from .rows import copy_rows, lay_out
from .vectors import BYTES, compiled_loop


def for_images(of: Callable[[int], Any]) -> Any:
    """Compile what does the same for 2, 4, 8 or 16 images, each in instructions of its own."""
    two, four, eight, sixteen = (of(images) for images in (2, 4, 8, 16))

    @njit(nogil=True)
    def for_any(images, *rest):
        if images == 2:
            two(*rest)
        elif images == 4:
            four(*rest)
        elif images == 8:
            eight(*rest)
        else:
            sixteen(*rest)

    return for_any


join_images, part_images = for_images(join), for_images(part)


@compiled_loop(inline="always")
def put_abreast(to, place, x, cell, apart, images, n):
    """to[place + q·images + m] = x[cell + m·apart + q]: the same cell of 2, 4, 8 or 16 images m.

    For q below n. The last register ends with the last cell: it may copy some again.
    """
    lanes = BYTES // x.itemsize
    if n < lanes:
        copy_rows(to, place, 1, images, x, cell, apart, 1, images, n)
        return
    whole = n // lanes * lanes
    join_images(images, to, place, x, cell, apart, whole)
    if whole < n:
        join_images(images, to, place + (n - lanes) * images, x, cell + n - lanes, apart, lanes)


@compiled_loop(inline="always")
def take_apart(to, place, apart, x, cell, images, n):
    """to[place + m·apart + q] = x[cell + q·images + m]: the other way round."""
    lanes = BYTES // x.itemsize
    if n < lanes:
        copy_rows(to, place, apart, 1, x, cell, 1, images, images, n)
        return
    whole = n // lanes * lanes
    part_images(images, to, place, apart, x, cell, whole)
    if whole < n:
        part_images(images, to, place + n - lanes, apart, x, cell + (n - lanes) * images, lanes)


@compiled_loop()
def see_abreast(
    to, pitch, x, at_x, steps, size, wide, phases, stride, start, channels, zeros, images, memory
):
    """As `rows.lay_out`, of so many images at once: x is that of the first, whose rows have no gaps."""
    # the rows that any place sees, of these d; a phase may be as much as a stride
    d_from, d_to = max(0, start[0]), min(size[0], start[0] + wide[0] * stride[0])
    h_from, h_to = max(0, start[1]), min(size[1], start[1] + wide[1] * stride[1])
    line, cells = size[2] * images, max(0, h_to - h_from) * size[2]
    own = 0, 0, 0, 0, cells * images, line, images
    own_x = -(d_from * own[4] + h_from * line)
    for i in range(channels):
        for d in range(d_from, d_to):
            cell = at_x + i * steps[3] + d * steps[4] + h_from * steps[5]
            put_abreast(memory, (d - d_from) * own[4], x, cell, steps[1], images, cells)
        lay_out(
            to[i * pitch :], pitch, memory, own_x, own, size, wide, phases, stride, start, 1, zeros,
            images,
        )  # fmt: skip


@compiled_loop()
def write_apart(y, at_y, steps, results, pitch, plane, line, sizes, channels, images, memory):
    """Copy results (o, d, h, w) to y of each image: w is so many of them abreast.

    Slices d are a `plane` apart, and rows a `line`. What is between rows is dropped.
    """
    _, rows, across = sizes
    for o in range(channels):
        for d in range(sizes[0]):
            source, first = results, o * pitch + d * plane
            if line != across:
                copy_rows(memory, 0, across, 1, results, first, line, 1, rows, across)
                source, first = memory, 0
            place = at_y + o * steps[3] + d * steps[4]
            take_apart(y, place, steps[1], source, first, images, rows * across // images)
