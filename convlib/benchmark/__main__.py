"""python -m convlib.benchmark: times beside PyTorch's on the layers of networks."""

from __future__ import annotations

import argparse
import json
import sys

from .layers import NETWORKS
from .measure import measure
from .report import plot, table


def bar(done: int, total: int, text: str) -> None:
    """Show how far it is, on one line of the error output."""
    if sys.stderr.isatty():
        full = 30 * done // total
        end = "\n" if done == total else ""
        print(f"\r[{'#' * full:30}] {done}/{total} {text:50.50}", end=end, file=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, and print the table."""

    def words(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(word) for word in words(text)]

    usual = [name for name in NETWORKS if name != "small"]
    parser = argparse.ArgumentParser(prog="python -m convlib.benchmark", description=__doc__)
    parser.add_argument("--networks", type=words, default=usual, help=", ".join(NETWORKS))
    parser.add_argument(
        "--algorithms",
        type=words,
        default=["auto"],
        help="names of algorithms; auto, auto@1e-3 with that error allowed, auto-numpy as if "
        "without Numba; mygrad, a peer; product, the matrix product alone, with all columns ready",
    )
    parser.add_argument("--batches", type=numbers, default=[1, 8])
    parser.add_argument("--tasks", type=words, default=["forward"], help="forward, input, weight")
    parser.add_argument("--against", default="torch", choices=["torch", "torch-autotuned"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="a round's time for each")
    parser.add_argument("--threads", type=int, help="default: one a core")
    parser.add_argument("--library", default="numpy", choices=["numpy", "cupy"])
    parser.add_argument("--clock", default="wall", choices=["wall", "processor"])
    parser.add_argument("--no-check", action="store_true", help="do not compare with float64")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="time a network's layers one after another, instead of each by itself",
    )
    parser.add_argument("--json", metavar="FILE", help="write all that was found")
    parser.add_argument("--plot", metavar="FILE", help="draw the ratios")
    a = parser.parse_args(arguments)
    if unknown := set(a.networks) - set(NETWORKS):
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    found = measure(
        a.networks,
        a.algorithms,
        a.batches,
        a.tasks,
        against=a.against,
        rounds=a.rounds,
        seconds=a.seconds,
        threads=a.threads,
        library=a.library,
        clock=a.clock,
        check=not a.no_check,
        whole=a.whole,
        progress=bar,
    )
    print(table(found))
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1, ensure_ascii=False)
    if a.plot:
        plot(found, a.plot)


if __name__ == "__main__":
    main()
