"""GroupsExplorer in a browser: who reads whom, asked of PyTorch, and what it costs."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import convlib
from convlib.explorers import GroupsExplorer

from explorer_page import open_explorers, run_states  # noqa: F401


def test_300_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    rng = np.random.default_rng(6)
    states = []
    for i in range(300):
        g = int(rng.integers(1, 17))
        a, b = (int(rng.integers(1, 17)) for _ in range(2))
        if i % 3:  # most of them divide
            a, b = (g * int(rng.integers(1, 16 // g + 1)) for _ in range(2))
        states.append(
            {
                "in_channels": a, "out_channels": b, "groups": g,
                "kernel_size": int(rng.integers(1, 8)), "channel": int(rng.integers(16)),
            }
        )  # fmt: skip
    page = open_explorers(GroupsExplorer())
    refused = depthwise = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        a, b, g, k, channel = state.values()
        assert n["choices"] == ", ".join(str(i) for i in range(1, 17) if a % i == b % i == 0)
        try:
            layer = torch.nn.Conv2d(a, b, k, groups=g, bias=False)
        except ValueError:
            refused += 1
            assert n["params"] is None and n["matrix"] == [] and n["reads"] == []
            name, value = ("in_channels", a) if a % g else ("out_channels", b)
            assert sentence == f"No weight: groups {g} does not divide {name} {value}."
            with pytest.raises(ValueError, match="groups"):
                weight = np.ones((b, max(1, a // g), k, k))
                convlib.conv2d(np.ones((1, a, k, k)), weight, groups=g)
            continue
        torch.nn.init.ones_(layer.weight)
        assert tuple(layer.weight.shape) == (b, n["per"], k, k)
        assert n["params"] == layer.weight.numel()
        assert n["dense"] == torch.nn.Conv2d(a, b, k, bias=False).weight.numel()
        x = torch.ones(1, a, k, k, requires_grad=True)
        with FlopCounterMode(display=False) as counter:
            y = layer(x)
        assert y.shape == (1, b, 1, 1)
        assert n["flops"] == counter.get_total_flops()
        at = min(channel, b - 1)
        assert n["at"] == at
        y[0, at, 0, 0].backward()
        reads = torch.nonzero(x.grad[0, :, 0, 0])[:, 0].tolist()
        assert n["reads"] == reads
        assert sentence.startswith(f"Output channel {at} reads input channel")
        assert f", {len(reads)} of {a}." in sentence
        depthwise += g == a > 1
        assert ("Depthwise" in sentence) == (g == a > 1)
        if "multiplier" in sentence:
            assert f"the multiplier is {b // a}." in sentence
        # The square of weights is the same layer with one group, zero where it is empty.
        weight = rng.integers(-3, 4, (b, a // g, 1, 1)).astype(float)
        dense = np.zeros((b, a, 1, 1))
        for o, row in enumerate(n["matrix"]):
            for c, i in enumerate(row):
                if i is not None:
                    dense[o, c] = weight[o, i]
        image = rng.integers(-3, 4, (1, a, 2, 2)).astype(float)
        np.testing.assert_array_equal(
            convlib.conv2d(image, weight, groups=g), convlib.conv2d(image, dense)
        )
        assert sum(i is not None for row in n["matrix"] for i in row) == weight.size
        assert shown >= weight.size + 6
    assert refused > 50 and depthwise > 10


def sentence_of(page) -> str:
    return page.locator(".cw-sentence").text_content()


def test_every_hand_picks_a_channel(open_explorers):  # noqa: F811
    page = open_explorers(GroupsExplorer())
    page.get_by_role("gridcell", name="output channel 6, input channel 1:").hover()
    assert sentence_of(page).startswith("Output channel 6 reads input channels 4 to 7, 4 of 8.")
    page.locator("[role=gridcell][tabindex='0']").focus()
    page.keyboard.press("ArrowUp")
    assert sentence_of(page).startswith("Output channel 5 reads")
    page.locator(".cw-net").hover(position={"x": 10, "y": 100})
    assert sentence_of(page).startswith("Output channel 0 reads input channels 0 to 3")
    touch = open_explorers(GroupsExplorer(), width=390, touch=True)
    net = touch.locator(".cw-net")
    net.tap(position={"x": net.bounding_box()["width"] - 10, "y": 100})
    assert sentence_of(touch).startswith("Output channel 7 reads input channels 4 to 7")
    for button in touch.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44


def test_examples_and_refusals(open_explorers):  # noqa: F811
    page = open_explorers(GroupsExplorer(in_channels=6, out_channels=11, groups=4))
    assert sentence_of(page) == "No weight: groups 4 does not divide in_channels 6."
    assert "groups may be 1" in page.locator(".cw-lines").text_content()
    for name, fragment in {
        "one group": "every output channel reads every input channel",
        "two groups": "2 groups, as 2 convolutions side by side",
        "depthwise": "one output channel of its own",
        "depthwise, multiplier 2": "the multiplier is 2.",
    }.items():
        page.get_by_role("radio", name=name, exact=True).check(force=True)
        assert fragment in sentence_of(page)
        assert page.get_by_role("radio", name=name, exact=True).is_checked()
    page.get_by_role("slider", name="Groups").press("End")
    assert sentence_of(page).startswith("No weight: groups 16")
    assert page.locator("input[type=radio]:checked").count() == 0


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    page = open_explorers(GroupsExplorer(in_channels=4, out_channels=12, groups=4))
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as told:
        exec("\n".join(shown), names)
    n = page.evaluate("document.querySelector('.cw-explorer').cwNumbers()")
    assert names["weight"].size == names["layer"].weight.numel() == n["params"] == 108
    assert names["output"].tolist() == names["twin"].tolist()
    assert told.getvalue().count("(12, 1, 3, 3)") == 1 and "[12, 1, 3, 3]" in told.getvalue()
