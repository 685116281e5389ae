"""Chapter 6: which input channels an output channel reads."""

from __future__ import annotations

from typing import ClassVar

from ._base import CONVLIB, TORCH, Explorer, Whole
from ._still import Picture

REFUSED = "No weight: groups {g} does not divide {name} {value}."
CHANNELS = ("in_channels", "out_channels", "groups")
PRESETS = {
    "one group": (8, 8, 1),
    "two groups": (8, 8, 2),
    "depthwise": (8, 8, 8),
    "depthwise, multiplier 2": (6, 12, 6),
}
WEIGHTS = "Which output channel has a weight for which input channel"
FILLED = "a cell o,i is the kernel weight[o, i], {k}×{k} numbers"
COST = "{b:output}·{per:kernel}·{k:kernel}·{k:kernel} = {params:kernel} parameters"


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
    _words: ClassVar = {
        "title": "Who reads whom: channels in groups",
        "start": {
            "label": "Example", "keys": CHANNELS,
            "presets": {
                name: dict(zip(CHANNELS, values, strict=True)) for name, values in PRESETS.items()
            },
        },
        "sentences": {
            "in": REFUSED.format(name="in_channels", value="{a}", g="{g}"),
            "out": REFUSED.format(name="out_channels", value="{b}", g="{g}"),
            "reads": "Output channel {at} reads {reads listed input channel}, {per} of {a}.",
            "one": "One group: every output channel reads every input channel.",
            "depthwise": "Depthwise: each input channel has one output channel of its own.",
            "multiplier": (
                "Depthwise: each input channel has {each} output channels of its own, the multiplier "
                "is {each}."
            ),
            "groups": (
                "{g} groups, as {g} convolutions side by side: none sees the channels of another."
            ),
        },
        "grids": {
            "weight": {"name": WEIGHTS, "caption": FILLED},
            "groups": {"name": WEIGHTS, "caption": f"{FILLED}; empty: no weight"},
        },
        "lines": {
            "weight": (
                "weight", "shape ({b:output}, {a:input}/{g} = {per:kernel}, {k:kernel}, {k:kernel})",
            ),
            "cost": ("cost", COST),
            "less": ("cost", f"{COST}, with one group {{dense}}, {{g}} times as many"),
            "flops": ("", "2·{params:kernel} = {flops} FLOPs an output position"),
            "groups": (
                "groups",
                "{a:input} / {g} and {b:output} / {g} must both be whole: groups may be {choices}",
            ),
        },
        "code": {
            "convlib": CONVLIB
            + "input = np.ones((1, {a}, {k}, {k}), np.float32)\n"
            "weight = np.ones(({b}, {a} // {g}, {k}, {k}), np.float32)\n"
            "output = convlib.conv2d(input, weight, groups={g})\n"
            "print(output.shape, weight.shape, weight.size)\n",
            "PyTorch": TORCH
            + "layer = torch.nn.Conv2d({a}, {b}, {k}, groups={g}, bias=False)\n"
            "torch.nn.init.ones_(layer.weight)\n"
            "twin = layer(torch.from_numpy(input))\n"
            "print(twin.shape, layer.weight.shape, layer.weight.numel())\n",
        },
    }  # fmt: skip
    in_channels = Whole(1, 16, 8, "In channels")
    out_channels = Whole(1, 16, 8, "Out channels", "output")
    groups = Whole(1, 16, 2, "Groups", "kernel")
    kernel_size = Whole(1, 7, 3, "Kernel", "kernel")
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
            sentence = REFUSED.format(name=name, value=value, g=g)
        else:
            sentence = (
                f"Output channel {here} reads {a // g} of {a} input channels. Weight shape "
                f"({b}, {a // g}, {k}, {k}): {b * (a // g) * k * k} parameters, "
                f"{2 * b * (a // g) * k * k} FLOPs an output position."
            )
        return picture.svg(sentence), sentence
