"""The benchmark's harness: it computes what it says, and sums it up rightly. No time is tested."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from convlib.benchmark import NETWORKS, Layer, measure, record, worker
from convlib.benchmark.__main__ import main
from convlib.benchmark.measure import Worker, columns_bytes, flops, geometric_mean
from convlib.benchmark.report import plot, summaries, table
from convlib.benchmark.timing import extra_memory
from convlib.benchmark.worker import arrays, as_numpy, convlib_run, exact, torch_run


@pytest.fixture(scope="module")
def found():
    return measure(
        ["small"],
        ["auto", "auto-numpy", "winograd", "auto@1e-3", "product", "no-such"],
        [1],
        ["forward", "input", "weight"],
        rounds=2,
        seconds=0.0,
        threads=1,
    )


def test_each_layer_has_a_row_for_each_algorithm(found):
    assert len(found["rows"]) == len(NETWORKS["small"]) * 3 * 7
    for row in found["rows"]:
        if row["algorithm"] == "no-such":
            assert "algorithm must be" in row["missing"]
        elif row["algorithm"] == "winograd" and not row["winograd"] and "missing" in row:
            assert "needs three taps" in row["missing"]
        elif row["algorithm"] == "product" and "missing" in row:
            assert row["task"] != "forward" or "transposed" in row["layer"]
        else:
            assert row["seconds"] > 0 and row["gflops"] > 0
            assert 0 < row["low"] <= row["ratio"] <= row["high"]
            if row["algorithm"] == "product":
                continue
            assert row["error"] < (1e-4 if "1e-3" in row["algorithm"] else 3e-5)


def test_all_of_it_is_json(found):
    assert json.loads(json.dumps(found)) == found
    assert {"processor", "cores", "cache", "registers", "numpy", "torch"} <= set(found["machine"])


def test_the_table_names_all(found):
    text = table(found)
    for layer in NETWORKS["small"]:
        assert text.count(f"small {layer} ") == 3
    for word in ("geometric means", "forward: all 3-d", "weight: small", "no-such", "1 threads"):
        assert word in text


def test_the_plot_is_drawn(found, tmp_path):
    pytest.importorskip("matplotlib")
    plot(found, str(tmp_path / "ratios.png"))
    assert (tmp_path / "ratios.png").read_bytes()[:4] == b"\x89PNG"


def test_suites_part_the_rows(found):
    suites = dict(summaries(found["rows"]))
    for task in ("forward", "input", "weight"):
        kinds = [rows for name, rows in suites.items() if name.startswith(f"{task}: all ")]
        assert sum(map(len, kinds)) == len(suites[f"{task}: small"]) == len(NETWORKS["small"]) * 7


def test_geometric_mean():
    assert math.isclose(geometric_mean([2, 0.5]), 1)
    assert math.isclose(geometric_mean([1, 8, 8]), 4)


def test_the_command_line(capsys, tmp_path):
    file = tmp_path / "found.json"
    options = "--networks small --batches 1 --rounds 1 --seconds 0 --threads 1 --clock processor --no-check"
    main([*options.split(), "--json", str(file)])
    assert "forward: small" in capsys.readouterr().out
    rows = json.loads(file.read_text())["rows"]
    assert {row["algorithm"] for row in rows} == {"torch", "auto"}
    assert all(row["error"] is None for row in rows)
    with pytest.raises(ValueError, match="goes with one thread"):
        measure(["small"], threads=2, clock="processor")
    with pytest.raises(SystemExit):
        main(["--networks", "alexnet"])
    assert "no such network: alexnet" in capsys.readouterr().err


@pytest.mark.parametrize("layer", NETWORKS["small"], ids=str)
@pytest.mark.parametrize("task", ["forward", "input", "weight"])
def test_both_libraries_compute_the_same(layer, task, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    theirs = as_numpy(torch_run(layer, task, arrays(layer, 2, task), "numpy")())
    ours = convlib_run(layer, task, arrays(layer, 2, task), "auto", "numpy")()
    request = {"layers": [layer], "batch": 2, "task": task}
    expected = exact(request)
    for result in (theirs, ours):
        assert result.shape == expected.shape
        assert np.abs(result - expected).max() < 1e-5 * np.abs(expected).max()


def test_auto_numpy_is_auto_without_numba():
    """In a process of its own, as the benchmark has it: Numba is never imported again there."""
    layer = next(layer for layer in NETWORKS["small"] if layer.kind == "depthwise")
    code = f"""
from convlib.algorithms import choice
from convlib.benchmark.worker import make
request = dict(layers=[{list(layer)}], batch=2, task="forward", who="auto-numpy", library="numpy")
assert make(request)().shape[0] == 2
assert not choice.is_available()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_whole_network_is_its_layers_one_after_another(monkeypatch, capsys):
    """One row for all; its work is the sum of theirs; each layer is computed, the last one returned."""
    layers = NETWORKS["small"]
    done = []
    monkeypatch.setattr(worker, "make_one", lambda layer, request: lambda: done.append(layer))
    worker.make({"layers": [list(layer) for layer in layers]})()
    assert done == list(layers)

    found = measure(["small"], ["auto"], rounds=1, seconds=0.0, threads=1, whole=True)
    theirs, ours = found["rows"]
    assert (theirs["algorithm"], ours["algorithm"]) == ("torch", "auto")
    assert ours["layer"] == f"all {len(layers)} layers" and ours["kind"] == "whole"
    work = sum(flops(layer, 1) for layer in layers)
    assert ours["gflops"] * ours["seconds"] * 1e9 == pytest.approx(work)
    assert ours["error"] is None and ours["ratio"] > 0
    main(["--networks", "small", "--batches", "1", "--rounds", "1", "--seconds", "0", "--whole"])
    printed = capsys.readouterr().out
    assert f"small all {len(layers)} layers" in printed
    assert "forward: all whole" not in printed


def test_layers_follow_each_other():
    """What a network's layers put out is taken in by others: sizes and channels fit."""
    for name, layers in NETWORKS.items():
        if name in ("small", "lenet", "c3d"):
            continue
        taken = {(layer.inputs, layer.size) for layer in layers}
        for layer in layers[:-1]:
            out = layer.outputs, layer.output
            pooled = {(out[0], tuple(n // 2 for n in out[1])), (2 * out[0], out[1])}
            last = layer.outputs >= 1280 or layer.output == (7, 7) or layer.output == (14, 14)
            assert out in taken or taken & pooled or last, (name, str(layer))


def test_sizes():
    layer = Layer(64, 128, (56, 56), stride=2)
    assert layer.output == (28, 28) and layer.kind == "dense" and not layer.for_winograd
    assert flops(layer, 3) == 2 * 3 * 64 * 128 * 28 * 28 * 9
    assert columns_bytes(layer, 3) == 4 * 3 * 64 * 9 * 28 * 28
    up = Layer(8, 4, (5, 6), 2, 2, 0, transposed=True)
    assert up.output == (10, 12) and flops(up, 1) == 2 * 8 * 4 * 30 * 4
    assert columns_bytes(up, 1) == 4 * 4 * 4 * 30  # each input cell is spread over o·k·l


def test_extra_memory_leaves_the_result_out():
    block = 1 << 22

    def run() -> np.ndarray:
        np.ones(block, np.uint8)
        return np.ones(block // 2, np.uint8)

    # what is freed before the result is made may hide in its place, so the peak is the larger one
    assert block // 2 - 4096 < extra_memory(run) < block // 2 + 65536


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux's /proc")
def test_a_worker_answers_when_its_threads_are_at_rest():
    """BLAS' threads spin on after a call: the next one to be timed would share the cores with them."""
    layer = Layer(64, 64, (28, 28), 3)
    worker = Worker(2)

    def ticks():
        with open(f"/proc/{worker.process.pid}/stat") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))

    try:
        setting = {"batch": 1, "task": "forward", "who": "im2col", "library": "numpy"}
        worker.ask(do="set up", layers=[layer], clock="wall", check=False, **setting)
        spun = []
        for _ in range(3):  # on a busy machine a thread that spins may get no turn for a while
            worker.ask(do="time", seconds=0.05)
            before = ticks()
            time.sleep(0.1)
            spun.append(ticks() - before)
        assert min(spun) <= 1  # of 10 ms each
    finally:
        worker.close()


def test_a_worker_that_dies_is_an_error():
    worker = Worker(1)
    worker.process.kill()
    with pytest.raises((RuntimeError, BrokenPipeError)):
        worker.ask(do="time", seconds=0)


def test_a_record_is_read_as_it_was_written(found, tmp_path):
    file = tmp_path / "recorded" / "cpu.json"
    record.save(record.collect([found, found]), file)
    read = record.load(file)
    kept = [row for row in found["rows"] if "ratio" in row]
    assert read["machine"] == found["machine"]
    assert len(read["rows"]) == len(kept)  # the second replaced the first
    for row, old in zip(read["rows"], kept, strict=True):
        assert row["threads"] == found["settings"]["threads"]
        for name in set(record.COLUMNS) - {"threads"}:
            expected = old[name]
            if isinstance(expected, float):
                expected = pytest.approx(expected, rel=1e-3)
            assert row[name] == expected


def test_a_record_is_of_one_machine(found):
    other = found | {"machine": found["machine"] | {"numpy": "0.1"}}
    with pytest.raises(ValueError, match="one machine"):
        record.collect([found, other])


def test_the_mean_of_some_rows():
    rows = [
        {"task": "forward", "threads": 1, "ratio": 2.0},
        {"task": "forward", "threads": 2, "ratio": 0.5},
        {"task": "weight", "threads": 1, "ratio": 8.0},
    ]
    assert record.mean(rows) == pytest.approx(2)
    assert record.mean(rows, task="forward") == pytest.approx(1)
    assert record.mean(rows, task="forward", threads=1) == pytest.approx(2)
    with pytest.raises(ValueError, match="no row has"):
        record.mean(rows, task="input")


def test_what_is_recorded_measures_what_is_asked(monkeypatch, tmp_path, capsys):
    """All calls are made, and their rows joined: with a measure that computes nothing."""
    rounds = []

    def fake(networks, algorithms, tasks, batches=(1,), threads=1, **others):
        rounds.append(others["rounds"])
        kind = "whole" if others.get("whole") else "dense"
        head = {"kind": kind, "seconds": 1.0, "ratio": 1.0, "low": 1.0, "high": 1.0}
        rows = [
            {"network": n, "layer": kind, "task": t, "batch": b, "algorithm": a} | head
            for n in networks for t in tasks for b in batches for a in ("torch", *algorithms)
        ]  # fmt: skip
        others["progress"](1, 1, "last")
        return {"machine": {"cores": 2}, "settings": {"threads": threads}, "rows": rows}

    monkeypatch.setattr(record, "measure", fake)
    file = tmp_path / "cpu.json"
    assert record.main(["--file", str(file)]) == 0
    assert rounds == [9] + [3] * (len(record.RUNS) - 1)
    rows = record.load(file)["rows"]
    suites = {name for name in NETWORKS if name != "small"}
    for task in ("forward", "input", "weight"):
        for threads in (1, 2):
            mine = [r for r in rows if (r["task"], r["threads"], r["batch"]) == (task, threads, 1)]
            assert {r["network"] for r in mine if r["algorithm"] == "auto"} == suites
    for kind in ("dense", "whole"):
        mine = [r for r in rows if (r["kind"], r["batch"]) == (kind, 8)]
        assert {r["network"] for r in mine} == suites
    assert str(file) in capsys.readouterr().out


def test_the_record_of_the_book_has_every_layer():
    """What is shown was measured for each layer of each network, beside PyTorch, by each algorithm."""
    found = record.load()["rows"]
    rows = [row for row in found if row["kind"] != "whole"]
    for suite in record.SUITES:
        for batch in (1, 8):
            mine = [
                r
                for r in found
                if r["kind"] == "whole" and (r["network"], r["batch"]) == (suite, batch)
            ]
            assert {r["algorithm"] for r in mine} == {"torch", *record.BOTH}
        layers = {str(layer) for layer in NETWORKS[suite]}
        for task in ("forward", "input", "weight"):
            for threads in (1, 2):
                for name in ("torch", "auto", "auto-numpy"):
                    key = {"network": suite, "task": task, "threads": threads, "algorithm": name}
                    mine = [r for r in rows if r["batch"] == 1 and key.items() <= r.items()]
                    assert {r["layer"] for r in mine} == layers
    for row in found:
        assert row["low"] <= row["ratio"] <= row["high"] and row["seconds"] > 0
        assert row["algorithm"] != "torch" or row["ratio"] == 1
