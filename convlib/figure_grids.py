"""Grids of numbers: arrays drawn cell by cell, with windows framed on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .figure_style import WIDTH, Still, colours, number, style, text_colour

__all__ = ["draw_grid", "grids", "outline"]

KINDS = ("input", "kernel", "output", "gradient", "unused")


def _colour_map(kind: str) -> LinearSegmentedColormap:
    c = colours()
    return LinearSegmentedColormap.from_list(kind, [c["surface"], c[f"{kind}-soft"], c[kind]])


def draw_grid(
    axes: Any,
    array: Any,
    kind: str = "input",
    title: str = "",
    decimals: int | None = None,
    scale: tuple[float, float] | None = None,
) -> None:
    """Draw a 2-d (or 1-d) array on axes: one square a cell, its number in it, darker for larger.

    `scale` is the value that is lightest and the one that is darkest; the array's own if not given.
    """
    values = np.atleast_2d(np.asarray(array))
    if kind not in KINDS:
        raise ValueError(f"draw_grid: kind must be one of {', '.join(KINDS)}, got {kind!r}.")
    rows, columns = values.shape
    low, high = scale or _range(values)
    # up to a fifth of the strong colour: the numbers on it stay readable
    shade = np.full(values.shape, 0.2)
    if high > low:
        shade = 0.55 * np.clip((values - low) / (high - low), 0, 1)
    fills = _colour_map(kind)(np.nan_to_num(0.05 + shade))
    axes.imshow(fills, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5), aspect="equal")
    for at in range(1, rows):
        axes.axhline(at - 0.5, color=colours()["line"], linewidth=0.8)
    for at in range(1, columns):
        axes.axvline(at - 0.5, color=colours()["line"], linewidth=0.8)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(colours()[kind])
    axes.set_title(title, color=colours()[kind])
    # the letters shrink with the cells: inches a cell, 72 points an inch
    box = axes.get_position()
    inches = axes.figure.get_size_inches() * (box.width, box.height)
    longest = max((len(number(v, decimals)) for v in values.flat), default=1)
    size = min(11.0, 72 * min(inches / (columns, rows)) / max(2.0, 0.65 * longest + 0.7))
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            column,
            row,
            number(value, decimals),
            ha="center",
            va="center",
            fontsize=size,
            color=text_colour(fills[row, column]),
        )


def _range(values: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest finite number; words have none."""
    finite = values[np.isfinite(values)] if values.dtype.kind in "biuf" else values[:0]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def outline(
    axes: Any,
    top: float,
    left: float,
    height: int,
    width: int,
    kind: str = "kernel",
    dashed: bool = False,
    label: str = "",
) -> None:
    """Draw a thick frame around the cells of one window on a grid drawn by `draw_grid`."""
    axes.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5),
            width,
            height,
            fill=False,
            linewidth=2.6,
            linestyle=(0, (3, 1.5)) if dashed else "-",
            edgecolor=colours()[kind],
            clip_on=False,
            zorder=3,
        )
    )
    if label:
        axes.text(
            left - 0.42, top - 0.42, label, ha="left", va="top", fontsize=8, color=colours()[kind]
        )


def grids(
    arrays: Mapping[str, Any],
    kinds: Sequence[str] = ("input", "kernel", "output"),
    windows: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None,
    decimals: int | None = None,
    columns: int | None = None,
    width: float = WIDTH,
    scale: tuple[float, float] | None = None,
) -> Still:
    """Draw arrays as grids of numbers, side by side, cells of one size.

    Parameters
    ----------
    arrays : mapping
        Title → 2-d array. Titles are shown above.
    kinds : sequence of str
        For each array a colour: 'input', 'kernel', 'output', 'gradient', 'unused'. The last one
        is repeated.
    windows : mapping, optional
        Title → frames (top, left, height, width) on that grid. The second frame is dashed.
    decimals : int, optional
        Digits after the point; as few as needed if not given.
    columns : int, optional
        Grids in a row; all of them if not given.
    scale : (low, high), optional
        Values of the lightest and the darkest cell, to compare grids by their colour.
    """
    values = {title: np.atleast_2d(np.asarray(array)) for title, array in arrays.items()}
    places, height = _layout(values, columns or len(values), width)
    with style():
        figure = Figure(figsize=(width, height))
        figure.set_layout_engine("none")
        for at, (title, (left, bottom, w, h)) in enumerate(places.items()):
            rect = (left / width, bottom / height, w / width, h / height)
            axes = figure.add_axes(rect)
            kind = kinds[min(at, len(kinds) - 1)]
            draw_grid(axes, values[title], kind, title, decimals, scale)
            for which, frame in enumerate((windows or {}).get(title, ())):
                outline(axes, *frame, kind="kernel", dashed=which > 0)
    return Still(figure)


def _layout(
    values: Mapping[str, np.ndarray], columns: int, width: float
) -> tuple[dict[str, tuple[float, float, float, float]], float]:
    """Place grids in rows: title → (left, bottom, width, height), and the height in all; inches.

    All cells are of one size, at most 0.42. A grid takes at least the width of its title.
    """
    titles = list(values)
    rows = [titles[at : at + columns] for at in range(0, len(titles), columns)]
    heading = 0.2 + 0.2 * max(1 + title.count("\n") for title in titles)

    def slot(title: str, inch: float) -> float:
        letters = max(len(line) for line in title.split("\n"))
        return max(inch * values[title].shape[1], 0.085 * letters)

    def room(row: list[str], inch: float) -> float:
        return sum(slot(title, inch) for title in row) + 0.25 * (len(row) - 1) + 0.2

    inch = 0.42
    while inch > 0.15 and max(room(row, inch) for row in rows) > width:
        inch -= 0.01
    tallest = [inch * max(values[title].shape[0] for title in row) for row in rows]
    height = sum(tallest) + heading * len(rows) + 0.06
    places, top = {}, height
    for row, tall in zip(rows, tallest, strict=True):
        top -= tall + heading
        slots = [slot(title, inch) for title in row]
        gap = min(0.6, (width - 0.2 - sum(slots)) / max(1, len(row) - 1))
        left = (width - sum(slots) - gap * (len(row) - 1)) / 2
        for title, wide in zip(row, slots, strict=True):
            h, w = (inch * side for side in values[title].shape)
            places[title] = (left + (wide - w) / 2, top + (tall - h) / 2 + 0.06, w, h)
            left += wide + gap
    return places, height
