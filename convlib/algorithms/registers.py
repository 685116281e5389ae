"""A small matrix of sums that stays in registers, written for LLVM. Importing this needs Numba.

LLVM, Numba's compiler, keeps in registers what it can see. It does not keep a matrix of sums there while
other loops run. `tile` says so itself: it writes LLVM's instructions one by one, as BLAS' authors write
theirs for each processor.

Sources: K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008), for
the matrix of sums; E. Georganas et al., *Anatomy of high-performance deep learning convolutions on
SIMD architectures* (2018), for cells that serve several taps while they are in a register.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import ATTRIBUTE, BYTES, REGISTER, REGISTERS, in_all

# Sums that fit, beside what they are made of
ROOM = 24 if REGISTERS == 32 else 12
# what the functions that `tile` makes take, in this order
NAMES = (
    "n y at_y pitch down x start line at w at_w rows to here first end more s at_s far below"
).split()


def tile(
    outputs: int,
    sizes: Sequence[int],
    taps: int = 1,
    stacked: bool = False,
    beside: int | None = None,
    ahead: bool = False,
) -> Any:
    """Make a function that computes y[o, v] = sum over terms k of w[o, k] · x[k, v].

    It does so for `outputs` o and n registers v of neighbouring cells, where n is one of `sizes`. Their
    sums are all in registers, or one half of the outputs' and then the other's, if there are more than
    ROOM. For each term, the cells are loaded once for all outputs, and each weight once for all cells.
    A term may be several `taps`, whose cells and weights are evenly spaced.

    What takes time, beside the multiplications, is loading. If registers are `stacked`, each one is a
    row below the one before, as each tap is: what one register sees at a tap, the register above sees
    at the next tap. So three registers load five rows of cells for three taps, instead of nine.

    Where cells lie far apart, a processor does not see which ones come next. With `ahead`, each tap asks
    for cells 2·taps lines further on. These are the ones of the term after the next, if each term's
    cells begin `taps` lines behind those of the term before.

    The function takes everything flat::

        n                      how many registers
        y, at_y, pitch, down   y[o, v] begins at y[at_y + o·pitch + v·down]
        x, start, line, at     x[k, v] at tap t is x[start + at[k] + t·line], and v registers further on
                               or `stacked` v·line; or there is a start for each register
        w, at_w, rows, to      w[o, k] at tap t is w[at_w + rows[o] + to[k] + t·beside]: `taps` unless
                               told otherwise, as in a square kernel
        here                   the outputs that there are: further ones repeat the last
        first, end             the terms
        more                   whether sums are added to others,
        s, at_s, far, below    which lie in s as y's do in y
    """

    beside = taps if beside is None else beside

    def make(
        _: Any, n, y, at_y, pitch, down, x, start, line, at, w, at_w, rows, to,
        here, first, end, more, s, at_s, far, below,
    ):  # fmt: skip
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            kinds = dict(zip(NAMES, signature.args, strict=True))
            given = dict(zip(NAMES, arguments, strict=True))
            number = context.get_value_type(kinds["y"].dtype)
            size = context.get_abi_sizeof(number)
            vector = ir.VectorType(number, BYTES // size)
            whole = ir.IntType(64)
            none = ir.Constant(vector, None)

            def data(name: str) -> Any:
                return context.make_array(kinds[name])(context, builder, given[name]).data

            def at_place(memory: Any, *places: Any) -> Any:
                for place in places:
                    memory = builder.gep(memory, [place])
                return memory

            def times(factor: int, value: Any) -> Any:
                return builder.mul(whole(factor), value)

            def cells(memory: Any, *places: Any) -> Any:
                return builder.bitcast(at_place(memory, *places), vector.as_pointer())

            y, x, at, w, rows, to, s = map(data, "y x at w rows to s".split())
            n, at_y, pitch, down, start, line, at_w, here, first, end, more, at_s, far, below = (
                given[name] for name in NAMES if not isinstance(kinds[name], types.Array)
            )
            if more.type != ir.IntType(1):
                more = builder.trunc(more, ir.IntType(1))

            def starts_of(vectors: int) -> list[Any]:
                """Where each register's cells begin, at the first tap, or row by row."""
                if stacked:
                    starts = [start]
                    for _ in range(vectors + taps - 2):
                        starts.append(builder.add(starts[-1], line))
                    return starts
                if isinstance(kinds["start"], types.UniTuple):
                    return [builder.extract_value(start, v) for v in range(vectors)]
                return [builder.add(start, whole(v * vector.count)) for v in range(vectors)]

            def compute(some: range, vectors: int) -> None:
                """The sums of some outputs for a number of registers."""
                starts, weights_at, sums = starts_of(vectors), [], []
                for o in some:
                    there = builder.icmp_signed("<", whole(o), here)
                    row = builder.select(there, whole(o), builder.sub(here, whole(1)))
                    row = builder.load(at_place(rows, row))
                    weights_at.append(builder.add(at_w, row))
                    sums.append([cgutils.alloca_once(builder, vector) for _ in range(vectors)])
                    for place in sums[-1]:
                        builder.store(none, place)

                def results(memory: Any, place: Any, pitch: Any, down: Any) -> Any:
                    for o, totals in zip(some, sums, strict=True):
                        row = builder.add(place, times(o, pitch))
                        for v, total in enumerate(totals):
                            yield total, cells(memory, row, times(v, down))

                # The places that are written to come nearer meanwhile. Processors with the widest
                # registers wait less if they are not asked for, and cells that are come first.
                for _, place in () if ahead or BYTES == 64 else results(y, at_y, pitch, down):
                    _fetch(builder, place, 1)

                with cgutils.for_range_slice(builder, first, end, whole(1)) as (k, _):
                    at_k, to_k = (builder.load(at_place(array, k)) for array in (at, to))
                    seen: list[Any] = []
                    for t in range(taps):
                        if stacked:  # all but the last have been loaded for the tap before
                            seen = seen[1:]
                            there = [(starts[t + v], at_k) for v in range(len(seen), vectors)]
                        else:
                            at_k = builder.add(at_k, line) if t else at_k
                            seen, there = [], [(one, at_k) for one in starts]
                        if ahead:
                            for places in there:
                                _fetch(builder, at_place(x, *places, times(2 * taps, line)), 0)
                        seen += [builder.load(cells(x, *places), align=size) for places in there]
                        for row, places in zip(weights_at, sums, strict=True):
                            weight = builder.load(at_place(w, row, to_k, whole(t * beside)))
                            weight = in_all(builder, vector, weight)
                            for place, values in zip(places, seen, strict=True):
                                # "contract" lets the two be one instruction
                                product = builder.fmul(weight, values, flags=["contract"])
                                total = builder.load(place)
                                total = builder.fadd(total, product, flags=["contract"])
                                builder.store(total, place)
                            hold(builder, [builder.load(place) for place in places])

                totals = [builder.load(total) for places in sums for total in places]
                with builder.if_else(more) as (to_others, alone):
                    with to_others:
                        before = [
                            builder.load(c, align=size) for _, c in results(s, at_s, far, below)
                        ]
                        added = [builder.fadd(b, t) for b, t in zip(before, totals, strict=True)]
                        for (_, place), total in zip(
                            results(y, at_y, pitch, down), added, strict=True
                        ):
                            builder.store(total, place, align=size)
                    with alone:
                        for (_, place), total in zip(
                            results(y, at_y, pitch, down), totals, strict=True
                        ):
                            builder.store(total, place, align=size)

            for vectors in sizes:
                parts = 1 if outputs * vectors <= ROOM else 2
                with builder.if_then(builder.icmp_signed("==", n, n.type(vectors))):
                    for part in range(parts):
                        some = range(outputs * part // parts, outputs * (part + 1) // parts)
                        compute(some, vectors)
            return context.get_dummy_value()

        taken = (
            n, y, at_y, pitch, down, x, start, line, at, w, at_w, rows, to,
            here, first, end, more, s, at_s, far, below,
        )  # fmt: skip
        return types.void(*taken), instructions

    return intrinsic(make)


def hold(builder: Any, values: list[Any]) -> None:
    """Have these values in registers here, and load nothing that comes later before that.

    LLVM would load the weights of all outputs first, and then has no registers left for sums. This is
    an instruction in the processor's own language, and an empty one: LLVM only prepares for it.
    """
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
    wanted = ",".join([REGISTER] * len(values) + ["~{memory}"])
    builder.asm(kind, "", wanted, values, side_effect=True)


def _fetch(builder: Any, place: Any, written: int) -> None:
    """Ask for the cache line at an address, to be `written` to or read soon, and do not wait for it."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, *[number] * 3])
    fetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
    builder.call(fetch, [builder.bitcast(place, byte), number(written), number(3), number(1)])
