"""Wall time of several seeds spread over two ranks, against one process that does all of them.

    python -m benchmarks.replicas [--rounds 5] [--write]

Both are whole commands with one thread a process: `python -m lrfind run` and `torchrun
--nproc-per-node 2 -m lrfind run` with `distributed: replicas`, of the small CNN on the digits,
whose seeds go one after another. `sweeps` is the time from the first call of the model's function
to the last step, over all ranks; the rest is imports, the launcher, files and the picture. The two
take turns within a round; a machine that does anything else with its second core shows at once.
"""

from __future__ import annotations

import argparse
import atexit
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from examples.digits import build_cnn

ROOT = Path(__file__).parents[1]
SEEDS, STEPS = 4, 400

CONFIG = """
device: cpu
model: benchmarks.replicas:build
data: {{target: "examples.digits:train_dataset", batch_size: 64}}
step: benchmarks.replicas:step
optimizer: adamw
sweep: {{start_lr: 1e-6, end_lr: 1e-3, steps: {steps}, seeds: {seeds}, auto_range: false}}
distributed: replicas
output: {folder}/out
"""

LAUNCHERS = {
    "alone": [sys.executable],
    "two ranks": [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", "--nproc-per-node=2"),
    ],
}


@dataclass
class Clock:
    """When this process built its first model, and when it last began a step."""

    first: float = 0.0
    last: float = 0.0

    def write(self) -> None:
        """Leave both where the benchmark finds them."""
        Path(os.environ["LRFIND_TIMES"], str(os.getpid())).write_text(f"{self.first} {self.last}")


CLOCK = Clock()


def build() -> nn.Module:
    """Build the model, and begin to count."""
    if not CLOCK.first:
        CLOCK.first = time.time()
        atexit.register(CLOCK.write)
    return build_cnn()


def step(model: nn.Module, batch: Any) -> Tensor:
    """Compute the loss."""
    CLOCK.last = time.time()
    return functional.cross_entropy(model(batch[0]), batch[1])


@dataclass(frozen=True)
class Times:
    """Wall time in seconds, of a whole command and of its sweeps."""

    whole: float
    sweeps: float


def timed(name: str) -> Times:
    """Run a command.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        config, times = Path(folder, "c.yaml"), Path(folder, "times")
        config.write_text(CONFIG.format(steps=STEPS, seeds=SEEDS, folder=folder))
        times.mkdir()
        started = time.monotonic()
        done = subprocess.run(
            [*LAUNCHERS[name], "-m", "lrfind", "run", str(config)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "LRFIND_TIMES": str(times)},
            capture_output=True,
            text=True,
            check=False,
        )
        whole = time.monotonic() - started
        # 3: what is swept here is too short a range for an answer, and all of it was swept.
        if done.returncode not in (0, 3) and "exitcode  : 3" not in done.stderr:
            raise RuntimeError(done.stderr)
        ends = [[float(text) for text in file.read_text().split()] for file in times.iterdir()]
        return Times(whole, max(last for _, last in ends) - min(first for first, _ in ends))


def table(found: dict[str, list[Times]]) -> Iterator[str]:
    """Write a row a span of time: median seconds of each command, and the ratio within a round."""
    yield "| time of | alone, s | two ranks, s | two ranks ÷ alone |"
    yield "| --- | --- | --- | --- |"
    for label, span in (("the sweeps", "sweeps"), ("the whole command", "whole")):
        alone, shared = ([getattr(times, span) for times in found[name]] for name in LAUNCHERS)
        low, middle, high = statistics.quantiles(
            [two / one for one, two in zip(alone, shared, strict=True)], n=4
        )
        seconds = f"{statistics.median(alone):.1f} | {statistics.median(shared):.1f}"
        yield f"| {label} | {seconds} | {middle:.2f} ({low:.2f} … {high:.2f}) |"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    asked = parser.parse_args()
    load, _, _ = os.getloadavg()
    found: dict[str, list[Times]] = {name: [] for name in LAUNCHERS}
    for _ in range(asked.rounds):
        for name in LAUNCHERS:
            found[name].append(timed(name))
    lines = [*table(found), "", stamp(asked.rounds, load)]
    print("\n".join(lines))
    if asked.write:
        from benchmarks.page import write_section

        write_section("replicas", "\n".join(lines))


def stamp(rounds: int, load: float) -> str:
    """Say what was measured, where and when."""
    today = datetime.now(UTC).date()
    return (
        f"{SEEDS} seeds of {STEPS} steps, wall time, one thread a process; ratios within a round, "
        f"median (quartiles) of {rounds} rounds; {os.cpu_count()} cores, load {load:.1f} before, "
        f"torch {torch.__version__}, Python {platform.python_version()}, {today}."
    )


if __name__ == "__main__":
    main()
