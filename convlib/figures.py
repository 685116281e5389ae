"""Still figures, drawn with Matplotlib from computed values.

Every function returns a `Still`, which a notebook shows as a picture of twice the screen's usual
resolution on a white card, so that it reads in a dark page too. The usual width of 5 inches and
the size of the letters are made for a phone: shown 350 pixels wide, the text is still 10 high.
Colours are those of the explorers, from their tokens.css.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .figure_style import WIDTH, Still, canvas, colours, still, style, text_colour

__all__ = [
    "Still",
    "bars",
    "canvas",
    "colours",
    "draw_grid",
    "draw_picture",
    "grids",
    "lines",
    "outline",
    "pictures",
    "still",
    "style",
]

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
    finite = values[np.isfinite(values)].astype(float)
    low, high = scale or ((finite.min(), finite.max()) if finite.size else (0.0, 0.0))
    # up to a fifth of the strong colour: the numbers on it stay readable
    shade = 0.55 * (values - low) / (high - low) if high > low else np.full(values.shape, 0.2)
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
    longest = max((len(_cell(v, decimals)) for v in values.flat), default=1)
    size = min(11.0, 72 * min(inches / (columns, rows)) / max(2.0, 0.65 * longest + 0.7))
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            column,
            row,
            _cell(value, decimals),
            ha="center",
            va="center",
            fontsize=size,
            color=text_colour(fills[row, column]),
        )


def _cell(value: Any, decimals: int | None) -> str:
    """Write a number as in a table; a true minus sign, and no minus before a zero."""
    if isinstance(value, str):
        return value
    text = f"{value:g}" if decimals is None else f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


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
    columns = columns or len(values)
    rows = [list(values)[at : at + columns] for at in range(0, len(values), columns)]
    cells = max(sum(values[title].shape[1] for title in row) + 0.8 * len(row) for row in rows)
    inch = min(0.42, (width - 0.2) / cells)
    height = sum(inch * max(values[title].shape[0] for title in row) + 0.42 for row in rows)
    with style():
        figure = Figure(figsize=(width, height))
        figure.set_layout_engine("none")
        bottom, number = height, 0
        for row in rows:
            tallest = inch * max(values[title].shape[0] for title in row)
            bottom -= tallest + 0.42
            wide = inch * sum(values[title].shape[1] for title in row)
            gap = min(0.6, (width - wide) / len(row))
            left = (width - wide - gap * (len(row) - 1)) / 2
            for title in row:
                h, w = (inch * side for side in values[title].shape)
                y = bottom + (tallest - h) / 2 + 0.06
                rect = (left / width, y / height, w / width, h / height)
                axes = figure.add_axes(rect)
                kind = kinds[min(number, len(kinds) - 1)]
                draw_grid(axes, values[title], kind, title, decimals, scale)
                for at, frame in enumerate((windows or {}).get(title, ())):
                    outline(axes, *frame, kind="kernel", dashed=at > 0)
                left += w + gap
                number += 1
    return Still(figure)


def draw_picture(axes: Any, image: Any, title: str = "", signed: bool = False) -> None:
    """Draw a photograph on axes: (H, W) grey, (H, W, 3) or (3, H, W) colour, 0 to 1 or 0 to 255.

    Values outside of the range are cut off. With `signed`, 0 is the middle grey, and the
    largest absolute values, one pixel in 200, are black or white.
    """
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[2] not in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = np.squeeze(pixels) if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    if pixels.dtype == np.uint8:
        pixels = pixels / 255
    if signed:
        reach = float(np.quantile(np.abs(pixels), 0.995)) or 1.0
        pixels = 0.5 + pixels / (2 * reach)
    axes.imshow(np.clip(pixels, 0, 1), vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.set_title(title)


def pictures(
    images: Mapping[str, Any],
    columns: int = 2,
    signed: Sequence[str] = (),
    width: float = WIDTH,
) -> Still:
    """Draw photographs and filtered results side by side, `columns` in a row.

    `images` maps titles to pictures as `draw_picture` takes them; `signed` names the titles of
    those where 0 is to be the middle grey.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    shapes = [np.asarray(image).shape for image in images.values()]
    ratio = max(
        shape[-2] / shape[-1] if len(shape) == 2 or shape[0] in (1, 3) else shape[0] / shape[1]
        for shape in shapes
    )
    lines = 1 + max(title.count("\n") for title in images)
    height = rows * ((width / columns - 0.12) * ratio + 0.1 + 0.2 * lines)
    figure, axes = canvas(rows, columns, width, height)
    with style():
        for place, (title, image) in zip(axes.flat, images.items(), strict=False):
            draw_picture(place, image, title, signed=title in signed)
        for place in axes.flat[len(images) :]:
            place.set_axis_off()
    return Still(figure)


def bars(
    values: Mapping[str, float],
    unit: str = "",
    title: str = "",
    kind: str = "input",
    log: bool = False,
    decimals: int | None = None,
    width: float = WIDTH,
) -> Still:
    """Draw a bar for each label, lying, with its number behind it."""
    figure, axes = canvas(1, 1, width, 0.36 * len(values) + 0.75)
    with style():
        place = axes[0, 0]
        drawn = place.barh(list(values), list(values.values()), color=colours()[kind], height=0.62)
        texts = [_cell(value, decimals) for value in values.values()]
        place.bar_label(drawn, texts, padding=4, color=colours()["text"])
        place.invert_yaxis()
        if log:
            place.set_xscale("log")
        place.margins(x=0.16)
        place.set_xlabel(unit)
        place.set_title(title)
        place.tick_params(axis="y", length=0)
    return Still(figure)


def lines(
    series: Mapping[str, Any],
    x: Any = None,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    height: float = 2.6,
    width: float = WIDTH,
) -> Still:
    """Draw one curve for each label, told apart by colour and by dashes."""
    figure, axes = canvas(1, 1, width, height)
    with style():
        place = axes[0, 0]
        for label, values in series.items():
            place.plot(np.arange(len(values)) if x is None else x, values, label=label)
        place.set_xlabel(xlabel)
        place.set_ylabel(ylabel)
        place.set_title(title)
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=min(3, len(series)))
    return Still(figure)
