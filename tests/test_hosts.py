"""Other versions and other hosts: what their files say agrees with pyproject.toml and the Makefile."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import versions
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf8"), re.M))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path: Path) -> dict[str, Version]:
    pairs = (pin.split("==") for pin in versions.pins(path) if "==" in pin)
    return {canonical(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("path", [".ci/colab.txt", "requirements.txt"])
def test_what_the_chapters_need_is_satisfied_by(path):
    """By Colab's versions, so that pip replaces none of them there; and by the book's own."""
    have = pinned(ROOT / path)
    for requirement in map(Requirement, versions.declared("notebooks")):
        assert requirement.specifier.contains(have[canonical(requirement.name)]), requirement


def test_every_bound_is_one_that_the_oldest_versions_try():
    """No upper bounds: one would make pip replace what a host has."""
    asked = versions.declared("notebooks", "fast", "dev")
    assert {"numpy", "torch", "ipywidgets", "numba"} <= {Requirement(r).name for r in asked}
    for requirement in map(Requirement, asked):
        assert {part.operator for part in requirement.specifier} <= {">="}, requirement
        if requirement.specifier:
            oldest = Requirement(versions.lower_bound(str(requirement)))
            assert [part.operator for part in oldest.specifier] == ["=="]
    assert versions.lower_bound("numpy>=1.26") == "numpy==1.26"
    assert versions.lower_bound("hypothesis") == "hypothesis"


def test_chapters_import_what_the_extra_installs():
    """All that a chapter imports is convlib, the standard library, or in (or behind) the extra."""
    names = {Requirement(r).name for r in versions.declared("notebooks")}
    modules = {{"scikit-learn": "sklearn"}.get(name, name) for name in names}
    # scikit-learn brings scipy and threadpoolctl, ipywidgets brings IPython.
    modules |= {"convlib", "IPython", "scipy", "threadpoolctl"}
    optional = {"cupy", "numba"}  # chapters look whether these are there
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf8"))["cells"]
        source = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        found = re.findall(r"^\s*(?:import|from) (\w+)", source, re.M)
        assert "convlib" in found
        strange = set(found) - modules - set(sys.stdlib_module_names) - optional
        assert not strange, f"{path.name} imports {strange}"


@pytest.mark.parametrize(
    ("wanted", "available", "taken"),
    [
        ("2.1.3", ["2.0.2", "2.1.3", "2.2.0"], "2.1.3"),
        ("2.1.3", ["2.0.2", "2.4.6", "2.2.0", "2.2.0rc1"], "2.2.0"),
        ("3.0", ["2.9", "2.10", "3.1.dev0"], "2.10"),
        ("2.11.0", ["2.13.0+cpu"], "2.13.0+cpu"),
        ("1.0", ["none"], None),
    ],
)
def test_the_nearest_version(wanted, available, taken):
    assert versions.nearest(wanted, available) == taken


class Done:
    def __init__(self, returncode: int, stderr: str = "", stdout: str = "") -> None:
        self.returncode, self.stderr, self.stdout = returncode, stderr, stdout


def test_a_version_that_cannot_be_had_is_one_line(monkeypatch, capsys):
    """The nearest takes its place and the line says so; without any, the command stops with pip's line."""
    lines = (
        "ERROR: Could not find a version that satisfies the requirement a==1.0 (from versions: 0.9, 1.2)\n"
        "ERROR: No matching distribution found for a==1.0\n"
    )
    calls = []

    def pip(self, *words):
        calls.append(words[-1])
        return Done(0) if words[-1] == "a==1.2" else Done(1, lines)

    monkeypatch.setattr(versions.Environment, "pip", pip)
    environment = versions.Environment("oldest")
    environment.install(["a==1.0"])
    assert calls == ["a==1.0", "a==1.2"]
    assert capsys.readouterr().out == "test-oldest: a 1.0 cannot be had here; 1.2 takes its place\n"
    monkeypatch.setattr(
        versions.Environment, "pip", lambda self, *words: Done(1, "ERROR: no disk\n")
    )
    with pytest.raises(versions.Stop, match="^pip could not install .*: ERROR: no disk$"):
        environment.install(["a==1.0"])


def test_pytorch_without_cuda_is_preferred(monkeypatch, capsys):
    """Where the wanted version would bring NVIDIA's libraries and the book's own does not."""
    usual = next(pin for pin in versions.pins(ROOT / "requirements.txt") if "torch==" in pin)
    needs = {usual: "sympy"}

    def pip(self, *words):
        return Done(
            0, "", json.dumps({"install": [{"metadata": {"requires_dist": [needs[words[-1]]]}}]})
        )

    monkeypatch.setattr(versions.Environment, "pip", pip)
    monkeypatch.setattr(sys, "platform", "linux")
    needs["torch==2.6"] = "sympy"
    assert versions.Environment("oldest").torch("torch==2.6") == "torch==2.6"
    assert capsys.readouterr().out == ""
    needs["torch==2.6"] = "nvidia-cublas==13"
    assert versions.Environment("oldest").torch("torch==2.6") == usual
    assert "takes its place" in capsys.readouterr().out
    needs[usual] = "nvidia-cublas==13"
    assert versions.Environment("oldest").torch("torch==2.6") == "torch==2.6"


def test_the_tests_of_the_book_exist_and_stay_out():
    names = {path.name for path in (ROOT / "tests").glob("test_*.py")}
    assert versions.OF_THE_BOOK <= names
    assert "tests/test_padding.py" in versions.library_tests()
    assert not versions.OF_THE_BOOK & {Path(p).name for p in versions.library_tests()}


def test_a_copy_of_the_checkout_holds_what_git_holds(tmp_path):
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("this is no clone")
    copy = versions.committed_copy(tmp_path)
    assert (copy / "convlib" / "explorers" / "static" / "window.js").is_file()
    assert (copy / "pyproject.toml").is_file()
    assert not list(copy.glob(".venv*")) and not (copy / "_build").exists()


def test_the_set_up_cell_is_tried_as_it_stands(tmp_path):
    """All of the cell but its address, which is turned to a folder."""
    import colab

    turned = colab.set_up(sorted((ROOT / "notebooks").glob("*.ipynb"))[0], tmp_path)
    extra = f'%pip install -q "{PROJECT["name"]}[notebooks] @ {tmp_path.resolve().as_uri()}"'
    assert turned.splitlines()[-1].strip() == extra


def steps(path: Path):
    for job in yaml.safe_load(path.read_text("utf8"))["jobs"].values():
        for step in job["steps"]:
            yield job, step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_what_is_there(path):
    """Make targets that exist, scripts that exist, and actions at a version."""
    ran = 0
    for job, step in steps(path):
        assert "run" in step or re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        assert "timeout-minutes" in job
        for line in step.get("run", "").splitlines():
            words = line.split()
            ran += 1
            if words[0] == "make":
                named = words[1].strip('"')
                if named == "$TARGET":
                    matrix = job["strategy"]["matrix"]["include"]
                    assert {entry["target"] for entry in matrix} <= TARGETS
                else:
                    assert named in TARGETS
            elif words[0] == "bash":
                assert os.access(ROOT / words[1], os.X_OK)
    assert ran


def test_the_weekly_workflow_tries_every_other_version():
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "weekly.yml").read_text("utf8"))
    matrix = job["jobs"]["versions"]["strategy"]["matrix"]["include"]
    tried = {entry["target"] for entry in matrix}
    assert tried >= {"test-oldest", "test-newest", "test-colab"}
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert [e["python"] for e in matrix if e["target"] == "test-oldest"] == [oldest]


def test_nothing_slow_is_part_of_make_test():
    makefile = (ROOT / "Makefile").read_text("utf8")
    parts = re.search(r"^test: (.*?) ##", makefile, re.M).group(1).split()
    assert not [part for part in parts if part.startswith("test-")]


def test_binder_has_what_the_chapters_need():
    """The same packages at bounds no looser than pyproject.toml's, and no PyTorch with CUDA."""
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf8"))
    other_names = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch"}
    listed = {}
    for line in environment["dependencies"]:
        name, _, bound = line.partition(">=")
        listed[other_names.get(name, name)] = bound
    assert {"matplotlib", "torch"} <= set(listed)
    for requirement in map(Requirement, versions.declared("notebooks", "fast")):
        low = next(part.version for part in requirement.specifier)
        assert Version(listed[requirement.name]) >= Version(low), requirement
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)


def test_the_devcontainer_uses_the_makefile():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf8"))
    make, target = container["postCreateCommand"].split()
    assert make == "make" and target in TARGETS
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.endswith("/.venv/bin/python")


@pytest.mark.parametrize("script", [".ci/set-up", ".binder/postBuild"])
def test_shell_scripts_are_plain(script):
    """POSIX sh reads them; .ci/run is bash's."""
    assert (ROOT / script).read_text("utf8").startswith("#!/bin/sh\n")
    done = subprocess.run(["sh", "-n", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf8")
    path.chmod(0o755)


@pytest.mark.parametrize("debian", [True, False], ids=["Debian", "a Mac"])
def test_the_run_from_a_clean_clone_installs_what_it_can(tmp_path, debian):
    """With apt-get it installs a browser; without, as on a Mac, the browser tests find one themselves."""
    (tmp_path / "project" / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / "project" / ".ci" / "run")
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname"):
        os.symlink(shutil.which(tool), tools / tool)
    for tool, text in (("id", "echo 0"), ("python3", ""), ("make", 'echo "made $*"')):
        program(tools / tool, text)
    if debian:
        program(tools / "apt-get", f'echo "$*" >>{tmp_path}/asked')
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=tmp_path / "project",
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "made test"
    asked = tmp_path / "asked"
    assert asked.exists() == debian
    if debian:
        assert asked.read_text("utf8").splitlines()[-1].split()[-1] == "chromium"
