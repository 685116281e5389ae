"""Tap by tap: no columns, and no padding.

A convolution is one product for each tap (k, l): the cells that this tap sees in all windows, times
the tap's weights, added to the output. Cells that lie in the padding are zeros and are left out, so
the input is never padded: each tap runs over the range of outputs for which it sees the input.

    y[n,g,o, h,w] += sum over i of  w[g,o,i,k,l] · x[n,g,i, h·s + k·d - p, w·s + l·d - p]

That product is a matrix product, (o, i) by (i, h·w). Where a tap sees whole rows it reads them in
place; elsewhere the cells it sees are copied, for one tap at a time.

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

from .steps import Steps, seen, shape_of
from .threads import BLOCKS_SHARED, limit, pieces, share


def flatten(array: Any) -> Any:
    """(n, g, i, h, w) -> (n, g, i, h·w): a view where whole rows are seen, else a copy."""
    return array.reshape(*array.shape[:3], prod(array.shape[3:]))


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
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

    several = xp is np and shape.products >= BLOCKS_SHARED
    images = pieces(shape.n, 1 if several else shape.n)
    groups = pieces(shape.g, shape.g, limit() if several and len(images) == 1 else 1)
    share(image, list(product(images, groups)), several)


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

    several = xp is np and shape.products >= BLOCKS_SHARED // 16
    groups = pieces(shape.g, shape.g, limit() if several else 1)
    jobs = list(product(np.ndindex(*shape.taps), groups))
    share(one, jobs, several)
