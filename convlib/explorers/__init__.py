"""The interactive figures: a Python class and one ES module each.

How a new explorer is written (``window.py`` and ``static/window.js`` are the model)
-------------------------------------------------------------------------------------
1. Python, ``<name>.py``: a subclass of `Explorer` (``_base.py``) with ``_explorer = "<name>"`` and the
   settings as class attributes, in the order of the constructor (`Whole`, `Word`, or `Setting` with a
   check of its own and a ``rule`` that says the same to the page). A setting with a label becomes a
   control. ``still()`` returns the present state as SVG (`Picture` in ``_still.py``) and as one sentence.
   A combination without output is no error: the picture shows the input and the sentence says why,
   with the numbers. Values that are out of range are refused by the setting.

   ``_words`` is all that the page says, each thing once: ``title``; ``sentences``, ``lines``
   (label, formula) and ``code`` by name; ``grids`` (path in the numbers, name, caption, role);
   ``start`` (presets); whatever else its module asks for. Templates are filled from the state and the
   numbers: ``{sum}``, ``{reads count window}``, ``{unread listed row}``, ``{index tuple}``,
   ``{lost one is/are}``; in formulas ``{n:input}``, ``{(weight.0.1):kernel}`` (in brackets if
   negative) and ``{line.*:output}`` (all of a list). The page gets it as the trait ``spec``, in the
   static book from the JSON that `block` writes into the page beside ``explorers.js``.
2. JavaScript, ``static/<name>.js``, ``export default explorer({ … })`` of ``lib/explorer.js``:

   - ``numbers(state, spec)`` is pure: every number that is shown, as one JSON object
     (``el.cwNumbers()``).
   - ``sentence(state, numbers)``: the names of the sentences of the live region.
   - ``code(state, numbers)``: the names of the two texts to copy (leave out: "convlib", "PyTorch").
   - ``play(state, numbers)``: the next patch of the state, or null to stop (leave out: no button).
   - ``build(ui)`` makes the figure once: ``{ nodes, draw(state, numbers, width) }``; draw returns the
     lines under it, ``ui.line(name, numbers)``. Everything is drawn from the state; hands change it by
     ``ui.set({ key: value })``; keys by ``ui.keys(node, event => handled)``; the mouse
     and touch by ``ui.pointing(node, event => place, show)``. Grids and formulas write a
     number's path in ``numbers`` beside it (``data-n``), and a test compares text and number.
     ``lib/windows.js`` has what window, backward and transposed share.

   Imports and exports stand on one line each (``_bundle.py`` joins the modules by lines). Text goes in
   by ``say`` or as children, never as HTML; no style attributes. Together the modules and the book's
   other scripts stay under 96 kB.
3. Tests: ``tests/test_explorers.py`` finds the class by itself; in
   ``tests/book/test_explorers_<name>.py`` compare ``numbers`` with convlib and PyTorch on 200 random
   settings (``tests/book/explorer_page.py`` has the page).
"""

from ._base import Explorer, block
from .backward import BackwardExplorer
from .channels import ChannelsExplorer
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
    "ChannelsExplorer",
    "EinsumExplorer",
    "Explorer",
    "GroupsExplorer",
    "KernelPlayground",
    "MemoryExplorer",
    "PaddingExplorer",
    "StrideExplorer",
    "TransposedExplorer",
    "WindowExplorer",
    "block",
]
