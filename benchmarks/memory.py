"""Peak memory of a sweep over a model of 100 million parameters, against a bare training loop.

    python -m benchmarks.memory [--rounds 3] [--steps 4] [--only lrfind] [--write]

Every contender is a process of its own that first does its work on a tiny model, so that whatever
it imports is there; counted is how far the peak of the resident memory (`VmHWM`) then rises above
that. What is trained are `LAYERS` linear layers in float32 with Adam. A round runs all of them in
turn; ratios are taken within it, and are so close from round to round that three are enough.
Contenders whose package is missing are left out (extra `bench`). Linux only.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).parents[1]
LAYERS, WIDTH, TINY, BATCH = 4, 5000, 8, 8
"""Four times 5000 by 5000 weights make 100 million."""

BARE = "a bare loop: torch.optim.Adam"


@dataclass(frozen=True)
class Work:
    """What every contender trains: so many steps on a model of this width."""

    width: int
    steps: int

    def model(self) -> nn.Module:
        """Build the model."""
        layers = [nn.Linear(self.width, self.width, bias=False) for _ in range(LAYERS)]
        return nn.Sequential(*layers)

    def data(self) -> TensorDataset:
        """Make as many batches as there are steps."""
        inputs = torch.randn(BATCH * self.steps, self.width)
        return TensorDataset(inputs, inputs.tanh())

    def loader(self) -> DataLoader[Any]:
        """Make the loader."""
        return DataLoader(self.data(), BATCH)


@dataclass(frozen=True)
class Contender:
    """Somebody who trains.

    Attributes:
        run: does the work.
        needs: a package without which it is left out.
        goal: the largest ratio that it should have.
    """

    run: Callable[[Work], object]
    needs: str = "torch"
    goal: float | None = None


def bare(work: Work) -> None:
    """Train as anyone would."""
    model = work.model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)
    for inputs, targets in work.loader():
        optimizer.zero_grad()
        functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()


def lrfind(*, is_ready: bool = False, **options: Any) -> Callable[[Work], object]:
    """Sweep with lrfind: the model a function that makes it, or a ready module."""

    def run(work: Work) -> object:
        from lrfind import range_test

        return range_test(
            work.model() if is_ready else work.model,
            work.loader(),
            "mse_loss",
            optimizer="adam",
            start_lr=1e-7,
            end_lr=1e-6,
            steps=work.steps,
            auto_range=False,
            device="cpu",
            **options,
        )

    return run


def torch_lr_finder(work: Work) -> None:
    """Sweep with torch-lr-finder, as its README has it."""
    from torch_lr_finder import LRFinder

    model = work.model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7)
    finder = LRFinder(model, optimizer, nn.MSELoss(), device="cpu")
    finder.range_test(work.loader(), end_lr=1e-6, num_iter=work.steps)
    finder.reset()


def ignite(work: Work) -> None:
    """Sweep with ignite, as its documentation has it."""
    from ignite.engine import create_supervised_trainer
    from ignite.handlers import FastaiLRFinder

    model = work.model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7)
    trainer = create_supervised_trainer(model, optimizer, nn.MSELoss())
    finder = FastaiLRFinder()
    state = {"model": model, "optimizer": optimizer}
    with finder.attach(
        trainer, to_save=state, num_iter=work.steps, start_lr=1e-7, end_lr=1e-6
    ) as engine:
        engine.run(work.loader())


def lightning(work: Work) -> None:
    """Sweep with Lightning's tuner."""
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.tuner import Tuner

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.lr = work.model(), 1e-7

        def training_step(self, batch: Any, index: int) -> Tensor:
            return functional.mse_loss(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=self.lr)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        Tuner(trainer).lr_find(
            Module(),
            train_dataloaders=work.loader(),
            min_lr=1e-7,
            max_lr=1e-6,
            num_training=work.steps,
            update_attr=False,
        )


def fastai(work: Work) -> None:
    """Sweep with fastai."""
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import Adam

    importlib.import_module("fastai.callback.all")  # puts lr_find and no_bar onto Learner
    loaders = DataLoaders(work.loader(), work.loader(), device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        learner = Learner(
            loaders, work.model(), loss_func=nn.MSELoss(), opt_func=Adam, path=Path(folder)
        )
        with learner.no_bar(), learner.no_logging():
            learner.lr_find(
                start_lr=1e-7, end_lr=1e-6, num_it=work.steps, show_plot=False, suggest_funcs=()
            )


CONTENDERS = {
    BARE: Contender(bare),
    "lrfind": Contender(lrfind(), goal=0.92),
    "lrfind, `low_memory`": Contender(lrfind(low_memory=True), goal=0.75),
    "lrfind, a ready module": Contender(lrfind(is_ready=True)),
    "lrfind, a ready module, `snapshot: disk`": Contender(lrfind(is_ready=True, snapshot="disk")),
    "lrfind, a ready module, both": Contender(
        lrfind(is_ready=True, snapshot="disk", low_memory=True)
    ),
    "torch-lr-finder": Contender(torch_lr_finder, "torch_lr_finder"),
    "ignite": Contender(ignite, "ignite"),
    "Lightning": Contender(lightning, "lightning"),
    "fastai": Contender(fastai, "fastai"),
}


def child(name: str, steps: int) -> None:
    """Do one contender's work in this process, and print how far its memory rose, in bytes."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    run = CONTENDERS[name].run
    run(Work(TINY, steps))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # begin a new peak
    before = _status("VmRSS")
    run(Work(WIDTH, steps))
    print(f"\nrose {_status('VmHWM') - before}")


def rise(name: str, steps: int) -> int:
    """Start a contender as a process, and wait for how far its memory rose, in bytes.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "benchmarks.memory", "--child", name, "--steps", str(steps)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    return int(done.stdout.rpartition("rose ")[2])


def measure(names: Sequence[str], rounds: int, steps: int) -> dict[str, list[int]]:
    """Run every contender once a round, in turn."""
    found: dict[str, list[int]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(rise(name, steps))
    return found


def table(found: dict[str, list[int]]) -> Iterator[str]:
    """Write a row a contender: its median rise, and the ratio to the bare loop's."""
    yield "| contender | peak above the imports | ratio | goal |"
    yield "| --- | --- | --- | --- |"
    for name, rises in found.items():
        ratios = [own / base for own, base in zip(rises, found[BARE], strict=True)]
        goal = CONTENDERS[name].goal
        cells = [
            name,
            f"{statistics.median(rises) / 2**20:.0f} MiB",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})",
            "" if goal is None else f"≤ {goal}",
        ]
        yield f"| {' | '.join(cells)} |"


def stamp(rounds: int, steps: int) -> str:
    """Say what was measured, and on what."""
    count = LAYERS * WIDTH**2
    return (
        f"{count:,} parameters ({count * 4 / 2**20:.0f} MiB) in {LAYERS} layers, batch {BATCH}, "
        f"{steps} steps; median (least … most) of {rounds} rounds; torch {version('torch')}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}."
    )


def _status(key: str) -> int:
    """Read a size of this process from the kernel, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def main() -> None:
    """Measure, print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--only", nargs="+", default=[], help="parts of names")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child, options.steps)
        return
    names = [
        name
        for name, contender in CONTENDERS.items()
        if find_spec(contender.needs) is not None
        and (name == BARE or not options.only or any(part in name for part in options.only))
    ]
    found = measure(names, options.rounds, options.steps)
    text = "\n".join([*table(found), "", stamp(options.rounds, options.steps)])
    print(text)
    if options.write:
        from benchmarks.page import write_section

        write_section("memory", text)


if __name__ == "__main__":
    main()
