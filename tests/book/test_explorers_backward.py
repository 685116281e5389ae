"""BackwardExplorer in a browser: its gradients are PyTorch's, in all three ways of showing them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convlib
from convlib.explorers import BackwardExplorer
from convlib.explorers._base import toy_kernel
from convlib.explorers.backward import toy_gradient

from explorer_page import open_explorers, run_states, too_wide  # noqa: F401

VIEWS = ["pixel", "window", "convolution"]


def settings(state: dict) -> tuple[int, ...]:
    return tuple(state[key] for key in ("size", "kernel_size", "stride", "padding", "dilation"))


def random_states(count: int, seed: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    keys = BackwardExplorer._settings
    return [
        {
            "view": VIEWS[int(rng.integers(3))],
            **{
                key: int(rng.integers(low, high + 1))
                for key in keys
                if key != "view"
                for low, high in [getattr(BackwardExplorer, key).limits]
            },
        }
        for _ in range(count)
    ]


def padded_gradient(size: int, weight, grad_output, stride: int, padding: int, dilation: int):
    """Ask autograd for the gradient of the padded input, as whole numbers."""
    side = size + 2 * padding
    leaf = torch.zeros(1, 1, side, side, dtype=torch.double, requires_grad=True)
    kernel = torch.tensor(weight)[None, None].double()
    output = torch.nn.functional.conv2d(leaf, kernel, stride=stride, dilation=dilation)
    output.backward(torch.tensor(grad_output)[None, None].double())
    return leaf.grad[0, 0].numpy()


def minus(value: float) -> str:
    return str(int(value)).replace("-", "−")


def test_300_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    states = random_states(300, 7)
    page = open_explorers(BackwardExplorer())
    refused, padding_cells = 0, 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        size, k, s, p, d = settings(state)
        view, weight = state["view"], toy_kernel(k)
        assert n["weight"] == weight.tolist()
        assert n["turned"] == weight[::-1, ::-1].tolist()
        try:
            m = convlib.output_size(size, k, s, p, d)
        except ValueError:
            refused += 1
            with pytest.raises(RuntimeError):
                torch.nn.functional.conv2d(
                    torch.zeros(1, 1, size, size), torch.zeros(1, 1, k, k), None, s, p, d
                )
            assert n["m"] == 0 and n["grad_output"] == [] and n["taps"] == []
            assert sentence == (
                f"No output, so no gradient: the kernel spans {d}·({k} − 1) + 1 = "
                f"{d * (k - 1) + 1} cells, the padded input has {size} + 2·{p} = {size + 2 * p}."
            )
            assert sentence == BackwardExplorer(**state).still()[1]
            continue

        g = toy_gradient(m)
        gradient = padded_gradient(size, weight, g, s, p, d)
        uses = padded_gradient(size, np.ones((k, k)), np.ones((m, m)), s, p, d)
        assert n["grad_output"] == g.tolist() and n["m"] == m
        assert n["grad_input"] == gradient.tolist()
        assert n["uses"] == uses.tolist() and n["never"] == (uses == 0).sum()
        shape = (1, 1, size, size)
        tensors = [a[None, None].astype(float) for a in (weight, g)]
        ours = convlib.grad.conv2d_input(shape, *tensors, stride=s, padding=p, dilation=d)[0, 0]
        theirs = torch.nn.grad.conv2d_input(
            shape, *map(torch.tensor, tensors), stride=s, padding=p, dilation=d
        )[0, 0]
        inside = slice(p, p + size)
        cut = gradient[inside, inside]
        assert ours.tolist() == theirs.tolist() == cut.tolist()

        # The same as a convolution with stride 1, by PyTorch.
        spread, turned = (torch.tensor(n[key])[None, None].double() for key in ("spread", "turned"))
        as_convolution = torch.nn.functional.conv2d(spread, turned, dilation=d)[0, 0]
        assert as_convolution.tolist() == gradient.tolist()
        assert (n["border"], n["between"]) == (d * (k - 1), s - 1)

        low, high = (0, m - 1) if view == "window" else (-p, size + p - 1)
        r, c = (min(max(state[key], low), high) for key in ("row", "column"))
        assert (n["row"], n["column"]) == (r, c)
        if view == "window":
            so_far = g.copy().reshape(-1)
            so_far[r * m + c + 1 :] = 0
            so_far = so_far.reshape(m, m)
            assert n["done"] == padded_gradient(size, weight, so_far, s, p, d).tolist()
            assert n["shares"] == (g[r, c] * weight).tolist()
            assert n["sum"] is None and n["taps"] == []
            assert sentence == (
                f"Window ({r}, {c}) hands its gradient {minus(g[r, c])} back to the {k * k} "
                f"cell{'s' * (k > 1)} that it read, each times the weight that it met there. "
                f"{r * m + c + 1} of {m * m} window{'s' * (m > 1)} "
                f"{'has' if r == c == 0 else 'have'} handed back."
            )
            assert shown == g.size + weight.size + gradient.size + 1
            continue
        value = gradient[r + p, c + p]
        assert n["done"] is None and n["sum"] == value
        assert n["reads"] == len(n["taps"]) == uses[r + p, c + p]
        for tap in n["taps"]:
            assert (tap["h"] * s + tap["k"] * d, tap["w"] * s + tap["l"] * d) == (r + p, c + p)
        terms = [[g[t["h"], t["w"]], weight[t["k"], t["l"]]] for t in n["taps"]]
        assert n["terms"] == terms and sum(a * b for a, b in terms) == value
        outside = not (0 <= r < size and 0 <= c < size)
        padding_cells += outside
        assert f"{'Padding' if outside else 'Input'} cell ({minus(r)}, {minus(c)})" in sentence
        assert ("cut off" in sentence) == outside
        if view == "convolution":
            assert f"gets {minus(value)}." in sentence
            assert f"{s - 1} zero" in sentence and f"and {d * (k - 1)} around" in sentence
        else:
            reads = int(n["reads"])
            assert {0: "by no window", 1: "by 1 window;"}.get(reads, f"{reads} windows") in sentence
            assert reads == 0 or f" {minus(value)}." in sentence
            still = BackwardExplorer(**state).still()[1]
            assert f"the shares add up to {minus(value)}." in still
    assert refused > 20 and padding_cells > 20


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("size", "k", "s", "p", "d"),
    [(5, 3, 1, 0, 1), (8, 2, 3, 2, 3), (7, 4, 2, 1, 1), (3, 1, 4, 2, 2)],
)
def test_code_runs_and_gives_the_numbers_shown(open_explorers, view, size, k, s, p, d):  # noqa: F811
    page = open_explorers(
        BackwardExplorer(size=size, kernel_size=k, stride=s, padding=p, dilation=d, view=view)
    )
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(shown)
    names: dict = {}
    exec("\n".join(shown), names)
    padded = np.array(
        page.evaluate("document.querySelector('.cw-explorer').cwNumbers().grad_input")
    )
    expected = padded[p : p + size, p : p + size].tolist()
    assert names["grad_input"][0, 0].tolist() == names["twin"][0, 0].tolist() == expected


def test_code_of_a_refusal_is_refused(open_explorers):  # noqa: F811
    page = open_explorers(BackwardExplorer(size=2, padding=0))
    page.get_by_role("button", name="Code").click()
    ours, theirs = page.locator("pre").all_text_contents()
    with pytest.raises(ValueError):
        exec(ours, {})
    with pytest.raises(RuntimeError):
        exec(theirs, {})


def test_pointing_at_a_grid_shows_its_side(open_explorers):  # noqa: F811
    page = open_explorers(BackwardExplorer(size=5, padding=0))
    sentence = page.locator(".cw-sentence")
    output = page.get_by_role("grid", name="Gradient of the output, 3 by 3")
    input = page.get_by_role("grid", name="Gradient of the input, 5 by 5")
    input.get_by_role("gridcell", name="row 0, column 0").hover()
    assert sentence.text_content().startswith("Input cell (0, 0) was read by 1 window;")
    output.get_by_role("gridcell", name="row 1, column 2").hover()
    assert sentence.text_content().startswith("Window (1, 2) hands its gradient 0 back")
    assert page.get_by_label("one window hands back").is_checked()
    assert "6 of 9 windows have handed back." in sentence.text_content()
    assert "so far" in page.locator(".cw-part").nth(2).text_content()
    page.keyboard.press("Tab")
    output.locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    assert "9 of 9 windows have handed back." in sentence.text_content()
    input.locator("[tabindex='0']").focus()
    for key in ("End", "PageDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert sentence.text_content().startswith("Input cell (4, 3) was read by 2 windows;")
    page.get_by_label("as a convolution").check()
    page.get_by_role("grid", name="Gradient of the input").locator("[tabindex='0']").press("Home")
    assert page.get_by_label("as a convolution").is_checked()
    assert "Input cell (4, 0) gets" in sentence.text_content()


def test_touch_and_play(open_explorers):  # noqa: F811
    page = open_explorers(BackwardExplorer(size=8, padding=2), width=390, touch=True)
    cell = page.get_by_role("gridcell", name="row −2, column 0:")
    box = cell.bounding_box()
    assert min(box["width"], box["height"]) >= 24
    cell.tap()
    assert "cut off" in page.locator(".cw-sentence").text_content()
    page.get_by_label("one window hands back").tap()
    where = "document.querySelector('.cw-explorer').cwNumbers().handed"
    assert page.evaluate(where) == 1
    page.get_by_role("button", name="Play").tap()
    page.wait_for_function(f"() => {where} == 3", timeout=10_000)
    page.get_by_role("button", name="Pause").tap()
    before = page.evaluate(where)
    page.wait_for_timeout(1400)
    assert page.evaluate(where) == before


@pytest.mark.parametrize("width", [390, 1280])
def test_all_views_fit_the_page(open_explorers, width):  # noqa: F811
    page = open_explorers(BackwardExplorer(), width=width)
    assert not too_wide(page, random_states(200, 11))


def test_the_spread_out_gradient_is_pointed_at_where_the_mouse_is(open_explorers):  # noqa: F811
    """It begins with padding of its own, which the gradient of the input does not have."""
    page = open_explorers(BackwardExplorer(size=6, kernel_size=3, padding=2, view="convolution"))
    board = page.locator(".cw-board").first
    cell = board.get_by_role("gridcell").nth(
        3 * board.locator("[role=row]").first.locator("> *").count() + 3
    )
    cell.hover()
    mark = board.locator(".cw-mark.cw-kernel").bounding_box()
    box = cell.bounding_box()
    assert abs(mark["x"] - box["x"]) < 3 and abs(mark["y"] - box["y"]) < 3
