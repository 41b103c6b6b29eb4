"""One LightningModule, swept by `Tuner.lr_find` and by lrfind through `lightning:`."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.steps.loops import by_hand, sweep
from benchmarks.steps.tasks import END_LR, START_LR, TASKS, Task, loss
from lrfind.config import load
from lrfind.experiment import run_config
from lrfind.frameworks.lightning import LightningRecipe
from lrfind.spec import SweepSection
from lrfind.workload.workload import Workload

TASK = TASKS[2]
"""The work of the row: large enough that no loop is all overhead."""

CONFIG = """
lightning:
  module: benchmarks.steps.one_module:digits
  datamodule: benchmarks.steps.one_module:digits_loader
"""


def lightning_module(task: Task, model: nn.Module) -> Any:
    """Wrap a model as Lightning's own pages do."""
    import lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.lr = START_LR
            self.net = model

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            return loss(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return task.optimizer_class(self.parameters(), lr=self.lr)  # type: ignore[call-arg]

    return Module()


@contextmanager
def tuner() -> Iterator[Any]:
    """Make a Tuner that shows and logs nothing; its checkpoint is gone behind the block."""
    import lightning as pl
    from lightning.pytorch.tuner.tuning import Tuner

    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
            max_epochs=-1,
        )  # fmt: skip
        yield Tuner(trainer)


def by_tuner(task: Task, model: nn.Module) -> None:
    """Sweep by Lightning's own finder."""
    with tuner() as finder:
        finder.lr_find(
            lightning_module(task, model), task.loader(), min_lr=START_LR, max_lr=END_LR,
            num_training=task.steps, early_stop_threshold=None,
        )  # fmt: skip


def by_adapter(task: Task, model: nn.Module) -> None:
    """Sweep by lrfind, with all that `lrfind run` has around the loop."""
    recipe = LightningRecipe(
        lambda: lightning_module(task, model), task.loader, None, SweepSection()
    )
    workload = Workload(recipe, sweep=recipe.sweep, device=torch.device("cpu"))
    sweep(workload, task.steps)


LOOPS = {"by hand": by_hand, "lrfind": by_adapter, "lightning": by_tuner}
"""The same network under each; by hand there is no module around it."""


def digits() -> Any:
    """Build the row's module anew."""
    return lightning_module(TASK, TASK.model())


def digits_loader() -> Any:
    """Batch the row's data."""
    return TASK.loader()


def suggestions(seeds: int = 3) -> tuple[list[float], list[float]]:
    """Ask both for an LR, each with its own defaults, once a seed; lrfind's first."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "module.yaml")
        path.write_text(CONFIG)
        for seed in range(seeds):
            ours.append(run_config(load(path, [f"seed={seed}"])).suggestion.lr or math.nan)
            torch.manual_seed(seed)
            with tuner() as finder:
                found = finder.lr_find(digits(), digits_loader())
            theirs.append(found.suggestion() or math.nan)
    return ours, theirs
