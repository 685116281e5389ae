"""Real data for the chapters: a photograph, handwritten digits, a signal. Nothing is downloaded."""

from __future__ import annotations

import numpy as np

__all__ = ["digits", "photograph", "signal"]


def photograph(top: int = 0, left: int = 0, height: int = 600, width: int = 512) -> np.ndarray:
    """Return the portrait of Grace Hopper that Matplotlib ships, or a part of it.

    Returns
    -------
    array, shape (height, width, 3), uint8
        Red, green, blue, from 0 to 255. The whole is 600 by 512 pixels. Public domain (US Navy).
    """
    from matplotlib import cbook, image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        picture = image.imread(file, format="jpg")
    if not (0 <= top < top + height <= 600 and 0 <= left < left + width <= 512):
        raise ValueError(
            "photograph: the part must lie within 600 by 512 pixels, "
            f"got top={top}, left={left}, height={height}, width={width}."
        )
    return np.array(picture[top : top + height, left : left + width])


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return handwritten digits and what they say: scikit-learn's copy of the UCI test set.

    Returns
    -------
    images : array, shape (1797, 8, 8), float32
        Ink from 0 to 1.
    labels : array, shape (1797,), int64
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16).astype(np.float32), data.target


def signal() -> np.ndarray:
    """Return a membrane potential measured over time, from Matplotlib's sample data.

    Returns
    -------
    array, shape (12000,), float32
        In the units of the file.
    """
    from matplotlib import cbook

    with cbook.get_sample_data("membrane.dat") as file:
        return np.frombuffer(file.read(), np.float32).copy()
