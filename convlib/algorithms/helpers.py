"""Parts of one convolution, shared out to threads that wait awake. Importing this needs Numba.

For compiled loops alone: `threads.py` has the threads of everything that Python does itself. A part is
computed by one call of a compiled function, which takes no lock of Python's. It begins with
`signals.ring` and ends with `signals.rest`.

The number of threads is that of `threads.limit`. A helper that computes for another caller is not
waited for, nor is one that has not begun when the caller is done: the caller does its part, too. Parts
do not depend on who is free.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from time import perf_counter
from typing import Any

import numpy as np

from . import signals, threads

NOBODY = np.zeros(0, np.int64)
PLACES = np.full(1 << 10, signals.NONE, np.int64)  # of a team, as many as there can be
SOON = 2e-3  # seconds; to wake a thread costs the one that wakes it as much as it gains in one small call
_last = 0.0  # when parts were last computed
_helpers: dict[int, Helper] = {}  # by their states' addresses
_states = NOBODY  # these addresses
_lock = threading.RLock()  # a signal's handler may compute, too


class Helper(threading.Thread):
    """A thread that waits for parts to compute, awake for some milliseconds, and then asleep."""

    def __init__(self) -> None:
        super().__init__(name="convlib-helper", daemon=True)
        self.memory = threads.aligned(threads.ALIGNED).view(np.int64)  # a cache line of its own
        self.memory[:2] = signals.FREE, 1  # asleep
        self.state = self.memory.ctypes.data
        self.bell: SimpleQueue[bool] = SimpleQueue()
        self.part: Any = None

    def run(self) -> None:
        """Wait, compute, wait: one compiled call for both, so that Python's lock is free meanwhile."""
        own = np.array([-self.state], np.int64)
        while self.is_woken():
            rung = signals.wait(self.state)
            while rung:
                rung = self.compute(own)

    def is_woken(self) -> bool:
        """Sleep until the bell rings: True, or False if that is the end."""
        goes_on = self.bell.get()
        self.memory[1] = 0
        while goes_on and not self.bell.empty():  # several callers may have rung
            goes_on = self.bell.get()
        return goes_on

    def compute(self, own: Any) -> bool:
        """Compute a part. Its arrays are kept until the helper is rung for again, or falls asleep."""
        (work, part, errors), self.part = self.part, None
        try:
            return work(*part, own)
        except BaseException as error:
            errors.append(error)
        return signals.rest(own)

    def takes(self, part: Any, wake: bool, soon: bool) -> bool:
        """Tell whether the helper gets a part. One that sleeps may be woken for it, or for the next."""
        asleep = self.memory[1]
        if asleep and (wake or soon):
            self.bell.put(True)
        if asleep and not wake:
            return False
        self.part = part
        return True


def _forget() -> None:
    """Forget helpers in a forked child, where they do not exist."""
    global _lock, _states
    _lock, _states = threading.RLock(), NOBODY
    _helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@atexit.register
def stop() -> None:
    """Let helpers end, before Python does. They start again with the next call that needs them."""
    global _states
    with _lock:
        ending, _states = list(_helpers.values()), NOBODY
        _helpers.clear()
    for helper in ending:
        helper.bell.put(False)
    for helper in ending:
        helper.join(1)


def _more(number: int) -> None:
    """Start helpers, so that there are as many, or as many as there can be."""
    global _states
    with _lock, suppress(RuntimeError):  # there may be no more threads, as when Python ends
        while len(_helpers) < number:
            helper = Helper()
            helper.start()
            _helpers[helper.state] = helper
            _states = np.array(list(_helpers), np.int64)


def _let_go(team: Any) -> None:
    """Free the helpers that a team still holds."""
    for place, state in enumerate(team.tolist()):
        if state > signals.NONE:
            if helper := _helpers.get(state):
                helper.part = None
            signals.free(state)
            team[place] = signals.NONE


def _claim(team: Any) -> None:
    """Claim a helper for each place of a team, as far as there are some, and start more if need be.

    One compiled call claims and writes down whom: an interrupt cannot come between.
    """
    if signals.claim(_states, team) < len(team) and len(_helpers) < threads.limit() - 1:
        _let_go(team)
        _more(min(len(_helpers) + len(team), threads.limit() - 1))
        signals.claim(_states, team)


def share(work: Callable[..., Any], parts: Sequence[tuple], wake: bool = True) -> None:
    """Call `work(*part, team)` for every part, in as many threads as are free.

    `work` hands `team` on to the compiled function, and returns what that returns. Parts write to
    places of their own. Where there is too little to do, `wake` is false: a helper that sleeps would
    begin too late. It is woken for the next call where calls follow one another closely.
    """
    global _last
    if len(parts) == 1:
        work(*parts[0], NOBODY)
        return
    errors: list[BaseException] = []
    team, running, soon = NOBODY, 0, perf_counter() - _last < SOON
    try:
        running = min(threads.enter(len(parts)), 1 + len(PLACES))
        team = PLACES[: running - 1].copy()
        _claim(team)
        for place, state in enumerate(team.tolist()):
            helper = _helpers.get(state)  # none where it was told to end just now
            if not (helper and helper.takes((work, parts[1 + place], errors), wake, soon)):
                _let_go(team[place : place + 1])
        work(*parts[0], team)
        left = [part for part, state in zip(parts[1:], team, strict=False) if state]
        left += parts[running:]
        _let_go(team)
        for part in left:
            work(*part, NOBODY)
    except BaseException:
        signals.rest(team)
        _let_go(team)
        raise
    finally:
        threads.leave()
        _last = perf_counter()
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # an error holds this frame, and so all arrays
