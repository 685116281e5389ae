"""Break convlib one formula at a time and see that the tests notice: `make mutation`.

Each mutation of `mutations.py` is applied to a copy of convlib and its tests, and the tests named
for it run there until the first failure. A mutation that no test notices survives: then this
script exits with 1, as it does where a text to replace no longer stands in its file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parent.parent
# A mutant may loop or ask for all the memory there is: then it is stopped, and that is noticed too.
SECONDS, GIGABYTES = 300, 8
IGNORED = shutil.ignore_patterns("__pycache__", ".hypothesis", "book", "static")


def is_stale(mutation: Mutation) -> bool:
    """Tell whether the text to replace does not stand in its file exactly once."""
    return (ROOT / "convlib" / mutation.file).read_text().count(mutation.old) != 1


def copy(source: Path, where: Path) -> None:
    """Copy what the tests need."""
    shutil.copytree(source / "convlib", where / "convlib", ignore=IGNORED)
    shutil.copytree(source / "tests", where / "tests", ignore=IGNORED)
    shutil.copy(source / "pyproject.toml", where)


def run_tests(where: Path, tests: str) -> str:
    """Run tests in a copy. Return 'passed', or what noticed that something is wrong."""
    environment = {**os.environ, "PYTHONPATH": str(where), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    command += [f"tests/{name}" for name in tests.split()]
    shell = f'ulimit -v {GIGABYTES * 2**20}; ulimit -c 0; exec "$@"'
    try:
        run = subprocess.run(
            ["bash", "-c", shell, "-", *command],
            cwd=where,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {SECONDS} s"
    if run.returncode == 0:
        return "passed"
    lines = run.stdout.splitlines()
    noticed = [line.split()[1] for line in lines if line.startswith(("FAILED", "ERROR"))]
    return noticed[0].removeprefix("tests/") if noticed else f"exit status {run.returncode}"


def mutate(mutation: Mutation, source: Path = ROOT) -> str:
    """Apply a mutation to a copy and return what noticed it, or 'passed'."""
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        copy(source, where)
        file = where / "convlib" / mutation.file
        file.write_text(file.read_text().replace(mutation.old, mutation.new))
        return run_tests(where, mutation.tests)


def show(verdict: str, mutation: Mutation, noticed: str) -> None:
    old, new = (" ".join(text.split())[:40] for text in (mutation.old, mutation.new))
    print(f"{verdict:<9}{mutation.file:<21} {old:<41} -> {new:<41} {noticed[:80]}", flush=True)


def main(jobs: int = 2) -> int:
    """Run all mutations, print the table, and return how many survived or are stale."""
    stale = [mutation for mutation in MUTATIONS if is_stale(mutation)]
    for mutation in stale:
        show("STALE", mutation, "the text does not stand in its file exactly once")
    live = [mutation for mutation in MUTATIONS if mutation not in stale]
    begun, survived = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(jobs) as pool:
        # one state of the files for all, in which the tests pass: else nothing would be shown
        whole = Path(directory)
        copy(ROOT, whole)
        tests = sorted({name for mutation in live for name in mutation.tests.split()})
        if (noticed := run_tests(whole, " ".join(tests))) != "passed":
            print(f"The tests fail before anything is broken: {noticed}.")
            return 1
        results = pool.map(lambda mutation: mutate(mutation, whole), live)
        for mutation, noticed in zip(live, results, strict=True):
            survived += noticed == "passed"
            show("SURVIVED" if noticed == "passed" else "caught", mutation, noticed)
    seconds = time.monotonic() - begun
    print(f"{len(live) - survived} of {len(live)} mutations caught in {seconds:.0f} s.")
    return survived + len(stale)


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("JOBS", "2"))) > 0)
