"""Depthwise convolution of narrow rows: a row times a band matrix.

Along one row, a convolution is a matrix product: y = x · B, where column w of B (W, w) holds the
kernel's row, shifted to the cells that window w reads, and zeros elsewhere: a band. Taps outside of
the row fall out of the matrix, so there is no padding. Rows of the kernel add up:

    y[h, :] = sum over k of  x[h·s + k·d - p, :] · B[k],    B[k][w·s + l·d - p, w] = weight[k, l]

Most of B is zeros, so this multiplies W/l times as often as the direct sum. BLAS multiplies so much
faster than NumPy adds and multiplies arrays element by element that for rows up to some 40 cells
the band wins. Only for one channel a group.

Source: the band matrix is the Toeplitz matrix of R. Gray, *Toeplitz and circulant matrices* (2006).
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .im2col import weight_gradient
from .steps import Steps, seen, shape_of
from .threads import BLOCKS_SHARED, limit, pieces, share

CELLS = 1 << 16  # values of the bands of one block

__all__ = ["forward", "weight_gradient"]  # the latter is im2col's: it has nothing to gain here


def bands_of(xp: ModuleType, w: Any, width: int, m: int, steps: Steps) -> Any:
    """Write each row of the kernels as a band: (c, 1, 1, k, l) -> (c, k, W, w)."""
    bands = xp.zeros((len(w), *w.shape[3:-1], width, m), w.dtype)
    row = Steps(steps.stride[-1:], steps.padding[-1:], steps.dilation[-1:])
    flat = bands.reshape(*bands.shape[:-2], width * m)
    for l in range(w.shape[-1]):
        (outputs,), (cells,) = seen((l,), (width,), (m,), row)
        # window w reads cell w·s + l·d - p: in (W, w), flattened, one step down a row and s right
        start = cells.start * m + outputs.start
        steps_taken = outputs.stop - outputs.start
        stride = steps.stride[-1] * m + 1
        end = start + (steps_taken - 1) * stride + 1 if steps_taken else start
        flat[..., start:end:stride] = w[:, 0, 0, ..., l, None]
    return bands


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, c, 1, H, W) and (c, 1, 1, k, l) to (n, c, 1, h, w)."""
    shape = shape_of(x, w, out)
    if len(shape.taps) == 1:  # a signal is an image of one row
        one = Steps((1, *steps.stride), ((0, 0), *steps.padding), (1, *steps.dilation))
        row = (..., None, slice(None))
        return forward(xp, x[row], w[row], out[row], one)
    rows = Steps(steps.stride[:-1], steps.padding[:-1], steps.dilation[:-1])
    width, m = x.shape[-1], out.shape[-1]

    def some(channels: slice) -> None:
        bands = bands_of(xp, w[channels], width, m, steps)
        y = out[:, channels, 0]
        y[...] = 0
        for tap in np.ndindex(*shape.taps[:-1]):
            outputs, cells = seen(tap, x.shape[3:-1], shape.positions[:-1], rows)
            # (n, c, h, W) @ (c, W, w) -> (n, c, h, w); in 3-d, (n, c, d, h, W) @ (c, 1, W, w)
            band = bands[(slice(None), *tap)]
            band = band.reshape(len(band), *(1,) * (len(outputs) - 1), width, m)
            y[(..., *outputs, slice(None))] += xp.matmul(
                x[(slice(None), channels, 0, *cells)], band
            )

    several = xp is np and shape.products >= BLOCKS_SHARED // 16
    room = max(CELLS // max(width * m * prod(shape.taps[:-1]), 1), 1) if xp is np else shape.g
    jobs = [(part,) for part in pieces(shape.g, room, limit() if several else 1)]
    share(some, jobs, several)
