"""A stand-in for CuPy: arrays that behave as if they lay on a GPU, and a count of what that costs.

The numbers lie in the CPU's memory and NumPy computes them. But as with CuPy, a NumPy array has to
be sent and fetched by name, never in passing; a view costs nothing; and everything that makes new
numbers is a *launch*, one program that the GPU is told to run. The stand-in counts launches, and
the bytes that are sent and fetched. Chapter 10 uses it, and so do the tests where there is no GPU.

What it cannot tell is time, nor what CuPy's own functions launch inside: a call counts once. Time
on a device is what `Queue` acts out, in seconds that pass for it alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["Array", "Library", "Queue", "as_cupy"]

OPERATORS = (
    "add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv mod rmod "
    "pow rpow matmul rmatmul and rand iand or ror ior xor neg pos abs invert eq ne lt le gt ge"
).split()
NOTHING_WRITTEN = {"empty", "empty_like"}  # new memory, but that is all
WRITTEN = {"copyto", "fill", "put"}  # to memory that was there, and nothing comes back


def plain(value: Any) -> Any:
    """Take the NumPy arrays out of arguments."""
    if isinstance(value, Array):
        return value._numbers
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


def parts(value: Any) -> Any:
    """List an argument, or what is in it."""
    return value if isinstance(value, (list, tuple)) else [value]


class Array:
    """An array that only its own library can read. `Library.ndarray` is a subclass of it."""

    library: Library

    def __init__(self, numbers: np.ndarray):
        self._numbers = numbers

    def get(self) -> np.ndarray:
        """Fetch the numbers into a NumPy array."""
        self.library.fetched += self._numbers.nbytes
        return self._numbers.copy()

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("A NumPy array is not made of this in passing: use .get().")

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        """Take np.exp(array) as CuPy does: its own function is called."""
        if method != "__call__":
            return NotImplemented
        return getattr(self.library, function.__name__)(*inputs, **settings)

    def __array_function__(self, function: Any, types: Any, inputs: Any, settings: Any) -> Any:
        """Take np.concatenate([array, array]) likewise."""
        return getattr(self.library, function.__name__)(*inputs, **settings)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_numbers":
            raise AttributeError(name)
        found = getattr(self._numbers, name)
        if callable(found):
            return self.library._counted(name, found, self._numbers)
        return self.library._wrapped(found)

    def __getitem__(self, index: Any) -> Any:
        return self.library._counted("getitem", self._numbers.__getitem__, self._numbers)(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        target, source = self._numbers[plain(index)], plain(value)
        if isinstance(source, np.ndarray) and isinstance(target, np.ndarray):
            same = source.__array_interface__["data"] == target.__array_interface__["data"]
            if same and source.strides == target.strides and source.shape == target.shape:
                return  # the end of `a[i] += b`, which was done in place
        if isinstance(value, np.ndarray):
            raise TypeError(f"{self.library.__name__}: a NumPy array has to be sent by asarray.")
        self.library.launches["copy" if isinstance(source, np.ndarray) else "fill"] += 1
        self._numbers[plain(index)] = source

    def __len__(self) -> int:
        return len(self._numbers)

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __repr__(self) -> str:
        return f"<{self.library.__name__} array of shape {self._numbers.shape}>"


def _operator(name: str) -> Any:
    def operate(self: Array, *others: Any) -> Any:
        if any(isinstance(other, np.ndarray) for other in others):
            return NotImplemented
        if name.startswith("i") and name != "invert":
            getattr(self._numbers, f"__{name}__")(*map(plain, others))
            self.library.launches[name[1:]] += 1
            return self
        run = getattr(self._numbers, f"__{name}__")
        return self.library._counted(name.removeprefix("r"), run)(*others)

    return operate


for _name in OPERATORS:
    setattr(Array, f"__{_name}__", _operator(_name))


class Library(ModuleType):
    """The functions of NumPy, on arrays of its own: what CuPy is to code that says `xp`.

    Attributes
    ----------
    launches : Counter
        How often each function made new numbers.
    sent, fetched : int
        Bytes that `asarray` and `get` moved.
    """

    def __init__(self, name: str = "stand_in", of: ModuleType | None = None, parent: Any = None):
        super().__init__(name)
        self._of, self._parent = of or np, parent
        if parent is None:
            self.ndarray: Any = type("ndarray", (Array,), {"library": self})
            self.reset()

    def reset(self) -> None:
        """Begin to count anew."""
        self.launches: Counter[str] = Counter()
        self.sent = self.fetched = 0

    def asarray(self, values: Any, dtype: Any = None) -> Any:
        """Send numbers to this library; its own arrays are there already."""
        if isinstance(values, Array):
            return values if dtype is None or values.dtype == dtype else values.astype(dtype)
        numbers = np.array(plain(values), dtype)
        self.sent += numbers.nbytes
        return self.ndarray(numbers)

    def asnumpy(self, array: Any) -> np.ndarray:
        """Fetch numbers from this library."""
        return array.get() if isinstance(array, Array) else np.asarray(array)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._of, name)
        if isinstance(found, ModuleType):
            return Library(f"{self.__name__}.{name}", found, self._parent or self)
        if callable(found) and not isinstance(found, type):
            return (self._parent or self)._counted(name, found)
        return found

    def _counted(self, name: str, run: Any, own: np.ndarray | None = None) -> Any:
        """Wrap a function: plain arrays in, arrays of this library out, a launch if they are new."""

        def call(*arguments: Any, **settings: Any) -> Any:
            given = [b for a in (*arguments, *settings.values()) for b in parts(a)]
            if any(isinstance(a, np.ndarray) for a in given):
                raise TypeError(f"{self.__name__}: a NumPy array has to be sent by asarray.")
            inputs = [a for a in (own, *map(plain, arguments)) if isinstance(a, np.ndarray)]
            result = run(*map(plain, arguments), **{k: plain(v) for k, v in settings.items()})
            new = isinstance(result, (np.ndarray, np.generic))
            new = new and not any(np.may_share_memory(result, a) for a in inputs)
            # numbers that go to an array which was given are as new as any
            new = new or settings.get("out") is not None or name in WRITTEN
            if new and name not in NOTHING_WRITTEN:
                self.launches[name] += 1
            if isinstance(settings.get("out"), Array):
                return settings["out"]
            return self._wrapped(result)

        return call

    def _wrapped(self, value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            return self.ndarray(np.asarray(value))
        if isinstance(value, (list, tuple)) and any(isinstance(v, np.ndarray) for v in value):
            return type(value)(map(self._wrapped, value))
        return value


class Queue:
    """A device that works off one task after the other, while its host goes on.

    No time passes in truth: `now` is the host's clock, which `launch` and `synchronize` put forward.

    Parameters
    ----------
    launch : float
        Seconds that the host needs to hand over one task.
    """

    def __init__(self, launch: float = 0.0):
        self.launch_seconds = launch
        self._now = self._ready = 0.0

    def now(self) -> float:
        """Read the host's clock, in seconds."""
        return self._now

    def launch(self, seconds: float) -> None:
        """Hand over a task that takes the device so long. The host does not wait for it."""
        self._now += self.launch_seconds
        self._ready = max(self._ready, self._now) + seconds

    def compute(self, seconds: float) -> None:
        """Let the host itself work so long."""
        self._now += seconds

    def synchronize(self) -> None:
        """Let the host wait until the device has done all that it was told."""
        self._now = max(self._now, self._ready)


@contextmanager
def as_cupy(library: Library) -> Iterator[Library]:
    """Let convlib find `library` where it looks for CuPy, inside of this block.

    The real one, if it was imported, is put back at the end.
    """
    real = sys.modules.get("cupy")
    sys.modules["cupy"] = library
    try:
        yield library
    finally:
        if real is None:
            del sys.modules["cupy"]
        else:
            sys.modules["cupy"] = real
