"""Write what is installed to constraints.txt: names and versions that hold on any machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
HEAD = (
    "# The full freeze behind requirements.txt, for Python 3.11 to 3.13 on Linux and macOS: names\n"
    "# and versions only. Remade by `make freeze`; a line with a remark is kept by hand in its script.\n"
)
# Needed on another system than the one that froze, or newer than the oldest Python supported allows.
BY_HAND = {
    "appnope": "appnope==1.0.0  # macOS",
    "soupsieve": "soupsieve==2.10  # later ones need Python 3.11.5; Debian 12 has 3.11.2",
    "setuptools": "setuptools==84.2.1  # needed by sphinx-togglebutton; `pip freeze` leaves it out",
    "wheel": "wheel==0.48.0  # needed by sphinx-togglebutton; `pip freeze` leaves it out",
}
# Those of one system's build of PyTorch, and the installer itself.
LEFT_OUT = ("nvidia-", "cuda-", "triton", "pip", "convlib", "convolution-window-by-window")


def frozen(lines: list[str]) -> str:
    """The text of constraints.txt for the lines of `pip freeze`."""
    kept = dict(BY_HAND)
    for line in lines:
        name, separator, version = line.partition("==")
        key = name.lower().replace("_", "-")
        if separator and not key.startswith(LEFT_OUT) and key not in BY_HAND:
            # A local version such as 2.13.0+cpu names the build of one index.
            kept[key] = f"{name}=={version.partition('+')[0]}"
    return HEAD + "".join(f"{kept[key]}\n" for key in sorted(kept))


if __name__ == "__main__":
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "freeze",
            "--exclude-editable",
            "--disable-pip-version-check",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    CONSTRAINTS.write_text(frozen(done.stdout.splitlines()), "utf8")
