"""What a scheduler with a closed form adds to torch's base class: exactness beside chaining.

torch computes each LR from the one before it, so that two schedulers on one optimizer multiply and
a change made by hand lasts; the price is rounding that adds up. Here both hold: a group whose LR
is where the closed form left it goes to where the closed form says, and any other LR is
multiplied, as torch does. Nothing is stored for it, so the state stays torch's own.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Lr = float | Tensor

UNTOUCHED = 1e-9
"""Relative difference up to which a float LR counts as left alone: far above the rounding of a
checkpoint written by torch, far below any change worth making."""


class Scheduler(LRScheduler):
    """Abstract: torch's base class, whose older versions hand out the groups' own tensors."""

    def get_last_lr(self) -> list[Lr]:
        """Read the LR of each group that the last step set; tensors are copies."""
        return [copied(lr) for lr in self._last_lr]


class ClosedFormLR(Scheduler):
    """Abstract: a scheduler that knows its LR at any epoch, and the step from the one before."""

    def _closed_form(self, base_lr: Lr, epoch: int) -> Lr:
        """Compute a group's LR at an epoch from its initial LR."""
        raise NotImplementedError

    def _chained(self, lr: Lr, base_lr: Lr) -> Lr:
        """Carry an LR on from epoch `last_epoch − 1` to `last_epoch`."""
        raise NotImplementedError

    def get_lr(self) -> list[Lr]:
        """Compute the next LR of each group; call `get_last_lr` to read the present one."""
        warn_outside_step(self)
        return [
            self._next(group["lr"], base_lr)
            for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ]

    def _next(self, lr: Lr, base_lr: Lr) -> Lr:
        after = self._closed_form(base_lr, self.last_epoch)
        chained = self._chained(lr, base_lr)
        if self._step_count == 1:
            # The step of the constructor; when resuming, the group's LR may be of another epoch.
            return chained
        return follow(lr, self._closed_form(base_lr, self.last_epoch - 1), after, chained)

    def _get_closed_form_lr(self) -> list[Lr]:
        return [self._closed_form(base_lr, self.last_epoch) for base_lr in self.base_lrs]


def follow(lr: Lr, before: Lr, after: Lr, chained: Lr) -> Lr:
    """Go from `before` to `after` exactly, or from any other LR to `chained`.

    Tensors are chosen between without reading them, so that a GPU is not waited for. The result
    never aliases `lr`.
    """
    if isinstance(lr, Tensor):
        tolerance = 16 * torch.finfo(lr.dtype).eps
        expected = _like(before, lr)
        untouched = (lr - expected).abs() <= tolerance * expected.abs()
        return torch.where(untouched, _like(after, lr), _like(chained, lr))
    return after if math.isclose(lr, float(before), rel_tol=UNTOUCHED) else chained


def _like(value: Lr, tensor: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return value.to(tensor)
    return torch.full_like(tensor, value)


def copied(value: Lr) -> Lr:
    """Copy a tensor, so that a later change in place does not reach it; pass numbers on."""
    return value.clone() if isinstance(value, Tensor) else value


def write(group: dict[str, Any], key: str, value: Lr) -> None:
    """Set a group's entry; a tensor keeps its identity and is filled, and none is shared."""
    present = group[key]
    if isinstance(present, Tensor):
        present.fill_(value)
    else:
        group[key] = copied(value)


def require_optimizer(optimizer: object) -> None:
    """Refuse what is no optimizer before anything of it is read.

    Raises:
        TypeError: as torch's own schedulers do.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def warn_outside_step(scheduler: LRScheduler) -> None:
    """Warn about a call of `get_lr` by hand, with torch's own words."""
    if not scheduler._get_lr_called_within_step:
        warnings.warn(
            "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
            UserWarning,
            stacklevel=3,
        )
