"""Ask Lighthouse about every page: `make lighthouse` prints a table and writes _build/lighthouse.md.

Lighthouse comes from npm, at the version named here, into _build/lighthouse-VERSION; it runs in the
Node.js that Playwright brings and drives the Chromium of the browser tests. Each page is asked three
times, as a phone and as a desktop, and the run in the middle counts. A machine that does other things
at the same time gives worse numbers: the `speed` column is Lighthouse's own measure of the machine
while it ran (a phone of the middle class has 125 to 800, and Lighthouse slows a machine of 1500 and
more down to that), so a mobile run below 1000 says little of the page.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from pages import HTML, ROOT, toc_pages

VERSION = "13.5.0"
FOLDER = ROOT / "_build" / f"lighthouse-{VERSION}"
REPORT = ROOT / "_build" / "lighthouse.md"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
WANTED = 95
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"
TIMES = {
    "FCP": "first-contentful-paint",
    "LCP": "largest-contentful-paint",
    "TBT": "total-blocking-time",
    "CLS": "cumulative-layout-shift",
}


class Missing(RuntimeError):
    """Something that this needs is not here; one line."""


def install() -> Path:
    """The program of Lighthouse, fetched by npm the first time."""
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        npm = shutil.which("npm")
        if not npm:
            raise Missing("Lighthouse needs npm to be fetched (Debian: sudo apt install npm).")
        command = [npm, "install", "--no-fund", "--no-audit", "--prefix", str(FOLDER)]
        done = subprocess.run(
            [*command, f"lighthouse@{VERSION}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not program.is_file():
            raise Missing(f"npm could not fetch Lighthouse: {done.stderr.strip()[-300:]}")
    return program


def run(program: Path, node: str, browser: str, url: str, form: str) -> dict:
    """One report of Lighthouse, as it writes it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [node, str(program), url, "--quiet", "--output=json", f"--output-path={out}"]
        command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={FLAGS}"]
        if form == "desktop":
            command.append("--preset=desktop")
        environment = {**os.environ, "CHROME_PATH": browser}
        subprocess.run(command, env=environment, capture_output=True, check=False, timeout=300)
        if not out.is_file():
            raise Missing(f"Lighthouse wrote no report of {url}.")
        return json.loads(out.read_text("utf8"))


def scores(report: dict) -> dict[str, float]:
    """The four scores in percent, the times in milliseconds, and the machine's speed."""
    found = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in CATEGORIES}
    found |= {short: report["audits"][name]["numericValue"] for short, name in TIMES.items()}
    return found | {"speed": report["environment"]["benchmarkIndex"]}


def failing(report: dict) -> list[str]:
    """The audits that cost points outside of performance, with the first place of each."""
    out = []
    for name in CATEGORIES[1:]:
        for reference in report["categories"][name]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                items = (audit.get("details") or {}).get("items") or [{}]
                where = (items[0].get("node") or {}).get("snippet", "")
                out.append(f"{name}: {audit['title']} {where}".strip())
    return out


def middle(runs: list[dict]) -> dict[str, float]:
    return {key: median(one[key] for one in runs) for key in runs[0]}


def row(page: str, form: str, found: dict[str, float]) -> str:
    marks = [f"{found[name]:.0f}" for name in CATEGORIES]
    times = [f"{found[name] / 1000:.1f} s" for name in ("FCP", "LCP")]
    times += [f"{found['TBT']:.0f} ms", f"{found['CLS']:.3f}", f"{found['speed']:.0f}"]
    return "| " + " | ".join([page, form, *marks, *times]) + " |"


HEAD = (
    "| page | as a | performance | accessibility | best practices | SEO | FCP | LCP | TBT | CLS | speed |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def measured(pages: list[str], forms: list[str], times: int) -> Iterator[tuple[str, bool]]:
    """A row of the table for each page and form, and whether all its scores are high enough."""
    from playwright.sync_api import sync_playwright

    from browser import find_browser
    from serve import serving

    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    from typeset import node

    program = install()
    with sync_playwright() as playwright:
        browser = find_browser(playwright)
    with serving(HTML) as address:
        for page in pages:
            for form in forms:
                url = f"{address}/{page}.html"
                reports = [run(program, node(), browser, url, form) for _ in range(times)]
                found = middle([scores(report) for report in reports])
                for fault in failing(reports[0]):
                    print(f"{page} ({form}) {fault}", file=sys.stderr)
                good = all(found[name] >= WANTED for name in CATEGORIES)
                yield row(page, form, found), good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="pages of _toc.yml; all of them by default")
    parser.add_argument("--form", choices=["mobile", "desktop"], action="append")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    forms = options.form or ["mobile", "desktop"]
    lines, low = [HEAD], 0
    print(HEAD, flush=True)
    try:
        for line, good in measured(options.pages or [*toc_pages(), "search"], forms, options.times):
            print(line, flush=True)
            lines.append(line)
            low += not good
            REPORT.write_text("\n".join(lines) + "\n", "utf8")
    except Missing as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    print(f"{low} of {len(lines) - 1} rows are below {WANTED} somewhere.")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
