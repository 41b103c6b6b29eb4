"""Whether short trainings at a pinned LR still end as well as at LRs beside it. Knows no torch."""

from __future__ import annotations

from dataclasses import dataclass

from lrfind.refine.trial import Trial

FACTOR = 3.0
"""How far below and above the pinned LR the other two trials stand."""

SIGMAS = 2.0
"""Standard errors by which another LR must end lower before it is clearly better."""

REGRET = 0.1
"""Share of the best trial's fall that a good LR may leave, as at the ends of a usable range."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Trials at the pinned LR and to either side, all from one start on the same batches.

    Attributes:
        trials: below, at and above the pinned LR.
        initial: loss on the evaluation batches before any update.
        noise: standard error of a difference between two final losses.
    """

    trials: tuple[Trial, Trial, Trial]
    initial: float
    noise: float

    @property
    def pinned(self) -> Trial:
        """The trial at the pinned LR."""
        return self.trials[1]

    @property
    def best(self) -> Trial:
        """The trial that ended lowest; the pinned one where none ended lower."""
        return min(self.trials, key=lambda trial: (trial.loss, trial is not self.pinned))

    @property
    def is_better_elsewhere(self) -> bool:
        """Tell whether the pin is beaten: it diverged, or another ended much lower.

        Allowed are `SIGMAS` standard errors and a share of `REGRET` of the best trial's fall.
        """
        if self.pinned.diverged:
            return True
        allowed = max(SIGMAS * self.noise, REGRET * (self.initial - self.best.loss))
        return not self.is_silent and self.pinned.loss - self.best.loss > allowed

    @property
    def is_silent(self) -> bool:
        """Tell whether the trials say nothing: none fell clearly below where it started."""
        if self.pinned.diverged:
            return False
        return self.initial - self.best.loss < SIGMAS * self.noise
