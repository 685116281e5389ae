"""The Python side of the explorers: colours, settings, refusals, the HTML that a page stores."""

from __future__ import annotations

import html.parser
import itertools
import json
import re

import numpy as np
import pytest
import torch

import convlib.explorers as explorers
from convlib.explorers import _bundle

CLASSES = [
    getattr(explorers, name)
    for name in explorers.__all__
    if name.endswith(("Explorer", "Playground")) and name != "Explorer"
]
ROLES = ["input", "kernel", "output", "gradient", "unused"]


def blocks() -> list[dict[str, str]]:
    """The three blocks of tokens.css: light, dark by the page, dark by the system."""
    text = (_bundle.STATIC / "tokens.css").read_text("utf8")
    found = re.findall(r"\{([^{}]*--cw-[^{}]*)\}", text)
    return [dict(re.findall(r"--cw-([a-z-]+):\s*(#[0-9a-f]{6})", block)) for block in found]


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.array(to_xyz) @ rgb / [0.9505, 1, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira and Fernandes (2009), full strength, on linear sRGB.
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def test_both_dark_blocks_are_equal():
    light, by_page, by_system = blocks()
    assert by_page == by_system
    assert light.keys() == by_page.keys() >= {*ROLES, "text", "muted", "surface", "line", "focus"}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(theme):
    tokens = blocks()[theme]
    for role in [*ROLES, "outside", "text", "muted"]:
        grounds = ["surface", "panel"]
        grounds += [f"{r}-soft" for r in (*ROLES, "outside") if role in (r, "text", "muted")]
        for ground in grounds:
            assert contrast(tokens[role], tokens[ground]) >= 4.5, (role, ground)
    assert contrast(tokens["focus"], tokens["surface"]) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_stay_apart_for_colour_blind_readers(theme, blindness):
    tokens, matrix = blocks()[theme], np.array(BLINDNESS[blindness])
    seen = {role: lab((matrix @ linear(tokens[role])).clip(0, 1)) for role in ROLES}
    for a, b in itertools.combinations(ROLES, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 10, (a, b)


@pytest.mark.parametrize("cls", CLASSES)
def test_html_is_deterministic_and_safe(cls):
    first, second = cls(), cls()
    text = first._repr_html_()
    assert text == second._repr_html_()
    assert repr(first) == repr(second) and " at 0x" not in repr(first)
    seen = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, dict(attrs)))

    Reader().feed(text)
    mount = seen[0][1]
    assert mount["data-explorer"] == cls._explorer
    assert json.loads(mount["data-state"]) == first.state()
    assert not [tag for tag, _ in seen if tag in ("script", "style", "iframe", "link")]
    assert not [attrs for _, attrs in seen if "style" in attrs or "onclick" in attrs]
    picture = next(attrs for tag, attrs in seen if tag == "svg")
    assert picture["aria-label"] and picture["role"] == "img"
    assert "nan" not in text


@pytest.mark.parametrize("cls", CLASSES)
def test_bundle_of_mime_types(cls):
    data, _ = cls()._repr_mimebundle_()
    live = cls._explorer in _bundle.names()
    assert ("application/vnd.jupyter.widget-view+json" in data) == live
    assert data["text/plain"].startswith(f"<{cls.__name__} ")
    assert data["text/html"] == cls()._repr_html_()


@pytest.mark.parametrize("cls", CLASSES)
def test_unknown_settings_are_refused(cls):
    with pytest.raises(
        TypeError, match=f"^{cls.__name__}: no setting named 'colour'; the settings"
    ):
        cls(colour="red")


LIMITED = [
    (cls, key, trait)
    for cls in CLASSES
    for key, trait in vars(cls).items()
    if isinstance(trait, explorers._base.Whole)
]


@pytest.mark.parametrize(("cls", "key", "trait"), LIMITED)
def test_integers_out_of_range_are_refused(cls, key, trait):
    low, high = trait.limits
    other = {"preset": "custom"} if cls is explorers.MemoryExplorer else {}
    for good in (low, high, np.int64(low)):
        made = cls(**other, **{key: good})
        assert type(getattr(made, key)) is int
        made.still()
    for bad in (low - 1, high + 1, low + 0.5, True, None, "3"):
        with pytest.raises(ValueError, match=f"^{cls.__name__}: {key} must be an integer from"):
            cls(**other, **{key: bad})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: explorers.WindowExplorer(view="both"), "view must be one of 'output', 'input'"),
        (lambda: explorers.PaddingExplorer(padding="full"), "an integer from 0 to 5, or 'same'"),
        (lambda: explorers.PaddingExplorer(padding=-1), "an integer from 0 to 5, or 'same'"),
        (lambda: explorers.PaddingExplorer(mode="constant"), "mode must be one of 'zeros'"),
        (lambda: explorers.StrideExplorer(layers=[]), "a list of one to four dicts"),
        (lambda: explorers.StrideExplorer(layers=[{"stride": 0}]), "a list of one to four dicts"),
        (lambda: explorers.StrideExplorer(layers=[{"strides": 2}]), "a list of one to four dicts"),
        (lambda: explorers.MemoryExplorer("window"), "preset must be one of 'windows'"),
        (lambda: explorers.MemoryExplorer("rows", buffer=8), "a preset or buffer, not both"),
        (
            lambda: explorers.MemoryExplorer(shape=[2, 2], strides=[2]),
            "shape and strides must have one length",
        ),
        (lambda: explorers.MemoryExplorer(shape=[0]), "integers from 1 to 12"),
        (lambda: explorers.MemoryExplorer(itemsize=3), "itemsize must be 1, 2, 4 or 8"),
        (lambda: explorers.EinsumExplorer(summed="ix"), "different letters of 'ngohwikl'"),
        (lambda: explorers.EinsumExplorer(summed="ii"), "different letters of 'ngohwikl'"),
        (lambda: explorers.KernelPlayground(kernel="blurry"), "one of 'identity', 'box blur'"),
        (lambda: explorers.KernelPlayground(kernel=[[1, 2], [3, 4]]), "1, 3 or 5 rows"),
        (lambda: explorers.KernelPlayground(kernel=[[float("nan")]]), "1, 3 or 5 rows"),
        (lambda: explorers.KernelPlayground(image="AAAA"), "the base64 of 128"),
    ],
)
def test_other_refusals_are_sentences(make, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        make()
    assert str(caught.value).split(":")[0] in explorers.__all__
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("explorer", "sentence"),
    [
        (
            explorers.WindowExplorer(size=3, kernel_size=4, dilation=2, padding=1),
            "No output: the kernel spans 2·(4 − 1) + 1 = 7 cells, the padded input has 3 + 2·1 = 5.",
        ),
        (explorers.PaddingExplorer(size=3, padding=4, mode="reflect"), "at most 2 cells"),
        (explorers.PaddingExplorer(size=2, padding=0), "the kernel spans 3 cells"),
        (explorers.StrideExplorer(size=3, layers=[{}, {}]), "Layer 2 has no output"),
        (explorers.GroupsExplorer(groups=3), "groups 3 does not divide in_channels 8"),
        (explorers.BackwardExplorer(size=2, padding=0), "No output, so no gradient"),
        (explorers.TransposedExplorer(output_padding=2), "output_padding 2 must be below"),
        (explorers.TransposedExplorer(size=1, padding=3), "= −3 is below 1"),
        (explorers.MemoryExplorer("too far"), "index (6, 2) would read bytes 16 to 17"),
    ],
)
def test_no_output_is_said_not_raised(explorer, sentence):
    picture, words = explorer.still()
    assert sentence in words
    assert "<svg" in picture


def test_a_preset_that_is_set_later_brings_its_settings_along():
    explorer = explorers.MemoryExplorer(shape=[2, 2], itemsize=4, buffer=40)
    assert explorer.preset == "custom" and explorer.strides == [8, 4]
    for name in ("transpose", "too far", "windows in 2-d"):
        explorer.preset = name
        assert explorer.state() == explorers.MemoryExplorer(name).state()
    explorer.preset = "custom"
    assert explorer.shape == [2, 2, 3, 3]
    assert explorers.MemoryExplorer("broadcast", index=[0, 7]).index == [0, 7]


def test_stills_show_pytorchs_numbers():
    rng = np.random.default_rng(0)
    for _ in range(100):
        k, s, p, d = (int(rng.integers(a, b)) for a, b in ((1, 6), (1, 5), (0, 3), (1, 4)))
        explorer = explorers.WindowExplorer(
            size=int(rng.integers(1, 11)), kernel_size=k, stride=s, padding=p, dilation=d,
            row=int(rng.integers(14)), column=int(rng.integers(14)),
        )  # fmt: skip
        x = torch.tensor(explorers._base.toy_input(explorer.size))[None, None].double()
        w = torch.tensor(explorers._base.toy_kernel(k))[None, None].double()
        sentence = explorer.still()[1]
        if d * (k - 1) + 1 > explorer.size + 2 * p:
            assert sentence.startswith("No output")
            continue
        out = torch.nn.functional.conv2d(x, w, stride=s, padding=p, dilation=d)[0, 0]
        r, c = (min(at, len(out) - 1) for at in (explorer.row, explorer.column))
        value = str(int(out[r, c])).replace("-", "−")
        assert f"Output ({r}, {c}) is the sum of {k}·{k} products: {value}." in sentence
        assert f"⌋ + 1 = {len(out)}." in sentence


def test_playgrounds_bitmap_holds_the_pixels():
    pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    address = explorers.playground.bitmap(pixels)
    read = Image.open(BytesIO(b64decode(address.split(",")[1]))).convert("L")
    assert np.array_equal(np.array(read), pixels)


def test_all_javascript_is_small_and_keeps_from_html_and_eval():
    text = _bundle.script()
    assert len(text.encode()) < 93_000
    for danger in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert danger not in text
    assert not [line for line in text.splitlines() if line.startswith(("import ", "export "))]


def test_linker_refuses_nothing_silently(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "one.js").write_text("export const a = 1;\nexport function b() {}\n")
    (tmp_path / "two.js").write_text('import { a, b } from "./lib/one.js";\nexport default a;\n')
    monkeypatch.setattr(_bundle, "STATIC", tmp_path)
    text = _bundle.module("two")
    assert "const { a, b } = cw_lib_one;" in text
    assert "return { a, b };" in text
    assert text.endswith("export default cw_two.default;\n")
