"""Convolutions that break careless code, as data: shapes and settings for conv and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """One convolution; `input_shape` without a batch where it has one axis less."""

    input_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]
    settings: dict[str, Any]

    @property
    def axes(self) -> int:
        return len(self.weight_shape) - 2

    def __str__(self) -> str:
        return f"{self.input_shape}-{self.weight_shape}-{self.settings}"


CASES = [
    # 1-d
    Case((2, 3, 9), (4, 3, 3), {}),
    Case((2, 3, 9), (4, 3, 2), {"stride": 4}),
    Case((3, 9), (4, 3, 4), {"padding": "same"}),
    Case((2, 4, 9), (6, 2, 2), {"groups": 2, "dilation": 3, "padding": 2, "stride": 2}),
    Case((2, 4, 9), (4, 1, 3), {"groups": 4}),
    Case((2, 1, 1), (1, 1, 5), {"padding": 2}),
    # 2-d: even kernels, kernels and settings that differ by axis
    Case((2, 3, 7, 5), (4, 3, 3, 3), {}),
    Case((2, 3, 7, 5), (4, 3, 2, 4), {"padding": (1, 2)}),
    Case((2, 3, 8, 7), (1, 3, 3, 2), {"stride": (2, 3)}),
    Case((1, 1, 6, 6), (1, 1, 3, 3), {"stride": 2}),  # one row and one column left over
    Case((2, 2, 9, 8), (3, 2, 2, 3), {"dilation": (3, 2), "padding": (0, 3)}),
    Case((2, 6, 5, 8), (9, 2, 3, 1), {"groups": 3, "stride": (1, 2)}),
    Case((2, 4, 6, 5), (8, 1, 3, 2), {"groups": 4, "padding": 1}),  # depthwise, two outputs each
    Case((4, 6, 5), (2, 2, 2, 2), {"groups": 2, "stride": 3, "padding": (2, 1)}),
    Case((2, 3, 6, 7), (5, 3, 1, 1), {}),
    Case((2, 3, 6, 7), (5, 3, 1, 1), {"stride": 2, "padding": 1}),
    Case((2, 3, 6, 5), (2, 3, 4, 3), {"padding": "same"}),
    Case((2, 3, 6, 5), (2, 3, 2, 4), {"padding": "same", "dilation": (2, 3)}),
    Case((2, 3, 6, 5), (2, 3, 4, 3), {"padding": "valid", "stride": 2}),
    Case((2, 3, 2, 2), (2, 3, 4, 5), {"padding": "same"}),  # wider than the input
    Case((1, 2, 5, 5), (1, 2, 5, 5), {}),  # one window
    Case((1, 2, 4, 4), (2, 2, 3, 3), {"padding": 5}),  # windows of padding alone
    Case((1, 1, 7, 7), (1, 1, 2, 2), {"stride": 5}),  # most cells in no window
    Case((0, 3, 6, 5), (4, 3, 3, 2), {"padding": 1}),  # no images
    # 3-d
    Case((2, 2, 5, 4, 6), (3, 2, 2, 3, 2), {}),
    Case(
        (1, 4, 5, 4, 6), (4, 2, 3, 1, 2), {"groups": 2, "stride": (2, 1, 3), "padding": (1, 0, 2)}
    ),
    Case((2, 5, 4, 6), (3, 2, 2, 2, 3), {"dilation": (1, 3, 2)}),
    Case((1, 2, 4, 3, 5), (2, 2, 2, 3, 4), {"padding": "same"}),
]


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Random numbers of any dtype; integers over the whole range, so that sums wrap around."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if kind == "b":
        return rng.random(shape) < 0.5
    values = rng.standard_normal(shape)
    return (values + 1j * rng.standard_normal(shape) if kind == "c" else values).astype(dtype)


def arrays(case: Case, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input, weight and bias of a case."""
    shapes = case.input_shape, case.weight_shape, case.weight_shape[:1]
    x, w, b = (numbers(shape, dtype, seed) for seed, shape in enumerate(shapes))
    return x, w, b


def random_cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Cases drawn at random; most of them convolve, some are refused by all."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        axes = int(rng.integers(1, 4))

        def some(low: int, high: int, axes: int = axes) -> Any:
            drawn = rng.integers(low, high, axes)
            spelled: list[Any] = [tuple(drawn.tolist()), drawn.tolist(), int(drawn[0]), drawn[0]]
            return spelled[rng.integers(4)]

        groups = int(rng.integers(1, 4))
        i, o = map(int, rng.integers(1, 4, 2))
        batch = [(), (1,), (2,), (3,), (0,)][rng.choice(5, p=[0.2, 0.2, 0.3, 0.2, 0.1])]
        size = tuple(map(int, rng.integers(1, 10 - 2 * axes + 2, axes)))
        kernel = tuple(map(int, rng.integers(1, 5, axes)))
        settings = {
            "stride": some(1, 4),
            "padding": some(0, 4),
            "dilation": some(1, 4),
            "groups": groups,
        }
        if rng.random() < 0.2:
            settings["padding"] = str(rng.choice(["same", "valid"]))
            settings["stride"] = 1
        kept = {name: value for name, value in settings.items() if rng.random() < 0.7}
        kept["groups"] = groups
        yield Case((*batch, groups * i, *size), (groups * o, i, *kernel), kept)
