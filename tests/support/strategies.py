"""Hypothesis draws calls: shapes and settings that mostly fit together, and some that do not.

A call is a problem (see `problems`), a dtype, a layout and a seed for the values.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import strategies as st

from .checks import DTYPES
from .layouts import LAYOUTS

# How many examples a test looks at: `HYPOTHESIS_PROFILE=long` takes twenty times as many.
LONG = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1

FUNCTIONS = [
    *(f"{name}{axes}d" for name in ("conv", "conv_transpose") for axes in (1, 2, 3)),
    *(f"{name}{axes}d" for name in ("max_pool", "avg_pool") for axes in (1, 2, 3)),
    "pad",
    "unfold",
    "fold",
]

# What a caller may write by mistake where settings belong.
ODD = st.sampled_from(
    [0, -1, 9, 2.0, True, None, "same", "valid", "full", (), (1,), [2], (1, 2), (1, 1, 1), (-1, 1)]
    + [(1, True), (1.0, 1), (1, None), (0, 1), (2, 2, 2, 2)]
)
BATCHES = st.sampled_from([(), (0,), (1,), (2,), (2,), (3,)])


def setting(axes: int, least: int, most: int) -> st.SearchStrategy[Any]:
    """Draw a setting in each of its spellings: an int, a tuple, a list of one."""
    number = st.integers(least, most)
    full = st.tuples(*[number] * axes)
    return st.one_of(number, full, full.map(list), st.tuples(number))


def some(draw: Any, **settings: st.SearchStrategy) -> dict:
    """Draw some of the settings; the others stay what the function takes by itself."""
    return {name: draw(value) for name, value in settings.items() if draw(st.booleans())}


def sizes(axes: int, least: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw spatial sizes, smaller where there are more axes."""
    return st.tuples(*[st.integers(least, {1: 12, 2: 8, 3: 6}[axes])] * axes)


@st.composite
def convolution(draw: Any, function: str) -> dict:
    axes, groups = int(function[-2]), draw(st.integers(1, 3))
    ins, outs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel = draw(st.tuples(*[st.integers(1, 4 if axes < 3 else 3)] * axes))
    settings = some(
        draw,
        bias=st.just((outs * groups,)),
        stride=setting(axes, 1, 4),
        padding=setting(axes, 0, 3),
        dilation=setting(axes, 1, 3),
    )
    problem = {"function": function, "groups": groups}
    if "transpose" in function:
        settings |= some(draw, output_padding=setting(axes, 0, 2))
        first, weight = ins * groups, (ins * groups, outs)
    else:
        if draw(st.integers(0, 3)) == 0:
            settings["padding"] = draw(st.sampled_from(["same", "valid"]))
        if settings.get("padding") == "same" and draw(st.integers(0, 3)):
            settings.pop("stride", None)
        first, weight = ins * groups, (outs * groups, ins)
    shape = (*draw(BATCHES), first, *draw(sizes(axes)))
    return problem | {"input": shape, "weight": (*weight, *kernel)} | settings


@st.composite
def pooling(draw: Any, function: str) -> dict:
    axes = int(function[-2])
    kernel = draw(setting(axes, 1, 5))
    problem = {"function": function, "kernel_size": kernel}
    problem |= some(
        draw,
        stride=st.one_of(setting(axes, 1, 5), st.sampled_from([None, ()])),
        padding=setting(axes, 0, 2),
        ceil_mode=st.booleans(),
    )
    if function.startswith("max"):
        problem |= some(draw, dilation=setting(axes, 1, 3), return_indices=st.booleans())
    else:
        problem |= some(draw, count_include_pad=st.booleans())
        if axes > 1:
            divisors = st.sampled_from([None, 1, 3, -2, 100])
            problem |= some(draw, divisor_override=divisors)
    shape = (*draw(BATCHES), draw(st.integers(1, 3)), *draw(sizes(axes)))
    return problem | {"input": shape}


@st.composite
def padding(draw: Any, function: str) -> dict:
    axes = draw(st.integers(1, 3))
    shape = (*draw(BATCHES), draw(st.integers(1, 3)), *draw(sizes(axes)))
    pads = draw(st.tuples(*[st.integers(-2, 4)] * (2 * axes)))
    problem = {"function": function, "input": shape, "pad": pads}
    modes = st.sampled_from(["constant", "reflect", "replicate", "circular"])
    return problem | some(draw, mode=modes) | (some(draw, value=st.sampled_from([0, 1.5, -2])))


@st.composite
def folding(draw: Any, function: str) -> dict:
    kernel = draw(setting(2, 1, 3))
    settings = some(
        draw, dilation=setting(2, 1, 2), padding=setting(2, 0, 2), stride=setting(2, 1, 3)
    )
    batch, channels = draw(BATCHES), draw(st.integers(1, 3))
    problem = {"function": function, "kernel_size": kernel} | settings
    if function == "unfold":
        return problem | {"input": (*batch, channels, *draw(sizes(2)))}
    # the shape of the columns, where the settings fit; else some shape
    size = draw(sizes(2))
    spelt = {"stride": 1, "padding": 0, "dilation": 1, **problem}
    rows = [v if isinstance(v, int) else v[i % len(v)] for i in (0, 1) for v in (kernel,)]
    columns = 1
    for i, n in enumerate(size):
        k, s, p, d = (
            v if isinstance(v, int) else v[i % len(v)]
            for v in (spelt[name] for name in ("kernel_size", "stride", "padding", "dilation"))
        )
        columns *= max((n + 2 * p - d * (k - 1) - 1) // s + 1, 0)
    shape = (*batch, channels * rows[0] * rows[1], columns)
    return problem | {"output_size": size, "input": shape}


@st.composite
def problems(draw: Any, function: str) -> dict:
    """Draw a problem for a function; one in four has something wrong or odd about it."""
    families = {"conv": convolution, "max": pooling, "avg": pooling, "pad": padding}
    problem = draw(families.get(function.split("_")[0].rstrip("123d"), folding)(function))
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from([name for name in problem if name != "function"]))
        if name in ("input", "weight", "bias"):
            at = draw(st.integers(0, len(problem[name]) - 1))
            less, more = problem[name][:at], problem[name][at + 1 :]
            here = draw(st.sampled_from([(), (0,), (1,), (7,), (2, 2)]))
            problem = {**problem, name: (*less, *here, *more)}
        else:
            problem = {**problem, name: draw(ODD)}
    return problem


DTYPE = st.sampled_from([*DTYPES, "float32", "float64", "float32", "float64", "int64"])
LAYOUT = st.sampled_from(sorted(LAYOUTS))
SEED = st.integers(0, 2**32 - 1)
