"""Experiments run where a GPU is, and are told from recorded ones and from none elsewhere."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from convlib import gpu

ROOT = Path(__file__).parents[1]
NOTEBOOKS = [ROOT / "notebooks" / "10-gpu.ipynb", ROOT / "book" / "memo.ipynb"]
DEVICE = {"device": "Some GPU", "memory": "16 GiB"}


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "recorded" / "gpu.json"
    monkeypatch.setattr(gpu, "FILE", path)
    monkeypatch.setattr(gpu, "available", lambda: False)
    monkeypatch.setattr(gpu, "device", lambda: DEVICE)
    monkeypatch.setattr(gpu, "found", {})
    return path


@pytest.fixture
def with_gpu(file, monkeypatch):
    monkeypatch.setattr(gpu, "available", lambda: True)
    return file


def write(file, results):
    file.parent.mkdir()
    record = {"device": DEVICE, "date": "2026-01-02", "results": results}
    file.write_text(json.dumps(record), "utf8")


def test_without_a_gpu_nothing_runs_and_nothing_is_invented(file):
    @gpu.experiment("one")
    def one():
        raise AssertionError("this must not run")

    assert repr(one) == "No GPU here, and no result is recorded yet."
    assert gpu.recorded() == {} and not one.values
    assert "no results were recorded" in gpu.summary()


def test_recorded_results_name_their_device(file):
    write(file, {"one": {"a": "1 µs", "long": "2"}})

    @gpu.experiment("one")
    def one():
        raise AssertionError("this must not run")

    @gpu.experiment("another")
    def another():
        raise AssertionError("this must not run")

    assert repr(one) == "a     1 µs\nlong  2\n(recorded on Some GPU)"
    assert repr(another) == "No GPU here, and no result is recorded yet."
    assert gpu.summary().endswith("are shown, of: Some GPU, 2026-01-02.")


def test_with_a_gpu_it_runs_whatever_was_recorded(with_gpu):
    write(with_gpu, {"one": {"a": "old"}})

    @gpu.experiment("one")
    def one():
        return {"a": 3}

    assert repr(one) == "a  3\n(on Some GPU)"
    assert gpu.summary() == "A GPU is here: Some GPU. All cells run on it."


def test_the_recorder_runs_the_cells_and_writes_what_they_found(with_gpu, tmp_path, capsys):
    source = "@gpu.experiment('x')\ndef x():\n    return {'n': n}\n"
    notebook = {
        "cells": [
            {"cell_type": "code", "metadata": {"tags": ["remove-cell"]}, "source": ["%pip"]},
            {"cell_type": "markdown", "metadata": {}, "source": ["# words"]},
            {"cell_type": "code", "metadata": {}, "source": ["from convlib import gpu\n", "n = 5"]},
            {"cell_type": "code", "metadata": {}, "source": source.splitlines(keepends=True)},
            {"cell_type": "code", "metadata": {"tags": ["hide-cell"]}, "source": ["1 / 0"]},
        ]
    }
    path = tmp_path / "some.ipynb"
    path.write_text(json.dumps(notebook), "utf8")
    assert gpu.main([str(path), "--file", str(with_gpu)]) == 0
    assert "1 experiments on Some GPU" in capsys.readouterr().out
    assert gpu.recorded()["results"] == {"x": {"n": "5"}}
    assert gpu.recorded()["device"] == DEVICE


def test_the_recorder_refuses_without_a_gpu(file, tmp_path, capsys):
    assert gpu.main([str(tmp_path / "some.ipynb")]) == 1
    assert "nothing recorded" in capsys.readouterr().err
    assert not file.exists()


def names_of_experiments():
    names = []
    for notebook in NOTEBOOKS:
        for source in gpu.cells(notebook):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "gpu.experiment":
                    names.append(node.args[0].value)
    return names


def test_the_notebooks_can_be_recorded():
    """Their cells are plain Python, and every experiment has a name of its own."""
    names = names_of_experiments()
    assert len(names) == len(set(names)) >= 6


def test_what_is_recorded_belongs_to_the_notebooks():
    """Where there is a record, it names its device and holds no experiment that is gone."""
    record = gpu.recorded()
    for name, values in record.get("results", {}).items():
        assert name in names_of_experiments()
        assert values and all(isinstance(value, str) for value in values.values())
    assert not record or record["device"]["device"]
