"""im2col in blocks: the windows become columns of a matrix, a cacheful at a time.

Copying all windows into one matrix (i·k·l, n·h·w) makes the convolution one matrix product, which
BLAS computes at the machine's full rate. But the matrix is k·l times the input: it is written to
memory and read back. Here a block of some rows of the output is copied, multiplied while it is still
in the cache, and forgotten. Blocks do not depend on each other, so threads share them.

Source: K. Chellapilla, S. Puri and P. Simard, *High performance convolutional neural networks for
document processing* (2006), for im2col; K. Goto and R. van de Geijn, *Anatomy of high-performance
matrix multiplication* (2008), for why blocks have to fit a cache.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from . import shared_rows
from .caches import near
from .columns import Block, Columns
from .products import is_own, multiply, pick, threads_for
from .steps import Shape, Steps, is_bare, shape_of
from .threads import limit, pieces, scratch, share
from .turned import in_order

# Bytes of a block of columns. BLAS takes from it what fits into the cache that a core has for itself.
BLOCK = min(near() * 3 // 2, 3 << 19)
SHORT = 128  # cells: of columns with no more, blocks are larger
LEAST_COLUMNS = 512  # fewer would not pay for BLAS' own copy of the weight
ALONE = 128  # columns of an image, of which no block need hold several
SMALL = 1 << 21  # multiplications that one thread does before a second one would have woken up
SEVERAL = 1 << 28  # from here on Python's threads may share blocks out
GPU_BLOCK = 1 << 28  # on a GPU a block only bounds the memory


@lru_cache(maxsize=256)
def blocks(shape: Shape, columns: int, threads: int) -> tuple[Block, ...]:
    """Cut the output into blocks of about `columns` positions, and at least one for each thread."""
    positions, flat_size = shape.positions, prod(shape.positions)
    if flat_size * 2 <= columns:
        # whole images, several at once; if one block could hold all images, several groups as well
        images = pieces(shape.n, columns // max(flat_size, 1), threads)
        room = columns // max(flat_size * shape.n, 1) if len(images) == 1 else 1
        groups = pieces(shape.g, room, threads if len(images) == 1 else 1)
        whole = tuple(slice(0, m) for m in positions)
        return tuple(Block(n, g, whole, slice(0, flat_size)) for n in images for g in groups)
    found = []
    single = shape.n * shape.g == 1
    for n in range(shape.n):
        for g in range(shape.g):
            for at in _ranges(positions, columns, threads if single else 1):
                start = np.ravel_multi_index([s.start for s in at], positions)
                size = prod(s.stop - s.start for s in at)
                flat = slice(int(start), int(start) + size)
                found.append(Block(slice(n, n + 1), slice(g, g + 1), at, flat))
    return tuple(found)


def _ranges(positions: tuple[int, ...], columns: int, at_least: int) -> list[tuple[slice, ...]]:
    """Cut (h, w) into ranges that lie in one piece in memory: of h, or of w within one h."""
    inner = prod(positions[1:])
    if len(positions) > 1 and inner > columns:
        return [
            (slice(h, h + 1), *rest)
            for h in range(positions[0])
            for rest in _ranges(positions[1:], columns, -(-at_least // positions[0]))
        ]
    rest = tuple(slice(0, m) for m in positions[1:])
    cuts = pieces(positions[0], columns // inner, at_least)
    if at_least > 1 and len(cuts) % at_least:  # no thread is to wait for another's last block
        cuts = pieces(positions[0], columns // inner, len(cuts) + at_least - len(cuts) % at_least)
    return [(cut, *rest) for cut in cuts]


def is_shared(xp: ModuleType, shape: Shape, rows: bool = False) -> bool:
    """Tell whether Python's threads share the blocks out; else BLAS' own multiply each block.

    BLAS' threads wake up sooner, and two of them were faster for layers of any size. But one thread
    copies for them, and the more they are, the longer they wait for it. And they may be in the way of
    compiled loops: see `products.py`. Where windows share `rows`, blocks are large, and two threads
    seldom wait for Python's lock.
    """
    if xp is not np or shape.products < SEVERAL:
        return False
    threads = limit()
    few = shape.n * prod(shape.positions) * 2 < LEAST_COLUMNS * threads
    two = is_own(xp) or (rows and shared_rows.has_blocks(shape, threads))
    return not few and threads > (1 if two else 2)


def plan(xp: ModuleType, shape: Shape, itemsize: int) -> tuple[Block, ...]:
    """Choose the blocks of a convolution from its sizes and the number of threads."""
    bytes_a_column = max(shape.i * prod(shape.taps) * itemsize, 1)
    if xp is not np:
        return blocks(shape, max(GPU_BLOCK // bytes_a_column, 1), 1)
    threads = limit() if is_shared(xp, shape) else 1
    size = 8 * BLOCK
    if shape.products >= SMALL:
        # all threads' blocks, and the padded cells that they are copied from, in an eighth of all
        positions = shape.n * shape.g * prod(shape.positions)
        # of short columns, the calls for each tap would take longer than its copy
        most = 4 * BLOCK if shape.i * prod(shape.taps) <= SHORT else BLOCK
        size = min(most, positions * bytes_a_column // (16 * threads))
    return blocks(shape, max(size // bytes_a_column, LEAST_COLUMNS // threads), threads)


def is_pointwise(shape: Shape, steps: Steps) -> bool:
    """Tell whether the columns are the input itself: one tap, no stride, no padding."""
    return max(steps.stride) == 1 and is_bare(shape, steps)


def is_picked(shape: Shape, steps: Steps) -> bool:
    """Tell whether the columns are some of the input's cells, and of one image enough to multiply."""
    return is_bare(shape, steps) and prod(shape.positions) >= ALONE


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    g, o, rows = shape.g, shape.o, shape.i * prod(shape.taps)
    if not out.size:
        return
    # (n, g, o, h, w) -> (n, g, o, h·w)
    flat = out.reshape(shape.n, g, o, prod(shape.positions))
    if is_pointwise(shape, steps):
        # (g, o, i) @ (n, g, i, h·w) -> (n, g, o, h·w), read and written in place
        multiply(xp, w.reshape(g, o, rows), x.reshape(shape.n, g, shape.i, -1), flat)
        return
    if xp is np and is_picked(shape, steps):
        # (n, g, i, H, W) -> (n, g, i, h, w)
        picked = x[(..., *(slice(None, None, step) for step in steps.stride))]
        threads, matrix = threads_for(xp, shape.products, x.dtype), w.reshape(g, o, rows)
        if threads > 1:
            pick(picked, matrix, out, threads)
            return
        for cells, y in zip(picked, flat, strict=True):
            memory = scratch(xp, cells.size, x.dtype).reshape(cells.shape)
            memory[...] = cells
            # (g, o, i) @ (g, i, h·w) -> (g, o, h·w)
            multiply(xp, matrix, memory.reshape(g, shape.i, -1), y)
        return

    axis = shared_rows.axis_of(xp, shape, steps, out)
    several = is_shared(xp, shape, axis is not None)
    own = threads_for(xp, shape.products, x.dtype)
    if axis is not None and (shared_rows.has_blocks(shape, limit()) if several else not own):
        shared_rows.forward(x, w, out, steps, axis, limit() if several else 1)
        return
    if prod(shape.taps) > 1 and not w.flags.c_contiguous:
        w = in_order(xp, w)
    # (g, o, i, k, l) -> (g, o, i·k·l)
    matrix = w.reshape(g, o, rows)
    columns = Columns(xp, x, shape, steps)

    def block(b: Block) -> None:
        seen = columns.of(b)
        if b.n.stop - b.n.start == 1:
            # (g, o, i·k·l) @ (g, i·k·l, h·w) -> (g, o, h·w), written in place
            y = flat[b.n.start, b.g, :, b.flat]
        else:
            y = xp.empty((len(seen), o, seen.shape[-1]), out.dtype)
        multiply(xp, matrix[b.g], seen, y, not several)
        if b.n.stop - b.n.start > 1:
            # (g, o, n·h·w) -> (g, o, n, h·w) -> (n, g, o, h·w)
            y = y.reshape(*y.shape[:2], -1, flat.shape[-1])
            flat[b.n, b.g, :, b.flat] = xp.moveaxis(y, 2, 0)

    share(block, [(b,) for b in plan(xp, shape, x.dtype.itemsize)], several)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    g, o, rows = shape.g, shape.o, shape.i * prod(shape.taps)
    total = out.reshape(g, o, rows)
    if not gy.size:
        total[...] = 0
        return
    flat = gy.reshape(shape.n, g, o, prod(shape.positions))
    if is_pointwise(shape, steps):
        # (n, g, o, h·w) @ (n, g, h·w, i) -> (g, o, i), the sum of all images
        cells = x.reshape(shape.n, g, shape.i, -1).swapaxes(2, 3)
        multiply(xp, flat, cells, total)
        return
    axis = shared_rows.axis_of(xp, shape, steps, gy)
    several = is_shared(xp, shape, axis is not None)
    threads = limit() if several else 1
    own = threads_for(xp, shape.products, x.dtype)
    if axis is not None and (several or not own):
        shared_rows.weight_gradient(x, gy, out, steps, axis, threads)
        return
    found = plan(xp, shape, x.dtype.itemsize)
    # each thread adds up blocks of its own, always the same ones: the sum does not depend on time
    shares = [found[a] for a in pieces(len(found), len(found), threads)]
    if len(shares) > 1:  # a share need not hold blocks of all groups
        total[...] = 0
    sums = [total] + [xp.zeros_like(total) for _ in shares[1:]]
    columns = Columns(xp, x, shape, steps)

    def add(result: Any, mine: tuple[Block, ...]) -> None:
        begun = set()
        for b in mine:
            # (n, g, o, h·w) -> (g, o, n·h·w)
            y = xp.moveaxis(flat[b.n, b.g, :, b.flat], 0, 2)
            y = y.reshape(*y.shape[:2], -1)
            # (g, o, n·h·w) @ (g, n·h·w, i·k·l) -> (g, o, i·k·l); the columns get no name, so that
            # their memory is free when the next block asks for more
            first = b.g.start not in begun
            one = result[b.g] if first else xp.empty_like(result[b.g])
            multiply(xp, y, columns.of(b).swapaxes(1, 2), one, not several)
            if first:
                begun.add(b.g.start)
            else:
                result[b.g] += one
            del one  # nor is this memory to be in use meanwhile

    share(add, list(zip(sums, shares, strict=True)), several)
    for other in sums[1:]:
        total += other
