"""The sum of a convolution, written three ways, and its two gradients, which are sums as well.

Forward, windows (n, g, i, h, w, k, l) and weight (g, o, i, k, l) give (n, g, o, h, w). The letters:
n image, g group, i input channel in its group, o output channel in its group, h w output position,
k l kernel position. In 1-d there are w and l alone; in 3-d, d stands before h w, and j before k l.
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

__all__ = ["METHODS", "contract", "contract_weight", "contract_windows", "subscripts"]

POSITIONS = {1: "w", 2: "hw", 3: "dhw"}
TAPS = {1: "l", 2: "kl", 3: "jkl"}


def subscripts(axes: int) -> str:
    """Einsum's subscripts for windows and weight with this many spatial axes.

    >>> subscripts(2)
    'ngihwkl,goikl->ngohw'
    """
    position, tap = POSITIONS[axes], TAPS[axes]
    return f"ngi{position}{tap},goi{tap}->ngo{position}"


def check_letters(function: str, axes: int, windows: Any, weight: Any, output: Any) -> None:
    """Check that one letter has one size, in those of the three arrays that are given.

    A reshape asks for equal products alone: k l of 2 and 3 would pass for 3 and 2.
    """

    def refused(must: str) -> ValueError:
        shapes = ", ".join(str(a.shape) for a in (windows, weight, output) if a is not None)
        return ValueError(f"{function}: {must}, got shapes {shapes}.")

    if axes not in TAPS:
        raise refused("there must be 1, 2 or 3 spatial axes")
    sizes: dict[str, int] = {}
    terms = subscripts(axes).replace("->", ",").split(",")
    for term, array in zip(terms, (windows, weight, output), strict=True):
        if array is None:
            continue
        if array.ndim != len(term):
            raise refused(f"{term} must have {len(term)} axes, one a letter")
        for letter, size in zip(term, array.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                both = f"{sizes[letter]} and {size}"
                raise refused(f"the letter {letter} must have one size, not {both}")


def by_einsum(xp: ModuleType, windows: Any, weight: Any) -> Any:
    """Say which letters stay; einsum adds up over the others.

    A single group goes without its letter: up to NumPy 2.3, einsum finds no matrix product where a
    letter stands in both arrays and in the result.
    """
    letters = subscripts(weight.ndim - 3)
    if weight.shape[0] != 1:
        return xp.einsum(letters, windows, weight, optimize=True)
    return xp.einsum(letters.replace("g", ""), windows[:, 0], weight[0], optimize=True)[:, None]


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


def by_matmul(xp: ModuleType, windows: Any, weight: Any, out: Any = None) -> Any:
    """Copy the windows into the columns of a matrix (im2col), then multiply matrices."""
    axes = weight.ndim - 3
    n, g, i = windows.shape[:3]
    o = weight.shape[1]
    positions, taps = windows.shape[3 : 3 + axes], weight.shape[3:]
    # (n, g, i, h, w, k, l) -> (n, g, i, k, l, h, w)
    order = (0, 1, 2, *range(3 + axes, 3 + 2 * axes), *range(3, 3 + axes))
    # -> (n, g, i·k·l, h·w): here each window becomes a column, and memory grows k·l times
    columns = windows.transpose(order).reshape(n, g, i * prod(taps), prod(positions))
    if out is not None:
        out = out.reshape(n, g, o, prod(positions))
    # (g, o, i·k·l) @ (n, g, i·k·l, h·w) -> (n, g, o, h·w)
    output = xp.matmul(weight.reshape(g, o, i * prod(taps)), columns, out=out)
    # -> (n, g, o, h, w)
    return output.reshape(n, g, o, *positions)


METHODS = {"einsum": by_einsum, "tensordot": by_tensordot, "matmul": by_matmul}


def contract(
    xp: ModuleType, windows: Any, weight: Any, method: str = "matmul", out: Any = None
) -> Any:
    r"""Multiply every window with the weight and add up.

    Parameters
    ----------
    xp : module
        numpy or cupy.
    windows : array, shape (n, g, i, h, w, k, l)
    weight : array, shape (g, o, i, k, l)
        Of the same dtype.
    method : {'matmul', 'einsum', 'tensordot'}
    out : array, shape (n, g, o, h, w), optional
        Where to put the result, of the same dtype. 'matmul' writes into one that is C-contiguous
        at once; else the result is copied there.

    Returns
    -------
    array, shape (n, g, o, h, w)
        Each output is a sum over its group's channels and the taps. It is `out`, or a view of it,
        if that is given.

        .. math:: y_{ngohw} = \sum_{ikl} \text{windows}_{ngihwkl} \, \text{weight}_{goikl}

    Raises
    ------
    ValueError
        If there is no such method, if a letter has two sizes or an array another number of axes
        than letters, or if there are not 1, 2 or 3 spatial axes: a weight of 4, 5 or 6 axes.
    """
    if method not in METHODS:
        raise ValueError(f"contract: method must be one of {', '.join(METHODS)}, got {method!r}.")
    check_letters("contract", weight.ndim - 3, windows, weight, out)
    if method == "matmul" and (out is None or out.flags.c_contiguous):
        return by_matmul(xp, windows, weight, out)
    output = METHODS[method](xp, windows, weight)
    if out is None:
        return output
    out[...] = output
    return out


def contract_windows(xp: ModuleType, grad_output: Any, weight: Any) -> Any:
    r"""Gradient of `contract` for the windows: each output cell times the weight it met.

    Parameters
    ----------
    xp : module
        numpy or cupy.
    grad_output : array, shape (n, g, o, h, w)
    weight : array, shape (g, o, i, k, l)
        Of the same dtype.

    Returns
    -------
    array, shape (n, g, i, h, w, k, l)
        In memory the axes stand as n g i k l h w, so that the values of one tap lie together.

        .. math::
            \text{windows}_{ngihwkl} = \sum_{o} \mathrm{grad\_output}_{ngohw} \,
            \text{weight}_{goikl}

        For complex numbers, pass the weight's conjugate.

    Raises
    ------
    ValueError
        If shapes do not fit together, as in `contract`.
    """
    axes = weight.ndim - 3
    check_letters("contract_windows", axes, None, weight, grad_output)
    n, (g, o, i), taps = len(grad_output), weight.shape[:3], weight.shape[3:]
    positions = grad_output.shape[3:]
    # (g, o, i, k, l) -> (g, i·k·l, o)
    matrix = weight.reshape(g, o, i * prod(taps)).swapaxes(1, 2)
    # (g, i·k·l, o) @ (n, g, o, h·w) -> (n, g, i·k·l, h·w)
    columns = xp.matmul(matrix, grad_output.reshape(n, g, o, prod(positions)))
    # -> (n, g, i, k, l, h, w) -> (n, g, i, h, w, k, l)
    order = (0, 1, 2, *range(3 + axes, 3 + 2 * axes), *range(3, 3 + axes))
    return columns.reshape(n, g, i, *taps, *positions).transpose(order)


def contract_weight(xp: ModuleType, windows: Any, grad_output: Any, out: Any = None) -> Any:
    r"""Gradient of `contract` for the weight: it meets every window of every image.

    Parameters
    ----------
    xp : module
        numpy or cupy.
    windows : array, shape (n, g, i, h, w, k, l)
    grad_output : array, shape (n, g, o, h, w)
        Of the same dtype.
    out : array, shape (g, o, i, k, l), optional
        Where to put the result: of the same dtype. One that is C-contiguous is written into at once.

    Returns
    -------
    array, shape (g, o, i, k, l)
        Each weight's sum over the images and the places of the window.

        .. math::
            \text{weight}_{goikl} = \sum_{nhw} \mathrm{grad\_output}_{ngohw} \,
            \text{windows}_{ngihwkl}

        For complex numbers, pass the windows' conjugate.

    Raises
    ------
    ValueError
        If shapes do not fit together, as in `contract`.
    """
    axes = grad_output.ndim - 3
    check_letters("contract_weight", axes, windows, out, grad_output)
    if out is not None and not out.flags.c_contiguous:
        out[...] = contract_weight(xp, windows, grad_output)
        return out
    n, g, i = windows.shape[:3]
    o, positions, taps = grad_output.shape[2], windows.shape[3 : 3 + axes], windows.shape[-axes:]
    cells = n * prod(positions)
    # (n, g, i, h, w, k, l) -> (g, i, k, l, n, h, w) -> (g, i·k·l, n·h·w)
    order = (1, 2, *range(3 + axes, 3 + 2 * axes), 0, *range(3, 3 + axes))
    columns = windows.transpose(order).reshape(g, i * prod(taps), cells)
    # (n, g, o, h, w) -> (g, o, n, h, w) -> (g, o, n·h·w)
    rows = xp.moveaxis(grad_output, 0, 2).reshape(g, o, cells)
    if out is not None:
        out = out.reshape(g, o, i * prod(taps))
    # (g, o, n·h·w) @ (g, n·h·w, i·k·l) -> (g, o, i·k·l)
    weight = xp.matmul(rows, columns.swapaxes(1, 2), out=out)
    # -> (g, o, i, k, l)
    return weight.reshape(g, o, i, *taps)
