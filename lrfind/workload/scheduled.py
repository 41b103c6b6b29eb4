"""An optimizer without the LR scheduler that was attached to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer

from lrfind.suggest.answer import Note

_LEFT_BEHIND = ("max_lr", "min_lr", "max_momentum", "base_momentum")
"""What OneCycleLR and CyclicLR write into groups for themselves."""


def detach(optimizer: Optimizer, schedulers: Sequence[Any]) -> None:
    """Take schedulers off an optimizer: its LRs, its momentum and its step are its own again.

    A scheduler writes `initial_lr` into each group and moves `lr` at once (a warmup to 0), so the
    ratios of the groups are those of `initial_lr`. Cycled momentum goes back to the optimizer's
    default; what a group had of its own is not known any more.

    Args:
        optimizer: what they are attached to.
        schedulers: all of them.
    """
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        vars(optimizer).pop("step", None)
    cycled = any(getattr(scheduler, "cycle_momentum", False) for scheduler in schedulers)
    for group in optimizer.param_groups:
        if "initial_lr" in group:
            group["lr"] = group.pop("initial_lr")
        for key in _LEFT_BEHIND:
            if key not in optimizer.defaults:
                group.pop(key, None)
        for key in ("momentum", "betas"):
            if cycled and key in optimizer.defaults:
                group[key] = optimizer.defaults[key]


def set_aside(schedulers: Sequence[Any], where: str) -> list[Note]:
    """Say which schedulers a sweep does without; nothing where there are none."""
    if not schedulers:
        return []
    names = ", ".join(dict.fromkeys(type(scheduler).__name__ for scheduler in schedulers))
    return [
        Note(
            "scheduler-set-aside",
            f"{names} of {where} was set aside, since a sweep sets the LR itself",
            "name a schedule in the config to get the LR for it: schedule: {name: cosine}",
        )
    ]
