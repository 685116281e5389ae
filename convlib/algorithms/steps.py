"""What every algorithm needs to know of one convolution, beyond its arrays."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from math import gcd, prod
from types import ModuleType
from typing import Any, NamedTuple

from ..padding import pad_zeros
from ..windows import strided_windows


@cache
def is_available() -> bool:
    """Tell whether Numba is installed, and can be used. It is imported when the first call asks."""
    if find_spec("numba") is None:
        return False
    try:
        from numba import config
    except Exception:  # it is not made for this NumPy, or an interrupt has left it half imported
        return False
    return not config.DISABLE_JIT


@cache
def with_numba(name: str) -> Any:
    """Import a module that needs Numba, when a call first needs it."""
    return import_module(f".{name}", __package__)


class Steps(NamedTuple):
    """Strides, padding and dilations that are checked already, one entry a spatial axis."""

    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # (before, after), none negative
    dilation: tuple[int, ...]


class Shape(NamedTuple):
    """The sizes of one convolution: n images, g groups, i to o channels, positions, taps."""

    n: int
    g: int
    i: int
    o: int
    positions: tuple[int, ...]  # (h, w)
    taps: tuple[int, ...]  # (k, l)

    @property
    def products(self) -> int:
        """Multiplications of the direct sum."""
        return _products(self)


@lru_cache(maxsize=1024)
def _products(shape: Shape) -> int:
    n, g, i, o, positions, taps = shape
    return n * g * i * o * prod(positions) * prod(taps)


@lru_cache(maxsize=1024)
def sizes_in(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...]) -> Shape:
    """Read the sizes off the shapes (n, g, i, H, W), (g, o, i, k, l) and (n, g, o, h, w)."""
    return Shape(x[0], x[1], x[2], w[1], y[3:], w[3:])


def shape_of(x: Any, w: Any, y: Any) -> Shape:
    """The same of the arrays."""
    return sizes_in(x.shape, w.shape, y.shape)


@lru_cache(maxsize=1024)
def is_bare(shape: Shape, steps: Steps) -> bool:
    """Tell whether windows are single cells of the input: one tap and no padding."""
    return prod(shape.taps) == 1 and not any(map(any, steps.padding))


def is_pointwise(shape: Shape, steps: Steps) -> bool:
    """Tell whether the columns are the input itself: one tap, no stride, no padding."""
    return max(steps.stride) == 1 and is_bare(shape, steps)


def is_depthwise(shape: Shape, steps: Steps) -> bool:
    """Tell whether `depthwise.py` has a loop for this: 3×3, one channel a group, along w stride 1 or 2."""
    return (
        shape.i == shape.o == 1
        and shape.taps == (3, 3)
        and steps.dilation == (1, 1)
        and steps.stride[1] <= 2
    )


@lru_cache(maxsize=1024)
def one_tap_a_cell(taps: tuple[int, ...], steps: Steps) -> bool:
    """Tell whether each cell of an input is reached by one tap at most.

    The taps that reach one phase of a stride are every (s / gcd(s, d))-th: see `turned.py`.
    """
    axes = zip(taps, steps.stride, steps.dilation, strict=True)
    return all(k <= s // gcd(s, d) for k, s, d in axes)


def cells_read(
    x: tuple[int, ...], at: tuple[slice, ...], taps: tuple[int, ...], steps: Steps
) -> tuple[tuple[slice, ...], tuple[tuple[int, int], ...]]:
    """Say which cells of an input (H, W) the positions `at` read, and what padding they see.

    Positions a..b read from cell a·s - before to (b - 1)·s - before + d·(k - 1), both counted.
    """
    cells, pairs = [], []
    for size, m, k, s, (before, _), d in zip(
        x, at, taps, steps.stride, steps.padding, steps.dilation, strict=True
    ):
        first = m.start * s - before
        end = (m.stop - 1) * s - before + d * (k - 1) + 1
        inside = slice(min(max(first, 0), size), max(min(end, size), 0))
        if inside.stop <= inside.start:  # nothing but padding
            cells.append(slice(0, 0))
            pairs.append((end - first, 0))
        else:
            cells.append(inside)
            pairs.append((inside.start - first, end - inside.stop))
    return tuple(cells), tuple(pairs)


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


def edges_of(outputs: tuple[slice, ...], counts: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Say which of so many positions are not among `outputs`, which see cells: an edge each."""
    edges = []
    for axis, (part, count) in enumerate(zip(outputs, counts, strict=True)):
        for edge in (slice(0, part.start), slice(part.stop, count)):
            if edge.stop > edge.start:
                whole = (slice(None),) * (len(counts) - axis - 1)
                edges.append((*outputs[:axis], edge, *whole))
    return edges


def padded_windows(
    xp: ModuleType, x: Any, taps: tuple[int, ...], positions: tuple[int, ...], steps: Steps
) -> Any:
    """View the windows of an array that is not yet padded: (n, g, i, H, W) -> ngihwkl."""
    padded = pad_zeros(xp, x, steps.padding)
    windows = strided_windows(xp, padded, taps, steps.stride, steps.dilation)
    # an output_padding may leave room for more windows, which nothing was spread from
    return windows[(slice(None),) * 3 + tuple(map(slice, positions))]
