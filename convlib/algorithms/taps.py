"""Tap by tap: no columns, and no padding.

A convolution is one product for each tap (k, l): the cells that this tap sees in all windows, times
the tap's weights, added to the output. Cells that lie in the padding are zeros and are left out, so
the input is never padded: each tap runs over the range of outputs for which it sees the input.

    y[n,g,o, h,w] += sum over i of  w[g,o,i,k,l] · x[n,g,i, h·s + k·d - p, w·s + l·d - p]

With many channels that product is a matrix product, (o, i) by (i, h·w). With one channel a group
(depthwise) it is one multiplication and one addition a cell, and memory is what limits it: then a
few channels at a time are worked on, so that they stay in the cache for all taps. They are copied
into rows with their padding, flat, so that each tap is one long run of numbers.

Sources: A. Vasudevan, A. Anderson and D. Gregg, *Parallel multi channel convolution using general
matrix multiplication* (2017), for the sum over taps; the memo this book grew from, for the question
whether the padding's copy is needed.
"""

from __future__ import annotations

from itertools import product
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .im2col import SMALL, pieces
from .steps import Steps, shape_of
from .threads import limit, scratch, share

CELLS = 1 << 16  # values of a block: it is read and written once a tap


def seen(
    tap: tuple[int, ...], size: tuple[int, ...], positions: tuple[int, ...], steps: Steps
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Say which output positions see the input through a tap, and which cells they see."""
    outputs, cells = [], []
    for t, n, m, s, (before, _), d in zip(
        tap, size, positions, steps.stride, steps.padding, steps.dilation, strict=True
    ):
        offset = t * d - before
        # 0 <= h·s + offset < n
        first = max(0, -(offset // s))
        last = min(m - 1, (n - 1 - offset) // s)
        if last < first:
            outputs.append(slice(0, 0))
            cells.append(slice(0, 0))
        else:
            outputs.append(slice(first, last + 1))
            cells.append(slice(first * s + offset, last * s + offset + 1, s))
    return tuple(outputs), tuple(cells)


def flatten(array: Any) -> Any:
    """(n, g, i, h, w) -> (n, g, i, h·w): a view where whole rows are seen, else a copy."""
    return array.reshape(*array.shape[:3], prod(array.shape[3:]))


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    if not shape.products:
        out[...] = 0
        return
    if shape.i == shape.o == 1:
        return depthwise(xp, x, w, out, steps)
    taps = list(np.ndindex(*shape.taps))
    # the taps first, each a matrix in one piece: (g, o, i, k, l) -> (k, l, g, o, i)
    order = (*range(3, w.ndim), 0, 1, 2)
    matrices = xp.ascontiguousarray(w.transpose(order)).reshape(len(taps), *w.shape[:3])

    def image(n: slice, g: slice) -> None:
        y = out[n, g]
        y[...] = 0
        for tap, matrix in zip(taps, matrices, strict=True):
            outputs, cells = seen(tap, x.shape[3:], shape.positions, steps)
            cut = x[(n, g, slice(None), *cells)]
            # (g, o, i) @ (n, g, i, h·w) -> (n, g, o, h·w)
            part = xp.matmul(matrix[g], flatten(cut))
            y[(..., *outputs)] += part.reshape(*part.shape[:3], *cut.shape[3:])

    several = xp is np and shape.products >= SMALL
    images = pieces(shape.n, 1 if several else shape.n)
    groups = pieces(shape.g, shape.g, limit() if several and len(images) == 1 else 1)
    share(image, list(product(images, groups)))


def depthwise(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, c, 1, H, W) and (c, 1, 1, k, l) to (n, c, 1, h, w), a few channels at a time."""
    shape = shape_of(x, w, out)
    stride, dilation = steps.stride, steps.dilation
    # A tap k sees the cells h·s + k·d: those of phase k·d mod s, from number k·d div s on. Cells of
    # one phase are copied side by side, so that even with a stride each tap is a run of neighbours.
    wide = tuple(
        m + (k - 1) * d // s
        for m, k, s, d in zip(shape.positions, shape.taps, stride, dilation, strict=True)
    )
    row_steps = np.cumprod((1, *wide[:0:-1]))[::-1].tolist()
    size = prod(wide)
    run = sum((m - 1) * step for m, step in zip(shape.positions, row_steps, strict=True)) + 1
    taps = []
    for tap in np.ndindex(*shape.taps):
        at = [t * d for t, d in zip(tap, dilation, strict=True)]
        phase = tuple(a % s for a, s in zip(at, stride, strict=True))
        start = sum(a // s * step for a, s, step in zip(at, stride, row_steps, strict=True))
        taps.append((tap, phase, start))
    phases = sorted({phase for _, phase, _ in taps})

    def some(n: int, channels: slice) -> None:
        c = channels.stop - channels.start
        memory = scratch(xp, c * size * (len(phases) + 2), x.dtype)
        planes, total, part = (
            memory[: c * size * len(phases)].reshape(len(phases), c, *wide),
            memory[c * size * len(phases) : c * size * (len(phases) + 1)].reshape(c, size),
            memory[c * size * (len(phases) + 1) :].reshape(c, size)[:, :run],
        )
        planes[...] = 0
        for phase, plane in zip(phases, planes, strict=True):
            # as if a kernel of one cell stood at `phase`: (c, H, W) -> (c, wide H, wide W)
            one = Steps(stride, steps.padding, (1,) * len(wide))
            inner, cells = seen(phase, x.shape[3:], wide, one)
            plane[(slice(None), *inner)] = x[(n, channels, 0, *cells)]
        planes = planes.reshape(len(phases), c, size)
        for number, (tap, phase, start) in enumerate(taps):
            cells = planes[phases.index(phase), :, start : start + run]
            weights = w[(channels, 0, 0, *tap)][:, None]
            if number:
                xp.multiply(cells, weights, out=part)
                total[:, :run] += part
            else:
                xp.multiply(cells, weights, out=total[:, :run])
        # what the runs computed between two rows is dropped: (c, wide H, wide W) -> (c, h, w)
        whole = tuple(slice(0, m) for m in shape.positions)
        out[n, channels, 0] = total.reshape(c, *wide)[(slice(None), *whole)]

    several = xp is np and shape.products >= SMALL // 16
    channels = pieces(
        shape.g,
        max(CELLS // size, 1) if xp is np else shape.g,
        limit() if several and shape.n == 1 else 1,
    )
    jobs = list(product(range(shape.n), channels))
    share(some, jobs) if several else [some(*job) for job in jobs]


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)

    def one(tap: tuple[int, ...], groups: slice) -> None:
        outputs, cells = seen(tap, x.shape[3:], shape.positions, steps)
        cut = x[(slice(None), groups, slice(None), *cells)]
        y = gy[(slice(None), groups, slice(None), *outputs)]
        if shape.i == shape.o == 1:
            # (n, g, h, w) · (n, g, h, w) -> (g,)
            subscripts = {1: "ngw,ngw->g", 2: "nghw,nghw->g", 3: "ngdhw,ngdhw->g"}[gy.ndim - 3]
            out[(groups, 0, 0, *tap)] = xp.einsum(subscripts, y[:, :, 0], cut[:, :, 0])
        else:
            # (n, g, o, h·w) @ (n, g, h·w, i) -> (n, g, o, i) -> (g, o, i)
            parts = xp.matmul(flatten(y), flatten(cut).swapaxes(2, 3))
            out[(groups, slice(None), slice(None), *tap)] = parts.sum(0)

    several = xp is np and shape.products >= SMALL // 16
    groups = pieces(shape.g, shape.g, limit() if several else 1)
    jobs = list(product(np.ndindex(*shape.taps), groups))
    share(one, jobs) if several else [one(*job) for job in jobs]
