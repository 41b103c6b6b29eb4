"""What a training step costs under lrfind and under other LR finders.

    python benchmarks/peers.py [--rounds 9] [--only cnn] [--write]

The work, the clock and the hand-written loop are those of benchmarks/overhead.py; the real
packages, in turn with the others, need the extra `bench`. `--write` puts the table into
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import statistics

import torch

from benchmarks.steps.loops import by_hand, by_lrfind
from benchmarks.steps.peers import PEERS
from benchmarks.steps.table import measure, ratio_cell, stamp, write
from benchmarks.steps.tasks import TASKS

LOOPS = {"by hand": by_hand, "lrfind": by_lrfind, **PEERS}
NAMES = [name for name in LOOPS if name != "by hand"]
HEAD = "\n".join(
    [
        f"| workload | by hand, µs a step | {' | '.join(NAMES)} |",
        f"| --- | --- |{' --- |' * len(NAMES)}",
    ]
)


def main() -> None:
    """Measure, print, and write where that is asked for."""
    options = _parser().parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    torch.set_num_threads(1)
    lines = [HEAD]
    print(HEAD)
    for task in TASKS[:4]:
        if any(part in task.name.lower() for part in options.only or [""]):
            found = measure(task, LOOPS, options.rounds)
            base = found["by hand"]
            cells = " | ".join(ratio_cell(found[name], base) for name in NAMES)
            lines.append(f"| {task.name} | {statistics.median(base) * 1e6:.0f} | {cells} |")
            print(lines[-1], flush=True)
    note = stamp(options.rounds, ["torch", *PEERS])
    print(f"\n{note}")
    if options.write:
        write("peers", "\n".join([*lines, "", note, ""]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", help="parts of names, in small letters")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    return parser


if __name__ == "__main__":
    main()
