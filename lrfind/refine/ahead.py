"""Trials that may be asked for next, done together with the one that is: free of torch.

A climb waits for each trial before it chooses the next, but it can choose between few: what would
follow a good and what would follow a bad end is known beforehand. Some of these guesses are never
asked for. They are paid for all the same, so they are made only where the budget leaves more than
the longest climb can take: the climb, its answer and its bounds are those of one trial at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lrfind.refine.climb import MOST, Climb, Losses, next_rung
from lrfind.refine.trial import Trial


class Trainer(Protocol):
    """What trains; `lrfind.refine.trials.Trials` is the real one."""

    @property
    def alone(self) -> str | None:
        """Say why trials must run one after another; None where several may run side by side."""

    def __call__(self, lr: float, /) -> Trial:
        """Train at one LR."""

    def side_by_side(self, lrs: Sequence[float]) -> list[Trial]:
        """Train at several LRs at once."""


class Ahead:
    """An oracle for a climb that trains guesses beside what it is asked for.

    Args:
        trainer: trains from the same state each time.
        climb: whose next steps are guessed, and whose purse pays.
    """

    def __init__(self, trainer: Trainer, climb: Climb) -> None:
        self._trainer = trainer
        self._climb = climb
        self._waiting: dict[float, Trial] = {}

    def __call__(self, lr: float, /) -> Trial:
        """Give the trial at an LR, trained now or beside an earlier one."""
        if lr not in self._waiting:
            lrs = [lr, *self._guesses(lr)]
            together = len(lrs) > 1 and self._trainer.alone is None
            found = self._trainer.side_by_side(lrs) if together else [self._trainer(lr)]
            self._waiting.update(zip(lrs, found, strict=False))
        return self._waiting.pop(lr)

    @property
    def unused(self) -> int:
        """Price of the guesses that nobody asked for so far, in updates."""
        overhead = self._climb.purse.overhead
        return sum(trial.steps + overhead for trial in self._waiting.values())

    def _guesses(self, lr: float) -> list[float]:
        climb, purse = self._climb, self._climb.purse
        price = purse.length + purse.overhead
        longest = (MOST - len(climb.tried)) * price
        affordable = (purse.budget - climb.spent - self.unused - longest) // price
        wanted = [climb.lr(rung) for rung in foreseen(climb.losses)]
        fresh = [guess for guess in wanted if guess != lr and guess not in self._waiting]
        return fresh[: max(affordable, 0)]


def foreseen(losses: Losses) -> list[int]:
    """List the rungs that may be asked for after the next one, for a better or a worse end of it.

    A diverged end is not among them: such trials are short, and rare.
    """
    rung = next_rung(losses)
    if rung is None:
        return []
    after = [next_rung({**losses, rung: end}) for end in likely_ends(losses)]
    return list(dict.fromkeys(follower for follower in after if follower is not None))


def likely_ends(losses: Losses) -> list[float]:
    """Name a loss better and one worse than all that were tried."""
    ends = sorted(loss for loss in losses.values() if loss != float("inf")) or [0.0]
    return [ends[0] - 1.0, ends[-1] + 1.0]
