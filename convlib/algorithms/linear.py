"""Sums of vectors with factors, and vectors that take turns. Importing this needs Numba.

The first are for Winograd's transforms and depthwise kernels; the second part rows into columns of tiles,
and put images side by side.

A transform reads six runs of cells and writes six others. LLVM turns such a loop into vectors only
where it can show that no run overlaps another, which with so many it does not try. So the
instructions are written one by one, as in `vectors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import ATTRIBUTE, BYTES, in_all


class Cells:
    """Vectors in the memory of one array that an intrinsic takes."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any, which: int):
        array = signature.args[which]
        self.builder = builder
        self.memory = context.make_array(array)(context, builder, arguments[which]).data
        self.number = context.get_value_type(array.dtype)
        self.size = context.get_abi_sizeof(self.number)
        self.vector = ir.VectorType(self.number, BYTES // self.size)

    def at(self, place: Any) -> Any:
        """The address of the vector that begins at a place."""
        there = self.builder.gep(self.memory, [place])
        return self.builder.bitcast(there, self.vector.as_pointer())

    def load(self, place: Any) -> Any:
        """Read a vector."""
        return self.builder.load(self.at(place), align=self.size)

    def single(self, place: Any) -> Any:
        """Read one number."""
        return self.builder.load(self.builder.gep(self.memory, [place]))

    def store(self, value: Any, place: Any) -> None:
        """Write a vector."""
        self.builder.store(value, self.at(place), align=self.size)


def linear(matrix: Sequence[Sequence[float]]) -> Any:
    """Make a function that computes to[at + a·apart + q] = sum over k of matrix[a][k] · x[places[k] + q].

    For all q below n, and beyond it to the end of a register. Zeros and ones cost no multiplication.
    """

    def make(_: Any, to, at, apart, x, places, n):
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            result = Cells(context, builder, signature, arguments, 0)
            cells = Cells(context, builder, signature, arguments, 3)
            _, at, apart, _, places, n = arguments
            whole, vector = ir.IntType(64), cells.vector
            rows = [builder.add(at, builder.mul(apart, whole(a))) for a in range(len(matrix))]
            columns = [builder.extract_value(places, k) for k in range(len(matrix[0]))]

            def sum_of(factors: Sequence[float], values: list[Any]) -> Any:
                total = ir.Constant(vector, None)
                for factor, value in zip(factors, values, strict=True):
                    if factor == -1:
                        total = builder.fsub(total, value)
                    elif factor:
                        if factor != 1:
                            constant = ir.Constant(vector, [factor] * vector.count)
                            value = builder.fmul(constant, value, flags=["contract"])
                        total = builder.fadd(total, value, flags=["contract", "nsz"])
                return total

            step = whole(vector.count)
            with cgutils.for_range_slice(builder, whole(0), n, step) as (q, _):
                values = [cells.load(builder.add(k, q)) for k in columns]
                sums = [sum_of(factors, values) for factors in matrix]
                for row, total in zip(rows, sums, strict=True):
                    result.store(total, builder.add(row, q))
            return context.get_dummy_value()

        return types.void(to, at, apart, x, places, n), instructions

    return intrinsic(make)


def weighted(count: int) -> Any:
    """Make a function that computes to[at + q] = sum over k of w[first + k] · x[cell + starts[k] + q].

    For all q below n and no others: n is at least a register, and the last one may compute some again.
    All `count` weights stay in registers.
    """

    def make(_: Any, to, at, x, cell, starts, w, first, n):
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            result, cells, weights = (
                Cells(context, builder, signature, arguments, which) for which in (0, 2, 5)
            )
            _, at, _, cell, starts, _, first, n = arguments
            whole, vector = ir.IntType(64), cells.vector
            runs = [builder.add(cell, builder.extract_value(starts, k)) for k in range(count)]
            places = (builder.add(first, whole(k)) for k in range(count))
            factors = [in_all(builder, vector, weights.single(place)) for place in places]

            def compute(q: Any) -> None:
                total = None
                for factor, run in zip(factors, runs, strict=True):
                    value = cells.load(builder.add(run, q))
                    product = builder.fmul(factor, value, flags=["contract"])
                    total = builder.fadd(total, product, flags=["contract"]) if total else product
                result.store(total, builder.add(at, q))

            last = builder.sub(n, whole(vector.count))
            with cgutils.for_range_slice(builder, whole(0), last, whole(vector.count)) as (q, _):
                compute(q)
            compute(last)
            return context.get_dummy_value()

        return types.void(to, at, x, cell, starts, w, first, n), instructions

    return intrinsic(make)


def pairs_of(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """A vector of the cells of two, which are counted through."""
    kind = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(a, b, ir.Constant(kind, list(places)))


def _parted(builder: Any, vectors: list[Any]) -> list[Any]:
    """Of count vectors of neighbours, those of every count-th: first 0, count, 2·count, …"""
    if len(vectors) == 1:
        return vectors
    lanes = vectors[0].type.count
    halves = []
    for odd in (0, 1):
        taken = range(odd, 2 * lanes, 2)
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        halves.append(_parted(builder, [pairs_of(builder, a, b, taken) for a, b in pairs]))
    return [part for two in zip(*halves, strict=True) for part in two]


def _joined(builder: Any, parts: list[Any]) -> list[Any]:
    """The other way round: even parts among themselves, odd ones, and then these two by turns."""
    if len(parts) == 1:
        return parts
    lanes = parts[0].type.count
    turns = [half + k * lanes for half in range(lanes) for k in (0, 1)]
    evens, odds = _joined(builder, parts[::2]), _joined(builder, parts[1::2])
    return [
        pairs_of(builder, a, b, half)
        for a, b in zip(evens, odds, strict=True)
        for half in (turns[:lanes], turns[lanes:])
    ]


def part(count: int) -> Any:
    """Make a function that computes to[at + p·apart + q] = x[cell + count·q + p], p below `count`.

    For q below n, and on to whole registers. The count is a power of two.
    """

    def make(_: Any, to, at, apart, x, cell, n):
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            result = Cells(context, builder, signature, arguments, 0)
            cells = Cells(context, builder, signature, arguments, 3)
            _, at, apart, _, cell, n = arguments
            whole, lanes = ir.IntType(64), cells.vector.count
            with cgutils.for_range_slice(builder, whole(0), n, whole(lanes)) as (q, _):
                first = builder.add(cell, builder.mul(q, whole(count)))
                read = [cells.load(builder.add(first, whole(k * lanes))) for k in range(count)]
                for p, values in enumerate(_parted(builder, read)):
                    place = builder.add(at, builder.mul(apart, whole(p)))
                    result.store(values, builder.add(place, q))
            return context.get_dummy_value()

        return types.void(to, at, apart, x, cell, n), instructions

    return intrinsic(make)


def join(count: int) -> Any:
    """Make a function that computes to[place + count·q + p] = x[at + p·apart + q]: the other way round."""

    def make(_: Any, to, place, x, at, apart, n):
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            result = Cells(context, builder, signature, arguments, 0)
            cells = Cells(context, builder, signature, arguments, 2)
            _, place, _, at, apart, n = arguments
            whole, lanes = ir.IntType(64), cells.vector.count
            with cgutils.for_range_slice(builder, whole(0), n, whole(lanes)) as (q, _):
                rows = (builder.add(at, builder.mul(apart, whole(p))) for p in range(count))
                read = [cells.load(builder.add(row, q)) for row in rows]
                first = builder.add(place, builder.mul(q, whole(count)))
                for k, values in enumerate(_joined(builder, read)):
                    result.store(values, builder.add(first, whole(k * lanes)))
            return context.get_dummy_value()

        return types.void(to, place, x, at, apart, n), instructions

    return intrinsic(make)
