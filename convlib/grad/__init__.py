"""Gradients, a function each, in the manner of `torch.nn.grad`.

The name says which function is differentiated and for which argument. The shape that the gradient must
have stands in the place of the array that it is the gradient of (not for a bias), then the gradient that
arrived at the output, then the settings, as the function itself takes them.
"""

from .avg_pooling import avg_pool1d_input, avg_pool2d_input, avg_pool3d_input
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
from .copying import fold_input, pad_input, unfold_input
from .max_pooling import max_pool1d_input, max_pool2d_input, max_pool3d_input
from .transposed import (
    conv_transpose1d_input,
    conv_transpose1d_weight,
    conv_transpose2d_input,
    conv_transpose2d_weight,
    conv_transpose3d_input,
    conv_transpose3d_weight,
)

__all__ = [
    "avg_pool1d_input",
    "avg_pool2d_input",
    "avg_pool3d_input",
    "conv1d_bias",
    "conv1d_input",
    "conv1d_weight",
    "conv2d_bias",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_bias",
    "conv3d_input",
    "conv3d_weight",
    "conv_transpose1d_input",
    "conv_transpose1d_weight",
    "conv_transpose2d_input",
    "conv_transpose2d_weight",
    "conv_transpose3d_input",
    "conv_transpose3d_weight",
    "fold_input",
    "max_pool1d_input",
    "max_pool2d_input",
    "max_pool3d_input",
    "pad_input",
    "unfold_input",
]
