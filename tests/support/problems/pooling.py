"""Problems for max and average pooling."""

from __future__ import annotations

MAX_POOLING = [
    {"function": "max_pool1d", "input": (2, 3, 9), "kernel_size": 2},
    {"function": "max_pool1d", "input": (3, 9), "kernel_size": 3, "stride": 2, "padding": 1},
    {"function": "max_pool1d", "input": (2, 3, 10), "kernel_size": 3, "ceil_mode": True},
    {"function": "max_pool1d", "input": (2, 3, 10), "kernel_size": 3, "stride": 1, "dilation": 3},
    {"function": "max_pool2d", "input": (2, 3, 6, 7), "kernel_size": (2, 3)},
    {"function": "max_pool2d", "input": (3, 6, 7), "kernel_size": 3, "stride": 1, "padding": 1},
    {
        "function": "max_pool2d",
        "input": (2, 3, 7, 8),
        "kernel_size": 3,
        "stride": (2, 3),
    },  # left over
    {
        "function": "max_pool2d",
        "input": (2, 3, 7, 8),
        "kernel_size": (2, 4),
        "stride": (3, 3),
        "padding": (1, 2),
        "ceil_mode": True,
    },
    {
        "function": "max_pool2d",
        "input": (2, 3, 8, 9),
        "kernel_size": 3,
        "dilation": (2, 1),
        "stride": 1,
    },
    {"function": "max_pool2d", "input": (0, 3, 8, 9), "kernel_size": 3},
    {"function": "max_pool2d", "input": (1, 2, 4, 4), "kernel_size": 2, "stride": ()},
    {
        "function": "max_pool2d",
        "input": (1, 2, 4, 4),
        "kernel_size": 2,
        "stride": [5],
        "padding": [1],
    },
    # a last window would start behind the input: dropped
    {
        "function": "max_pool2d",
        "input": (1, 1, 4, 5),
        "kernel_size": 2,
        "stride": 3,
        "padding": 1,
        "ceil_mode": True,
    },
    # the kernel is wider than the input
    {"function": "max_pool2d", "input": (1, 1, 4, 5), "kernel_size": 7, "ceil_mode": True},
    {"function": "max_pool3d", "input": (2, 2, 4, 5, 6), "kernel_size": (2, 3, 1)},
    {
        "function": "max_pool3d",
        "input": (2, 5, 6, 7),
        "kernel_size": 3,
        "stride": (1, 2, 3),
        "padding": (1, 0, 1),
        "dilation": (1, 2, 1),
        "ceil_mode": True,
    },
]

AVERAGE_POOLING = [
    {"function": "avg_pool1d", "input": (2, 3, 9), "kernel_size": 2},
    {"function": "avg_pool1d", "input": (3, 9), "kernel_size": 3, "stride": 2, "padding": 1},
    {
        "function": "avg_pool1d",
        "input": (2, 3, 10),
        "kernel_size": 4,
        "padding": 2,
        "ceil_mode": True,
    },
    {
        "function": "avg_pool1d",
        "input": (2, 3, 9),
        "kernel_size": 3,
        "padding": 1,
        "count_include_pad": False,
    },
    {"function": "avg_pool2d", "input": (2, 3, 6, 7), "kernel_size": (2, 3)},
    {"function": "avg_pool2d", "input": (3, 6, 7), "kernel_size": 3, "stride": 1, "padding": 1},
    {"function": "avg_pool2d", "input": (2, 3, 7, 8), "kernel_size": 2, "stride": (3, 4)},  # gaps
    # the last window hangs over the padding, and what hangs over does not count
    {
        "function": "avg_pool2d",
        "input": (2, 3, 7, 8),
        "kernel_size": 4,
        "padding": 1,
        "stride": 3,
        "ceil_mode": True,
    },
    {
        "function": "avg_pool2d",
        "input": (2, 3, 7, 8),
        "kernel_size": (3, 4),
        "stride": (2, 3),
        "padding": (1, 2),
        "ceil_mode": True,
        "count_include_pad": False,
    },
    {"function": "avg_pool2d", "input": (2, 3, 6, 7), "kernel_size": 3, "divisor_override": 5},
    {"function": "avg_pool2d", "input": (2, 3, 6, 7), "kernel_size": 3, "divisor_override": -2},
    {"function": "avg_pool2d", "input": (0, 3, 6, 7), "kernel_size": 3, "stride": ()},
    {
        "function": "avg_pool2d",
        "input": (1, 1, 3, 4),
        "kernel_size": 5,
        "stride": 3,
        "ceil_mode": True,
    },
    {"function": "avg_pool3d", "input": (2, 2, 4, 5, 6), "kernel_size": (2, 3, 1)},
    {
        "function": "avg_pool3d",
        "input": (2, 5, 6, 7),
        "kernel_size": (3, 2, 3),
        "stride": (1, 2, 3),
        "padding": (1, 0, 1),
        "ceil_mode": True,
        "count_include_pad": False,
    },
    {"function": "avg_pool3d", "input": (2, 2, 4, 5, 6), "kernel_size": 2, "divisor_override": 3},
]
