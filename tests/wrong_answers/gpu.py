"""Answers to the exercises of chapter 10, written the way a reader would write them."""

import numpy as np

from convlib.arrays import array_module


def sizes(image, weight):
    (i, H, W), (o, _, k, l) = image, weight
    h, w = H - k + 1, W - l + 1
    return i * H * W, i * k * l * h * w, o * h * w, o * i * k * l


def batch_that_fits(memory, image, weight):
    x, columns, y, fixed = sizes(image, weight)
    return max(0, (memory - 4 * fixed) // (4 * (x + columns + y)))


def fits(share, itemsize=4, fixed_once=True):
    def answer(memory, image, weight):
        x, columns, y, fixed = sizes(image, weight)
        free = memory - itemsize * fixed * fixed_once
        return max(0, free // (itemsize * share(x, columns, y, fixed)))

    return answer


def fits_with_room_to_spare(memory, image, weight):
    x, columns, y, fixed = sizes(image, weight)
    count = 0
    while 4 * (fixed + (count + 1) * (x + columns + y)) < memory and count < 10_000:
        count += 1
    return count


def fits_by_rounding(memory, image, weight):
    x, columns, y, fixed = sizes(image, weight)
    return max(0, (memory - 4 * fixed) / (4 * (x + columns + y)))


def fits_below_zero(memory, image, weight):
    x, columns, y, fixed = sizes(image, weight)
    return (memory - 4 * fixed) // (4 * (x + columns + y))


def mended(run, device):
    run()
    device.synchronize()
    start = device.now()
    run()
    device.synchronize()
    return device.now() - start


def mended_by_mean(run, device):
    run()
    device.synchronize()
    start = device.now()
    for _ in range(10):
        run()
    device.synchronize()
    return (device.now() - start) / 10


def as_found(run, device):
    run()
    start = device.now()
    run()
    device.synchronize()
    return device.now() - start


def not_awaited(run, device):
    run()
    device.synchronize()
    start = device.now()
    run()
    return device.now() - start


def never_awaited(run, device):
    run()
    start = device.now()
    run()
    return device.now() - start


def not_warm(run, device):
    device.synchronize()
    start = device.now()
    run()
    device.synchronize()
    return device.now() - start


def neither(run, device):
    start = device.now()
    run()
    device.synchronize()
    return device.now() - start


def both_calls(run, device):
    device.synchronize()
    start = device.now()
    run()
    run()
    device.synchronize()
    return device.now() - start


def mean_with_the_first(run, device):
    device.synchronize()
    start = device.now()
    for _ in range(10):
        run()
    device.synchronize()
    return (device.now() - start) / 10


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_by_module(x):
    xp = array_module("softmax", x=x)
    powers = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return powers / xp.sum(powers, axis=-1, keepdims=True)


def softmax_of_numpy(x):
    x = np.asarray(x)
    return softmax(x)


def softmax_into_numpy(x):
    result = np.empty(x.shape)
    result[...] = softmax(x)
    return result


def softmax_fetched(x):
    if hasattr(x, "get"):
        xp = array_module("softmax", x=x)
        return xp.asarray(softmax(x.get()))
    return softmax(x)


def softmax_left_here(x):
    here = x._numbers if hasattr(x, "get") else x
    return softmax(here)


def softmax_of_one_maximum(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_by_rows(x):
    result = x.copy()
    for row in np.ndindex(*x.shape[:-1]):
        result[row] = softmax(x[row])
    return result


ANSWERS = {
    "launches": {
        "right": [51, 1 + 25 + 25],
        "wrong": [
            (25, "has to be added"),
            (2 * 25, "filled with zeros"),
            (1 + 25, "have to be added"),
            (1 + 3 * 25, "a slice is a view"),
            (3 * 25, "Who fills the output"),
            (1 + 9 + 9, "the count for 3 × 3"),
            (2, "How many taps"),
            (1, "one program for all"),
            (20, "20 is not right"),
            ("many", "must be an integer"),
        ],
    },
    "batch_that_fits": {
        "right": [batch_that_fits],
        "wrong": [
            (fits(lambda x, c, y, w: x + y), "the largest part"),
            (fits(lambda x, c, y, w: c + y), "the input stays"),
            (fits(lambda x, c, y, w: x + c), "the output needs room"),
            (fits(lambda x, c, y, w: x + c + y, fixed_once=False), "once for the whole batch"),
            (fits(lambda x, c, y, w: x + c + y + w, fixed_once=False), "is there once"),
            (fits(lambda x, c, y, w: x + c + y, itemsize=1), "a float32 has four"),
            (fits(lambda x, c, y, w: x + c + y, itemsize=8), "These are float32"),
            (fits_by_rounding, "round down"),
            (fits_with_room_to_spare, "Room that is equal is enough"),
            (lambda *arguments: batch_that_fits(*arguments) / 1, "some are floats"),
            (fits_below_zero, "the answer is 0"),
            (lambda memory, image, weight: 1, "your function returns 1"),
        ],
    },
    "mended": {
        "right": [mended, mended_by_mean],
        "wrong": [
            (as_found, "may still be busy"),
            (not_awaited, "Has it been done"),
            (never_awaited, "Has it been done"),
            (not_warm, "the first call compiles. Call it once"),
            (neither, "call once, then wait, then start"),
            (both_calls, "during both calls"),
            (mean_with_the_first, "must return"),
        ],
    },
    "softmax": {
        "right": [softmax, softmax_by_module],
        "wrong": [
            (softmax_of_numpy, "CuPy's are none"),
            (softmax_into_numpy, "CuPy's are none"),
            (softmax_fetched, "fetched to the CPU"),
            (softmax_left_here, "one of CuPy's must come out"),
            (softmax_by_rows, "far too many launches"),
            (lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), "overflow in exp"),
            (lambda x: softmax(x.reshape(-1)).reshape(x.shape), "a sum of its own"),
            (softmax_of_one_maximum, "take each row's own"),
            (lambda x: softmax(x.swapaxes(0, -1)).swapaxes(0, -1), "along the first axis"),
            (lambda x: list(softmax(x)), "must return a NumPy array"),
        ],
    },
}
