r"""Through the frequencies: for large kernels.

A correlation is a product in frequency: :math:`\hat y = \sum_i \hat x_i \, \overline{\hat w_i}`. The
transforms cost as much for a kernel of 3×3 as for one of 31×31, and the sum over channels is one
product a frequency instead of one a tap. So it pays for kernels of hundreds of taps.

A finite transform is of a period. With a period of the padded input's length, no window that fits
the input wraps round the end: those that do are not kept. A dilated kernel gets its zeros, and with
a stride, windows are computed at all positions and most are dropped.

Source: M. Mathieu, M. Henaff and Y. LeCun, *Fast training of convolutional networks through FFTs*
(2014), arXiv:1312.5851.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .steps import Steps, shape_of
from .threads import BLOCKS_SHARED, limit, pieces, share


def fast_length(least: int) -> int:
    """Return the least length from `least` on with no prime factor above 5."""
    length = max(least, 1)
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1


class Period:
    """The transforms of one convolution, all of one length an axis."""

    def __init__(self, xp: ModuleType, x: Any, steps: Steps, several: bool):
        self.xp, self.dtype, self.several = xp, x.dtype, several
        self.padded = tuple(n + sum(p) for n, p in zip(x.shape[3:], steps.padding, strict=True))
        self.lengths = tuple(fast_length(n) for n in self.padded)
        self.axes = tuple(range(-len(self.lengths), 0))
        self.real = x.dtype.kind == "f"
        self.complex = np.result_type(x.dtype, np.complex64)
        last = self.lengths[-1] // 2 + 1 if self.real else self.lengths[-1]
        self.frequencies = (*self.lengths[:-1], last)

    def of(self, array: Any, at: tuple[slice, ...]) -> Any:
        """Transform (a, b, c, H, W), its cells put `at` places of zeros: (f, a, b, c)."""
        xp = self.xp
        lead = array.shape[:3]
        result = xp.empty((prod(self.frequencies), *lead), self.complex)

        def some(first: int, rest: slice) -> None:
            cells = xp.zeros((lead[1], rest.stop - rest.start, *self.lengths), self.dtype)
            cells[(slice(None), slice(None), *at)] = array[first, :, rest]
            transform = xp.fft.rfftn if self.real else xp.fft.fftn
            values = transform(cells, s=self.lengths, axes=self.axes)
            # (b, c, fh, fw) -> (f, b, c)
            result[:, first, :, rest] = xp.moveaxis(values.reshape(*cells.shape[:2], -1), -1, 0)

        self.share(some, lead)
        return result

    def back(self, values: Any) -> Any:
        """(f, a, b, c) -> (a, b, c, H, W)."""
        xp = self.xp
        lead = values.shape[1:]
        result = xp.empty((*lead, *self.lengths), self.dtype)

        def some(first: int, rest: slice) -> None:
            mine = xp.ascontiguousarray(xp.moveaxis(values[:, first, :, rest], 0, -1))
            mine = mine.reshape(lead[1], rest.stop - rest.start, *self.frequencies)
            transform = xp.fft.irfftn if self.real else xp.fft.ifftn
            result[first, :, rest] = transform(mine, s=self.lengths, axes=self.axes)

        self.share(some, lead)
        return result

    def share(self, some: Callable[[int, slice], None], lead: tuple[int, int, int]) -> None:
        """Call `some` for each a, and for parts of c where there is one a alone."""
        a, _, c = lead
        parts = pieces(c, c, limit() if self.several and a == 1 else 1)
        share(some, [(first, rest) for first in range(a) for rest in parts], self.several)


def _every(size: tuple[int, ...], steps: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, (n - 1) * s + 1, s) for n, s in zip(size, steps, strict=True))


def _inner(size: tuple[int, ...], steps: Steps) -> tuple[slice, ...]:
    return tuple(slice(p[0], p[0] + n) for n, p in zip(size, steps.padding, strict=True))


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    shape = shape_of(x, w, out)
    period = Period(xp, x, steps, xp is np and shape.products >= BLOCKS_SHARED)
    # (f, n, g, i), and the conjugate's transform of a kernel spread by its dilation: (f, g, o, i)
    image = period.of(x, _inner(x.shape[3:], steps))
    kernel = period.of(w.conj(), _every(shape.taps, steps.dilation)).conj()
    # (f, g, n, i) @ (f, g, i, o) -> (f, g, n, o) -> (f, n, g, o)
    y = xp.matmul(image.swapaxes(1, 2), kernel.swapaxes(2, 3)).swapaxes(1, 2)
    out[...] = period.back(y)[(..., *_every(shape.positions, steps.stride))]


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    shape = shape_of(x, out, gy)
    period = Period(xp, x, steps, xp is np and shape.products >= BLOCKS_SHARED)
    # the roles of stride and dilation change: the gradient is spread, and every d-th lag is kept
    image = period.of(x, _inner(x.shape[3:], steps))
    gradient = period.of(gy.conj(), _every(shape.positions, steps.stride)).conj()
    # (f, n, g, o) -> (f, g, o, n), and (f, n, g, i) -> (f, g, n, i): -> (f, g, o, i)
    w = xp.matmul(xp.moveaxis(gradient, 1, 3), image.swapaxes(1, 2))
    out[...] = period.back(w)[(..., *_every(shape.taps, steps.dilation))]
