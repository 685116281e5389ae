"""WindowExplorer in a browser: its numbers are PyTorch's, and it answers to every kind of hand."""

from __future__ import annotations

import numpy as np
import torch

import convlib
from convlib.explorers import WindowExplorer
from convlib.explorers._base import toy_input, toy_kernel

from explorer_page import open_explorers, run_states  # noqa: F401


def test_250_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    rng = np.random.default_rng(1)
    limits = {
        "size": 10, "kernel_size": 5, "padding": 2, "stride": 4, "dilation": 3, "row": 13, "column": 13,
    }  # fmt: skip
    states = [
        {
            "view": ["output", "input"][int(rng.integers(2))],
            **{
                key: int(rng.integers(key not in ("padding", "row", "column"), high + 1))
                for key, high in limits.items()
            },
        }
        for _ in range(250)
    ]
    page = open_explorers(WindowExplorer())
    refused = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        size, k, p, s, d = (
            state[key] for key in ("size", "kernel_size", "padding", "stride", "dilation")
        )
        x, w = toy_input(size), toy_kernel(k)
        padded = np.pad(x, p)
        assert n["input"] == padded.tolist() and n["weight"] == w.tolist()
        assert n["span"] == convlib.effective_kernel_size(k, d)
        assert shown >= padded.size + w.size
        tensors = [torch.tensor(a)[None, None].double() for a in (x, w)]
        try:
            expected = torch.nn.functional.conv2d(*tensors, stride=s, padding=p, dilation=d)[0, 0]
        except RuntimeError:
            refused += 1
            assert n["output"] == [] and n["m"] == 0
            assert sentence.startswith(
                f"No output: the kernel spans {d}·({k} − 1) + 1 = {n['span']}"
            )
            assert f"= {size + 2 * p}." in sentence
            continue
        m = len(expected)
        assert n["output"] == expected.tolist()
        assert n["m"] == m == convlib.output_size(size, k, s, p, d)
        assert n["leftover"] == convlib.leftover(size, k, s, p, d)
        # What reads what, asked of PyTorch: the gradient of a sum of ones counts the readers.
        ones = torch.zeros(1, 1, size + 2 * p, size + 2 * p, dtype=float, requires_grad=True)
        out = torch.nn.functional.conv2d(
            ones, torch.ones(1, 1, k, k).double(), stride=s, dilation=d
        )
        out.sum().backward()
        uses = ones.grad[0, 0].numpy()
        assert n["uses"] == uses.tolist()
        assert n["never"] == (uses == 0).sum()
        assert ("Never read" in sentence) == bool(n["never"])
        last = (m if state["view"] == "output" else size + 2 * p) - 1
        r, c = min(state["row"], last), min(state["column"], last)
        assert (n["row"], n["column"]) == (r, c)
        if state["view"] == "output":
            window = padded[r * s : r * s + n["span"] : d, c * s : c * s + n["span"] : d]
            terms = np.array(n["terms"]).reshape(k, k, 2)
            assert terms[..., 0].tolist() == window.tolist()
            assert terms[..., 1].tolist() == w.tolist()
            assert n["sum"] == (window * w).sum() == expected[r, c]
        else:
            assert n["reads"] == len(n["taps"]) == uses[r, c]
            for tap in n["taps"]:
                assert (tap["h"] * s + tap["k"] * d, tap["w"] * s + tap["l"] * d) == (r, c)
    assert refused > 10


def test_slider_says_why_there_is_no_output(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer(size=5))
    page.get_by_label("Dilation").focus()
    page.keyboard.press("End")
    sentence = page.locator(".cw-sentence")
    assert sentence.text_content() == (
        "No output: the kernel spans 3·(3 − 1) + 1 = 7 cells, the padded input has 5 + 2·0 = 5."
    )
    assert page.get_by_role("grid", name="Input").or_(page.get_by_role("grid")).first.is_visible()
    page.get_by_label("Padding").press("ArrowRight")
    assert sentence.text_content().startswith("Output (0, 0) reads rows 0, 3 and 6")


def test_keyboard_walks_the_grids(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer())
    output = page.get_by_role("grid", name="Output, 4 by 4")
    assert output.locator("[tabindex='0']").count() == 1
    output.locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "End"):
        page.keyboard.press(key)
    assert page.evaluate(
        "[document.querySelector('.cw-explorer').cwState()].map(s => [s.row, s.column])"
    ) == [[2, 3]]
    assert page.locator(".cw-sentence").text_content().startswith("Output (2, 3) reads rows 2 to 4")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "output row 2, column 3"
    )
    page.get_by_role("grid", name="Input").locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert (
        page.locator(".cw-sentence").text_content()
        == "Input cell (0, 1) is read by 2 windows, each with another weight."
    )


def test_mouse_and_touch_point(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer(stride=2))
    page.get_by_role("gridcell", name="output row 1, column 0").hover()
    assert (
        page.locator(".cw-sentence")
        .text_content()
        .startswith("Output (1, 0) reads rows 2 to 4 and columns 0 to 2")
    )
    page.get_by_role("gridcell", name="row 5, column 5").hover()
    assert "is read by no window" in page.locator(".cw-sentence").text_content()
    touch = open_explorers(WindowExplorer(size=10, padding=2, kernel_size=5), width=390, touch=True)
    cell = touch.get_by_role("gridcell", name="row 6, column 6:").first
    box = cell.bounding_box()
    assert min(box["width"], box["height"]) >= 24
    cell.tap()
    assert "is read by 25 windows" in touch.locator(".cw-sentence").text_content()
    for button in touch.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44


def test_play_walks_and_pauses(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer(size=4))
    places = """() => {
      const state = document.querySelector('.cw-explorer').cwState();
      return `${state.row},${state.column}`;
    }"""
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"() => ({places})() === '1,0'", timeout=10_000)
    assert page.locator(".cw-sentence").get_attribute("aria-live") == "off"
    page.get_by_role("button", name="Pause").click()
    assert page.locator(".cw-sentence").get_attribute("aria-live") == "polite"
    before = page.evaluate(places)
    page.wait_for_timeout(1500)
    assert page.evaluate(places) == before


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer(size=7, stride=2, padding=1, dilation=2))
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(shown)
    names: dict = {}
    exec("\n".join(shown), names)
    output = page.evaluate("document.querySelector('.cw-explorer').cwNumbers().output")
    assert names["output"][0, 0].tolist() == names["twin"][0, 0].tolist() == output


def test_what_was_touched_stays(open_explorers):  # noqa: F811
    """A mouse that goes on to a slider or to a button must not choose another cell on its way."""
    page = open_explorers(WindowExplorer(size=6, padding=1))
    state = lambda: page.evaluate("() => document.querySelector('.cw-explorer').cwState()")  # noqa: E731
    touched = page.get_by_role("gridcell", name="output row 1, column 2")
    touched.hover()
    page.get_by_role("gridcell", name="output row 2, column 2").hover()
    assert (state()["row"], state()["column"]) == (2, 2)
    touched.click()
    note = page.locator(".cw-note")
    assert note.text_content() == "Held. A click lets go."
    page.get_by_role("gridcell", name="output row 4, column 4").hover()
    page.get_by_role("gridcell", name="row 3, column 3:").first.hover()
    assert (state()["view"], state()["row"], state()["column"]) == ("output", 1, 2)
    # to the controls by keyboard, and back
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert (state()["view"], state()["row"], state()["column"]) == ("output", 1, 2)
    page.get_by_role(
        "gridcell", name="output row 0, column 0"
    ).click()  # another one is held instead
    assert (state()["row"], state()["column"]) == (0, 0)
    page.get_by_role("gridcell", name="output row 0, column 0").click()
    assert note.text_content() == ""
    page.get_by_role("gridcell", name="output row 4, column 4").hover()
    assert (state()["row"], state()["column"]) == (4, 4)
    touched.click()
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("gridcell", name="output row 3, column 3").hover()
    assert (state()["row"], state()["column"]) == (3, 3)


def test_a_page_that_scrolls_under_the_mouse_changes_nothing(open_explorers):  # noqa: F811
    page = open_explorers(WindowExplorer())
    page.evaluate("document.body.style.paddingBottom = '3000px'")
    page.mouse.move(5, 5)
    box = page.locator(".cw-grid").first.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] + 60)
    before = page.evaluate("() => document.querySelector('.cw-explorer').cwState()")
    for _ in range(6):
        page.mouse.wheel(0, 25)
        page.wait_for_timeout(60)
    assert page.evaluate("scrollY") > 0
    assert page.evaluate("() => document.querySelector('.cw-explorer').cwState()") == before
