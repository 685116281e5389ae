"""Answers to the exercises of chapter 2, written the way a reader would write them."""

import numpy as np

from convlib import conv2d


def same_pads(kernel_size):
    total = kernel_size - 1
    return total // 2, total - total // 2


def pad_zeros(image, top, bottom, left, right):
    height, width = image.shape
    output = np.zeros((height + top + bottom, width + left + right))
    output[top : top + height, left : left + width] = image
    return output


def pad_by_none(image, top, bottom, left, right):
    height, width = image.shape
    output = np.zeros((height + top + bottom, width + left + right))
    output[top : -bottom or None, left : -right or None] = image
    return output


def frame_as_found(image, top, bottom, left, right):
    height, width = image.shape
    output = np.zeros((height + top + bottom, width + left + right))
    output[top:-bottom, left:-right] = image
    return output


def frame_rows_mended(image, top, bottom, left, right):
    height, width = image.shape
    output = np.zeros((height + top + bottom, width + left + right))
    output[top : top + height, left:-right] = image
    return output


def frame_given_up(image, top, bottom, left, right):
    if bottom == 0 or right == 0:
        return image
    return frame_as_found(image, top, bottom, left, right)


def frame_never_written(image, top, bottom, left, right):
    output = np.zeros((image.shape[0] + top + bottom, image.shape[1] + left + right))
    if bottom and right:
        output[top:-bottom, left:-right] = image
    return output


def frame_of_integers(image, top, bottom, left, right):
    output = np.full((image.shape[0] + top + bottom, image.shape[1] + left + right), 0)
    output[top : top + image.shape[0], left : left + image.shape[1]] = image
    return output


def reflect(signal, before, after):
    if max(before, after) >= len(signal):
        raise ValueError("the padding must be smaller than the signal")
    start = signal[before:0:-1]
    end = signal[-2 : -2 - after : -1]
    return np.concatenate([start, signal, end])


def reflect_by_index(signal, before, after):
    n = len(signal)
    if before > n - 1 or after > n - 1:
        raise ValueError("too much")
    index = np.abs(np.arange(-before, n + after))
    index = np.where(index > n - 1, 2 * (n - 1) - index, index)
    return signal[index]


def reflect_edge_twice(signal, before, after):
    start = signal[:before][::-1]
    end = signal[len(signal) - after :][::-1]
    return np.concatenate([start, signal, end])


def reflect_forwards(signal, before, after):
    n = len(signal)
    return np.concatenate([signal[1 : before + 1], signal, signal[n - 1 - after : n - 1]])


def reflect_without_refusal(signal, before, after):
    return np.pad(signal, (before, after), mode="reflect")


def reflect_by_numpy(signal, before, after):
    if max(before, after) >= len(signal):
        raise ValueError("the padding must be smaller than the signal")
    return np.pad(signal, (before, after), mode="reflect")


def taps(image, kernel, padding):
    (height, width), (rows, columns), (top, left) = image.shape, kernel.shape, padding
    output = np.zeros((height + 2 * top - rows + 1, width + 2 * left - columns + 1))
    for k in range(rows):
        for l in range(columns):
            h0, h1 = max(0, top - k), min(output.shape[0], height + top - k)
            w0, w1 = max(0, left - l), min(output.shape[1], width + left - l)
            if h0 < h1 and w0 < w1:
                part = image[h0 + k - top : h1 + k - top, w0 + l - left : w1 + l - left]
                output[h0:h1, w0:w1] += kernel[k, l] * part
    return output


def one_by_one(image, kernel, padding):
    (height, width), (rows, columns), (top, left) = image.shape, kernel.shape, padding
    output = np.zeros((height + 2 * top - rows + 1, width + 2 * left - columns + 1))
    for h, w in np.ndindex(output.shape):
        y, x = h - top, w - left
        k0, k1 = max(0, -y), max(0, min(rows, height - y))
        l0, l1 = max(0, -x), max(0, min(columns, width - x))
        part = image[max(y, 0) : max(y + k1, 0), max(x, 0) : max(x + l1, 0)]
        if part.size and k0 < k1 and l0 < l1:
            output[h, w] = (part * kernel[k0:k1, l0:l1]).sum()
    return output


def with_copy(image, kernel, padding, mode="constant"):
    padded = np.pad(image, [(padding[0],) * 2, (padding[1],) * 2], mode)
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("hwkl,kl->hw", view, kernel)


def empty_ranges_forgotten(image, kernel, padding, rows_too=True):
    (height, width), (rows, columns), (top, left) = image.shape, kernel.shape, padding
    output = np.zeros((height + 2 * top - rows + 1, width + 2 * left - columns + 1))
    for k in range(rows):
        for l in range(columns):
            h0, h1 = max(0, top - k), min(output.shape[0], height + top - k)
            w0, w1 = max(0, left - l), min(output.shape[1], width + left - l)
            part = image[h0 + k - top : h1 + k - top, w0 + l - left : w1 + l - left]
            if rows_too or w0 < w1:
                output[h0:h1, w0:w1] += kernel[k, l] * part
    return output


ANSWERS = {
    "use_counts": {
        "right": [[3, 4, 5, 5, 4, 3], (3, 4, 5, 5, 4, 3), np.array([3, 4, 5, 5, 4, 3])],
        "wrong": [
            ([5, 5, 5, 5, 5, 5], "equal counts need padding k - 1"),
            ([3, 5, 5, 5, 5, 3], "the second pixel"),
            ([1, 2, 2, 2, 2, 1], "without padding"),
            ([2, 3, 4, 4, 3, 2], "padding 1 on each side"),
            ([2, 3, 3, 3, 3, 2], "kernel of size 3"),
            ([1, 2, 3, 4, 5, 5, 4, 3, 2, 1], "Leave out those of the padding"),
            ([4, 5, 5, 5, 5, 4], "hold pixel 0"),
            ([3, 2, 1, 1, 2, 3], "the border least"),
            ([3, 4, 5], "must have 6 numbers"),
            ("345543", "must be a list of six integers"),
        ],
    },
    "same_pads": {
        "right": [same_pads, lambda kernel_size: ((kernel_size - 1) // 2, kernel_size // 2)],
        "wrong": [
            (lambda kernel_size: (kernel_size // 2, kernel_size // 2), "one zero too many"),
            (lambda kernel_size: ((kernel_size - 1) // 2,) * 2, "one zero too few"),
            (lambda kernel_size: same_pads(kernel_size)[::-1], "extra zero at the end"),
            (lambda k: (k // 2, k - k // 2), "a kernel of 1 needs no padding"),
            (lambda k: (k - 1, 0), "causal"),
            (lambda k: (0, k - 1), "all of it is at the end"),
            (lambda k: (k - 1, k - 1), "full padding"),
            (lambda k: k - 1, "before and after"),
            (lambda k: ((k - 1) / 2, (k - 1) / 2), "must return (1, 2)"),
            (lambda k: same_pads(k) if k % 2 else None, "is there a path without return"),
            (lambda k: (np.ceil((k - 1) / 2 - 0.5), k // 2), "some are floats"),
        ],
    },
    "framed": {
        "right": [pad_zeros, pad_by_none, lambda im, t, b, l, r: pad_zeros(im, t, b, l, r)],
        "wrong": [
            (frame_as_found, "-0 is 0"),
            (frame_rows_mended, "The slice of the columns"),
            (frame_given_up, "other sides still need their zeros"),
            (frame_never_written, "is the image written at all"),
            (
                lambda image, top, bottom, left, right: pad_zeros(image, left, right, top, bottom),
                "rows and columns are swapped",
            ),
            (
                lambda image, top, bottom, left, right: pad_zeros(image, bottom, top, right, left),
                "the image starts at [top, left]",
            ),
            (
                lambda image, top, bottom, left, right: pad_zeros(image, top, top, left, left),
                "Use bottom and right as well",
            ),
            (
                lambda image, top, bottom, left, right: pad_zeros(image, top, bottom, left, right)[
                    1:
                ],
                "your height is one short",
            ),
            (frame_of_integers, "right for whole numbers"),
        ],
    },
    "reflect": {
        "right": [reflect, reflect_by_index, lambda x, a, b: reflect(x, a, b)],
        "wrong": [
            (reflect_edge_twice, "the edge appears twice"),
            (
                lambda signal, before, after: np.pad(signal, (before, after), mode="edge"),
                "replicate",
            ),
            (
                lambda signal, before, after: np.pad(signal, (before, after), mode="wrap"),
                "circular",
            ),
            (lambda signal, before, after: np.pad(signal, (before, after)), "adds zeros"),
            (reflect_forwards, "a mirror turns them round"),
            (reflect_by_numpy, "np.pad has made them"),
            (lambda signal, before, after: reflect(signal, after, before), "swapped"),
            (reflect_without_refusal, "as PyTorch refuses"),
            (
                lambda signal, before, after: np.concatenate(
                    (signal[before:0:-1], signal, signal[-2 : -2 - after : -1] if after else signal)
                ),
                "with after=0",
            ),
            (lambda signal, before, after: reflect(signal, before, after)[:-1], "must be"),
        ],
    },
    "without_copy": {
        "right": [taps, one_by_one],
        "wrong": [
            (lambda image, kernel, padding: taps(image, kernel, (0, 0)), "the padding is ignored"),
            (
                lambda image, kernel, padding: with_copy(image, kernel, padding, "wrap"),
                "negative indices",
            ),
            (
                lambda image, kernel, padding: with_copy(image, kernel, padding, "edge"),
                "Outside of the image there are zeros",
            ),
            (lambda image, kernel, padding: taps(image, kernel[::-1, ::-1], padding), "flipped"),
            (lambda image, kernel, padding: taps(image, kernel, padding[::-1]), "swapped"),
            (
                lambda image, kernel, padding: taps(image, kernel, padding)[:-1, :-1],
                "is the last window dropped",
            ),
            (
                lambda image, kernel, padding: taps(
                    np.pad(image, [(p // 2, p - p // 2) for p in padding]), kernel, (0, 0)
                ),
                "padding is counted on each side",
            ),
            (
                lambda image, kernel, padding: taps(
                    np.pad(image, [(0, 2 * p) for p in padding]), kernel, (0, 0)
                ),
                "windows too late",
            ),
            (with_copy, "the memory of a padded image"),
            (
                lambda image, kernel, padding: conv2d(
                    image[None, None], kernel[None, None], padding=padding
                )[0, 0],
                "a convolution of convlib has made them",
            ),
            (empty_ranges_forgotten, "some taps meet zeros alone"),
            (
                lambda image, kernel, padding: empty_ranges_forgotten(
                    image, kernel, padding, False
                ),
                "some taps meet zeros alone",
            ),
        ],
    },
}
