"""Images abreast: how a batch fills the registers that a narrow row does not.

A register holds some neighbouring cells, eight of float32 where it has 256 bits. A row of seven outputs
leaves one of them for nothing; and what stands between two rows is computed for nothing, too. But eight
images have eight cells at each place. Put next to each other, they are one image eight times as wide,
whose taps are eight cells apart. No place is left over.

A row of fourteen leaves less over, but then rows are whole registers, and these can be stacked, as
`registers.py` says.

Cells are copied in any case, as a unit sees them, and sums are copied to where they belong. Both are done
by other loops then, those of `planes.py`, and turning registers round has to cost less than it saves.
"""

from __future__ import annotations

from math import gcd, prod

from .flat import Layout
from .steps import Shape, Steps, with_numba

COPIED = 64  # multiplications for each cell that is copied, from which that pays
LONGER = 8  # times as many, for rows that are longer than a register: less is left over
WIDE = 24  # outputs of a row, from which too little is left over


def images_of(shape: Shape, steps: Steps, itemsize: int) -> int:
    """How many images are put abreast: as few as fill registers, or one, where that does not pay.

    Half as many pay, too, where the batch can be parted into no more: what is read of the weight is
    read once for all. Of a wide row, of more than two registers or so, too little is left over. Of a
    video, three slices of several such images would leave little room in the cache. With a stride, the
    cells of each phase are copied by themselves, a few at a time: a row has to leave half of a register.
    """
    width, lanes = shape.positions[-1], with_numba("vectors").BYTES // itemsize
    images, longer = lanes // gcd(width, lanes), width >= lanes
    most = min(2 * lanes, WIDE) if len(shape.taps) < 3 else lanes
    several = gcd(images, shape.n)
    if width >= most or (steps.stride[-1] > 1 and 2 * width > lanes) or 2 * several < images:
        return 1
    least = COPIED * LONGER if longer else COPIED
    pays = shape.i * shape.o * prod(shape.taps) >= least * (shape.i + shape.o)
    return several if pays else 1


def widened(layout: Layout, images: int) -> Layout:
    """Lay out so many images abreast, each cell beside the same one of the others."""
    *others, last = layout.wide
    taps = [(phase, first * images) for phase, first in layout.taps]
    return Layout((*others, last * images), layout.run * images, layout.phases, taps)


def put_aside(
    size: tuple[int, ...], layout: Layout, steps: Steps, positions: tuple[int, ...], images: int
) -> int:
    """How many values are put aside, of an input (H, W): the rows that a unit sees of a channel.

    Later, in the same memory, an output's sums.
    """
    if images == 1:
        return 0
    cells = [min(n, m * s) for n, m, s in zip(size, layout.wide, steps.stride, strict=True)]
    return max(prod(cells[:-1]) * size[-1] * images, prod(positions))
