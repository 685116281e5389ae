"""The output of a convolution cut into blocks: pieces that can be computed one after another, or at once.

Each block needs the columns of its own windows alone. `im2col.py` copies and multiplies them block by
block, `winograd.py` does so with its tiles.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from .steps import Shape
from .threads import pieces

OBJECTS = 1 << 14  # bytes that Python's own objects take meanwhile


class Block(NamedTuple):
    """A piece of the output: some images, some groups, and a range of one axis of positions."""

    n: slice
    g: slice
    at: tuple[slice, ...]  # positions (h, w); all axes after the ranged one are whole
    flat: slice  # the same positions in the flattened h·w

    def cut(self, positions: tuple[int, ...]) -> int:
        """Return the axis that is ranged: those after it are whole, those before it single."""
        parts = [a for a, m in enumerate(positions) if self.at[a].stop - self.at[a].start < m]
        return parts[-1] if parts else 0


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


@lru_cache(maxsize=256)
def most_columns(shape: Shape, columns: int, threads: int) -> int:
    """How many columns the largest of these blocks has, of all its groups."""
    sizes = (
        [part.stop - part.start for part in (b.n, b.g, b.flat)]
        for b in blocks(shape, columns, threads)
    )
    return max(map(prod, sizes), default=1)


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
