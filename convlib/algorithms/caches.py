"""How much memory a core has near by: what blocks and units of work are measured by.

What is used again soon should still be in the cache that one core has for itself. On one processor
that cache holds 2 MiB, on another one a quarter of it, and a block that is right for the one is read
from far away again and again on the other.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

USUAL = 1 << 20  # where the system does not say
FOLDER = Path("/sys/devices/system/cpu")  # Linux: a folder for each core


def _bytes(text: str) -> int:
    """Read a size as Linux writes it, such as 512K."""
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * unit[text[-1]] if text[-1] in unit else int(text)


def _sharing(text: str) -> int:
    """Count the cores of a list such as 0-3,8."""
    ends = (part.split("-") for part in text.split(","))
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def _second(folder: Path) -> int:
    """Bytes of a core's second cache, or of its part of one that several cores share."""
    for index in sorted(folder.glob("cpu[0-9]*/cache/index*")):
        level, kind, size, cores = (
            (index / name).read_text().strip()
            for name in ("level", "type", "size", "shared_cpu_list")
        )
        if level == "2" and kind != "Instruction":
            return _bytes(size) // _sharing(cores)
    return 0


@cache
def near(folder: Path = FOLDER) -> int:
    """Bytes of the largest cache that one core has for itself, as near as the system tells.

    >>> near() >= 1 << 16
    True
    """
    try:
        found = _second(folder)
    except (OSError, ValueError, IndexError):
        found = 0
    return min(max(found, 1 << 17), 1 << 23) if found else USUAL
