"""Constant: the LR stays, for a run of which only the warmup is scheduled."""

from __future__ import annotations

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import ClosedFormLR, Lr, copied


class Constant(ClosedFormLR):
    """Keep each group's LR.

    η_t = η₀. Unlike torch's `ConstantLR`, which holds a fraction of it for some epochs: that is a
    warmup, `Warmup(Constant(optimizer), steps, start_factor, kind="constant")`.

    Args:
        optimizer: whose groups are driven.
        last_epoch: epoch to resume after; −1 starts.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        super().__init__(optimizer, last_epoch)

    def _closed_form(self, base_lr: Lr, epoch: int) -> Lr:
        return copied(base_lr)

    def _chained(self, lr: Lr, base_lr: Lr) -> Lr:
        return copied(lr)
