"""Ways to compute a convolution, and the choice between them.

The functions take `algorithm=`, "auto" or one of `ALGORITHMS`: "windows" (no file: the library's
core), "einsum", "tensordot", "im2col", "taps", "flat", "bands", "winograd", "winograd-f23", "fft" and
"compiled".

`convolution.convolve` asks `calls.forward`. That has an algorithm named, in `choice.py` by `rules.py`,
and calls ``forward(xp, x, w, out, steps)`` in its file, with settings that are checked, and only where
there is something to multiply. Files get arrays with their channels in groups, and letters as
everywhere. Gradients go the same way; an input's is a forward pass of parts, by `turned.py`.
To read, in this order:

1. a file each: steps, then einsum, tensordot, taps, fft, bands, flat; threads (`pieces`, `share`)
2. chapter 9's blocks: blocks, columns, im2col; then strips, shared_rows; products, blas, gemm
3. Winograd: winograd; with Numba tiles, linear
4. an input's gradient: turned, apart
5. compiled, in Python: compiled -> units (a plan) -> terms, flat.layout_of, memory, abreast; ready
6. compiled, the loops: kernels -> rows, planes, runs -> registers -> vectors; sums; depthwise;
   pointwise, leftovers, dots
7. who works, and when: helpers, signals; calls, choice, rules, caches

Files of 1 to 4 need NumPy alone, but for gemm, tiles and linear. Chapter 9 can be followed without 5
and 6.
"""

from .calls import forward, input_gradient, weight_gradient
from .choice import ALGORITHMS, allowed_error

__all__ = [
    "ALGORITHMS",
    "allowed_error",
    "forward",
    "input_gradient",
    "weight_gradient",
]
