"""One check for every refusal: ours is a sentence of its own, and PyTorch refuses the call too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import convlib


def namesake(name: str) -> Callable | None:
    """PyTorch's function of this name, from torch.nn.functional or torch.nn.grad."""
    if hasattr(convlib.grad, name):
        return getattr(torch.nn.grad, name, None)
    return getattr(torch.nn.functional, name, None)


def tensor(value: Any) -> Any:
    """An array as a tensor, everything else as it is."""
    return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value


def assert_refused(name: str, pattern: str, *args: Any, torch_takes: str = "", **kwargs: Any):
    """Assert that convlib refuses the call with a sentence that has `pattern` in it.

    PyTorch must refuse it as well, unless `torch_takes` says why PyTorch does not; then PyTorch
    must really take it, so that no exception outlives its reason.
    """
    function = getattr(convlib, name, None) or getattr(convlib.grad, name)
    with pytest.raises((ValueError, TypeError)) as caught:
        function(*args, **kwargs)
    message = str(caught.value)
    assert message.startswith(f"{name}: ") and message.endswith("."), message
    assert re.search(pattern, message), f"{pattern!r} is not in {message!r}"
    theirs = namesake(name)
    if theirs is None:
        return
    tensors = [tensor(value) for value in args]
    settings = {key: tensor(value) for key, value in kwargs.items()}
    if torch_takes:
        theirs(*tensors, **settings)
        return
    with pytest.raises(Exception):  # noqa: B017  PyTorch's own types of error vary
        theirs(*tensors, **settings)
