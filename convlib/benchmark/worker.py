"""One process of the benchmark: it computes one layer with one library, when it is told to.

It reads requests from its input, a line of JSON each, and answers with a line of JSON. `measure.py`
starts it, with the number of threads in its environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

from .layers import Layer
from .timing import Run, extra_memory, time_once, until_quiet


class Missing(Exception):
    """A library or a layer that this worker cannot do."""


def arrays(layer: Layer, batch: int, task: str) -> dict[str, np.ndarray]:
    """Make the input, the weight and the output's gradient: never zeros, always the same."""
    rng = np.random.default_rng(0)
    taps = (layer.kernel,) * len(layer.size)
    lead = (layer.inputs, layer.outputs) if layer.transposed else (layer.outputs, layer.inputs)
    shapes = {
        "x": (batch, layer.inputs, *layer.size),
        "w": (lead[0], lead[1] // layer.groups, *taps),
        "gy": (batch, layer.outputs, *layer.output),
    }
    needed = {"forward": "x w", "input": "w gy", "weight": "x gy"}[task].split()
    made = {name: rng.standard_normal(shapes[name], np.float32) for name in needed}
    made["missing"] = np.empty(shapes[({"x", "w", "gy"} - set(needed)).pop()], np.int8)
    return made


def convlib_run(layer: Layer, task: str, data: dict, algorithm: str, library: str) -> Run:
    """Return the call of convlib that computes a layer."""
    import convlib

    xp: Any = import_module(library)
    data = {name: xp.asarray(array) for name, array in data.items()}
    kind = "conv_transpose" if layer.transposed else "conv"
    settings: dict[str, Any] = {
        "stride": layer.stride,
        "padding": layer.padding,
        "groups": layer.groups,
        "algorithm": algorithm,
    }
    name = f"{kind}{len(layer.size)}d"
    if task == "forward":
        function = getattr(convlib, name)
        return lambda: function(data["x"], data["w"], **settings)
    function, missing = getattr(convlib.grad, f"{name}_{task}"), data["missing"].shape
    if task == "input":
        return lambda: function(missing, data["w"], data["gy"], **settings)
    return lambda: function(data["x"], missing, data["gy"], **settings)


def allowed_run(run: Run, error: float) -> Run:
    """Run with an error allowed, so that "auto" may choose other sums."""
    from convlib import allowed_error

    def allowed() -> Any:
        with allowed_error(error):
            return run()

    return allowed


def settle_torch(autotune: bool) -> None:
    """Set what PyTorch keeps for the whole process, which is this worker's alone."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.set_grad_enabled(False)
    torch.backends.cudnn.benchmark = autotune
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def torch_run(layer: Layer, task: str, data: dict, library: str) -> Run:
    """Return PyTorch's call: forward as users call it, gradients as autograd calls them."""
    import torch

    device = "cuda" if library == "cupy" else "cpu"
    missing = torch.empty(data.pop("missing").shape, device=device)
    t = {name: torch.from_numpy(array).to(device) for name, array in data.items()}
    axes = len(layer.size)
    stride, padding, one = [layer.stride] * axes, [layer.padding] * axes, [1] * axes
    if task == "forward":
        name = f"conv_transpose{axes}d" if layer.transposed else f"conv{axes}d"
        function = getattr(torch.nn.functional, name)
        return lambda: function(
            t["x"], t["w"], stride=layer.stride, padding=layer.padding, groups=layer.groups
        )
    x, w = t.get("x", missing), t.get("w", missing)
    mask = [task == "input", task == "weight", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(
        t["gy"], x, w, None, stride, padding, one, layer.transposed, [0] * axes, layer.groups, mask
    )[0 if task == "input" else 1]


def mygrad_run(layer: Layer, task: str, data: dict) -> Run:
    """Return the call of MyGrad, a peer in pure NumPy, which has no groups."""
    if layer.groups > 1 or layer.transposed or task != "forward":
        raise Missing("MyGrad cannot do this layer")
    names: tuple[str, ...] = ("mygrad", "mygrad.nnet.layers")
    peer, layers = map(import_module, names)
    peer.turn_memory_guarding_off()
    settings = {"stride": layer.stride, "padding": layer.padding, "constant": True}
    return lambda: layers.conv_nd(data["x"], data["w"], **settings).data


def product_run(layer: Layer, batch: int, task: str) -> Run:
    """Return the matrix product that is left of a layer once its columns lie ready.

    No algorithm that adds up direct sums by NumPy's BLAS is faster: it is the roof above them.
    """
    if task != "forward" or layer.transposed:
        raise Missing("the product stands for a forward pass")
    rng = np.random.default_rng(0)
    g, rows = layer.groups, layer.inputs // layer.groups * layer.kernel ** len(layer.size)
    w = rng.standard_normal((g, layer.outputs // g, rows), np.float32)
    columns = rng.standard_normal((g, rows, batch * prod(layer.output)), np.float32)
    y = np.empty((g, layer.outputs // g, columns.shape[-1]), np.float32)
    return lambda: np.matmul(w, columns, out=y)


def make(request: dict) -> Run:
    """Return what one request asks to be computed: its layers, one after another."""
    runs = [make_one(layer, request) for layer in layers_of(request)]

    def all_runs() -> Any:
        for run in runs[:-1]:
            run()
        return runs[-1]()

    return runs[0] if len(runs) == 1 else all_runs


def layers_of(request: dict) -> list[Layer]:
    """Read the layers of a request, in which JSON has made lists of all tuples."""
    layers = [Layer(*layer) for layer in request["layers"]]
    return [layer._replace(size=tuple(layer.size)) for layer in layers]


def make_one(layer: Layer, request: dict) -> Run:
    """Return what computes one layer."""
    who, task, library = request["who"], request["task"], request["library"]
    if who == "product":
        return product_run(layer, request["batch"], task)
    data = arrays(layer, request["batch"], task)
    try:
        if who.startswith("torch"):
            settle_torch(who == "torch-autotuned")
            return torch_run(layer, task, data, library)
        if who == "mygrad":
            return mygrad_run(layer, task, data)
        algorithm, _, allowed = who.partition("@")
        if algorithm == "auto-numpy":  # as where Numba is not installed
            algorithm, sys.modules["numba"] = "auto", None  # type: ignore[assignment]
        run = convlib_run(layer, task, data, algorithm, library)
        return allowed_run(run, float(allowed)) if allowed else run
    except ImportError as error:
        raise Missing(str(error)) from error


def as_numpy(result: Any) -> np.ndarray:
    """Copy a result of any of the libraries to the CPU."""
    if hasattr(result, "detach"):
        result = result.detach().cpu().numpy()
    return result.get() if hasattr(result, "get") else np.asarray(result)


def exact(request: dict) -> np.ndarray:
    """Compute the same in float64, by blocked direct sums."""
    (layer,) = layers_of(request)
    data = arrays(layer, request["batch"], request["task"])
    data = {n: a if n == "missing" else a.astype(np.float64) for n, a in data.items()}
    return convlib_run(layer, request["task"], data, "im2col", "numpy")()


def answer(request: dict, state: dict) -> dict[str, Any]:
    """Set up a layer, or time it once more."""
    if request["do"] == "set up":
        state.clear()
        state["run"] = run = make(request)
        state["how"] = request["library"], request["clock"]
        result = as_numpy(run())  # the first call, also compiles and imports
        reply: dict[str, Any] = {}
        if request["check"] and request["who"] != "product":
            expected = exact(request)
            reply["error"] = float(np.abs(result - expected).max() / np.abs(expected).max())
        if request["library"] == "numpy" and not request["who"].startswith("torch"):
            reply["memory"] = extra_memory(run)
        return reply
    times: list[float] = []
    end = time.perf_counter() + request["seconds"]
    time_once(state["run"], *state["how"])
    while not times or time.perf_counter() < end:
        times.append(time_once(state["run"], *state["how"]))
    # other processes can only add to a time: the fastest of a round's calls is the call's own
    return {"seconds": min(times)}


def main() -> None:
    """Answer requests until the input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    state: dict = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), state)
        except (Missing, ValueError) as error:
            reply = {"missing": str(error)}
        until_quiet()
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
