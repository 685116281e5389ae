"""Images abreast: how a batch fills the registers that a narrow row does not. Needs Numba.

A register holds some neighbouring cells, eight of float32 where it has 256 bits. A row of seven outputs
leaves one of them for nothing; and what stands between two rows is computed for nothing, too. But eight
images have eight cells at each place. Put next to each other, they are one image eight times as wide,
whose taps are eight cells apart: a dilation, which the loops know. No place is left over.

A row of fourteen leaves less over, but then rows are whole registers, and these can be stacked, as
`registers.py` says.

Both the input and the output are copied once for this, which has to cost less than it saves.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd, prod
from typing import Any

import numpy as np

from .memory import in_a_row
from .steps import Shape, Steps, with_numba
from .threads import limit, pieces

COPIED = 64  # multiplications for each cell that is copied, from which that pays
LONGER = 8  # times as many, for rows that are longer than a register: less is left over
SHARED = 1 << 16  # cells to copy, from which threads share them


def images_of(shape: Shape, steps: Steps, itemsize: int) -> int:
    """How many images are put abreast: as few as fill registers, or one, where that does not pay.

    Half as many pay, too, where the batch can be parted into no more: what is read of the weight is
    read once for all. Of a row that is longer than two registers, too little is left over. Of a
    video, three slices of several such images would leave little room in the cache.
    """
    width, lanes = shape.positions[-1], with_numba("vectors").BYTES // itemsize
    images, longer = lanes // gcd(width, lanes), width >= lanes
    most = 2 * lanes if len(shape.taps) < 3 else lanes
    several = gcd(images, shape.n)
    if width >= most or steps.stride[-1] > 1 or 2 * several < images:
        return 1
    least = COPIED * LONGER if longer else COPIED
    pays = shape.i * shape.o * prod(shape.taps) >= least * (shape.i + shape.o)
    return several if pays else 1


def forward(
    convolve: Callable[..., None], x: Any, w: Any, out: Any, steps: Steps, images: int
) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w), by `convolve` of fewer, wider images."""
    rows = with_numba("rows")
    # n images are n/m times m of them: (n, g, i, H, W) -> (n/m, g, i, H, W·m)
    n, (before, after) = x.shape[0] // images, steps.padding[-1]
    wide = np.empty((n, *x.shape[1:-1], x.shape[-1] * images), x.dtype)
    sums = np.empty((n, *out.shape[1:-1], out.shape[-1] * images), out.dtype)
    _share(rows.interleave, in_a_row(x), wide, images, x[0].size)
    padding = (*steps.padding[:-1], (before * images, after * images))
    dilation = (*steps.dilation[:-1], steps.dilation[-1] * images)
    convolve(np, wide, w, sums, Steps(steps.stride, padding, dilation))
    _share(rows.part_again, sums, out, images, out[0].size)


def _share(copy: Callable[..., Any], x: Any, to: Any, images: int, size: int) -> None:
    """Copy all cells, `size` of an image, shared out to threads."""
    cells = x.size // images
    parts = pieces(cells, cells, limit() if x.size >= SHARED else 1)
    x, to = x.reshape(-1), to.reshape(-1)

    def some(part: slice, team: Any) -> Any:
        return copy(x, to, images, size, part.start, part.stop, team)

    with_numba("helpers").share(some, [(part,) for part in parts], False)
