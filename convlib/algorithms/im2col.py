"""im2col in blocks: the windows become columns of a matrix, a cacheful at a time.

Copying all windows into one matrix (i·k·l, n·h·w) makes the convolution one matrix product, which
BLAS computes at the machine's full rate. But the matrix is k·l times the input: it is written to
memory and read back. Here a block of some rows of the output is copied, multiplied while it is still
in the cache, and forgotten. Blocks do not depend on each other, so threads share them. Where all
channels would be too many for a block, some are copied and multiplied, and the next are added.

Source: K. Chellapilla, S. Puri and P. Simard, *High performance convolutional neural networks for
document processing* (2006), for im2col; K. Goto and R. van de Geijn, *Anatomy of high-performance
matrix multiplication* (2008), for why blocks have to fit a cache.
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from . import shared_rows
from .blas import address_of_gemm
from .blocks import OBJECTS, Block, blocks, most_columns
from .caches import near
from .columns import Columns
from .products import is_own, multiply, pick, threads_for
from .steps import Shape, Steps, is_bare, is_pointwise, shape_of
from .threads import BLOCKS_SHARED, limit, pieces, scratch, share
from .turned import in_order

# Bytes of a block of columns. BLAS takes from it what fits into the cache that a core has for itself.
BLOCK = min(near() * 3 // 2, 3 << 19)
# Bytes of columns, with the cells they are copied from, that are allowed even where that is more than an
# eighth of all columns: where "auto" looks for the fastest, and in any case. There, layers that are done
# before a thread wakes up take blocks eight times as large, and cells that are picked an image's columns.
ROOM, LITTLE = 2 * BLOCK, 1 << 16
SHORT = 128  # cells: of columns with no more, blocks are larger
LEAST_COLUMNS = 512  # fewer would not pay for BLAS' own copy of the weight
SOME_TERMS = 288  # of some channels: with many fewer, sums would be read and written too often
FEW_TERMS = 96  # the same where memory counts more
ALONE = 128  # columns of an image, of which no block need hold several
SEVERAL = 1 << 28  # multiplications: from here on Python's threads may share blocks out,
LARGE = 1 << 31  # and from here on they do, also where they are two
GPU_BLOCK = 1 << 28  # on a GPU a block only bounds the memory


def is_shared(xp: ModuleType, shape: Shape, rows: bool = False) -> bool:
    """Tell whether Python's threads share the blocks out; else BLAS' own multiply each block.

    BLAS' threads wake up sooner. But one thread copies for them, and the more they are, the longer they
    wait for it. After a product they stay awake for a while, in the way of compiled loops and of Python's
    threads: see `products.py`. So in a network, two of Python's gain where a layer is LARGE. Where windows
    share `rows`, or would but for a heavy weight, blocks are large, and they seldom wait for Python's lock.
    """
    if xp is not np or shape.products < SEVERAL:
        return False
    threads = limit()
    few = shape.n * prod(shape.positions) * 2 < LEAST_COLUMNS * threads
    two = is_own(xp) or shape.products >= LARGE or (rows and shared_rows.has_blocks(shape, threads))
    return not few and threads > (1 if two else 2)


def plan(
    xp: ModuleType, columns: Columns, threads: int, beside: int = 0, roomy: bool = True
) -> tuple[tuple[Block, ...], list[slice]]:
    """Choose the blocks of a convolution, and cut their channels, from its sizes and the threads.

    A block has at least as many columns as BLAS wants. Where all of their terms would take more memory
    than is left for them, `beside` some other bytes, some channels are copied and multiplied at a
    time, and then the next: BLAS adds them up. All threads' blocks, and the padded cells that they are
    copied from, take an eighth of all columns at most; or ROOM, if they may be `roomy`, or eight blocks
    of a layer so small that no second thread is worth calling.
    """
    shape, taps, dtype = columns.shape, prod(columns.shape.taps), columns.x.dtype
    bytes_a_column = max(shape.i * taps * dtype.itemsize, 1)
    if xp is not np:
        return blocks(shape, max(GPU_BLOCK // bytes_a_column, 1), 1), [slice(0, shape.i)]
    # of short columns, the calls for each tap would take longer than its copy
    size = 4 * BLOCK if shape.i * taps <= SHORT else BLOCK
    positions = shape.n * shape.g * prod(shape.positions)
    eighth = positions * bytes_a_column // 8 - beside - OBJECTS
    share_of = threads * (1 + columns.padded_for_each())
    room = int((ROOM if roomy else min(max(eighth, LITTLE), ROOM)) / share_of)
    least, terms = (LEAST_COLUMNS // threads, SOME_TERMS) if roomy else (1, FEW_TERMS)
    if shape.products < BLOCKS_SHARED and roomy:
        size *= 8
    else:
        size = min(size, int(max(eighth, 0) / share_of) if roomy else room)
    # a block of several images has results of its own first
    result = shape.o * dtype.itemsize if shape.n > 1 and not roomy else 0
    number = size // (bytes_a_column + result)
    if number >= LEAST_COLUMNS // threads or not address_of_gemm(dtype):
        return blocks(shape, max(number, least), threads), [slice(0, shape.i)]
    number = max(room // (max(terms, taps) * dtype.itemsize + result), least)
    found = blocks(shape, number, threads)
    widest = most_columns(shape, number, threads)
    most = shape.i * (room - result * widest) // (widest * bytes_a_column)
    return found, pieces(shape.i, max(most, -(-terms // taps)))


def rows_of(channels: slice, shape: Shape) -> slice:
    """Say which rows i·k·l of columns are those of some channels i."""
    taps = prod(shape.taps)
    return slice(channels.start * taps, channels.stop * taps)


def is_picked(shape: Shape, steps: Steps) -> bool:
    """Tell whether the columns are some of the input's cells, and of one image enough to multiply."""
    return is_bare(shape, steps) and prod(shape.positions) >= ALONE


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps, roomy: bool = False) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w).

    It takes an eighth of the memory of all columns at most, or some kilobytes. If it may be `roomy`, it
    takes less time, and more memory: up to three megabytes (ROOM) in general; a small layer up to eight
    blocks, often all of its columns at once; and one tap with a stride, all columns of one image.
    """
    shape = shape_of(x, w, out)
    g, o, rows = shape.g, shape.o, shape.i * prod(shape.taps)
    # (n, g, o, h, w) -> (n, g, o, h·w)
    flat = out.reshape(shape.n, g, o, prod(shape.positions))
    if is_pointwise(shape, steps):
        # (g, o, i) @ (n, g, i, h·w) -> (n, g, o, h·w), read and written in place
        multiply(xp, w.reshape(g, o, rows), x.reshape(shape.n, g, shape.i, -1), flat)
        return
    if xp is np and roomy and is_picked(shape, steps):
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
    pays = shared_rows.has_blocks(shape, limit()) if several else not own
    threads = limit() if several else 1
    room = (ROOM // x.itemsize, 1) if roomy else (0, threads)
    if axis is not None and pays and not shared_rows.is_heavy(shape, axis, x.itemsize, *room):
        shared_rows.forward(x, w, out, steps, axis, threads, roomy)
        return
    if prod(shape.taps) > 1 and not w.flags.c_contiguous:
        w = in_order(xp, w)
    # (g, o, i, k, l) -> (g, o, i·k·l)
    matrix = w.reshape(g, o, rows)
    columns = Columns(xp, x, shape, steps)

    found, channels = plan(xp, columns, threads, 0, roomy)

    def block(b: Block) -> None:
        images, groups = b.n.stop - b.n.start, b.g.stop - b.g.start
        if images == 1:
            y = flat[b.n.start, b.g, :, b.flat]  # (g, o, h·w), written in place
        else:
            y = xp.empty((groups, o, images * flat.shape[-1]), out.dtype)
        for some in channels:
            # (g, o, i·k·l) @ (g, i·k·l, n·h·w) -> (g, o, n·h·w), added to that of the channels before
            weights = matrix[b.g, :, rows_of(some, shape)]
            multiply(xp, weights, columns.of(b, some), y, not several, some.start > 0)
        if images > 1:
            # (g, o, n·h·w) -> (g, o, n, h·w) -> (n, g, o, h·w)
            y = y.reshape(*y.shape[:2], -1, flat.shape[-1])
            flat[b.n, b.g, :, b.flat] = xp.moveaxis(y, 2, 0)

    share(block, [(b,) for b in found], several)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    g, o, rows = shape.g, shape.o, shape.i * prod(shape.taps)
    total = out.reshape(g, o, rows)
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
    columns = Columns(xp, x, shape, steps)
    found, channels = plan(xp, columns, threads, (threads - 1) * total.nbytes)
    # each thread adds up blocks of its own, always the same ones: the sum does not depend on time
    shares = [found[a] for a in pieces(len(found), len(found), threads)]
    if len(shares) > 1:  # a share need not hold blocks of all groups
        total[...] = 0
    sums = [total] + [xp.zeros_like(total) for _ in shares[1:]]

    def add(result: Any, mine: tuple[Block, ...]) -> None:
        begun = set()
        for b in mine:
            # (n, g, o, h·w) -> (g, o, n·h·w)
            y = xp.moveaxis(flat[b.n, b.g, :, b.flat], 0, 2)
            y = y.reshape(*y.shape[:2], -1)
            for some in channels:
                # (g, o, n·h·w) @ (g, n·h·w, i·k·l) -> (g, o, i·k·l), added to that of the blocks before
                one = result[b.g, :, rows_of(some, shape)]
                seen = columns.of(b, some).swapaxes(1, 2)
                multiply(xp, y, seen, one, not several, b.g.start in begun)
                del seen  # its memory is free when the next channels ask for more
            begun.add(b.g.start)

    share(add, list(zip(sums, shares, strict=True)), several)
    for other in sums[1:]:
        total += other
