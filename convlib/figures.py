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

from .figure_grids import draw_grid, grids, outline
from .figure_layers import layers
from .figure_style import WIDTH, Still, canvas, colours, number, still, style

__all__ = [
    "Still",
    "bars",
    "canvas",
    "colours",
    "draw_grid",
    "draw_picture",
    "grids",
    "layers",
    "lines",
    "outline",
    "pictures",
    "still",
    "style",
]


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
        texts = [number(value, decimals) for value in values.values()]
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
