"""Measure what a kernel takes in memory for each chapter: `python tests/book/memory.py` (Linux).

Each chapter runs in a fresh kernel from top to bottom, as a student's would. The table has what the
process holds at the end (VmRSS), the most it ever held (VmHWM), and the most that a process which
it started ever held (chapter 9 times each library in one of its own), in MiB.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import nbformat
from classroom import read, student_version
from nbclient import NotebookClient

from notebooks import CHAPTERS

ASK = """
import json, resource
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
found = {key: int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")}
found["child"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps(found))
"""


def memory(notebook: nbformat.NotebookNode, folder: Path) -> dict[str, float]:
    """MiB at the end, at most and of the largest child, of a kernel that ran the notebook."""
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return json.loads(notebook.cells[-1].outputs[0].text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="such as 01-one-window; all without it")
    chosen = parser.parse_args().chapters
    print("| chapter | at the end | at most | a child |\n| --- | ---: | ---: | ---: |")
    empty = nbformat.v4.new_notebook()
    entries = [("an empty notebook", empty)]
    entries += [(path.stem, student_version(read(path))) for path in CHAPTERS]
    entries = [entry for entry in entries if not chosen or entry[0] in chosen]
    for name, notebook in entries:
        found = memory(notebook, CHAPTERS[0].parent)
        numbers = " | ".join(f"{found[key]:.0f}" for key in ("VmRSS", "VmHWM", "child"))
        print(f"| {name} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
