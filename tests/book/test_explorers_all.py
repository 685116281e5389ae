"""What every explorer keeps to, in Chromium, under a strict Content-Security-Policy."""

from __future__ import annotations

import json
import random
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

import convlib.explorers as explorers
from convlib.explorers import _bundle

from explorer_page import SHOWN, open_explorers, run_states, write_page  # noqa: F401

CLASSES = [
    getattr(explorers, name)
    for name in explorers.__all__
    if name.endswith(("Explorer", "Playground")) and name != "Explorer"
]
LIVE = [cls for cls in CLASSES if cls._explorer in _bundle.names()]
live = pytest.mark.parametrize("cls", LIVE)
# What a setting may be given: some of them take it, most do not.
GOOD_AND_BAD = [
    -49, -4, -3, -1, 0, 1, 2, 3, 4, 6, 8, 11, 14, 16, 40, 64, 65, 127, 2.5, True, None, "", "same", "ikl",
    "ii", "x", "reflect", "input", "counts", "custom", "rows", "AAAA", [], [1], [2, 1], [8, 8], [8, 9],
    [48, -48], [1, 2, 3, 4], [1, 1, 1, 1, 1], [0], [2.5], ["1"], [[1]], [[0.5]], [[101]], [[1, 2], [3, 4]],
    [[0] * 3] * 3, [[0] * 3] * 2, [[0] * 5] * 5, [["x"] * 3] * 3, {}, {"kernel_size": 3},
    [{"kernel_size": 3, "stride": 1, "padding": 0, "dilation": 1}],
    [{"kernel_size": 9, "stride": 1, "padding": 0, "dilation": 1}],
    [{"kernel_size": 3, "stride": 1, "padding": 0, "dilation": 1}] * 5,
]  # fmt: skip
ELEMENT = "document.querySelector('.cw-explorer')"


@live
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_mounts_fits_and_shows_its_numbers(open_explorers, cls, width, theme):  # noqa: F811
    page = open_explorers(cls(), width=width, theme=theme)
    count, bad = page.evaluate(f"({SHOWN})({ELEMENT})")
    assert count > 0 and not bad
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".cw-still").count() == 0
    assert page.locator(".cw-sentence").text_content()
    results = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [v for v in results if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], v["nodes"][0]["html"][:200]) for v in serious]


# Each explorer's grids: every cell as it is seen and heard, and the frames over them.
SEEN = """explorer => [...explorer.querySelectorAll('.cw-board')].map((board) => [
  board.parentElement.hidden || [
    board.dataset.first, board.style.cssText, board.querySelector('.cw-grid').ariaLabel,
    [...board.querySelectorAll('.cw-cell')].map((cell) =>
      [cell.textContent, ...[...cell.attributes].map((a) => a.name + '=' + a.value).sort()].join(' ')),
    [...board.querySelectorAll('.cw-mark')].map((mark) => mark.className + mark.style.gridArea),
  ]])"""
GRIDS = [cls for cls in LIVE if cls not in (explorers.StrideExplorer, explorers.EinsumExplorer)]


@pytest.mark.parametrize("cls", GRIDS)
def test_a_used_grid_looks_as_a_new_one(open_explorers, cls):  # noqa: F811
    """Cells stay where they are from one state to the next: nothing of the last may be left."""
    used = open_explorers(cls())
    rules = used.evaluate(f"{ELEMENT}.cwSpec.settings")
    draw = random.Random(1)
    states, seen = [], []
    for _ in range(40):
        patch = {}
        for key, rule in rules.items():
            if draw.random() < 0.4 and "words" in rule:
                patch[key] = draw.choice(rule["words"])
            elif draw.random() < 0.4 and "from" in rule and not rule.get("real"):
                patch[key] = draw.randint(max(rule["from"], -3), min(rule["to"], 12))
        used.evaluate(f"patch => {ELEMENT}.cwSet(patch)", patch)
        states.append(used.evaluate(f"{ELEMENT}.cwState()"))
        seen.append(used.evaluate(f"({SEEN})({ELEMENT})"))
    fresh = []
    for state in states:
        explorer = cls()
        for key, value in state.items():
            setattr(explorer, key, value)
        fresh.append(explorer)
    new = open_explorers(*fresh)
    shown = new.evaluate(f"[...document.querySelectorAll('.cw-explorer')].map({SEEN})")
    assert len(shown[0]) > 0
    for state, before, after in zip(states, seen, shown, strict=True):
        assert before == after, state


@pytest.mark.parametrize("cls", GRIDS)
def test_a_window_made_narrow_looks_as_a_narrow_one(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls())
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    narrow = page.evaluate(f"({SEEN})({ELEMENT})")
    assert narrow == open_explorers(cls(), width=390).evaluate(f"({SEEN})({ELEMENT})")


@live
def test_settings_are_pythons(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls())
    keys = page.evaluate(f"Object.keys({ELEMENT}.cwSpec.settings)")
    assert keys == list(cls._settings)
    assert page.evaluate(f"{ELEMENT}.cwState()") == cls().state()
    # The page takes what Python takes, and refuses what Python refuses.
    tried = [(key, value) for key in keys for value in GOOD_AND_BAD]
    kept = page.evaluate(
        """([tried, start]) => tried.map(([key, value]) => {
          const el = document.querySelector('.cw-explorer');
          el.cwSet({ [key]: value });
          const now = el.cwState()[key];
          el.cwSet(start);
          return now;
        })""",
        [tried, cls().state()],
    )
    for (key, value), now in zip(tried, kept, strict=True):
        plain = value is not None and not isinstance(value, bool)
        took = plain and getattr(cls, key).check(value) == value
        assert (json.dumps(now) == json.dumps(value)) == took, (key, value)


@live
def test_link_reopens_the_state(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls(), cls())
    second = page.locator(".cw-explorer").nth(1)
    slider = second.locator("input[type=range]").first
    if slider.count():
        slider.press("ArrowRight")
    state = page.evaluate("document.querySelectorAll('.cw-explorer')[1].cwState()")
    second.get_by_role("button", name="Link").click()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == page.url and f"#cw-{cls._explorer}-2?" in address
    again = open_explorers(cls(), cls(), fragment=address[address.index("#") :])
    assert again.evaluate("document.querySelectorAll('.cw-explorer')[1].cwState()") == state
    assert again.evaluate("document.querySelectorAll('.cw-explorer')[0].cwState()") == cls().state()


@live
def test_bad_links_are_left_alone(open_explorers, cls):  # noqa: F811
    for words in ("=1&=2", "x=1", "&".join(f"{k}=%3Cimg%20src=x%3E" for k in cls._settings),
                  "&".join(f"{k}=1e9" for k in cls._settings), "__proto__=1&constructor=2"):  # fmt: skip
        page = open_explorers(cls(), fragment=f"#cw-{cls._explorer}?{words}")
        assert page.evaluate(f"{ELEMENT}.cwState()") == cls().state()
        assert page.locator(".cw-explorer img").count() == 0


@live
def test_reset_code_and_focus(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls())
    page.get_by_role("button", name="Code").click()
    assert all("convlib" in t or "torch" in t for t in page.locator("pre").all_text_contents())
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(f"{ELEMENT}.cwState()") == cls().state()
    for _ in range(40):  # every stop of the Tab key can be seen
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => {
          const node = document.activeElement;
          if (node === document.body) return 'left';
          const look = getComputedStyle;
          const ring = (n) => n && n.isConnected && look(n).outlineStyle !== 'none'
            && parseFloat(look(n).outlineWidth) >= 2;
          return ring(node) || ring(node.nextElementSibling) ? 'ring' : node.outerHTML;
        }""")
        if seen == "left":
            break
        assert seen == "ring", seen


@live
def test_model_syncs_both_ways_as_in_jupyter(open_explorers, cls):  # noqa: F811
    """The module that anywidget gets, with a model that stands for Python's."""
    page = open_explorers(cls())
    changed = {"view": "input"} if cls is explorers.WindowExplorer else {}
    state = {**cls().state(), **changed}
    spec = cls().spec
    page.route(
        "**/module.js",
        lambda route: route.fulfill(
            body=_bundle.module(cls._explorer), content_type="text/javascript"
        ),
    )
    result = page.evaluate(
        """async ([start, spec]) => {
          const { default: module } = await import('./module.js');
          const state = { ...JSON.parse(start), spec }, heard = {}, log = { sets: {}, saves: 0 };
          const model = {
            get: (k) => state[k],
            set: (k, v) => { state[k] = v; log.sets[k] = v; heard[`change:${k}`]?.(); },
            save_changes: () => { log.saves++; },
            on: (k, f) => { heard[k] = f; }, off: (k) => { delete heard[k]; },
          };
          const el = document.createElement('div');
          document.querySelector('main').append(el);
          const end = module.render({ model, el });
          const first = JSON.stringify(el.cwState());
          const links = [...el.querySelectorAll('button')].map((b) => b.textContent);
          const slider = el.querySelector('input[type=range]');
          if (slider) {
            slider.value = +slider.value + (slider.value > slider.min ? -1 : 1);
            slider.dispatchEvent(new Event('input'));
          }
          await new Promise((done) => setTimeout(done, 250));
          const key = Object.keys(log.sets)[0], text = el.textContent;
          if (key) { state[key] = JSON.parse(start)[key]; heard[`change:${key}`](); }
          await new Promise((done) => setTimeout(done, 50));
          const back = el.textContent;
          end();
          return { first, log, links, text, back, left: Object.keys(heard).length, slider: !!slider };
        }""",
        [json.dumps(state), spec],
    )
    assert json.loads(result["first"]) == state
    assert "Link" not in result["links"]
    assert result["left"] == 0
    if result["slider"]:
        assert result["log"]["sets"] and result["log"]["saves"] == 1
        assert result["text"] != result["back"]


@pytest.mark.parametrize("cls", CLASSES)
def test_still_picture_without_javascript_and_on_paper(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls(), script=False, width=390)
    assert page.locator(".cw-still svg").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(media="print")
    assert page.locator(".cw-still svg").is_visible()


@live
def test_paper_shows_the_figure_without_controls(open_explorers, cls):  # noqa: F811
    page = open_explorers(cls(), theme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".cw-bar").is_visible()
    assert page.locator(".cw-body").is_visible()
    assert (
        page.evaluate(f"getComputedStyle({ELEMENT}).getPropertyValue('--cw-surface')") == "#ffffff"
    )


def test_all_on_one_page_from_a_file(chromium, tmp_path):
    page, errors = chromium.new_page(), []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(write_page(tmp_path, *(cls() for cls in CLASSES)).as_uri())
    page.wait_for_function(f"() => document.querySelectorAll('[data-ready]').length == {len(LIVE)}")
    assert not errors
    page.close()


@live
def test_a_page_costs_under_100_ms_of_script(chromium, tmp_path, cls):
    page = chromium.new_page()
    page.goto(write_page(tmp_path, cls()).as_uri())
    metrics, spent = page.context.new_cdp_session(page), []
    metrics.send("Performance.enable")
    for _ in range(5):
        page.reload()
        page.wait_for_selector("[data-ready]")
        found = {m["name"]: m["value"] for m in metrics.send("Performance.getMetrics")["metrics"]}
        spent.append(found["ScriptDuration"])
    print(f"{cls.__name__}: {1000 * min(spent):.0f} ms of script")
    assert min(spent) < 0.1
    page.close()


def test_words_of_a_state_never_become_html(chromium, tmp_path):
    """A state that was tampered with in the page's source stays text."""
    page = chromium.new_page()
    file = write_page(tmp_path, explorers.WindowExplorer())
    evil = "&lt;img src=x onerror=window.hit=1&gt;"
    text = re.sub(
        r"&quot;view&quot;: &quot;output&quot;",
        f"&quot;view&quot;: &quot;{evil}&quot;",
        file.read_text(),
    )
    assert evil in text
    file.write_text(text)
    page.goto(file.as_uri())
    page.wait_for_selector(".cw-explorer")
    page.wait_for_timeout(200)
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hit") is None
    page.close()
