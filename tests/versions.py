"""Try the book with other versions of what it stands on: `make test-oldest`, `test-newest`, `test-colab`.

Each makes an environment of its own beside .venv and leaves it there for the next time.

oldest   every lower bound of pyproject.toml; the tests of the library
newest   whatever is newest today, no constraints; the tests of the library, and every notebook
colab    the versions of .ci/colab.txt; the set-up cell must add convlib and touch nothing else, the
         explorers must show, and every notebook must run
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB = ROOT / ".ci" / "colab.txt"
ITSELF = "convolution-window-by-window"
# These prove the repository and the tools of the book, not the library.
OF_THE_BOOK = {"test_hosts.py", "test_mutation.py", "test_repository.py", "test_set_up.py"}
# What runs the notebooks. Colab has pytest itself; its version is in the list.
RUNNER = ["nbval>=0.11", "pytest", "pytest-xdist", "hypothesis"]
# Colab's IPython asks for it and Colab leaves it out, so the first `pip install` there adds it.
COLAB_LACKS = "jedi"
CUDA = re.compile(r"(nvidia|cuda)[-_]", re.I)
QUIET_THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Stop(Exception):
    """The one line to say before giving up."""


def lower_bound(requirement: str) -> str:
    """'numpy>=1.26' becomes 'numpy==1.26'; without a lower bound it stays what it is."""
    return re.sub(r">=\s*([\w.]+).*", r"==\1", requirement)


def key_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def nearest(wanted: str, available: Iterable[str]) -> str | None:
    """The next version from `wanted` on upwards, else the newest below; pre-releases do not count."""
    final = [v for v in available if re.fullmatch(r"\d+(\.\d+)*(\.post\d+)?(\+[\w.]+)?", v)]
    above = [version for version in final if key_of(version) >= key_of(wanted)]
    if above:
        return min(above, key=key_of)
    return max(final, key=key_of, default=None)


def declared(*extras: str) -> list[str]:
    """The requirements of pyproject.toml: the hard ones, and those of `extras`."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    asked = [*project["dependencies"]]
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    return [requirement for requirement in asked if not requirement.startswith(ITSELF)]


def pins(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def committed_copy(target: Path) -> Path:
    """The checkout as a clone would have it: what git knows or would take, and nothing that was made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split(b"\0")):
        source, copy = ROOT / os.fsdecode(name), target / os.fsdecode(name)
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return target


class Environment:
    """A virtual environment beside .venv, and the programs in it."""

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, ROOT / f".venv-{name}"
        self.python = self.folder / "bin" / "python"
        # Nothing from the caller's own environment or configuration of kernels may come in.
        hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "JUPYTER_PATH", "__PYVENV_LAUNCHER__")
        self.variables = {k: v for k, v in os.environ.items() if k not in hidden}
        self.variables.update(
            QUIET_THREADS,
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PIP_NO_INPUT="1",
            PYDEVD_DISABLE_FILE_VALIDATION="1",  # else each kernel writes four lines about its debugger
        )
        self.variables["PATH"] = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"

    def say(self, text: str) -> None:
        print(f"test-{self.name}: {text}", flush=True)

    def make(self) -> None:
        if self.python.exists() and self.run("-c", "").returncode == 0:
            return
        self.say(f"making {self.folder.name} with Python {sys.version.split()[0]}")
        done = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(self.folder)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
            raise Stop(f"could not make {self.folder.name}: {said[-1]}")

    def run(self, *command: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.python), *command],
            cwd=options.pop("cwd", ROOT),
            env=self.variables,
            text=True,
            **options,
        )

    def pip(self, *words: str) -> subprocess.CompletedProcess:
        return self.run("-m", "pip", *words, capture_output=True, stdin=subprocess.DEVNULL)

    def installed(self) -> dict[str, str]:
        """Name and version of each package; the keys as the index writes names."""
        listed = json.loads(self.pip("list", "--format=json").stdout)
        return {re.sub(r"[-_.]+", "-", p["name"]).lower(): p["version"] for p in listed}

    def install(self, asked: list[str], *options: str) -> None:
        """Install `asked`; where a pinned version is not to be had, the nearest one, with a line."""
        asked = list(asked)
        while True:
            done = self.pip("install", "-q", "--prefer-binary", *options, *asked)
            if done.returncode == 0:
                return
            lines = done.stdout.splitlines() + done.stderr.splitlines()
            errors = [line for line in lines if line.startswith("ERROR:")]
            found = re.search(
                r"that satisfies the requirement (\S+?)==(\S+) \(from versions: (.*)\)",
                "\n".join(errors),
            )
            other = found and nearest(found[2], found[3].split(", "))
            if not other or f"{found[1]}=={found[2]}" not in asked:
                said = errors or lines or ["pip gave no reason"]
                raise Stop(f"pip could not install what this needs: {said[0][:300]}")
            self.say(f"{found[1]} {found[2]} cannot be had here; {other} takes its place")
            asked[asked.index(f"{found[1]}=={found[2]}")] = f"{found[1]}=={other}"

    def brings_cuda(self, requirement: str) -> bool:
        """Whether installing it would bring NVIDIA's libraries, several GB of them."""
        # What an earlier run installed must not stand for it: then there would be nothing to report.
        options = ["-q", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-"]
        done = self.pip("install", *options, requirement)
        if done.returncode or sys.platform != "linux":
            return False  # where it cannot be had at all, `install` says so
        needs = [
            need
            for part in json.loads(done.stdout)["install"]
            for need in part["metadata"].get("requires_dist", [])
        ]
        return any(CUDA.match(need) for need in needs)

    def torch(self, wanted: str) -> str:
        """`wanted`, or the version of requirements.txt where only that one comes without CUDA."""
        usual = next(pin for pin in pins(ROOT / "requirements.txt") if pin.startswith("torch=="))
        if wanted != usual and self.brings_cuda(wanted) and not self.brings_cuda(usual):
            self.say(
                f"{wanted} comes only with GBs of CUDA libraries here; {usual} takes its place"
            )
            return usual
        return wanted

    def pytest(self, *words: str) -> None:
        jobs = os.environ.get("JOBS", "2")
        done = self.run("-m", "pytest", "-q", "-n", jobs, "-p", "no:cacheprovider", *words)
        if done.returncode:
            raise Stop("the tests above did not pass")

    def show(self, names: Iterable[str]) -> None:
        have = self.installed()
        listed = ", ".join(f"{name} {have[name]}" for name in names if name in have)
        self.say(f"Python {sys.version.split()[0]}, {listed}")


def notebooks() -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for folder in ("notebooks", "book")
        for path in sorted((ROOT / folder).glob("[!.]*.ipynb"))
    ]


def library_tests() -> list[str]:
    paths = sorted((ROOT / "tests").glob("test_*.py"))
    return [f"tests/{path.name}" for path in paths if path.name not in OF_THE_BOOK]


def with_torch(environment: Environment, asked: list[str], pick=lambda wanted: wanted) -> list[str]:
    """`asked` through `pick`, PyTorch in a build without CUDA if there is one."""
    kept = [pick(part) for part in asked if not part.startswith("torch")]
    peer = next(part for part in asked if part.startswith("torch"))
    return sorted({*kept, environment.torch(pick(peer))})


def oldest(environment: Environment) -> None:
    asked = declared("notebooks", "fast", "dev")
    environment.install(with_torch(environment, asked, lower_bound))
    environment.install(["-e", "."], "--no-deps")
    environment.show(re.split(r"[<>=]", part)[0] for part in asked if ">=" in part)
    environment.pytest("--doctest-modules", "convlib", *library_tests())


def newest(environment: Environment) -> None:
    asked = declared("notebooks", "fast", "dev")
    environment.install(
        with_torch(environment, [*asked, "pip"]), "--upgrade", "--upgrade-strategy", "eager"
    )
    environment.install(["-e", "."], "--no-deps")
    environment.show(re.split(r"[<>=]", part)[0] for part in asked)
    environment.pytest("--doctest-modules", "convlib", *library_tests())
    environment.pytest("--dist", "loadfile", "--nbval-lax", *notebooks())


def colab(environment: Environment) -> None:
    wanted = pins(COLAB)
    environment.install(with_torch(environment, [*wanted, *RUNNER]))
    environment.pip("uninstall", "-y", ITSELF, COLAB_LACKS)
    # pip leaves the folder behind, for what Numba has kept in it, and Python takes that for a package
    for folder in environment.folder.glob("lib/python*/site-packages/convlib"):
        shutil.rmtree(folder)
    before = environment.installed()
    environment.show(pin.partition("==")[0] for pin in wanted)
    with tempfile.TemporaryDirectory() as folder:
        clone = committed_copy(Path(folder))
        cells = environment.run("tests/colab.py", str(clone), str(ROOT / notebooks()[0]))
    if cells.returncode:
        raise Stop("the set-up cell or the explorers did not do what they should, see above")
    changed = dict(environment.installed().items() ^ before.items())
    if set(changed) - {ITSELF, COLAB_LACKS} or ITSELF not in changed:
        raise Stop(
            f"the set-up cell changed {', '.join(sorted(changed))}; only convlib may come in"
        )
    environment.say(f"the set-up cell added {', '.join(sorted(changed))} and changed nothing else")
    environment.pytest("--dist", "loadfile", "--nbval-lax", *notebooks())


def main() -> int:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    kinds = {"oldest": oldest, "newest": newest, "colab": colab}
    if name not in kinds:
        print("make: name one of: " + ", ".join(kinds), file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036  (this may be any Python on PATH)
        print(f"make: test-{name} needs Python 3.11 or newer: PYTHON=python3.11", file=sys.stderr)
        return 1
    environment = Environment(name)
    try:
        environment.make()
        kinds[name](environment)
    except Stop as stop:
        print(f"make: test-{name}: {stop}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
