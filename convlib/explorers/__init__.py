"""The interactive figures: a Python class and one ES module each.

How a new explorer is written (``window.py`` and ``static/window.js`` are the model)
-------------------------------------------------------------------------------------
1. Python, ``<name>.py``: a subclass of `Explorer` (``_base.py``) with ``_explorer = "<name>"`` and the
   settings as class attributes, in the order of the constructor (`Whole`, `Word`, or `Setting` with a
   check of its own). ``still()`` returns the present state as SVG (`Picture` in ``_still.py``) and as
   one sentence. A combination without output is no error: the picture shows the input and the
   sentence says why, with the numbers. Values that are out of range are refused by the setting.
2. JavaScript, ``static/<name>.js``, ``export default explorer({ … })`` of ``lib/explorer.js``::

     ``name, title``     the name is the Python class's ``_explorer``
     ``keys``            what the state holds: ``[low, high]``, a list of words, or a predicate; the same
                         keys and limits as in Python (a test compares)
     ``controls``        ``[{ key, label, role?, names? }]``: sliders and choices made from ``keys``; the
                         word ``"stride"`` alone is enough where ``LABELS`` of ``lib/explorer.js`` has it
     ``numbers(state)``  pure: every number that is shown, as one JSON object (``el.cwNumbers()``)
     ``sentence(state, numbers)``  the live region
     ``code(state, numbers)``      ``codes(text, PyTorch's text)`` of ``lib/format.js``, which adds the
                         imports; ``call(name, words, settings)`` writes one call
     ``play(state, numbers)``      the next patch of the state, or null to stop (leave out: no button)
     ``changed(key, value, state)``  other keys that a control moves along (leave out if none)
     ``unlinked``        keys that do not go into the link
     ``build(ui)``       makes the figure once: ``{ nodes, draw(state, numbers, width) }``; everything is
                         drawn from the state; hands change it by ``ui.set({ key: value })``; keys by
                         ``ui.keys(node, event => handled)``. ``grid``, ``line`` and ``formula`` of
                         ``lib/draw.js`` write a number's path in ``numbers`` beside it (``data-n``),
                         and a test compares text and number: ``line("size", numbers,
                         "{n:input} − {k:kernel} + 1 = {m:output}")``. ``lib/scatter.js`` has what
                         windows, backward and transposed share: taps, sums and the walk of ``play``.

   Imports and exports stand on one line each (``_bundle.py`` joins the modules by lines). Text goes in
   by ``say`` or as children, never as HTML; no style attributes. Together the modules
   stay under 115 kB; the aim is 80.
3. Tests: ``tests/test_explorers.py`` finds the class by itself; in
   ``tests/book/test_explorers_<name>.py`` compare ``numbers`` with convlib and PyTorch on 200 random
   settings (``tests/book/explorer_page.py`` has the page).
"""

from ._base import Explorer
from .backward import BackwardExplorer
from .einsum import EinsumExplorer
from .groups import GroupsExplorer
from .memory import MemoryExplorer
from .padding import PaddingExplorer
from .playground import KernelPlayground
from .stride import StrideExplorer
from .transposed import TransposedExplorer
from .window import WindowExplorer

__all__ = [
    "BackwardExplorer",
    "EinsumExplorer",
    "Explorer",
    "GroupsExplorer",
    "KernelPlayground",
    "MemoryExplorer",
    "PaddingExplorer",
    "StrideExplorer",
    "TransposedExplorer",
    "WindowExplorer",
]
