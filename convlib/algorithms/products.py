"""One product of matrices, for layers between compiled ones.

NumPy's BLAS shares a product out to threads of its own. They wait awake for the next one, for a tenth
of a second or so, and meanwhile take half of a core from each thread that computes. Compiled loops
have threads, too: after a product, their next layer took up to twice as long. So where loops are
compiled, a large product is cut into one part for each thread, and BLAS multiplies each on its own.

Without Numba nothing else has threads, and BLAS' are the fastest to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from .steps import is_available, loops
from .threads import limit, one_blas_thread, pieces

LARGE = 12 << 20  # multiplications: with fewer, BLAS is done before Python's threads have begun


def is_own(xp: ModuleType, multiplications: int) -> bool:
    """Tell whether threads of our own share a product."""
    return xp is np and multiplications >= LARGE and is_available() and limit() > 1


def share_awake(work: Callable[..., None], jobs: Sequence[tuple]) -> None:
    """Call `work(*job)` for every job, in the threads that wait for compiled loops' parts."""
    signals = loops("signals")

    def some(context: Context, mine: Sequence[tuple], team: Any) -> Any:
        signals.ring(team)
        for job in mine:
            context.run(work, *job)
        return signals.rest(team)

    parts = [(copy_context(), jobs[cut]) for cut in pieces(len(jobs), len(jobs), limit())]
    with one_blas_thread():
        loops("helpers").share(some, parts)


def multiply(xp: ModuleType, a: Any, b: Any, out: Any, shared: bool = True) -> None:
    """Fill `out` with a (g, o, i) @ b (g, i, q), or (n, g, o, i) @ (n, g, i, q), where n may be missing.

    `shared` is false for whoever is one of several threads already.
    """
    rows, columns = out.shape[-2:]
    if not shared or not is_own(xp, out.size * a.shape[-1]):
        xp.matmul(a, b, out=out)
        return
    threads, images = limit(), [(a, b, out)]
    if out.ndim == 4:  # one image after another
        images = [
            (a[n] if a.ndim == 4 else a, b[n] if b.ndim == 4 else b, y) for n, y in enumerate(out)
        ]
    # each part reads one of the factors as a whole: the smaller one
    by_rows = rows > columns
    cuts = pieces(max(rows, columns), rows + columns, threads if len(images) % threads else 1)

    def part(image: tuple, cut: slice) -> None:
        a, b, y = image
        if by_rows:
            np.matmul(a[..., cut, :], b, out=y[..., cut, :])
        else:
            np.matmul(a, b[..., cut], out=y[..., cut])

    share_awake(part, list(product(images, cuts)))
