"""StepLR: the LR falls by a factor at equal distances."""

from __future__ import annotations

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import ClosedFormLR, Lr, copied
from lrfind.schedulers.forms.decay import step_decay


class StepLR(ClosedFormLR):
    """Multiply the LR by γ every `step_size` epochs.

    η_t = η₀ · γ^⌊t / step_size⌋

    Args:
        optimizer: whose groups are driven.
        step_size: epochs between two falls, ≥ 1.
        gamma: γ ≥ 0.
        last_epoch: epoch to resume after; −1 starts.

    Raises:
        ArgumentError: `step_size` < 1 or γ < 0.
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _closed_form(self, base_lr: Lr, epoch: int) -> Lr:
        return base_lr * step_decay(epoch, self.step_size, self.gamma)

    def _chained(self, lr: Lr, base_lr: Lr) -> Lr:
        falls = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return lr * self.gamma if falls else copied(lr)
