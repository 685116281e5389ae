"""Experiments that need a GPU: run where there is one, else shown as they were recorded.

A cell of chapter 10 defines a function and decorates it::

    @experiment("launches")
    def launches():
        ...
        return {"one launch": "4.2 µs"}

Where CuPy finds a GPU the function runs, and the cell shows what it returned and the device's name.
Elsewhere it does not run; the cell shows the recorded results, with the name of the device that they
are from, or one line that says that there are none. To record them, on a machine with a GPU::

    python -m convlib.gpu notebooks/10-gpu.ipynb book/memo.ipynb

That runs all cells of the notebooks and writes what the experiments returned beside this module.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["Result", "available", "device", "experiment", "recorded", "summary"]

FILE = Path(__file__).parent / "recorded" / "gpu.json"
found: dict[str, dict[str, str]] = {}  # what ran in this process


@cache
def available() -> bool:
    """Tell whether CuPy and PyTorch are installed and both find a GPU."""
    if find_spec("cupy") is None or find_spec("torch") is None:
        return False
    import cupy
    import torch

    return bool(cupy.is_available() and torch.cuda.is_available())


def device() -> dict[str, str]:
    """Name the GPU and the versions that results depend on."""
    import cupy
    import torch

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    return {
        "device": properties["name"].decode(),
        "memory": f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
        "cupy": cupy.__version__,
        "torch": torch.__version__,
        "cuda": str(cupy.cuda.runtime.runtimeGetVersion()),
        "cudnn": str(torch.backends.cudnn.version()),
    }


def recorded() -> dict[str, Any]:
    """Return what was recorded: 'device', 'date' and 'results', or an empty dict."""
    if not FILE.exists():
        return {}
    return json.loads(FILE.read_text(encoding="utf-8"))


def summary() -> str:
    """Say in one line where results come from."""
    if available():
        return f"A GPU is here: {device()['device']}. All cells run on it."
    if record := recorded():
        on = f"{record['device']['device']}, {record['date']}"
        return f"No GPU here. Recorded results are shown, of: {on}."
    return "No GPU here, and no results were recorded so far."


class Result:
    """What an experiment found, as lines of text."""

    def __init__(self, name: str, values: dict[str, str], source: str):
        self.name, self.values, self.source = name, values, source

    def __repr__(self) -> str:
        if not self.values:
            return self.source
        width = max(map(len, self.values))
        lines = [f"{key:{width}}  {value}" for key, value in self.values.items()]
        return "\n".join([*lines, self.source])


def experiment(name: str) -> Callable[[Callable[[], dict[str, str]]], Result]:
    """Run a function where there is a GPU, else look up what it found elsewhere.

    Parameters
    ----------
    name : str
        Under which its results are recorded.

    Returns
    -------
    callable
        A decorator: the function's name then stands for the `Result`.
    """

    def decide(function: Callable[[], dict[str, str]]) -> Result:
        if available():
            values = {key: str(value) for key, value in function().items()}
            found[name] = values
            return Result(name, values, f"(on {device()['device']})")
        record = recorded()
        if values := record.get("results", {}).get(name, {}):
            return Result(name, values, f"(recorded on {record['device']['device']})")
        return Result(name, {}, "No GPU here, and no result is recorded yet.")

    return decide


def cells(notebook: Path) -> list[str]:
    """Return the source of a notebook's code cells, without those that set up or are solutions."""
    text = json.loads(notebook.read_text(encoding="utf-8"))
    left_out = {"remove-cell", "hide-cell"}
    return [
        "".join(cell["source"])
        for cell in text["cells"]
        if cell["cell_type"] == "code" and not left_out & set(cell["metadata"].get("tags", []))
    ]


def record(notebooks: list[Path], file: Path = FILE) -> dict[str, Any]:
    """Run the cells of notebooks here, and write what their experiments found."""
    found.clear()
    for notebook in notebooks:
        names: dict[str, Any] = {"__name__": "__main__"}
        for source in cells(notebook):
            exec(compile(source, str(notebook), "exec"), names)
    result = {
        "device": device(),
        "date": datetime.date.today().isoformat(),
        "results": dict(found),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Record the experiments of notebooks, where there is a GPU."""
    parser = argparse.ArgumentParser(prog="python -m convlib.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("notebooks", type=Path, nargs="+")
    parser.add_argument("--file", type=Path, default=FILE, help="where to write the results")
    options = parser.parse_args(arguments)
    if not available():
        print(
            "convlib.gpu: no GPU that CuPy and PyTorch can use, nothing recorded.", file=sys.stderr
        )
        return 1
    # `python -m` runs this file under another name than the notebook imports it by
    from convlib.gpu import record as run

    result = run(options.notebooks, options.file)
    print(f"{len(result['results'])} experiments on {result['device']['device']}: {options.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
