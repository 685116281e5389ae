"""The plain way: pad, view the windows, one einsum over the view.

Source: S. Tokui's memo of 2021, where the view and the einsum are the whole of the convolution.
`optimize=True` lets einsum turn itself into a matrix product, which copies the windows; without it
einsum runs one loop over all letters, some twenty to a hundred times slower, or more. So it does up to
NumPy 2.3 where there are several groups.

Every algorithm of this folder computes these sums:

    forward          y[n,g,o,h,w]  = sum over i k l of x[n,g,i, h·s + k·d, w·s + l·d] · w[g,o,i,k,l]
    weight_gradient  gw[g,o,i,k,l] = sum over n h w of x[n,g,i, h·s + k·d, w·s + l·d] · gy[n,g,o,h,w]
    input_gradient   is a forward pass with the kernel turned round: see `turned.py`

Every function writes into `out`, memory that its caller owns, and changes nothing else.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..contraction import POSITIONS, TAPS, contract
from .steps import Steps, padded_windows


def forward(xp: ModuleType, x: Any, w: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (g, o, i, k, l) to (n, g, o, h, w)."""
    windows = padded_windows(xp, x, w.shape[3:], out.shape[3:], steps)
    contract(xp, windows, w, "einsum", out=out)


def weight_gradient(xp: ModuleType, x: Any, gy: Any, out: Any, steps: Steps) -> None:
    """(n, g, i, H, W) and (n, g, o, h, w) to (g, o, i, k, l)."""
    position, tap = POSITIONS[gy.ndim - 3], TAPS[gy.ndim - 3]
    windows = padded_windows(xp, x, out.shape[3:], gy.shape[3:], steps)
    subscripts = f"ngi{position}{tap},ngo{position}->goi{tap}"
    if gy.shape[1] != 1:
        out[...] = xp.einsum(subscripts, windows, gy, optimize=True)
    else:  # as forward: a single group without its letter
        letters = subscripts.replace("g", "")
        out[0] = xp.einsum(letters, windows[:, 0], gy[:, 0], optimize=True)
