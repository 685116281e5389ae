"""The sizes of poolings, and what they refuse. Integers only, like `geometry`.

Pooling differs from convolution in four points: the stride is the kernel size where none is given;
padding is at most half a kernel; `ceil_mode` keeps a last window that hangs over the end; and a
kernel may then be far wider than the input. So a kernel is first cut to the taps that see a cell.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..settings import Ints, integer, integers

# PyTorch holds these settings in a C int.
LIMIT = 2**31


class Axis(NamedTuple):
    """One spatial axis: input size, kernel size, stride, padding, dilation, output size."""

    n: int
    k: int
    s: int
    p: int
    d: int
    m: int

    @property
    def taps(self) -> range:
        """From the first tap that sees a cell of the input to the last. Others see padding alone.

        Tap `t` of the window at position `h` sees the cell `h·s + t·d - p`.

        >>> Axis(n=3, k=100, s=100, p=0, d=1, m=1).taps
        range(0, 3)
        """
        first = max(0, -(((self.m - 1) * self.s - self.p) // self.d))
        last = min(self.k - 1, (self.n - 1 + self.p) // self.d)
        return range(first, last + 1)

    @property
    def pad(self) -> tuple[int, int]:
        """Cells to add (before, after), so that the windows of these taps fill the axis.

        A negative number of cells is cut off: no window reaches them.

        >>> Axis(n=6, k=3, s=2, p=1, d=1, m=3).pad  # the last cell is left over
        (1, 0)
        >>> Axis(n=6, k=2, s=2, p=0, d=1, m=2).pad
        (0, -2)
        """
        before = self.p - self.taps.start * self.d
        length = (self.m - 1) * self.s + (len(self.taps) - 1) * self.d + 1
        return before, length - before - self.n

    @property
    def blind(self) -> bool:
        """Whether some window sees no cell of the input at all, only padding.

        Its taps would step from the padding before the input to that behind it.

        >>> Axis(n=1, k=2, s=1, p=1, d=2, m=1).blind
        True
        """
        # a window that starts before the input reads first the cell (start mod d)
        starts = range(-self.p, min((self.m - 1) * self.s - self.p + 1, 0), self.s)
        return self.d > self.n and any(start % self.d >= self.n for start in starts)


class Pooling(NamedTuple):
    """A checked pooling: one `Axis` for each spatial axis, and the shapes."""

    axes: tuple[Axis, ...]
    input_shape: tuple[int, ...]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output, with batch and channels."""
        return (*self.input_shape[: -len(self.axes)], *(axis.m for axis in self.axes))


def _output_size(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """Count the windows; with `ceil_mode` also a last one that hangs over the end."""
    steps, rest = divmod(n + 2 * p - d * (k - 1) - 1, s)
    # the last window must start in the input or in the padding before it
    return steps + 1 + int(ceil_mode and rest > 0 and (steps + 1) * s < n + p)


def pooling_settings(
    function: str,
    axes: int,
    input_shape: tuple[int, ...],
    kernel_size: Ints,
    stride: Ints | None,
    padding: Ints,
    dilation: Ints,
    ceil_mode: bool,
) -> Pooling:
    """Check everything about a pooling that can be known without reading an array."""
    k = integers(function, "kernel_size", kernel_size, axes, least=1)
    # () and [] mean the kernel size too, as in PyTorch
    omitted = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    s = k if omitted else integers(function, "stride", stride, axes, least=1)
    p = integers(function, "padding", padding, axes, least=0)
    d = integers(function, "dilation", dilation, axes, least=1)
    check_bool(function, "ceil_mode", ceil_mode)
    if len(input_shape) not in (axes + 1, axes + 2) or 0 in input_shape[-axes - 1 :]:
        raise ValueError(
            f"{function}: input must have {axes + 2} axes (batch, channels, {axes} spatial) or "
            f"{axes + 1} without the batch, and none but the batch may be 0, got {input_shape}."
        )
    for name, values in (("kernel_size", k), ("stride", s), ("dilation", d)):
        if max(values) >= LIMIT:
            raise ValueError(f"{function}: {name} must be below 2**31, got {max(values)}.")
    if any(2 * pad > size for pad, size in zip(p, k, strict=True)):
        raise ValueError(
            f"{function}: padding must be at most half of kernel_size {k}, got {padding!r}."
        )
    size = input_shape[-axes:]
    if function.startswith("avg_pool3d") and any(n < taps for n, taps in zip(size, k, strict=True)):
        raise ValueError(
            f"{function}: kernel_size must be at most the input's {size}, got {kernel_size!r}."
        )
    rows = tuple(zip(size, k, s, p, d, strict=True))
    checked = tuple(Axis(*row, _output_size(*row, ceil_mode)) for row in rows)
    if min(axis.m for axis in checked) < 1:
        raise ValueError(
            f"{function}: the kernel spans {tuple(a.d * (a.k - 1) + 1 for a in checked)} cells, "
            f"but the padded input has {tuple(a.n + 2 * a.p for a in checked)}."
        )
    return Pooling(checked, tuple(input_shape))


def check_every_window(function: str, pooling: Pooling) -> None:
    """Check that each window sees a cell of the input, so that its largest one has an index."""
    if any(axis.blind for axis in pooling.axes):
        raise ValueError(
            f"{function}: indices need a cell of the input in every window, but with dilation "
            f"{tuple(a.d for a in pooling.axes)} and padding {tuple(a.p for a in pooling.axes)} "
            f"some window lies in the padding alone."
        )


def check_bool(function: str, name: str, value: Any) -> None:
    """Refuse everything but True and False."""
    if not isinstance(value, bool):
        raise TypeError(f"{function}: {name} must be True or False, got {value!r}.")


def check_divisor(function: str, override: Any) -> int | None:
    """Check `divisor_override`: None, or an integer other than 0."""
    if override is None:
        return None
    override = integer(function, "divisor_override", override)
    if override == 0:
        raise ValueError(f"{function}: divisor_override must be an integer other than 0, got 0.")
    return override
