"""What the benchmark found, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .measure import geometric_mean


def table(found: dict[str, Any]) -> str:
    """Write a line for each layer, and geometric means for networks and kinds of layers."""
    settings, rows = found["settings"], found["rows"]
    against = settings["against"]
    names = list(dict.fromkeys(row["algorithm"] for row in rows if row["algorithm"] != against))
    machine = ", ".join(f"{k} {v}" for k, v in found["machine"].items() if v is not None)
    lines = [
        f"# {machine}; {settings['threads']} threads, {settings['rounds']} rounds",
        f"# time over {against}'s: median [quartiles]; below 1 is faster",
        f"{'layer':42} {'task':8} {'n':>2} {against + ' ms':>12} "
        + " ".join(f"{name:>19}" for name in names),
    ]
    for key, group in _by(rows, lambda r: (r["network"], r["layer"], r["task"], r["batch"])):
        network, layer, task, batch = key
        by_name = {row["algorithm"]: row for row in group}
        own = by_name[against].get("seconds")
        ratios = " ".join(f"{_ratio(by_name[name]):>19}" for name in names)
        time = "–" if own is None else f"{own * 1e3:.3f}"
        lines.append(f"{network + ' ' + layer:42} {task:8} {batch:>2} {time:>12} {ratios}")
    lines.append("# geometric means")
    for title, group in summaries(rows):
        cells = []
        for name in names:
            mine = [r["ratio"] for r in group if r["algorithm"] == name and "ratio" in r]
            cells.append(f"{geometric_mean(mine):.2f} ({len(mine)})" if mine else "–")
        lines.append(f"{title:66} " + " ".join(f"{cell:>19}" for cell in cells))
    lines.append("# largest error against float64; largest extra memory, as a part of all columns")
    for name in names:
        own = [row for row in rows if row["algorithm"] == name and "seconds" in row]
        errors = [row["error"] for row in own if row["error"] is not None]
        parts = [r["memory"] / r["columns"] for r in own if r["memory"] is not None]
        error = f"{max(errors):.1e}" if errors else "–"
        lines.append(f"{name:42} {error:>8} {f'{max(parts):.3f}' if parts else '–':>8}")
    return "\n".join(lines)


def _ratio(row: dict[str, Any]) -> str:
    if "ratio" not in row:
        return "–"
    return f"{row['ratio']:.2f} [{row['low']:.2f}–{row['high']:.2f}]"


def _by(rows: list[dict], key: Callable[[dict], Any]) -> list[tuple[Any, list[dict]]]:
    groups: dict[Any, list[dict]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.items())


def summaries(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The suites: each network, each kind of layer, and the layers that Winograd can do."""
    suites = []
    for task, mine in _by(rows, lambda r: r["task"]):
        suites += [(f"{task}: {name}", group) for name, group in _by(mine, lambda r: r["network"])]
        suites += [
            (f"{task}: all {k}", group)
            for k, group in _by(mine, lambda r: r["kind"])
            if k != "whole"
        ]
        three = [row for row in mine if row["winograd"]]
        if three:
            suites.append((f"{task}: dense 3×3, stride 1", three))
    return suites


def plot(found: dict[str, Any], path: str) -> None:
    """Draw the ratios of all layers, a column for each, an algorithm in a colour."""
    from matplotlib.figure import Figure

    rows = found["rows"]
    against = found["settings"]["against"]
    layers = _by(rows, lambda r: (r["network"], r["layer"], r["task"], r["batch"]))
    figure = Figure(figsize=(max(6, 0.22 * len(layers)), 4.8), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["algorithm"] for row in rows if row["algorithm"] != against):
        points = [
            (place, row["ratio"])
            for place, (_, group) in enumerate(layers)
            for row in group
            if row["algorithm"] == name and "ratio" in row
        ]
        if points:
            axes.plot(*zip(*points, strict=True), "o", label=name, markersize=4)
    axes.axhline(1, color="0.5", linewidth=1)
    axes.set_yscale("log", base=2)
    axes.set_ylabel(f"time over {against}'s (below 1 is faster)")
    axes.set_xticks(range(len(layers)), [f"{k[0]} {k[1]}" for k, _ in layers], rotation=90, size=6)
    axes.set_title(found["machine"].get("gpu") or found["machine"]["processor"], size=9)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
