"""PyTorch's own test cases for our functions, out of the installed torch package, and a report.

PyTorch tests its operators with tables of samples and of errors (`OpInfo`), and its modules
likewise (`ModuleInfo`). Here every sample is handed to convlib: run `python tests/opinfo.py` for
the table of what passed, was refused by both, or differs on purpose.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from support.checks import DTYPES
from support.differences import known_difference
from torch.overrides import TorchFunctionMode
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db

from convlib.validation import assert_gradients_match_torch, assert_matches_torch

NAMES = r"(conv|conv_transpose|max_pool|avg_pool)[123]d|pad|unfold|fold"
OPERATORS = [op for op in op_db if re.fullmatch(rf"nn\.functional\.({NAMES})", op.name)]
MODULES = [
    info
    for info in module_db
    if re.search(r"\.(Conv|MaxPool|AvgPool|Fold|Unfold|\w+Pad)", info.name)
]
AUTOGRAD = ("float32", "float64", "complex64", "complex128")
COLUMNS = ("passed", "gradients", "refused", "differs", "failed")


def identify(op: Any) -> str:
    """Name an operator with its variant, as `pad.reflect`."""
    return ".".join(filter(None, (op.name.removeprefix("nn.functional."), op.variant_test_name)))


def array(value: Any) -> Any:
    """Turn a tensor into an array that shares its memory, strides and all."""
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_conj().resolve_neg().numpy()
    return value


def calls(samples: Any) -> Iterator[tuple[tuple, dict]]:
    """Turn samples of PyTorch into the arguments of a call on arrays."""
    for sample in samples:
        values = (sample.input, *sample.args)
        yield tuple(map(array, values)), {k: array(v) for k, v in sample.kwargs.items()}


def judge(function: str, args: tuple, kwargs: dict, autograd: bool = False) -> Counter:
    """Compare one call with PyTorch, and its gradients on demand; fail with an AssertionError."""
    try:
        result = assert_matches_torch(function, *args, **kwargs)
    except AssertionError as error:
        taken = "refuses" if "convlib refuses" in str(error) else "accepts"
        named = dict(zip(("input", "kernel_size"), args, strict=False)) | kwargs
        if not str(error).startswith(function) or not known_difference(function, named, taken):
            raise
        return Counter(differs=1)
    if result is None:
        return Counter(refused=1)
    if not autograd:
        return Counter(passed=1)
    return Counter(passed=1, gradients=len(assert_gradients_match_torch(function, *args, **kwargs)))


def walk_samples(op: Any, dtype: str) -> Counter:
    """Hand every sample of an operator to convlib, contiguous and not."""
    function, counts = op.name.removeprefix("nn.functional."), Counter()
    samples = list(op.sample_inputs("cpu", getattr(torch, dtype)))
    for args, kwargs in calls(samples):
        counts += judge(function, args, kwargs, dtype in AUTOGRAD)
    for args, kwargs in calls(sample.noncontiguous() for sample in samples):
        counts += judge(function, args, kwargs)
    return counts


def walk_foreign(op: Any, dtype: str) -> Counter:
    """Hand over the samples in a dtype that PyTorch's tests leave out: the same, or both refuse."""

    def cast(value: Any) -> Any:
        return np.abs(value).astype(dtype) if isinstance(value, np.ndarray) else value

    function, counts = op.name.removeprefix("nn.functional."), Counter()
    for args, kwargs in calls(op.sample_inputs("cpu", torch.float32)):
        cast_kwargs = {name: cast(value) for name, value in kwargs.items()}
        counts += judge(function, tuple(map(cast, args)), cast_kwargs)
    return counts


def walk_errors(op: Any) -> Counter:
    """Hand every call that PyTorch's tests expect an error from to convlib: both must refuse."""
    function, counts = op.name.removeprefix("nn.functional."), Counter()
    errors = op.error_inputs("cpu") if op.error_inputs_func else ()
    for args, kwargs in calls(error.sample_input for error in errors):
        counts += judge(function, args, kwargs)
    return counts


class Recorder(TorchFunctionMode):
    """Note the calls that PyTorch's modules make to our functions."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple, dict]] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.__name__.removeprefix("_")
        if re.fullmatch(NAMES, name):
            self.calls.append((name, args, dict(kwargs)))
        return func(*args, **kwargs)


def walk_modules(info: Any, dtype: str) -> Counter:
    """Run a module on PyTorch's own inputs for it, and repeat the calls that it makes."""
    counts: Counter = Counter()
    options = {"device": "cpu", "dtype": getattr(torch, dtype), "requires_grad": False}
    for sample in info.module_inputs_func(info, training=False, **options):
        built = sample.constructor_input
        module = info.module_cls(*built.args, **built.kwargs).to(options["dtype"])
        with Recorder() as recorder:
            module(*sample.forward_input.args, **sample.forward_input.kwargs)
        for function, args, kwargs in recorder.calls:
            plain = {k: array(v) for k, v in kwargs.items()}
            counts += judge(function, tuple(map(array, args)), plain, autograd=True)
    return counts


def walks() -> Iterator[tuple[str, str, Callable[[], Counter]]]:
    """Name every walk: what the table calls it, the dtype or 'error', and a function to run."""
    for op in OPERATORS:
        for dtype in DTYPES:
            known = getattr(torch, dtype) in op.supported_dtypes("cpu")
            walk = walk_samples if known else walk_foreign
            yield identify(op), dtype, partial(walk, op, dtype)
        if op.error_inputs_func:
            yield identify(op), "error", partial(walk_errors, op)
    for info in MODULES:
        for dtype in ("float32", "float64"):
            yield info.name, dtype, partial(walk_modules, info, dtype)


def report() -> int:
    """Print the table, a row a function; return how many walks failed."""
    table: dict[str, Counter] = {}
    for name, dtype, walk in walks():
        row = table.setdefault(name, Counter())
        torch.manual_seed(0)
        try:
            row += walk()
        except AssertionError as error:
            row["failed"] += 1
            print(f"{name} {dtype}: {error}", file=sys.stderr)
    table["all"] = sum(table.values(), Counter())
    print(f"{'function':<28}" + "".join(f"{column:>11}" for column in COLUMNS))
    for name, row in table.items():
        print(f"{name:<28}" + "".join(f"{row[column]:>11}" for column in COLUMNS))
    return table["all"]["failed"]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    sys.exit(report() > 0)
