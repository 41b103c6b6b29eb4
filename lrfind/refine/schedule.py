"""The schedule that trials train under: the user's own in short, or warmup and cosine. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from lrfind.schedulers.course import Course
from lrfind.schedulers.preview import preview

WARMUP_SHARE = 0.05
"""Warmup of the schedule that stands in where the config names none."""


@dataclass(frozen=True, slots=True)
class TrialSchedule:
    """A schedule shortened to the length of a trial.

    The LRs of the whole run are drawn and read at evenly spread steps, so that milestones, cycles
    and decay stand at the same share of a trial as of the run.

    Attributes:
        course: the run that it is cut from; None for 5 % warmup and cosine to 0.
    """

    course: Course | None = None

    @property
    def title(self) -> str:
        """Name it, to follow "under": `cosine with 5 % warmup`, `step`."""
        if self.course is None:
            return f"cosine with {WARMUP_SHARE:.0%} warmup".replace("%", " %")
        return f"{self.course.name} with warmup" if self.course.warmup else self.course.name

    def lrs(self, lr: float, length: int) -> list[float]:
        """Draw the LR of each update of a trial.

        Args:
            lr: what the scheduler is built with: its peak, or its constant LR.
            length: updates of the trial.
        """
        if self.course is not None:
            return [float(value) for value in self.course.lrs(lr, length)]
        warmup = min(max(1, round(WARMUP_SHARE * length)), length - 1)
        return [float(value) for value in preview("cosine", lr, length, warmup)]
