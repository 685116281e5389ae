"""Checkers for chapter 6: grouped weights and their channels, causal stacks, and what they see."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..convolution import conv1d, conv2d, conv3d
from ..windows import windows
from ._core import Case, Report, Slip, array, check_function, check_value, with_quarters
from ._watch import without

__all__ = ["causal", "grouped", "mended", "seen", "weight_shape"]


def weight_shape(answer: Any) -> Report:
    """Exercise 6.1: the weight's shape of Conv2d(16, 32, 5, groups=4)."""
    slips = [
        Slip(
            (32, 16, 5, 5), "this is the shape for one group. How many channels does a kernel read?"
        ),
        Slip((8, 4, 5, 5), "this is the weight of one group. The layer holds all of them."),
        Slip(
            (4, 8, 4, 5, 5),
            "these are the letters g, o, i, k, l. PyTorch stores g and o as one axis.",
        ),
        Slip(
            (16, 8, 5, 5),
            "the first axis counts output channels, the second what each of them reads.",
        ),
        Slip(
            (32, 1, 5, 5),
            "a kernel of one channel is depthwise: that would take as many groups as inputs.",
        ),
        Slip(
            (32, 8, 5, 5),
            "8 is the number of outputs of a group. How many inputs does a group have?",
        ),
    ]
    return check_value(
        answer, (32, 4, 5, 5), slips, "a tuple of four integers", "16 / 4 channels for each kernel."
    )


def _layers() -> list[Case]:
    """Calls f(input, weight, groups): the plain one first, a batch of 0, and quarters last."""
    source = random.Random(6)
    rows = [  # n, g, i, o, H, W, K, L
        (1, 2, 2, 2, 4, 4, 2, 2),
        (1, 1, 2, 3, 4, 3, 3, 2),
        (2, 3, 1, 1, 3, 5, 2, 3),
        (1, 3, 1, 2, 4, 4, 3, 3),
        (2, 2, 3, 1, 5, 4, 1, 2),
        (2, 3, 2, 4, 5, 6, 3, 2),
        (1, 4, 3, 2, 3, 3, 3, 3),
        (0, 2, 2, 3, 4, 4, 3, 3),
    ]
    cases = [
        Case(
            {
                "input": array(source, n, g * i, height, width),
                "weight": array(source, g * o, i, k, l),
                "groups": g,
            }
        )
        for n, g, i, o, height, width, k, l in rows
    ]
    return with_quarters(cases)


def _grouped(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    return conv2d(input, weight, groups=groups)


def _parts(input: np.ndarray, weight: np.ndarray, groups: int) -> list[np.ndarray]:
    """Return each group's output."""
    inputs, weights = np.split(input, groups, 1), np.split(weight, groups)
    return [conv2d(x, kernels) for x, kernels in zip(inputs, weights, strict=True)]


def _interleaved_inputs(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    order = np.arange(input.shape[1]).reshape(-1, groups).T.ravel()
    return _grouped(input[:, order], weight, groups)


def _interleaved_outputs(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    """Give output channel o to group o mod groups, as if the weight were (o, g, i, k, l)."""
    order = np.arange(len(weight)).reshape(-1, groups).T.ravel()
    return _grouped(input, weight[order], groups)[:, np.argsort(order)]


def _kernels_apart(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    """Take every groups-th kernel, and leave the outputs in the order of the groups."""
    order = np.arange(len(weight)).reshape(-1, groups).T.ravel()
    return _grouped(input, weight[order], groups)


def _all_apart(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    """Take every groups-th channel and every groups-th kernel."""
    channels = np.arange(input.shape[1]).reshape(-1, groups).T.ravel()
    return _kernels_apart(input[:, channels], weight, groups)


def _outputs_out_of_order(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    order = np.arange(len(weight)).reshape(groups, -1).T.ravel()
    return _grouped(input, weight, groups)[:, order]


def grouped(answer: Any) -> Report:
    """Exercise 6.2: grouped(input, weight, groups), by convolutions of one group."""
    slips = [
        Slip(
            _interleaved_inputs,
            "a group's input channels are neighbours: group 0 has the first ones. Do you take every "
            "groups-th channel?",
        ),
        Slip(
            _interleaved_outputs,
            "a group's kernels are neighbours too: group 0 has the first ones. Do you take every "
            "groups-th kernel?",
        ),
        Slip(
            _kernels_apart,
            "a group's kernels are neighbours too: group 0 has the first ones. Do you take every "
            "groups-th kernel?",
        ),
        Slip(
            _all_apart,
            "a group's channels are neighbours, and so are its kernels. Do your slices have a step?",
        ),
        Slip(
            lambda input, weight, groups: sum(_parts(input, weight, groups)),
            "the groups' outputs are added. They are channels of their own: put one behind another.",
        ),
        Slip(
            lambda input, weight, groups: np.concatenate(_parts(input, weight, groups)),
            "the groups' outputs are put behind one another along the batch. Along which axis are "
            "the channels?",
        ),
        Slip(
            lambda input, weight, groups: conv2d(input[:, : weight.shape[1]], weight),
            "all kernels read the first group's channels. Does the slice of the input move?",
        ),
        Slip(
            lambda input, weight, groups: _parts(input, weight, groups)[0],
            "this is the first group alone. Is there a return inside the loop?",
        ),
        Slip(
            _outputs_out_of_order,
            "the numbers are right, their channels in another order: all of group 0 come first.",
        ),
    ]
    report = check_function(answer, _grouped, _layers(), slips, axes="nohw")
    hint = (
        "the numbers are right, but `groups` of convlib's own has made them. Call conv2d once for "
        "each group, with its part of the channels."
    )
    return without(
        report,
        answer,
        _layers(),
        (conv1d, conv2d, conv3d),
        hint,
        lambda given: given["groups"] != 1,
    )


def _by_letters(input: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    """Leave `g` out behind the arrow."""
    view = windows(input, weight.shape[2:])
    n, i, h, w, k, l = view.shape
    view = view.reshape(n, groups, i // groups, h, w, k, l)
    kernels = weight.reshape(groups, -1, i // groups, k, l)
    return np.einsum("ngihwkl,goikl->nohw", view, kernels)


def mended(answer: Any) -> Report:
    """Exercise 6.3: a grouped convolution by einsum, whose weight was split in the wrong order."""
    slips = [
        Slip(
            _interleaved_outputs,
            "right for one group, and where each group has one output. In the first axis of the "
            "weight, which comes first: all kernels of group 0, or kernel 0 of all groups?",
        ),
        Slip(
            _outputs_out_of_order,
            "the weight is split well now. Then the letters behind the arrow must have its order too.",
        ),
        Slip(
            _kernels_apart,
            "the letters behind the arrow are right now. The weight is still split the other way.",
        ),
        Slip(
            _interleaved_inputs,
            "now the input is split in the wrong order: its split was right before.",
        ),
        Slip(_by_letters, "the groups are summed. Which letter is missing behind the arrow?"),
    ]
    return check_function(answer, _grouped, _layers(), slips, axes="nohw")


def _causal(signal: np.ndarray, weight: np.ndarray, dilation: int) -> np.ndarray:
    before = dilation * (weight.shape[2] - 1)
    return conv1d(np.pad(signal, ((0, 0), (before, 0))), weight, dilation=dilation)


def causal(answer: Any) -> Report:
    """Exercise 6.4: causal(signal, weight, dilation), which reads no later sample."""

    def padded(sides: Callable[[int, int], tuple[int, int]]) -> Callable:
        """Pad by `sides(k, d)`, convolve, and keep no more samples than there were."""

        def answer(signal: np.ndarray, weight: np.ndarray, dilation: int) -> np.ndarray:
            wide = np.pad(signal, ((0, 0), sides(weight.shape[2], dilation)))
            return conv1d(wide, weight, dilation=dilation)[:, : signal.shape[1]]

        return answer

    def both(k: int, d: int) -> tuple[int, int]:
        total = d * (k - 1)
        return total // 2, total - total // 2

    def empty(signal: np.ndarray, weight: np.ndarray, dilation: int) -> np.ndarray:
        output = _causal(signal, weight, dilation)
        return output if weight.shape[2] > 1 else output[:, :0]

    slips = [
        Slip(
            empty,
            "a slice that ends at -p is empty where p is 0, as for a kernel of 1. Where does it end, "
            "counted from the front?",
        ),
        Slip(padded(both), "half of the zeros stand at the end: output t reads samples after t."),
        Slip(
            padded(lambda k, d: (0, d * (k - 1))),
            "the zeros stand at the end: every output reads samples that come later.",
        ),
        Slip(
            padded(lambda k, d: (k - 1, 0)),
            "right without dilation. A dilated kernel reaches back further than k - 1 samples.",
        ),
        Slip(
            padded(lambda k, d: (d, 0)),
            "right for kernels of 2. How far back does the first tap of a longer one reach?",
        ),
        Slip(
            padded(lambda k, d: (d * k, 0)),
            "one step late: the last tap must lie on sample t itself. How wide is the kernel?",
        ),
        Slip(
            lambda signal, weight, dilation: _causal(signal, weight[:, :, ::-1], dilation),
            "the taps are turned round: the last one belongs to the newest sample.",
        ),
        Slip(
            lambda signal, weight, dilation: _causal(signal, weight, 1),
            "the dilation does nothing: is it handed on to conv1d?",
        ),
        Slip(
            lambda signal, weight, dilation: conv1d(
                np.pad(signal, ((0, 0), (dilation * (weight.shape[2] - 1), 0))), weight
            ),
            "the zeros are right, and the kernel is not dilated: is the dilation handed on to conv1d?",
        ),
    ]
    source = random.Random(4)
    rows = [(1, 1, 8, 2, 1), (1, 1, 9, 3, 1), (1, 1, 9, 2, 2), (2, 3, 12, 3, 2)]
    rows += [(3, 1, 7, 4, 3), (1, 2, 10, 1, 5), (2, 2, 3, 3, 4), (1, 1, 1, 5, 2)]
    cases = [
        Case({"signal": array(source, i, t), "weight": array(source, o, i, k), "dilation": d})
        for i, o, t, k, d in rows
    ]
    return check_function(answer, _causal, with_quarters(cases), slips)


def _seen(kernel_size: int, dilations: list[int]) -> int:
    taps = (range(0, kernel_size * d, d) for d in dilations)
    return len({sum(way) for way in itertools.product(*taps)})


def seen(answer: Any) -> Report:
    """Exercise 6.5: seen(kernel_size, dilations), the cells that one output depends on."""
    slips = [
        Slip(
            lambda k, dilations: 1 + sum(d * (k - 1) for d in dilations),
            "this is the width of the field. With gaps in it, fewer cells are read.",
        ),
        Slip(
            lambda k, dilations: k ** len(dilations),
            "these are the ways. Two ways can lead to one cell, which counts once.",
        ),
        Slip(
            lambda k, dilations: 1 + len(dilations) * (k - 1),
            "right where all dilations are equal. Else two layers can reach more cells than that.",
        ),
        Slip(
            lambda k, dilations: 1 + sum(d * (k - 1) for d in dilations) // math.gcd(*dilations),
            "right where a common divisor makes all the holes. 1, 2, 9 has none, and has holes.",
        ),
        Slip(
            lambda k, dilations: len({d * t for d in dilations for t in range(k)}),
            "you join the cells of the layers. A way takes one tap in every layer, and the steps add up.",
        ),
        Slip(
            lambda k, dilations: _seen(k, dilations[-1:]),
            "this is the last layer alone. Where do the cells that it reads come from?",
        ),
    ]
    rows = [
        (3, [1]),
        (3, [2, 2]),
        (3, [2, 2, 2]),
        (3, [1, 2, 4]),
        (2, [1, 2, 4, 8]),
        (3, [1, 3, 9]),
    ]
    rows += [(3, [4, 4, 4]), (3, [1, 2, 9]), (4, [3, 5]), (5, [2, 4]), (1, [3, 7]), (2, [5, 1, 5])]
    rows += [(3, [])]
    cases = [Case({"kernel_size": k, "dilations": dilations}) for k, dilations in rows]
    return check_function(answer, _seen, cases, slips)
