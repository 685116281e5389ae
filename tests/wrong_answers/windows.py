"""Answers to the exercises of chapter 4, written the way a reader would write them."""

import numpy as np


def reach(start, shape, strides, itemsize):
    first = end = start
    for size, stride in zip(shape, strides):
        if size == 0:
            return start, start
        if stride < 0:
            first += (size - 1) * stride
        else:
            end += (size - 1) * stride
    return first, end + itemsize


def reach_by_indices(start, shape, strides, itemsize):
    if 0 in shape:
        return start, start
    every = [start + sum(np.multiply(index, strides)) for index in np.ndindex(*shape)]
    return min(every), max(every) + itemsize


def reach_forwards_only(start, shape, strides, itemsize):
    last = start + sum((size - 1) * stride for size, stride in zip(shape, strides))
    return start, last + itemsize


def reach_first_is_start(start, shape, strides, itemsize):
    return start, reach(start, shape, strides, itemsize)[1]


def reach_last_offset(start, shape, strides, itemsize):
    first, end = reach(start, shape, strides, itemsize)
    return (first, end - itemsize) if 0 not in shape else (first, end)


def reach_one_index_too_far(start, shape, strides, itemsize):
    first = end = start
    for size, stride in zip(shape, strides):
        first += min(size * stride, 0)
        end += max(size * stride, 0)
    return first, end + itemsize


def reach_no_start(start, shape, strides, itemsize):
    return reach(0, shape, strides, itemsize)


def reach_by_size(start, shape, strides, itemsize):
    return start, start + int(np.prod(shape)) * itemsize


def reach_empty_forgotten(start, shape, strides, itemsize):
    first = end = start
    for size, stride in zip(shape, strides):
        first += min((size - 1) * stride, 0)
        end += max((size - 1) * stride, 0)
    return first, end + itemsize


def reach_by_sign(start, shape, strides, itemsize):
    first = end = start
    for size, stride in zip(shape, strides):
        if stride >= 0:
            end += (size - 1) * stride
        else:
            first += (size - 1) * stride
    return first, end + itemsize


def plan_1d(n, step, kernel_size, stride, dilation):
    span = dilation * (kernel_size - 1) + 1
    w_size = (n - span) // stride + 1
    return (w_size, kernel_size), (stride * step, dilation * step)


def plan_1d_as_found(n, step, kernel_size, stride, dilation):
    w_size = (n - kernel_size) // stride + 1
    return (w_size, kernel_size), (stride * step, dilation * step)


def plan_1d_wide(n, step, kernel_size, stride, dilation):
    w_size = (n - dilation * kernel_size) // stride + 1
    return (w_size, kernel_size), (stride * step, dilation * step)


def plan_1d_narrow(n, step, kernel_size, stride, dilation):
    w_size = (n - dilation * (kernel_size - 1)) // stride + 1
    return (w_size, kernel_size), (stride * step, dilation * step)


def plan_1d_rounded_up(n, step, kernel_size, stride, dilation):
    span = dilation * (kernel_size - 1) + 1
    w_size = int(np.ceil((n - span) / stride)) + 1
    return (w_size, kernel_size), (stride * step, dilation * step)


def plan_1d_dilation_dropped(n, step, kernel_size, stride, dilation):
    w_size = (n - kernel_size) // stride + 1
    return (w_size, kernel_size), (stride * step, step)


def plan_1d_taps_close(n, step, kernel_size, stride, dilation):
    shape, strides = plan_1d(n, step, kernel_size, stride, dilation)
    return shape, (strides[0], step)


def plan_1d_swapped(n, step, kernel_size, stride, dilation):
    shape, strides = plan_1d(n, step, kernel_size, stride, dilation)
    return shape, (strides[1], strides[0])


def plan_1d_one_short(n, step, kernel_size, stride, dilation):
    span = dilation * (kernel_size - 1) + 1
    return ((n - span) // stride, kernel_size), (stride * step, dilation * step)


def plan_1d_no_stride(n, step, kernel_size, stride, dilation):
    span = dilation * (kernel_size - 1) + 1
    return (n - span + 1, kernel_size), (step, dilation * step)


def plan_1d_far(n, step, kernel_size, stride, dilation):
    return (n, kernel_size), (stride * step, dilation * step)


def window_plan(shape, strides, kernel_size, stride, dilation):
    positions, walks_out, walks_in = [], [], []
    for axis in range(2):
        span = dilation[axis] * (kernel_size[axis] - 1) + 1
        if span > shape[axis - 2]:
            raise ValueError(f"a kernel that spans {span} does not fit into {shape[axis - 2]}")
        positions.append((shape[axis - 2] - span) // stride[axis] + 1)
        walks_out.append(strides[axis - 2] * stride[axis])
        walks_in.append(strides[axis - 2] * dilation[axis])
    return (*shape[:-2], *positions, *kernel_size), (*strides[:-2], *walks_out, *walks_in)


def window_plan_as_lists(*arguments):
    shape, strides = window_plan(*arguments)
    return list(shape), list(strides)


def window_plan_swapped(shape, strides, kernel_size, stride, dilation):
    view_shape, _ = window_plan(shape, strides, kernel_size, stride, dilation)
    (*lead, a, b), (s, t), (d, e) = strides, stride, dilation
    return view_shape, (*lead, a * d, b * e, a * s, b * t)


def window_plan_fresh(shape, strides, kernel_size, stride, dilation):
    itemsize = min(abs(s) for s in strides if s)
    fresh = [itemsize]
    for size in shape[:0:-1]:
        fresh.insert(0, fresh[0] * size)
    return window_plan(shape, tuple(fresh), kernel_size, stride, dilation)


def window_plan_interleaved(*arguments):
    shape, strides = window_plan(*arguments)
    (*a, h, w, k, l), (*b, sh, sw, sk, sl) = shape, strides
    return (*a, h, k, w, l), (*b, sh, sk, sw, sl)


def window_plan_no_lead(*arguments):
    shape, strides = window_plan(*arguments)
    return shape[-4:], strides[-4:]


def window_plan_count_without_dilation(shape, strides, kernel_size, stride, dilation):
    _, view_strides = window_plan(shape, strides, kernel_size, stride, dilation)
    counts = [(shape[a - 2] - kernel_size[a]) // stride[a] + 1 for a in range(2)]
    return (*shape[:-2], *counts, *kernel_size), view_strides


def window_plan_stride_forgotten(shape, strides, kernel_size, stride, dilation):
    view_shape, view_strides = window_plan(shape, strides, kernel_size, stride, dilation)
    return view_shape, (*strides, *view_strides[-2:])


def window_plan_dilation_forgotten(shape, strides, kernel_size, stride, dilation):
    view_shape, view_strides = window_plan(shape, strides, kernel_size, stride, dilation)
    return view_shape, (*view_strides[:-2], *strides[-2:])


def window_plan_one_short(*arguments):
    (*lead, h, w, k, l), strides = window_plan(*arguments)
    return (*lead, h - 1, w - 1, k, l), strides


def window_plan_without_refusal(shape, strides, kernel_size, stride, dilation):
    counts = [
        (shape[a - 2] - dilation[a] * (kernel_size[a] - 1) - 1) // stride[a] + 1 for a in range(2)
    ]
    walks = [strides[a - 2] * f[a] for f in (stride, dilation) for a in range(2)]
    return (*shape[:-2], *counts, *kernel_size), (*strides[:-2], *walks)


def window_plan_every_pixel(shape, strides, kernel_size, stride, dilation):
    _, view_strides = window_plan(shape, strides, kernel_size, stride, dilation)
    return (*shape, *kernel_size), view_strides


ANSWERS = {
    "window_strides": {
        "right": [(960, 320, 80, 8, 40, 4), [960, 320, 80, 8, 40, 4]],
        "wrong": [
            ((240, 80, 20, 2, 10, 1), "counted in elements"),
            ((1920, 640, 160, 16, 80, 8), "elements of 8 bytes"),
            ((960, 320, 40, 4, 40, 4), "windows of stride 1"),
            ((960, 320, 40, 4, 80, 8), "this is dilation 2"),
            ((960, 320, 80, 8, 80, 8), "still neighbours"),
            ((960, 320, 8, 80, 4, 40), "rows and columns are swapped"),
            ((960, 320, 80, 40, 8, 4), "The order of the axes"),
            ((1296, 432, 144, 36, 12, 4), "strides of a copy"),
            ((960, 320, 80, 8), "must have 6 numbers"),
            ("80 bytes", "must be a tuple of six integers"),
            ((960, 320, 80, 8, 40, 2), "is not right"),
        ],
    },
    "reach": {
        "right": [reach, reach_by_indices],
        "wrong": [
            (reach_forwards_only, "keep the two sums apart"),
            (reach_first_is_start, "What is the lowest one"),
            (reach_last_offset, "where does it end"),
            (reach_one_index_too_far, "m - 1, not m"),
            (reach_no_start, "Add `start` to both"),
            (reach_by_size, "as if each element had bytes of its own"),
            (reach_empty_forgotten, "a size of 0 on any axis"),
            (reach_by_sign, "a size of 0 on any axis"),
            (lambda *arguments: reach(*arguments)[1], "must return 2 values"),
        ],
    },
    "mended": {
        "right": [plan_1d],
        "wrong": [
            (plan_1d_as_found, "right for dilation 1 alone"),
            (plan_1d_wide, "drops windows that fit"),
            (plan_1d_narrow, "counts both ends"),
            (plan_1d_rounded_up, "you round up"),
            (plan_1d_dilation_dropped, "the taps are neighbours again"),
            (plan_1d_taps_close, "lost its dilation"),
            (plan_1d_swapped, "the two strides are swapped"),
            (plan_1d_one_short, "one window short"),
            (plan_1d_no_stride, "your size of axis w is 6, and must be 3"),
            (plan_1d_far, "this view would read bytes 0 to 15, but the memory given has bytes 0"),
            (lambda *arguments: plan_1d(*arguments)[0], "two tuples of integers"),
        ],
    },
    "window_plan": {
        "right": [window_plan, window_plan_as_lists],
        "wrong": [
            (window_plan_swapped, "have changed places"),
            (window_plan_fresh, "Multiply the strides that you are given"),
            (window_plan_interleaved, "in the order h, k, w, l"),
            (window_plan_no_lead, "only the last four axes"),
            (window_plan_count_without_dilation, "ignores the dilation"),
            (window_plan_stride_forgotten, "those of stride 1"),
            (window_plan_dilation_forgotten, "the taps of one window are neighbours"),
            (window_plan_one_short, "one short: count the first window too"),
            (window_plan_without_refusal, "raise ValueError"),
            (window_plan_every_pixel, "as_strided would not stop it"),
            (lambda *arguments: window_plan(*arguments)[1], "two tuples of integers"),
        ],
    },
}
