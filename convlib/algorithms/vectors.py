"""What compiled loops say to the compiler that Numba has no words for. Importing this needs Numba.

LLVM, Numba's compiler, turns a loop into vector instructions, and keeps in registers what it can
see. It does not keep a small matrix of sums there while other loops run. `tile` says so itself: it
writes LLVM's instructions one by one, as BLAS' authors write theirs for each processor.

LLVM also keeps to vectors of 256 bits on processors that have 512: on the first of them wide vectors
slowed the clock down. Loops that do nothing but multiply and add gain more than that loses. A function
says so by an attribute of LLVM's, for which Numba has no option.

Source: K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008), for
the matrix of sums in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

ATTRIBUTE = '"prefer-vector-width"="512"'

# what Numba compiles for: this processor, unless its settings name another one
_features = config.CPU_FEATURES or ("" if config.CPU_NAME else get_host_cpu_features())
_arm = llvm.get_process_triple().startswith(("aarch64", "arm64"))
BYTES = 64 if "+avx512f" in _features else 32 if "+avx2" in _features else 16  # of a register
REGISTERS = 32 if BYTES == 64 or _arm else 16

# The kernels that are compiled into one another: a change of one file is a change of all.
_names = (
    "signals",
    "vectors",
    "rows",
    "runs",
    "kernels",
    "sums",
    "pointwise",
    "depthwise",
    "linear",
    "tiles",
)
_files = [Path(__file__).with_name(f"{name}.py") for name in _names]
STAMP = tuple((f.stat().st_mtime_ns, f.stat().st_size) for f in _files if f.exists())


def kernel(**options: Any) -> Callable[..., Any]:
    """Compile a function that does not take Python's lock, and keep it for the next process.

    Numba compiles it anew when its own file has changed. But what it calls from the other files is
    compiled into it, so that all files' times and sizes are asked for.
    """

    def compile_it(function: Callable[..., Any]) -> Any:
        compiled = njit(nogil=True, cache=True, **options)(function)
        file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
        if file is not None:
            file._source_stamp = STAMP
        return compiled

    return compile_it


@intrinsic
def wide_vectors(_: Any) -> Any:
    """Let the function that calls this use vectors of 512 bits, where the processor has them.

    Elsewhere LLVM takes the widest that there are. Computes nothing.
    """

    def mark(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # the set takes names that llvmlite knows; LLVM itself takes any in quotes
        set.add(builder.function.attributes, ATTRIBUTE)
        return context.get_dummy_value()

    return types.void(), mark


def tile(outputs: int, vectors: int) -> Any:
    """Make a function that computes y[o, q] = sum over terms k of w[o, k] · x[k, q].

    It does so for `outputs` o and `vectors` registers of neighbouring q. Their sums are all in
    registers; for each term, the cells are loaded once for all outputs, and each weight once for all
    cells. The function takes everything flat::

        y, at_y, pitch     where y[0, 0] is, and how far apart two outputs are
        x, start, at       x[k, q] is x[start + at[k] + q]; or a start for each register
        w, at_w, rows, to  w[o, k] is w[at_w + rows[o] + to[k]]
        here               the outputs that there are: further ones repeat the last
        first, end         the terms
        more, s, at_s, far whether sums are added to others, which lie in s as y's do in y
    """

    def make(
        _: Any, y, at_y, pitch, x, start, at, w, at_w, rows, to, here, first, end, more, s, at_s, far
    ):  # fmt: skip
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            set.add(builder.function.attributes, ATTRIBUTE)
            number = context.get_value_type(signature.args[0].dtype)
            size = context.get_abi_sizeof(number)
            vector = ir.VectorType(number, BYTES // size)
            whole = ir.IntType(64)

            def data(array: int) -> Any:
                made = context.make_array(signature.args[array])
                return made(context, builder, arguments[array]).data

            def value(memory: Any, *places: Any) -> Any:
                place = places[0]
                for more in places[1:]:
                    place = builder.add(place, more)
                return builder.load(builder.gep(memory, [place]))

            def cells(memory: Any, place: Any, register: int) -> Any:
                place = builder.add(place, whole(register * vector.count))
                return builder.bitcast(builder.gep(memory, [place]), vector.as_pointer())

            y, x, at, w, rows, to, s = (data(array) for array in (0, 3, 5, 6, 8, 9, 14))
            at_y, pitch, start, at_w, here, first, end, more, at_s, far = (
                arguments[a] for a in (1, 2, 4, 7, 10, 11, 12, 13, 15, 16)
            )
            starts = (
                [builder.extract_value(start, v) for v in range(vectors)]
                if isinstance(signature.args[4], types.UniTuple)
                else [builder.add(start, whole(v * vector.count)) for v in range(vectors)]
            )
            none = ir.Constant(vector, None)
            weights_at, sums = [], []
            for o in range(outputs):
                there = builder.icmp_signed("<", whole(o), here)
                row = builder.select(there, whole(o), builder.sub(here, whole(1)))
                weights_at.append(builder.add(at_w, value(rows, row)))
                sums.append([cgutils.alloca_once(builder, vector) for _ in range(vectors)])
                for place in sums[-1]:
                    builder.store(none, place)

            # the places that are added to come nearer meanwhile
            for o in range(outputs):
                row = builder.add(at_y, builder.mul(whole(o), pitch))
                for v in range(vectors):
                    _fetch(builder, cells(y, row, v))

            with cgutils.for_range_slice(builder, first, end, whole(1)) as (k, _):
                at_k, to_k = value(at, k), value(to, k)
                seen = [cells(x, builder.add(there, at_k), 0) for there in starts]
                loaded = [builder.load(place, align=size) for place in seen]
                for row, places in zip(weights_at, sums, strict=True):
                    weight = in_all(builder, vector, value(w, row, to_k))
                    for place, values in zip(places, loaded, strict=True):
                        # "contract" lets the two be one instruction
                        product = builder.fmul(weight, values, flags=["contract"])
                        total = builder.fadd(builder.load(place), product, flags=["contract"])
                        builder.store(total, place)

            if more.type != ir.IntType(1):
                more = builder.trunc(more, ir.IntType(1))
            for o, places in enumerate(sums):
                row = builder.add(at_y, builder.mul(whole(o), pitch))
                last = builder.add(at_s, builder.mul(whole(o), far))
                for v, place in enumerate(places):
                    before = builder.load(cells(s, last, v), align=size)
                    before = builder.select(more, before, none)
                    total = builder.fadd(before, builder.load(place))
                    builder.store(total, cells(y, row, v), align=size)
            return context.get_dummy_value()

        taken = (
            y,
            at_y,
            pitch,
            x,
            start,
            at,
            w,
            at_w,
            rows,
            to,
            here,
            first,
            end,
            more,
            s,
            at_s,
            far,
        )
        return types.void(*taken), instructions

    return intrinsic(make)


def move(count: int, step: int) -> Any:
    """Make a function that copies cells: to[place + q] = x[cell + q·step], step 1 or 2, as a vector.

    So many cells, or with a `count` of 0 as many as a register holds.
    Of a step of 2 it reads both halves, and takes every second cell of them: no cell beyond the last.
    """

    def make(_: Any, to, place, x, cell):
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(signature.args[0].dtype)
            size, whole = context.get_abi_sizeof(number), ir.IntType(64)
            cells = count or BYTES // size
            vector = ir.VectorType(number, cells)

            def cells_at(array: int, place: Any) -> Any:
                made = context.make_array(signature.args[array])
                memory = made(context, builder, arguments[array]).data
                return builder.bitcast(builder.gep(memory, [place]), vector.as_pointer())

            _, place, _, cell = arguments
            values = builder.load(cells_at(2, cell), align=size)
            if step == 2:
                there = builder.add(cell, whole(cells - 1))
                more = builder.load(cells_at(2, there), align=size)
                # cells 0, 2, 4, … of the first, and 1, 3, 5, … of the second, which begins at an odd one
                taken = [*range(0, cells, 2), *range(cells + 1, 2 * cells, 2)]
                kind = ir.VectorType(ir.IntType(32), cells)
                values = builder.shuffle_vector(values, more, ir.Constant(kind, taken))
            builder.store(values, cells_at(0, place), align=size)
            return context.get_dummy_value()

        return types.void(to, place, x, cell), instructions

    return intrinsic(make)


def _fetch(builder: Any, place: Any) -> None:
    """Ask for the cache line at an address, to be written to soon, and do not wait for it."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, *[number] * 3])
    fetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
    builder.call(fetch, [builder.bitcast(place, byte), number(1), number(3), number(1)])


def in_all(builder: Any, vector: Any, value: Any) -> Any:
    """A register that holds one value in each place."""
    none, first = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    one = builder.insert_element(none, value, first(0))
    places = ir.Constant(ir.VectorType(first, vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, none, places)
