"""Answers to the exercises of chapter 5, written the way a reader would write them."""

import numpy as np

from convlib import windows as windows_of


def multiplications(subscripts, shape_a, shape_b):
    a, b = subscripts.split("->")[0].split(",")
    sizes = dict(zip(a + b, shape_a + shape_b))
    count = 1
    for size in sizes.values():
        count *= size
    return count


def multiplications_all_axes(subscripts, shape_a, shape_b):
    return int(np.prod(shape_a)) * int(np.prod(shape_b))


def multiplications_of(letters):
    """Multiply the sizes of the letters that `letters(a, b, out)` returns."""

    def answer(subscripts, shape_a, shape_b):
        terms, out = subscripts.split("->")
        a, b = terms.split(",")
        sizes = dict(zip(a + b, shape_a + shape_b))
        return int(np.prod([sizes[letter] for letter in letters(a, b, out)]))

    return answer


def contract(windows, weight):
    n, i, h, w, k, l = windows.shape
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, i * k * l, h * w)
    return (weight.reshape(len(weight), -1) @ columns).reshape(n, len(weight), h, w)


def contract_by_rows(windows, weight):
    n, i, h, w, k, l = windows.shape
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, i * k * l)
    o = len(weight)
    return (rows @ weight.reshape(o, -1).T).reshape(n, h, w, o).transpose(0, 3, 1, 2)


def contract_sizes_left_out(windows, weight):
    n, i, h, w, k, l = windows.shape
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, i * k * l, h * w)
    return (weight.reshape(-1, i * k * l) @ columns).reshape(n, -1, h, w)


def contract_as_found(windows, weight):
    n, i, h, w, k, l = windows.shape
    columns = windows.reshape(n, i * k * l, h * w)
    return (weight.reshape(len(weight), -1) @ columns).reshape(n, len(weight), h, w)


def contract_ordered(order, weight_order=(0, 1, 2, 3)):
    def answer(windows, weight):
        n, i, h, w, k, l = windows.shape
        columns = windows.transpose(0, *order).reshape(n, i * k * l, h * w)
        matrix = weight.transpose(weight_order).reshape(len(weight), i * k * l)
        return (matrix @ columns).reshape(n, len(weight), h, w)

    return answer


def contract_flat(windows, weight):
    n, i, h, w, k, l = windows.shape
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, i * k * l, h * w)
    return weight.reshape(len(weight), -1) @ columns


def to_columns(input, kernel_size, stride):
    view = windows_of(input, kernel_size, stride)
    n, i, h, w, k, l = view.shape
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(n, i * k * l, h * w)


def to_columns_size_left_out(input, kernel_size, stride):
    view = windows_of(input, kernel_size, stride)
    n, i, h, w, k, l = view.shape
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(n, i * k * l, -1)


def to_columns_by_loops(input, kernel_size, stride):
    n, i, height, width = input.shape
    k, l = kernel_size
    columns = []
    for h in range(0, height - k + 1, stride):
        for w in range(0, width - l + 1, stride):
            columns.append(input[:, :, h : h + k, w : w + l].reshape(n, i * k * l))
    return np.stack(columns, axis=-1)


def to_columns_ordered(*order):
    def answer(input, kernel_size, stride):
        n, i = input.shape[:2]
        k, l = kernel_size
        view = windows_of(input, kernel_size, stride)
        size = n, i * k * l, view.shape[2] * view.shape[3]
        return view.transpose(0, *order).reshape(size)

    return answer


def to_columns_last_window_dropped(input, kernel_size, stride):
    return to_columns(input, kernel_size, stride)[:, :, :-1]


def pair_einsum(subscripts, a, b):
    terms, out = subscripts.split("->")
    one, two = terms.split(",")
    sizes = dict(zip(one + two, a.shape + b.shape))
    batch = [x for x in one if x in two and x in out]
    summed = [x for x in one if x in two and x not in out]
    rows = [x for x in one if x not in two]
    columns = [x for x in two if x not in one]

    def matrix(array, letters, *groups):
        order = [letters.index(x) for group in groups for x in group]
        sides = [int(np.prod([sizes[x] for x in group], dtype=int)) for group in groups]
        return array.transpose(order).reshape(sides)

    product = matrix(a, one, batch, rows, summed) @ matrix(b, two, batch, summed, columns)
    letters = [*batch, *rows, *columns]
    product = product.reshape([sizes[x] for x in letters])
    return product.transpose([letters.index(x) for x in out])


def pair_einsum_two_orders(subscripts, a, b):
    terms, out = subscripts.split("->")
    one, two = terms.split(",")
    shared = [x for x in two if x in one]
    # b's letters keep the order of b, and are given the names of a's
    names = {
        name: new
        for kept in (True, False)
        for name, new in zip(
            [x for x in shared if (x in out) == kept],
            [x for x in one if x in two and (x in out) == kept],
        )
    }
    sizes = dict(zip(one, a.shape))
    order = [x for x in shared if x in out] + [x for x in shared if x not in out]
    rest = [x for x in two if x not in one]
    moved = b.transpose([two.index(x) for x in order + rest])
    moved = moved.reshape([sizes[names[x]] for x in order] + list(moved.shape[len(order) :]))
    return pair_einsum(f"{one},{''.join([names[x] for x in order] + rest)}->{out}", a, moved)


def pair_einsum_without_transpose(subscripts, a, b):
    terms, out = subscripts.split("->")
    one, two = terms.split(",")
    batch = [x for x in one if x in two and x in out]
    rows = [x for x in one if x not in two]
    columns = [x for x in two if x not in one]
    return pair_einsum(f"{terms}->{''.join(batch + rows + columns)}", a, b)


def pair_einsum_reshaped(subscripts, a, b):
    return pair_einsum_without_transpose(subscripts, a, b).reshape(
        pair_einsum(subscripts, a, b).shape
    )


def pair_einsum_by_tensordot(subscripts, a, b):
    terms, out = subscripts.split("->")
    one, two = terms.split(",")
    both = [x for x in one if x in two]
    product = np.tensordot(a, b, ([one.index(x) for x in both], [two.index(x) for x in both]))
    letters = [x for x in one + two if x not in both]
    return product.transpose([letters.index(x) for x in out if x in letters])


def pair_einsum_by_plain_matmul(subscripts, a, b):
    return a @ b


ANSWERS = {
    "matrix_sizes": {
        "right": [(6272, 128, 576), [6272, 128, 576], np.array([6272, 128, 576])],
        "wrong": [
            ((784, 128, 576), "this is one image"),
            ((6272, 128, 64), "k and l are summed"),
            ((6272, 128, 9), "i is summed"),
            ((5408, 128, 576), "with padding 1"),
            ((7200, 128, 576), "the padded image"),
            ((6272, 64, 576), "64 is what goes in"),
            ((6272, 576, 128), "K is the size that is summed"),
            ((128, 6272, 576), "M counts the windows"),
            ((6272, 128), "must have 3 numbers"),
            ("M", "must be a tuple of three integers"),
            ((1, 2, 3), "is not right"),
        ],
    },
    "multiplications": {
        "right": [multiplications],
        "wrong": [
            (multiplications_all_axes, "is one loop, and counts once"),
            (multiplications_of(lambda a, b, out: out), "the number of outputs"),
            (multiplications_of(lambda a, b, out: set(a + b) - set(out)), "length of one sum"),
            (multiplications_of(lambda a, b, out: set(a) & set(b)), "one input alone are loops"),
            (multiplications_of(lambda a, b, out: a), "The second may bring new ones"),
            (multiplications_of(lambda a, b, out: b), "The first may bring new ones"),
            (lambda *arguments: 2 * multiplications(*arguments), "These are FLOPs"),
            (lambda *arguments: multiplications(*arguments) + 1, "must return 30"),
        ],
    },
    "mended": {
        "right": [contract, contract_by_rows],
        "wrong": [
            (contract_as_found, "cuts the numbers where they stand"),
            (contract_ordered((1, 5, 4, 2, 3)), "run over i, l, k"),
            (contract_ordered((4, 5, 1, 2, 3)), "run over k, l, i"),
            (contract_ordered((1, 4, 5, 2, 3), (0, 1, 3, 2)), "The weight must keep its order"),
            (contract_ordered((1, 4, 5, 3, 2)), "in the order w, h"),
            (contract_flat, "Split h·w again"),
            (contract_sizes_left_out, "a batch of no images"),
            (
                lambda windows, weight: contract(windows, weight[:, :, ::-1, ::-1]),
                "Nothing has to be flipped",
            ),
        ],
    },
    "to_columns": {
        "right": [to_columns, to_columns_by_loops],
        "wrong": [
            (to_columns_ordered(1, 2, 3, 4, 5), "a column is no window"),
            (lambda *arguments: to_columns(*arguments).swapaxes(1, 2), "must be a column"),
            (to_columns_ordered(4, 5, 1, 2, 3), "runs over k, l, i"),
            (to_columns_ordered(1, 5, 4, 2, 3), "runs over i, l, k"),
            (to_columns_ordered(1, 4, 5, 3, 2), "row by row"),
            (lambda input, kernel_size, stride: to_columns(input, kernel_size, 1), "stride 1"),
            (lambda *arguments: np.hstack(to_columns(*arguments)), "Keep n as the first axis"),
            (to_columns_last_window_dropped, "axis 2 is 8, and must be 9"),
            (to_columns_size_left_out, "a batch of no images"),
        ],
    },
    "pair_einsum": {
        "right": [pair_einsum],
        "wrong": [
            (pair_einsum_reshaped, "then transpose to the order of the output"),
            (pair_einsum_without_transpose, "transpose at the end"),
            (pair_einsum_by_tensordot, "matmul's batch axis"),
            (pair_einsum_two_orders, "Give both the same order"),
            (pair_einsum_by_plain_matmul, "raised ValueError"),
            (lambda subscripts, a, b: np.einsum(subscripts, a, b).tolist(), "a NumPy array"),
            (
                lambda *given: np.asarray(np.einsum(*given, optimize=True)),
                "an einsum has made them",
            ),
            (lambda subscripts, a, b: -pair_einsum(subscripts, a, b), "numbers differ"),
        ],
    },
}
