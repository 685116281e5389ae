"""What compiled loops say to the compiler that Numba has no words for. Importing this needs Numba.

LLVM, Numba's compiler, turns a loop into vector instructions. But it keeps to vectors of 256 bits on
processors that have 512: on the first of them wide vectors slowed the clock down. Loops that do nothing
but multiply and add gain more than that loses. A function says so by an attribute of LLVM's, for which
Numba has no option. Some loops are written in LLVM's own instructions: here, and in `registers.py`,
`linear.py`, `dots.py`, `gemm.py` and `signals.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from .signals import kept

ATTRIBUTE = '"prefer-vector-width"="512"'

# what Numba compiles for: this processor, unless its settings name another one
_features = config.CPU_FEATURES or ("" if config.CPU_NAME else get_host_cpu_features())
_arm = llvm.get_process_triple().startswith(("aarch64", "arm64"))
BYTES = 64 if "+avx512f" in _features else 32 if "+avx2" in _features else 16  # of a register
REGISTERS = 32 if BYTES == 64 or _arm else 16
REGISTER = "w" if _arm else "v"  # what compilers call one that holds a vector

# The loops that are compiled into one another, and what stands in them as constants: a change of
# one file is a change of all.
_names = (
    "blas",
    "winograd",
    "signals",
    "vectors",
    "registers",
    "rows",
    "planes",
    "runs",
    "kernels",
    "sums",
    "leftovers",
    "pointwise",
    "dots",
    "depthwise",
    "linear",
    "tiles",
    "gemm",
)
_files = [Path(__file__).with_name(f"{name}.py") for name in _names]
STAMP = tuple((f.stat().st_mtime_ns, f.stat().st_size) for f in _files if f.exists())


def compiled_loop(**options: Any) -> Callable[..., Any]:
    """Compile a function that does not take Python's lock, and keep it for the next process.

    Numba compiles it anew when its own file has changed. But what it calls from the other files is
    compiled into it, so that all files' times and sizes are asked for.
    """

    def compile_it(function: Callable[..., Any]) -> Any:
        compiled = kept(**options)(function)
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


def in_all(builder: Any, vector: Any, value: Any) -> Any:
    """A register that holds one value in each place."""
    none, first = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    one = builder.insert_element(none, value, first(0))
    places = ir.Constant(ir.VectorType(first, vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, none, places)
