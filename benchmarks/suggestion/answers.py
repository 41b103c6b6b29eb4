"""What a system says of a pair, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """One system asked about one pair with one finder seed.

    Attributes:
        pair: name.
        seed: the finder's; 0 where the system does not look at the task.
        lr: for training at a constant LR; None where the system has no answer.
        peak_lr: peak for warmup + cosine; a system that knows one question gives one answer twice.
        steps: training steps spent.
        low: lower end of the range that lrfind calls usable; None for the others.
        high: upper end of it.
        verdict: lrfind's own, in its words; empty for the others.
    """

    pair: str
    seed: int
    lr: float | None
    peak_lr: float | None
    steps: float
    low: float | None = None
    high: float | None = None
    verdict: str = ""

    def for_schedule(self, schedule: str) -> float | None:
        """Choose the LR that belongs to a schedule."""
        return self.lr if schedule == "constant" else self.peak_lr
