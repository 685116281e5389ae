"""Answers to the exercises of chapter 8, written the way a reader would write them."""

import numpy as np


def extra_for(n, m, k, s, p):
    extra = m - ((n - 1) * s - 2 * p + k)
    if not 0 <= extra < s:
        raise ValueError(f"no output_padding leads from {n} to {m}")
    return extra


def by_trying(n, m, k, s, p):
    for extra in range(s):
        if (n - 1) * s - 2 * p + k + extra == m:
            return extra
    raise ValueError("none")


def never_refuses(n, m, k, s, p):
    return m - ((n - 1) * s - 2 * p + k)


def remainder(n, m, k, s, p):
    return (m - k + 2 * p) % s


def padding_added(n, m, k, s, p):
    return extra_for(n, m, k, s, -p)


def padding_once(n, m, k, s, p):
    extra = m - ((n - 1) * s - p + k)
    if not 0 <= extra < s:
        raise ValueError("none")
    return extra


def one_stamp_more(n, m, k, s, p):
    extra = m - (n * s - 2 * p + k)
    if not 0 <= extra < s:
        raise ValueError("none")
    return extra


def up_to_the_stride(n, m, k, s, p):
    extra = m - ((n - 1) * s - 2 * p + k)
    if extra < 0 or extra > s:
        raise ValueError("none")
    return extra


def zero_refused(n, m, k, s, p):
    extra = m - ((n - 1) * s - 2 * p + k)
    if not 0 < extra < s:
        raise ValueError("none")
    return extra


def too_small_allowed(n, m, k, s, p):
    extra = m - ((n - 1) * s - 2 * p + k)
    if extra >= s:
        raise ValueError("none")
    return extra


def clipped(n, m, k, s, p):
    return min(max(m - ((n - 1) * s - 2 * p + k), 0), s - 1)


def minus_one_for_none(n, m, k, s, p):
    extra = m - ((n - 1) * s - 2 * p + k)
    return extra if 0 <= extra < s else -1


def transposed(input, weight, stride, padding, add=True):
    n, _, rows, columns = input.shape
    _, o, k, l = weight.shape
    height, width = (rows - 1) * stride + k, (columns - 1) * stride + l
    output = np.zeros((n, o, height, width))
    for h in range(rows):
        for w in range(columns):
            stamp = np.einsum("nc,cokl->nokl", input[:, :, h, w], weight)
            place = np.s_[:, :, h * stride : h * stride + k, w * stride : w * stride + l]
            output[place] = stamp + (output[place] if add else 0)
    return output[:, :, padding : height - padding, padding : width - padding]


def stamps_by_taps(input, weight, stride, padding):
    n, _, rows, columns = input.shape
    _, o, k, l = weight.shape
    height, width = (rows - 1) * stride + k, (columns - 1) * stride + l
    output = np.zeros((n, o, height, width))
    for a in range(k):
        for b in range(l):
            share = np.einsum("nchw,co->nohw", input, weight[:, :, a, b])
            down = slice(a, a + (rows - 1) * stride + 1, stride)
            across = slice(b, b + (columns - 1) * stride + 1, stride)
            output[:, :, down, across] += share
    return output[:, :, padding : height - padding, padding : width - padding]


def padding_ignored(input, weight, stride, padding):
    return transposed(input, weight, stride, 0)


def padding_around(input, weight, stride, padding):
    sides = (padding, padding)
    return np.pad(transposed(input, weight, stride, 0), ((0, 0), (0, 0), sides, sides))


def empty_slice(input, weight, stride, padding):
    whole = transposed(input, weight, stride, 0)
    return whole[:, :, padding:-padding, padding:-padding]


def overwritten(input, weight, stride, padding):
    return transposed(input, weight, stride, padding, add=False)


def turned(input, weight, stride, padding):
    return transposed(input, weight[:, :, ::-1, ::-1], stride, padding)


def no_stride(input, weight, stride, padding):
    return transposed(input, weight, 1, padding)


def first_channel(input, weight, stride, padding):
    return transposed(input[:, :1], weight[:1], stride, padding)


def weight_of_conv2d(input, weight, stride, padding):
    if weight.shape[1] != input.shape[1]:
        raise ValueError("the channels do not fit")
    return transposed(input, np.einsum("cokl->ockl", weight), stride, padding)


def stamped_at_input_places(input, weight, stride, padding):
    n, _, rows, columns = input.shape
    _, o, k, l = weight.shape
    height, width = (rows - 1) * stride + k, (columns - 1) * stride + l
    output = np.zeros((n, o, height, width))
    for h in range(rows):
        for w in range(columns):
            stamp = np.tensordot(input[:, :, h, w], weight, axes=1)
            output[:, :, h : h + k, w : w + l] += stamp
    return output[:, :, padding : height - padding, padding : width - padding]


def one_kernel_side(input, weight, stride, padding):
    n, _, rows, columns = input.shape
    _, o, k, _ = weight.shape
    height, width = (rows - 1) * stride + k, (columns - 1) * stride + k
    output = np.zeros((n, o, height, width))
    for h in range(rows):
        for w in range(columns):
            stamp = np.tensordot(input[:, :, h, w], weight, axes=1)
            place = np.s_[:, :, h * stride : h * stride + k, w * stride : w * stride + k]
            output[place] += stamp
    return output[:, :, padding : height - padding, padding : width - padding]


def half_stride(x, kernel, s):
    (h, w), (k, l) = x.shape, kernel.shape
    output = np.zeros(((h - 1) * s + k, (w - 1) * s + l))
    for a in range(h):
        for b in range(w):
            output[a * s : a * s + k, b * s : b * s + l] += x[a, b] * kernel
    return output


def as_found(x, kernel, s):
    return half_stride(x, kernel[::-1, ::-1], s)


def rows_turned(x, kernel, s):
    return as_found(x, kernel[::-1], s)


def columns_turned(x, kernel, s):
    return as_found(x, kernel[:, ::-1], s)


def kernel_transposed(x, kernel, s):
    return as_found(x, kernel.T, s)


def input_turned(x, kernel, s):
    return as_found(x[::-1, ::-1], kernel, s)


def no_zeros(x, kernel, s):
    return half_stride(x, kernel, 1)


def phases(kernel, s):
    sums = np.zeros(s)
    for k, weight in enumerate(kernel):
        sums[k % s] += weight
    return sums


def taps_counted(kernel, s):
    return np.array([len(kernel[phase::s]) for phase in range(s)])


def from_the_end(kernel, s):
    return phases(kernel[::-1], s)


def means(kernel, s):
    return phases(kernel, s) / taps_counted(kernel, s)


def pieces(kernel, s):
    size = -(-len(kernel) // s)
    return np.array([kernel[at * size : (at + 1) * size].sum() for at in range(s)])


def whole_rounds(kernel, s):
    return kernel[: len(kernel) // s * s].reshape(-1, s).sum(axis=0)


def mean_of_all(kernel, s):
    return np.full(s, kernel.sum() / s)


ANSWERS = {
    "heights": {
        "right": [(8, 16, 18), [8, 16, 18]],
        "wrong": [
            ((2, 1, -1), "sizes of convolutions"),
            ((10, 22, 26), "it makes the output smaller"),
            ((8, 15, 17), "one longer"),
            ((8, 16, 16), "does not keep the size"),
            ((8, 16, 20), "cut off at both sides"),
            ((10, 22, 25), "not at n * s"),
            ((8, 17, 19), "counts once"),
            ((8, 16), "must have 3 numbers"),
            ("8, 16, 18", "must be a tuple of three integers"),
        ],
    },
    "extra_for": {
        "right": [extra_for, by_trying],
        "wrong": [
            (never_refuses, "your function must raise"),
            (remainder, "only if m is within reach"),
            (padding_added, "it is subtracted"),
            (padding_once, "counted once"),
            (one_stamp_more, "begins at (n - 1) * s"),
            (up_to_the_stride, "s - 1 is the largest"),
            (zero_refused, "0 is an answer too"),
            (too_small_allowed, "never negative"),
            (clipped, "hides that m can't be reached"),
            (minus_one_for_none, "your function must raise"),
        ],
    },
    "transposed": {
        "right": [transposed, stamps_by_taps],
        "wrong": [
            (padding_ignored, "right without padding"),
            (padding_around, "makes the output larger"),
            (empty_slice, "is empty where p is 0"),
            (overwritten, "Where they overlap, they add up"),
            (turned, "A stamp lies as it is"),
            (no_stride, "stamp s cells apart"),
            (first_channel, "only the first input channel"),
            (weight_of_conv2d, "the input's channels come first"),
            (stamped_at_input_places, "has to begin at (h * s, w * s)"),
            (one_kernel_side, "right for square kernels"),
            (one_kernel_side, "(It raised ValueError: "),
        ],
    },
    "mended": {
        "right": [half_stride],
        "wrong": [
            (as_found, "look the same turned round"),
            (rows_turned, "The columns too?"),
            (columns_turned, "The rows too?"),
            (kernel_transposed, "the big matrix that is transposed"),
            (input_turned, "Turn the kernel instead"),
            (no_zeros, "the zeros between the numbers are gone"),
        ],
    },
    "phases": {
        "right": [phases, lambda kernel, s: np.array([kernel[at::s].sum() for at in range(s)])],
        "wrong": [
            (taps_counted, "you count the taps"),
            (from_the_end, "Phase 0 is that of tap 0"),
            (means, "you take the mean of each phase"),
            (pieces, "taps of a phase are s apart"),
            (whole_rounds, "the last taps are missing"),
            (mean_of_all, "the mean over all phases"),
        ],
    },
}
