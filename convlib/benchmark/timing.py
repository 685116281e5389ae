"""Seconds and bytes of one call, and when the next one may be timed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import Any

Run = Callable[[], Any]


def extra_memory(run: Run) -> int:
    """Bytes that a call allocates beside its result, at its peak, as NumPy reports them."""
    from convlib.algorithms import threads

    threads.forget()
    tracemalloc.start()
    try:
        result = run()
        return max(0, tracemalloc.get_traced_memory()[1] - result.nbytes)
    finally:
        tracemalloc.stop()


def time_once(run: Run, library: str, clock: str) -> float:
    """Seconds of one call; on a GPU, until all that the device was given to do is done."""
    now = time.process_time if clock == "processor" else time.perf_counter
    wait = import_module("cupy").cuda.Device().synchronize if library == "cupy" else int
    wait()
    start = now()
    run()
    wait()
    return now() - start


def until_quiet(step: float = 0.01) -> None:
    """Wait until no thread of this process spins any more: OpenBLAS' go on for a tenth of a second.

    Whoever is timed next would share the cores with them.
    """
    before, quiet = time.process_time(), 0
    for _ in range(200):
        time.sleep(step)
        now = time.process_time()
        quiet = quiet + 1 if now - before < step / 10 else 0
        if quiet == 2:  # one alone may be that others had the cores
            return
        before = now
