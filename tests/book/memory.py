"""Measure what a kernel takes in memory for each chapter: `python tests/book/memory.py` (Linux).

Each chapter runs in a fresh kernel from top to bottom, as a student's would. The table has what the
process holds at the end (VmRSS) and the most it ever held (VmHWM), in MiB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
from classroom import read, student_version
from nbclient import NotebookClient

from notebooks import CHAPTERS

ASK = """
import json
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({key: int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")}))
"""


def memory(notebook: nbformat.NotebookNode, folder: Path) -> dict[str, float]:
    """MiB at the end and at most, of a kernel that ran the notebook."""
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return json.loads(notebook.cells[-1].outputs[0].text)


def main() -> None:
    print("| chapter | at the end | at most |\n| --- | ---: | ---: |")
    empty = nbformat.v4.new_notebook()
    entries = [("an empty notebook", empty)]
    entries += [(path.stem, student_version(read(path))) for path in CHAPTERS]
    for name, notebook in entries:
        found = memory(notebook, CHAPTERS[0].parent)
        print(f"| {name} | {found['VmRSS']:.0f} | {found['VmHWM']:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
