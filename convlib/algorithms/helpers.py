"""Parts of one convolution, shared out to threads that wait awake. Importing this needs Numba.

For compiled loops alone: `threads.py` has the threads of everything that Python does itself. A part is
computed by one call of a compiled function, which takes no lock of Python's. It begins with
`signals.ring` and ends with `signals.rest`.

The number of threads is that of `threads.limit`. A helper that computes for another caller, or still
sleeps, is not waited for: the caller does that part, too. So parts do not depend on who is free.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import numpy as np

from . import signals, threads

NOBODY = np.zeros(0, np.int64)
_helpers: list[Helper] = []
_lock = threading.Lock()


class Helper(threading.Thread):
    """A thread that waits for parts to compute, awake for some milliseconds, and then asleep."""

    def __init__(self) -> None:
        super().__init__(name="convlib-helper", daemon=True)
        self.memory = threads.aligned(threads.ALIGNED).view(np.int64)  # a cache line of its own
        self.memory[0] = signals.ASLEEP
        self.state = self.memory.ctypes.data
        self.bell: SimpleQueue[bool] = SimpleQueue()
        self.part: Any = None

    def run(self) -> None:
        """Wait, compute, wait: one compiled call for both, so that Python's lock is free meanwhile."""
        own = np.array([-self.state])
        while self.bell.get():
            rung = signals.wait(self.state)
            while rung:
                work, part, errors = self.part
                self.part = None
                try:
                    rung = work(*part, own)
                except BaseException as error:
                    errors.append(error)
                    rung = signals.rest(own)
            work = part = errors = None  # a helper that sleeps keeps no arrays

    def claim(self, wake: bool) -> bool:
        """Tell whether this helper will do a part. One that sleeps is woken: for now, or for later."""
        if signals.change(self.state, signals.WAITING, signals.CLAIMED):
            return True
        then = signals.CLAIMED if wake else signals.WAITING
        woken = signals.change(self.state, signals.ASLEEP, then)
        if woken:
            self.bell.put(True)
        return woken and wake


def _forget() -> None:
    """Forget helpers in a forked child, where they do not exist."""
    global _lock
    _lock = threading.Lock()
    _helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@atexit.register
def stop() -> None:
    """Let helpers end, before Python does. They start again with the next call that needs them."""
    with _lock:
        ending = _helpers.copy()
        _helpers.clear()
    for helper in ending:
        helper.bell.put(False)
    for helper in ending:
        helper.join(1)


def claimed(number: int, wake: bool) -> list[Helper]:
    """Find helpers that have nothing to do: so many, or fewer."""
    if len(_helpers) < number:
        with _lock, suppress(RuntimeError):  # there may be no more threads, as when Python ends
            while len(_helpers) < number:
                helper = Helper()
                helper.start()
                _helpers.append(helper)
    return [helper for helper in _helpers[:number] if helper.claim(wake)]


def share(work: Callable[..., Any], parts: Sequence[tuple], wake: bool = True) -> None:
    """Call `work(*part, team)` for every part, one each in as many threads as are free.

    `work` hands `team` on to the compiled function, and returns what that returns. Parts write to
    places of their own. Where there is too little to do to wait for a helper that sleeps, `wake` is
    false; it is awake for the next call then.
    """
    if len(parts) == 1:
        work(*parts[0], NOBODY)
        return
    errors: list[BaseException] = []
    running = threads.enter(len(parts))
    try:
        others = claimed(running - 1, wake)
        team = np.array([helper.state for helper in others], np.int64)
        try:
            for helper, part in zip(others, parts[1:], strict=False):
                helper.part = work, part, errors
            work(*parts[0], team)
        except BaseException:
            signals.leave(team)
            raise
        for part in parts[1 + len(others) :]:
            work(*part, NOBODY)
    finally:
        threads.leave(running)
    if errors:
        raise errors[0]
