"""KernelPlayground in a browser: the filtered photographs are PyTorch's, pixel by pixel."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import convlib
from convlib.explorers import KernelPlayground
from convlib.explorers.playground import PRESETS, photograph

from explorer_page import open_explorers, run_states, too_wide  # noqa: F401

MODES = ["zeros", "reflect", "replicate", "circular"]
ELEMENT = "document.querySelector('.cw-explorer')"
NUMBERS = "el.cwNumbers()"


def random_states(count: int, seed: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    states = []
    for _ in range(count):
        k = int(rng.choice([1, 3, 5]))
        kind = rng.integers(4)
        if kind == 0:
            kernel = PRESETS[str(rng.choice(list(PRESETS)))]
        elif kind == 1:
            kernel = rng.normal(size=(k, k)).tolist()
        else:
            kernel = rng.integers(-3, 4, (k, k)).tolist()
            if kind == 2:  # the weights cancel
                kernel[0][0] -= sum(map(sum, kernel))
        states.append(
            {
                "kernel": kernel,
                "stride": int(rng.integers(1, 5)),
                "dilation": int(rng.integers(1, 5)),
                "padding_mode": MODES[int(rng.integers(4))],
                "row": int(rng.integers(128)),
                "column": int(rng.integers(128)),
            }
        )
    return states


def pixels(image: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(image), np.uint8).reshape(128, 128).astype(float)


@pytest.mark.parametrize("image", ["photograph", "noise"])
def test_random_settings_agree_with_pytorch_and_convlib(open_explorers, image):  # noqa: F811
    rng = np.random.default_rng(4)
    noise = base64.b64encode(rng.integers(0, 256, 128 * 128, np.uint8).tobytes()).decode()
    source = photograph() if image == "photograph" else noise
    photo = pixels(source)
    page = open_explorers(KernelPlayground(image=source))
    signed = 0
    for start in range(0, 130, 26):  # a photograph is many numbers: 26 settings a call
        states = random_states(26, 100 + start)
        for state, (n, sentence, shown, bad) in zip(
            states, run_states(page, states, NUMBERS), strict=True
        ):
            assert not bad, (state, bad)
            weight = np.array(state["kernel"], float)
            k, s, d = len(weight), state["stride"], state["dilation"]
            p = d * (k - 1) // 2
            mode = {"zeros": "constant"}.get(state["padding_mode"], state["padding_mode"])
            sides = (p, p, p, p)
            padded = F.pad(torch.tensor(photo)[None, None], sides, mode=mode)
            theirs = F.conv2d(padded, torch.tensor(weight)[None, None], stride=s, dilation=d)
            ours = convlib.conv2d(
                convlib.pad(photo[None, None], sides, mode=mode), weight[None, None],
                stride=s, dilation=d,
            )  # fmt: skip
            expected, m = theirs[0, 0].numpy(), theirs.shape[2]
            output = np.array(n["output"])
            np.testing.assert_allclose(output, expected, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(ours[0, 0], expected, rtol=1e-9, atol=1e-9)
            assert (n["m"], n["p"], n["span"]) == (m, p, d * (k - 1) + 1)
            np.testing.assert_allclose(
                (n["low"], n["high"]), (expected.min(), expected.max()), atol=1e-9
            )
            r, c = min(state["row"], m - 1), min(state["column"], m - 1)
            assert (n["row"], n["column"]) == (r, c) and n["value"] == output[r, c]
            window = padded[0, 0, r * s : r * s + n["span"] : d, c * s : c * s + n["span"] : d]
            assert n["window"] == window.tolist()
            assert shown == k * k + 6
            np.testing.assert_allclose((window.numpy() * weight).sum(), n["value"], atol=1e-9)
            total = weight.sum()
            np.testing.assert_allclose(n["total"], total, atol=1e-8)
            assert n["signed"] == (abs(total) < 1e-6)
            signed += n["signed"]
            if n["signed"]:
                assert -n["black"] == n["white"] == max(np.abs(output).max(), 1e-9)
                assert "becomes 0, drawn in grey" in sentence and n["cut"] == 0
            else:
                assert (n["black"], n["white"]) == (0, 255)
                assert n["cut"] == ((output < 0) | (output > 255)).sum()
                assert ("below black or above white" in sentence) == bool(n["cut"])
            assert f"Output ({r}, {c}) is " in sentence
    assert signed > 20


@pytest.mark.parametrize("state", random_states(6, 3))
def test_the_canvas_holds_the_outputs(open_explorers, state):  # noqa: F811
    page = open_explorers(KernelPlayground(**state))
    photo, drawn = page.evaluate(
        """() => [...document.querySelectorAll('canvas')].map((canvas) =>
          Array.from(canvas.getContext('2d').getImageData(0, 0, 128, 128).data))"""
    )
    photo, drawn = (np.array(one).reshape(128, 128, 4) for one in (photo, drawn))
    assert (photo[..., 0] == pixels(photograph())).all() and (photo[..., 3] == 255).all()
    n = page.evaluate(f"(() => {{ const el = {ELEMENT}; return {NUMBERS}; }})()")
    m = n["m"]
    output = np.array(n["output"])
    grey = 255 * (output - n["black"]) / (n["white"] - n["black"])
    grey = np.floor(grey + 0.5).clip(0, 255)
    assert (drawn[:m, :m, :3] == grey[..., None]).all()
    assert (drawn[..., 3] > 0).sum() == m * m


def test_presets_are_pythons(open_explorers):  # noqa: F811
    page = open_explorers(KernelPlayground())
    for name, rows in PRESETS.items():
        page.get_by_label(name, exact=True).check()
        kernel = page.evaluate(f"{ELEMENT}.cwState().kernel")
        np.testing.assert_allclose(kernel, rows, rtol=1e-15)
        fresh = open_explorers(KernelPlayground(kernel=name))
        assert fresh.get_by_label(name, exact=True).is_checked()


def test_weights_are_typed(open_explorers):  # noqa: F811
    page = open_explorers(KernelPlayground(kernel="identity"))
    weight = page.get_by_label("Weight in row 0, column 2")
    state = f"{ELEMENT}.cwState().kernel"
    for words, value in (("2", 2), ("-1.5", -1.5), ("1e-3", 1e-3), ("-100", -100), ("0.25", 0.25)):
        weight.fill(words)
        assert page.evaluate(state) == [[0, 0, value], [0, 1, 0], [0, 0, 0]], words
        assert weight.input_value() == words  # what is being typed stays
    for words in ("", "101", "-1e9"):
        weight.fill(words)
        assert weight.evaluate("node => node.matches(':invalid')"), words
        assert page.evaluate(state)[0][2] == 0.25
    page.get_by_label("Weight in row 1, column 1").focus()
    assert weight.input_value() == "0.25"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(state)[1] == [0, 2, 0]
    assert page.get_by_label("Weight in row 1, column 1").input_value() == "2"
    page.get_by_label("5 × 5").check()
    assert np.array(page.evaluate(state))[1:4, 1:4].tolist() == [[0, 0, 0.25], [0, 2, 0], [0, 0, 0]]
    page.get_by_label("1 × 1").check()
    assert page.evaluate(state) == [[2]]


@pytest.mark.parametrize("state", random_states(4, 9))
def test_code_runs_and_gives_the_numbers_shown(open_explorers, state):  # noqa: F811
    page = open_explorers(KernelPlayground(**state))
    page.get_by_role("button", name="Code").click()
    shown = page.locator("pre").all_text_contents()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(shown)
    names: dict = {}
    exec("\n".join(shown), names)
    output = page.evaluate(f"{ELEMENT}.cwNumbers().output.flat()")
    for found in (names["output"], names["twin"]):
        np.testing.assert_allclose(np.ravel(found[0, 0]), output, rtol=1e-9, atol=1e-9)


def test_own_photograph_stays_in_the_page(open_explorers):  # noqa: F811
    """A foreign request would fail in open_explorers; the policy allows none either."""
    page = open_explorers(KernelPlayground(kernel="identity"))
    own = np.zeros((128, 200, 3), np.uint8)  # wider than high: the middle square is taken
    own[:, 36:164] = np.random.default_rng(1).integers(0, 256, (128, 128, 3))
    file = io.BytesIO()
    Image.fromarray(own).save(file, "PNG")
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": file.getvalue()})
    page.wait_for_function(f"() => {ELEMENT}.cwNumbers().own")
    seen = pixels(page.evaluate(f"{ELEMENT}.cwState().image"))
    expected = own[:, 36:164] @ [0.299, 0.587, 0.114]
    assert np.abs(seen - expected).max() <= 0.51
    page.get_by_role("button", name="Code").click()
    assert "yours" in page.locator("pre").first.text_content()
    page.get_by_role("button", name="Link").click()
    assert "image" not in page.evaluate("navigator.clipboard.readText()")
    chooser.set_input_files({"name": "x.txt", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_text("not a picture").wait_for()
    assert (pixels(page.evaluate(f"{ELEMENT}.cwState().image")) == seen).all()
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(f"{ELEMENT}.cwState().image") == photograph()


def test_keyboard_mouse_and_touch_move_the_window(open_explorers):  # noqa: F811
    where = f"(({{ row, column }}) => [row, column])({ELEMENT}.cwState())"
    page = open_explorers(KernelPlayground(row=10, column=10, stride=2))
    picture = page.get_by_role("group", name="Output: the arrow keys move the window")
    picture.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "PageDown"):
        page.keyboard.press(key)
    assert page.evaluate(where) == [28, 11]
    page.keyboard.press("End")
    assert page.evaluate(where) == [28, 63]
    photos = page.locator(".cw-photo")
    box = photos.nth(0).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 40.5 / 128, box["y"] + box["height"] * 20.5 / 128)
    assert page.evaluate(where) == [10, 20]
    touch = open_explorers(KernelPlayground(), width=390, touch=True)
    picture = touch.locator(".cw-photo").nth(1)
    size = picture.bounding_box()["width"]
    picture.tap(position={"x": size / 2, "y": size / 4})
    row, column = touch.evaluate(where)
    assert abs(row - 32) <= 1 and abs(column - 64) <= 1


@pytest.mark.parametrize("width", [390, 1280])
def test_all_kernels_fit_the_page(open_explorers, width):  # noqa: F811
    page = open_explorers(KernelPlayground(), width=width)
    assert not too_wide(page, random_states(40, 11))
