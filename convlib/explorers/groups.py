"""Chapter 6: which input channels an output channel reads."""

from __future__ import annotations

from ._base import Explorer, Whole
from ._still import Picture


class GroupsExplorer(Explorer):
    """Channels in and out, in groups: who is connected to whom, and what that costs.

    Parameters
    ----------
    in_channels, out_channels : int
        From 1 to 16.
    groups : int
        From 1 to 16; it must divide both.
    kernel_size : int
        From 1 to 7.
    channel : int
        The output channel that is pointed at.
    """

    _explorer = "groups"
    in_channels = Whole(1, 16, 8)
    out_channels = Whole(1, 16, 8)
    groups = Whole(1, 16, 2)
    kernel_size = Whole(1, 7, 3)
    channel = Whole(0, 15, 0)

    def _shown(self):
        return list(self.state().items())[:4]

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        a, b, g, k = (value for _, value in self._shown())
        picture, cell = Picture(), 30
        fits = a % g == 0 and b % g == 0
        low, high = 22, 22 + cell + 90
        shift = (b - a) * cell / 2
        x_in, x_out = max(shift, 0.0), max(-shift, 0.0)
        here = min(self.channel, b - 1)
        pairs = [
            (i, o) for o in range(b) for i in range(a) if fits and i // (a // g) == o // (b // g)
        ]

        def lines(chosen):
            return [
                (x_in + (i + 0.5) * cell, low + cell, x_out + (o + 0.5) * cell, high)
                for i, o in chosen
            ]

        picture.lines(lines([p for p in pairs if p[1] != here]), "line")
        picture.lines(lines([p for p in pairs if p[1] == here]), "kernel", 2)
        picture.caption(0, 8, f"{a} input channels")
        read = {i for i, o in pairs if o == here}
        picture.grid(x_in, low, [range(a)], lambda _, c: "kernel" if c in read else "input", cell)
        picture.grid(x_out, high, [range(b)], "output", cell)
        if fits:
            picture.frame(x_out + here * cell, high, cell, cell, "output")
        picture.caption(0, high + cell + 12, f"{b} output channels")
        if not fits:
            name, value = ("in_channels", a) if a % g else ("out_channels", b)
            sentence = f"No weight: {name} {value} does not divide by groups {g}."
        else:
            sentence = (
                f"Output channel {here} reads {a // g} of {a} input channels. Weight shape "
                f"({b}, {a // g}, {k}, {k}): {b * (a // g) * k * k} parameters, "
                f"{2 * b * (a // g) * k * k} FLOPs an output position."
            )
        return picture.svg(sentence), sentence
