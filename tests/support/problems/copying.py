"""Problems for pad, unfold and fold."""

from __future__ import annotations

PADDING = [
    {"function": "pad", "input": (2, 3, 5), "pad": (1, 2)},
    {"function": "pad", "input": (2, 3, 5), "pad": (1, 2, 0, 1, 3, 0), "value": 2.0},
    {"function": "pad", "input": (2, 3, 5, 6), "pad": (-1, 2, 3, -2)},  # cut here, add there
    {"function": "pad", "input": (2, 3, 5, 6), "pad": (-2, -1), "value": 1.0},
    {"function": "pad", "input": (2, 3, 5), "pad": (2, 4), "mode": "reflect"},  # to the limit
    {"function": "pad", "input": (3, 5, 6), "pad": (1, 2, 3, 0), "mode": "reflect"},
    {"function": "pad", "input": (2, 3, 4, 5, 6), "pad": (1, 2, 3, 0, 2, 1), "mode": "reflect"},
    {"function": "pad", "input": (2, 3, 5), "pad": (7, 1), "mode": "replicate"},  # wider than input
    {"function": "pad", "input": (2, 3, 5, 6), "pad": (1, 2, 3, 0), "mode": "replicate"},
    {"function": "pad", "input": (2, 3, 5, 6), "pad": (-1, 2, 3, -2), "mode": "replicate"},
    {"function": "pad", "input": (3, 4, 5, 6), "pad": (1, 2, 3, 0, 2, 1), "mode": "replicate"},
    {"function": "pad", "input": (2, 3, 5), "pad": (5, 3), "mode": "circular"},  # once around
    {"function": "pad", "input": (3, 5, 6), "pad": (1, 2, 3, 0), "mode": "circular"},
    {"function": "pad", "input": (2, 3, 5, 6), "pad": (-1, 2, 3, -2), "mode": "circular"},
    {"function": "pad", "input": (0, 3, 5, 6), "pad": (1, 2, 3, 0), "mode": "reflect"},  # no image
]

FOLDING = [
    {"function": "unfold", "input": (2, 3, 6, 7), "kernel_size": (2, 3)},
    {"function": "unfold", "input": (3, 6, 7), "kernel_size": 3, "padding": (1, 2), "stride": 2},
    {"function": "unfold", "input": (2, 3, 6, 7), "kernel_size": 2, "dilation": (3, 2)},
    {"function": "unfold", "input": (2, 3, 6, 7), "kernel_size": 2, "stride": (4, 3)},  # gaps
    {"function": "unfold", "input": (0, 3, 6, 7), "kernel_size": 2},
    {"function": "fold", "input": (2, 12, 20), "output_size": (5, 6), "kernel_size": 2},
    {"function": "fold", "input": (12, 6), "output_size": (5, 6), "kernel_size": 2, "stride": 2},
    {
        "function": "fold",
        "input": (2, 12, 30),
        "output_size": (5, 6),
        "kernel_size": (2, 3),
        "padding": (1, 1),
        "dilation": (2, 1),
    },
    {"function": "fold", "input": (2, 8, 6), "output_size": 8, "kernel_size": (2, 4), "stride": 3},
    {"function": "fold", "input": (0, 12, 20), "output_size": (5, 6), "kernel_size": 2},
]
