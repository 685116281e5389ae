"""How wide a vector instruction of the compiled loops may be. Importing this needs Numba.

LLVM, Numba's compiler, keeps to vectors of 256 bits on processors that have 512: on the first of them
wide vectors slowed the clock down. Loops that do nothing but multiply and add gain more than that
loses, as BLAS' own do. A function says so by an attribute of LLVM's, for which Numba has no option.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

ATTRIBUTE = '"prefer-vector-width"="512"'


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
