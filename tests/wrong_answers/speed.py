"""Answers to the exercises of chapter 9, written the way a reader would write them."""

import numpy as np

from convlib import conv1d, conv2d, windows

BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]) / 2
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])


def flat(x, weight, p, width=None, whole_rows=False):
    o, i, K, L = weight.shape
    padded = np.pad(x, ((0, 0), (p, p), (p, p)))
    H, W = padded.shape[1:]
    h, w = H - K + 1, W - L + 1
    step = width(x, p) if width else W
    line = padded.reshape(i, H * W)
    run = (h - 1) * step + w
    y = np.zeros((o, h * step))
    for k in range(K):
        for l in range(L):
            start = k * step + l
            y[:, :run] += weight[:, :, k, l] @ line[:, start : start + run]
    y = y.reshape(o, h, step)
    return y if whole_rows else y[:, :, :w]


def flat_of_whole_rows(x, weight, p):
    o, i, K, L = weight.shape
    padded = np.pad(x, ((0, 0), (p, p), (p, p)))
    H, W = padded.shape[1:]
    h, w = H - K + 1, W - L + 1
    line = padded.reshape(i, H * W)
    run = h * W
    y = np.zeros((o, h * W))
    for k in range(K):
        for l in range(L):
            start = k * W + l
            y[:, :run] += weight[:, :, k, l] @ line[:, start : start + run]
    return y.reshape(o, h, W)[:, :, :w]


def flat_with_more_channels(x, weight, p):
    return flat(np.pad(x, p), weight, 0)


def flat_of_a_shifted_image(x, weight, padding):
    p = padding
    return flat(np.pad(x, ((0, 0), (0, p), (0, p))), weight, 0)


def tiles_of(x):
    return windows(x, 4, stride=2)


def outputs(tiles, w, matrix=AT, kernel=G):
    return ((tiles @ BT.T) * (kernel @ w)) @ matrix.T


def with_one_more(x):
    return np.append(x, 0) if len(x) % 2 else x


def fast_filter(x, w):
    return outputs(tiles_of(with_one_more(x)), w).ravel()[: len(x) - 2]


def fast_filter_by_slices(x, w):
    n = len(x) - 2
    x = np.pad(x, (0, n % 2))
    a, b, c, d = x[:-3:2], x[1:-2:2], x[2:-1:2], x[3::2]
    m1, m4 = (a - c) * w[0], (b - d) * w[2]
    m2 = (b + c) * (w.sum() / 2)
    m3 = (c - b) * ((w[0] - w[1] + w[2]) / 2)
    y = np.empty(len(x) - 2)
    y[::2], y[1::2] = m1 + m2 + m3, m2 - m3 - m4
    return y[:n]


def fast_filter_even(x, w):
    if len(x) < 4:
        return np.array([])
    return outputs(tiles_of(x), w).ravel()


def fast_filter_not_cut(x, w):
    return outputs(tiles_of(with_one_more(x)), w).ravel()


def fast_filter_not_halved(x, w):
    kernel = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 1]])
    return outputs(tiles_of(with_one_more(x)), w, kernel=kernel).ravel()[: len(x) - 2]


def fast_filter_wrong_sign(x, w):
    matrix = np.array([[1, 1, 1, 0], [0, 1, -1, 1]])
    return outputs(tiles_of(with_one_more(x)), w, matrix).ravel()[: len(x) - 2]


def fast_filter_apart(x, w):
    y = outputs(tiles_of(with_one_more(x)), w)
    return np.concatenate([y[:, 0], y[:, 1]])[: len(x) - 2]


ANSWERS = {
    "times_fewer": {
        "right": [8, 8.0, np.prod([2, 2, 2])],
        "wrong": [
            (2, "one axis"),
            (4, "two axes"),
            (2 + 2 + 2, "multiply, they do not add up"),
            (1 / 8, "upside down"),
            ((3 / 2) ** 3, "this is F(2,3)"),
            (6**3, "by Winograd"),
            (12**3, "takes directly"),
            (3**3, "counts the taps"),
            ((12, 6), "must have shape ()"),
            (7, "7 is not right"),
            ("eight", "must be a number"),
        ],
    },
    "least_seconds": {
        "right": [
            lambda flops, numbers, rate, bandwidth: max(flops / rate, 4 * numbers / bandwidth),
            lambda f, n, r, b: f / min(r, b * f / (4 * n)),
        ],
        "wrong": [
            (lambda f, n, r, b: f / r + 4 * n / b, "the longer one decides"),
            (lambda f, n, r, b: min(f / r, 4 * n / b), "the slower of the two"),
            (lambda f, n, r, b: f / r, "the flat roof alone"),
            (lambda f, n, r, b: 4 * n / b, "the slope alone"),
            (lambda f, n, r, b: max(f / r, n / b), "How many has a float32"),
            (lambda f, n, r, b: max(f / r, 8 * n / b), "These are float32"),
            (lambda f, n, r, b: max(2 * f / r, 4 * n / b), "count multiplications and additions"),
            (lambda f, n, r, b: min(r, f / (4 * n) * b), "How many seconds"),
            (lambda f, n, r, b: max(f / r, 4 * n / 0 * b), "ZeroDivisionError"),
            (lambda f, n, r, b: 0.0, "your function returns 0.0"),
        ],
    },
    "mended": {
        "right": [
            flat,
            lambda x, weight, padding: conv2d(x, weight, padding=padding),
        ],
        "wrong": [
            (lambda x, w, p: flat(x, w, p, lambda x, p: x.shape[2]), "How long is a row"),
            (lambda x, w, p: flat(x, w, p, lambda x, p: x.shape[2] + p), "both sides of each row"),
            (flat_of_whole_rows, "a run is (h - 1) · W + w long. (It raised ValueError: "),
            (flat_with_more_channels, "Does `np.pad` add channels too"),
            (flat_of_a_shifted_image, "none before it"),
            (lambda x, w, p: flat(x, w, p, whole_rows=True), "belong to no window"),
            (lambda x, w, p: flat(x, w, 0), "Is `padding` used"),
            (lambda x, w, p: flat(x, w[..., ::-1, ::-1], p), "the kernel lies backwards"),
            (lambda x, w, p: flat(x, w, p)[None], "4 axes, and must have 3 (o, h, w)"),
            (lambda x, w, p: 2 * flat(x, w, p), "the shape is right"),
        ],
    },
    "fast_filter": {
        "right": [
            fast_filter,
            fast_filter_by_slices,
            lambda x, w: np.append(
                fast_filter(x[:-1], w) if len(x) > 3 else [], np.correlate(x[-3:], w, "valid")
            ),
        ],
        "wrong": [
            (fast_filter_even, "the last is missing"),
            (fast_filter_not_cut, "one too many"),
            (fast_filter_not_halved, "half of the difference"),
            (fast_filter_wrong_sign, "which sign has m4"),
            (lambda x, w: fast_filter(x, w[::-1]), "flips the kernel"),
            (fast_filter_apart, "stay together"),
            (lambda x, w: np.correlate(x, w, "same"), "hang over both ends"),
            (lambda x, w: np.correlate(x, w, "valid"), "three multiplications for each output"),
            (
                lambda x, w: np.convolve(w[::-1], x, "valid"),
                "three multiplications for each output",
            ),
            (
                lambda x, w: conv1d(x[None], w[None, None])[0],
                "three multiplications for each output",
            ),
            (lambda x, w: list(fast_filter(x, w)), "must return a NumPy array"),
            (lambda x, w: fast_filter(x, w) + 0j, "their dtype is complex128"),
            (lambda x, w: outputs(tiles_of(with_one_more(x)), w), "has 2 axes, and must have 1"),
        ],
    },
}
