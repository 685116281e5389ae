"""The input's gradient as forward passes: kernels turned round, and one pass for each phase.

With stride 1, each input cell gets from the outputs around it what the outputs took from it: that
is a convolution of the output's gradient, with i and o exchanged and the kernel turned by 180°.

With stride s, an input cell at y (counted in the padded input) is reached by the taps k with
y - k·d a multiple of s. Cells of one phase r = y mod s share these taps: every (s / gcd(s, d))-th.
So the gradient falls apart into one stride-1 convolution a phase, each with a part of the kernel,
whose results interleave. Together the parts hold each tap once: no zeros are inserted, no product
is wasted, and every forward algorithm is an input gradient, and a transposed convolution, as well.

With y = s·u + r and k = k0 + j·s/gcd(s, d), the outputs met are
h = u - (k0·d - r)/s - j·d/gcd(s, d): dilation d/gcd, and k0 says where the first one lies.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import gcd, prod
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .steps import Steps
from .threads import pieces

TAPS = 9  # of a kernel whose copy is the slower for being cut
FEW = 4  # channels copied at a time, of one with more


class Phase(NamedTuple):
    """One axis, one phase: which cells, which taps, and the forward pass that joins them."""

    cells: slice  # of the unpadded input's gradient
    taps: slice | None  # None where no tap reaches these cells
    outputs: slice  # the output gradients that are read
    padding: tuple[int, int]
    dilation: int


def phases_of(size: int, positions: int, k: int, s: int, before: int, d: int) -> list[Phase]:
    """Part one axis of the input, `size` cells, into its phases."""
    found = []
    step = s // gcd(s, d)
    for r in range(min(s, size)):
        # the cells r, r + s, … of the input; in the padded one they stand at r + before
        cells = slice(r, size, s)
        count = len(range(size)[cells])
        k0 = next((t for t in range(min(step, k)) if (r + before - t * d) % s == 0), None)
        if k0 is None or not positions:
            found.append(Phase(cells, None, slice(0), (0, 0), 1))
            continue
        taps = slice(k0, k, step)
        number = len(range(k)[taps])
        dilation = d // gcd(s, d)
        # the turned kernel begins with the last tap, which meets output `first` at cell 0
        first = (r + before - k0 * d) // s - (number - 1) * dilation
        end = first + count - 1 + (number - 1) * dilation + 1
        lo, hi = min(max(first, 0), positions), max(min(end, positions), 0)
        if lo >= hi:
            found.append(Phase(cells, None, slice(0), (0, 0), 1))
            continue
        found.append(Phase(cells, taps, slice(lo, hi), (lo - first, end - hi), dilation))
    return found


class Part(NamedTuple):
    """One phase of all axes: a forward pass."""

    cells: tuple[slice, ...]  # of the gradient (H, W)
    taps: tuple[slice, ...]  # (k, l); none where no tap reaches these cells
    outputs: tuple[slice, ...]  # (h, w)
    steps: Steps


def parts_of(
    size: tuple[int, ...], positions: tuple[int, ...], taps: tuple[int, ...], steps: Steps
) -> list[Part]:
    """Part the gradient of an input (H, W) into forward passes over gradients of outputs (h, w)."""
    of_axes = zip(size, positions, taps, *steps, strict=True)
    by_axis = [phases_of(n, m, k, s, before, d) for n, m, k, s, (before, _), d in of_axes]
    found = []
    for phase in product(*by_axis):
        slices = tuple(p.taps for p in phase if p.taps is not None)
        reached = len(slices) == len(phase)
        ones, padding = (1,) * len(phase), tuple(p.padding for p in phase)
        inner = Steps(ones, padding, tuple(p.dilation for p in phase))
        cells, outputs = tuple(p.cells for p in phase), tuple(p.outputs for p in phase)
        found.append(Part(cells, slices if reached else (), outputs, inner))
    return found


def turned(w: Any, taps: tuple[slice, ...]) -> Any:
    """View some taps of a weight, turned round: (g, o, i, k, l) -> (g, i, o, l', k')."""
    return w.swapaxes(1, 2)[(..., *taps)][(..., *(slice(None, None, -1),) * len(taps))]


def in_order(xp: ModuleType, kernel: Any) -> Any:
    """Copy a kernel (g, i, o, l', k') that is turned round.

    For each i, its neighbours in memory are read, of all o, and of the next i the next ones. With many
    taps these have left the cache by then, unless there are few o at a time.
    """
    if xp is not np or prod(kernel.shape[3:]) <= TAPS:
        return xp.ascontiguousarray(kernel)
    copied = np.empty(kernel.shape, kernel.dtype)
    for some in pieces(kernel.shape[2], FEW):
        copied[:, :, some] = kernel[:, :, some]
    return copied


def input_gradient(
    forward: Callable[..., None],
    xp: ModuleType,
    gy: Any,
    w: Any,
    out: Any,
    steps: Steps,
    views: bool = False,
) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W), by any forward algorithm.

    With `views`, it is one that copies a kernel itself, if it is to be read in order.
    """
    for part in parts_of(out.shape[3:], gy.shape[3:], w.shape[3:], steps):
        target = out[(..., *part.cells)]
        if not part.taps or 0 in gy.shape:
            target[...] = 0
            continue
        kernel = turned(w, part.taps)
        if prod(kernel.shape[3:]) > 1 and not views:  # a matrix is read as well from its transpose
            kernel = in_order(xp, kernel)
        y = gy[(..., *part.outputs)]
        if target.flags.c_contiguous:
            forward(xp, y, kernel, target, part.steps)
        else:
            result = xp.empty(target.shape, out.dtype)
            forward(xp, y, kernel, result, part.steps)
            target[...] = result
