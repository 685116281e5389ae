"""The windows and the weight, summed by one tensordot a group.

tensordot moves the axes that are summed next to each other, copies the windows into that order (the
whole of the columns, k·l times the input), and calls BLAS once.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..contraction import contract
from .steps import Steps, padded_windows


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    windows = padded_windows(xp, x, w.shape[3:], out.shape[3:], steps)
    contract(xp, windows, w, "tensordot", out=out)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    windows = padded_windows(xp, x, out.shape[3:], gy.shape[3:], steps)
    positions = range(2, gy.ndim - 1)
    for g in range(gy.shape[1]):
        # (n, o, h, w) · (n, i, h, w, k, l) -> (o, i, k, l)
        out[g] = xp.tensordot(gy[:, g], windows[:, g], axes=((0, *positions), (0, *positions)))
