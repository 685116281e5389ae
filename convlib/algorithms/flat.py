"""im2col along flattened rows: for groups with few channels, where copying is most of the work.

Where an input cell meets few output channels (depthwise: one), BLAS has little to do for each copied
number, and copying in runs as short as a row is slow. So the rows of an image, with their padding,
are put one behind the other. What a tap (k, l) sees in all windows is then one long run that starts
k·d·W + l·d cells further on, over the ends of the rows as well: between two rows it computes some
values that belong to no window, and they are dropped at the end.

With a stride s, cells are first parted by their phases, k·d mod s: cells of one phase are
neighbours then, and what a tap sees is again a run. In all, the input is copied once into rows and
once a tap into columns, for a few groups at a time, so that all of it happens in the cache.

Source: the flattened shifts are those of A. Vasudevan, A. Anderson and D. Gregg, *Parallel multi
channel convolution using general matrix multiplication* (2017).
"""

from __future__ import annotations

from itertools import product
from math import prod
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .im2col import SMALL, pieces, weight_gradient
from .steps import Shape, Steps, seen, shape_of
from .threads import limit, scratch, share

CELLS = 1 << 18  # values in the columns of one block

__all__ = ["forward", "weight_gradient"]  # the latter is im2col's: it has nothing to gain here


class Layout(NamedTuple):
    """Where cells stand once the rows of a few groups are flattened."""

    wide: tuple[int, ...]  # (h, w), and more at the end for taps that reach further
    run: int  # from the first window to the last one, in flattened cells
    phases: list[tuple[int, ...]]
    taps: list[tuple[int, int]]  # for each tap, its phase's number and its first cell


def layout_of(shape: Shape, steps: Steps, shared: int = 0) -> Layout:
    """Lay out planes of phases for a convolution.

    The last `shared` places of a row may be the first ones of the next row.
    """
    *others, last = (
        m + (k - 1) * d // s
        for m, k, s, d in zip(
            shape.positions, shape.taps, steps.stride, steps.dilation, strict=True
        )
    )
    wide = (*others, last - shared)
    lengths = [prod(wide[axis + 1 :]) for axis in range(len(wide))]
    run = sum((m - 1) * length for m, length in zip(shape.positions, lengths, strict=True)) + 1
    found: list[tuple[int, int]] = []
    phases: dict[tuple[int, ...], int] = {}
    for tap in np.ndindex(*shape.taps):
        at = [t * d for t, d in zip(tap, steps.dilation, strict=True)]
        phase = tuple(a % s for a, s in zip(at, steps.stride, strict=True))
        first = sum(a // s * step for a, s, step in zip(at, steps.stride, lengths, strict=True))
        found.append((phases.setdefault(phase, len(phases)), first))
    return Layout(wide, run, list(phases), found)


def sights_of(x: tuple[int, ...], layout: Layout, steps: Steps) -> list[tuple[Any, Any]]:
    """Say for each phase which places of its plane are cells of the input (H, W), and which."""
    # as if a kernel of one cell stood at each phase
    single = Steps(steps.stride, steps.padding, (1,) * len(layout.wide))
    return [seen(phase, x, layout.wide, single) for phase in layout.phases]


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    if not shape.products:
        out[...] = 0
        return
    layout = layout_of(shape, steps)
    wide, run, taps = layout.wide, layout.run, layout.taps
    whole = tuple(slice(0, m) for m in shape.positions)
    sights = sights_of(x.shape[3:], layout, steps)
    # (g, o, i, k, l) -> (g, o, i·k·l)
    matrix = w.reshape(*w.shape[:2], -1)

    def some(n: int, g: slice) -> None:
        number = g.stop - g.start
        plane, columns = (len(sights), number, shape.i, *wide), (number, shape.i, len(taps), run)
        product_size = (number, shape.o, prod(wide))
        sizes = np.cumsum([0, prod(plane), prod(columns), prod(product_size)]).tolist()
        memory = scratch(xp, sizes[-1], x.dtype)
        planes, cols, y = (
            memory[a:b].reshape(size)
            for a, b, size in zip(sizes, sizes[1:], (plane, columns, product_size), strict=False)
        )
        planes[...] = 0
        for phase, (inside, cells) in zip(planes, sights, strict=True):
            # (g, i, H, W) -> (g, i, wide H, wide W)
            phase[(..., *inside)] = x[(n, g, slice(None), *cells)]
        planes = planes.reshape(*plane[:3], -1)
        for t, (phase, first) in enumerate(taps):
            # (g, i, run) -> one row of the columns
            cols[:, :, t] = planes[phase, :, :, first : first + run]
        # (g, o, i·k·l) @ (g, i·k·l, run) -> (g, o, run)
        xp.matmul(matrix[g], cols.reshape(number, -1, run), out=y[..., :run])
        # (g, o, wide H, wide W) -> (g, o, h, w)
        out[n, g] = y.reshape(number, shape.o, *wide)[(..., *whole)]

    several = xp is np and shape.products >= SMALL // 8
    room = max(CELLS // (run * shape.i * len(taps)), 1) if xp is np else shape.g
    jobs = list(
        product(range(shape.n), pieces(shape.g, room, limit() if several and shape.n == 1 else 1))
    )
    share(some, jobs, several)
