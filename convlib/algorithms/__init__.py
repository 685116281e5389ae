"""Ways to compute a convolution: one file each, one interface, and the choice between them.

The functions take `algorithm=`, one of `ALGORITHMS` or "auto". Arrays come with their channels in
groups, letters as everywhere, and steps that are checked: see `einsum.py`, the plainest of them.
"""

from .choice import ALGORITHMS, allowed_error, forward, input_gradient, weight_gradient
from .steps import Steps

__all__ = [
    "ALGORITHMS",
    "Steps",
    "allowed_error",
    "forward",
    "input_gradient",
    "weight_gradient",
]
