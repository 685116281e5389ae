"""Find a Chromium to drive: on PATH, else Playwright's own, else from the package manager."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
# No start page, no updates, no look-ups of its own: what remains in the log is the page's doing.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
]


class NoBrowser(RuntimeError):
    """No browser could be had; the message is one line that says what to do."""


def on_path() -> str | None:
    """A browser that the user already has."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return next((app for app in MAC_APPS if os.access(app, os.X_OK)), None)


def from_playwright(playwright) -> str | None:
    """The browser that `playwright install chromium` left, if it did."""
    path = playwright.chromium.executable_path
    return path if path and Path(path).is_file() else None


def installers() -> list[list[str]]:
    """Commands that would install Chromium here without asking for anything."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    sudo = [] if root else ["sudo", "-n"]
    if platform.system() == "Darwin":
        return [["brew", "install", "--cask", "chromium"]] if shutil.which("brew") else []
    if not root and not shutil.which("sudo"):
        return []
    if shutil.which("apt-get"):
        install = [*sudo, "apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
        return [[*sudo, "apt-get", "update", "-q"], install]
    if shutil.which("dnf"):
        return [[*sudo, "dnf", "install", "-y", "-q", "chromium"]]
    return []


def install() -> str | None:
    """Ask the system's package manager for Chromium; the browser, or nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in installers():
        try:
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=600,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return on_path()


def find_browser(playwright) -> str:
    """The path of a Chromium to start, or NoBrowser with one clear line."""
    found = on_path() or from_playwright(playwright) or install()
    if not found:
        raise NoBrowser(
            "No browser for the tests: put Chromium or Chrome on PATH (Debian: sudo apt install "
            "chromium), or run .venv/bin/playwright install chromium."
        )
    return found
