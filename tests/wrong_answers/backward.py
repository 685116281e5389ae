"""Answers to the exercises of chapter 7, written the way a reader would write them."""

import numpy as np


def grad_weight(input, weight_size, grad_output, stride):
    o_size, i_size, k_size, l_size = weight_size
    result = np.zeros(weight_size)
    for n, o, h, w in np.ndindex(grad_output.shape):
        top, left = h * stride, w * stride
        window = input[n, :, top : top + k_size, left : left + l_size]
        result[o] += grad_output[n, o, h, w] * window
    return result


def weight_by_taps(input, weight_size, grad_output, stride, step=None):
    h, w = grad_output.shape[2:]
    step = step or stride
    result = np.zeros(weight_size)
    for k, l in np.ndindex(weight_size[2:]):
        rows = slice(k, k + (h - 1) * step + 1, step)
        columns = slice(l, l + (w - 1) * step + 1, step)
        read = input[:, :, rows, columns]
        result[:, :, k, l] = np.einsum("nohw,nihw->oi", grad_output, read)
    return result


def stride_forgotten(input, weight_size, grad_output, stride):
    return weight_by_taps(input, weight_size, grad_output, stride, step=1)


def turned_result(input, weight_size, grad_output, stride):
    return grad_weight(input, weight_size, grad_output, stride)[:, :, ::-1, ::-1]


def mean_over_images(input, weight_size, grad_output, stride):
    return grad_weight(input, weight_size, grad_output, stride) / max(len(input), 1)


def last_image_only(input, weight_size, grad_output, stride):
    result = np.zeros(weight_size)
    for n in range(len(input)):
        one = slice(n, n + 1)
        result[...] = grad_weight(input[one], weight_size, grad_output[one], stride)
    return result


def channels_first_input(input, weight_size, grad_output, stride):
    return np.einsum("oikl->iokl", grad_weight(input, weight_size, grad_output, stride))


def input_channels_added(input, weight_size, grad_output, stride):
    summed = grad_weight(input, weight_size, grad_output, stride).sum(axis=1, keepdims=True)
    return np.repeat(summed, weight_size[1], axis=1)


def slice_without_stop(input, weight_size, grad_output, stride):
    result = np.zeros(weight_size)
    for k, l in np.ndindex(weight_size[2:]):
        read = input[:, :, k::stride, l::stride]
        result[:, :, k, l] = np.einsum("nohw,nihw->oi", grad_output, read)
    return result


def grad_input(
    input_size, weight, grad_output, stride, padding, add=True, step=None, cut=True, first=None
):
    """The function of the exercise, with a switch for each slip."""
    n, i, height, width = input_size
    h, w = grad_output.shape[2:]
    step = step or stride
    padded = np.zeros((n, i, height + 2 * padding, width + 2 * padding))
    for k, l in np.ndindex(weight.shape[2:]):
        rows = slice(k, k + (h - 1) * step + 1, step)
        columns = slice(l, l + (w - 1) * step + 1, step)
        share = np.einsum("nohw,oi->nihw", grad_output, weight[:, :, k, l])
        padded[:, :, rows, columns] = share + (padded[:, :, rows, columns] if add else 0)
    if not cut:
        return padded
    first = padding if first is None else first
    return padded[:, :, first : first + height, first : first + width]


def by_windows(input_size, weight, grad_output, stride, padding):
    n_size, i_size, height, width = input_size
    padded = np.zeros((n_size, i_size, height + 2 * padding, width + 2 * padding))
    for n, o, h, w in np.ndindex(grad_output.shape):
        top, left = h * stride, w * stride
        k, l = weight.shape[2:]
        padded[n, :, top : top + k, left : left + l] += grad_output[n, o, h, w] * weight[o]
    return padded[:, :, padding : padding + height, padding : padding + width]


def padding_left(input_size, weight, grad_output, stride, padding):
    return grad_input(input_size, weight, grad_output, stride, padding, cut=False)


def padding_cut_at_the_end(input_size, weight, grad_output, stride, padding):
    return grad_input(input_size, weight, grad_output, stride, padding, first=0)


def overwritten(input_size, weight, grad_output, stride, padding):
    return grad_input(input_size, weight, grad_output, stride, padding, add=False)


def neighbours(input_size, weight, grad_output, stride, padding):
    return grad_input(input_size, weight, grad_output, stride, padding, step=1)


def flipped(input_size, weight, grad_output, stride, padding):
    return grad_input(input_size, weight[:, :, ::-1, ::-1], grad_output, stride, padding)


def size_from_windows(input_size, weight, grad_output, stride, padding):
    height, width = (
        (m - 1) * stride + k for m, k in zip(grad_output.shape[2:], weight.shape[2:], strict=True)
    )
    n, i = len(grad_output), weight.shape[1]
    padded = by_windows((n, i, height, width), weight, grad_output, stride, 0)
    return padded[:, :, padding : height - padding, padding : width - padding]


def negative_slice(input_size, weight, grad_output, stride, padding):
    padded = padding_left(input_size, weight, grad_output, stride, padding)
    return padded[:, :, padding:-padding, padding:-padding]


def convolve(grad_output, weight, padding):
    sides = (padding, padding)
    padded = np.pad(grad_output, ((0, 0), (0, 0), sides, sides))
    k, l = weight.shape[2:]
    n, _, height, width = padded.shape
    output = np.zeros((n, len(weight), height - k + 1, width - l + 1))
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = padded[:, :, h : h + k, w : w + l]
            output[:, :, h, w] = np.einsum("nikl,oikl->no", window, weight)
    return output


def mended(weight, grad_output, padding):
    turned = np.einsum("oikl->iokl", weight[:, :, ::-1, ::-1])
    return convolve(grad_output, turned, weight.shape[2] - 1 - padding)


def as_found(weight, grad_output, padding):
    if weight.shape[0] != weight.shape[1]:
        raise ValueError("the channels do not fit")
    return convolve(grad_output, weight[:, :, ::-1, ::-1], weight.shape[2] - 1 - padding)


def swapped_only(weight, grad_output, padding):
    return convolve(grad_output, weight.swapaxes(0, 1), weight.shape[2] - 1 - padding)


def rows_turned(weight, grad_output, padding):
    turned = weight.swapaxes(0, 1)[:, :, ::-1]
    return convolve(grad_output, turned, weight.shape[2] - 1 - padding)


def everything_turned(weight, grad_output, padding):
    turned = np.flip(weight).swapaxes(0, 1)
    return convolve(grad_output, turned, weight.shape[2] - 1 - padding)


def transposed(weight, grad_output, padding):
    if weight.shape[0] != grad_output.shape[1]:
        raise ValueError("the channels do not fit")
    turned = weight.transpose(1, 0, 3, 2)
    return convolve(grad_output, turned, weight.shape[2] - 1 - padding)


def full_transpose(weight, grad_output, padding):
    turned = weight.T  # (l, k, i, o)
    if turned.shape[1] != grad_output.shape[1]:
        raise ValueError("the channels do not fit")
    return convolve(grad_output, turned, turned.shape[2] - 1 - padding)


def forward_padding(weight, grad_output, padding):
    return convolve(grad_output, weight[:, :, ::-1, ::-1].swapaxes(0, 1), padding)


ANSWERS = {
    "shares": {
        "right": [(1, 2, 1, 2, 1, 1), np.array([1, 2, 1, 2, 1, 1])],
        "wrong": [
            ((1, 1, 2, 1, 1, 0), "without padding"),
            ((2, 3, 3, 3, 3, 2), "with stride 1"),
            ((1, 1, 1, 1, 1, 1), "gets both their shares"),
            ((2, 1, 2, 1, 2, 1), "begin at -1, 1 and 3"),
            ((1, 2, 1, 2, 1, 0), "the third window begins at 3"),
            ((3, 3, 3, 3, 3, 3), "all three windows"),
            ((1, 1, 2, 1, 2, 1, 1, 0), "Which six are pixels"),
            ((1, 2, 1, 2, 1), "must have 6 numbers"),
            ("121211", "must be a tuple of six numbers"),
        ],
    },
    "grad_weight": {
        "right": [grad_weight, weight_by_taps],
        "wrong": [
            (stride_forgotten, "reads every s-th cell"),
            (turned_result, "turned by half a circle"),
            (mean_over_images, "the mean is not taken"),
            (last_image_only, "only the last image counts"),
            (channels_first_input, "o comes before i"),
            (input_channels_added, "input channels are added together"),
            (slice_without_stop, "run on to the end of the input"),
        ],
    },
    "grad_input": {
        "right": [grad_input, by_windows],
        "wrong": [
            (padding_left, "still has its padding"),
            (padding_cut_at_the_end, "at the end alone"),
            (overwritten, "Shares are added"),
            (neighbours, "land s cells apart"),
            (flipped, "In a scatter it lies as it is"),
            (size_from_windows, "Cells that no window read get 0"),
            (negative_slice, "is empty where p is 0"),
        ],
    },
    "mended": {
        "right": [mended],
        "wrong": [
            (as_found, "right for one channel"),
            (swapped_only, "It must be turned"),
            (rows_turned, "The columns too?"),
            (everything_turned, "turn the channels round"),
            (full_transpose, "Swap the channels alone"),
            (transposed, "differ"),
            (forward_padding, "the padding is the forward one"),
        ],
    },
}
