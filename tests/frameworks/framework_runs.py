"""Projects of frameworks, opened and trained for some steps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from lrfind.registry import import_file
from lrfind.spec import SweepSection
from lrfind.workload.recipe import Recipe
from lrfind.workload.workload import Workload

PROJECTS = Path(__file__).parents[1] / "projects"
CPU = torch.device("cpu")


def project(name: str) -> ModuleType:
    """Import a project's script."""
    return import_file(PROJECTS / name / "train.py")


def ramp(step: int, start: float = 1e-3, decades: float = 2.0, steps: int = 30) -> float:
    """LR of an update, growing from step to step."""
    return start * 10 ** (decades * step / steps)


def swept(recipe: Recipe, steps: int, seed: int = 0, **sweep: Any) -> list[float]:
    """Train at the ramp's LRs; the loss of each batch before its update."""
    workload = Workload(recipe, SweepSection(**sweep), CPU)
    losses = []
    with workload.open(seed) as trainable:
        for step in range(steps):
            losses.append(trainable.backward())
            trainable.update(ramp(step))
    return losses
