"""Blocks of one convolution, shared out to threads.

NumPy lets go of Python's lock while it copies and while BLAS multiplies, so that Python threads do work
side by side. BLAS has threads of its own, though, and two kinds of threads on the same cores slow each
other down. So while blocks are shared out here, BLAS keeps to one thread a call.

How many threads: as many as the user lets NumPy's BLAS have (OMP_NUM_THREADS and its like,
`threadpoolctl.threadpool_limits`), and no more than the process has cores (its affinity, and from Python
3.13 on PYTHON_CPU_COUNT). With one, or a BLAS that takes no orders, blocks are worked through one by one.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from types import ModuleType
from typing import Any
from weakref import ref

import numpy as np

from . import blas

_lock = threading.RLock()  # a signal's handler may compute, too
# An interrupt may end a call between any two lines of it. So nothing is counted up and down: each thread
# writes down under its own name what it does, and its next call writes over what an ended one has left.
_holders: set[int] = set()  # threads whose calls hold BLAS to one thread at this moment
_busy: dict[int, int] = {}  # how many threads each caller's call, or each helper, keeps busy
_blas_before = 1  # BLAS' threads, as they stood before the first of the holders
_kept = threading.local()
KEEP = 1 << 22  # bytes that a thread keeps at most
ALL, VIEWS = None, 256  # the key of a thread's whole memory, and the most views of it that are kept
ALIGNED = 64  # bytes of a cache line

# Multiplications from which other threads are worth calling.
BLOCKS_SHARED = 1 << 21  # NumPy's, block by block: for those of the pool below
PRODUCT_SHARED = 1 << 22  # BLAS', in one product: for those of `helpers.py`, while they are awake
WAKE = 1 << 25  # BLAS' or those of compiled loops: for the same ones, even if they sleep

_count = getattr(os, "process_cpu_count", os.cpu_count)  # there from Python 3.13 on
_affinity = None if _count is not os.cpu_count else getattr(os, "sched_getaffinity", None)


@cache
def _pool() -> ThreadPoolExecutor:
    """The one pool of this process; its threads start as they are needed."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="convlib")


def _after_fork() -> None:
    """Forget the pool in a forked child, where its threads do not exist."""
    global _lock
    if _holders:
        blas.set_threads(_blas_before)
    _lock = threading.RLock()
    _holders.clear()
    _busy.clear()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def cores() -> int:
    """How many cores this process may run on."""
    return len(_affinity(0)) if _affinity else _count() or 1


def limit() -> int:
    """How many threads one call may keep busy."""
    number = _blas_before if _holders else blas.threads()
    return max(1, min(number, cores())) if number > 1 else 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread. The first of several calls sets it, the last one sets it back."""
    global _blas_before
    me = threading.get_ident()
    with _lock:
        now = blas.threads()
        if not _holders or now > 1:
            _blas_before = now
        _holders.add(me)
        if now > 1:
            blas.set_threads(1)
    try:
        yield
    finally:
        with _lock:
            if _holders <= {me} or any(one.of_a_thread for one in blas.found()):
                blas.set_threads(_blas_before)
            _holders.discard(me)


def scratch(xp: ModuleType, size: int, dtype: Any) -> Any:
    """Return memory for `size` values, for this thread, until it asks again.

    Memory that is new to a process costs more than filling it: the system hands it out page by
    page. So each thread keeps a few megabytes for the next call.
    """
    if xp is not np:
        return xp.empty(size, dtype)
    kept = getattr(_kept, "memory", None)
    view = kept.get((size, dtype)) if kept else None
    if view is not None:
        return view
    wanted = size * dtype.itemsize
    if wanted > KEEP:
        return aligned(wanted).view(dtype)
    if kept is None or len(kept[ALL]) < wanted or len(kept) > VIEWS:
        _kept.memory = kept = None  # the old memory goes before the new comes
        _kept.memory = kept = {ALL: aligned(wanted)}
    kept[size, dtype] = view = kept[ALL][:wanted].view(dtype)
    return view


def _none() -> None:
    """No call is under way."""


class Call:
    """A call under way: it is so while somebody holds this, also if an interrupt ends it anywhere.

    A signal's handler may call from inside of a call, in the same thread. It gets other memory.
    """

    __slots__ = ("outer", "__weakref__")
    outer: tuple  # the memory of the call around this one, if there is any

    def __enter__(self) -> None:
        self.outer = ()
        if getattr(_kept, "call", _none)() is None:
            _kept.call = ref(self)
        else:
            self.outer, _kept.memory = (getattr(_kept, "memory", None),), None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """What memory this thread keeps may be used for the next call."""
        if self.outer:
            (_kept.memory,) = self.outer
        else:
            _kept.call = _none


def aligned(size: int) -> Any:
    """Begin at a whole cache line: a vector that lies across two takes two accesses."""
    memory = np.empty(size + ALIGNED, np.uint8)
    start = -memory.ctypes.data % ALIGNED
    return memory[start : start + size]


def forget() -> None:
    """Give back the memory that threads keep, as they next ask for some."""
    global _kept
    _kept = threading.local()


def pieces(total: int, size: int, at_least: int = 1) -> list[slice]:
    """Cut `range(total)` into nearly equal slices of at most `size`, and `at_least` so many."""
    number = max(-(-total // max(size, 1)), min(at_least, total), 1)
    cuts = [total * c // number for c in range(number + 1)]
    return [slice(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]


def enter(wanted: int) -> int:
    """Write down as many threads as busy as there are wanted and may be, at least the one that asks."""
    me = threading.get_ident()
    with _lock:  # who asks has looked at the limit; there may be others at work
        others = sum(number for name, number in _busy.items() if name != me) if _busy else 0
        number = max(1, min(wanted, limit() - others)) if others else wanted
        _busy[me] = number
    return number


def leave() -> None:
    """Say that the threads of this one's call are no longer busy."""
    with _lock:
        _busy.pop(threading.get_ident(), None)


def _number_busy() -> int:
    with _lock:
        return sum(_busy.values())


def share(work: Callable[..., None], jobs: Sequence[tuple], several: bool = True) -> None:
    """Call `work(*job)` for every job, in as many threads as `limit` allows.

    Jobs write to places of their own, so their order does not matter. Where there is too little to
    do to wake up other threads, `several` is false.
    """
    if not several:
        for job in jobs:
            work(*job)
        return
    threads = min(limit(), len(jobs)) if len(jobs) > 1 else 1
    queue = deque(jobs)

    def loop(helps: bool) -> None:
        with _lock:
            _busy[threading.get_ident()] = 1
            if helps and blas.threads() > 1:  # OpenMP's number for this thread
                blas.set_threads(1)
        try:
            # a helper leaves as soon as calls from other threads keep the cores busy
            while queue and not (helps and _number_busy() > threads):
                try:
                    job = queue.popleft()
                except IndexError:
                    return
                work(*job)
        finally:
            leave()

    if threads == 1:
        return loop(False)

    def help_out(task: Future) -> None:
        if task.set_running_or_notify_cancel():
            try:
                loop(True)
                task.set_result(None)
            except BaseException as error:
                task.set_exception(error)

    with one_blas_thread():
        tasks: list[Future] = [Future() for _ in range(threads - 1)]
        try:
            # No more threads may be to be had, as when Python ends. Then a pool keeps what it was given:
            # so a task of ours says whether it may still begin.
            with suppress(RuntimeError):
                for task in tasks:  # the context carries np.errstate into the helpers
                    _pool().submit(contextvars.copy_context().run, help_out, task)
            loop(False)
        finally:
            queue.clear()
            errors = [task.exception() for task in tasks if not task.cancel()]
        for error in errors:
            if error is not None:
                raise error
