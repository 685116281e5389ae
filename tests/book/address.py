"""Set the repository's address in every place that has a copy of it: `make address URL=…`.

The one place is pyproject.toml, `[project.urls] Repository`. Its copies are needed where no program can
look it up: in the book's settings, the notebooks' set-up cells, the README and the citation.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHAPE = re.compile(r"https://github\.com/[A-Za-z0-9](?:[A-Za-z0-9-]*)/[A-Za-z0-9._-]+")


def address(root: Path = ROOT) -> str:
    """The address, from the one place that holds it."""
    text = (root / "pyproject.toml").read_text("utf8")
    return tomllib.loads(text)["project"]["urls"]["Repository"]


def holders(root: Path = ROOT) -> list[Path]:
    """The files that carry a copy."""
    fixed = ["pyproject.toml", "_config.yml", "CITATION.cff", "CHANGELOG.md", "README.md"]
    return [root / name for name in fixed] + sorted((root / "notebooks").glob("[!.]*.ipynb"))


def forms(url: str) -> list[str]:
    """How the address is written: itself, and as a part of an address on Colab or of Pages."""
    owner, name = url.removeprefix("https://github.com/").split("/")
    return [url, f"/github/{owner}/{name}/", f"https://{owner.lower()}.github.io/{name}/"]


def set_address(url: str, root: Path = ROOT) -> list[Path]:
    """Write `url` in place of the present address; the files that changed."""
    if not SHAPE.fullmatch(url):
        raise ValueError(
            f"address: expected https://github.com/NAME/REPOSITORY, got {url!r}; no slash at the end."
        )
    changed = []
    pairs = list(zip(forms(address(root)), forms(url)))
    for path in holders(root):
        before = after = path.read_text("utf8")
        for old, new in pairs:
            # Not in the middle of a longer name: …/book is no part of …/book-two.
            end = "" if old.endswith("/") else r"(?![\w-])"
            after = re.sub(re.escape(old) + end, lambda _, new=new: new, after)
        if after != before:
            path.write_text(after, "utf8")
            changed.append(path)
    return changed


def main() -> int:
    try:
        changed = set_address(sys.argv[1].removesuffix("/").removesuffix(".git"))
    except (IndexError, ValueError) as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    for path in changed:
        print(f"wrote {path.relative_to(ROOT)}")
    if not changed:
        print("nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
