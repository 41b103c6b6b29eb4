"""Which LR each update of a sweep gets."""

from __future__ import annotations

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
        steps: updates, at least 2.
    """

    mode: Literal["exponential", "linear"]
    start_lr: float
    end_lr: float
    steps: int

    def lr(self, index: int) -> float:
        """LR of update `index`, from 0 to `steps - 1`; exact at both ends."""
        ramp = exponential_sweep if self.mode == "exponential" else linear_sweep
        return ramp(index, self.start_lr, self.end_lr, self.steps)
