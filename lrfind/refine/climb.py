"""The search over trial LRs: pure, and free of torch.

Trials stand on rungs, a quarter of a decade apart, counted from the sweep's answer at rung 0. What
to try next, and what the trials say, are functions of the losses by rung alone. A factor on all
LRs, a constant added to all losses and a positive factor on them therefore change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lrfind.refine.trial import Trial

RUNGS_A_DECADE = 4
HALF_DECADE = 2

BRACKETING = 5
"""Trials on half decades that do not diverge, at most."""

MOST = 8
"""Trials in all, at most; only divergence, which is cut short, comes near it."""

SHRINKAGE = 0.2
"""Share of the way back from the trials' optimum to the sweep's answer, in log LR."""

MOST_SHRINKAGE = 0.5
"""Rungs that shrinkage goes back at most: where trials lead far away, the sweep was wrong."""

Losses = Mapping[int, float]
"""Rung to final loss, infinite where the trial diverged."""


class Oracle(Protocol):
    """What trains at an LR and says where that ended; `lrfind.refine.trials` is the real one."""

    def __call__(self, lr: float, /) -> Trial:
        """Train from the initial state, for at most as many updates as were agreed."""


@dataclass(frozen=True, slots=True)
class Purse:
    """What trials may cost, in optimizer updates.

    Attributes:
        budget: for all of them together.
        length: updates of a trial that is not cut short.
        overhead: what judging a trial costs besides its updates.
    """

    budget: int
    length: int
    overhead: int = 0

    def affords(self, spent: int) -> bool:
        """Tell whether a trial can be paid in full after this much was spent."""
        return spent + self.length + self.overhead <= self.budget


@dataclass(frozen=True, slots=True)
class Gate:
    """What a fall must exceed to be believed: the best trial must end below `initial - sigma`.

    Attributes:
        initial: loss on the evaluation batches before any update.
        sigma: standard deviation of the loss from batch to batch.
    """

    initial: float
    sigma: float

    def opens(self, loss: float) -> bool:
        """Tell a fall from noise."""
        return self.initial - loss >= self.sigma and loss < self.initial


class Climb:
    """A climb from a start LR, a trial at a time; what was tried survives an exception.

    Args:
        start_lr: the sweep's answer, rung 0.
        purse: what trials may cost.
    """

    def __init__(self, start_lr: float, purse: Purse) -> None:
        self.start_lr = start_lr
        self.purse = purse
        self.tried: dict[int, Trial] = {}

    @property
    def trials(self) -> tuple[Trial, ...]:
        """What was tried, in order."""
        return tuple(self.tried.values())

    @property
    def losses(self) -> dict[int, float]:
        """Loss of each rung tried, infinite where it diverged."""
        return {rung: trial.loss for rung, trial in self.tried.items()}

    @property
    def spent(self) -> int:
        """Updates paid so far."""
        return sum(trial.steps + self.purse.overhead for trial in self.tried.values())

    def run(self, evaluate: Oracle) -> None:
        """Try LRs until the answer is enclosed or the purse is empty, never beyond it."""
        while (rung := next_rung(self.losses)) is not None and self.purse.affords(self.spent):
            self.tried[rung] = evaluate(self.lr(rung))

    def lr(self, position: float) -> float:
        """Turn a position on the ladder into an LR."""
        return float(self.start_lr * 10.0 ** (position / RUNGS_A_DECADE))

    def answer(self, gate: Gate) -> float | None:
        """Name the LR that the trials speak for, within what was tried; None where they are silent.

        0.8 × the trials' optimum + 0.2 × the start, in log LR. Where every trial diverged, the
        lowest LR tried.
        """
        losses = self.losses
        if not losses:
            return None
        if all(math.isinf(loss) for loss in losses.values()):
            return self.lr(min(losses))
        if not gate.opens(min(losses.values())):
            return None
        return self.lr(shrunk(optimum(losses)))

    @property
    def is_bracketed(self) -> bool:
        """Tell whether a lower and a higher LR than the best were tried."""
        return bool(self.tried) and min(self.tried) < best_rung(self.losses) < max(self.tried)


def best_rung(losses: Losses) -> int:
    """Find the rung of the least loss, the nearest to the start among equals."""
    return min(losses, key=lambda rung: (losses[rung], abs(rung), rung))


def next_rung(losses: Losses) -> int | None:
    """Choose what to try next; None where the optimum is enclosed or trials would go on for ever.

    From the start half a decade up and, where that was no better, down; on in the direction that
    falls until the best stands between two that are worse; then a quarter of a decade to the
    better side of it and, where that was no better, to the other. Down for as long as everything
    diverges.
    """
    if not losses:
        return 0
    if len(losses) >= MOST:
        return None
    best = best_rung(losses)
    if math.isinf(losses[best]):
        return min(losses) - HALF_DECADE
    above, below = best + HALF_DECADE, best - HALF_DECADE
    is_coarse = all(rung % HALF_DECADE == 0 for rung in losses)
    if is_coarse and sum(map(math.isfinite, losses.values())) < BRACKETING:
        if above not in losses:
            return above
        if below not in losses:
            return below
    # What was not tried lies in the direction of the climb.
    unknown = -math.inf
    is_up = losses.get(above, unknown) < losses.get(below, unknown)
    finer = (best + 1, best - 1) if is_up else (best - 1, best + 1)
    return next((rung for rung in finer if rung not in losses), None)


def optimum(losses: Losses) -> float:
    """Place the optimum: the vertex of the parabola through the best trial and its neighbours.

    In log LR. With b the best, l and r its neighbours, s₁ and s₂ the slopes on either side:
    (l + b)/2 − s₁ (r − l) / 2(s₂ − s₁), which lies between the midpoints of the two sides. Where a
    neighbour diverged, the limit of that: the midpoint of the other side, away from the cliff. The
    best rung itself where a neighbour is missing, or both diverged.
    """
    best = best_rung(losses)
    left = max((rung for rung in losses if rung < best), default=None)
    right = min((rung for rung in losses if rung > best), default=None)
    if left is None or right is None:
        return float(best)
    rises = losses[left] - losses[best], losses[right] - losses[best]
    unit = max(rises)
    if not unit > 0.0 or min(rises) == math.inf:
        return float(best)
    if unit == math.inf:
        return (best + (left if rises[1] == math.inf else right)) / 2
    first, second = -rises[0] / unit / (best - left), rises[1] / unit / (right - best)
    return (left + best) / 2 - first * (right - left) / 2 / (second - first)


def shrunk(position: float) -> float:
    """Go a share of the way back to the start, at most `MOST_SHRINKAGE` rungs."""
    back = min(SHRINKAGE * abs(position), MOST_SHRINKAGE)
    return position - math.copysign(back, position)
