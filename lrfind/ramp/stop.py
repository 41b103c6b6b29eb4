"""When a sweep has diverged: a pure state machine over the losses.

The usual rule, `loss > 4 · best`, breaks for losses at or below zero and changes when a constant
is added to the loss. Here the rise is measured in units of what the sweep itself has shown: the
drop so far, or the batch noise where nothing has dropped yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

from lrfind.curve import StopReason

LARGE = 3.0
"""Multiple of the noise so far beyond which a change of the loss is no noise."""

CLEARLY = 2.0
"""Multiple of the noise by which a level stands clearly above the start."""


@dataclass(frozen=True, slots=True)
class StopState:
    """What the rule remembers between losses.

    Attributes:
        count: losses seen.
        recent: the last `window` losses.
        start: running median when it was first full; None before.
        best: least running median so far.
        noise: mean |ΔL| so far, large ones cut: the batch noise.
        above: losses in a row whose running median stood above the start, beyond the noise.
    """

    count: int = 0
    recent: tuple[float, ...] = ()
    start: float | None = None
    best: float = math.inf
    noise: float = 0.0
    above: int = 0


@dataclass(frozen=True, slots=True)
class StopRule:
    """Divergence: s − best > factor · max(start − best, noise), or s > start + 2 noise for long.

    s is the median of the last `window` losses (a single bad batch does not move it), best its
    least value so far, start its first, and noise the mean absolute difference of successive
    losses, in which a difference after the first `min_steps` counts as at most 3 times the mean
    before it, so that an explosion does not raise the bar for itself. The second half catches a
    model that is broken without exploding: a classifier whose loss comes back to log(classes) and
    stays there. Adding a constant to the losses changes nothing, and so does multiplying them by a
    positive number. Any non-finite loss stops at once.

    Attributes:
        factor: how many drops above the best; `inf` leaves only the non-finite stop.
        min_steps: losses before which only a non-finite one stops.
        window: losses in the running median.
        patience: losses in a row above the start, beyond the noise, that count as divergence.
    """

    factor: float = 4.0
    min_steps: int = 10
    window: int = 5
    patience: int = 20

    def update(self, state: StopState, loss: float) -> tuple[StopState, StopReason | None]:
        """Take one loss; return the next state, and the reason if the sweep must stop."""
        if not math.isfinite(loss):
            return replace(state, count=state.count + 1), StopReason.NONFINITE
        noise = state.noise
        if state.recent:
            change = abs(loss - state.recent[-1])
            if state.count >= self.min_steps and noise > 0:
                change = min(change, LARGE * noise)
            noise += (change - noise) / state.count
        recent = (*state.recent, loss)[-self.window :]
        count = state.count + 1
        if count < self.window:
            return StopState(count, recent, noise=noise), None
        level = median(recent)
        start = level if state.start is None else state.start
        best = min(state.best, level)
        above = state.above + 1 if level - start > CLEARLY * noise else 0
        after = StopState(count, recent, start, best, noise, above)
        if count < self.min_steps or math.isinf(self.factor):
            return after, None
        exploded = level - best > self.factor * max(start - best, noise)
        if exploded or above >= self.patience:
            return after, StopReason.DIVERGED
        return after, None
