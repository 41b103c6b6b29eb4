"""Which LR each update of a sweep gets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lrfind.schedulers import exponential_sweep, linear_sweep


@dataclass(frozen=True, slots=True)
class Plan:
    """The LRs of a sweep.

    Attributes:
        mode: `exponential` (equal factors) or `linear` (equal differences).
        start_lr: LR of the first update.
        end_lr: LR of the last update.
        steps: updates from `start_lr` to `end_lr`, at least 2.
        more: updates beyond `end_lr`, with the same factor a step; exponential sweeps only.
    """

    mode: Literal["exponential", "linear"]
    start_lr: float
    end_lr: float
    steps: int
    more: int = 0

    @property
    def total(self) -> int:
        """All updates."""
        return self.steps + self.more

    def lr(self, index: int) -> float:
        """LR of update `index`, from 0 to `total - 1`; exact at `start_lr` and `end_lr`."""
        beyond = index - (self.steps - 1)
        if beyond > 0:
            factor = math.log(self.end_lr) - math.log(self.start_lr)
            return self.end_lr * math.exp(factor * beyond / (self.steps - 1))
        ramp = exponential_sweep if self.mode == "exponential" else linear_sweep
        return ramp(index, self.start_lr, self.end_lr, self.steps)
