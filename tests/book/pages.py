"""Build the book, and make sure that what was asked for is there.

`python tests/book/pages.py build` runs Jupyter Book with every warning an error, then checks that
each page of `_toc.yml` was written: Jupyter Book can leave a page out and still report success.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
GENERATED = {"404", "genindex", "index", "py-modindex", "search"}


def toc_pages(root: Path = ROOT) -> list[str]:
    """The pages that `_toc.yml` names, in reading order, without a suffix."""
    from sphinx_external_toc.api import GlobItem
    from sphinx_external_toc.parsing import parse_toc_yaml

    site_map = parse_toc_yaml(root / "_toc.yml")
    ordered: list[str] = []

    def walk(name: str) -> None:
        ordered.append(name)
        if name not in site_map:
            return
        for tree in site_map[name].subtrees:
            for item in tree.items:
                if hasattr(item, "url"):
                    continue
                if isinstance(item, GlobItem):
                    found = sorted(root.glob(f"{item}.ipynb")) + sorted(root.glob(f"{item}.md"))
                    for path in found:
                        if not path.name.startswith("."):
                            walk(path.relative_to(root).with_suffix("").as_posix())
                else:
                    walk(str(item).removesuffix(".md").removesuffix(".ipynb"))

    walk(site_map.root.docname)
    return ordered


def built_pages() -> list[str]:
    """The pages that lie in the built book, without a suffix, but for the generated ones."""
    found = (path.relative_to(HTML).with_suffix("").as_posix() for path in HTML.rglob("*.html"))
    return sorted(
        name
        for name in found
        if name not in GENERATED and not name.startswith(("_", "genindex-", "slides/"))
    )


def forget() -> None:
    """Remove what Sphinx remembers, so that the next build reads every page again."""
    for remembered in (ROOT / "_build" / ".doctrees", HTML / "_modules"):
        shutil.rmtree(remembered, ignore_errors=True)


def newest(*paths: Path) -> float:
    files = [f for path in paths for f in ([path] if path.is_file() else path.rglob("*.py"))]
    return max(file.stat().st_mtime for file in files)


def build() -> int:
    started = time.monotonic()
    doctrees = ROOT / "_build" / ".doctrees" / "environment.pickle"
    ours = (ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "book" / "_ext", ROOT / "convlib")
    if doctrees.exists() and doctrees.stat().st_mtime < newest(*ours):
        # Sphinx does not see changes of settings, extensions and of the library that figures use.
        forget()
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    # All pages: they share one style sheet, which is cut down to what they use (book/_ext/slim.py).
    command = [str(jupyter_book), "build", str(ROOT), "--all", "-W", "-n", "--keep-going"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # Sphinx remembers a page it read, warnings or not: without this the next run would pass.
        forget()
        lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()
        print("\n".join(lines[-40:]), file=sys.stderr)
        print("make: the book has warnings or errors, see above.", file=sys.stderr)
        return 1
    wanted = toc_pages()
    missing = [name for name in wanted if not (HTML / f"{name}.html").is_file()]
    if missing:
        forget()
        print(f"make: the build left out {', '.join(missing)}.", file=sys.stderr)
        return 1
    for name in set(built_pages()) - set(wanted):
        (HTML / f"{name}.html").unlink()
    from slides import write

    # A slide that points to no sentence is for the tests and `make slides` to refuse; the book stands.
    for fault in [fault for deck in write(HTML / "slides") for fault in deck.faults]:
        print(f"slides: {fault}", file=sys.stderr)
    print(f"Built {len(wanted)} pages in {time.monotonic() - started:.0f} s, no warnings")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] != ["build"]:
        sys.exit("usage: python tests/book/pages.py build")
    sys.exit(build())
