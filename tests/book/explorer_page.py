"""Explorers in a bare page, in Chromium: faster than the book, and as strict as a page can be.

The page holds what the book would hold (the HTML of the objects, explorers.css, explorers.js) and is
served under a Content-Security-Policy that allows no inline script, no inline style, no eval, no blob.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from convlib.explorers import _bundle, block

from browser import ARGUMENTS, find_browser

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:"


@contextlib.contextmanager
def browser() -> Iterator:
    """Start Chromium, for a look at an explorer outside of pytest."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = find_browser(playwright)
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


def write_page(folder: Path, *explorers, theme: str = "light", script: bool = True) -> Path:
    """Write index.html with the explorers' HTML, and the two files it links to."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "explorers.css").write_text(_bundle.style(), "utf8")
    (folder / "page.css").write_text(
        "body{margin:0;padding:12px 16px;max-width:880px;color:var(--cw-text)}"
        "@media screen{body{background:var(--cw-surface)}}",
        "utf8",
    )
    (folder / "explorers.js").write_text(_bundle.script(), "utf8")
    body = "".join(explorer._repr_html_() for explorer in explorers)
    tag = '<script src="explorers.js" defer></script>' if script else ""
    page = folder / "index.html"
    page.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        "<title>Explorers</title>"
        '<link rel="stylesheet" href="explorers.css"><link rel="stylesheet" href="page.css">'
        f"{tag}</head><body><main><h1>Explorers</h1>{body}</main>{block(body)}</body></html>",
        "utf8",
    )
    return page


class _Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder under the strict policy; yields its address."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


@pytest.fixture
def open_explorers(chromium, tmp_path) -> Iterator:
    """open_explorers(*explorers, width=…, theme=…, touch=…, fragment=…) → a page with them mounted.

    Whatever the console or the policy complains about fails the test at its end.
    """
    complaints: list[str] = []
    with contextlib.ExitStack() as stack:

        def open_(
            *explorers, width=1280, height=1000, theme="light", touch=False, fragment="", script=True,
            reduced_motion="reduce",
        ):  # fmt: skip
            folder = tmp_path / f"page{len(list(tmp_path.iterdir()))}"
            write_page(folder, *explorers, theme=theme, script=script)
            address = stack.enter_context(served(folder))
            context = chromium.new_context(
                viewport={"width": width, "height": height}, has_touch=touch,
                reduced_motion=reduced_motion, permissions=["clipboard-read", "clipboard-write"],
            )  # fmt: skip
            stack.callback(context.close)
            page = context.new_page()
            page.on(
                "console", lambda m: m.type in ("error", "warning") and complaints.append(m.text)
            )
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "request",
                lambda r: (
                    r.url.startswith((address.rsplit("/", 1)[0], "data:"))
                    or complaints.append(f"foreign request: {r.url}")
                ),
            )
            page.goto(address + fragment)
            if script:
                page.wait_for_function(
                    "n => document.querySelectorAll('.cw-explorer[data-ready]').length == n",
                    arg=sum(type(e)._explorer in _bundle.names() for e in explorers),
                )
            return page

        yield open_
    assert not complaints, complaints[:3]


# Compares each number in the page with its place in cwNumbers(): [how many, the ones that differ].
SHOWN = """el => {
  const bad = [], shown = el.querySelectorAll('[data-n]'), all = el.cwNumbers();
  for (const node of shown) {
    const value = node.dataset.n.split('.').reduce((part, key) => part?.[key], all);
    const words = node.textContent.replace(/[()\\u202f]/g, '').replace('−', '-');
    const near = Math.abs(Number(words) - value) <= 0.00501;
    if (typeof value === 'number' ? !near : node.textContent !== String(value))
      bad.push([node.dataset.n, node.textContent, value]);
  }
  return [shown.length, bad];
}"""


def run_states(page, states: list[dict], what: str = "el.cwNumbers()", index: int = 0) -> list:
    """Set each state in turn, all in one call; returns [what, sentence, numbers shown, differing]."""
    return page.evaluate(
        f"""([states, index]) => {{
          const el = document.querySelectorAll('.cw-explorer')[index], shown = {SHOWN};
          return states.map((state) => {{
            el.cwSet(state);
            return [{what}, el.querySelector('.cw-sentence').textContent, ...shown(el)];
          }});
        }}""",
        [states, index],
    )


def too_wide(page, states: list[dict]) -> list[dict]:
    """The states in which the page is wider than its window."""
    return page.evaluate(
        """states => states.filter((state) => {
          document.querySelector('.cw-explorer').cwSet(state);
          return document.documentElement.scrollWidth > innerWidth;
        })""",
        states,
    )
