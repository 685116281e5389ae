"""The problems that every test walks over, as data: one dict is one call.

`function` names the function; `input`, `weight` and `bias` are shapes of arrays; all else are
settings, spelt as a user spells them. The comments say what a problem is there to catch.
"""

from __future__ import annotations

from .convolution import CONVOLUTION, TRANSPOSED
from .copying import FOLDING, PADDING
from .pooling import AVERAGE_POOLING, MAX_POOLING
from .refused import REFUSED

POOLING = MAX_POOLING + AVERAGE_POOLING
PROBLEMS = CONVOLUTION + TRANSPOSED + POOLING + PADDING + FOLDING

__all__ = [
    "AVERAGE_POOLING",
    "CONVOLUTION",
    "FOLDING",
    "MAX_POOLING",
    "PADDING",
    "POOLING",
    "PROBLEMS",
    "REFUSED",
    "TRANSPOSED",
]
