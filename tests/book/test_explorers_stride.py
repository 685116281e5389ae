"""StrideExplorer in a browser: sizes and receptive fields are PyTorch's, and every hand moves it."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import torch

import convlib
from convlib.explorers import StrideExplorer
from convlib.receptive import receptive_field

from explorer_page import open_explorers, run_states  # noqa: F401

LIMITS = {"kernel_size": (1, 7), "stride": (1, 4), "padding": (0, 4), "dilation": (1, 4)}


def test_300_random_stacks_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    rng = np.random.default_rng(3)
    states = []
    for i in range(300):
        limits = LIMITS if i % 2 else {**LIMITS, "kernel_size": (1, 3), "dilation": (1, 2)}
        layers = [
            {key: int(rng.integers(low, high + 1)) for key, (low, high) in limits.items()}
            for _ in range(int(rng.integers(1, 5)))
        ]
        states.append(
            {"size": int(rng.integers(1, 33)), "layers": layers, "cell": int(rng.integers(64))}
        )
    page = open_explorers(StrideExplorer())
    refused = padding_only = skipped = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        assert shown >= 7 * len(n["layers"])
        y = x = torch.zeros(1, 1, state["size"], dtype=torch.float64, requires_grad=True)
        sizes, unread = [state["size"]], []
        for i, layer in enumerate(state["layers"]):
            k, s, p, d = (layer[key] for key in LIMITS)
            ones = torch.ones(1, 1, k).double()
            told = n["layers"][i]
            span = convlib.effective_kernel_size(k, d)
            assert (told["span"], told["padded"]) == (span, sizes[-1] + 2 * p)
            try:
                y = torch.conv1d(y, ones, stride=s, padding=p, dilation=d)
            except RuntimeError:
                refused += 1
                assert n["stop"] == i + 1 == len(n["layers"])
                assert sentence.startswith(f"Layer {i + 1} has no output: its kernel spans ")
                assert f" = {span} cells" in sentence and f"= {told['padded']}." in sentence
                assert n["seen"] == [] and told["m"] == 0
                break
            # How often each cell of the padded row is read, asked of PyTorch.
            row = torch.zeros(1, 1, told["padded"], dtype=torch.float64, requires_grad=True)
            torch.conv1d(row, ones, stride=s, dilation=d).sum().backward()
            unread.append((np.flatnonzero(row.grad[0, 0] == 0) - p).tolist())
            assert told["unread"] == unread[-1]
            sizes.append(y.shape[2])
            assert told["m"] == sizes[-1] == convlib.output_size(sizes[-2], **layer)
            assert told["leftover"] == convlib.leftover(sizes[-2], **layer)
            assert told["room"] // s + 1 == sizes[-1]
        assert n["sizes"] == sizes
        if n["stop"]:
            continue
        at = min(state["cell"], sizes[-1] - 1)
        assert n["at"] == at
        y[0, 0, at].backward()
        ways = x.grad[0, 0].numpy()
        own = np.flatnonzero(ways)
        assert n["seen"][0] == own.tolist() and n["reads"] == len(own)
        assert (n["field"], n["jump"]) == receptive_field(state["layers"])
        # On an input so long that no padding is met, the field's ends are where it was said.
        wide = 400
        line = torch.zeros(1, 1, wide + state["size"] + wide, dtype=torch.float64)
        z = line.requires_grad_()
        for layer in state["layers"]:
            k, s, p, d = (layer[key] for key in LIMITS)
            z = torch.conv1d(z, torch.ones(1, 1, k).double(), stride=s, dilation=d)
        z[0, 0, 0].backward()
        spread = np.flatnonzero(line.grad[0, 0])
        assert spread[-1] - spread[0] + 1 == n["field"]
        outside = [i for i in range(n["first"], n["first"] + n["field"]) if not 0 <= i < sizes[0]]
        assert n["outside"] == len(outside)
        assert all(n["first"] <= i < n["first"] + n["field"] for i in own)
        assert f"Its receptive field is {n['field']} cell" in sentence
        assert (" outside the input" in sentence) == bool(outside)
        if not len(own):
            padding_only += 1
            assert "padding only" in sentence
        gaps = len(own) and own[-1] - own[0] + 1 - len(own)
        skipped += bool(gaps)
        assert (f"skips {gaps} between them" in sentence) == bool(gaps)
        assert ("Never read" in sentence) == any(0 <= i < sizes[0] for i in unread[0])
    assert refused > 30 and padding_only > 3 and skipped > 30


def sentence_of(page) -> str:
    return page.locator(".cw-sentence").text_content()


def test_sliders_and_buttons_change_the_stack(open_explorers):  # noqa: F811
    page = open_explorers(StrideExplorer(size=6, layers=[{"kernel_size": 3, "stride": 2}]))
    assert "Never read: input cell 5." in sentence_of(page)
    page.get_by_label("Input size").press("ArrowRight")
    assert "Never read" not in sentence_of(page)
    assert page.get_by_role("img", name="Input 7 cells, after layer 1 3 cells").is_visible()
    page.get_by_label("Layers").press("ArrowRight")
    second = page.get_by_role("group", name="Layer 2")
    second.get_by_label("Dilation").press("ArrowRight")
    assert page.evaluate("document.querySelector('.cw-explorer').cwState().layers[1]") == {
        "kernel_size": 3, "stride": 1, "padding": 1, "dilation": 2,
    }  # fmt: skip
    second.get_by_label("Padding").press("Home")
    assert sentence_of(page) == (
        "Layer 2 has no output: its kernel spans 2·(3 − 1) + 1 = 5 cells, "
        "its padded input has 3 + 2·0 = 3."
    )
    page.get_by_label("Layers").press("Home")
    assert sentence_of(page).startswith("Output 0 reads input cells 0 to 2.")
    page.get_by_label("Layers").press("End")
    assert page.get_by_role("group", name="Layer 4").is_visible()


def test_output_is_picked_by_slider_mouse_and_finger(open_explorers):  # noqa: F811
    page = open_explorers(StrideExplorer())
    page.get_by_label("Output cell").press("End")
    assert sentence_of(page).startswith("Output 3 depends on input cells 9 to 15.")
    frame = page.locator(".cw-net .cw-frame.output").bounding_box()
    page.mouse.move(frame["x"] + 4 - 170, frame["y"] + 4)
    assert sentence_of(page).startswith("Output 2 depends on input cells 5 to 11.")
    touch = open_explorers(StrideExplorer(size=32), width=390, touch=True)
    picture = touch.locator(".cw-net").first
    box = picture.bounding_box()
    picture.tap(position={"x": box["width"] - 3, "y": box["height"] - 10})
    assert sentence_of(touch).startswith("Output 7 depends on")
    for button in touch.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    page = open_explorers(
        StrideExplorer(size=20, cell=4, layers=[{"stride": 2, "padding": 1}, {"dilation": 2}])
    )
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(shown)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec("\n".join(shown), names)
    n = page.evaluate("document.querySelector('.cw-explorer').cwNumbers()")
    assert names["sizes"] == names["shapes"] == n["sizes"]
    assert (names["field"], names["jump"]) == (n["field"], n["jump"])
    assert np.flatnonzero(names["ways"].numpy()).tolist() == n["seen"][0]
