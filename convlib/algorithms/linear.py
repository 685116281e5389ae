"""Sums with factors, for vectors: Winograd's transforms, and depthwise kernels. Importing this needs Numba.

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


def _pairs(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """A vector of the cells of two, which are counted through."""
    kind = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(a, b, ir.Constant(kind, list(places)))


@intrinsic
def part_fours(_: Any, to, at, apart, x, cell, n):
    """to[at + p·apart + q] = x[cell + 4·q + p], for p below 4 and q below n, and on to whole registers."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result = Cells(context, builder, signature, arguments, 0)
        cells = Cells(context, builder, signature, arguments, 3)
        _, at, apart, _, cell, n = arguments
        whole, lanes = ir.IntType(64), cells.vector.count
        evens, odds = range(0, 2 * lanes, 2), range(1, 2 * lanes, 2)
        with cgutils.for_range_slice(builder, whole(0), n, whole(lanes)) as (q, _):
            first = builder.add(cell, builder.mul(q, whole(4)))
            a, b, c, d = (cells.load(builder.add(first, whole(k * lanes))) for k in range(4))
            even = _pairs(builder, a, b, evens), _pairs(builder, c, d, evens)
            odd = _pairs(builder, a, b, odds), _pairs(builder, c, d, odds)
            parts = [_pairs(builder, *two, ends) for ends in (evens, odds) for two in (even, odd)]
            for p, part in enumerate(parts):
                place = builder.add(at, builder.mul(apart, whole(p)))
                result.store(part, builder.add(place, q))
        return context.get_dummy_value()

    return types.void(to, at, apart, x, cell, n), instructions


@intrinsic
def join_fours(_: Any, to, place, x, at, apart, n):
    """to[place + 4·q + p] = x[at + p·apart + q], for p below 4 and q below n, and on to whole registers."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result = Cells(context, builder, signature, arguments, 0)
        cells = Cells(context, builder, signature, arguments, 2)
        _, place, _, at, apart, n = arguments
        whole, lanes = ir.IntType(64), cells.vector.count
        turns = [half + k * lanes for half in range(lanes) for k in (0, 1)]
        low, high = turns[:lanes], turns[lanes:]
        with cgutils.for_range_slice(builder, whole(0), n, whole(lanes)) as (q, _):
            rows = (builder.add(at, builder.mul(apart, whole(p))) for p in range(4))
            a, b, c, d = (cells.load(builder.add(row, q)) for row in rows)
            first = builder.add(place, builder.mul(q, whole(4)))
            # 0 and 2, 1 and 3 take turns, and then these two
            even = _pairs(builder, a, c, low), _pairs(builder, a, c, high)
            odd = _pairs(builder, b, d, low), _pairs(builder, b, d, high)
            four = [
                _pairs(builder, e, o, half)
                for e, o in zip(even, odd, strict=True)
                for half in (low, high)
            ]
            for k, part in enumerate(four):
                result.store(part, builder.add(first, whole(k * lanes)))
        return context.get_dummy_value()

    return types.void(to, place, x, at, apart, n), instructions
