"""The repository as a whole: what is said twice agrees, and nothing is in it that should not be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "book"), str(ROOT / "book" / "_ext")]

import freeze  # noqa: E402

import convlib  # noqa: E402

import address  # noqa: E402

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
# Of the book's pages, unminified; the slides' own few lines are not on them.
JAVASCRIPT_BYTES = 98_500
MODULE_LINES = 250  # about 200 lines of which half are docstrings with formulas and examples
CHECKER_LINES = 450


def committed() -> list[Path]:
    """The files of the repository: those that git knows, or all but what is made, in an archive."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.split(b"\0")
        paths = [ROOT / os.fsdecode(name) for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        made = {".venv", "_build", "__pycache__", ".git"}
        paths = [path for path in ROOT.rglob("*") if not made & set(path.parts)]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf8")
    except UnicodeDecodeError:
        return ""


def test_the_address_is_the_same_everywhere():
    """pyproject.toml has it; settings, notebooks, README and citation repeat it."""
    url = PYPROJECT["project"]["urls"]["Repository"]
    assert re.fullmatch(address.SHAPE, url)
    assert yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["repository"]["url"] == url
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))["repository-code"] == url
    on_colab = "colab.research.google.com" + address.forms(url)[1]
    readme = (ROOT / "README.md").read_text("utf8")
    assert f"git clone {url}\n" in readme and on_colab in readme
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        assert f"git+{url}" in path.read_text("utf8"), path.name
    owner, name = url.removeprefix("https://github.com/").split("/")
    for path in committed():
        for found in re.findall(rf"github\.com/([\w.-]+)/{re.escape(name)}\b", text_of(path)):
            assert found == owner, f"{path.relative_to(ROOT)} speaks of {found}/{name}"
        for found in re.findall(
            r"colab\.research\.google\.com(/github/[^/]+/[^/]+/)", text_of(path)
        ):
            assert found == address.forms(url)[1], path.relative_to(ROOT)


def test_setting_the_address_reaches_every_copy(tmp_path):
    """After `make address` no file speaks of the old address, and another one is refused."""
    for path in address.holders():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    old, new = address.address(tmp_path), "https://github.com/someone-else/a.book"
    changed = address.set_address(new, tmp_path)
    assert set(changed) == set(address.holders(tmp_path))
    for path in changed:
        text = path.read_text("utf8")
        assert new in text and old not in text and address.forms(old)[1] not in text
    assert address.address(tmp_path) == new
    assert address.set_address(old, tmp_path) and address.address(tmp_path) == old
    for path in address.holders():
        assert (tmp_path / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    for wrong in ("http://github.com/a/b", "https://github.com/a", "https://github.com/a/b/c"):
        with pytest.raises(ValueError, match="expected https://github.com/NAME/REPOSITORY"):
            address.set_address(wrong, tmp_path)


def test_version_and_licence_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    assert citation["version"] == convlib.__version__
    assert citation["license"] == PYPROJECT["project"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text("utf8").startswith("MIT License\n")


def test_numpy_is_the_only_hard_dependency():
    assert [re.match(r"[\w-]+", d).group() for d in PYPROJECT["project"]["dependencies"]] == [
        "numpy"
    ]
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert set(extras) >= {"notebooks", "fast", "cuda12", "cuda13", "dev"}
    code = (
        "import sys, convlib; heavy = {'torch', 'cupy', 'matplotlib', 'anywidget', 'numba', 'scipy', "
        "'sklearn', 'ipywidgets', 'traitlets', 'IPython'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def pins(name: str) -> dict[str, str]:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text("utf8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {key.lower().replace("_", "-"): version for key, version in pairs}


def test_requirements_and_constraints_agree():
    """Each direct pin is the frozen one, and the freeze names nothing that one system alone has."""
    direct, frozen = pins("requirements.txt"), pins("constraints.txt")
    assert len(direct) > 15 and direct.items() <= frozen.items()
    lines = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    assert {"-c constraints.txt", "-e ."} <= set(lines)
    words = (ROOT / "constraints.txt").read_text("utf8")
    assert not re.search(r"^[^#]*(://|@|\+|/)", words, re.M)
    assert not [name for name in frozen if name.startswith(freeze.LEFT_OUT)]


def test_freezing_leaves_out_what_one_machine_has():
    text = freeze.frozen(
        ["torch==2.13.0+cpu", "nvidia-cudnn-cu12==9", "a @ file:///b", "soupsieve==9"]
    )
    assert "torch==2.13.0\n" in text and "soupsieve==2.10" in text
    assert "nvidia" not in text and "file:" not in text


@pytest.mark.parametrize("word", ["/work/", "/root/", "pypi" + ".org", "/opt/wheels"])
def test_no_file_speaks_of_one_machine(word):
    """No absolute path of a machine and no host of a package index, in any file."""
    guilty = [path for path in committed() if word in text_of(path) and path != Path(__file__)]
    assert [str(path.relative_to(ROOT)) for path in guilty] == []


def test_the_javascript_stays_small():
    scripts = [path for path in committed() if path.suffix in {".js", ".mjs"}]
    scripts = [path for path in scripts if path.parent != ROOT / "book" / "_slides"]
    assert scripts, "the explorers' modules are gone"
    assert sum(path.stat().st_size for path in scripts) < JAVASCRIPT_BYTES


def test_modules_are_short_enough_to_read():
    """The lesson is read module by module; checkers of exercises are read hint by hint."""
    lines = {
        path.relative_to(ROOT / "convlib"): len(path.read_text("utf8").splitlines())
        for path in (ROOT / "convlib").rglob("*.py")
    }
    assert len(lines) > 10
    longest = {"exercises": CHECKER_LINES}
    assert {
        str(path): count
        for path, count in lines.items()
        if count > longest.get(path.parts[0], MODULE_LINES)
    } == {}


def test_the_algorithms_have_a_reading_order():
    """Each file of theirs has its place in it, and each name that can be asked for is there."""
    from convlib import algorithms

    words = set(re.findall(r"[\w-]+", algorithms.__doc__))
    files = {path.stem for path in (ROOT / "convlib" / "algorithms").glob("[a-z]*.py")}
    assert files | set(algorithms.ALGORITHMS) <= words


def test_the_page_of_the_api_lists_each_file():
    import api_page

    text = api_page.contents(api_page.PAGE)
    for folder in ("algorithms", "grad", "pooling"):
        for path in (ROOT / "convlib" / folder).glob("[a-z]*.py"):
            assert f"_modules/convlib/{folder}/{path.stem}.html" in text
    assert "_modules/convlib/settings.html" in text and "_modules/convlib/checks.html" in text


def test_the_top_level_is_the_one_of_the_design():
    allowed = set(
        "README.md _config.yml _toc.yml requirements.txt constraints.txt book notebooks convlib tests "
        "Makefile pyproject.toml LICENSE CITATION.cff CHANGELOG.md "
        ".binder .ci .devcontainer .github .gitignore".split()
    )
    assert {path.relative_to(ROOT).parts[0] for path in committed()} <= allowed


def test_the_wheel_would_carry_the_explorers():
    """Every file under explorers/static is matched by the package data of pyproject.toml."""
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["convlib"]
    package = ROOT / "convlib"
    matched = {path for pattern in patterns for path in package.glob(pattern)}
    static = {path for path in (package / "explorers" / "static").rglob("*") if path.is_file()}
    assert static and static <= matched


def test_the_readme_picture_is_the_computed_one():
    import one_pixel

    assert one_pixel.README_PICTURE.read_text("utf8") == one_pixel.as_svg(one_pixel.compute()), (
        "run: .venv/bin/python book/_ext/one_pixel.py"
    )


def test_every_make_target_is_explained():
    """`make` alone lists every command, and the README's words for `make test` name every part."""
    makefile = (ROOT / "Makefile").read_text("utf8")
    named = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.M).group(1)
    phony = set(named.replace("\\\n", " ").split())
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert phony - explained <= {"clean", "distclean"} - explained
    parts = re.search(r"^test: (.*?) ##", makefile, re.M).group(1).split()
    readme = (ROOT / "README.md").read_text("utf8")
    assert parts == re.findall(r"^\| `make ([a-z]+)` \|", readme, re.M)
