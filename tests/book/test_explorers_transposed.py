"""TransposedExplorer in a browser: sizes, stamps and sums are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convlib
from convlib.explorers import TransposedExplorer
from convlib.explorers._base import toy_input, toy_kernel

from explorer_page import open_explorers, run_states, too_wide  # noqa: F401

VIEWS = ["counts", "values", "convolution"]


def random_states(count: int, seed: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    words = {"view": VIEWS, "at": ["input", "output"]}
    states = []
    for _ in range(count):
        state = {key: choices[int(rng.integers(len(choices)))] for key, choices in words.items()}
        for key in TransposedExplorer._settings:
            if key not in words:
                low, high = getattr(TransposedExplorer, key).limits
                high = min(high, 14) if key in ("row", "column") else high
                state[key] = int(rng.integers(low, high + 1))
        states.append(state)
    return states


def stamped(values, weight, stride: int, padding: int = 0, output_padding: int = 0) -> np.ndarray:
    """Ask PyTorch for the transposed convolution of one map."""
    tensors = [torch.tensor(a)[None, None].double() for a in (values, weight)]
    result = torch.nn.functional.conv_transpose2d(
        *tensors, stride=stride, padding=padding, output_padding=output_padding
    )
    return result[0, 0].numpy()


def minus(value: float) -> str:
    return str(int(value)).replace("-", "−")


def test_300_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    states = random_states(300, 5)
    page = open_explorers(TransposedExplorer())
    refusals, cut, written, walked = {"extra": 0, "size": 0}, 0, 0, 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        size, k, s, p, extra = (
            state[key] for key in ("size", "kernel_size", "stride", "padding", "output_padding")
        )
        x, weight = toy_input(size), toy_kernel(k)
        ones = np.ones_like(x), np.ones_like(weight)
        assert n["input"] == x.tolist() and n["weight"] == weight.tolist()
        m = (size - 1) * s - 2 * p + k + extra
        assert n["m"] == m and shown > x.size + weight.size
        try:
            expected, counts = (stamped(*pair, s, p, extra) for pair in ((x, weight), ones))
        except RuntimeError:
            why = "extra" if extra >= s else "size"
            refusals[why] += 1
            assert n["refused"] == why and n["line"] == [] and n["back"] is None
            words = (
                f"output_padding {extra} must be below the stride {s}."
                if why == "extra"
                else f"({size} − 1)·{s} − 2·{p} + ({k} − 1) + {extra} + 1 = {minus(m)} is below 1."
            )
            assert sentence == f"No output: {words}"
            assert sentence == TransposedExplorer(**state).still()[1]
            if why == "extra" or m < 0:
                with pytest.raises(ValueError):
                    arrays = [a[None, None].astype(float) for a in (x, weight)]
                    convlib.conv_transpose2d(*arrays, stride=s, padding=p, output_padding=extra)
            continue

        arrays = [a[None, None].astype(float) for a in (x, weight)]
        ours = convlib.conv_transpose2d(*arrays, stride=s, padding=p, output_padding=extra)
        assert not n["refused"] and expected.shape == (m, m)
        kept = slice(p, p + m)
        output, all_counts = np.array(n["output"]), np.array(n["counts"])
        assert output[kept, kept].tolist() == expected.tolist() == ours[0, 0].tolist()
        assert all_counts[kept, kept].tolist() == counts.tolist()
        # What is cut off is shown too: the transposed convolution without padding.
        full = (size - 1) * s + k
        assert output[:full, :full].tolist() == stamped(x, weight, s).tolist()
        assert not output[full:].any() and not output[:, full:].any()
        assert n["side"] == len(output) == max(full, p + m)
        line = torch.nn.functional.conv_transpose1d(
            torch.ones(1, 1, size), torch.ones(1, 1, k), None, s, p, extra
        )
        assert n["line"] == line[0, 0].tolist()
        assert n["back"] == size == convlib.output_size(m, k, s, p)
        # The same sums as a convolution with stride 1, by PyTorch.
        spread, turned = (torch.tensor(n[key])[None, None].double() for key in ("spread", "turned"))
        convolved = torch.nn.functional.conv2d(spread, turned)[0, 0]
        assert n["turned"] == weight[::-1, ::-1].tolist() and convolved.tolist() == output.tolist()
        border = k - 1 - p
        assert (n["between"], n["around"], n["over"]) == (s - 1, border, -border)
        if border >= 0:  # what is said of the border is what one would write
            bare = spread[..., k - 1 : k + (size - 1) * s, k - 1 : k + (size - 1) * s]
            sides = (border, border + extra) * 2
            padded = torch.nn.functional.pad(bare, sides)
            assert torch.nn.functional.conv2d(padded, turned)[0, 0].tolist() == expected.tolist()
        words = " ".join(map(str, map(int, n["line"])))
        assert words.replace(" ", ", ") + " times" in TransposedExplorer(**state).still()[1]

        walks = state["view"] == "convolution"
        assert ("As a convolution" in TransposedExplorer(**state).still()[1]) == walks

        # The rule about the pattern, on an output that is large enough to show it.
        inside = torch.nn.functional.conv_transpose1d(
            torch.ones(1, 1, 12), torch.ones(1, 1, k), stride=s
        )[0, 0, 6 * s : 7 * s]
        inside = [int(v) for v in inside]
        even = len(set(inside)) == 1
        if walks:
            assert "convolution with stride 1" in sentence
            assert f"{s - 1} zero{'s' * (s != 2)} between the numbers" in sentence
            shown_border = f"{k} − 1 − {p} = {minus(border)}"
            assert f"{shown_border} {'around.' if border >= 0 else 'is below 0'}" in sentence
            assert border >= 0 or f"around: {-border} row" in sentence
        elif even:
            assert f"every cell is written {inside[0]}·{inside[0]} times" in sentence
        elif 0 in inside:
            assert "between the stamps nothing is written" in sentence
        else:
            assert f"repeat {', '.join(map(str, inside))}, and two axes" in sentence
        assert ("kept" in sentence) == bool(extra)
        blank = sum(not row.any() for row in counts[max(0, m - extra) :]) if m > 0 else 0
        assert ("no stamp reaches" in sentence) == bool(blank)
        assert f"no stamp reaches {blank} of them" in sentence or not blank

        given = state["at"] == "input" and not walks
        low, high = (0, size - 1) if given else (-p, n["side"] - p - 1)
        r, c = (min(max(state[key], low), high) for key in ("row", "column"))
        assert (n["row"], n["column"]) == (r, c)
        if given:
            one = np.zeros_like(x)
            one[r, c] = 1
            lost = k * k - stamped(one, ones[1], s, p, extra).sum()
            cut += bool(lost)
            assert n["value"] == x[r, c] and n["lost"] == lost
            assert sentence.startswith(
                f"Input cell ({r}, {c}) stamps {x[r, c]} times the kernel on {k * k} cell"
            )
            assert (f", {int(lost)} of them cut off" in sentence) == bool(lost)
            continue
        if not (0 <= r < m and 0 <= c < m):
            assert n["lost"] and sentence.startswith(f"Cell ({minus(r)}, {minus(c)}) is cut off")
            continue
        written += 1
        assert n["sum"] == expected[r, c] and n["stamps"] == len(n["taps"]) == counts[r, c]
        for t in n["taps"]:
            assert (t["h"] * s + t["k"], t["w"] * s + t["l"]) == (r + p, c + p)
        terms = [[x[t["h"], t["w"]], weight[t["k"], t["l"]]] for t in n["taps"]]
        assert n["terms"] == terms and sum(a * b for a, b in terms) == n["sum"]
        stamps = int(counts[r, c])
        if walks:  # its window begins at (r + p, c + p)
            walked += 1
            marks = torch.zeros_like(spread)
            marks[..., k - 1 : k + (size - 1) * s : s, k - 1 : k + (size - 1) * s : s] = 1
            window = marks[0, 0, r + p : r + p + k, c + p : c + p + k]
            met = [(a, b) for a in n["down"] for b in n["across"]]
            assert window.nonzero().tolist() == [list(pair) for pair in met]
            assert stamps == len(met)
            if not met:
                assert sentence.startswith(f"Output ({r}, {c}) is 0: the turned kernel meets zeros")
                continue
            assert sentence.startswith(f"Output ({r}, {c}) is {minus(expected[r, c])}: ")
            assert ("all meet" in sentence) == (stamps == k * k)
            continue
        assert sentence.startswith(
            f"Output ({r}, {c}) is written by {stamps} stamp{'s' * (stamps != 1)}"
        )
        assert stamps == 0 or f"up to {minus(expected[r, c])}." in sentence
    assert min(refusals.values()) > 10 and cut > 10 and written > 30 and walked > 20


@pytest.mark.parametrize(
    ("size", "k", "s", "p", "extra"),
    [(4, 3, 2, 0, 0), (3, 5, 3, 2, 2), (4, 2, 4, 0, 3), (4, 2, 3, 3, 1)],
)
@pytest.mark.parametrize("view", ["values", "convolution"])
def test_code_runs_and_gives_the_numbers_shown(open_explorers, view, size, k, s, p, extra):  # noqa: F811
    settings = {"size": size, "kernel_size": k, "stride": s, "padding": p, "output_padding": extra}
    page = open_explorers(TransposedExplorer(**settings, view=view))
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(shown)
    names: dict = {}
    exec("\n".join(shown), names)
    n = page.evaluate("document.querySelector('.cw-explorer').cwNumbers()")
    kept = slice(p, p + n["m"])
    output, counts = (np.array(n[key])[kept, kept].tolist() for key in ("output", "counts"))
    assert names["output"][0, 0].tolist() == names["twin"][0, 0].tolist() == output
    assert view == "convolution" or names["counts"][0, 0].tolist() == counts


def test_the_turned_kernel_walks_over_the_spread_out_input(open_explorers):  # noqa: F811
    page = open_explorers(
        TransposedExplorer(size=3, padding=1, view="convolution", at="input", row=2, column=2)
    )
    sentence, boards = page.locator(".cw-sentence"), page.locator(".cw-board")
    assert "where row 1 and column 1 of the turned kernel cross" in sentence.text_content()
    output = page.get_by_role("grid", name="Output, 5 by 5")
    output.locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert "row 1 and columns 0 and 2 of the turned kernel cross" in sentence.text_content()
    page.keyboard.press("ArrowDown")
    assert "rows 0 and 2 and columns 0 and 2 of the turned" in sentence.text_content()
    on = page.locator(".cw-board").nth(1).locator(".cw-c-on")
    assert on.evaluate_all("cells => cells.map((cell) => cell.cwPlace.join())") == [
        "0,0", "0,2", "2,0", "2,2",
    ]  # fmt: skip

    # The frame lies where the mouse is: a window that begins there makes the output of the same place.
    spread = page.get_by_role("grid", name="Input, spread out, 9 by 9")
    cell = spread.get_by_role("gridcell", name="row 0, column 2:")
    cell.hover()
    mark, box = boards.first.locator(".cw-mark.cw-kernel").bounding_box(), cell.bounding_box()
    assert abs(mark["x"] - box["x"]) < 3 and abs(mark["y"] - box["y"]) < 3
    assert sentence.text_content().startswith("Output (0, 2) is")

    # What was put in and what is cut off is drawn and said; a number is neither.
    for place, kind, said in (
        ("row 0, column 0:", "cw-c-padding", ", a zero put in"),
        ("row −1, column 0:", "cw-c-unused", ", cut off, never used"),
        ("row 1, column 1:", "cw-c-input", ""),
    ):
        cell = spread.get_by_role("gridcell", name=place)
        assert kind in cell.get_attribute("class").split()
        assert cell.get_attribute("aria-label").endswith(f"{cell.text_content()}{said}")
    kept = output.locator(".cw-c-output")
    assert kept.count() == 25 and output.locator(".cw-c-pad").count() == 7 * 7 - 25
    page.get_by_role("slider", name="Output pad").press("End")
    assert sentence.text_content() == "No output: output_padding 3 must be below the stride 2."
    assert page.get_by_role("grid", name="Input, 3 by 3").is_visible()


def test_pointing_at_both_sides(open_explorers):  # noqa: F811
    page = open_explorers(TransposedExplorer(padding=0))
    sentence = page.locator(".cw-sentence")
    output = page.get_by_role("grid", name="Stamps on each cell of the output, 9 by 9")
    output.get_by_role("gridcell", name="row 2, column 2:").hover()
    assert sentence.text_content().startswith("Output (2, 2) is written by 4 stamps, which add up")
    output.locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert sentence.text_content().startswith("Output (2, 3) is written by 2 stamps")
    page.get_by_role("grid", name="Input").locator("[tabindex='0']").focus()
    page.keyboard.press("End")
    assert sentence.text_content().startswith("Input cell (0, 3) stamps 5 times the kernel")
    page.get_by_role("slider", name="Kernel").press("ArrowRight")
    assert "Stride 2 divides kernel 4" in sentence.text_content()
    page.get_by_label("their sums").check()
    assert page.get_by_role("grid", name="Output, 10 by 10").is_visible()
    page.get_by_role("slider", name="Output pad").press("End")
    assert sentence.text_content() == "No output: output_padding 3 must be below the stride 2."


def test_touch_and_play(open_explorers):  # noqa: F811
    page = open_explorers(TransposedExplorer(), width=390, touch=True)
    cell = page.get_by_role("gridcell", name="row −1, column 0:")
    box = cell.bounding_box()
    assert min(box["width"], box["height"]) >= 24
    cell.tap()
    assert page.locator(".cw-sentence").text_content().startswith("Cell (−1, 0) is cut off")
    page.get_by_role("gridcell", name="input row 3, column 3").tap()
    where = """(() => {
      const { at, row, column } = document.querySelector('.cw-explorer').cwState();
      return [at, row, column].join();
    })()"""
    assert page.evaluate(where) == "input,3,3"
    page.get_by_role("button", name="Play").tap()
    page.wait_for_function(f"() => {where} == 'input,0,1'", timeout=10_000)
    page.get_by_role("button", name="Pause").tap()
    before = page.evaluate(where)
    page.wait_for_timeout(1400)
    assert page.evaluate(where) == before


@pytest.mark.parametrize("width", [390, 1280])
def test_all_sizes_fit_the_page(open_explorers, width):  # noqa: F811
    page = open_explorers(TransposedExplorer(), width=width)
    assert not too_wide(page, random_states(200, 11))
