"""When an algorithm is faster than the others: what "auto" goes by.

That is the sizes, and the machine: its registers, its cache, and whether Numba is there.

The rules are those of `python -m convlib.benchmark` on networks' layers, on two cores, of a processor
with registers of 512 bits and 2 MiB of cache a core, and of one with half and a quarter of that.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .caches import near
from .steps import Shape, Steps, is_available, is_pointwise, one_tap_a_cell, with_numba

WORTH_READING = 1 << 18  # of a layer of one tap and few outputs
WORTH_TELLING = 1 << 19  # of a layer of one tap: for fewer, BLAS is told sooner what to do
LONG = 400  # positions of an image: of a run that sums along runs pay for,
WORTH_ADDING = 1 << 20  # multiplications of such a layer,
FEW_SUMS, MANY_SUMS = 1 << 13, 1 << 16  # and weights up to which they do
WHOLE = 1 << 24  # bytes of all columns, up to which there may be no blocks
FEW = 16  # channels of a group
THIN = 4  # outputs for which BLAS has no loop of its own; it has one for a single one
SHORT = 28  # cells of a row
MANY = 1 << 11  # positions of one image, from which flattened rows pay
ROOM = 1 << 20  # values in the columns of a group, up to which they do
# positions times channels, from which compiled loops transform tiles sooner than they add up windows
WORTH_TRANSFORMING = 3 << 14
PARTED = 3  # positions for each output, up to which a strided gradient is added up
WORTH_ADDING_UP = 1 << 22  # multiplications of such a gradient: fewer are not worth a block's steps


def compiled_pays(task: str, shape: Shape, steps: Steps, dtype: np.dtype) -> bool:
    """Tell whether compiled loops are faster than BLAS, for which the columns have to be copied."""
    positions, taps = shape.n * prod(shape.positions), prod(shape.taps)
    if prod(shape.positions) < 16:
        return False
    channels, weights = max(shape.i, shape.o), shape.i * shape.o * taps
    if dtype.kind == "c" and channels > 64:  # four sums of real numbers
        return False
    # the input is the columns
    if taps == 1 and (task == "weight" or shape.g == 1 or channels > 16):
        if dtype.kind == "c":
            return False
        if task == "weight":
            return is_pointwise(shape, steps) and runs_pay(shape)
        if not has_wide_registers():  # BLAS reads a large input more slowly than memory gives it
            outputs = shape.i if task == "input" else shape.o
            return 1 < outputs <= THIN and shape.products >= WORTH_READING
        if shape.products < WORTH_TELLING:
            return False
        # the input's gradient needs the weight turned round
        return task == "forward" or weights <= 8 * positions
    # each of the input's cells is reached through one tap: a product for each tap, and nothing to add
    # up. BLAS reads a weight turned round as it lies, and it may be large where positions are few.
    ones = task == "input" and one_tap_a_cell(shape.taps, steps)
    if ones and (shape.g == 1 or channels > 16):
        return False
    # each thread adds to the whole of the weight's gradient for some positions after the others: it
    # comes from farther away than BLAS' columns, if it is large and positions are few
    return task != "weight" or weights <= (positions * near()) >> 13


def runs_pay(shape: Shape) -> bool:
    """Tell whether the weight's gradient of one tap is faster as sums along runs than by BLAS.

    BLAS puts one factor in another order first. That costs most where there is little to multiply it
    with, and where inputs are more than outputs. Sums along runs are added up in parts, and so many parts
    take too long where runs are short. Of THIN outputs or fewer, BLAS is the faster here as well.
    """
    long = prod(shape.positions) >= LONG and shape.products >= WORTH_ADDING
    most = MANY_SUMS if shape.i > shape.o else FEW_SUMS
    fit = min(shape.i, shape.o) > THIN and shape.i * shape.o <= most
    return has_wide_registers() and shape.g == 1 and long and fit


def has_wide_registers() -> bool:
    """Tell whether compiled loops multiply faster than BLAS does where neither copies columns.

    With registers of 512 bits they do. With half of that BLAS is at the machine's limit already.
    """
    return with_numba("vectors").BYTES == 64


def pays(name: str, shape: Shape) -> bool:
    """Tell whether an algorithm with fewer multiplications is faster than the direct sum."""
    if name == "fft":
        return prod(shape.taps) >= 800
    # the kernel's transform has to be worth it, and F(2,3) saves little
    windows, channels = prod(shape.positions), max(shape.i, shape.o)
    least, times = 128 if name == "winograd-f23" else 32, 6.0
    fewer = min(shape.i, shape.o)
    if name == "winograd" and is_available():  # there a kernel never leaves the cache
        times = 0.75
        if windows * fewer < WORTH_TRANSFORMING:
            return False
    else:
        windows *= shape.n
    return len(shape.taps) == 2 and fewer >= least and windows >= times * channels


def whole_pays(task: str, shape: Shape, dtype: np.dtype) -> bool:
    """Tell whether all columns are faster copied at once than block by block, without Numba.

    Where channels are few, a block has little to multiply, and takes as many calls as any other. But
    of short rows, blocks copy several at once: they keep small depthwise images, and for the weight's
    gradient several of any group.
    """
    taps, positions = prod(shape.taps), shape.n * prod(shape.positions)
    columns = shape.g * shape.i * taps * positions * dtype.itemsize
    if task == "input" or taps == 1 or shape.i > FEW or columns > WHOLE:
        return False
    return shape.g == 1 or shape.positions[-1] > SHORT or (shape.n == 1 and shape.i > 1)


def flat_pays(task: str, shape: Shape, steps: Steps) -> bool:
    """Tell whether flattened rows are faster than columns of windows, where nothing is compiled.

    They are where groups have few channels and there is enough to copy, a large image or several, but
    no more than stays in a cache. The gradient of a strided layer falls apart into small convolutions.
    """
    taps, positions = prod(shape.taps), prod(shape.positions)
    channels = shape.o if task == "input" else shape.i  # whose columns are copied
    few = shape.g > 1 and channels <= FEW and taps > 1
    fit = task == "forward" or (task == "input" and max(steps.stride) == 1)
    large = shape.n > 1 or positions >= MANY
    return few and fit and large and channels * taps * positions <= ROOM


def adding_pays(shape: Shape, steps: Steps) -> bool:
    """Tell whether an input's gradient is faster computed as columns that are added up, block by block.

    Else it is a convolution of the output's gradient, with the kernel turned round: i·o·k·l weights are
    copied, where i·k·l columns of all positions would be added up. With a stride it is parted into small
    convolutions, which takes longer.
    """
    positions, parted = shape.n * prod(shape.positions), max(steps.stride) > 1
    small = positions <= (PARTED if parted else 1) * shape.o
    large = shape.products >= WORTH_ADDING_UP
    return shape.g == 1 and prod(shape.taps) > 1 and small and large


def adding_whole_pays(shape: Shape, steps: Steps) -> bool:
    """The same for the columns of all windows at once, where these are the faster.

    Many outputs would be copied for the sake of few inputs, whose columns are few, too.
    """
    few = 5 * shape.i <= 2 * shape.o
    return shape.g == 1 and prod(shape.taps) > 1 and few and not adding_pays(shape, steps)
