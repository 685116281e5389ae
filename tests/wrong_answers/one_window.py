"""Answers to the exercises of chapter 1, written the way a reader would write them."""

import numpy as np


def two_loops(input, weight, bias):
    n, _, height, width = input.shape
    o, _, kernel_height, kernel_width = weight.shape
    output = np.zeros((n, o, height - kernel_height + 1, width - kernel_width + 1), input.dtype)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, :, h : h + kernel_height, w : w + kernel_width]
            output[:, :, h, w] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3))) + bias
    return output


def two_loops_by_sum(input, weight, bias):
    out_h = input.shape[2] - weight.shape[2] + 1
    out_w = input.shape[3] - weight.shape[3] + 1
    output = np.empty((input.shape[0], weight.shape[0], out_h, out_w))
    for h in range(out_h):
        for w in range(out_w):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
    return output


def last_window_dropped(input, weight, bias):
    out_h = input.shape[2] - weight.shape[2]
    out_w = input.shape[3] - weight.shape[3]
    output = np.zeros((len(input), len(weight), out_h, out_w))
    for h in range(out_h):
        for w in range(out_w):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
    return output


def last_window_left_out(input, weight, bias):
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2] - 1):
        for w in range(output.shape[3] - 1):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
    return output


def no_new_axis(input, weight, bias):
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(1, 2, 3)) + bias
    return output


def sizes_left_out(input, weight, bias):
    n, o = len(input), len(weight)
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = window.reshape(n, -1) @ weight.reshape(o, -1).T + bias
    return output


def images_stacked(input, weight, bias):
    return np.stack([two_loops(image[None], weight, bias)[0] for image in input])


def filled_with_integers(input, weight, bias):
    output = np.full(two_loops(input, weight, bias).shape, 0)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
    return output


def bias_on_the_last_axis(input, weight, bias):
    return two_loops(input, weight, np.zeros_like(bias)) + bias


def returns_in_the_loop(input, weight, bias):
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
            return output


def last_row_dropped(input, weight, bias):
    return two_loops(input, weight, bias)[:, :, :-1]


def no_bias(input, weight, bias):
    return two_loops(input, weight, np.zeros_like(bias))


def kernel_flipped(input, weight, bias):
    return two_loops(input, weight[:, :, ::-1, ::-1], bias)


def first_channel_only(input, weight, bias):
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, 0, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = np.einsum("nkl,okl->no", window, weight[:, 0]) + bias
    return output


def height_and_width_swapped(input, weight, bias):
    return np.einsum("nohw->nowh", two_loops(input, weight, bias))


def bias_for_every_tap(input, weight, bias):
    output = np.zeros(two_loops(input, weight, bias).shape)
    for h in range(output.shape[2]):
        for w in range(output.shape[3]):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            summands = window * weight + bias.reshape(-1, 1, 1, 1)
            output[:, :, h, w] = summands.sum(axis=(2, 3, 4))
    return output


def output_channels_added(input, weight, bias):
    return two_loops(input, weight, 0).sum(axis=1, keepdims=True) + bias.reshape(-1, 1, 1)


def kernel_sizes_swapped(input, weight, bias):
    out_h = input.shape[2] - weight.shape[3] + 1
    out_w = input.shape[3] - weight.shape[2] + 1
    output = np.zeros((len(input), len(weight), out_h, out_w))
    for h in range(out_h):
        for w in range(out_w):
            window = input[:, None, :, h : h + weight.shape[2], w : w + weight.shape[3]]
            output[:, :, h, w] = (window * weight).sum(axis=(2, 3, 4)) + bias
    return output


def returns_a_list(input, weight, bias):
    return two_loops(input, weight, bias).tolist()


def changes_its_input(input, weight, bias):
    output = two_loops(input, weight, bias)
    input -= input
    return output


def by_seven_loops(
    input, weight, bias, each_channel=False, each_tap=False, start=True, early=False, fill=0.0
):
    """The function of the exercise, with a switch for each place where the bias could stand."""
    n_size, i_size, height, width = input.shape
    o_size, _, k_size, l_size = weight.shape
    output = np.full((n_size, o_size, height - k_size + 1, width - l_size + 1), fill)
    for n, o, h, w in np.ndindex(output.shape):
        total = bias[o] if start else 0
        for i in range(i_size):
            total += bias[o] if each_channel else 0
            for k, l in np.ndindex(k_size, l_size):
                total += input[n, i, h + k, w + l] * weight[o, i, k, l]
                total += bias[o] if each_tap else 0
        output[n, o, h, w] = total
        if early:
            return output
    return None if early else output


def as_found(input, weight, bias):
    return by_seven_loops(input, weight, bias, each_channel=True, start=False)


def bias_removed(input, weight, bias):
    return by_seven_loops(input, weight, bias, start=False)


def bias_moved_inwards(input, weight, bias):
    return by_seven_loops(input, weight, bias, each_tap=True, start=False)


def bias_divided(input, weight, bias):
    return by_seven_loops(input, weight, bias / input.shape[1])


def bias_overwrites(input, weight, bias):
    output = by_seven_loops(input, weight, bias)
    for o in range(output.shape[1]):
        output[:, o] = bias[o]
    return output


def sum_restarted(input, weight, bias):
    return by_seven_loops(input[:, -1:], weight[:, -1:], bias)


def correlate(image, kernel):
    k, l = kernel.shape
    output = np.zeros((image.shape[0] - k + 1, image.shape[1] - l + 1))
    for h in range(output.shape[0]):
        for w in range(output.shape[1]):
            output[h, w] = (image[h : h + k, w : w + l] * kernel).sum()
    return output


ANSWERS = {
    "output_shape": {
        "right": [(32, 16, 44, 60), [32, 16, 44, 60], np.array([32, 16, 44, 60])],
        "wrong": [
            ((32, 16, 48, 64), "fewer places than pixels"),
            ((32, 3, 44, 60), "channels that come out are new ones"),
            ((32, 16, 43, 59), "count the last window too"),
            ((32, 16, 45, 61), "one too many"),
            ((32, 48, 44, 60), "reads all the input channels at once"),
            ((16, 32, 44, 60), "Which one comes first"),
            ((32, 16, 60, 44), "Height comes before width"),
            ((16, 44, 60), "batch axis"),
            ((32, 16), "must have 4 numbers"),
            ("32x16x44x60", "must be a tuple of four integers"),
            ((1, 2, 3, 4), "is not right"),
        ],
    },
    "shift_right": {
        "right": [np.eye(3)[[2, 0, 2]] * [1, 0, 0], [[0, 0, 0], [1, 0, 0], [0, 0, 0]]],
        "wrong": [
            ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], "to the left"),
            ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], "moves the picture down"),
            ([[0, 0, 0], [0, 0, 0], [0, 1, 0]], "moves the picture up"),
            ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "leaves the picture where it is"),
            ([[0, 0, 0], [1, 1, 0], [0, 0, 0]], "mixes pixels"),
            (np.zeros((3, 3)), "every output is 0"),
            ([1, 0, 0], "must have shape (3, 3)"),
            ([[0, 0, 0], [2, 0, 0], [0, 0, 0]], "is not right"),
            ([[0, 0, 0], [1, 0], [0, 0, 0]], "must be a 3 by 3 array"),
        ],
    },
    "two_loops": {
        "right": [two_loops, two_loops_by_sum],
        "wrong": [
            (last_window_dropped, "is the last window dropped"),
            (last_row_dropped, "your height is one short"),
            (last_window_left_out, "still 0"),
            (no_new_axis, "met one kernel alone"),
            (no_bias, "Is it ever added"),
            (kernel_flipped, "PyTorch computes correlation"),
            (first_channel_only, "only the first input channel"),
            (height_and_width_swapped, "swapped"),
            (bias_for_every_tap, "once for each tap"),
            (output_channels_added, "Keep o as an axis"),
            (kernel_sizes_swapped, "raised ValueError"),
            (returns_a_list, "must return a NumPy array"),
            (changes_its_input, "changes the array it was given"),
            (lambda input, weight, bias: np.zeros_like(two_loops(input, weight, bias)), "ever wr"),
            (lambda input, weight, bias: two_loops(input, weight, bias)[0], "must have 4 (n, o"),
            (lambda input, weight: None, "raised TypeError"),
            (sizes_left_out, "a batch of no images"),
            (images_stacked, "(It raised ValueError: need at least one array to stack)"),
            (filled_with_integers, "right for whole numbers"),
            (bias_on_the_last_axis, "Give it the axis o"),
            (returns_in_the_loop, "does `return` stand inside of the loop"),
            (lambda *arguments: two_loops(*arguments).astype(np.float32), "is of float32"),
        ],
    },
    "mended": {
        "right": [by_seven_loops, two_loops],
        "wrong": [
            (as_found, "right for one input channel, and wrong for more"),
            (bias_removed, "the bias is missing"),
            (bias_moved_inwards, "once for each tap"),
            (bias_divided, "not shared out"),
            (bias_overwrites, "its bias alone"),
            (sum_restarted, "only the last input channel"),
            (bias_on_the_last_axis, "Give it the axis o"),
            (lambda *arguments: by_seven_loops(*arguments, early=True), "stand inside of the loop"),
            (lambda *arguments: by_seven_loops(*arguments, fill=0), "right for whole numbers"),
            (sizes_left_out, "a batch of no images"),
        ],
    },
    "flipped": {
        "right": [lambda image, kernel: correlate(image, kernel[::-1, ::-1])],
        "wrong": [
            (correlate, "must be flipped first"),
            (lambda image, kernel: correlate(image, kernel[::-1]), "The columns too?"),
            (lambda image, kernel: correlate(image, kernel[:, ::-1]), "The rows too?"),
            (lambda image, kernel: correlate(image, kernel.T), "transposed the kernel"),
            (lambda image, kernel: correlate(image, kernel)[::-1, ::-1], "flipped the output"),
            (lambda image, kernel: correlate(image[::-1, ::-1], kernel), "flipped the image"),
            (lambda image, kernel: correlate(image, kernel[::-1, ::-1]) + 1, "numbers differ"),
        ],
    },
}
