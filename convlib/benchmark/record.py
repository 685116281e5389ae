"""What the benchmark found on one machine, kept for the book: the times of all networks' layers.

The times of a hundred layers take half an hour or more, and a machine that does nothing else. So they
are measured once, and the book shows what was found, with the machine's name. To measure them anew,
here::

    python -m convlib.benchmark.record

The file beside the library has a row for each layer, task, batch, number of threads and algorithm, and
rows for all layers of a network one after another.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .layers import NETWORKS
from .measure import geometric_mean, measure

__all__ = ["COLUMNS", "RUNS", "collect", "load", "mean", "save", "table"]

FILE = Path(__file__).parents[1] / "recorded" / "cpu.json"
KEY = ("network", "layer", "task", "batch", "threads", "algorithm")
COLUMNS = (*KEY, "kind", "seconds", "ratio", "low", "high")
SUITES = tuple(name for name in NETWORKS if name != "small")
BOTH = ("auto-numpy", "auto")
GRADIENTS = ["input", "weight"]
# What is measured: a call of `measure` each, so that what stands side by side is of one sitting.
RUNS: tuple[dict[str, Any], ...] = tuple(
    {"networks": SUITES, "tasks": tasks, "algorithms": algorithms, "threads": threads, "batches": n}
    for tasks, algorithms, threads, n in (
        (["forward"], (*BOTH, "auto@1e-3", "product", "mygrad"), 1, [1]),
        (["forward"], (*BOTH, "auto@1e-3", "product"), 2, [1]),
        (GRADIENTS, BOTH, 1, [1]),
        (GRADIENTS, BOTH, 2, [1]),
        (["forward"], BOTH, 2, [8]),
    )
)
# And all layers of a network one after another: rows of the kind "whole".
WHOLE = {"tasks": ["forward"], "algorithms": BOTH, "threads": 2, "batches": [1, 8], "whole": True}
RUNS += ({"networks": SUITES} | WHOLE,)
LONG = 3  # times as many rounds for the first: where other libraries are about level, chance has a part


def collect(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join what several calls of `measure` returned on one machine; a later one replaces rows.

    Parameters
    ----------
    found : sequence of dict
        Each as `measure` returns it.

    Returns
    -------
    dict
        'machine', 'date', 'columns' (the names `COLUMNS`) and 'rows', a list of values each.

    Raises
    ------
    ValueError
        If the machines or their libraries differ.
    """
    machines = [one["machine"] for one in found]
    if any(machine != machines[0] for machine in machines):
        raise ValueError("record: all rows must be of one machine with the same libraries.")
    rows: dict[tuple, list] = {}
    for one in found:
        for row in one["rows"]:
            if "ratio" not in row:  # this algorithm cannot do the layer
                continue
            full = row | {"threads": one["settings"]["threads"]}
            values = [full[name] for name in COLUMNS]
            rows[tuple(full[name] for name in KEY)] = [
                float(f"{value:.4g}") if isinstance(value, float) else value for value in values
            ]
    date = datetime.date.today().isoformat()
    return {"machine": machines[0], "date": date, "columns": COLUMNS, "rows": list(rows.values())}


def save(record: dict[str, Any], file: Path = FILE) -> None:
    """Write a record as JSON, a row a line."""
    head = {key: value for key, value in record.items() if key != "rows"}
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in record["rows"])
    text = json.dumps(head, ensure_ascii=False)[:-1] + f', "rows": [\n{rows}\n]}}\n'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def load(file: Path = FILE) -> dict[str, Any]:
    """Read a record: 'machine', 'date', and 'rows', a dict each with the names of `COLUMNS`."""
    record = json.loads(file.read_text(encoding="utf-8"))
    columns = record.pop("columns")
    record["rows"] = [dict(zip(columns, row, strict=True)) for row in record["rows"]]
    return record


def mean(rows: Sequence[dict[str, Any]], **wanted: Any) -> float:
    """Return the geometric mean of ratios, of the rows that have these values.

    Examples
    --------
    >>> rows = [{"task": "forward", "ratio": 2.0}, {"task": "forward", "ratio": 0.5}]
    >>> mean(rows, task="forward")
    1.0

    Raises
    ------
    ValueError
        If no row has them.
    """
    ratios = [r["ratio"] for r in rows if all(r[name] == value for name, value in wanted.items())]
    if not ratios:
        raise ValueError(f"mean: no row has {wanted}.")
    return geometric_mean(ratios)


def table(
    rows: Sequence[dict[str, Any]],
    algorithms: Mapping[str, str],
    by: str = "network",
    **wanted: Any,
) -> str:
    """Write a line for each network, or whatever `by` names, and a column of means an algorithm.

    Parameters
    ----------
    rows : sequence of dict
        As `load` gives them.
    algorithms : mapping of str to str
        The algorithms, and the titles of their columns.
    by : str
        One of `COLUMNS`: what the lines are.
    **wanted
        Values that rows must have to count, by the names of `COLUMNS`.

    Examples
    --------
    >>> rows = [{"network": "a", "algorithm": "auto", "task": "forward", "ratio": 2.0}]
    >>> print(table(rows, {"auto": "Numba"}, task="forward"))
               Numba
    a           2.00
    """
    names = dict.fromkeys(row[by] for row in rows)
    widths = [max(len(title) + 1, 6) for title in algorithms.values()]  # a telephone is narrow
    titles = zip(algorithms.values(), widths, strict=True)
    lines = [f"{'':11}" + "".join(f"{title:>{width}}" for title, width in titles)]
    for name in names:
        mine = [row for row in rows if row[by] == name]
        if any(all(row[key] == value for key, value in wanted.items()) for row in mine):
            found = [mean(mine, algorithm=algorithm, **wanted) for algorithm in algorithms]
            cells = zip(found, widths, strict=True)
            lines.append(f"{name:11}" + "".join(f"{value:{width}.2f}" for value, width in cells))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure all of it, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m convlib.benchmark.record")
    parser.add_argument("--file", type=Path, default=FILE, help="where to write")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.06, help="a round's time for each")
    options = parser.parse_args(arguments)
    found = []
    for number, run in enumerate(RUNS, 1):

        def tell(done: int, total: int, text: str, number: int = number) -> None:
            print(f"\r{number} of {len(RUNS)}: {done} of {total} {text:50}", end="", flush=True)

        rounds = options.rounds * (LONG if number == 1 else 1)
        pace = {"rounds": rounds, "seconds": options.seconds, "check": False}
        found.append(measure(**run, **pace, progress=tell))
        record = collect(found)
        save(record, options.file)  # after each run, as the whole takes long
    print(f"\n{len(record['rows'])} rows in {options.file}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
