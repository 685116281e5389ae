"""PyTorch's convolutions, rebuilt on plain NumPy and CuPy arrays, window by window.

The library, to be read in this order:

1. arrays, settings: whose arrays these are, and how settings are spelled
2. padding, geometry, receptive, windows, contraction: the parts, a chapter each
3. checks, convolution: what fits together, and the core that puts the parts together
4. folding, grad, transposed: the way back, and the same way taken forwards
5. pooling: the same windows, another reduction
6. algorithms: faster ways to the same sums, with an order of their own

These serve the book: figures and figure_*, samples, explorers, exercises, validation (compares with
PyTorch), benchmark and recorded (its times), gpu (shows what ran on one) and stand_in (for CuPy,
where there is none). The library imports none of them.
"""

from . import algorithms, grad
from .algorithms import allowed_error
from .contraction import contract
from .convolution import conv1d, conv2d, conv3d
from .folding import fold, unfold
from .geometry import (
    effective_kernel_size,
    input_sizes,
    leftover,
    output_size,
    same_padding,
    transposed_output_size,
)
from .padding import pad
from .pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from .receptive import receptive_field
from .transposed import conv_transpose1d, conv_transpose2d, conv_transpose3d
from .windows import scatter_windows, windows

__version__ = "0.1.0"

__all__ = [
    "algorithms",
    "allowed_error",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "contract",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "effective_kernel_size",
    "fold",
    "grad",
    "input_sizes",
    "leftover",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "output_size",
    "pad",
    "receptive_field",
    "same_padding",
    "scatter_windows",
    "transposed_output_size",
    "unfold",
    "windows",
]
