"""ReduceLROnPlateau: the LR falls when a metric has stopped improving."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, SupportsFloat

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from lrfind.schedulers.closed_form import copied, require_optimizer, write
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.plateau import (
    PlateauRule,
    PlateauState,
    advance,
    check_factor,
    reduced,
)


class ReduceLROnPlateau(torch_schedulers.ReduceLROnPlateau):
    """Multiply the LR by `factor` after more than `patience` evaluations without improvement.

    The decision is the state machine of `lrfind.schedulers.forms.plateau`. A subclass of torch's,
    because trainers ask for that class to know that `step` wants a metric.

    Args:
        optimizer: whose groups are driven.
        mode: `min` where less is better, `max` where more is.
        factor: what the LR is multiplied by, in [0, 1).
        patience: evaluations without improvement that are borne.
        threshold: how much better is better.
        threshold_mode: `rel` (a share of the best) or `abs`.
        cooldown: evaluations after a reduction in which bad ones are not counted.
        min_lr: lowest LR, one or one a group.
        eps: reductions of at most this are not made.

    Raises:
        ArgumentError: factor not in [0, 1), an unknown mode, or a list of the wrong length.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check_factor(factor)
        require_optimizer(optimizer)
        rule = PlateauRule(mode, patience, threshold, threshold_mode, cooldown)
        groups = len(optimizer.param_groups)
        self.default_min_lr: float | None = None
        if isinstance(min_lr, Sequence):
            if len(min_lr) != groups:
                raise ArgumentError(
                    "ReduceLROnPlateau",
                    f"expected {groups} min_lrs, got {len(min_lr)}",
                    "pass one value for all, or one a group",
                )
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * groups
        self.optimizer = optimizer
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = rule.worst
        self.last_epoch = 0
        self._last_lr = [copied(group["lr"]) for group in optimizer.param_groups]
        self._remember(PlateauState(rule.worst))

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take a metric in, and reduce the LRs if it is time.

        Args:
            metrics: a number or a tensor of one element.
            epoch: sets the count of evaluations; deprecated in torch, and here.
        """
        if epoch is not None:
            warnings.warn(torch_schedulers.EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        rule = PlateauRule(
            self.mode, self.patience, self.threshold, self.threshold_mode, self.cooldown
        )
        before = PlateauState(self.best, self.num_bad_epochs, self.cooldown_counter)
        after, reduces = advance(rule, before, float(metrics))
        self._remember(after)
        if reduces:
            self._reduce()
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _remember(self, state: PlateauState) -> None:
        self.best = state.best
        self.num_bad_epochs = state.num_bad_epochs
        self.cooldown_counter = state.cooldown_counter

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    "ReduceLROnPlateau: The number of param groups in the optimizer "
                    f"({len(groups)}) must be that of min_lrs ({len(self.min_lrs)}); append one "
                    "to scheduler.min_lrs for each group added"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, min_lr in zip(groups, self.min_lrs, strict=True):
            lr = float(group["lr"])
            lower = reduced(lr, self.factor, min_lr, self.eps)
            if lower != lr:
                write(group, "lr", lower)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` of this class or of torch's collected."""
        self.__dict__.update(state_dict)
        self.mode_worse = PlateauRule(mode=self.mode).worst
