"""Problems for convolutions, plain and transposed."""

from __future__ import annotations

CONVOLUTION = [
    # one spatial axis
    {"function": "conv1d", "input": (2, 3, 9), "weight": (4, 3, 3)},
    {"function": "conv1d", "input": (3, 9), "weight": (4, 3, 2), "bias": (4,)},  # no batch, even
    {"function": "conv1d", "input": (2, 4, 9), "weight": (6, 2, 4), "stride": 3, "groups": 2},
    {"function": "conv1d", "input": (2, 2, 8), "weight": (2, 2, 3), "padding": 2, "dilation": 3},
    {"function": "conv1d", "input": (2, 2, 8), "weight": (2, 2, 4), "padding": "same"},  # 1 and 2
    {"function": "conv1d", "input": (1, 1, 4), "weight": (1, 1, 1), "stride": 9},  # one window
    # two: an even kernel, not square, with cells left over
    {"function": "conv2d", "input": (2, 3, 8, 7), "weight": (4, 3, 2, 3), "bias": (4,)},
    {"function": "conv2d", "input": (2, 3, 8, 7), "weight": (4, 3, 3, 2), "stride": (2, 3)},
    {"function": "conv2d", "input": (3, 8, 7), "weight": (4, 3, 3, 3), "padding": (2, 1)},
    {"function": "conv2d", "input": (2, 2, 9, 8), "weight": (3, 2, 3, 2), "dilation": (2, 3)},
    {"function": "conv2d", "input": (2, 2, 7, 9), "weight": (3, 2, 2, 2), "stride": 4},  # gaps
    {
        "function": "conv2d",
        "input": (2, 6, 5, 6),
        "weight": (4, 3, 3, 3),
        "groups": 2,
        "bias": (4,),
    },
    {"function": "conv2d", "input": (2, 3, 5, 6), "weight": (6, 1, 3, 3), "groups": 3},  # depthwise
    {"function": "conv2d", "input": (0, 3, 5, 6), "weight": (4, 3, 3, 3), "bias": (4,)},  # no image
    {"function": "conv2d", "input": (2, 2, 6, 7), "weight": (3, 2, 4, 3), "padding": "same"},
    {
        "function": "conv2d",
        "input": (1, 2, 6, 7),
        "weight": (3, 2, 2, 4),
        "padding": "same",
        "dilation": (3, 1),  # 1 and 2 rows, 1 and 2 columns
    },
    {"function": "conv2d", "input": (2, 2, 6, 7), "weight": (3, 2, 3, 3), "padding": "valid"},
    {"function": "conv2d", "input": (1, 2, 1, 1), "weight": (3, 2, 3, 3), "padding": 1},  # one cell
    {"function": "conv2d", "input": (1, 2, 5, 5), "weight": (3, 2, 5, 5)},  # kernel as large
    {"function": "conv2d", "input": (1, 5, 4, 4), "weight": (7, 5, 1, 1), "stride": 2},  # 1 by 1
    {
        "function": "conv2d",
        "input": (2, 4, 11, 10),
        "weight": (6, 2, 3, 2),
        "bias": (6,),
        "stride": (2, 3),
        "padding": (3, 1),
        "dilation": (2, 1),
        "groups": 2,  # everything at once
    },
    {
        "function": "conv2d",
        "input": (2, 2, 6, 6),
        "weight": (2, 2, 3, 3),
        "stride": [2],
        "padding": (1,),
    },
    # three
    {"function": "conv3d", "input": (2, 2, 4, 5, 6), "weight": (3, 2, 2, 3, 1), "bias": (3,)},
    {
        "function": "conv3d",
        "input": (2, 4, 5, 6),
        "weight": (4, 1, 3, 2, 3),
        "groups": 2,
        "padding": 1,
    },
    {
        "function": "conv3d",
        "input": (1, 2, 5, 6, 7),
        "weight": (2, 2, 2, 2, 3),
        "stride": (1, 2, 3),
        "dilation": (2, 1, 2),
        "padding": (1, 0, 2),
    },
    {"function": "conv3d", "input": (1, 1, 3, 4, 4), "weight": (2, 1, 2, 3, 2), "padding": "same"},
]

TRANSPOSED = [
    {"function": "conv_transpose1d", "input": (2, 3, 5), "weight": (3, 4, 3)},
    {
        "function": "conv_transpose1d",
        "input": (3, 5),
        "weight": (3, 2, 2),
        "stride": 3,
        "bias": (2,),
    },
    {
        "function": "conv_transpose1d",
        "input": (2, 4, 5),
        "weight": (4, 3, 4),
        "stride": 2,
        "padding": 1,
        "output_padding": 1,
        "groups": 2,
        "bias": (6,),
    },
    {"function": "conv_transpose2d", "input": (2, 3, 4, 5), "weight": (3, 2, 2, 3), "bias": (2,)},
    {"function": "conv_transpose2d", "input": (3, 4, 5), "weight": (3, 2, 3, 2), "stride": (2, 3)},
    {
        "function": "conv_transpose2d",
        "input": (2, 2, 4, 3),
        "weight": (2, 2, 3, 3),
        "padding": (2, 1),
    },
    {
        "function": "conv_transpose2d",
        "input": (2, 2, 4, 3),
        "weight": (2, 2, 3, 2),
        "dilation": (2, 3),
    },
    {"function": "conv_transpose2d", "input": (0, 2, 4, 3), "weight": (2, 3, 3, 2), "stride": 2},
    {
        "function": "conv_transpose2d",
        "input": (1, 2, 3, 3),
        "weight": (2, 3, 1, 1),
        "stride": 3,
    },  # gaps
    {
        "function": "conv_transpose2d",
        "input": (1, 2, 3, 3),
        "weight": (2, 3, 2, 2),
        "dilation": 3,
        "output_padding": 2,  # smaller than the dilation, not than the stride
    },
    {
        "function": "conv_transpose2d",
        "input": (2, 6, 4, 3),
        "weight": (6, 2, 3, 4),
        "bias": (6,),
        "stride": (3, 2),
        "padding": (1, 2),
        "output_padding": (2, 1),
        "groups": 3,
        "dilation": (1, 2),
    },
    {
        "function": "conv_transpose3d",
        "input": (2, 2, 3, 2, 4),
        "weight": (2, 3, 2, 3, 1),
        "bias": (3,),
    },
    {
        "function": "conv_transpose3d",
        "input": (2, 3, 2, 3),
        "weight": (2, 2, 2, 2, 3),
        "stride": (1, 2, 3),
        "padding": (0, 1, 1),
        "output_padding": (0, 1, 2),
        "groups": 2,
    },
]
