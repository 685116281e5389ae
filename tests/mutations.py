"""Ways to break convlib, one formula each, as data: the file, its text, what it becomes, the tests.

`tests/mutation.py` applies them one at a time to a copy of the repository and expects the named
tests to fail. The text must stand in its file exactly once.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    file: str
    old: str
    new: str
    tests: str


GEOMETRY = "test_geometry.py"
POOLING = "test_pooling.py"
CONVOLUTION = "test_oracle.py test_convolution.py"
BEGIN = "        with Call():\n            "
TRANSPOSED = "test_oracle.py test_transposed.py"
REFUSED = "test_properties.py::test_refused"
CHECKS = "test_convolution.py test_transposed.py"
THREADS = "test_algorithms.py::test_no_more_threads_are_counted_than_may_be"
COMPILED = "test_compiled.py"
ALGORITHMS = "test_algorithms.py"
EXERCISES = "test_exercises.py"
COPYING = "test_oracle.py test_padding.py test_folding.py test_grad.py"

MUTATIONS = [
    # sizes
    Mutation("geometry.py", "return d * (k - 1) + 1", "return d * k", GEOMETRY),
    Mutation(
        "geometry.py",
        "return (padded - span(k, d)) // s + 1",
        "return -(-(padded - span(k, d)) // s) + 1",
        GEOMETRY,
    ),
    Mutation("geometry.py", "if span(k, d) > padded:", "if span(k, d) >= padded:", GEOMETRY),
    Mutation("geometry.py", "m = (n - 1) * s - 2 * p", "m = (n - 1) * s - p", GEOMETRY),
    Mutation("geometry.py", "if m < 0:", "if m < -1:", GEOMETRY),
    Mutation(
        "geometry.py",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
        GEOMETRY,
    ),
    Mutation("receptive.py", "size += d * (k - 1) * jump", "size += d * (k - 1)", GEOMETRY),
    Mutation("receptive.py", "jump *= s", "jump += s - 1", GEOMETRY),
    # refusals
    Mutation(
        "settings.py",
        "min(numbers, default=least) < least",
        "min(numbers, default=least) < least - 1",
        "test_settings.py test_convolution.py",
    ),
    Mutation(
        "settings.py", "if len(numbers) != axes:", "if len(numbers) < axes:", "test_settings.py"
    ),
    Mutation(
        "settings.py", "if actual != required:", "if len(actual) != len(required):", "test_grad.py"
    ),
    Mutation("checks.py", "if stride != (1,) * axes:", "if stride < (1,) * axes:", REFUSED),
    Mutation(
        "checks.py",
        "if channels != in_channels * groups:",
        "if channels < in_channels * groups:",
        CHECKS,
    ),
    Mutation("checks.py", "if first < groups or first % groups:", "if first % groups:", CHECKS),
    Mutation("checks.py", "if x >= s and x >= d:", "if x >= s:", CHECKS),
    Mutation(
        "checks.py",
        "if cells > MOST:",
        "if False:",
        "test_settings.py test_transposed.py test_folding.py",
    ),
    Mutation("checks.py", "bias_shape != (channels,):", "bias_shape[-1] != channels:", CHECKS),
    Mutation(
        "arrays.py",
        "if other.dtype is not dtype and other.dtype != dtype:",
        "if False:",
        "test_arrays.py",
    ),
    Mutation(
        "arrays.py",
        'return SINGLE if dtype.char == "e" else dtype',
        "return dtype",
        "test_arrays.py test_pooling.py test_convolution.py",
    ),
    # padding
    Mutation(
        "padding.py",
        "inner.append(slice(before, before + n))",
        "inner.append(slice(after, after + n))",
        COPYING,
    ),
    Mutation("padding.py", "(slice(b, n - a) for", "(slice(a, n - b) for", COPYING),
    Mutation(
        "padding.py",
        "return (n - 1) - np.abs((n - 1) - np.abs(cells))",
        "return (n - 1) - np.abs((n - 1) - np.abs(cells + (cells < 0)))",
        COPYING,
    ),
    Mutation("padding.py", "np.clip(cells, 0, n - 1)", "np.clip(cells, 1, n - 1)", COPYING),
    Mutation("padding.py", "return first + (cells - first) %", "return (cells - first) %", COPYING),
    Mutation("padding.py", '"reflect": n - 1,', '"reflect": n,', COPYING),
    # windows
    Mutation(
        "windows.py", "*(step * min(s, n) for", "*(step for", "test_windows.py test_oracle.py"
    ),
    Mutation(
        "windows.py", "*(step * min(d, n) for", "*(step for", "test_windows.py test_oracle.py"
    ),
    Mutation("windows.py", '{"writeable": False} if xp is np', "{} if xp is np", "test_windows.py"),
    Mutation(
        "windows.py", "slice(t * d, t * d + (m - 1)", "slice(t, t + (m - 1)", "test_windows.py"
    ),
    Mutation("windows.py", "working_dtype(windows.dtype)", "windows.dtype", "test_windows.py"),
    Mutation("windows.py", "if min(taps) < 1:", "if False:", "test_windows.py"),
    Mutation(
        "windows.py",
        "output[(*at, *others)] += ",
        "output[(*at, *others)] = ",
        "test_windows.py test_oracle.py",
    ),
    Mutation(
        "folding.py",
        "positions = tuple(count(function, *axis) for",
        "positions = tuple(count(function, *axis[:-1], 1) for",
        COPYING,
    ),
    # the contraction and what is around it
    Mutation("contraction.py", "goi{tap}->ngo", "goi{tap}->nog", "test_contraction.py"),
    Mutation(
        "contraction.py", "sizes.setdefault(letter, size) != size", "False", "test_contraction.py"
    ),
    Mutation("contraction.py", "if array.ndim != len(term):", "if False:", "test_contraction.py"),
    Mutation(
        "contraction.py",
        "windows[:, g], weight[g]",
        "windows[:, g], weight[0]",
        "test_contraction.py",
    ),
    Mutation(
        "contraction.py",
        "xp.moveaxis(grad_output, 0, 2)",
        "grad_output",
        "test_contraction.py test_grad.py",
    ),
    Mutation("convolution.py", "output += bias", "output -= bias", CONVOLUTION),
    Mutation(
        "convolution.py",
        "tuple(map(slice, settings.maps[1:]))",
        "()",
        TRANSPOSED + " test_grad.py",
    ),
    Mutation("convolution.py", "if settings.is_dilated", "if False", CONVOLUTION),
    # gradients
    Mutation(
        "grad/convolution.py",
        "grad_output, weight.conj(), settings",
        "grad_output, weight, settings",
        "test_grad.py",
    ),
    Mutation(
        "grad/convolution.py",
        "xp, input.conj(), grad_output",
        "xp, input, grad_output",
        "test_grad.py",
    ),
    Mutation(
        "grad/convolution.py", "if a != grad_output.ndim - axes - 1)", "if a != 1)", "test_grad.py"
    ),
    Mutation(
        "grad/convolution.py",
        "n + before + after for",
        "n + before + before for",
        "test_grad.py test_transposed.py",
    ),
    Mutation("grad/transposed.py", "input.conj(), size", "input, size", "test_grad.py"),
    Mutation(
        "grad/copying.py",
        "output[..., xp.asarray(sources)] += ",
        "output[..., xp.asarray(sources)] = ",
        "test_grad.py test_padding.py",
    ),
    # pooling
    Mutation("pooling/settings.py", " and (steps + 1) * s < n + p)", ")", POOLING),
    Mutation(
        "pooling/settings.py", "(steps + 1) * s < n + p)", "(steps + 1) * s <= n + p)", POOLING
    ),
    Mutation("pooling/settings.py", "any(2 * pad > size", "any(2 * pad > size + 1", REFUSED),
    Mutation(
        "pooling/settings.py",
        "(self.n - 1 + self.p) // self.d)",
        "(self.n - 1) // self.d)",
        POOLING,
    ),
    Mutation(
        "pooling/settings.py",
        "before = self.p - self.taps.start * self.d",
        "before = self.p",
        POOLING,
    ),
    Mutation(
        "pooling/windows.py", "xp.minimum(start + k, n + p) - start", "start * 0 + k", POOLING
    ),
    Mutation("pooling/windows.py", "- xp.maximum(start, 0)", "- start", POOLING),
    Mutation(
        "pooling/windows.py", "stride, dilation)] += shares", "stride, dilation)] = shares", POOLING
    ),
    Mutation(
        "pooling/average.py",
        "    quotient += (quotient",
        "    quotient += False & (quotient",
        POOLING,
    ),
    Mutation("pooling/maximum.py", "(value > best)", "(value >= best)", POOLING),
    Mutation("pooling/maximum.py", " | (value != value)", "", POOLING),
    Mutation("pooling/maximum.py", "np.iinfo(dtype).min", "0", POOLING),
    Mutation("grad/max_pooling.py", " & (indices >= 0)", "", POOLING),
    Mutation("grad/max_pooling.py", "if not bool(found.all()):", "if False:", POOLING),
    # compiled loops, and the threads that share them
    Mutation("algorithms/threads.py", "not _holders or now > 1", "True", ALGORITHMS),
    Mutation("algorithms/threads.py", " or now > 1:", ":", ALGORITHMS),
    Mutation("algorithms/threads.py", "if _holders <= {me}", "if not _holders", ALGORITHMS),
    Mutation("algorithms/threads.py", " if name != me", "", THREADS),
    Mutation("algorithms/threads.py", "min(wanted, limit() - others)", "wanted", THREADS),
    Mutation("algorithms/signals.py", "if now == DONE:", "if now >= RUNNING:", COMPILED),
    Mutation("algorithms/helpers.py", "left += parts[running:]", "pass", COMPILED),
    Mutation("algorithms/helpers.py", "        signals.rest(team)\n", "", COMPILED),
    Mutation("algorithms/helpers.py", "helper.part = None", "pass", COMPILED),
    Mutation("algorithms/helpers.py", "if asleep and not wake:", "if not wake:", COMPILED),
    Mutation(
        "algorithms/terms.py",
        "max(a.start, b.start) < min(a.stop, b.stop)",
        "a.start < b.stop",
        COMPILED,
    ),
    Mutation(
        "algorithms/terms.py", "tuple(found or range(prod(shape.taps)))", "tuple(found)", COMPILED
    ),
    Mutation(
        "algorithms/units.py",
        "layout.wide[-1] - shape.positions[-1], most",
        "most",
        COMPILED,
    ),
    Mutation("algorithms/terms.py", "np.cumsum([0, *counts])", "np.cumsum([*counts, 0])", COMPILED),
    Mutation("algorithms/units.py", "units[s.start * len(by_i) :", "units[s.start :", COMPILED),
    Mutation("algorithms/kernels.py", "more = i > 0", "more = False", COMPILED),
    Mutation("algorithms/kernels.py", " + first * x_steps[3]", "", COMPILED),
    Mutation("algorithms/kernels.py", " or number > last[I_END] - last[I]", "", COMPILED),
    Mutation("algorithms/kernels.py", "most[2] % lanes == 0", "True", COMPILED),
    Mutation("algorithms/kernels.py", " and y_steps[6] == 1", "", COMPILED),
    Mutation(
        "algorithms/kernels.py",
        "(shape[0] == 1 or y_steps[4] ==",
        "(True or y_steps[4] ==",
        COMPILED,
    ),
    Mutation("algorithms/kernels.py", " and len(rows) == MANY[0]", "", COMPILED),
    Mutation("algorithms/runs.py", "last and end == len(at)", "last", COMPILED),
    Mutation(
        "algorithms/runs.py", "(d * wide[1] + h) * wide[2] + q", "(d + h) * wide[2] + q", COMPILED
    ),
    Mutation("algorithms/terms.py", "taps[-2] - 1 if up else 0", "0", COMPILED),
    Mutation("algorithms/terms.py", "square and steps.stride[-2] == 1 and", "square and", COMPILED),
    Mutation("algorithms/terms.py", " and abs(beside) == runs.COLUMN", "", COMPILED),
    Mutation("algorithms/units.py", " * steps.dilation[-2] * (-1", " * (-1", COMPILED),
    Mutation("algorithms/runs.py", " and abs(line) == wide[2] else 0", " else 0", COMPILED),
    Mutation("algorithms/runs.py", "h if line > 0 else h + number - 1", "h", COMPILED),
    Mutation(
        "algorithms/registers.py",
        "range(outputs * part // parts, outputs * (part + 1) // parts)",
        "range(outputs // parts)",
        COMPILED,
    ),
    Mutation("algorithms/registers.py", 'icmp_signed("==", n', 'icmp_signed("<=", n', COMPILED),
    Mutation("algorithms/pointwise.py", "to_terms * line", "to_terms * lanes", COMPILED),
    Mutation("algorithms/pointwise.py", "to_terms * apart", "to_terms", COMPILED),
    Mutation(
        "algorithms/pointwise.py",
        "here, k, end, k > 0, y, p, pitch, lanes,\n                )",
        "here, k, end, False, y, p, pitch, lanes,\n                )",
        COMPILED,
    ),
    Mutation(
        "algorithms/pointwise.py",
        "here, k, end, k > 0, y, p, pitch, lanes,\n                    )",
        "here, k, end, False, y, p, pitch, lanes,\n                    )",
        COMPILED,
    ),
    Mutation("algorithms/pointwise.py", "parts + 2 if head", "parts + 1 if head", COMPILED),
    Mutation(
        "algorithms/pointwise.py",
        "first = 0 if part == parts else run - lanes",
        "first = run - lanes",
        COMPILED,
    ),
    Mutation("algorithms/pointwise.py", "not streams and lines:", "not streams:", COMPILED),
    Mutation("algorithms/pointwise.py", "max(0, direct - here)", "direct", COMPILED),
    Mutation("algorithms/pointwise.py", "at_w + here * inputs", "at_w", COMPILED),
    Mutation("algorithms/dots.py", "(rows - 1) * far, far", "rows * far, far", COMPILED),
    Mutation("algorithms/dots.py", "r * pitch + cells, r", "r * pitch + end, r", COMPILED),
    Mutation("algorithms/dots.py", "n > 0 or q > 0", "q > 0", COMPILED),
    Mutation("algorithms/dots.py", "n > 0 or q > 0", "n > 0", COMPILED),
    Mutation("algorithms/dots.py", "rows - r < ROWS or cells", "cells", COMPILED),
    Mutation("algorithms/dots.py", " or cells < registers * lanes", "", COMPILED),
    Mutation("algorithms/dots.py", " + first * far_a", "", COMPILED),
    Mutation("algorithms/dots.py", " + first * w_steps[2]", "", COMPILED),
    Mutation("algorithms/dots.py", "columns - whole * COLUMNS)", "0)", COMPILED),
    Mutation("algorithms/dots.py", "range(0, 2 * count, 2), r", "range(count), r", COMPILED),
    Mutation("algorithms/compiled.py", "if is_pointwise", "if is_bare", COMPILED),
    Mutation("algorithms/units.py", "-(-outputs // whole)", "outputs // whole", COMPILED),
    Mutation("algorithms/rules.py", "min(shape.i, shape.o) > THIN and ", "", ALGORITHMS),
    Mutation("algorithms/rules.py", " and shape.g == 1 and long", " and long", ALGORITHMS),
    Mutation("algorithms/rules.py", "is_pointwise(shape, steps) and r", "r", ALGORITHMS),
    Mutation("algorithms/choice.py", ' and dtype.kind in "fc" and is_p', " and is_p", ALGORITHMS),
    Mutation("exercises/_watch.py", "sys.setprofile(before)", "sys.setprofile(None)", EXERCISES),
    Mutation("exercises/_watch.py", " and meant(frame.f_locals)", "", EXERCISES),
    Mutation("exercises/_watch.py", "for case in cases)", "for case in cases[:1])", EXERCISES),
    Mutation("algorithms/rules.py", "shape.products < WORTH_TELLING", "False", ALGORITHMS),
    Mutation("algorithms/runs.py", "terms + most // 2", "terms + most - 1", COMPILED),
    Mutation("algorithms/registers.py", "builder.add(at_k, line) if t else at_k", "at_k", COMPILED),
    Mutation("algorithms/registers.py", "whole(t * beside)", "whole(t)", COMPILED),
    Mutation("algorithms/registers.py", "seen = seen[1:]", "seen = seen[:-1]", COMPILED),
    Mutation("algorithms/kernels.py", "0 if all_at_once else (first - o) * pitch", "0", COMPILED),
    Mutation("algorithms/caches.py", " // _sharing(cores)", "", "test_algorithms.py"),
    Mutation(
        "algorithms/compiled.py",
        "            target[...] = 0\n",
        "            pass\n",
        COMPILED + " test_grad.py",
    ),
    Mutation("algorithms/rules.py", "PARTED if parted else 1", "1", ALGORITHMS),
    Mutation("algorithms/rules.py", "few and not adding_pays(shape, steps)", "few", ALGORITHMS),
    Mutation("algorithms/rules.py", "small and large", "small", ALGORITHMS),
    Mutation("algorithms/calls.py", "(adds or apart.is_apart", "(apart.is_apart", ALGORITHMS),
    Mutation("algorithms/calls.py", "adds = roomy and xp", "adds = xp", ALGORITHMS),
    Mutation("algorithms/rules.py", 'or (task == "input" and', "or (", ALGORITHMS),
    Mutation("algorithms/flat.py", "s // gcd(s, d))\n", "1)\n", ALGORITHMS),
    Mutation("algorithms/flat.py", "(images - 1) * plane + layout.run", "layout.run", ALGORITHMS),
    Mutation("algorithms/flat.py", "d // gcd(s, d) * c for", "d * c for", ALGORITHMS),
    Mutation("algorithms/flat.py", "y[some_g, :, some_n]", "y[some_g]", ALGORITHMS),
    Mutation("algorithms/flat.py", "planes[...] = 0  #", "pass  #", ALGORITHMS),
    Mutation("windows.py", "(positions[a] * taps[a])", "1", "test_windows.py"),
    Mutation(
        "algorithms/flat.py", "xp.matmul(matrix[g]", "xp.matmul(matrix[: len(to)]", ALGORITHMS
    ),
    Mutation("algorithms/flat.py", 'invalid="ignore", over="ignore"', "", ALGORITHMS),
    Mutation(
        "algorithms/rules.py", "(positions * near()) >> 13", "positions", "test_algorithms.py"
    ),
    Mutation(
        "algorithms/units.py",
        "positions if q.stop == number else q.stop * panel",
        "q.stop * panel",
        COMPILED,
    ),
    Mutation(
        "algorithms/rows.py",
        "neighbours, every_second = whole_vectors(1)",
        "neighbours, every_second = whole_vectors(2)",
        COMPILED,
    ),
    Mutation(
        "algorithms/rows.py",
        "(size - 1 - offset) // stride + 1",
        "(size - offset) // stride + 1",
        COMPILED,
    ),
    Mutation(
        "algorithms/pointwise.py",
        "all_cells_of(*size, STREAMS, True)",
        "all_cells_of(*size, STREAMS, False)",
        COMPILED,
    ),
    Mutation("algorithms/registers.py", "hold(builder, [", "list([", COMPILED),
    Mutation("algorithms/leftovers.py", "sixteen[4 * q + s]", "sixteen[q + 4 * s]", COMPILED),
    Mutation(
        "algorithms/pointwise.py",
        "all_terms, terms > 0, y, p, pitch, lanes,\n                    )",
        "all_terms, False, y, p, pitch, lanes,\n                    )",
        COMPILED,
    ),
    Mutation(
        "algorithms/pointwise.py",
        "np.arange(left, inputs)",
        "np.arange(inputs - left)",
        COMPILED,
    ),
    Mutation(
        "algorithms/shared_rows.py",
        "(column * threads) - around",
        "(column * threads)",
        ALGORITHMS,
    ),
    Mutation(
        "algorithms/pointwise.py",
        "number == FEW[0] or number == 1",
        "number <= FEW[0] + 1",
        COMPILED,
    ),
    Mutation(
        "algorithms/units.py",
        "LONG // (shape.i * panel)",
        "LONG // (8 * panel)",
        COMPILED,
    ),
    Mutation("algorithms/rules.py", "(shape.g == 1 or channels > 16)", "channels > 16", ALGORITHMS),
    Mutation(
        "algorithms/rules.py", "if windows * fewer < WORTH_TRANSFORMING", "if False", ALGORITHMS
    ),
    Mutation(
        "algorithms/rules.py",
        "1 < outputs <= THIN and shape.products >= WORTH_READING",
        "outputs <= THIN and shape.products >= WORTH_READING",
        ALGORITHMS,
    ),
    Mutation(
        "algorithms/leftovers.py",
        "last, c = at_w + r * inputs, min(3, here - r - 1), 0",
        "last, c = at_w + r * inputs, 3, 0",
        COMPILED,
    ),
    Mutation(
        "algorithms/pointwise.py",
        "q_end - q, (q_end - q) // lanes * lanes",
        "q_end - q, (q_end - q + 1) // lanes * lanes",
        COMPILED,
    ),
    Mutation("algorithms/rows.py", "if zeros or not seen:", "if zeros:", COMPILED),
    Mutation("algorithms/rows.py", "place, place + h_from * wide[2])", "place, place)", COMPILED),
    Mutation("algorithms/rows.py", "place + h_to * wide[2], end)", "end, end)", COMPILED),
    Mutation(
        "algorithms/kernels.py",
        "put_zeros(cells, number * channel, number * channel + SLACK)",
        "pass",
        COMPILED,
    ),
    Mutation(
        "algorithms/depthwise.py",
        "run = (run + ROUND - 1) // ROUND",
        "run = run // ROUND",
        ALGORITHMS,
    ),
    Mutation(
        "algorithms/depthwise.py",
        "first = channel % channels * 9",
        "first = channel * 9",
        ALGORITHMS,
    ),
    Mutation(
        "algorithms/depthwise.py", "width + lanes - 1) // lanes", "width) // lanes", ALGORITHMS
    ),
    Mutation(
        "algorithms/depthwise.py", "c = 2 % stride_h * stride_w * part", "c = 0 * part", ALGORITHMS
    ),
    Mutation(
        "algorithms/depthwise.py",
        "min(stride_h, 3) * stride_w",
        "min(stride_h, 2) * stride_w",
        ALGORITHMS,
    ),
    Mutation("algorithms/depthwise.py", "row * line, starts", "0 * line, starts", ALGORITHMS),
    Mutation(
        "algorithms/linear.py", "            compute(last)\n", "            pass\n", ALGORITHMS
    ),
    Mutation("algorithms/im2col.py", "shape.i * taps <= SHORT", "1 <= SHORT", ALGORITHMS),
    Mutation(
        "algorithms/im2col.py", "memory[...] = cells", "memory[...] = cells.flat[0]", ALGORITHMS
    ),
    Mutation("algorithms/im2col.py", "not few and", "", ALGORITHMS),
    Mutation("algorithms/im2col.py", "several, some.start > 0)", "several)", ALGORITHMS),
    Mutation("algorithms/im2col.py", "several, b.g.start in begun)", "several)", ALGORITHMS),
    Mutation("algorithms/im2col.py", "-(-terms // taps)", "shape.i", ALGORITHMS),
    Mutation("algorithms/im2col.py", "// 8 - beside - ", "// 8 - ", ALGORITHMS),
    Mutation(
        "algorithms/im2col.py", "threads * (1 + columns.padded_for_each())", "threads", ALGORITHMS
    ),
    Mutation("algorithms/blas.py", "(rows == 1 or down >= columns)", "True", ALGORITHMS),
    Mutation("algorithms/blas.py", "max(down, columns)", "columns", ALGORITHMS),
    Mutation(
        "algorithms/threads.py", "if task.set_running_or_notify_cancel():", "if True:", ALGORITHMS
    ),
    Mutation(
        "algorithms/calls.py",
        f"else x[(..., *cells)]\n{BEGIN}compute(xp, x, w,",
        f"else x\n{BEGIN}compute(xp, x, w,",
        ALGORITHMS,
    ),
    Mutation(
        "algorithms/calls.py",
        f"else x[(..., *cells)]\n{BEGIN}compute(xp, x, gy,",
        f"else x\n{BEGIN}compute(xp, x, gy,",
        ALGORITHMS,
    ),
    Mutation("algorithms/calls.py", "s * m + d * (k", "s * m - s + d * (k", ALGORITHMS),
    Mutation(
        "algorithms/calls.py", "if at_once and x.flags.carray and", "if at_once and", COMPILED
    ),
    Mutation(
        "algorithms/calls.py",
        '("compiled", "forward", None)',
        '("compiled", "forward", cells)',
        ALGORITHMS,
    ),
    Mutation("algorithms/ready.py", "(n, g, o, *positions)", "(n, g, i, *positions)", COMPILED),
    Mutation("algorithms/ready.py", "max(steps.stride) > 1", "False", COMPILED),
    Mutation("algorithms/ready.py", "if threads not in known", "if not known", COMPILED),
    Mutation("stand_in.py", 'settings.get("out") is not None or ', "", "test_stand_in.py"),
    Mutation(
        "algorithms/im2col.py", "shape.products >= LARGE or (rows and", "(rows and", ALGORITHMS
    ),
    Mutation(
        "algorithms/im2col.py", "(shape, limit()) if several", "(shape, 0) if several", ALGORITHMS
    ),
    Mutation("algorithms/shared_rows.py", ">= COLUMNS * threads", ">= 0", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "row >= TERMS or saves", "row >= TERMS", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "shape.g == 1 and row", "row", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "COLUMNS * 3 // 4", "COLUMNS", ALGORITHMS),
    Mutation(
        "algorithms/shared_rows.py",
        "max(eighth_of(shape, itemsize), room)",
        "eighth_of(shape, itemsize) + room",
        ALGORITHMS,
    ),
    Mutation("algorithms/steps.py", "k <= s // gcd(s, d)", "k <= s", ALGORITHMS),
    Mutation("algorithms/apart.py", "slice(first - part.start", "slice(0", ALGORITHMS),
    Mutation("algorithms/apart.py", "(first - outputs.start) * s", "0", ALGORITHMS),
    Mutation("algorithms/apart.py", "reached == prod(size)", "True", ALGORITHMS),
    Mutation("algorithms/apart.py", "moveaxis(y, 0, 2)", "moveaxis(y, 0, 1)", ALGORITHMS),
    Mutation("algorithms/apart.py", "if adds or not everywhere", "if not everywhere", ALGORITHMS),
    Mutation("algorithms/apart.py", "*onto)] += column", "*onto)] = column", ALGORITHMS),
    Mutation(
        "algorithms/apart.py",
        "im2col.rows_of(some, shape)",
        "slice(0, i * len(places))",
        ALGORITHMS,
    ),
    Mutation("algorithms/apart.py", "SEVERAL and not adds", "SEVERAL", ALGORITHMS),
    Mutation("algorithms/gemm.py", "rows > columns", "rows < columns", ALGORITHMS),
    Mutation("algorithms/gemm.py", "not adds and images % threads", "images % threads", ALGORITHMS),
    Mutation(
        "algorithms/gemm.py",
        "one if more or (adds and n > 0) else one - one",
        "one - one",
        ALGORITHMS,
    ),
    Mutation("algorithms/gemm.py", " or found[2][-1] == TURNED", "", ALGORITHMS),
    Mutation("algorithms/gemm.py", "+ first * wide * of_y[3]", "", ALGORITHMS),
    Mutation("algorithms/gemm.py", "line % high * x_steps[5]", "line * x_steps[5]", ALGORITHMS),
    Mutation(
        "algorithms/products.py", "if multiplications >= PRODUCT_SHARED", "if True", ALGORITHMS
    ),
    Mutation("algorithms/products.py", "multiplications < SINGLE or ", "", ALGORITHMS),
    Mutation("algorithms/products.py", "if shared else 0", "if True else 0", ALGORITHMS),
    Mutation("algorithms/products.py", "() if threads == 1 else", "() if False else", ALGORITHMS),
    Mutation(
        "algorithms/products.py",
        "not all(array.flags.aligned for array in arrays)",
        "0",
        ALGORITHMS,
    ),
    Mutation("algorithms/shared_rows.py", "steps.stride[axis] > 1", "False", ALGORITHMS),
    Mutation("algorithms/strips.py", "<= q < size for", "<= q <= size for", ALGORITHMS),
    Mutation("algorithms/steps.py", "edge.stop > edge.start", "False", ALGORITHMS),
    Mutation("algorithms/strips.py", "steps.dilation[self.axis]\n", "1\n", ALGORITHMS),
    Mutation("algorithms/strips.py", "+ (taps - 1) * apart - before", "- before", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "if some.start == 0:", "if True:", ALGORITHMS),
    Mutation("algorithms/strips.py", "if stop > start:", "if True:", ALGORITHMS),
    Mutation("algorithms/strips.py", "max(first, -move)", "first", ALGORITHMS),
    Mutation("algorithms/strips.py", "min(last, high - move)", "last", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", " or y.strides[2] < size", "", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "not is_dense(y, axis + 3) or", "", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "*sizes), 2, 4)", "*sizes), 2, 3)", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "itemsize) - weight", "itemsize)", ALGORITHMS),
    Mutation(
        "algorithms/shared_rows.py",
        "return axis if row >= TERMS or saves else None",
        "return axis",
        ALGORITHMS,
    ),
    Mutation("algorithms/shared_rows.py", "threads if number < threads else 1", "1", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "columns // 8 -", "columns -", ALGORITHMS),
    Mutation("algorithms/strips.py", "and is_dense(x", "or is_dense(x", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "not y.flags.aligned", "False", ALGORITHMS),
    Mutation("algorithms/strips.py", "max(-shift, 0), size", "0, size", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", ">= PIECE * threads", "> 0", ALGORITHMS),
    Mutation("algorithms/shared_rows.py", "len(parts) > 1 else", "False else", ALGORITHMS),
    Mutation("algorithms/blas.py", "functions if suffix else None", "functions", ALGORITHMS),
    Mutation("algorithms/blas.py", "len(found()) > 1 or ", "", ALGORITHMS),
    Mutation(
        "algorithms/blas.py", "return TURNED, max(along, rows)", "return TURNED, rows", ALGORITHMS
    ),
    Mutation("algorithms/blas.py", "orders[2][0] == AS_IT_IS", "True", ALGORITHMS),
    Mutation(
        "algorithms/turned.py", "copied[:, :, some] = kernel", "copied[:, :] = kernel", ALGORITHMS
    ),
    Mutation(
        "algorithms/shared_rows.py", "moved.shape), number, 1)", "moved.shape), 1, 1)", ALGORITHMS
    ),
    Mutation(
        "algorithms/im2col.py",
        "is_bare(shape, steps) and prod(shape.positions)",
        "prod(shape.positions)",
        ALGORITHMS,
    ),
    Mutation("algorithms/abreast.py", "prod(cells[:-1]) * ", "", COMPILED),
    Mutation("algorithms/abreast.py", "(phase, first * images)", "(phase, first)", COMPILED),
    Mutation("algorithms/abreast.py", " and 2 * width > lanes", "", COMPILED),
    Mutation("algorithms/abreast.py", "min(2 * lanes, WIDE)", "3 * lanes", COMPILED),
    Mutation("algorithms/abreast.py", " or 2 * several < images", "", COMPILED),
    Mutation("algorithms/abreast.py", "width >= most or ", "", COMPILED),
    Mutation("algorithms/abreast.py", " if len(shape.taps) < 3 else lanes", "", COMPILED),
    Mutation("algorithms/abreast.py", "COPIED * LONGER if longer", "COPIED if longer", COMPILED),
    Mutation("algorithms/kernels.py", "n * images * x_steps[1]", "n * x_steps[1]", COMPILED),
    Mutation("algorithms/kernels.py", "n * images * y_steps[1]", "n * y_steps[1]", COMPILED),
    Mutation("algorithms/kernels.py", "across = shape[2] if in_rows else", "across =", COMPILED),
    Mutation("algorithms/planes.py", "start[1] + wide[1] * stride[1])", "wide[1])", COMPILED),
    Mutation("algorithms/planes.py", "-(d_from * own[4] + h_from * line)", "0", COMPILED),
    Mutation("algorithms/planes.py", "if line != across:", "if False:", COMPILED),
    Mutation("algorithms/planes.py", "place + (n - lanes) * images, x", "place, x", COMPILED),
    Mutation("algorithms/planes.py", "to, place + n - lanes, apart", "to, place, apart", COMPILED),
    Mutation("algorithms/rows.py", "inside(wide[2] // images,", "inside(wide[2],", COMPILED),
    Mutation("algorithms/rows.py", " + w_from * images", " + w_from", COMPILED),
    Mutation("algorithms/units.py", "SLACK // images", "SLACK", COMPILED),
    Mutation("algorithms/memory.py", "min((n - 1) * step, 0)", "0 * n * step", COMPILED),
    Mutation("algorithms/tiles.py", "(row + r) + h < high:", "(row + r) + h <= high:", COMPILED),
    Mutation(
        "algorithms/tiles.py",
        "max(0, -top), min(tall, high - top)",
        "max(0, -top), min(tall, high)",
        COMPILED,
    ),
    Mutation(
        "algorithms/tiles.py", "to, here, number, first > 0,", "to, here, number, False,", COMPILED
    ),
    Mutation(
        "algorithms/tiles.py",
        "// OUTPUTS * PLACES * place if chunk < inputs else 0",
        "* 0",
        COMPILED,
    ),
    Mutation(
        "algorithms/linear.py",
        "total = builder.fsub(total, value)",
        "total = builder.fadd(total, value)",
        COMPILED,
    ),
]
