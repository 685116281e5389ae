"""The table of mutations is up to date, and a handful of them is caught. All: `make mutation`."""

from __future__ import annotations

import mutation
import pytest
from mutations import MUTATIONS

# One of each kind, with quick tests: a refusal, a sum.
HANDFUL = [
    next(m for m in MUTATIONS if m.old.startswith("if other.dtype is not dtype")),
    next(m for m in MUTATIONS if m.old == "goi{tap}->ngo"),
]


@pytest.mark.parametrize("broken", MUTATIONS, ids=lambda m: f"{m.file}:{m.old.strip()}")
def test_text_stands_in_its_file(broken):
    assert not mutation.is_stale(broken), "mend tests/mutations.py: the formula has another text"
    assert broken.old != broken.new


def test_tests_are_there():
    for broken in MUTATIONS:
        for name in broken.tests.split():
            assert (mutation.ROOT / "tests" / name.split("::")[0]).is_file(), name


@pytest.mark.parametrize("broken", HANDFUL, ids=lambda m: f"{m.file}:{m.old}")
def test_broken_is_noticed(broken):
    noticed = mutation.mutate(broken)
    assert noticed.startswith("test_"), f"what noticed it is no test: {noticed}"


def test_unbroken_passes(tmp_path):
    mutation.copy(mutation.ROOT, tmp_path)
    assert mutation.run_tests(tmp_path, HANDFUL[0].tests) == "passed"
