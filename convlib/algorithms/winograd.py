r"""Winograd's minimal filtering: fewer multiplications for three taps, stride 1.

Two outputs of a three-tap filter take six multiplications. F(2,3) makes do with four:

    m1 = (x0 - x2) w0               m2 = (x1 + x2) (w0 + w1 + w2) / 2
    m4 = (x1 - x3) w2               m3 = (x2 - x1) (w0 - w1 + w2) / 2
    y0 = m1 + m2 + m3               y1 = m2 - m3 - m4

As matrices, :math:`y = A^T [(G w) \odot (B^T x)]`. Used along h and along w, F(2×2,3×3) takes 16
instead of 36 products for a tile of 2×2 outputs, and F(4×4,3×3) takes 36 instead of 144. Between
them the sum over input channels is a matrix product for each of the 16 or 36 places of a tile, and
the transforms themselves are products with the Kronecker products of :math:`B^T`, :math:`G` and
:math:`A^T`. The larger numbers in F(4,3)'s matrices cost more than one digit.

The weight's gradient is the adjoint: :math:`G^T [(A\, y) \odot (B^T x)]`, summed over all tiles.

Source: A. Lavin and S. Gray, *Fast algorithms for convolutional neural networks* (2016),
arXiv:1509.09308; S. Winograd, *Arithmetic complexity of computations* (1980).
"""

from __future__ import annotations

from functools import lru_cache, reduce
from itertools import product
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .blocks import Block, blocks
from .columns import Columns
from .im2col import BLOCK, GPU_BLOCK
from .memory import in_a_row, memory_of, usable
from .steps import Shape, Steps, is_available, shape_of, with_numba
from .threads import BLOCKS_SHARED, WAKE, limit, pieces, scratch, share
from .units import WIDEST, shared_outputs, threads_for

TILES = 112  # of a unit of the compiled loops, about
FEW = 96  # with no more for each thread, kernels take longest
CACHED = 5 << 18  # bytes of transformed inputs
INPUTS = 16  # channels that are transformed at a time, at least
PRODUCTS = 1 << 21  # bytes of products

# (Bᵀ, G, Aᵀ) for outputs a tile of 2 and of 4, from the points 0, 1, -1 (, 2, -2) and infinity
F: dict[int, tuple[list[list[float]], ...]] = {
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    ),
}


@lru_cache(maxsize=32)
def transforms(m: int, axes: int, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Return Bᵀ, G and Aᵀ for flattened tiles of this many axes: their Kronecker powers."""
    powers = (reduce(np.kron, [np.array(matrix)] * axes) for matrix in F[m])
    return tuple(power.astype(dtype) for power in powers)


def tiles_of(shape: Shape, m: int, size: int) -> Shape:
    """The convolution as seen from its tiles: a window of `size` cells for each, `m` apart."""
    grid = tuple(-(-p // m) for p in shape.positions)
    return shape._replace(positions=grid, taps=(size,) * len(grid))


def plan(xp: ModuleType, tiles: Shape, itemsize: int) -> tuple[Block, ...]:
    """Blocks of tiles whose transformed inputs fit the cache, but enough for BLAS to work on."""
    bytes_a_tile = (tiles.i + tiles.o) * prod(tiles.taps) * itemsize
    if xp is not np:
        return blocks(tiles, max(GPU_BLOCK // bytes_a_tile, 1), 1)
    threads = limit() if tiles.products >= BLOCKS_SHARED else 1
    return blocks(tiles, max(2 * BLOCK // bytes_a_tile, 64), threads)


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps, m: int = 4) -> None:
    """(n, g, i, H, W) and (g, o, i, 3, 3) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    g, o, i, axes = shape.g, shape.o, shape.i, len(shape.taps)
    tiles = tiles_of(shape, m, m + 2)
    if m == 4 and axes == 2 and xp is np and is_available() and x.dtype.kind == "f":
        return compiled(x, w, out, shape, steps)
    bt, gm, at = (xp.asarray(matrix) for matrix in transforms(m, axes, w.dtype))
    places = (m + 2) ** axes
    # (t, k·l) @ (k·l, g·o·i) -> (t, g, o, i) -> (g, t, o, i): t a place in the transformed tile
    u = (gm @ w.reshape(g * o * i, -1).T).reshape(places, g, o, i)
    u = xp.ascontiguousarray(u.swapaxes(0, 1))
    columns = Columns(xp, x, tiles, Steps((m,) * axes, steps.padding, (1,) * axes), taps_first=True)

    def block(b: Block) -> None:
        images, groups = b.n.stop - b.n.start, b.g.stop - b.g.start
        # (t, cells) @ (g, cells, i·n·tiles) -> (g, t, i, n·tiles)
        v = xp.matmul(bt, columns.of(b)).reshape(groups, places, i, -1)
        # (g, t, o, i) @ (g, t, i, n·tiles) -> (g, t, o, n·tiles)
        products = xp.matmul(u[b.g], v)
        # (m·m, t) @ (g, t, o·n·tiles) -> (g, m, m, o, n, th, tw)
        grid = tuple(s.stop - s.start for s in b.at)
        y = xp.matmul(at, products.reshape(groups, places, -1))
        y = y.reshape(groups, *(m,) * axes, o, images, *grid)
        # -> (n, g, o, th, m, tw, m) -> (n, g, o, h, w), and what stands over the end is cut off
        pairs = [axis for a in range(axes) for axis in (3 + axes + a, 1 + a)]
        y = y.transpose(2 + axes, 0, 1 + axes, *pairs)
        y = y.reshape(images, groups, o, *(size * m for size in grid))
        ends = (min(s.stop * m, p) for s, p in zip(b.at, shape.positions, strict=True))
        at_out = tuple(slice(s.start * m, end) for s, end in zip(b.at, ends, strict=True))
        kept = tuple(slice(0, s.stop - s.start) for s in at_out)
        out[(b.n, b.g, slice(None), *at_out)] = y[(..., *kept)]

    share(block, [(b,) for b in plan(xp, tiles, w.dtype.itemsize)], xp is np)


def compiled(x: Any, w: Any, out: Any, shape: Shape, steps: Steps) -> None:
    """The same with `tiles.py`: (n, g, i, H, W) and (g, o, i, 3, 3) to (n, g, o, h, w)."""
    tiles = with_numba("tiles")
    units, sizes, size = planned(x.shape[3:], shape, steps, threads_for(shape), x.itemsize)
    arrays = *memory_of(usable(x)), in_a_row(w), *memory_of(out)

    def some(part: Any, team: Any) -> Any:
        memory = scratch(np, size, x.dtype)
        return tiles.forward(*arrays, part, sizes, memory, team)

    with_numba("helpers").share(some, units, shape.products >= WAKE)


@lru_cache(maxsize=256)
def planned(
    cells: tuple[int, ...], shape: Shape, steps: Steps, threads: int, itemsize: int
) -> tuple[list[tuple[np.ndarray]], np.ndarray, int]:
    """Plan the compiled way: each thread's units, the loops' sizes, the memory they take."""
    tiles = with_numba("tiles")
    high, across = (-(-p // 4) for p in shape.positions)
    by_row, by_o = pieces(high, max(TILES // across, 1)), [slice(0, shape.o)]
    if shape.n * shape.g * len(by_row) % threads:
        # shared by rows, each thread transforms kernels; by outputs, each transforms inputs
        if high * across >= FEW * threads:
            by_row = pieces(high, max(TILES // across, 1), -(-len(by_row) // threads) * threads)
        else:
            by_o = shared_outputs(shape.o, threads)
    rows = max(len(of(r)) for r in by_row)
    _, pitch, _ = tiles.sizes_of(rows, across, 1, itemsize)
    each = tiles.PLACES * pitch * itemsize
    parts = pieces(shape.i, max(CACHED // each, INPUTS))
    chunk = len(of(parts[-1]))
    if len(parts) > 1:
        by_o = [
            slice(o.start + WIDEST * s.start, min(o.start + WIDEST * s.stop, o.stop))
            for o in by_o
            for s in pieces(-(-len(of(o)) // WIDEST), max(PRODUCTS // each // WIDEST, 1))
        ]
    kept = max(-(-len(of(o)) // tiles.OUTPUTS) for o in by_o) if len(parts) > 1 else 1
    units = [
        (n, g, r.start, r.stop, o.start, o.stop)
        for o, n, g, r in product(by_o, range(shape.n), range(shape.g), by_row)
    ]
    before = (b for b, _ in steps.padding)
    sizes = (shape.i, shape.o, *cells, *shape.positions, *before, across, rows, chunk, kept)
    memory = sum(tiles.memory_for(*tiles.sizes_of(rows, across, chunk, itemsize), kept))
    shares = pieces(len(units), len(units), threads)
    return [(np.array(units[share]),) for share in shares], np.array(sizes), memory


def of(part: slice) -> range:
    """Return the numbers of a slice."""
    return range(part.start, part.stop)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps, m: int = 4) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, 3, 3)."""
    shape = shape_of(x, out, gy)
    g, o, i, axes = shape.g, shape.o, shape.i, len(shape.taps)
    bt, gm, at = (xp.asarray(matrix) for matrix in transforms(m, axes, x.dtype))
    places = (m + 2) ** axes
    tiles, none = tiles_of(shape, m, m + 2), ((0, 0),) * axes
    inputs = Columns(xp, x, tiles, Steps((m,) * axes, steps.padding, (1,) * axes), taps_first=True)
    tiles_y = tiles_of(shape, m, m)._replace(i=o)
    outputs = Columns(xp, gy, tiles_y, Steps((m,) * axes, none, (1,) * axes), taps_first=True)
    found = plan(xp, tiles, x.dtype.itemsize)
    # each thread adds up blocks of its own, always the same ones
    shares = [found[a] for a in pieces(len(found), len(found), limit() if xp is np else 1)]
    sums = [xp.zeros((g, places, o, i), x.dtype) for _ in shares]

    def add(total: Any, mine: tuple[Block, ...]) -> None:
        for b in mine:
            groups = b.g.stop - b.g.start
            # (t, cells) @ (g, cells, i·n·tiles) -> (g, t, i, n·tiles)
            v = xp.matmul(bt, inputs.of(b)).reshape(groups, places, i, -1)
            # (t, m·m) @ (g, m·m, o·n·tiles) -> (g, t, o, n·tiles)
            y = xp.matmul(at.T, outputs.of(b)).reshape(groups, places, o, -1)
            total[b.g] += xp.matmul(y, v.swapaxes(2, 3))

    share(add, list(zip(sums, shares, strict=True)))
    for other in sums[1:]:
        sums[0] += other
    # (k·l, t) @ (g, t, o·i) -> (g, k·l, o·i) -> (g, o, i, k, l)
    result = xp.matmul(gm.T, sums[0].reshape(g, places, -1))
    out[...] = result.swapaxes(1, 2).reshape(out.shape)


def forward_f23(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """The same with tiles of two outputs an axis: more multiplications, a smaller error."""
    forward(xp, x, w, out, steps, m=2)


def weight_gradient_f23(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """The same with tiles of two outputs an axis."""
    weight_gradient(xp, x, gy, out, steps, m=2)
