"""CosineAnnealingLR: the LR falls along half a cosine."""

from __future__ import annotations

import math

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import ClosedFormLR, Lr, copied
from lrfind.schedulers.forms.cosine import cosine_weight


class CosineAnnealingLR(ClosedFormLR):
    """Fall from the initial LR to `eta_min` within `T_max` epochs, and up again after them.

    η_t = η_min + ½ (η₀ − η_min)(1 + cos(π t / T_max)); Loshchilov and Hutter 2017,
    arXiv 1608.03983, without the restarts.

    Args:
        optimizer: whose groups are driven.
        T_max: epochs of the fall, > 0.
        eta_min: lowest LR.
        last_epoch: epoch to resume after; −1 starts.

    Raises:
        ArgumentError: `T_max` ≤ 0.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 -- torch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _closed_form(self, base_lr: Lr, epoch: int) -> Lr:
        return self.eta_min + (base_lr - self.eta_min) * cosine_weight(epoch, self.T_max)

    def _chained(self, lr: Lr, base_lr: Lr) -> Lr:
        if self._step_count == 1:
            return copied(lr)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # At the bottom nothing is left to multiply: climb by the first difference instead.
            return lr + (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        now = cosine_weight(self.last_epoch, self.T_max)
        before = cosine_weight(self.last_epoch - 1, self.T_max)
        return now / before * (lr - self.eta_min) + self.eta_min
