"""MultiStepLR: the LR falls by a factor at given epochs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import ClosedFormLR, Lr, copied
from lrfind.schedulers.forms.decay import multistep_decay


class MultiStepLR(ClosedFormLR):
    """Multiply the LR by γ at each milestone.

    η_t = η₀ · γ^#{milestones ≤ t}

    Args:
        optimizer: whose groups are driven.
        milestones: epochs of the falls, in any order; one that stands twice counts twice.
        gamma: γ ≥ 0.
        last_epoch: epoch to resume after; −1 starts.

    Raises:
        ArgumentError: γ < 0.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _closed_form(self, base_lr: Lr, epoch: int) -> Lr:
        return base_lr * multistep_decay(epoch, self.milestones.elements(), self.gamma)

    def _chained(self, lr: Lr, base_lr: Lr) -> Lr:
        falls = self.milestones.get(self.last_epoch, 0)
        return lr * self.gamma**falls if falls else copied(lr)
