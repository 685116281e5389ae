"""What all tests share: Hypothesis profiles, and one thread for PyTorch beside other processes."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# `HYPOTHESIS_PROFILE=long make unit` looks at twenty times as many examples. The examples of the
# usual profile are the same on every run, so that a red run is red again.
settings.register_profile(
    "usual",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile(
    "long", settings.get_profile("usual"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def pytest_configure(config) -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture(params=["numpy", "cupy"])
def xp(request):
    """The array library: NumPy, then CuPy where there is a GPU."""
    module = pytest.importorskip(request.param)
    if request.param == "cupy" and not module.is_available():
        pytest.skip("CuPy finds no GPU")
    return module


@pytest.fixture(autouse=True)
def decisions(request):
    """A test that changes by what the library decides finds no earlier decision, and leaves none."""
    changes = "monkeypatch" in request.fixturenames and "convlib" in sys.modules
    if changes:
        forget_decisions()
    yield
    if changes:
        forget_decisions()


def forget_decisions() -> None:
    from convlib.algorithms import calls, choice

    kept = [calls._way, choice.file_of("shared_rows").blocks_of]
    kept += [choice.file_of("units").most_threads, choice.file_of("compiled").kind_of]
    for function in kept:
        function.cache_clear()
