"""What a newcomer's machine may lack gives one clear line: `.ci/set-up` and the browser finder."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "book"))

import browser  # noqa: E402

TOOLS = ["sh", "dirname", "cut", "tail", "head", "grep", "sed", "cat", "rm", "mkdir", "touch"]


@pytest.fixture
def place(tmp_path):
    """A project with the set-up script alone, and a PATH with the usual tools but no Python."""
    (tmp_path / "project" / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "set-up", tmp_path / "project" / ".ci" / "set-up")
    (tmp_path / "project" / "requirements.txt").write_text("a-package-that-is-not-there\n", "utf8")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        os.symlink(shutil.which(tool), tmp_path / "bin" / tool)
    return tmp_path


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python_of(place: Path, name: str, version: str, *, venv: bool = True) -> Path:
    """A program that answers like a Python of that version, with or without the venv module."""
    major, minor = version.split(".")[:2]
    old = (int(major), int(minor)) < (3, 11)
    return program(
        place / "bin" / name,
        f'case "$2" in *print*) echo {version};; *version_info*) exit {int(old)};; '
        f"*ensurepip*) exit {int(not venv)};; esac",
    )


def set_up(place: Path, **environment: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        ["sh", ".ci/set-up"],
        cwd=place / "project",
        env={"PATH": str(place / "bin"), "HOME": str(place), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


def test_no_python(place):
    code, lines = set_up(place)
    assert code == 1
    assert len(lines) == 1 and "no Python 3.11 or newer on PATH (there is none at all)" in lines[0]


def test_only_an_old_python(place):
    python_of(place, "python3", "3.9.2")
    code, lines = set_up(place)
    assert code == 1
    assert len(lines) == 1 and "python3 is 3.9.2" in lines[0]


@pytest.mark.parametrize(
    ("name", "said"), [("python3", "is Python 3.10.1"), ("nowhere", "does not run")]
)
def test_a_wrong_python_by_name(place, name, said):
    python_of(place, "python3", "3.10.1")
    code, lines = set_up(place, PYTHON=name)
    assert code == 1
    assert len(lines) == 1 and f"PYTHON={name} {said}" in lines[0]


def test_no_venv_module(place):
    """On Debian and Ubuntu the line names the package to install."""
    python_of(place, "python3", "3.12.3", venv=False)
    assert "no venv module" in set_up(place)[1][0]
    program(place / "bin" / "apt-get", "exit 0")
    code, lines = set_up(place)
    assert code == 1
    assert lines == [
        "make: Python 3.12 here has no venv module; install it with: sudo apt install python3.12-venv"
    ]


def test_no_network(place):
    """A package index that does not answer: one line, and the details in a file."""
    os.symlink(sys.executable, place / "bin" / "python3")
    code, lines = set_up(
        place, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_CONFIG_FILE=os.devnull
    )
    assert code == 1
    assert len(lines) == 1 and lines[0].startswith("make: no network: pip could not reach")
    assert "127.0.0.1" in (place / "project" / ".venv" / "set-up.log").read_text("utf8")


class Playwright:
    class chromium:
        executable_path = "/nowhere/chrome"


def test_a_browser_on_path_is_taken_first(monkeypatch, tmp_path):
    found = program(tmp_path / "chromium", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find_browser(Playwright) == str(found)


def test_without_one_playwright_is_asked_then_the_system(monkeypatch, tmp_path):
    own = program(tmp_path / "own", "exit 0")
    monkeypatch.setattr(browser, "on_path", lambda: None)
    monkeypatch.setattr(browser, "install", lambda: "/usr/bin/installed")
    monkeypatch.setattr(Playwright.chromium, "executable_path", str(own))
    assert browser.find_browser(Playwright) == str(own)
    monkeypatch.setattr(Playwright.chromium, "executable_path", "/nowhere/chrome")
    assert browser.find_browser(Playwright) == "/usr/bin/installed"


def test_no_browser_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(browser, "on_path", lambda: None)
    monkeypatch.setattr(browser, "installers", lambda: [["false"]])
    with pytest.raises(
        browser.NoBrowser, match="^No browser for the tests: put Chromium .*"
    ) as error:
        browser.find_browser(Playwright)
    assert "\n" not in str(error.value)


def test_the_package_manager_is_asked_without_questions(monkeypatch, tmp_path):
    """As root apt-get alone; else sudo that may not ask for a password; without either nothing."""
    monkeypatch.setattr(browser.platform, "system", lambda: "Linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path / "apt-get", "exit 0")
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0, raising=False)
    assert browser.installers()[-1][:3] == ["apt-get", "install", "-y"]
    monkeypatch.setattr(browser.os, "geteuid", lambda: 1000, raising=False)
    assert browser.installers() == []
    program(tmp_path / "sudo", "exit 0")
    assert browser.installers()[-1][:3] == ["sudo", "-n", "apt-get"]
