"""The loops of chapter 1, compiled: what `compiled.py` calls. Importing this needs Numba.

A sum over input channels and taps is one over terms: term k is a weight, and a run of cells that
starts at at[k]. The loops work on a few rows of the output at a time, so that the cells they see and
the sums stay in the cache that a core has for itself. Within, a small matrix of sums stays in
registers: some outputs times some cells, for all terms.

No function takes Python's lock, so threads run them side by side, and no sum depends on threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .planes import see_abreast, write_apart
from .rows import lay_out, put_zeros, turn, write
from .runs import MANY, correlate, correlate_columns, correlate_rows, many, starts_of
from .signals import rest, ring
from .vectors import BYTES, compiled_loop

LINE = 16  # cells of a cache line, in float32
SLACK = 64  # how far whole registers may reach over the end of a row
# the columns of `units`: a unit's image, its group, and the ranges of d, h, o, of the terms, and of i
N, G, D, D_END, H, H_END, O, O_END, TERM, TERM_END, I, I_END = range(12)


def sizes_of(inputs, most, wide, phases):
    """How far apart channels of cells and of outputs are, and the memory for cells.

    There are windows at `most` positions at a time. Registers reach over the ends of both. Channels
    are an odd number of cache lines apart (in float32; in float64 twice that): a power of two would put
    them all into one place of a cache.
    """
    lines = (phases * wide[0] * wide[1] * wide[2] + LINE - 1) // LINE | 1
    cells, results = lines * LINE, most[0] * wide[1] * wide[2] + SLACK
    return cells, results, inputs * cells + SLACK


distances = njit(nogil=True)(sizes_of)


@njit(nogil=True)
def see(cells, channel, x, x_steps, units, u, phases, geometry, joined):
    """Lay out what the windows of unit u see. Where rows end, the zeros of the last unit still stand."""
    size, wide, stride, begin, _, counts = geometry
    images = counts[3]
    one, last = units[u], units[max(u - 1, 0)]
    n, g, d, h, first, number = one[N], one[G], one[D], one[H], one[I], one[I_END] - one[I]
    start = begin[0] + d * stride[0], begin[1] + h * stride[1], begin[2]
    at_x = x_steps[0] + n * images * x_steps[1] + g * x_steps[2] + first * x_steps[3]
    zeros = u == 0 or number > last[I_END] - last[I]
    if images > 1:
        see_abreast(
            cells, channel, x, at_x, x_steps, size, wide, phases, stride, start, number, zeros,
            images, joined,
        )  # fmt: skip
    else:
        lay_out(cells, channel, x, at_x, x_steps, size, wide, phases, stride, start, number, zeros)
    if zeros:  # behind the last row, where no next one begins with them
        put_zeros(cells, number * channel, number * channel + SLACK)


@compiled_loop()
def forward(x, x_steps, w, w_steps, y, y_steps, units, at, to, phases, geometry, memory, team):
    """The units' parts of y (n, g, o, d, h, w), from (n, g, i, D, H, W) and (g, o, k).

    A unit is an image, a group, and ranges of d, h, o, of the terms, and of i. Arrays are flat; their
    steps begin with the place of the first cell. `geometry` is (D, H, W), the places laid out for them,
    the stride, and where the first window starts; the most positions of a unit; and as counts the most
    i of a unit, all i, how far apart the cells of a column of taps are, where a term is one, or zero,
    less where columns go up; how many images lie abreast, which count as one, whose x and y have no
    gaps; and what is to be put aside of these. Where units have some i each, sums of all outputs are kept.
    """
    ring(team)
    _, wide, _, _, most, counts = geometry
    channel, pitch, number = distances(counts[0], most, wide, len(phases))
    cells, memory = memory[:number], memory[number:]
    joined, results = memory[: counts[4]], memory[counts[4] :]
    outputs, all_at_once = np.arange(MANY[0]) * w_steps[2], counts[0] == counts[1]
    line, images = counts[2], counts[3]
    lanes = BYTES // y.itemsize
    # rows that whole registers fill, one behind another in y: nothing is to be left out between them
    whole = most[2] % lanes == 0
    in_y = images == 1 and y_steps[5] == most[2] and y_steps[6] == 1
    for u in range(len(units)):
        see(cells, channel, x, x_steps, units, u, phases, geometry, joined)
        n, g, d, d_end, h, h_end, o, o_end, first_term, end_term, i, i_end = units[u]
        shape, last = (d_end - d, h_end - h, most[2]), i_end == counts[1]
        terms, places = at[first_term:end_term], to[first_term:end_term]
        run = ((shape[0] - 1) * wide[1] + shape[1] - 1) * wide[2] + shape[2]
        starts = starts_of(shape, wide, lanes)
        direct = in_y and (shape[0] == 1 or y_steps[4] == shape[1] * shape[2])
        for first in range(o, o_end, MANY[0]):
            rows = outputs[: min(MANY[0], o_end - first)]
            at_w = w_steps[0] + g * w_steps[1] + first * w_steps[2]
            at_y = y_steps[0] + n * images * y_steps[1] + g * y_steps[2] + first * y_steps[3]
            at_y += d * y_steps[4] + h * y_steps[5]
            place = 0 if all_at_once else (first - o) * pitch
            more = i > 0
            in_rows = whole and (direct or images > 1) and len(rows) == MANY[0]
            if in_rows:
                sums = results, place, pitch
                to_y = (y, at_y, y_steps[3]) if direct else sums
                if line != 0:
                    correlate_columns(
                        to_y, sums, cells, starts, shape, wide, terms, w, at_w, rows, places,
                        more, last, line,
                    )  # fmt: skip
                else:
                    correlate_rows(
                        to_y, sums, cells, starts, shape, wide, terms, w, at_w, rows, places,
                        more, last, line,
                    )  # fmt: skip
            else:
                correlate(
                    results, place, pitch, cells, terms, w, at_w, rows, places, run, more, line
                )
            if last and images > 1:
                across = shape[2] if in_rows else wide[2]
                plane = (shape[1] if in_rows else wide[1]) * across
                write_apart(
                    y, at_y, y_steps, results[place:], pitch, plane, across, shape, len(rows), images,
                    joined,
                )  # fmt: skip
            elif last and not in_rows:
                write(y, at_y, y_steps, results[place:], pitch, wide, shape, len(rows))
    return rest(team)


@compiled_loop()
def weight_gradient(x, x_steps, gy, gy_steps, w, units, at, phases, geometry, memory, team):
    """The units' parts, added to w (g, k, o), with k and o rounded up. Else as for `forward`.

    It is the same sum with other letters: gw[k, o] is a sum over positions q of cells x[at[k] + q],
    which are the weights here, times gy[q, o], where neighbours are outputs. So gy is turned round.
    """
    ring(team)
    _, wide, _, _, most, counts = geometry
    inputs, terms, pitch, sums = counts[0], len(at), w.shape[2], w.reshape(-1)
    channel, _, number = distances(inputs, most, wide, len(phases))
    cells, turned = memory[:number], memory[number:]
    places = np.empty(most[0] * most[1] * most[2], np.int64)
    for u in range(len(units)):
        see(cells, channel, x, x_steps, units, u, phases, geometry, memory[:0])
        n, g, d, d_end, h, h_end, o, o_end, _, _, _, _ = units[u]
        shape = d_end - d, h_end - h, most[2]
        at_y = gy_steps[0] + n * gy_steps[1] + g * gy_steps[2] + o * gy_steps[3]
        at_y += d * gy_steps[4] + h * gy_steps[5]
        positions = turn(turned, places, gy, at_y, gy_steps, wide, shape, o_end - o)
        across, seen = np.arange(positions) * (o_end - o), places[:positions]
        # what is y there is w's memory here; what is x is gy, and its terms are positions; what is the
        # weight there are the cells, a row for each term
        for k in range(0, terms, MANY[0]):
            rows, at_w = at[k : min(k + MANY[0], terms)], (g * w.shape[1] + k) * pitch + o
            here, run = len(rows), o_end - o
            many(sums, at_w, pitch, turned, across, cells, 0, rows, seen, here, run, True)
    return rest(team)
