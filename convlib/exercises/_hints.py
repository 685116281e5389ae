"""One line about how a wrong result differs from the right one."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "AXES",
    "CUT_OFF",
    "NONE_HERE",
    "NO_NUMBERS",
    "brief",
    "difference",
    "equal",
    "line",
    "poorer",
    "shape_hint",
]

TOLERANCE = 1e-6
NONE_HERE = "your function returns None here: is there a path without return?"
NO_NUMBERS = (
    "an array of this call holds no numbers, as a batch of no images does. Of 0 numbers, reshape "
    "can't work out what -1 stands for, and 0 arrays can't be stacked: give the whole shape yourself."
)
CUT_OFF = "right for whole numbers. The array that you fill holds integers, and cuts the rest off."
AXES = {
    "n": "batch",
    "g": "number of groups",
    "i": "number of input channels",
    "o": "number of output channels",
    "d": "depth",
    "h": "height",
    "w": "width",
    "j": "kernel depth",
    "k": "kernel height",
    "l": "kernel width",
}


def equal(one: Any, other: Any) -> bool:
    """Tell whether two results are the same up to rounding: one shape, and close numbers."""
    try:
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape:
            return False
        if one.dtype.kind not in "biufc" or other.dtype.kind not in "biufc":
            return bool(np.array_equal(one, other))
        finite = np.abs(other[np.isfinite(other)])
        scale = float(finite.max()) if finite.size else 0.0
        return bool(np.allclose(one, other, TOLERANCE, TOLERANCE * scale, equal_nan=True))
    except (TypeError, ValueError):  # ragged lists, objects
        return False


def poorer(got: Any, must: Any) -> str:
    """Say how the kind of a result falls short of the right one, whose numbers it has."""
    one, other = np.asarray(got).dtype, np.asarray(must).dtype
    if other.kind in "iu" and one.kind == "f":
        return (
            "the numbers are right, but some are floats, such as 3.0, and a count must be an "
            "integer: use // in place of /, or int."
        )
    if isinstance(must, np.ndarray) and other.kind == "f":
        if one.kind == "f" and one.itemsize < other.itemsize:
            return (
                f"your result is of {one}, which keeps fewer digits than the {other} that went "
                "in. Give the array that you fill the dtype of the input."
            )
        if one.kind not in "biuf":
            return f"the numbers are right, but their dtype is {one}, and must be {other}."
    return ""


def difference(got: Any, must: Any, axes: str = "") -> str:
    """Say in one line how a result differs from the right one. `axes` names those of an array."""
    if isinstance(must, np.ndarray):
        if not isinstance(got, (np.ndarray, np.generic)):
            return f"your function returns a {type(got).__name__}, and must return a NumPy array."
        return _array_difference(np.asarray(got), must, axes)
    if isinstance(must, (tuple, list)):
        if not isinstance(got, (tuple, list)):
            return f"your function returns {brief(got)}, and must return {len(must)} values."
        if len(got) != len(must):
            return f"your function returns {len(got)} values, and must return {len(must)}."
        if any(isinstance(part, np.ndarray) for part in must):
            wrong = (
                (a, b, position)
                for position, (a, b) in enumerate(zip(got, must, strict=True))
                if not equal(a, b)
            )
            a, b, position = next(wrong)
            return f"result {position + 1}: {difference(a, b)}"
    return f"your function returns {brief(got)}, and must return {brief(must)}."


def _array_difference(got: np.ndarray, must: np.ndarray, axes: str) -> str:
    if got.ndim != must.ndim:
        letters = f" ({', '.join(axes)})" if len(axes) == must.ndim else ""
        return f"your result has {got.ndim} axes, and must have {must.ndim}{letters}."
    if got.shape != must.shape:
        return shape_hint(got.shape, must.shape, axes)
    if got.dtype.kind not in "biufc":
        return f"your result has dtype {got.dtype}, and must hold numbers."
    if must.any() and not got.any():
        return "every number is 0. Is the sum ever written into the result?"
    wrong = ~np.isclose(got, must, TOLERANCE, TOLERANCE * np.abs(must).max(initial=0))
    where = tuple(int(position) for position in np.argwhere(wrong)[0])
    return (
        f"the shape is right, but {int(wrong.sum())} of {wrong.size} numbers differ, first at "
        f"{list(where)}: yours is {_number(got[where])}, it must be {_number(must[where])}."
    )


def shape_hint(got: tuple[int, ...], must: tuple[int, ...], axes: str = "") -> str:
    """Name the first axis whose size is wrong, and the likely reason."""
    shapes = f" (yours {got}, right {must})"
    if sorted(got) == sorted(must):
        return f"the sizes are right, but the axes are in another order{shapes}."
    axis = next(a for a, (one, other) in enumerate(zip(got, must, strict=True)) if one != other)
    letter = axes[axis] if len(axes) == len(must) else ""
    name = AXES.get(letter, f"axis {axis}")
    more = got[axis] - must[axis]
    if letter in ("d", "h", "w") and more == -1:
        return f"your {name} is one short: is the last window dropped?{shapes}"
    if letter in ("d", "h", "w") and more == 1:
        return f"your {name} is one too long: does the last window hang over the edge?{shapes}"
    return f"your {name} is {got[axis]}, and must be {must[axis]}{shapes}."


def line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if len(text) > 160:
        text = text[:157] + "..."
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."


def brief(value: Any) -> str:
    """Show a result in a few words; an object whose repr is an address by its type alone."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and value.bit_length() > 1000:
        return "a number of hundreds of digits"  # Python does not write all of them
    if value is None or isinstance(value, (bool, int, float, complex, str, tuple, list)):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a {type(value).__name__}"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float, np.number)) else str(value)
