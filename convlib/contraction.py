"""The sum of a convolution, written three ways: einsum, tensordot, matmul.

All three take the windows (n, g, i, h, w, k, l) and the weight (g, o, i, k, l), and return
(n, g, o, h, w). The letters: n image, g group, i input channel in its group, o output channel
in its group, h w output position, k l kernel position. In 1-d there are w and l alone; in 3-d, d
stands before h w, and j before k l.
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

__all__ = ["METHODS", "contract", "subscripts"]

POSITIONS = {1: "w", 2: "hw", 3: "dhw"}
TAPS = {1: "l", 2: "kl", 3: "jkl"}


def subscripts(axes: int) -> str:
    """Einsum's subscripts for windows and weight with this many spatial axes.

    >>> subscripts(2)
    'ngihwkl,goikl->ngohw'
    """
    position, tap = POSITIONS[axes], TAPS[axes]
    return f"ngi{position}{tap},goi{tap}->ngo{position}"


def by_einsum(xp: ModuleType, windows: Any, weight: Any) -> Any:
    """Say which letters stay; einsum adds up over the others."""
    return xp.einsum(subscripts(weight.ndim - 3), windows, weight, optimize=True)


def by_tensordot(xp: ModuleType, windows: Any, weight: Any) -> Any:
    """One tensordot a group: it sums the axes named, and those that stay come out in order."""
    axes = weight.ndim - 3
    taps = range(-axes, 0)
    outputs = [
        # (n, i, h, w, k, l) · (o, i, k, l) -> (n, h, w, o)
        xp.tensordot(windows[:, g], weight[g], axes=((1, *taps), (1, *taps)))
        for g in range(weight.shape[0])
    ]
    # g × (n, h, w, o) -> (n, g, o, h, w)
    return xp.moveaxis(xp.stack(outputs, axis=1), -1, 2)


def by_matmul(xp: ModuleType, windows: Any, weight: Any) -> Any:
    """Copy the windows into the columns of a matrix (im2col), then multiply matrices."""
    axes = weight.ndim - 3
    n, g, i = windows.shape[:3]
    o = weight.shape[1]
    positions, taps = windows.shape[3 : 3 + axes], weight.shape[3:]
    # (n, g, i, h, w, k, l) -> (n, g, i, k, l, h, w)
    order = (0, 1, 2, *range(3 + axes, 3 + 2 * axes), *range(3, 3 + axes))
    # -> (n, g, i·k·l, h·w): here each window becomes a column, and memory grows k·l times
    columns = windows.transpose(order).reshape(n, g, i * prod(taps), prod(positions))
    # (g, o, i·k·l) @ (n, g, i·k·l, h·w) -> (n, g, o, h·w)
    output = xp.matmul(weight.reshape(g, o, i * prod(taps)), columns)
    # -> (n, g, o, h, w)
    return output.reshape(n, g, o, *positions)


METHODS = {"einsum": by_einsum, "tensordot": by_tensordot, "matmul": by_matmul}


def contract(xp: ModuleType, windows: Any, weight: Any, method: str = "matmul") -> Any:
    r"""Multiply every window with the weight and add up.

    Parameters
    ----------
    xp : module
        numpy or cupy.
    windows : array, shape (n, g, i, h, w, k, l)
    weight : array, shape (g, o, i, k, l)
        Of the same dtype.
    method : {'matmul', 'einsum', 'tensordot'}

    Returns
    -------
    array, shape (n, g, o, h, w)

        .. math:: y_{ngohw} = \sum_{ikl} \text{windows}_{ngihwkl} \, \text{weight}_{goikl}
    """
    if method not in METHODS:
        raise ValueError(f"contract: method must be one of {', '.join(METHODS)}, got {method!r}.")
    return METHODS[method](xp, windows, weight)
