"""Times of convolutions on the layers of networks, beside PyTorch's: ``python -m convlib.benchmark``.

Two libraries in one process slow each other down: their threads go on spinning for a while after a
call. So each runs in a process of its own, with the same number of threads, in alternation, and only
when the other's threads have come to rest; and what is quoted is the ratio of times taken side by
side, since a machine's clock changes by the minute.
"""

from .layers import NETWORKS, Layer
from .measure import measure

__all__ = ["NETWORKS", "Layer", "measure"]
