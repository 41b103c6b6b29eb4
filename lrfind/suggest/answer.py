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
        lr: for training at a constant LR.
        peak_lr: peak of a warmup + decay schedule; higher than `lr`, since decay forgives more.
        low: lower end of the usable range (`base_lr` of a cyclical schedule).
        high: upper end of the usable range (`max_lr` of a cyclical schedule).
        method: name of the rule that answered.
        verdict: how far to trust it.
        reason: one sentence with numbers.
        per_seed: the rule's answer on each seed's own curve, in the curves' order.
    """

    lr: float
    peak_lr: float
    low: float
    high: float
    method: str
    verdict: Verdict
    reason: str
    per_seed: tuple[float, ...] = ()

    def __str__(self) -> str:
        return (
            f"lr {self.lr:.1e}, peak_lr {self.peak_lr:.1e} (usable {self.low:.1e} … "
            f"{self.high:.1e}; {self.verdict}): {self.reason}"
        )

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
