"""Drive schedulers over optimizers and write down what the groups hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.optim import SGD, Adam, Optimizer

Make = Callable[[Optimizer], Any]


def sgd(lrs: Sequence[Any] = (0.1, 0.5), momentum: float = 0.9) -> Optimizer:
    """Build an optimizer with one group an LR; a string of a number becomes a tensor LR."""
    groups = [
        {
            "params": [torch.nn.Parameter(torch.zeros(1))],
            "lr": torch.tensor(float(lr), dtype=torch.float64) if isinstance(lr, str) else lr,
        }
        for lr in lrs
    ]
    return SGD(groups, lr=0.1, momentum=momentum)


def adam(lrs: Sequence[float] = (0.1, 0.5)) -> Optimizer:
    """Build an optimizer whose momentum is β₁."""
    return Adam([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs])


def held(optimizer: Optimizer) -> list[float]:
    """Read LR and momentum of every group."""
    values = []
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        values += [float(group["lr"]), float(momentum)]
    return values


def trace(
    optimizer: Optimizer,
    schedulers: Sequence[Any],
    steps: int,
    edits: Mapping[int, float] | None = None,
    metrics: Sequence[float] | None = None,
) -> list[list[float]]:
    """Step the schedulers and write down what the groups hold, before the first step too.

    Args:
        edits: step → factor by which every LR is changed by hand before that step.
        metrics: what each step is given.
    """
    rows = [held(optimizer)]
    for step in range(steps):
        if edits and step in edits:
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * edits[step]
        optimizer.step()
        for scheduler in schedulers:
            if metrics is None:
                scheduler.step()
            else:
                scheduler.step(metrics[step])
        rows.append(held(optimizer))
    return rows
