"""How threads that compute tell each other something without Python. Importing this needs Numba.

A thread that sleeps takes tens of microseconds to wake, or a hundred: as long as a small layer. So a
helper waits awake for a while, and looks at one number in memory, its state, again and again. Whoever
has work for it changes the number. All of that happens in compiled code, without Python's lock:
otherwise each of the two would wait for the other to let go of it.

A helper's state goes round::

    FREE -> CLAIMED        a caller has work for it
    CLAIMED -> RUNG        the caller is at its own part, and needs Python no more
    RUNG -> RUNNING        the helper has begun
    RUNNING -> DONE        its part is there
    DONE -> FREE           the caller has seen so
    RUNG -> CLAIMED        the caller is done, and the helper has not begun: it gets no part
    CLAIMED -> FREE        the caller lets go of it

So nobody waits for a helper that sleeps, or that may never wake. A second number says whether it
sleeps, for whoever claims it to ring its bell.

Only what a processor does in one step can be relied on between threads: to load, to store, and to
put in a new number where it finds the old one that it expects. Source: the LLVM Language Reference,
*Atomic Memory Ordering Constraints*.
"""

from __future__ import annotations

import os
import time
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

FREE, CLAIMED, RUNG, RUNNING, DONE = range(5)
NONE = 1  # no state has this address
ASLEEP, CLOCK = 8, 16  # bytes from a helper's state to what says whether it sleeps, and to a time
PAUSES = 32  # looks at a state, before another thread may have the core
PATIENCE = 2_000_000  # nanoseconds that a helper waits awake; BLAS' threads do so much longer

WORD = ir.IntType(64)
_triple = llvm.get_process_triple()
# what tells a processor that a loop does nothing but wait
_hint = (
    ("llvm.x86.sse2.pause", ())
    if _triple.startswith(("x86_64", "i686"))
    else ("llvm.aarch64.hint", (1,))
    if _triple.startswith(("aarch64", "arm64"))
    else None
)


def kept(*signature: Any, **options: Any) -> Any:
    """Compile without Python's lock, and keep it for the next process, if there is a place to write to."""

    def compile_it(function: Any) -> Any:
        try:
            return njit(*signature, nogil=True, cache=True, **options)(function)
        except RuntimeError:  # neither the library's folder nor the user's can be written to
            return njit(*signature, nogil=True, **options)(function)

    return compile_it


def _at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, WORD.as_pointer())


@intrinsic
def load(_: Any, address: Any) -> Any:
    """Read the number at an address, and after it what was written before that."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_at(builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), instructions


@intrinsic
def store(_: Any, address: Any, value: Any) -> Any:
    """Write a number, after all that is to be written before it."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _at(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), instructions


@intrinsic
def exchange(_: Any, address: Any, old: Any, new: Any) -> Any:
    """Write `new` if there is `old`, and tell whether there was. No other thread can come between."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, old, new = arguments
        both = builder.cmpxchg(_at(builder, address), old, new, "acq_rel", "acquire")
        return builder.extract_value(both, 1)

    return types.boolean(types.int64, types.int64, types.int64), instructions


@intrinsic
def pause(_: Any) -> Any:
    """Wait for some cycles, in which the core's other thread may use what this one does not."""

    def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _hint:
            name, values = _hint
            kinds = [ir.IntType(32)] * len(values)
            function = ir.FunctionType(ir.VoidType(), kinds)
            wait = builder.module.declare_intrinsic(name, (), function)
            builder.call(wait, [ir.Constant(k, v) for k, v in zip(kinds, values, strict=True)])
        return context.get_dummy_value()

    return types.void(), instructions


if hasattr(os, "sched_yield"):
    let_others = types.ExternalFunction("sched_yield", types.int32())
    # the system's own call: with the number of a clock, and an address for seconds and nanoseconds
    tell = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.int64))
    MONOTONIC = np.int32(time.CLOCK_MONOTONIC)

    @kept("int64(int64)")
    def nanoseconds(own):
        """Look at the clock."""
        tell(MONOTONIC, own + CLOCK)
        return load(own + CLOCK) * 1_000_000_000 + load(own + CLOCK + 8)

else:  # Windows has neither: a microsecond or two a look

    @njit(nogil=True)
    def let_others():
        return 0

    @kept("int64(int64)")
    def nanoseconds(own):
        """Count the looks at the clock that there is none of."""
        store(own + CLOCK, load(own + CLOCK) + 2000)
        return load(own + CLOCK)


# All are compiled when they are imported: later, a helper might have to, with no memory left, or a
# process might fork meanwhile.
@kept("boolean(int64)")
def wait(own):
    """Wait until the helper whose state is at `own` is rung for, or has waited enough: then False."""
    end = nanoseconds(own) + PATIENCE
    while nanoseconds(own) < end:  # and not rounds: among many threads, each may take long
        for _ in range(PAUSES):
            if load(own) == RUNG and exchange(own, RUNG, RUNNING):
                return True
            pause()
        let_others()
    store(own + ASLEEP, 1)
    return exchange(own, RUNG, RUNNING)  # somebody may have rung just now


@kept("int64(int64[::1], int64[::1])")
def claim(states, team):
    """Claim as many helpers as the team has places for, write their addresses there, and count them."""
    found = 0
    for state in states:
        if found < len(team) and exchange(state, FREE, CLAIMED):
            team[found] = state
            found += 1
    return found


@kept("void(int64)")
def free(state):
    """Let go of a helper that was claimed."""
    store(state, FREE)


@kept("void(int64[::1])")
def ring(team):
    """Let helpers begin. `team` holds their states' addresses, or NONE; a helper's own holds -address."""
    for state in team:
        if state > NONE:
            store(state, RUNG)


@kept("boolean(int64[::1])")
def rest(team):
    """Wait for helpers that have begun, and take back the parts of those that have not.

    The former are let go of, and leave the team. A helper itself says that it is done, and waits: True
    if it is rung for again.
    """
    again = False
    for place in range(len(team)):
        state = team[place]
        if state > NONE:
            while True:
                now = load(state)
                if now == DONE:
                    team[place] = 0
                    store(state, FREE)
                    break
                if now == CLAIMED or now == FREE or exchange(state, RUNG, CLAIMED):
                    break
                for _ in range(PAUSES):
                    pause()
                    if load(state) == DONE:
                        break
                else:
                    let_others()
        elif state < 0:
            store(-state, DONE)
            again = wait(-state)
    return again
