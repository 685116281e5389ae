"""What a reader sees first on Colab, in a kernel of this environment: `colab.py CLONE NOTEBOOK`.

Runs the notebook's set-up cell with the repository's address turned to CLONE, then shows each explorer
once. `tests/versions.py` calls it with the Python of the environment that has Colab's versions.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SHOW = """\
import importlib.metadata, pathlib, sys
import convlib
from convlib import explorers
from IPython.display import display
assert pathlib.Path(convlib.__file__).is_relative_to(sys.prefix), convlib.__file__
def is_explorer(thing):
    return isinstance(thing, type) and issubclass(thing, explorers.Explorer)
shown = [name for name in explorers.__all__ if is_explorer(getattr(explorers, name))]
shown.remove("Explorer")
for name in shown:
    display(getattr(explorers, name)())
print(importlib.metadata.version("ipywidgets"), *shown)"""


def set_up(notebook: Path, clone: Path) -> str:
    """The first code cell, as it stands but for the address."""
    cells = nbformat.read(notebook, as_version=4).cells
    source = next(cell.source for cell in cells if cell.cell_type == "code")
    turned, count = re.subn(r"git\+https://[^\s\"']+", clone.resolve().as_uri(), source)
    if count != 1:
        raise SystemExit(f"colab: the set-up cell names {count} addresses to install from, not one")
    return turned


def main() -> int:
    clone, path = Path(sys.argv[1]), Path(sys.argv[2])
    sources = [set_up(path, clone), SHOW]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    # An empty folder, as on Colab: the notebook is there alone, without the repository around it.
    here = {"metadata": {"path": str(clone / ".git-less")}}
    (clone / ".git-less").mkdir()
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=here).execute()
    outputs = notebook.cells[1].outputs
    version, *names = "".join(o.text for o in outputs if o.output_type == "stream").split()
    views = [o for o in outputs if WIDGET_VIEW in o.get("data", {})]
    if len(views) != len(names) or not names:
        print(f"colab: {len(names)} explorers were shown, {len(views)} of them live")
        return 1
    # With ipywidgets 7 the still picture must not come as well: Colab would show that instead.
    stills = sum("text/html" in view.data for view in views)
    if version.startswith("7.") and stills:
        print(f"colab: with ipywidgets {version}, {stills} explorers also send their still picture")
        return 1
    print(f"colab: {len(views)} explorers show their live view with ipywidgets {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
