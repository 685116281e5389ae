"""Ways to compute a convolution: one file each, one interface, and the choice between them.

The functions take `algorithm=`, one of `ALGORITHMS` or "auto". Arrays come with their channels in
groups and letters as everywhere, and settings that are checked: see `einsum.py`, the plainest one.
"""

from .choice import ALGORITHMS, allowed_error, forward, input_gradient, weight_gradient

__all__ = [
    "ALGORITHMS",
    "allowed_error",
    "forward",
    "input_gradient",
    "weight_gradient",
]
