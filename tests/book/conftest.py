"""The browser, the served book, and a page that remembers everything that went wrong in it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from browser import ARGUMENTS, NoBrowser, find_browser
from pages import HTML, toc_pages
from serve import serving

SIZES = {
    "wide": (1280, 900),
    "narrow": (390, 844),
    "slides": (1280, 720),
    "projector": (1920, 1080),
}


@dataclass
class Opened:
    """An open page and what it did that a page of this book must not do."""

    page: object
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return (
            [f"asked another host: {url}" for url in self.foreign]
            + [f"console: {text}" for text in self.errors]
            + [f"not loaded: {url}" for url in self.failed]
        )


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built book, complete."""
    missing = [name for name in toc_pages() if not (HTML / f"{name}.html").is_file()]
    if missing:
        pytest.fail(f"The book is not built ({missing[0]} is missing): run `make html`.", False)
    return HTML


@pytest.fixture(scope="session")
def site(book) -> Iterator[str]:
    """The address under which the built book is served."""
    with serving(book) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a process. Without one the tests fail, they do not skip."""
    with sync_playwright() as playwright:
        try:
            path = find_browser(playwright)
        except NoBrowser as error:
            pytest.fail(str(error), pytrace=False)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, site, book) -> Iterator[Callable[..., Opened]]:
    """Open a page of the book; requests to any other host are recorded and refused."""
    with contextlib.ExitStack() as stack:

        def opener(
            name: str,
            *,
            size: str = "wide",
            scheme: str = "light",
            over: str = "http",
            query: str = "",
            **options,
        ) -> Opened:
            base = site if over == "http" else book.as_uri()
            width, height = SIZES[size]
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                reduced_motion="reduce",
                **options,
            )
            stack.callback(context.close)
            opened = Opened(context.new_page())

            def guard(route) -> None:
                if route.request.url.startswith((base, "data:", "blob:")):
                    route.continue_()
                else:
                    opened.foreign.append(route.request.url)
                    route.abort()

            context.route("**/*", guard)
            page = opened.page
            page.on("pageerror", lambda error: opened.errors.append(str(error)))
            page.on(
                "console",
                lambda message: message.type == "error" and opened.errors.append(message.text),
            )
            page.on(
                "response",
                lambda answer: (
                    answer.status >= 400 and opened.failed.append(f"{answer.status} {answer.url}")
                ),
            )
            page.goto(f"{base}/{name}.html{query}", wait_until="load")
            settle(page)
            return opened

        yield opener


def settle(page) -> None:
    """Wait until formulas are set and explorers alive: what is measured is what is read."""
    # The pages come with their formulas set; the slides set theirs as they open.
    page.wait_for_function(
        "() => !document.querySelector('script[src*=\"mathjax/\"]') || window.MathJax?.startup?.promise"
    )
    page.evaluate("() => window.MathJax?.startup?.promise")
    # One that does not come alive is for the test to report, with its name.
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(
            "() => [...document.querySelectorAll('.cw-explorer')].every(e => 'ready' in e.dataset)",
            timeout=15_000,
        )
    page.evaluate("() => document.fonts.ready.then(() => true)")
