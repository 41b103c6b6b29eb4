"""Warmup: a gentle beginning around any scheduler."""

from __future__ import annotations

from typing import Any, SupportsFloat

from torch.optim.lr_scheduler import LRScheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau as TorchReduceLROnPlateau

from lrfind.schedulers.closed_form import Lr, Scheduler, copied, follow, warn_outside_step
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.warmup import warmup_factor


class Warmup(Scheduler):
    """Bring the LR up to a scheduler's first one within `steps`, then hand over to it.

    η_t = factor_t · inner_0 for t < steps, inner_{t − steps} from there on, where factor_t is
    `lrfind.schedulers.forms.warmup.warmup_factor`. The inner scheduler begins its own count when
    the warmup is over; step only the warmup. Works around torch's schedulers too.

    Args:
        scheduler: what to wrap, fresh from its constructor.
        steps: steps before the inner scheduler begins; 0 for no warmup.
        start_factor: share of the inner scheduler's first LR to begin with, in (0, 1].
        kind: `linear`, `constant` or `exponential`.
        last_epoch: step to resume after; −1 starts. To resume within the warmup, wrap a fresh
            scheduler; beyond it, one resumed with its own `last_epoch` = this − `steps`.

    Raises:
        ArgumentError: steps < 0, start_factor not in (0, 1], or an unknown kind.
    """

    def __init__(
        self,
        scheduler: LRScheduler,
        steps: int,
        start_factor: float = 0.01,
        kind: str = "linear",
        last_epoch: int = -1,
    ) -> None:
        warmup_factor(0, steps, start_factor, kind)
        self.scheduler = scheduler
        self.steps = steps
        self.start_factor = start_factor
        self.kind = kind
        groups = scheduler.optimizer.param_groups
        self.target_lrs: list[Lr] = [
            copied(group["lr"] if last_epoch == -1 else group.get("initial_lr", group["lr"]))
            for group in groups
        ]
        super().__init__(scheduler.optimizer, last_epoch)

    def step(self, metrics: SupportsFloat | None = None) -> None:
        """Advance the warmup, or the scheduler behind it.

        Args:
            metrics: what a wrapped `ReduceLROnPlateau` judges; not looked at during the warmup.

        Raises:
            ArgumentError: a metric for a scheduler that takes none, or none for one that does.
        """
        judge = self.scheduler if isinstance(self.scheduler, TorchReduceLROnPlateau) else None
        if metrics is not None and judge is None:
            raise ArgumentError(
                "Warmup", f"{type(self.scheduler).__name__} takes no metric", "call step()"
            )
        if self.last_epoch < self.steps:
            super().step()
            return
        if self._step_count > 0:
            if judge is None:
                self.scheduler.step()
            elif metrics is None:
                raise ArgumentError(
                    "Warmup", "ReduceLROnPlateau needs a metric", "call step(validation_loss)"
                )
            else:
                judge.step(metrics)
        self._step_count += 1
        self.last_epoch += 1
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]

    def get_lr(self) -> list[Lr]:
        """Compute the next LR of each group during the warmup."""
        warn_outside_step(self)
        now = self._factor(self.last_epoch)
        if self._step_count == 1:
            return [target * now for target in self.target_lrs]
        before = self._factor(self.last_epoch - 1)
        return [
            follow(group["lr"], target * before, target * now, group["lr"] * (now / before))
            for group, target in zip(self.optimizer.param_groups, self.target_lrs, strict=True)
        ]

    def _factor(self, step: int) -> float:
        return warmup_factor(step, self.steps, self.start_factor, self.kind)

    def state_dict(self) -> dict[str, Any]:
        """Collect the warmup's state and, under `scheduler`, the wrapped one's."""
        state = super().state_dict()
        state["scheduler"] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` collected, around a scheduler of the same class."""
        state = dict(state_dict)
        # torch's CyclicLR takes entries out of the dictionary it is given.
        self.scheduler.load_state_dict(dict(state.pop("scheduler")))
        super().load_state_dict(state)
