"""What one output cell of a stack of layers depends on. Integers only, like `geometry`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .settings import integers

__all__ = ["receptive_field"]


def receptive_field(layers: Iterable[Mapping[str, int]]) -> tuple[int, int]:
    r"""What one output cell of a stack of layers sees, on one axis.

    Parameters
    ----------
    layers : iterable of mappings
        First layer first, each with `kernel_size`, an int, and, where they are not 1, `stride` and
        `dilation`. A `padding` moves the field and does not widen it: it is checked, and not used.

    Returns
    -------
    size : int
        Cells from the first to the last one that the output cell depends on:
        :math:`1 + \sum_l d_l (k_l - 1) \prod_{j<l} s_j`.
    jump : int
        Distance in the input between the fields of two neighbours: :math:`\prod_l s_l`.

    Raises
    ------
    ValueError
        If a layer has no `kernel_size` or something else, or a value is out of range.
    TypeError
        If a value is not an integer.

    Notes
    -----
    A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*,
    Distill (2019).

    Examples
    --------
    >>> receptive_field([{"kernel_size": 3}, {"kernel_size": 3, "stride": 2}, {"kernel_size": 3}])
    (9, 2)
    """
    size, jump = 1, 1
    for layer in layers:
        unknown = set(layer) - {"kernel_size", "stride", "padding", "dilation"}
        if unknown or "kernel_size" not in layer:
            raise ValueError(
                f"receptive_field: a layer has kernel_size, stride, padding, dilation, "
                f"got {dict(layer)!r}."
            )
        k, s, d = (
            integers("receptive_field", name, layer.get(name, 1), 1, least=1)[0]
            for name in ("kernel_size", "stride", "dilation")
        )
        integers("receptive_field", "padding", layer.get("padding", 0), 1, least=0)
        size += d * (k - 1) * jump
        jump *= s
    return size, jump
