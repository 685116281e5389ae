"""Checkers for chapter 3: sizes, leftovers, stacks of layers and inverse questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import geometry, receptive
from ._core import Case, Report, Slip, check_function, check_value

__all__ = ["mended", "output_size", "paddings_for", "same_pads", "sizes"]

# (input size, kernel size, stride, padding): the three layers of Exercise 3.1
LAYERS = ((8, 3, 2, 0), (32, 3, 2, 1), (28, 5, 3, 2))


def sizes(answer: Any) -> Report:
    """Exercise 3.1: the output sizes of three layers with a stride."""

    def each(formula: Callable[[int, int, int, int], int]) -> tuple[int, ...]:
        return tuple(formula(*layer) for layer in LAYERS)

    slips = [
        Slip(
            each(lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1),
            "you rounded up. A window that hangs over the end does not count.",
        ),
        Slip(
            each(lambda n, k, s, p: (n + 2 * p - k) // s),
            "each is one short: the window at position 0 counts as well.",
        ),
        Slip(
            each(lambda n, k, s, p: (n - k) // s + 1),
            "the padding is missing: there are n + 2p cells.",
        ),
        Slip(
            each(lambda n, k, s, p: (n + p - k) // s + 1),
            "padding is counted per side in PyTorch: n + 2p cells.",
        ),
        Slip(each(lambda n, k, s, p: n // s), "n // s is a rule of thumb. Count the starts."),
        Slip(
            each(lambda n, k, s, p: n + 2 * p - k + 1),
            "these are the sizes for stride 1. How many of these starts remain?",
        ),
    ]
    right = each(geometry.output_size)
    return check_value(answer, right, slips, "a tuple of three integers", "Two of them round down.")


def _rejects_nothing(n: int, k: int, s: int, p: int, d: int) -> int:
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _refuses(formula: Callable[[int, int, int, int, int], int]) -> Callable:
    """Return a formula of n, k, s, p, d that raises where the kernel does not fit."""

    def checked(n: int, k: int, s: int, p: int, d: int) -> int:
        geometry.output_size(n, k, s, p, d)
        return formula(n, k, s, p, d)

    return checked


def output_size(answer: Any) -> Report:
    """Exercise 3.2: output_size(n, k, s, p, d), with a refusal."""
    wrong = [
        # before ceil: where round is wrong, it gives what ceil gives
        (
            lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1,
            "round goes to the nearest number, and up as well. Use //, which goes down.",
        ),
        (
            lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
            "you rounded up. PyTorch drops a window that hangs over the end.",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s,
            "your size is one short: the window at position 0 counts as well.",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1,
            "the effective width is d(k - 1) + 1. Is the + 1 missing?",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1,
            "a dilated kernel spans d(k - 1) + 1 cells, not d·k: nothing follows its last tap.",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
            "the dilation is ignored: a dilated kernel spans d(k - 1) + 1 cells.",
        ),
        (
            lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
            "padding is counted per side: n + 2p cells.",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s,
            "divide before you add the 1: the first start counts whatever the stride is.",
        ),
        (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1,
            "a size is a whole number: use //, which rounds down.",
        ),
    ]

    def strict(sides: int) -> Callable:
        """Count the padding of no side, or of one, where the kernel is asked to fit."""

        def refusing(n: int, k: int, s: int, p: int, d: int) -> int:
            if d * (k - 1) + 1 > n + sides * p:
                raise ValueError
            return geometry.output_size(n, k, s, p, d)

        return refusing

    slips = [
        Slip(strict(0), "the padding helps the kernel to fit: compare the span with n + 2p."),
        Slip(strict(1), "padding is on both sides: compare the span with n + 2p, not n + p."),
        Slip(
            _rejects_nothing,
            "right where the kernel fits. Where it spans more cells than there are, raise "
            "ValueError.",
        ),
        *(Slip(_refuses(formula), hint) for formula, hint in wrong),
        *(Slip(formula, hint) for formula, hint in wrong),
    ]
    rows = [(5, 3, 1, 0, 1), (5, 3, 2, 0, 1), (6, 3, 2, 0, 1), (7, 3, 2, 1, 1), (224, 7, 2, 3, 1)]
    rows += [(9, 4, 3, 1, 1), (10, 1, 3, 0, 1), (8, 2, 3, 0, 1), (9, 3, 1, 0, 2), (10, 3, 2, 1, 3)]
    rows += [(16, 4, 3, 2, 2), (3, 3, 5, 0, 1), (11, 3, 4, 0, 1), (12, 1, 2, 1, 4)]
    rows += [(2, 3, 1, 0, 1), (4, 3, 2, 0, 2), (1, 5, 2, 1, 1), (2, 3, 1, 1, 1), (4, 3, 2, 1, 2)]
    rows += [(2, 4, 1, 1, 1), (2, 5, 1, 1, 1)]
    cases = [Case(dict(zip("nkspd", row, strict=True))) for row in rows]
    return check_function(answer, geometry.output_size, cases, slips)


def _receptive_field(layers: list) -> int:
    return receptive.receptive_field(
        [{"kernel_size": k, "stride": s, "dilation": d} for k, s, d in layers]
    )[0]


def mended(answer: Any) -> Report:
    """Exercise 3.3: receptive_field(layers), where the jump grew too early."""

    def loop(
        layers: list,
        early: bool = False,
        width: Callable = lambda k, d: d * (k - 1),
        start: int = 1,
        grow: Callable = lambda jump, s: jump * s,
    ) -> int:
        size, jump = start, 1
        for k, s, d in layers:
            jump = grow(jump, s) if early else jump
            size += width(k, d) * jump
            jump = jump if early else grow(jump, s)
        return size

    slips = [
        Slip(
            lambda layers: loop(layers, early=True),
            "right while every stride is 1. A layer's own stride sets its outputs apart, not its "
            "taps: by which jump are the taps apart?",
        ),
        Slip(
            lambda layers: loop(layers, grow=lambda jump, s: jump),
            "the strides are ignored now: after a stride, two neighbours are further apart.",
        ),
        Slip(
            lambda layers: loop(layers, grow=lambda jump, s: jump + s - 1),
            "jumps multiply: two strides of 2 set neighbours 4 apart, and three 8.",
        ),
        Slip(
            lambda layers: loop(layers, grow=lambda jump, s: s),
            "the jump is the product of all strides so far, not the last one alone.",
        ),
        Slip(
            lambda layers: loop(layers, width=lambda k, d: d * (k - 1) + 1, start=0),
            "a layer adds d(k - 1) jumps: neighbouring windows overlap, only the start adds 1.",
        ),
        Slip(
            lambda layers: loop(layers, width=lambda k, d: d * k),
            "a layer of k taps reaches over d(k - 1) cells, not d·k: count the steps between taps.",
        ),
        Slip(
            lambda layers: loop(layers, width=lambda k, d: k - 1),
            "the dilation is ignored: a layer's taps reach over d(k - 1) cells.",
        ),
        Slip(
            lambda layers: loop(layers, start=0),
            "one is missing: with no layer at all, an output cell sees itself.",
        ),
        Slip(
            lambda layers: loop(layers[::-1]),
            "the layers are walked from the last one. Begin with the first, whose jump is 1.",
        ),
    ]
    stacks = [
        [(3, 1, 1), (3, 1, 1)],
        [(3, 2, 1)],
        [(3, 2, 1), (3, 1, 1)],
        [(7, 2, 1), (3, 2, 1), (3, 1, 1)],
        [(5, 1, 1), (2, 3, 1), (4, 2, 1), (1, 1, 1)],
        [(3, 2, 1), (3, 2, 1), (3, 2, 1), (2, 1, 1)],
        [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
        [(2, 2, 3), (3, 3, 2), (5, 1, 2)],
        [],
    ]
    cases = [Case({"layers": stack}) for stack in stacks]
    return check_function(answer, _receptive_field, cases, slips)


def _paddings(n: int, m: int, k: int, s: int) -> list[int]:
    # below m·s + k every p that gives m is found: the last window starts at (m - 1)·s at most
    fitting = (p for p in range(m * s + k) if n + 2 * p >= k)
    return [p for p in fitting if geometry.output_size(n, k, s, p) == m]


def paddings_for(answer: Any) -> Report:
    """Exercise 3.4: paddings_for(n, m, k, s), each padding with which the output has size m."""

    def exact(n: int, m: int, k: int, s: int) -> list[int]:
        twice = (m - 1) * s + k - n
        return [twice // 2] if twice >= 0 and twice % 2 == 0 else []

    def up_to(limit: Callable[[int, int], int]) -> Callable:
        def found(n: int, m: int, k: int, s: int) -> list[int]:
            return [p for p in _paddings(n, m, k, s) if p < limit(n, k)]

        return found

    def with_negative(n: int, m: int, k: int, s: int) -> list[int]:
        low = range(-n, m * s + k)
        return [p for p in low if n + 2 * p >= k and (n + 2 * p - k) // s + 1 == m]

    def per_both(n: int, m: int, k: int, s: int) -> list[int]:
        every = range(m * s + k + n)
        return [p for p in every if n + p >= k and (n + p - k) // s + 1 == m]

    slips = [
        Slip(
            exact,
            "you found the padding that leaves nothing over. With a stride, others round down to "
            "the same size.",
        ),
        Slip(
            lambda n, m, k, s: _paddings(n, m, k, s)[:1],
            "you stop at the first padding. With a stride there can be more: return all of them.",
        ),
        Slip(
            lambda n, m, k, s: next(iter(_paddings(n, m, k, s)), 0),
            "return a list: there can be several paddings, or none.",
        ),
        Slip(with_negative, "padding can't be negative in a convolution: begin at 0."),
        Slip(per_both, "padding is counted per side: n + 2p cells."),
        Slip(
            up_to(lambda n, k: (k + 1) // 2),
            "you stop at k // 2. A larger padding is allowed, and some sizes need it.",
        ),
        Slip(up_to(lambda n, k: k), "you stop below k. PyTorch takes any padding, however large."),
        Slip(up_to(lambda n, k: n), "you stop below n. Zeros may be more than the pixels."),
        Slip(
            lambda n, m, k, s: _paddings(n, m, k, s)[:-1],
            "the largest padding is missing: does your range end one too early?",
        ),
        Slip(up_to(lambda n, k: 100), "a fixed end is too early for some m: let it follow from m."),
        Slip(
            lambda n, m, k, s: _paddings(n, m, k, s)[::-1],
            "the right paddings. Put the smallest first.",
        ),
    ]
    rows = [(8, 8, 3, 1), (8, 7, 3, 1), (8, 4, 3, 2), (9, 5, 3, 2), (224, 112, 7, 2)]
    rows += [(10, 4, 3, 4), (12, 3, 2, 5), (5, 9, 3, 1), (6, 2, 4, 3), (7, 7, 1, 1), (9, 2, 3, 1)]
    rows += [(4, 4, 8, 2), (2, 6, 4, 2), (20, 2, 5, 4), (3, 1, 9, 5), (4, 320, 3, 2)]
    cases = [Case(dict(zip("nmks", row, strict=True))) for row in rows]
    return check_function(answer, _paddings, cases, slips)


def same_pads(answer: Any) -> Report:
    """Exercise 3.5: same_pads(n, k, s), the zeros that make the output ceil(n / s) long."""

    def total(n: int, k: int, s: int) -> int:
        return max((-(-n // s) - 1) * s + k - n, 0)

    def right(n: int, k: int, s: int) -> tuple[int, int]:
        return total(n, k, s) // 2, total(n, k, s) - total(n, k, s) // 2

    def negative(n: int, k: int, s: int) -> tuple[int, int]:
        amount = (-(-n // s) - 1) * s + k - n
        return amount // 2, amount - amount // 2

    def floor(n: int, k: int, s: int) -> tuple[int, int]:
        amount = max((n // s - 1) * s + k - n, 0)
        return amount // 2, amount - amount // 2

    def whole(n: int, k: int, s: int) -> tuple[int, int]:
        amount = max((n - 1) * s + k - n, 0)
        return amount // 2, amount - amount // 2

    slips = [
        Slip(negative, "right where zeros are needed. Where none are, the total must be 0."),
        Slip(
            lambda n, k, s: ((k - 1) // 2, k // 2),
            "that is 'same' for stride 1. With a stride, the total depends on n as well.",
        ),
        Slip(
            lambda n, k, s: right(n, k, s)[::-1],
            "the total is right. Where it is odd, the extra zero goes to the end.",
        ),
        Slip(
            whole,
            "this gives an output as long as the input. Here it has ceil(n / s) cells.",
        ),
        Slip(floor, "this gives n // s cells. Round n / s up."),
        Slip(total, "this is the total. Return two numbers: before and after."),
        Slip(
            lambda n, k, s: (total(n, k, s) // 2,) * 2,
            "where the total is odd, one zero is lost: before and after then differ.",
        ),
        Slip(
            lambda n, k, s: ((total(n, k, s) + 1) // 2,) * 2,
            "where the total is odd, this adds one zero too many: before and after then differ.",
        ),
        Slip(lambda n, k, s: (0, total(n, k, s)), "share the total out over both sides."),
    ]
    rows = [(5, 3, 1), (5, 3, 2), (6, 3, 2), (7, 4, 1), (224, 7, 2), (225, 7, 2), (10, 3, 3)]
    rows += [(11, 5, 3), (9, 1, 2), (10, 1, 2), (8, 2, 3), (4, 6, 4), (1, 3, 2), (12, 2, 2)]
    rows += [(5, 1, 3)]
    cases = [Case(dict(zip("nks", row, strict=True))) for row in rows]
    return check_function(answer, right, cases, slips)
