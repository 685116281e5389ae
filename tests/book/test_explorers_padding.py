"""PaddingExplorer in a browser: its cells, sizes and use counts are PyTorch's, its refusals too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import convlib
from convlib.explorers import PaddingExplorer
from convlib.explorers._base import toy_input, toy_kernel
from convlib.explorers.padding import MODES

from explorer_page import open_explorers, run_states  # noqa: F401

ELEMENT = "document.querySelector('.cw-explorer')"
SENTENCE = ".cw-sentence"


def draw(rng: np.random.Generator) -> dict:
    return {
        "size": int(rng.integers(1, 9)),
        "kernel_size": int(rng.integers(1, 7)),
        "padding": "same" if rng.random() < 0.3 else int(rng.integers(6)),
        "mode": str(rng.choice(list(MODES))),
        "row": int(rng.integers(-5, 13)),
        "column": int(rng.integers(-5, 13)),
    }


def test_300_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    rng = np.random.default_rng(2)
    states = [draw(rng) for _ in range(300)]
    page = open_explorers(PaddingExplorer())
    refused = empty = worked = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        size, k, padding, mode = (state[key] for key in ("size", "kernel_size", "padding", "mode"))
        x = torch.tensor(toy_input(size))[None, None].double().requires_grad_()
        same = convlib.same_padding(k)
        before, after = same if padding == "same" else (padding, padding)
        assert n["asked"] == [before, after]
        theirs = "constant" if mode == "zeros" else mode
        amounts = (before, after, before, after)
        try:
            padded = F.pad(x, amounts, mode=theirs)
        except (RuntimeError, NotImplementedError):
            refused += 1
            assert n["refused"] and n["m"] == 0
            assert sentence.startswith(f"No padding: {mode} has at most {n['most']} cell")
            assert sentence.endswith(f"{after} are asked for.") and n["most"] < after
            continue
        assert not n["refused"]
        ours = convlib.pad(x.detach().numpy(), amounts, mode=theirs)
        assert n["input"] == padded[0, 0].tolist() == ours[0, 0].tolist()
        assert n["padded"] == len(n["input"])
        r, c = (min(max(state[key], -before), size + after - 1) for key in ("row", "column"))
        assert (n["row"], n["column"]) == (r, c)
        try:
            output = F.conv2d(padded, torch.ones(1, 1, k, k).double())
        except RuntimeError:
            empty += 1
            assert n["m"] == 0 and sentence.startswith(f"No output: the kernel spans {k} cells")
            continue
        worked += 1
        m = output.shape[-1]
        assert n["m"] == m == convlib.output_size(size + before + after, k)
        # A gradient of a sum over ones counts the uses.
        output.sum().backward()
        uses = x.grad[0, 0].numpy()
        assert n["uses"] == uses.tolist()
        assert (n["low"], n["high"]) == (uses.min(), uses.max())
        # Which window reads what is pointed at, and how often: mark it, pad, and add up.
        mark = torch.zeros(size + before + after, size + before + after).double()
        inside = 0 <= r < size and 0 <= c < size
        if mode == "zeros" and not inside:
            mark[r + before, c + before] = 1
        else:
            # The pixel that a padded cell holds, found by padding the pixels' own numbers.
            names = torch.arange(size * size).reshape(1, 1, size, size).double()
            held = F.pad(names, amounts, mode=theirs)[0, 0]
            mark[held == held[r + before, c + before]] = 1
            if mode == "zeros":
                mark[:] = 0
                mark[r + before, c + before] = 1
            row, column = divmod(int(held[r + before, c + before]), size)
            assert n["pixel"] == [row, column]
            assert n["used"] == uses[row, column]
        taps = F.conv2d(mark[None, None], torch.ones(1, 1, k, k).double())[0, 0]
        assert n["taps"] == taps.tolist()
        assert n["used"] == taps.sum() and n["windows"] == (taps > 0).sum()
        assert f"by {n['windows']} of {m * m} window" in sentence
        assert ("equally often" in sentence) == (uses.min() == uses.max())
        assert ("as large as the input" in sentence) == (m == size)
        assert shown >= mark.numel() + size * size
    assert refused > 20 and empty > 5 and worked > 200


def test_the_chapters_question_is_answered_at_once(open_explorers):  # noqa: F811
    page = open_explorers(PaddingExplorer())
    sentence = page.locator(SENTENCE)
    assert sentence.text_content() == (
        "Pixel (0, 0) is used 4 times, by 4 of 25 windows. Uses of a pixel go from 4 to 9. "
        "The output is as large as the input."
    )
    page.get_by_role("radio", name="2", exact=True).check(force=True)
    assert "All pixels are used equally often: 9 times." in sentence.text_content()
    page.get_by_role("radio", name="0", exact=True).check(force=True)
    assert sentence.text_content().startswith("Pixel (0, 0) is used 1 time, by 1 of 9 windows.")
    page.get_by_role("slider", name="Kernel").press("ArrowRight")
    page.get_by_role("radio", name="same").check(force=True)
    assert "5 + 1 + 2 − 4 + 1 = 5" in page.locator(".cw-lines").text_content()
    assert "The output is as large as the input." in sentence.text_content()


def test_a_copy_leads_to_its_pixel_by_mouse_keys_and_touch(open_explorers):  # noqa: F811
    page = open_explorers(PaddingExplorer(mode="reflect", padding=2))
    page.get_by_role("gridcell", name="padding (−1, −2)").hover()
    assert page.locator(SENTENCE).text_content().startswith("Pixel (1, 2) is used")
    assert "it stands in 6 cells" in page.locator(SENTENCE).text_content()
    page.get_by_role("grid", name="Padded input").locator("[tabindex='0']").focus()
    for key in ("ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate(f"[{ELEMENT}.cwState().row, {ELEMENT}.cwState().column]") == [-2, -2]
    page.get_by_role("grid", name="Uses").locator("[tabindex='0']").focus()
    page.keyboard.press("End")
    assert page.evaluate(f"{ELEMENT}.cwState().column") == 4
    touch = open_explorers(PaddingExplorer(), width=390, touch=True)
    touch.get_by_role("gridcell", name="pixel (2, 2) is used").tap()
    assert touch.locator(SENTENCE).text_content().startswith("Pixel (2, 2) is used 9 times")


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    rng = np.random.default_rng(3)
    states = [draw(rng) for _ in range(60)]
    page = open_explorers(PaddingExplorer())
    what = r"[el.cwNumbers(), el.cwCode().map(([, text]) => text).join('\n')]"
    ran = raised = 0
    for state, ((n, text), *_) in zip(states, run_states(page, states, what), strict=True):
        names: dict = {}
        if not n["m"]:
            ours, theirs = text.split("\nimport torch\n")
            for library in (ours, "import torch\n" + theirs):
                try:
                    exec(library, names)
                except (ValueError, RuntimeError, NotImplementedError):
                    raised += 1
                else:
                    raise AssertionError(f"ran without output: {library}")
            continue
        exec(text, names)
        ran += 1
        assert names["output"].tolist() == names["twin"].tolist()
        weight = toy_kernel(state["kernel_size"])[None, None].astype(float)
        shown = convlib.conv2d(np.array(n["input"], float)[None, None], weight)
        assert names["output"].tolist() == shown.tolist()
        assert names["uses"][0, 0].tolist() == n["uses"]
    assert ran > 30 and raised > 5
