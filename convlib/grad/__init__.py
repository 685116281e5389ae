"""Gradients, a function each, in the manner of `torch.nn.grad`.

The name says which function is differentiated and for which argument. First comes the shape the
gradient must have, then the arrays, then the settings, as the function itself takes them.
"""

from .convolution import (
    conv1d_bias,
    conv1d_input,
    conv1d_weight,
    conv2d_bias,
    conv2d_input,
    conv2d_weight,
    conv3d_bias,
    conv3d_input,
    conv3d_weight,
)

__all__ = [
    "conv1d_bias",
    "conv1d_input",
    "conv1d_weight",
    "conv2d_bias",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_bias",
    "conv3d_input",
    "conv3d_weight",
]
