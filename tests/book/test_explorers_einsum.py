"""EinsumExplorer in a browser: letters, loops, matrix products and bytes, computed a second time."""

from __future__ import annotations

import contextlib
import io
from itertools import combinations
from math import prod

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import convlib
from convlib.explorers import EinsumExplorer

from explorer_page import open_explorers, run_states  # noqa: F401

LETTERS, WINDOWS, WEIGHT = "ngohwikl", "ngihwkl", "goikl"
HIGH = {"n": 8, "g": 8, "i": 64, "h": 64, "w": 64, "k": 7, "l": 7, "o": 64}


def number(words: str) -> int:
    return int(words.replace("\u202f", ""))


def matrices(n: dict, windows, weight):
    """The windows as (batch, M, K) and the weight as (batch, K, N), as the roles say."""

    def letters(role: str) -> str:
        return "".join(x for x in LETTERS if n["role"][x] == role)

    batch, m, k, columns = (letters(role) for role in ("batch", "M", "K", "N"))
    shape = n["batch"], n["M"], n["K"], n["N"]
    left = torch.einsum(f"{WINDOWS}->{batch}{m}{k}", windows).reshape(shape[:3])
    right = torch.einsum(f"{WEIGHT}->{batch}{k}{columns}", weight)
    return left, right.reshape(shape[0], shape[2], shape[3]), batch + m + columns


def test_350_random_settings_agree_with_pytorch_and_convlib(open_explorers):  # noqa: F811
    rng = np.random.default_rng(5)
    states = []
    for i in range(350):
        high = HIGH if i % 3 == 0 else dict.fromkeys(HIGH, 3)
        state = {x: int(rng.integers(1, top + 1)) for x, top in high.items()}
        summed = rng.permutation(list(LETTERS))[: int(rng.integers(9))]
        states.append({**state, "summed": "ikl" if i % 4 == 0 else "".join(summed)})
    page = open_explorers(EinsumExplorer())
    computed = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        assert shown > 30
        size = {x: state[x] for x in LETTERS}
        summed = "".join(x for x in LETTERS if x in state["summed"])
        kept = "".join(x for x in LETTERS if x not in summed)
        assert ("".join(n["kept"]), "".join(n["summed"])) == (kept, summed)
        assert n["subscripts"] == f"{WINDOWS},{WEIGHT}->{kept}"
        real = prod(size.values()) < 20_000
        options = {"dtype": torch.float64} if real else {"device": "meta"}
        windows = torch.empty([size[x] for x in WINDOWS], **options)
        weight = torch.empty([size[x] for x in WEIGHT], **options)
        if real:
            for tensor in (windows, weight):
                tensor.copy_(torch.from_numpy(rng.integers(-4, 5, tensor.shape).astype(float)))
        # The matrix product that the roles name, its size and its FLOPs as PyTorch counts them.
        left, right, order = matrices(n, windows, weight)
        with FlopCounterMode(display=False) as counter:
            result = torch.bmm(left, right)
        assert counter.get_total_flops() == n["product"]
        assert n["flops"] == 2 * n["outside"] * n["inside"] == 2 * prod(size.values())
        assert n["outside"] == prod(size[x] for x in kept) == result.numel()
        # im2col's copy, and the input that it is made from, in float32.
        side = size["h"] + size["k"] - 1, size["w"] + size["l"] - 1
        assert n["bytes"] == 4 * windows.numel()
        image = torch.empty(size["n"], size["g"] * size["i"], *side, device="meta")
        assert np.isclose(n["ratio"], n["bytes"] / image.nbytes)
        assert n["input"] == image.nbytes
        assert sentence.startswith(
            f"{len(kept)} letter{'s' * (len(kept) != 1)} kept, {len(summed)} summed: "
        )
        assert ("not a convolution" in sentence) == (summed != "ikl")
        told = sentence.split("with ")[1].split(".")[0].split(", ")
        assert [number(words.split(" = ")[1]) for words in told[:3]] == [n["M"], n["N"], n["K"]]
        assert ("after a sum over" in sentence) == bool(n["first"])
        if not real:
            continue
        computed += 1
        expected = torch.einsum(n["subscripts"], windows, weight)
        mixed = torch.einsum(
            f"{order}->{kept}", result.reshape([size[x] for x in order] or [])
        )  # the order of the letters alone
        assert torch.equal(expected, mixed)
        if summed == "ikl":
            ours = convlib.contract(np, windows.numpy(), weight.numpy())
            np.testing.assert_array_equal(ours, expected.numpy())
            view = convlib.windows(np.empty(image.shape), (size["k"], size["l"]))
            assert view.nbytes // 2 == n["bytes"]  # of float64
            split = view.reshape([size[x] for x in WINDOWS])
            assert split.shape == windows.shape
    assert computed > 200


def sentence_of(page) -> str:
    return page.locator(".cw-sentence").text_content()


def test_letters_answer_to_mouse_keyboard_and_finger(open_explorers):  # noqa: F811
    page = open_explorers(EinsumExplorer())
    assert sentence_of(page) == (
        "5 letters kept, 3 summed: a convolution. "
        "It is one matrix product with M = 36, N = 8, K = 27."
    )
    page.get_by_role("button", name="keep i").click()
    assert page.get_by_role("button", name="keep i").get_attribute("aria-pressed") == "true"
    assert "It is 3 matrix products, each with M = 36, N = 8, K = 9." in sentence_of(page)
    page.get_by_role("button", name="keep h").press("Enter")
    assert sentence_of(page).endswith("after a sum over h in the one array that has it.")
    assert page.evaluate("document.querySelector('.cw-explorer').cwState().summed") == "hkl"
    touch = open_explorers(EinsumExplorer(), width=390, touch=True)
    for button in touch.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 24
    touch.get_by_role("button", name="keep o").tap()
    assert "4 letters kept, 4 summed" in sentence_of(touch)


def test_every_choice_of_letters_can_be_tapped(open_explorers):  # noqa: F811
    page = open_explorers(EinsumExplorer())
    choices = ["".join(c) for r in range(9) for c in combinations(LETTERS, r)]
    results = run_states(page, [{"summed": choice} for choice in choices])
    assert len(results) == 256 and not [bad for *_, bad in results if bad]
    for bad in ("x", "ii", "ik!", 3):
        page.evaluate("s => document.querySelector('.cw-explorer').cwSet({ summed: s })", bad)
    assert page.evaluate("document.querySelector('.cw-explorer').cwState().summed") == choices[-1]


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    for summed in ("ikl", "hk", ""):
        page = open_explorers(EinsumExplorer(n=2, g=2, i=3, h=4, w=5, k=2, l=3, o=2, summed=summed))
        page.get_by_role("button", name="Code").click()
        shown = page.locator("pre").all_text_contents()
        names: dict = {}
        with contextlib.redirect_stdout(io.StringIO()):
            exec("\n".join(shown), names)
        n = page.evaluate("document.querySelector('.cw-explorer').cwNumbers()")
        assert names["output"].tolist() == names["twin"].tolist()
        assert names["output"].size == n["outside"] and (names["output"] == n["inside"]).all()
        assert names["flops"] == n["flops"] and names["view"].size * 4 == n["bytes"]
        assert np.isclose(names["view"].size / names["input"].size, n["ratio"])
        assert ("contract" in shown[0]) == (summed == "ikl")
