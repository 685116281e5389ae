"""Run notebooks from top to bottom and store them in the normal form: `make execute NB=…`.

The normal form has sequential counts, one kernelspec, no traces of editors and machines, and names
of cells that depend on their text alone, so that a diff shows what was changed and nothing else. A
notebook that fails, warns, prints an address in memory or a path of one machine is refused.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from notebooks import ABSOLUTE_PATH, CELL_METADATA, KERNELSPEC, LANGUAGE_INFO, cell_ids

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
EXPERIMENT = "@gpu.experiment("  # begins a cell of chapter 10 that needs a GPU
NOTHING = "no result is recorded yet"


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells in a fresh kernel that starts in the notebook's folder."""
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        record_timing=False,
    )
    client.execute()


def texts(output: nbformat.NotebookNode) -> list[str]:
    """What of an output can be read as text."""
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return ["\n".join(output.traceback)]
    return [value for key, value in output.data.items() if key.startswith("text/")]


def normal_outputs(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Streams joined; of a widget its HTML and its text, not the id that a live kernel gave it."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
                continue
        elif output.output_type in ("display_data", "execute_result"):
            output.data.pop(WIDGET_VIEW, None)
            output.metadata = {
                key: value for key, value in output.metadata.items() if key.startswith("image/")
            }
        kept.append(output)
    return kept


def leave_out_nothing(cell: nbformat.NotebookNode) -> None:
    """On the page, a folded experiment that nobody has recorded yet is its code alone."""
    tags = cell.metadata.get("tags", [])
    if "hide-input" in tags and cell.source.startswith(EXPERIMENT):
        nothing = any(NOTHING in text for output in cell.outputs for text in texts(output))
        kept = {tag for tag in tags if tag != "remove-output"}
        cell.metadata.tags = sorted(kept | ({"remove-output"} if nothing else set()))


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook in the normal form; its sources and outputs stay what they are."""
    notebook.metadata = {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.pop("attachments", None)
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA and v != []}
        if cell.cell_type != "code":
            continue
        cell.outputs = normal_outputs(cell.outputs)
        leave_out_nothing(cell)
        cell.execution_count = None
        if cell.source.strip():
            count += 1
            cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    for cell, name in zip(notebook.cells, cell_ids([cell.source for cell in notebook.cells])):
        cell.id = name
    nbformat.validate(notebook)
    return notebook


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What must not be in a stored notebook: errors, warnings, paths and addresses of a machine."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for text in [cell.source] + [t for o in cell.get("outputs", []) for t in texts(o)]:
            if hit := ABSOLUTE_PATH.search(text):
                found.append(f"cell {number}: a path of one machine: {hit.group()}")
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get(
                "tags", []
            ):
                found.append(f"cell {number}: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"cell {number}: writes to stderr: {output.text.strip()[:200]}")
            for text in texts(output):
                if hit := MEMORY_ADDRESS.search(text):
                    found.append(f"cell {number}: an address in memory: {hit.group()}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument(
        "--no-run", action="store_true", help="keep the stored outputs, only put in order"
    )
    options = parser.parse_args()
    refused = 0
    for path in options.notebooks:
        started = time.monotonic()
        ruff = Path(sys.executable).with_name("ruff")
        subprocess.run([str(ruff), "format", "-q", str(path)], check=True)
        notebook = nbformat.read(path, as_version=4)
        if not options.no_run:
            try:
                execute(notebook, path.resolve().parent)
            except Exception as error:  # a failing cell: its traceback says which
                print(f"{path}: not stored: {str(error).strip()}", file=sys.stderr)
                refused += 1
                continue
        normalise(notebook)
        if found := faults(notebook):
            print(f"{path}: not stored:\n  " + "\n  ".join(found), file=sys.stderr)
            refused += 1
            continue
        nbformat.write(notebook, path)
        print(f"{path}: {len(notebook.cells)} cells, {time.monotonic() - started:.0f} s")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
