"""The interactive figures."""

from .window import WindowExplorer

__all__ = [
    "WindowExplorer",
]
