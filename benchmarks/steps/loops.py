"""A sweep by hand and a sweep by lrfind, over the same task."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from benchmarks.steps.tasks import END_LR, START_LR, Task, loss
from lrfind.console.progress import SweepProgress
from lrfind.export import CurveRecorder
from lrfind.ramp import Plan, StopRule, run_sweep
from lrfind.spec import DataSection, SweepSection
from lrfind.workload.parts import objective_of, optimizer_of
from lrfind.workload.plain import PlainRecipe
from lrfind.workload.workload import Workload

Loop = Callable[[Task, nn.Module], None]
"""Trains the model for the task's steps, the LR growing from step to step."""


def by_hand(task: Task, model: nn.Module) -> None:
    """Train as anyone would write it: a DataLoader, torch.optim, a list of losses."""
    optimizer = task.optimizer_class(model.parameters(), lr=START_LR)  # type: ignore[call-arg]
    factor = (END_LR / START_LR) ** (1 / (task.steps - 1))
    loader = task.loader()
    losses: list[float] = []
    model.train()
    while len(losses) < task.steps:
        for inputs, targets in loader:
            for group in optimizer.param_groups:
                group["lr"] = START_LR * factor ** len(losses)
            optimizer.zero_grad()
            value = loss(model(inputs), targets)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(value.item())
            if len(losses) == task.steps:
                break


def by_lrfind(task: Task, model: nn.Module) -> None:
    """Sweep with all that `lrfind run` has around the loop: the stop rule, the file, the story."""
    recipe = PlainRecipe(
        model=lambda: model,
        data=task.loader(),
        objective=objective_of(loss, None),
        optimizer=optimizer_of(task.optimizer.lower(), {}, []),
        sweep=SweepSection(),
        loader=DataSection(target=""),
    )
    workload = Workload(recipe, sweep=recipe.sweep, device=torch.device("cpu"))
    sweep(workload, task.steps)


def sweep(workload: Workload, steps: int) -> None:
    """Sweep a workload over the range of all benchmarks, to its end."""
    plan = Plan("exponential", START_LR, END_LR, steps)
    with tempfile.TemporaryDirectory() as folder, SweepProgress(quiet=True) as progress:
        observers = [CurveRecorder(Path(folder)), progress]
        with workload.open(0) as trainable:
            run_sweep(trainable, plan, StopRule(factor=math.inf), observers=observers)
