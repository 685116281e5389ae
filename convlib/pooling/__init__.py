"""Max and average pooling: the same windows as a convolution, another reduction.

Both walk over the taps of the windows. One tap of all windows is one array, so the loop is as long
as the kernel has cells, whatever the size of the input.
"""

from .average import avg_pool1d, avg_pool2d, avg_pool3d
from .maximum import max_pool1d, max_pool2d, max_pool3d

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]
