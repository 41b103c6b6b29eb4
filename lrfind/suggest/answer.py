"""What a reading of curves answers: a suggestion, or notes with advice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How far a suggestion can be trusted, and what is wrong where it cannot."""

    OK = "ok"
    LOW_CONFIDENCE = "low-confidence"
    NO_SIGNAL = "no-signal"
    NEVER_DIVERGED = "never-diverged"
    DIVERGED_AT_START = "diverged-at-start"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The LR that a sweep speaks for, and why.

    Attributes:
        lr: to build the optimizer with for `schedule`; for a constant LR where none is named.
        peak_lr: peak of a warmup + decay schedule, whatever `schedule` is; higher than the LR of a
            constant one, since decay forgives more.
        low: lower end of the range that is usable as `lr`.
        high: upper end of it.
        method: name of the rule that answered.
        verdict: how far to trust it.
        reason: one sentence with numbers.
        per_seed: the rule's answer on each seed's own curve, in the curves' order.
        schedule: what `lr` is for, to follow "for"; empty where no schedule is named.
        base_lr: lower end of a cyclical schedule; None for others.
    """

    lr: float
    peak_lr: float
    low: float
    high: float
    method: str
    verdict: Verdict
    reason: str
    per_seed: tuple[float, ...] = ()
    schedule: str = ""
    base_lr: float | None = None

    def __str__(self) -> str:
        beside = "" if self.second is None else f", {self.second[0]} {self.second[1]:.1e}"
        use = f" for {self.schedule}" if self.schedule else ""
        return (
            f"lr {self.lr:.1e}{beside}{use} (usable {self.low:.1e} … {self.high:.1e};"
            f" {self.verdict}): {self.reason}"
        )

    @property
    def max_lr(self) -> float | None:
        """The upper end of a cyclical schedule, which is `lr`; None for others."""
        return None if self.base_lr is None else self.lr

    @property
    def second(self) -> tuple[str, float] | None:
        """The LR to show beside `lr`, and its name: of a cycle the lower end, of others none.

        Where no schedule is named, `peak_lr`, since the other question is as likely to be asked.
        """
        if self.base_lr is not None:
            return "base_lr", self.base_lr
        return None if self.schedule else ("peak_lr", self.peak_lr)

    @property
    def shown(self) -> tuple[float, ...]:
        """Every LR that a picture of this answer marks."""
        return (self.lr,) if self.second is None else (self.lr, self.second[1])

    @property
    def spread_decades(self) -> float:
        """Distance between the lowest and the highest seed, in decades; 0 for one seed."""
        if len(self.per_seed) < 2:
            return 0.0
        return math.log10(max(self.per_seed) / min(self.per_seed))


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about a curve.

    Attributes:
        code: stable name for scripts (`never-diverged`).
        message: what was seen, with its number.
        advice: what to change, with the option to pass.
    """

    code: str
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}"
