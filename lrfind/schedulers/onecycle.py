"""OneCycleLR: one rise and one long fall, momentum against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import Lr, Scheduler, require_optimizer, warn_outside_step
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.onecycle import along, anneal, levels, phases
from lrfind.schedulers.momentum import note_bounds, per_group, set_momentum, uses_beta1


class OneCycleLR(Scheduler):
    """Raise the LR to `max_lr` and let it fall far below its start, within `total_steps`.

    max/div → max within the first `pct_start`, then max → max/(div·final_div), along cosines or
    lines (Smith and Topin 2018, arXiv 1708.07120). Step it after every batch. It sets LRs rather
    than multiplying them. The step after the last update is extrapolated and used by nothing.

    Args:
        optimizer: whose groups are driven.
        max_lr: peak, one or one a group.
        total_steps: steps of the cycle; or give `epochs` and `steps_per_epoch`.
        epochs: epochs of the run.
        steps_per_epoch: batches of an epoch.
        pct_start: share of the steps that rise, in [0, 1].
        anneal_strategy: `cos` or `linear`.
        cycle_momentum: whether momentum (β₁ of Adam's kin) cycles too.
        base_momentum: momentum at the peak, one or one a group.
        max_momentum: momentum at both ends, one or one a group.
        div_factor: max_lr / initial LR.
        final_div_factor: initial LR / lowest LR.
        three_phase: fall to the initial LR as fast as it rose, and only then below it.
        last_epoch: step to resume after; −1 starts.

    Raises:
        ArgumentError: no number of steps, or a number, share, strategy or list that makes no
            sense, or `cycle_momentum` with an optimizer that has none; from `step`, a step
            beyond `total_steps`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Lr | Sequence[Lr],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Lr | Sequence[Lr] = 0.85,
        max_momentum: Lr | Sequence[Lr] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        # Plain dictionaries under torch's names: the state is torch's own.
        self._schedule_phases = [
            asdict(phase) for phase in phases(self.total_steps, pct_start, three_phase)
        ]
        anneal(0.0, 1.0, 0.0, anneal_strategy)
        self._anneal_func_type = anneal_strategy
        max_lrs: list[Any] = per_group("OneCycleLR", "max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1("OneCycleLR", optimizer)
            base = per_group("OneCycleLR", "base_momentum", optimizer, base_momentum)
            peak = per_group("OneCycleLR", "max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, max_lrs, strict=True):
                group.update(levels(lr, div_factor, final_div_factor))
            if cycle_momentum:
                note_bounds(optimizer, base, peak)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Lr]:
        """Compute the next LR of each group, and set the momentum that goes with it."""
        warn_outside_step(self)
        if self.last_epoch > self.total_steps:
            raise ArgumentError(
                "OneCycleLR",
                f"step {self.last_epoch} is beyond total_steps = {self.total_steps}",
                "pass the number of optimizer steps of the whole run as total_steps",
            )
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                set_momentum(group, self._level(group, "momentum"), self.use_beta1)
        return [self._level(group, "lr") for group in self.optimizer.param_groups]

    def _level(self, group: dict[str, Any], what: str) -> Lr:
        pieces = [
            (phase["end_step"], group[phase[f"start_{what}"]], group[phase[f"end_{what}"]])
            for phase in self._schedule_phases
        ]
        return along(self.last_epoch, pieces, self._strategy)

    @property
    def _strategy(self) -> str:
        if "_anneal_func_type" in self.__dict__:
            return self._anneal_func_type
        # A state written by an old torch holds the function itself.
        legacy = getattr(self, "anneal_func", None)
        return "linear" if getattr(legacy, "__name__", "") == "_annealing_linear" else "cos"

    @staticmethod
    def _annealing_cos(start: float, end: float, pct: float) -> float:
        return anneal(start, end, pct, "cos")

    @staticmethod
    def _annealing_linear(start: float, end: float, pct: float) -> float:
        return anneal(start, end, pct, "linear")


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return _positive("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ArgumentError(
            "OneCycleLR",
            "the number of steps is not given",
            "pass total_steps, or both epochs and steps_per_epoch",
        )
    return _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)


def _positive(name: str, value: int) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ArgumentError(
            "OneCycleLR", f"{name} = {value} must be a positive integer", "raise it"
        )
    return value
