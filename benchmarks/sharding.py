"""Peak memory of each of two ranks that train one model: while it is built, and over some steps.

    python -m benchmarks.sharding [--rounds 3] [--write]

Each row is a run of `lrfind run` as two processes over Gloo on this machine's CPU, of a model of
100 million parameters in float32 with Adam. Counted is how far the peak of the resident memory
(`VmHWM`) rises above what was there when the model's function was called. Linux only.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

ROOT = Path(__file__).parents[1]
LAYERS, WIDTH, BATCH, STEPS = 16, 2500, 8, 3
"""Sixteen times 2500 by 2500 weights make 100 million."""

SIZE_MIB = LAYERS * WIDTH**2 * 4 / 2**20

CONFIG = """
device: cpu
model: benchmarks.sharding:{model}
data: {{target: "benchmarks.sharding:data", batch_size: {batch}}}
step: benchmarks.sharding:step
optimizer: adam
sweep: {{start_lr: 1e-7, end_lr: 1e-6, steps: {steps}, auto_range: false}}
distributed: {strategy}
output: {folder}
"""

RUNS = {
    "ddp": ("build", "ddp"),
    "fsdp, `wrap: Linear`": ("build", "{strategy: fsdp, wrap: Linear}"),
    "fsdp, a model that looks at its numbers": ("build_by_value", "{strategy: fsdp, wrap: Linear}"),
}
"""A name, the function that builds the model, and the section of the config."""


def build() -> nn.Module:
    """Build the model; what is resident now is not counted."""
    Path("/proc/self/clear_refs").write_text("5")  # begin a new peak
    _note("before", _status("VmRSS"))
    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS)))


def build_by_value() -> nn.Module:
    """Build the same in a way that needs numbers."""
    model = build()
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())
    return model


def data() -> tuple[Tensor, Tensor]:
    """Make as many batches as there are steps."""
    inputs = torch.randn(2 * BATCH * (STEPS + 1), WIDTH)
    return inputs, inputs.tanh()


def step(model: nn.Module, batch: Any, index: int) -> Tensor:
    """Compute the loss, and note the peak so far."""
    _note("built" if index == 0 else "trained", _status("VmHWM"))
    return functional.mse_loss(model(batch[0]), batch[1])


def _note(what: str, kib: int) -> None:
    Path(os.environ["LRFIND_PEAKS"], f"{what}.{os.environ['RANK']}").write_text(str(kib))


def _status(key: str) -> int:
    """Read a size of this process, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def peaks(name: str) -> list[float]:
    """Run two ranks, and give the peak of each while building, then of each over all, in MiB.

    Raises:
        RuntimeError: a rank failed.
    """
    model, strategy = RUNS[name]
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        config = Path(folder, "c.yaml")
        config.write_text(
            CONFIG.format(model=model, strategy=strategy, batch=BATCH, steps=STEPS, folder=folder)
        )
        probe.bind(("127.0.0.1", 0))
        launcher = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
        # What is freed goes back at once, or the peak would count it.
        launcher["MALLOC_MMAP_THRESHOLD_"] = "65536"
        launcher |= {"MASTER_PORT": str(probe.getsockname()[1]), "LRFIND_PEAKS": folder}
        probe.close()
        ranks = [
            subprocess.Popen(
                [sys.executable, "-m", "lrfind", "run", str(config)],
                cwd=ROOT,
                env={**os.environ, **launcher, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in (0, 1)
        ]
        told = [rank.communicate()[1] for rank in ranks]

        def noted(what: str, rank: int) -> int:
            found = Path(folder, f"{what}.{rank}")
            if not found.exists():
                raise RuntimeError("\n".join(told))
            return int(found.read_text())

        return [
            (noted(what, rank) - noted("before", rank)) / 1024
            for what in ("built", "trained")
            for rank in (0, 1)
        ]


def table(found: dict[str, list[list[float]]]) -> Iterator[str]:
    """Write a row a run: medians, as multiples of the weights."""
    yield "| strategy | built: rank 0 | rank 1 | after some steps: rank 0 | rank 1 |"
    yield "| --- | --- | --- | --- | --- |"
    for name, rounds in found.items():
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        cells = [f"{median / SIZE_MIB:.2f}" for median in medians]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    asked = parser.parse_args()
    found: dict[str, list[list[float]]] = {name: [] for name in RUNS}
    for _ in range(asked.rounds):
        for name in RUNS:
            found[name].append(peaks(name))
    lines = [*table(found), "", stamp(asked.rounds)]
    print("\n".join(lines))
    if asked.write:
        from benchmarks.page import write_section

        write_section("sharding", "\n".join(lines))


def stamp(rounds: int) -> str:
    """Say how it was measured, where and when."""
    today = datetime.now(UTC).date()
    return (
        f"Peak resident memory above that before building, as multiples of the weights "
        f"({SIZE_MIB:.0f} MiB); {LAYERS} layers, Adam, {STEPS} steps, median of {rounds} rounds; "
        f"torch {torch.__version__}, Python {platform.python_version()}, {today}."
    )


if __name__ == "__main__":
    main()
