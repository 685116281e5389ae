"""Settings as PyTorch spells them: each parameter by itself is checked here, and the checked whole.

A refusal is a ValueError or a TypeError and reads as a sentence: the function, the parameter, the
value given, what it must be. It is raised from integers and shapes, before any array is read.
How shapes and settings must fit together, in a whole call, is in `checks`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from typing import Any

import numpy as np

Ints = int | Sequence[int]

LARGEST = 2**63 - 1
INTS = frozenset([int])
PLAIN = 5  # arguments of a check that are so by construction: a name, the axes, three shapes


def is_plain(value: Any) -> bool:
    """Tell whether a value is a str, an int, None or a tuple of int, and nothing that equals one.

    1, True and 1.0 are equal, but only one of them is an integer setting.

    >>> [is_plain(value) for value in (1, (1, 2), "same", True, (1, 2.0), [1, 2])]
    [True, True, True, False, False, False]
    """
    kind = type(value)
    if kind is tuple:
        return INTS.issuperset(map(type, value))
    return kind is int or kind is str or value is None


def made_plain(value: Any) -> Any:
    """Return what means the same and is plain: a tuple for a list, and int for NumPy's integers.

    What is no setting comes back as it is.

    >>> made_plain([1, 2]), made_plain([1, 2.0])
    ((1, 2), [1, 2.0])
    """
    parts = value if isinstance(value, (tuple, list)) else (value,)
    if not all(type(part) is int or isinstance(part, np.integer) for part in parts):
        return value
    try:
        numbers = tuple(map(operator.index, parts))
    except TypeError:  # a timedelta64 is an integer of NumPy's
        return value
    return numbers if parts is value else numbers[0]


def remembered(check: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a check answers, for the next call with the same arguments: layers repeat.

    Only answers are kept, no refusals, and only for arguments that are plain, or can be made so. The
    first `PLAIN` are.
    """
    known = lru_cache(maxsize=1024)(check)

    @wraps(check)
    def checked(*arguments: Any) -> Any:
        for value in arguments[PLAIN:]:
            if type(value) is not int and not is_plain(value):
                return spelled_otherwise(*arguments)
        return known(*arguments)

    def spelled_otherwise(*arguments: Any) -> Any:
        plain = (*arguments[:PLAIN], *map(made_plain, arguments[PLAIN:]))
        if all(map(is_plain, plain[PLAIN:])):
            with suppress(TypeError, ValueError):
                return known(*plain)
        return check(*arguments)  # a refusal shows what was given

    return checked


def integer(function: str, name: str, value: Any) -> int:
    """Return `value` as a Python int. NumPy integers count as integers, bools and floats do not."""
    if type(value) is not int:
        if type(value).__name__ in ("bool", "bool_"):  # NumPy's too: "bool_" before NumPy 2
            raise TypeError(f"{function}: {name} must be an integer, got {value!r}.")
        try:
            value = int(operator.index(value))
        except TypeError:
            raise TypeError(f"{function}: {name} must be an integer, got {value!r}.") from None
    if not -LARGEST - 1 <= value <= LARGEST:
        raise ValueError(f"{function}: {name} must fit into 64 bits, got {value}.")
    return value


def integers(
    function: str,
    name: str,
    value: Any,
    axes: int,
    least: int | None = None,
    one_for_all: bool = True,
) -> tuple[int, ...]:
    """Return a setting as a tuple with one int an axis.

    An int goes with every axis; so does a one-element tuple or list, unless `one_for_all` is False.
    """
    if type(value) is int and least is not None and least <= value <= LARGEST:
        return (value,) * axes  # the usual case, at once
    listed = isinstance(value, (tuple, list))
    numbers = tuple(integer(function, name, part) for part in (value if listed else (value,)))
    if len(numbers) == 1 and (one_for_all or not listed):
        numbers *= axes
    if len(numbers) != axes:
        raise ValueError(
            f"{function}: {name} must be one integer or {axes}, one for each spatial axis, "
            f"got {value!r}."
        )
    if least is not None and min(numbers, default=least) < least:
        raise ValueError(f"{function}: {name} must be at least {least}, got {value!r}.")
    return numbers


def shape(function: str, name: str, value: Any) -> tuple[int, ...]:
    """Return a shape as a tuple of ints."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{function}: {name} must be a tuple of integers, got {value!r}.")
    sizes = tuple(integer(function, name, part) for part in value)
    if min(sizes, default=0) < 0:
        raise ValueError(f"{function}: {name} must not be negative, got {value!r}.")
    return sizes


def check_shape(function: str, name: str, actual: tuple, required: tuple) -> None:
    """Check that an array has the one shape that fits the other arguments."""
    if actual != required:
        raise ValueError(
            f"{function}: {name} must have shape {required}, which the other arguments give, "
            f"got {actual}."
        )


@dataclass(frozen=True, eq=False)
class Settings:
    """The checked settings of one call, one entry a spatial axis.

    Compared by identity (eq=False), so that caches find what follows from them without hashing nine
    fields.
    """

    function: str  # which was called, for refusals
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # (before, after)
    dilation: tuple[int, ...]
    groups: int
    image: tuple[int, ...]  # the input's channels and spatial sizes, without the batch
    maps: tuple[int, ...]  # the output's, without the batch
    batch: tuple[int, ...]  # (N,), or () without a batch

    @cached_property
    def is_dilated(self) -> bool:
        """Whether taps are apart."""
        return max(self.dilation) > 1

    @cached_property
    def input_shape(self) -> tuple[int, ...]:
        """The input's whole shape."""
        return self.batch + self.image

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """The output's whole shape."""
        return self.batch + self.maps

    @cached_property
    def grouped_input_shape(self) -> tuple[int, ...]:
        """The input's shape with its channels in groups: (n, g, i, H, W)."""
        g, (channels, *size) = self.groups, self.image
        return (*(self.batch or (1,)), g, channels // g, *size)

    @cached_property
    def grouped_output_shape(self) -> tuple[int, ...]:
        """The output's shape with its channels in groups: (n, g, o, h, w)."""
        g, (channels, *size) = self.groups, self.maps
        return (*(self.batch or (1,)), g, channels // g, *size)

    @cached_property
    def grouped_weight_shape(self) -> tuple[int, ...]:
        """The weight's shape with its first axis in groups: (g, o, i, k, l)."""
        i, o = self.grouped_input_shape[2], self.grouped_output_shape[2]
        return (self.groups, o, i, *self.kernel_size)
