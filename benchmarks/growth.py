"""How time and memory grow with steps, parameters, seeds and the points of a curve.

    python -m benchmarks.growth [--only steps points] [--most 1e6] [--write]

Each cell is a process of its own, one thread: processor time and peak memory above what an empty
run of it takes (imports included). The exponent is the slope of a line through the logarithms of
the cells that rise clearly above that floor: 1 is linear, below 1 better. `steps` sweeps something
that costs nothing, so that what is left is lrfind, with its stop rule and its `curve.csv`;
`parameters` is two updates of linear layers with Adam; `seeds` are models of 10⁶ parameters, one
after another; `suggest` and `plot` read a `curve.csv` of that many points.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
FLOOR_S, FLOOR_MIB = 0.2, 8.0
"""What must be exceeded for a cell to tell anything of growth."""


@dataclass(frozen=True)
class Cost:
    """What a run took: processor time in seconds, and peak memory in MiB above its start."""

    seconds: float
    mib: float


@dataclass(frozen=True)
class Axis:
    """Something that may be large.

    Attributes:
        sizes: how large.
        run: does the work of a size, in a folder of its own.
    """

    sizes: tuple[int, ...]
    run: Callable[[int, Path], None]


class Nothing:
    """What a sweep drives, at no cost: a loss that falls a little for ever."""

    measures_apart, grad_norm, update_ratio, queue = False, None, None, None

    def __init__(self) -> None:
        self.count = 0

    def backward(self) -> float:
        self.count += 1
        return 2.0 - 1e-7 * self.count

    def measure(self) -> float:
        return self.backward()

    def update(self, lr: float) -> bool:
        return True


def steps(count: int, folder: Path) -> None:
    """Sweep nothing, keeping the curve on disk."""
    from lrfind.export import CurveRecorder
    from lrfind.ramp import Plan, run_sweep

    plan = Plan("exponential", 1e-7, 10.0, count)
    curve = run_sweep(Nothing(), plan, observers=[CurveRecorder(folder)])
    assert len(curve) == count


def parameters(count: int, folder: Path) -> None:
    """Take two updates of four layers with so many parameters."""
    swept(side(count), seeds=1)


def seeds(count: int, folder: Path) -> None:
    """Sweep so many seeds of a model too large to be trained side by side."""
    swept(side(1_000_000), seeds=count)


def side(parameters: int) -> int:
    """Choose the width at which four square layers have so many parameters."""
    return round((parameters / 4) ** 0.5)


def swept(width: int, seeds: int) -> None:
    """Sweep linear layers of a width."""
    import torch
    from torch import nn

    from lrfind import range_test

    inputs = torch.ones(16, width)
    range_test(
        lambda: nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(4))),
        (inputs, inputs),
        "mse_loss",
        optimizer="adam",
        start_lr=1e-7,
        end_lr=1e-6,
        steps=2 if seeds == 1 else 10,
        seeds=seeds,
        auto_range=False,
        batch_size=8,
        device="cpu",
    )


def command(*words: str) -> Callable[[int, Path], None]:
    """Make the work of a command on a curve of so many points."""

    def run(count: int, folder: Path) -> None:
        from lrfind.cli import main

        os.chdir(folder)
        sys.argv = ["lrfind", *words]
        main()

    return run


def save(points: int, folder: Path) -> None:
    """Write a curve that falls and rises, with noise, a million rows at a time."""
    rng = np.random.default_rng(0)
    with (folder / "curve.csv").open("w") as file:
        file.write("seed,step,lr,loss,smooth,update_ratio,stop\n")
        for start in range(0, points, 1_000_000):
            at = np.arange(start, min(start + 1_000_000, points))
            x = -7 + 8 * at / (points - 1)
            loss = 2.3 - 1.7 / (1 + np.exp(-3.5 * (x + 2.6))) + np.exp(5 * (x - 0.3))
            loss += 0.1 * rng.standard_normal(len(at))
            ends = [""] * len(at)
            ends[-1] = "completed" if at[-1] == points - 1 else ""
            columns = zip(at.tolist(), (10**x).tolist(), loss.tolist(), ends, strict=True)
            file.writelines(f"0,{i},{lr!r},{y!r},{y!r},,{end}\n" for i, lr, y, end in columns)


TENS = tuple(10**k for k in range(2, 9))
AXES = {
    "steps": Axis(TENS[:5], steps),
    "parameters": Axis(TENS[2:], parameters),
    "seeds": Axis((1, 2, 4, 8, 16, 32), seeds),
    "suggest": Axis(TENS[1:6], command("suggest", "curve.csv")),
    "plot": Axis(TENS[1:6], command("plot", "curve.csv", "-o", "curve.png")),
}
READERS = ("suggest", "plot")


def child(name: str, size: int, folder: Path) -> None:
    """Do the work once small, so that everything is imported, and then as asked; print its cost."""
    import torch

    torch.set_num_threads(1)
    axis = AXES[name]
    if name not in READERS:
        axis.run(axis.sizes[0], folder)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before, began = status("VmRSS"), time.process_time()
    try:
        axis.run(size, folder)
    except SystemExit as end:
        if end.code:
            raise
    seconds = time.process_time() - began
    print(f"\ncost {seconds} {status('VmHWM') - before}", file=sys.stderr)


def status(key: str) -> float:
    """Read a size of this process from the kernel, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:"))


def cost(name: str, size: int) -> Cost:
    """Run a cell in a process of its own.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        if name in READERS:
            save(size, Path(folder))
        words = [sys.executable, "-m", "benchmarks.growth", "--child", name, str(size), folder]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} {size}: {done.stderr}")
    seconds, mib = done.stderr.rpartition("cost ")[2].split()
    return Cost(float(seconds), float(mib))


def exponent(sizes: Sequence[int], values: Sequence[float], floor: float) -> str:
    """Fit value ~ size^a to the cells above the floor, which itself is that of the smallest."""
    pairs = [(s, v - values[0]) for s, v in zip(sizes, values, strict=True)]
    pairs = [(size, value) for size, value in pairs if value > floor]
    if len(pairs) < 2:
        return "flat" if not pairs else "-"
    return f"{np.polyfit(*np.log(pairs).T, 1)[0]:.2f}"


def rows(name: str, sizes: Sequence[int], costs: Sequence[Cost]) -> list[str]:
    """Write an axis as Markdown: a row for the time, one for the memory."""
    found = []
    for what, values, floor in (
        ("s", [cost.seconds for cost in costs], FLOOR_S),
        ("MiB", [cost.mib for cost in costs], FLOOR_MIB),
    ):
        pairs = zip(sizes, values, strict=True)
        cells = " · ".join(f"{size:,}: {value:.3g}" for size, value in pairs)
        found.append(f"| {name} | {what} | {cells} | {exponent(sizes, values, floor)} |")
    return found


def main() -> None:
    """Measure, print, and write where that is asked for."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--most", type=float, default=1e8, help="largest size that is measured")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    table = ["| what grows | | size: cost | exponent |", "|---|---|---|---|"]
    for name in options.only:
        sizes = [size for size in AXES[name].sizes if size <= options.most]
        table += rows(name, sizes, [cost(name, size) for size in sizes])
        print("\n".join(table[-2:]), flush=True)
    if options.write:
        from benchmarks.page import write_section

        write_section("growth", "\n".join(table))


if __name__ == "__main__":
    main()
