"""The schedule that trials train under: the user's own in short, or warmup and cosine. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lrfind.schedulers.preview import preview

WARMUP_SHARE = 0.05
"""Warmup of the schedule that stands in where the config names none."""

_LEVEL = ("constant", "warmup", "plateau")
"""Schedules that hold the LR they are given; a plateau does until its metric stalls."""


@dataclass(frozen=True, slots=True)
class TrialSchedule:
    """A schedule shortened to the length of a trial.

    The LRs of the whole run are drawn and read at evenly spread steps, so that milestones, cycles
    and decay stand at the same share of a trial as of the run.

    Attributes:
        name: config name of a bundled scheduler; empty for 5 % warmup and cosine to 0.
        steps: updates of the run that it belongs to; 0 where the config names none.
        warmup: of these, steps of linear warmup.
        args: the scheduler's own arguments.
    """

    name: str = ""
    steps: int = 0
    warmup: int = 0
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_level(self) -> bool:
        """Tell schedules whose LR is a constant one from those whose LR is a peak."""
        return self.name in _LEVEL

    @property
    def title(self) -> str:
        """Name it, to follow "under": `cosine with 5 % warmup`, `step, steps 500`."""
        return self.name or f"cosine with {WARMUP_SHARE:.0%} warmup".replace("%", " %")

    def lrs(self, lr: float, length: int) -> list[float]:
        """Draw the LR of each update of a trial.

        Args:
            lr: what the scheduler is built with: its peak, or its constant LR.
            length: updates of the trial.
        """
        if not self.name:
            warmup = min(max(1, round(WARMUP_SHARE * length)), length - 1)
            return [float(value) for value in preview("cosine", lr, length, warmup)]
        name, args = ("constant", {}) if self.name == "plateau" else (self.name, self.args)
        whole = preview(name, lr, self.steps, self.warmup, args)
        at = ((np.arange(length) + 0.5) * len(whole) / length).astype(np.int64)
        return [float(value) for value in whole[at]]
