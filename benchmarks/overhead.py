"""What lrfind costs on top of a training step, against a loop written by hand.

    python benchmarks/overhead.py [--rounds 15] [--only cnn] [--write]

The hand-written loop reads a DataLoader and steps torch.optim's optimizer with its defaults. Both
train the same model on the same data, in turn, round by round; the clock runs in the model's
forward pass, from the 30th step on, so that nothing is left out of a step and no start is in it.
Gaps under about 10 % do not resolve on a noisy machine. `--write` puts the table into
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import statistics

import torch

from benchmarks.steps.loops import by_hand, by_lrfind
from benchmarks.steps.table import measure, ratio_cell, stamp, write
from benchmarks.steps.tasks import TASKS

HEAD = "| workload | by hand, µs a step | lrfind | goal |\n| --- | --- | --- | --- |"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    lines = [HEAD]
    print(HEAD)
    for task in TASKS:
        if any(part in task.name.lower() for part in options.only or [""]):
            found = measure(task, {"hand": by_hand, "lrfind": by_lrfind}, options.rounds)
            base = statistics.median(found["hand"]) * 1e6
            ratio = ratio_cell(found["lrfind"], found["hand"])
            lines.append(f"| {task.name} | {base:.0f} | {ratio} | ≤ {task.goal:.2f} |")
            print(lines[-1], flush=True)
    note = stamp(options.rounds, ["torch"])
    print(f"\n{note}")
    if options.write:
        write("overhead", "\n".join([*lines, "", note, ""]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", help="parts of names, in small letters")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    return parser


if __name__ == "__main__":
    main()
