"""PyTorch's own samples and error inputs find nothing wrong. `python tests/opinfo.py` counts."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import opinfo  # noqa: E402

WALKS = list(opinfo.walks())

# What the walk must find, so that a renamed operator cannot empty it.
OPERATORS = {
    *(f"{name}{axes}d" for name in ("conv", "conv_transpose") for axes in (1, 2, 3)),
    *(f"{name}{axes}d" for name in ("max_pool", "avg_pool") for axes in (1, 2, 3)),
    *(f"pad.{mode}" for mode in ("constant", "reflect", "replicate", "circular")),
    "unfold",
}


def test_every_operator_is_walked():
    assert OPERATORS <= {name for name, _, _ in WALKS}


@pytest.mark.parametrize(
    "dtype, walk",
    [pytest.param(dtype, walk, id=f"{name}-{dtype}") for name, dtype, walk in WALKS],
)
@pytest.mark.filterwarnings("ignore")
def test_nothing_is_wrong(dtype, walk):
    torch.manual_seed(0)
    counts = walk()
    assert not counts["failed"]
    if dtype == "error":
        assert counts["refused"] and not counts["passed"]
    else:
        assert sum(counts.values()) > 0
