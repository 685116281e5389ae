"""ChannelsExplorer in a browser: its numbers are PyTorch's, and it answers to every kind of hand."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from convlib.explorers import ChannelsExplorer

from explorer_page import open_explorers, run_states, too_wide  # noqa: F401

STATE = "document.querySelector('.cw-explorer').cwState()"
NUMBERS = "document.querySelector('.cw-explorer').cwNumbers()"
SIZES = list(itertools.product((1, 2, 3), (1, 2), (1, 2, 3)))  # in, out, kernel


def sentence_of(page) -> str:
    return page.locator(".cw-sentence").text_content()


def pointed(page) -> list[int]:
    return page.evaluate(f"[{STATE}].map(s => [s.channel, s.row, s.column])[0]")


def test_every_output_of_every_size_agrees_with_pytorch(open_explorers):  # noqa: F811
    places = list(itertools.product((0, 1), (0, 2, 4), (0, 1, 3)))
    keys = "in_channels", "out_channels", "kernel_size", "channel", "row", "column"
    states = [
        dict(zip(keys, (*sizes, *place), strict=True))
        for sizes, place in itertools.product(SIZES, places)
    ]
    page = open_explorers(ChannelsExplorer())
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        a, b, k, channel, row, column = state.values()
        python = ChannelsExplorer(**state)
        x, w, bias = python.arrays()
        assert x.shape == (a, 5, 5) and w.shape == (b, a, k, k) and bias.shape == (b,)
        assert [n["input"], n["weight"], n["bias"]] == [one.tolist() for one in (x, w, bias)]
        tensors = [torch.tensor(one).double() for one in (x[None], w, bias)]
        expected = torch.nn.functional.conv2d(*tensors)[0]
        assert n["output"] == expected.tolist()
        m = expected.shape[-1]
        o, r, c = min(channel, b - 1), min(row, m - 1), min(column, m - 1)
        assert [n["o"], n["row"], n["column"], n["m"]] == [o, r, c, m]
        # one channel at a time: PyTorch's groups keep the partial sums apart
        apart = torch.nn.functional.conv2d(tensors[0], tensors[1][o][:, None], groups=a)
        assert n["parts"] == apart[0, :, r, c].tolist()
        assert n["sum"] == sum(n["parts"]) + n["own"] == expected[o, r, c] and n["own"] == bias[o]
        # what the output reads, asked of PyTorch: the gradient of one output
        ones = torch.zeros(1, a, 5, 5, dtype=float, requires_grad=True)
        torch.nn.functional.conv2d(ones, torch.ones(1, a, k, k).double())[0, 0, r, c].backward()
        assert n["taps"] == int(ones.grad.count_nonzero())
        assert {tuple(at) for at in ones.grad[0].nonzero().tolist()} == set(
            itertools.product(n["channels"], n["rows"], n["columns"])
        )
        assert sentence.startswith(f"Output channel {o} at ({r}, {c}) reads row")
        assert f"through W[{o}]: {n['taps']} product" in sentence
        assert ("The other output channel" in sentence) == (b == 2)
        assert f"= {n['sum']}.".replace("-", "−") in python.still()[1]
        assert shown >= x.size + w.size + expected.numel()


def frames(page) -> list[list[str]]:
    """Where the frames lie in each grid that is shown: inputs, kernels, outputs."""
    return page.evaluate(
        """[...document.querySelectorAll('.cw-board')].filter((board) => board.offsetParent)
        .map((board) => [...board.querySelectorAll('.cw-mark')].map((mark) => mark.style.gridArea))"""
    )


def test_the_window_stands_in_every_input_channel_at_once(open_explorers):  # noqa: F811
    page = open_explorers(ChannelsExplorer())
    page.get_by_role("gridcell", name="output channel 1, row 2, column 1").hover()
    window, cell = "3 / 2 / span 3 / span 3", "3 / 2 / span 1 / span 1"
    assert frames(page) == [[window]] * 3 + [[]] * 6 + [[], [cell]]
    on = page.evaluate(
        """[...document.querySelectorAll('[role=table]')].map((table) =>
        table.querySelectorAll('.cw-c-on').length)"""
    )
    # nine cells of each input channel; all of W[1], nothing of W[0]
    assert on == [9] * 3 + [0] * 3 + [9] * 3
    n = page.evaluate(NUMBERS)
    line = page.locator(".cw-lines > div").first
    text = line.text_content().replace("−", "-")
    for i, part in enumerate(n["parts"]):
        assert f"{part if part >= 0 or not i else f'({part})'} from i = {i}" in text
    assert text.endswith(f"+ ({n['own']}) bias= {n['sum']}")
    shapes = page.locator(".cw-lines > div").last.text_content()
    assert "input (n, i, H, W) = (1, 3, 5, 5)" in shapes
    assert "weight (o, i, k, l) = (2, 3, 3, 3)" in shapes
    assert "output (n, o, h, w) = (1, 2, 3, 3)" in shapes


def test_keyboard_walks_both_outputs(open_explorers):  # noqa: F811
    page = open_explorers(ChannelsExplorer())
    grids = [page.get_by_role("grid", name=f"Output channel {o}, 3 by 3") for o in (0, 1)]
    for grid in grids:
        assert grid.locator("[tabindex='0']").count() == 1
    grids[0].locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "End"):
        page.keyboard.press(key)
    assert pointed(page) == [0, 2, 2]
    assert sentence_of(page).startswith("Output channel 0 at (2, 2) reads rows 2 to 4")
    page.keyboard.press("Tab")  # to arrive changes nothing, and the place is kept
    assert pointed(page) == [0, 2, 2]
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name.startswith("output channel 1, row 2, column 2")
    page.keyboard.press("ArrowUp")
    assert pointed(page) == [1, 1, 2]


def test_a_click_holds(open_explorers):  # noqa: F811
    page = open_explorers(ChannelsExplorer())
    touched = page.get_by_role("gridcell", name="output channel 1, row 0, column 2")
    touched.click()
    note = page.locator(".cw-note")
    assert note.text_content() == "Held. A click lets go."
    page.get_by_role("gridcell", name="output channel 0, row 1, column 1").hover()
    assert pointed(page) == [1, 0, 2]
    touched.click()
    assert note.text_content() == ""
    page.get_by_role("gridcell", name="output channel 0, row 1, column 1").hover()
    assert pointed(page) == [0, 1, 1]


def test_a_finger_on_a_phone(open_explorers):  # noqa: F811
    """All that belongs together is on one screen: inputs, kernels, outputs and the sum."""
    touch = open_explorers(ChannelsExplorer(), width=390, height=844, touch=True)
    cells = touch.get_by_role("gridcell").all()
    assert len(cells) == 18
    for cell in cells:
        box = cell.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    cells[-1].tap()
    assert pointed(touch) == [1, 2, 2]
    for button in touch.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44
    stack, line, whole = (
        touch.locator(name).first.bounding_box()
        for name in (".cw-stack", ".cw-lines > div", ".cw-explorer")
    )
    assert line["y"] + line["height"] - stack["y"] < 600 and whole["height"] < 1.5 * 844
    least = touch.evaluate(
        """Math.min(...[...document.querySelectorAll('.cw-cell')].filter((e) => e.offsetParent)
        .map((e) => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert least >= 11


def test_no_size_is_wider_than_the_page(open_explorers):  # noqa: F811
    keys = "in_channels", "out_channels", "kernel_size"
    states = [dict(zip(keys, sizes, strict=True)) for sizes in SIZES]
    for width in (320, 390, 620, 1280):
        assert too_wide(open_explorers(ChannelsExplorer(), width=width), states) == [], width


def test_play_goes_through_both_channels(open_explorers):  # noqa: F811
    page = open_explorers(ChannelsExplorer(kernel_size=3, channel=0, row=2, column=1))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"() => {STATE}.channel === 1", timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    assert pointed(page) == [1, 0, 0]


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    for sizes in SIZES:
        keys = dict(zip(("in_channels", "out_channels", "kernel_size"), sizes, strict=True))
        page = open_explorers(ChannelsExplorer(**keys))
        page.get_by_role("button", name="Code").click()
        names: dict = {}
        exec("\n".join(page.locator("pre").all_text_contents()), names)
        output = page.evaluate(f"{NUMBERS}.output")
        assert names["output"][0].tolist() == names["twin"][0].tolist() == output
        assert np.array_equal(names["weight"], ChannelsExplorer(**keys).arrays()[1])
        page.close()
