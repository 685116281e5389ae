"""Answers to the exercises of chapter 3, written the way a reader would write them."""

import math

import numpy as np


def output_size(n, k, s, p, d):
    span = d * (k - 1) + 1
    if span > n + 2 * p:
        raise ValueError("the kernel does not fit")
    return (n + 2 * p - span) // s + 1


def size_by_counting(n, k, s, p, d):
    starts = [start for start in range(0, n + 2 * p, s) if start + d * (k - 1) < n + 2 * p]
    if not starts:
        raise ValueError("the kernel does not fit")
    return len(starts)


def size_without_refusal(n, k, s, p, d):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def size_without_help(n, k, s, p, d):
    if d * (k - 1) + 1 > n:
        raise ValueError("the kernel does not fit")
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def size_with_padding(n, k, s, p, d, sides):
    if d * (k - 1) + 1 > n + sides * p:
        raise ValueError("the kernel does not fit")
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def size_rounded_up(n, k, s, p, d):
    if d * (k - 1) + 1 > n + 2 * p:
        raise ValueError("the kernel does not fit")
    return math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1


def size_of_spread_taps(n, k, s, p, d):
    if d * k > n + 2 * p:
        raise ValueError("too wide")
    return (n + 2 * p - d * k) // s + 1


def size_with_true_division(n, k, s, p, d):
    if d * (k - 1) + 1 > n + 2 * p:
        raise ValueError("the kernel does not fit")
    return (n + 2 * p - d * (k - 1) - 1) / s + 1


def receptive_field(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        size += d * (k - 1) * jump
        jump *= s
    return size


def field_backwards(layers):
    size = 1
    for k, s, d in reversed(layers):
        size = (size - 1) * s + d * (k - 1) + 1
    return size


def field_as_found(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        jump *= s
        size += d * (k - 1) * jump
    return size


def field_without_jump(layers):
    return 1 + sum(d * (k - 1) for k, s, d in layers)


def field_of_last_stride(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        size += d * (k - 1) * jump
        jump = s
    return size


def field_of_added_strides(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        size += d * (k - 1) * jump
        jump += s - 1
    return size


def field_of_whole_widths(layers):
    size, jump = 0, 1
    for k, s, d in layers:
        size += (d * (k - 1) + 1) * jump
        jump *= s
    return size


def field_of_taps_in_cells(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        size += d * k * jump
        jump *= s
    return size


def field_without_dilation(layers):
    return receptive_field([(k, s, 1) for k, s, d in layers])


def field_that_empties(layers):
    size, jump = 1, 1
    while layers:
        k, s, d = layers.pop(0)
        size += d * (k - 1) * jump
        jump *= s
    return size


def paddings_for(n, m, k, s):
    found = []
    for p in range((m * s + k) // 2 + 1):
        cells = n + 2 * p
        if cells >= k and (cells - k) // s + 1 == m:
            found.append(p)
    return found


def paddings_by_formula(n, m, k, s):
    least = (m - 1) * s + k - n
    return list(range(max(0, -(-least // 2)), (least + s - 1) // 2 + 1))


def paddings_but_the_last(n, m, k, s):
    least = (m - 1) * s + k - n
    return list(range(max(0, -(-least // 2)), (least + s - 1) // 2))


def padding_exact(n, m, k, s):
    twice = (m - 1) * s + k - n
    return [twice // 2] if twice >= 0 and twice % 2 == 0 else []


def same_pads(n, k, s):
    out = math.ceil(n / s)
    total = max((out - 1) * s + k - n, 0)
    return total // 2, total - total // 2


def same_pads_by_rest(n, k, s):
    total = max(k - s, 0) if n % s == 0 else max(k - n % s, 0)
    return total // 2, total - total // 2


def same_pads_negative(n, k, s):
    total = (math.ceil(n / s) - 1) * s + k - n
    return total // 2, total - total // 2


def same_pads_half_mended(n, k, s):
    total = max(k - s, 0) if n % s == 0 else k - n % s
    return total // 2, total - total // 2


def same_pads_rounded_down(n, k, s):
    total = max((n // s - 1) * s + k - n, 0)
    return total // 2, total - total // 2


def same_pads_for_all(n, k, s):
    total = max((n - 1) * s + k - n, 0)
    return total // 2, total - total // 2


ANSWERS = {
    "sizes": {
        "right": [(3, 16, 10), [3, 16, 10], np.array([3, 16, 10])],
        "wrong": [
            ((4, 17, 10), "you rounded up"),
            ((2, 15, 9), "the window at position 0 counts"),
            ((3, 15, 8), "the padding is missing"),
            ((3, 16, 9), "counted per side"),
            ((4, 16, 9), "rule of thumb"),
            ((6, 32, 28), "sizes for stride 1"),
            ((3, 16), "must have 3 numbers"),
            ((3, 16, 11), "is not right"),
            ("3, 16, 10", "must be a tuple of three integers"),
        ],
    },
    "output_size": {
        "right": [output_size, size_by_counting],
        "wrong": [
            (size_without_refusal, "raise ValueError"),
            (size_rounded_up, "you rounded up"),
            (lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1, "rounded up"),
            (lambda n, k, s, p, d: output_size(n, k, s, p, d) - 1, "one short"),
            (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1, "Is the + 1 missing"),
            (lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1, "not d·k"),
            (lambda n, k, s, p, d: (n + 2 * p - k) // s + 1, "the dilation is ignored"),
            (lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1, "per side"),
            (size_of_spread_taps, "not d·k"),
            (size_with_true_division, "use //"),
            (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s, "divide before you add the 1"),
            (lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1, "nearest"),
            (lambda *row: size_with_padding(*row, 1), "compare the span with n + 2p, not n + p"),
            (lambda *row: size_with_padding(*row, 3), "must raise ValueError"),
            (size_without_help, "the padding helps the kernel to fit"),
            (lambda n, k, s, p, d: np.float64(output_size(n, k, s, p, d)), "some are floats"),
        ],
    },
    "mended": {
        "right": [receptive_field, field_backwards],
        "wrong": [
            (field_as_found, "A layer's own stride"),
            (field_without_jump, "the strides are ignored"),
            (field_of_last_stride, "the product of all strides so far"),
            (field_of_added_strides, "jumps multiply"),
            (field_of_whole_widths, "only the start adds 1"),
            (field_of_taps_in_cells, "not d·k"),
            (field_without_dilation, "the dilation is ignored"),
            (lambda layers: receptive_field(layers) - 1, "sees itself"),
            (lambda layers: receptive_field(layers[::-1]), "Begin with the first"),
            (lambda layers: (receptive_field(layers), 1), "must return"),
            (field_that_empties, "changes the list it was given"),
        ],
    },
    "paddings_for": {
        "right": [paddings_for, paddings_by_formula],
        "wrong": [
            (padding_exact, "leaves nothing over"),
            (lambda n, m, k, s: paddings_for(n, m, k, s)[:1], "you stop at the first"),
            (lambda n, m, k, s: min(paddings_for(n, m, k, s), default=0), "return a list"),
            (lambda n, m, k, s: [p for p in paddings_for(n, m, k, s) if p <= k // 2], "k // 2"),
            (lambda n, m, k, s: [p for p in paddings_for(n, m, k, s) if p < k], "stop below k"),
            (lambda n, m, k, s: [p for p in paddings_for(n, m, k, s) if p < n], "stop below n"),
            (lambda n, m, k, s: [p for p in range(99) if (n + p - k) // s + 1 == m], "per side"),
            (
                lambda n, m, k, s: [p for p in range(-9, 99) if (n + 2 * p - k) // s + 1 == m],
                "begin at 0",
            ),
            (lambda n, m, k, s: paddings_for(n, m, k, s)[::-1], "the smallest first"),
            (paddings_but_the_last, "does your range end one too early"),
            (lambda n, m, k, s: paddings_for(n, m, k, s) or None, "a path without return"),
            (lambda n, m, k, s: [p for p in paddings_for(n, m, k, s) if p < 100], "a fixed end"),
        ],
    },
    "same_pads": {
        "right": [same_pads, same_pads_by_rest],
        "wrong": [
            (same_pads_negative, "the total must be 0"),
            (same_pads_half_mended, "the total must be 0"),
            (lambda n, k, s: ((k - 1) // 2, k // 2), "'same' for stride 1"),
            (lambda n, k, s: same_pads(n, k, s)[::-1], "goes to the end"),
            (same_pads_for_all, "as long as the input"),
            (same_pads_rounded_down, "Round n / s up"),
            (lambda n, k, s: sum(same_pads(n, k, s)), "This is the total".lower()),
            (lambda n, k, s: (same_pads(n, k, s)[0],) * 2, "one zero is lost"),
            (lambda n, k, s: (same_pads(n, k, s)[1],) * 2, "one zero too many"),
            (lambda n, k, s: (0, sum(same_pads(n, k, s))), "share the total out"),
        ],
    },
}
