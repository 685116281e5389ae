"""Answers to the exercises of chapter 6, written the way a reader would write them."""

import math

import numpy as np

from convlib import conv1d, conv2d, windows


def grouped(input, weight, groups):
    outputs = []
    i, o = input.shape[1] // groups, len(weight) // groups
    for g in range(groups):
        part = input[:, g * i : (g + 1) * i]
        outputs.append(conv2d(part, weight[g * o : (g + 1) * o]))
    return np.concatenate(outputs, axis=1)


def grouped_by_zeros(input, weight, groups):
    o, i = weight.shape[:2]
    dense = np.zeros((o, input.shape[1], *weight.shape[2:]))
    for row in range(o):
        first = row // (o // groups) * i
        dense[row, first : first + i] = weight[row]
    return conv2d(input, dense)


def grouped_every_channel(input, weight, groups):
    o = len(weight) // groups
    parts = [conv2d(input[:, g::groups], weight[g * o : (g + 1) * o]) for g in range(groups)]
    return np.concatenate(parts, axis=1)


def grouped_every_kernel(input, weight, groups):
    i = input.shape[1] // groups
    parts = [conv2d(input[:, g * i : (g + 1) * i], weight[g::groups]) for g in range(groups)]
    return np.stack(parts, axis=2).reshape(len(input), len(weight), *parts[0].shape[2:])


def grouped_every_kernel_in_a_row(input, weight, groups):
    i = input.shape[1] // groups
    parts = [conv2d(input[:, g * i : (g + 1) * i], weight[g::groups]) for g in range(groups)]
    return np.concatenate(parts, axis=1)


def grouped_with_a_step(input, weight, groups):
    parts = [conv2d(input[:, g::groups], weight[g::groups]) for g in range(groups)]
    return np.concatenate(parts, axis=1)


def grouped_added(input, weight, groups):
    i, o = input.shape[1] // groups, len(weight) // groups
    total = 0
    for g in range(groups):
        total = total + conv2d(input[:, g * i : (g + 1) * i], weight[g * o : (g + 1) * o])
    return total


def grouped_along_the_batch(input, weight, groups):
    parts = zip(np.split(input, groups, axis=1), np.split(weight, groups))
    return np.concatenate([conv2d(x, kernels) for x, kernels in parts])


def grouped_first_channels(input, weight, groups):
    o = len(weight) // groups
    part = input[:, : input.shape[1] // groups]
    parts = [conv2d(part, weight[g * o : (g + 1) * o]) for g in range(groups)]
    return np.concatenate(parts, axis=1)


def grouped_returns_early(input, weight, groups):
    i, o = input.shape[1] // groups, len(weight) // groups
    for g in range(groups):
        return conv2d(input[:, g * i : (g + 1) * i], weight[g * o : (g + 1) * o])


def grouped_stacked(input, weight, groups):
    parts = zip(np.split(input, groups, axis=1), np.split(weight, groups))
    y = np.stack([conv2d(x, kernels) for x, kernels in parts], axis=2)
    return y.reshape(len(input), len(weight), *y.shape[3:])


def grouped_without_a_size(input, weight, groups):
    y = grouped(input, weight, groups)
    return y.reshape(len(y), groups, -1, *y.shape[2:]).reshape(y.shape)


def by_einsum(letters, weight_first="g", input_first="g"):
    def answer(input, weight, groups):
        view = windows(input, weight.shape[2:])
        n, i, h, w, k, l = view.shape
        i = i // groups
        split = (groups, i) if input_first == "g" else (i, groups)
        view = view.reshape(n, *split, h, w, k, l)
        o = len(weight) // groups
        split = (groups, o) if weight_first == "g" else (o, groups)
        weight = weight.reshape(*split, i, k, l)
        y = np.einsum(letters, view, weight)
        return y.reshape(n, np.prod(y.shape[1:-2], dtype=int), h, w)

    return answer


suspect = by_einsum("ngihwkl,ogikl->noghw", weight_first="o")
einsum_mended = by_einsum("ngihwkl,goikl->ngohw")
einsum_output_order = by_einsum("ngihwkl,goikl->noghw")
einsum_letters_alone = by_einsum("ngihwkl,ogikl->ngohw", weight_first="o")
einsum_input_order = by_einsum("nighwkl,goikl->ngohw", input_first="i")
einsum_summed = by_einsum("ngihwkl,goikl->nohw")


def causal(signal, weight, dilation):
    before = dilation * (weight.shape[-1] - 1)
    return conv1d(np.pad(signal, ((0, 0), (before, 0))), weight, dilation=dilation)


def causal_by_cutting(signal, weight, dilation):
    more = dilation * (weight.shape[-1] - 1)
    return conv1d(signal, weight, padding=more, dilation=dilation)[:, : signal.shape[1]]


def causal_padded(before, after=lambda k, d: 0):
    def answer(signal, weight, dilation):
        k = weight.shape[-1]
        pads = before(k, dilation), after(k, dilation)
        wide = np.pad(signal, ((0, 0), pads))
        return conv1d(wide, weight, dilation=dilation)[:, : signal.shape[-1]]

    return answer


def causal_cut_from_the_end(signal, weight, dilation):
    p = dilation * (weight.shape[-1] - 1)
    return conv1d(signal, weight, padding=p, dilation=dilation)[:, :-p]


def seen_that_empties(kernel_size, dilations):
    cells = {0}
    while dilations:
        d = dilations.pop()
        cells = {cell + d * tap for cell in cells for tap in range(kernel_size)}
    return len(cells)


def causal_not_dilated(signal, weight, dilation):
    before = dilation * (weight.shape[-1] - 1)
    return conv1d(np.pad(signal, ((0, 0), (before, 0))), weight)


causal_same = causal_padded(
    lambda k, d: d * (k - 1) // 2, lambda k, d: d * (k - 1) - d * (k - 1) // 2
)


def seen(kernel_size, dilations):
    cells = {0}
    for d in dilations:
        cells = {cell + d * tap for cell in cells for tap in range(kernel_size)}
    return len(cells)


def seen_by_light(kernel_size, dilations):
    light = np.ones((1, 1))
    for d in dilations:
        reach = d * (kernel_size - 1)
        light = conv1d(light, np.ones((1, 1, kernel_size)), padding=reach, dilation=d)
    return int((light > 0).sum())


def seen_ways(kernel_size, dilations):
    cells = [0]
    for d in dilations:
        cells = [cell + d * tap for cell in cells for tap in range(kernel_size)]
    return len(cells)


def seen_without_adding(kernel_size, dilations):
    cells = set()
    for d in dilations:
        cells |= {d * tap for tap in range(kernel_size)}
    return len(cells)


def seen_by_divisor(kernel_size, dilations):
    width = sum(d * (kernel_size - 1) for d in dilations)
    return 1 + width // math.gcd(*dilations)


def seen_last_layer(kernel_size, dilations):
    for d in dilations:
        cells = {0}
        cells = {cell + d * tap for cell in cells for tap in range(kernel_size)}
    return len(cells) if dilations else 1


ANSWERS = {
    "weight_shape": {
        "right": [(32, 4, 5, 5), [32, 4, 5, 5], np.array([32, 4, 5, 5])],
        "wrong": [
            ((32, 16, 5, 5), "the shape for one group"),
            ((8, 4, 5, 5), "the weight of one group"),
            ((4, 8, 4, 5, 5), "stores g and o as one axis"),
            ((16, 8, 5, 5), "the first axis counts output channels"),
            ((32, 1, 5, 5), "depthwise"),
            ((32, 8, 5, 5), "the number of outputs of a group"),
            ((32, 4, 5), "must have 4 numbers"),
            ("32, 4, 5, 5", "must be a tuple of four integers"),
        ],
    },
    "grouped": {
        "right": [grouped, grouped_by_zeros, einsum_mended],
        "wrong": [
            (grouped_every_channel, "every groups-th channel"),
            (grouped_every_kernel, "every groups-th kernel"),
            (grouped_every_kernel_in_a_row, "every groups-th kernel"),
            (grouped_with_a_step, "Do your slices have a step?"),
            (grouped_added, "channels of their own"),
            (grouped_along_the_batch, "along the batch"),
            (grouped_first_channels, "Does the slice of the input move"),
            (grouped_returns_early, "a return inside the loop"),
            (grouped_without_a_size, "a batch of no images"),
            (grouped_stacked, "all of group 0 come first"),
            (
                lambda *given: conv2d(*given[:2], None, 1, 0, 1, given[2]),
                "its part of the channels",
            ),
            (lambda input, weight, groups: conv2d(input, weight), "raised ValueError"),
        ],
    },
    "mended": {
        "right": [einsum_mended, grouped],
        "wrong": [
            (suspect, "all kernels of group 0, or kernel 0 of all groups"),
            (einsum_output_order, "letters behind the arrow must have its order"),
            (einsum_letters_alone, "still split the other way"),
            (einsum_input_order, "its split was right before"),
            (einsum_summed, "Which letter is missing"),
            (lambda input, weight, groups: conv2d(input, weight), "raised ValueError"),
        ],
    },
    "causal": {
        "right": [causal, causal_by_cutting],
        "wrong": [
            (causal_same, "half of the zeros"),
            (causal_padded(lambda k, d: 0, lambda k, d: d * (k - 1)), "samples that come later"),
            (causal_padded(lambda k, d: k - 1), "right without dilation"),
            (causal_padded(lambda k, d: d), "right for kernels of 2"),
            (causal_padded(lambda k, d: d * k), "one step late"),
            (lambda x, weight, d: causal(x, weight[..., ::-1], d), "turned round"),
            (lambda x, weight, d: causal(x, weight, 1), "the dilation does nothing"),
            (causal_cut_from_the_end, "empty where p is 0"),
            (causal_not_dilated, "the zeros are right, and the kernel is not dilated"),
        ],
    },
    "seen": {
        "right": [seen, seen_by_light],
        "wrong": [
            (
                lambda k, dilations: 1 + sum(d * (k - 1) for d in dilations),
                "the width of the field",
            ),
            (seen_ways, "which counts once"),
            (lambda k, dilations: 1 + (k - 1) * len(dilations), "all dilations are equal"),
            (seen_without_adding, "the steps add up"),
            (seen_by_divisor, "1, 2, 9 has none, and has holes"),
            (seen_last_layer, "the last layer alone"),
            (lambda k, dilations: list(range(seen(k, dilations))), "must return"),
            (seen_that_empties, "changes the list it was given"),
        ],
    },
}
