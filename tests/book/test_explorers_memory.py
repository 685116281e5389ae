"""MemoryExplorer in a browser: its view is NumPy's and PyTorch's, and what lies outside is named."""

from __future__ import annotations

import re

import numpy as np
import torch

import convlib
from convlib.explorers import MemoryExplorer
from convlib.explorers.memory import PRESETS

from explorer_page import open_explorers, run_states  # noqa: F401

ELEMENT = "document.querySelector('.cw-explorer')"
SENTENCE = ".cw-sentence"


def draw(rng: np.random.Generator) -> dict:
    """A state: often a view that nearly fits, in whole elements or not, else anything."""
    size, axes = int(rng.choice([1, 2, 4, 8])), int(rng.integers(1, 5))
    shape = []
    while not shape or np.prod(shape) > 64:
        shape = [int(rng.integers(1, 13 if axes < 3 else 6)) for _ in range(axes)]
    unit = size if rng.random() < 0.6 else 1
    reach = rng.choice([1, 3, 48 // unit])
    low = 0 if rng.random() < 0.6 else -reach
    strides = [int(unit * rng.integers(low, reach + 1)) for _ in range(axes)]
    offset = int(rng.integers(0, 64)) if min(strides) < 0 or rng.random() < 0.3 else 0
    offset -= offset % unit
    need = offset + sum((n - 1) * max(s, 0) for n, s in zip(shape, strides, strict=True)) + size
    buffer = int(np.clip(need + rng.integers(-2, 9), 1, 64))
    return {
        "preset": "custom", "shape": shape, "strides": strides, "buffer": buffer, "itemsize": size,
        "offset": offset, "index": [int(rng.integers(12)) for _ in range(axes)],
    }  # fmt: skip


def owned(buffer: int, size: int) -> np.ndarray:
    count = buffer // size
    return np.arange(count, dtype=f"<i{size}") * (10 if size > 1 else 1)


def test_400_random_views_agree_with_numpy_and_pytorch(open_explorers):  # noqa: F811
    rng = np.random.default_rng(4)
    states = [draw(rng) for _ in range(400)]
    page = open_explorers(MemoryExplorer())
    inside = refused = twins = 0
    for state, (n, sentence, shown, bad) in zip(states, run_states(page, states), strict=True):
        assert not bad, (state, bad)
        shape, strides, size, start = (
            state[key] for key in ("shape", "strides", "itemsize", "offset")
        )
        numbers = owned(state["buffer"], size)
        memory = numbers.tobytes().ljust(state["buffer"], b"\0")
        assert bytes(n["memory"]) == memory and n["owned"] == numbers.tolist()
        index = tuple(min(i, m - 1) for i, m in zip(state["index"], shape, strict=True))
        assert tuple(n["index"]) == index
        # Each element's address, from NumPy: a view of the addresses themselves, with room around.
        room = 3000
        ground = np.arange(-room, room, dtype=np.int16).astype("<i8")
        where = np.ndarray(
            shape, "<i8", ground.tobytes(), 8 * (room + start), [8 * step for step in strides]
        )
        assert n["offsets"] == where.ravel().tolist()
        assert n["at"] == where[index]
        assert shown >= len(numbers) + 2 * len(shape)
        shared = np.flatnonzero(abs(where.ravel() - where[index]) < size).tolist()
        assert n["shared"] == shared
        try:  # this way to make a view asks first whether the bytes are there
            view = np.ndarray(shape, f"<i{size}", memory, start, strides)
        except ValueError:
            view = None
        assert (view is None) == bool(n["outside"])
        assert (view is None) == (" outside, the first at index " in sentence)
        flat = where.ravel()
        outside = np.flatnonzero((flat < 0) | (flat + size > len(memory))).tolist()
        assert n["outside"] == outside
        if view is None:
            refused += 1
            first = ", ".join(map(str, np.unravel_index(outside[0], shape)))
            comma = "," if len(shape) == 1 else ""
            assert f"the first at index ({first}{comma})." in sentence
            assert f"{len(outside)} of {flat.size} element" in sentence
        else:
            inside += 1
            assert [int(v) for v in n["values"]] == view.ravel().tolist()
            assert int(n["value"]) == view[index]
        # How many elements read each byte: every element adds one to the bytes where it lies.
        reads = np.zeros(len(memory), int)
        for o in flat[(flat >= 0) & (flat + size <= len(memory))]:
            reads[o : o + size] += 1
        assert n["reads"] == reads.tolist()
        assert n["used"] == (reads > 0).sum() and n["unread"] == np.flatnonzero(reads == 0).tolist()
        assert ("Never read" in sentence) == bool((reads == 0).any())
        if start % size or any(step % size or step < 0 for step in strides):
            continue
        twins += 1
        try:
            twin = torch.as_strided(
                torch.from_numpy(numbers), shape, [step // size for step in strides], start // size
            )
        except RuntimeError:
            assert n["outside"]
        else:
            assert [int(v) for v in n["values"]] == twin.flatten().tolist()
    assert inside > 100 and refused > 100 and twins > 100


def test_presets_are_pythons_and_say_what_they_are_for(open_explorers):  # noqa: F811
    page = open_explorers(MemoryExplorer())
    for name in PRESETS:
        page.get_by_role("radio", name=name, exact=True).check(force=True)
        assert page.evaluate(f"{ELEMENT}.cwState()") == MemoryExplorer(name).state()
        sentence = page.locator(SENTENCE).text_content()
        assert ("outside" in sentence) == (name == "too far")
    x = owned(16, 2)
    for name, (s, d) in {
        "windows": (1, 1), "windows with stride": (2, 1), "windows with dilation": (1, 2),
    }.items():  # fmt: skip
        view = convlib.windows(x, 3, stride=s, dilation=d)
        assert ([*view.shape], [*view.strides]) == PRESETS[name][:2]
    view = convlib.windows(owned(32, 2).reshape(4, 4), (3, 3))
    assert ([*view.shape], [*view.strides]) == PRESETS["windows in 2-d"][:2]


def test_an_index_outside_is_named_and_crossed_out(open_explorers):  # noqa: F811
    page = open_explorers(MemoryExplorer())
    assert page.locator(SENTENCE).text_content() == (
        "Element (2, 1) is read from bytes 6 and 7. So are (1, 2), (3, 0): stored once, shown 3 "
        "times. In all, 18 elements of 2 bytes live in 16 bytes."
    )
    outside = page.get_by_role("grid", name="Memory").locator(".cw-c-outside")
    assert outside.count() == 0
    page.get_by_label("Axis 0: size").press("ArrowRight")
    assert "1 of 21 elements lies outside, the first at index (6, 2)." in (
        page.locator(SENTENCE).text_content()
    )
    assert outside.count() == 2  # the bytes of one element
    page.get_by_role("gridcell", name="element (6, 2): outside, byte 16").hover()
    assert page.locator(SENTENCE).text_content() == (
        "Element (6, 2) would be read from bytes 16 and 17, but the buffer ends with byte 15. "
        "as_strided would go there. 1 of 21 elements lies outside, the first at index (6, 2)."
    )
    assert page.evaluate(f"{ELEMENT}.cwState().preset") == "custom"
    page.get_by_label("Start").fill("95")
    assert re.search(r"21 of 21 elements lie outside.* Never read: bytes 0 to 15\.", page.content())


def test_bytes_and_elements_answer_to_mouse_keys_and_touch(open_explorers):  # noqa: F811
    page = open_explorers(MemoryExplorer())
    page.get_by_role("grid", name="View").locator("[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate(f"{ELEMENT}.cwState().index") == [4, 2]
    assert page.locator(".cw-mark.cw-kernel").count() == 3  # two bytes, one element
    page.get_by_role("gridcell", name="byte 3", exact=True).hover()
    assert (
        page.locator(SENTENCE)
        .text_content()
        .startswith("Element (0, 1) is read from bytes 2 and 3.")
    )
    page.get_by_role("gridcell", name="byte 2", exact=True).press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{ELEMENT}.cwState().index") == [0, 2]
    touch = open_explorers(MemoryExplorer("windows in 2-d"), width=390, touch=True)
    cell = touch.get_by_role("gridcell", name="element (1, 1, 0, 0):")
    assert min(cell.bounding_box()[side] for side in ("width", "height")) >= 24
    cell.tap()
    assert (
        "Element (1, 1, 0, 0) is read from bytes 10 and 11."
        in touch.locator(SENTENCE).text_content()
    )
    touch.get_by_label("Axis 3: size").press("ArrowLeft")
    assert touch.evaluate(f"{ELEMENT}.cwState().shape") == [2, 2, 3, 2]


def test_code_runs_and_gives_the_numbers_shown(open_explorers):  # noqa: F811
    rng = np.random.default_rng(5)
    presets = [MemoryExplorer(name).state() for name in PRESETS]
    states = presets + [draw(rng) for _ in range(60)]
    page = open_explorers(MemoryExplorer())
    ran = raised = ours = 0
    what = "[el.cwNumbers(), el.cwCode()]"
    for (n, code), *_ in run_states(page, states, what):
        names: dict = {}
        for (title, text), error in zip(code, (ValueError, RuntimeError), strict=True):
            ours += "convlib.windows(" in text
            if not n["outside"]:
                exec(text, names)
                continue
            assert error.__name__ in text or "no twin" in text, text
            try:
                exec(text, names)
            except error:
                raised += 1
            else:
                assert "no twin" in text, (title, text)
        for name in ("view", "twin"):
            if name in names:
                ran += 1
                assert names[name].ravel().tolist() == [int(v) for v in n["values"]]
    assert ran > 40 and raised > 20 and ours >= 4
