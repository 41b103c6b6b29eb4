"""ExponentialSweep and LinearSweep: the ramps of a learning-rate range test, as schedulers."""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import Lr, Scheduler, warn_outside_step
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.sweep import check_sweep, exponential_sweep, linear_sweep


class Sweep(Scheduler):
    """Abstract: raise the first group's LR from `start_lr` to `end_lr`; others keep their ratio.

    Sets LRs rather than multiplying them; past the last step they stay at `end_lr`.
    """

    _form: Callable[[int, float, float, int], float]

    def __init__(
        self,
        optimizer: Optimizer,
        start_lr: float,
        end_lr: float,
        steps: int,
        last_epoch: int = -1,
    ) -> None:
        check_sweep(type(self).__name__, start_lr, end_lr, steps)
        if isinstance(optimizer, Optimizer) and not optimizer.param_groups[0]["lr"] > 0:
            raise ArgumentError(
                type(self).__name__,
                f"the first group's lr = {optimizer.param_groups[0]['lr']} must be > 0",
                "give it any: the groups' LRs are read for their ratios",
            )
        self.start_lr = start_lr
        self.end_lr = end_lr
        self.steps = steps
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Lr]:
        """Compute the next LR of each group."""
        warn_outside_step(self)
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[Lr]:
        lr = type(self)._form(self.last_epoch, self.start_lr, self.end_lr, self.steps)
        first = self.base_lrs[0]
        return [base_lr / first * lr for base_lr in self.base_lrs]


class ExponentialSweep(Sweep):
    """Raise the LR by the same factor every step.

    η_t = start · (end/start)^(t/(n−1)); exact at both ends.

    Args:
        optimizer: whose groups are driven; groups with different LRs keep their ratios, and
            `start_lr` and `end_lr` are the first group's.
        start_lr: LR of step 0.
        end_lr: LR of step n−1.
        steps: n ≥ 2.
        last_epoch: step to resume after; −1 starts.

    Raises:
        ArgumentError: not 0 < start_lr < end_lr, or n < 2.
    """

    _form = staticmethod(exponential_sweep)


class LinearSweep(Sweep):
    """Raise the LR by the same amount every step.

    η_t = start + (end − start) · t/(n−1); exact at both ends.

    Args:
        optimizer: whose groups are driven; groups with different LRs keep their ratios, and
            `start_lr` and `end_lr` are the first group's.
        start_lr: LR of step 0.
        end_lr: LR of step n−1.
        steps: n ≥ 2.
        last_epoch: step to resume after; −1 starts.

    Raises:
        ArgumentError: not 0 < start_lr < end_lr, or n < 2.
    """

    _form = staticmethod(linear_sweep)
