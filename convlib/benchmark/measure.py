"""Start a process for each library, let them compute in turn, and take ratios of their times."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from math import exp, log
from statistics import median, quantiles
from typing import Any

from ..algorithms.threads import cores
from .layers import NETWORKS, Layer

# For glibc: memory that was freed stays with the process. Otherwise it depends on what came before
# whether a large result is memory that is new each time, and takes several times as long to write.
KEPT = {"MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_MMAP_THRESHOLD_": str(1 << 40)}


class Worker:
    """One process that computes for one library."""

    def __init__(self, threads: int):
        number = str(threads)
        environment = {f"{name}_NUM_THREADS": number for name in ("OMP", "OPENBLAS", "MKL")} | KEPT
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"benchmark: a worker stopped, exit code {self.process.wait()}.")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def measure(
    networks: Sequence[str] = ("resnet50",),
    algorithms: Sequence[str] = ("auto",),
    batches: Sequence[int] = (1,),
    tasks: Sequence[str] = ("forward",),
    *,
    against: str = "torch",
    rounds: int = 7,
    seconds: float = 0.1,
    threads: int | None = None,
    library: str = "numpy",
    clock: str = "wall",
    check: bool = True,
    whole: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> dict[str, Any]:
    """Time layers of networks, each algorithm beside PyTorch, and return what was found.

    Parameters
    ----------
    networks : sequence of str
        Names in `NETWORKS`.
    algorithms : sequence of str
        Names of algorithms, "auto", ``auto@1e-3`` for "auto" with an error allowed, 'auto-numpy'
        for "auto" as it is without Numba, 'mygrad', or 'product': the matrix product alone, with all
        columns ready, which no direct sum by NumPy's BLAS can beat.
    batches : sequence of int
    tasks : sequence of {'forward', 'input', 'weight'}
    against : {'torch', 'torch-autotuned'}
        What times are divided by.
    rounds : int
        How often each of them is timed, in turn.
    seconds : float
        How long one of them is timed in a round; its fastest call counts.
    threads : int, optional
        Threads of each process; by default one a core.
    library : {'numpy', 'cupy'}
    clock : {'wall', 'processor'}
        The processor's clock leaves out what other processes took, on a machine that is busy with
        other things. It adds up threads, so it goes with one thread alone.
    check : bool
        Whether to compare results with float64.
    whole : bool
        Whether to time all layers of a network one after another, as a network does, instead of each
        by itself. What a layer leaves behind counts then: what is in the cache, and whose threads are
        still awake. Errors are not looked at.
    progress : callable
        Called with the number of layers done, of all layers, and the name of the next one.

    Returns
    -------
    dict
        'machine', 'settings', and 'rows': a dict for each layer and algorithm, with seconds, the
        median ratio and its quartiles, error and extra memory. Ready for JSON.
    """
    threads = threads or cores()
    if clock == "processor" and (threads > 1 or library != "numpy"):
        raise ValueError("measure: clock='processor' goes with one thread and NumPy alone.")
    jobs = [
        (network, layers, batch, task)
        for network in networks
        for layers in ([NETWORKS[network]] if whole else [[layer] for layer in NETWORKS[network]])
        for batch in batches
        for task in tasks
    ]
    names = [against, *algorithms]
    workers = {name: Worker(threads) for name in names}
    rows = []
    try:
        for done, (network, layers, batch, task) in enumerate(jobs):
            name = f"all {len(layers)} layers" if whole else str(layers[0])
            progress(done, len(jobs), f"{network} {name}")
            found = _layers(
                workers, names, layers, batch, task, rounds, seconds, library, clock,
                check and not whole,
            )  # fmt: skip
            head = {
                "network": network, "layer": name, "batch": batch, "task": task,
                "kind": "whole" if whole else layers[0].kind,
                "times": 1 if whole else layers[0].times,
                "winograd": not whole and layers[0].for_winograd,
            }  # fmt: skip
            rows += [head | row for row in found]
        progress(len(jobs), len(jobs), "")
    finally:
        for worker in workers.values():
            worker.close()
    settings = {
        "against": against, "rounds": rounds, "seconds": seconds, "threads": threads,
        "library": library, "clock": clock,
    }  # fmt: skip
    return {"machine": machine(library), "settings": settings, "rows": rows}


def _layers(
    workers: dict[str, Worker],
    names: list[str],
    layers: Sequence[Layer],
    batch: int,
    task: str,
    rounds: int,
    seconds: float,
    library: str,
    clock: str,
    check: bool,
) -> list[dict[str, Any]]:
    """Time one layer, or several one after another, with all workers in turn."""
    ready = {}
    for name in names:
        reply = workers[name].ask(
            do="set up",
            layers=layers,
            batch=batch,
            task=task,
            who=name,
            library=library,
            clock=clock,
            check=check,
        )
        ready[name] = reply
    able = [name for name in names if "missing" not in ready[name]]
    times: dict[str, list[float]] = {name: [] for name in able}
    for _ in range(rounds):
        for name in able:
            times[name].append(workers[name].ask(do="time", seconds=seconds)["seconds"])
    found = []
    for name in names:
        row: dict[str, Any] = {"algorithm": name}
        if name not in able:
            found.append(row | {"missing": ready[name]["missing"]})
            continue
        row |= {"seconds": median(times[name]), "memory": ready[name].get("memory")}
        row["error"] = ready[name].get("error")
        if names[0] in able:
            ratios = [a / b for a, b in zip(times[name], times[names[0]], strict=True)]
            quarters = quantiles(ratios, n=4, method="inclusive") if rounds > 1 else [ratios[0]] * 3
            row |= {"ratio": median(ratios), "low": quarters[0], "high": quarters[2]}
        row["gflops"] = sum(flops(layer, batch) for layer in layers) / row["seconds"] / 1e9
        row["columns"] = max(columns_bytes(layer, batch) for layer in layers)
        found.append(row)
    return found


def flops(layer: Layer, batch: int) -> int:
    """Multiplications and additions of the direct sum."""
    cells = layer.size if layer.transposed else layer.output
    number = 2 * batch * layer.inputs * layer.outputs // layer.groups
    for m in cells:
        number *= m * layer.kernel
    return number


def columns_bytes(layer: Layer, batch: int) -> int:
    """Bytes of the whole matrix of columns in float32: of a transposed layer, (o·k·l, h·w)."""
    number = 4 * batch * (layer.outputs if layer.transposed else layer.inputs)
    for m in layer.size if layer.transposed else layer.output:
        number *= m * layer.kernel
    return number


def geometric_mean(ratios: Sequence[float]) -> float:
    """The mean of ratios: 2 and 1/2 give 1."""
    return exp(sum(map(log, ratios)) / len(ratios))


def machine(library: str) -> dict[str, Any]:
    """Name the processor, what the library's blocks depend on of it, and the versions."""
    from importlib.metadata import PackageNotFoundError, version

    import numpy as np

    from ..algorithms.caches import near
    from ..algorithms.steps import is_available, with_numba

    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            processor = next(line for line in lines if line.startswith("model name"))
            processor = processor.partition(":")[2].strip()
    except (OSError, StopIteration):
        pass
    found: dict[str, Any] = {"processor": processor, "cores": os.cpu_count()}
    found["cache"] = near()  # bytes a core
    found["registers"] = 8 * with_numba("vectors").BYTES if is_available() else None  # bits
    build = np.show_config(mode="dicts")
    found["blas"] = build["Build Dependencies"]["blas"]["name"] if build else "unknown"
    for name in ("numpy", "torch", "numba", "mygrad"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    if library == "cupy":
        import cupy

        found["gpu"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        found["cupy"] = cupy.__version__
    return found
