"""im2col along flattened rows: for groups with few channels, where copying is most of the work.

Where an input cell meets few output channels (depthwise: one), BLAS has little to do for each copied
number, and copying in runs as short as a row is slow. So the rows of an image, with their padding,
are put one behind the other. What a tap (k, l) sees in all windows is then one long run that starts
k·d·W + l·d cells further on, over the ends of the rows as well: between two rows it computes some
values that belong to no window, and they are dropped at the end.

With a stride s, cells are first parted by their phases, k·d mod s: cells of one phase are
neighbours then, and what a tap sees is again a run. In all, the input is copied once into rows and
once a tap into columns, for a few groups and images at a time, so that all of it happens in the cache.

The run goes on from image to image just as well. What takes time is then the number of NumPy's calls:
a call for each tap of each block would take longer than its copy. All taps of a phase are copied by
one call. It reads a view: windows of the run, whose cells are as far apart as the taps of one axis,
and windows of these for the next axis.

Source: the flattened shifts are those of A. Vasudevan, A. Anderson and D. Gregg, *Parallel multi
channel convolution using general matrix multiplication* (2017).
"""

from __future__ import annotations

from itertools import product
from math import gcd, prod
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..windows import strided_windows
from .im2col import weight_gradient
from .steps import Shape, Steps, seen, shape_of
from .threads import BLOCKS_SHARED, limit, pieces, scratch, share

# Bytes that a block takes, rows and columns and results. Where several threads copy, each waits for
# Python's lock once a call: twice as many make half as many calls.
BLOCK = 5 << 18
LONG = 1 << 12  # cells of a run, for which an image needs no other one behind it

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


class Grid(NamedTuple):
    """The taps that read one phase: evenly spaced on each axis."""

    taps: tuple[slice, ...]  # (k, l)
    first: int  # where the first one's cells begin, in the flattened phase
    apart: tuple[int, ...]  # flattened cells from one of them to the next, along k and l


def grids_of(shape: Shape, steps: Steps, layout: Layout) -> list[Grid]:
    """Say for each phase which taps read it, and where."""
    lengths = [prod(layout.wide[axis + 1 :]) for axis in range(len(layout.wide))]
    found = []
    for number, phase in enumerate(layout.phases):
        axes = list(zip(phase, shape.taps, steps.stride, steps.dilation, lengths, strict=True))
        # every (s / gcd(s, d))-th tap of an axis has the same k·d mod s
        taps = tuple(
            slice(next(t for t in range(k) if t * d % s == r), k, s // gcd(s, d))
            for r, k, s, d, _ in axes
        )
        first = next(cell for p, cell in layout.taps if p == number)
        found.append(Grid(taps, first, tuple(d // gcd(s, d) * c for _, _, s, d, c in axes)))
    return found


def seen_in(xp: ModuleType, cells: Any, grid: Grid, counts: tuple[int, ...], run: int) -> Any:
    """View what the taps of a grid see of a flattened phase: (..., cells) -> (..., k, l, run)."""
    cells = cells[..., grid.first :]
    for number, apart in zip(counts, grid.apart, strict=True):
        # (..., q) -> (..., q', k) -> (..., k, q'); then -> (..., k, q'', l) -> (..., k, l, q'')
        cells = strided_windows(xp, cells, (number,), (1,), (apart,)).swapaxes(-1, -2)
    return cells[..., :run]


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    layout = layout_of(shape, steps)
    wide, plane = layout.wide, prod(layout.wide)
    sights, grids = sights_of(x.shape[3:], layout, steps), grids_of(shape, steps, layout)
    whole = tuple(slice(0, m) for m in shape.positions)
    # (n, g, i, H, W) -> (g, i, n, H, W); (g, o, i, k, l) -> (g, o, i·k·l)
    order = (1, 2, 0, *range(3, x.ndim))
    x, out, matrix = x.transpose(order), out.transpose(order), w.reshape(*w.shape[:2], -1)

    several = xp is np and shape.products >= BLOCKS_SHARED // 8
    threads = limit() if several else 1
    by_n = pieces(shape.n, LONG // plane)
    images = by_n[-1].stop - by_n[-1].start  # the last piece is as large as any
    # of each cell of a plane: its phases, its columns, its results
    values = images * plane * (shape.i * (len(grids) + prod(shape.taps)) + shape.o)
    room = (BLOCK << (threads > 1)) // (values * w.itemsize) if xp is np else shape.g
    by_g = pieces(shape.g, room, -(-threads // len(by_n)))  # a block for each thread at least
    groups, run = by_g[-1].stop - by_g[-1].start, (images - 1) * plane + layout.run
    blocks = list(product(by_n, by_g))

    def some(mine: slice) -> None:
        shapes = (
            (groups, len(grids), shape.i, images, *wide),  # (g, phase, i, n, wide H, wide W)
            (groups, shape.i, *shape.taps, run),  # (g, i, k, l, run)
            (groups, shape.o, images, *wide),  # (g, o, n, wide H, wide W)
        )
        ends = np.cumsum([0, *map(prod, shapes)]).tolist()
        memory = scratch(xp, ends[-1], w.dtype)
        planes, columns, y = (
            memory[a:b].reshape(size) for a, b, size in zip(ends, ends[1:], shapes, strict=False)
        )
        planes[...] = 0  # once: each block writes to the same places
        copies = []
        for number, ((inside, cells), grid) in enumerate(zip(sights, grids, strict=True)):
            phase, to = planes[:, number], columns[(slice(None), slice(None), *grid.taps)]
            view = seen_in(xp, phase.reshape(groups, shape.i, -1), grid, to.shape[2:-1], run)
            copies.append((phase[(..., *inside)], x[(..., *cells)], to, view))
        # (g, i, k, l, run) -> (g, i·k·l, run); (g, o, n, wide H, wide W) -> (g, o, run)
        factors, products = columns.reshape(groups, -1, run), y.reshape(groups, shape.o, -1)
        products, y = products[..., :run], y[(..., *whole)]
        for n, g in blocks[mine]:
            some_g, some_n = slice(g.stop - g.start), slice(n.stop - n.start)
            for places, source, to, view in copies:
                # (g, i, n, H, W) -> (g, i, n, wide H, wide W)
                places[some_g, :, some_n] = source[g, :, n]
                # -> (g, i, k, l, run)
                to[some_g] = view[some_g]
            # (g, o, i·k·l) @ (g, i·k·l, run) -> (g, o, run)
            xp.matmul(matrix[g], factors[some_g], out=products[some_g])
            # (g, o, n, wide H, wide W) -> (g, o, n, h, w)
            out[g, :, n] = y[some_g, :, some_n]

    # sums between two rows are nobody's: that they are no numbers, or too large, is not to be told
    with np.errstate(invalid="ignore", over="ignore"):
        share(some, [(part,) for part in pieces(len(blocks), len(blocks), threads)], several)
