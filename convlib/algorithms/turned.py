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

from .steps import Steps


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


def input_gradient(
    forward: Callable[..., None],
    xp: ModuleType,
    gy: Any,
    w: Any,
    out: Any,
    steps: Steps,
    of_views: bool = False,
) -> None:
    """(n, g, o, h, w) and (g, o, i, k, l) to (n, g, i, H, W), by any forward algorithm.

    One that takes `of_views` reads and writes arrays that do not lie in one piece.
    """
    axes = len(steps.stride)
    # i and o change places, and each tap axis is turned round: (g, o, i, k, l) -> (g, i, o, l', k')
    turned = w.swapaxes(1, 2)
    by_axis = [
        phases_of(size, m, k, s, before, d)
        for size, m, k, s, (before, _), d in zip(
            out.shape[3:],
            gy.shape[3:],
            w.shape[3:],
            steps.stride,
            steps.padding,
            steps.dilation,
            strict=True,
        )
    ]
    for phase in product(*by_axis):
        target = out[(..., *(p.cells for p in phase))]
        if any(p.taps is None for p in phase) or 0 in gy.shape:
            target[...] = 0
            continue
        kernel = turned[(..., *(p.taps for p in phase))]
        kernel = kernel[(..., *(slice(None, None, -1),) * axes)]
        if (
            prod(kernel.shape[3:]) > 1 and not of_views
        ):  # a matrix is read as well from its transpose
            kernel = xp.ascontiguousarray(kernel)
        y = gy[(..., *(p.outputs for p in phase))]
        inner = Steps(
            (1,) * axes, tuple(p.padding for p in phase), tuple(p.dilation for p in phase)
        )
        if of_views or target.flags.c_contiguous:
            forward(xp, y, kernel, target, inner)
        else:
            result = xp.empty(target.shape, out.dtype)
            forward(xp, y, kernel, result, inner)
            target[...] = result
