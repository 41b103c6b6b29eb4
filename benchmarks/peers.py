"""What a training step costs under lrfind and under other LR finders.

    python benchmarks/peers.py [--rounds 9] [--only cnn] [--write]

The work, the clock and the hand-written loop are those of benchmarks/overhead.py; the real
packages, in turn with the others, need the extra `bench`. The last row is one LightningModule,
under lrfind's `lightning:` and under `Tuner.lr_find`, with what each suggests for it. `--write`
puts the table into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Mapping, Sequence

import torch

from benchmarks.steps import one_module
from benchmarks.steps.loops import by_hand, by_lrfind
from benchmarks.steps.peers import PEERS, quietly
from benchmarks.steps.table import measure, ratio_cell, stamp, write
from benchmarks.steps.tasks import TASKS

LOOPS = {"by hand": by_hand, "lrfind": by_lrfind, **PEERS}
MODULE_LOOPS = {name: quietly(loop) for name, loop in one_module.LOOPS.items()}
SUGGESTIONS = quietly(one_module.suggestions)
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
    rows = [(task.name, task, LOOPS) for task in TASKS[:4]]
    rows.append((f"{one_module.TASK.name}, one LightningModule", one_module.TASK, MODULE_LOOPS))
    for name, task, loops in rows:
        if any(part in name.lower() for part in options.only or [""]):
            lines.append(_row(name, measure(task, loops, options.rounds)))
            print(lines[-1], flush=True)
    notes = [stamp(options.rounds, ["torch", *PEERS]), "", _suggested()]
    print("\n" + "\n".join(notes))
    if options.write:
        write("peers", "\n".join([*lines, "", *notes, ""]))


def _row(name: str, found: Mapping[str, Sequence[float]]) -> str:
    base = found["by hand"]
    cells = [ratio_cell(found[loop], base) if loop in found else "–" for loop in NAMES]
    return f"| {name} | {statistics.median(base) * 1e6:.0f} | {' | '.join(cells)} |"


def _suggested() -> str:
    """Say what both find for the LightningModule, each in its own default range."""
    ours, theirs = (", ".join(f"{lr:.1e}" for lr in lrs) for lrs in SUGGESTIONS())
    return (
        "For that LightningModule, with the defaults of each and the seeds 0, 1 and 2, lrfind "
        f"suggests {ours} and `Tuner.lr_find` {theirs}."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", help="parts of names, in small letters")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    return parser


if __name__ == "__main__":
    main()
