"""The curve while it grows: losses in, LRs out; free of torch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lrfind.curve import Curve, Step, StopReason, Track
from lrfind.ramp import Observer, Plan, StopRule, StopState, extended


@dataclass
class CurveSoFar:
    """What a sweep has measured, and whether it is over.

    Attributes:
        plan: the LR of each update; longer once the range was extended.
        rule: when to stop early.
        observers: told of every step.
        can_extend: whether the range may go on where the loss has not risen.
        stop: why it is over; None while it is not.
    """

    plan: Plan
    rule: StopRule
    observers: Sequence[Observer]
    can_extend: bool
    stop: StopReason | None = field(default=None, init=False)
    _state: StopState = field(default_factory=StopState, init=False)
    _track: Track = field(default_factory=Track, init=False)
    _initial_loss: float | None = field(default=None, init=False)
    _started: float = field(default_factory=time.perf_counter, init=False)

    def lr(self, update: int) -> float:
        """LR of an update; one more than planned is made before the last loss is known."""
        if self.plan.mode == "linear":
            update = min(update, self.plan.total - 1)
        return self.plan.lr(update)

    def take(self, index: int, loss: float) -> None:
        """Join loss L_i, seen after i updates, with the LR of the last of them."""
        if index == 0:
            self._initial_loss = loss
            self.stop = None if math.isfinite(loss) else StopReason.NONFINITE
            return
        step = Step(index - 1, self.plan.lr(index - 1), loss, time.perf_counter() - self._started)
        self._track.add(step)
        for observer in self.observers:
            observer.step(step)
        self._state, self.stop = self.rule.update(self._state, loss)
        if self.stop is None and len(self._track) == self.plan.total:
            self._go_on_or_end()

    def curve(self, stop: StopReason) -> Curve:
        """Give what was measured, ended for this reason."""
        return self._track.curve(seed=0, stop=stop, initial_loss=self._initial_loss)

    def _go_on_or_end(self) -> None:
        if self.can_extend:
            self.can_extend = False
            self.plan = extended(self.plan, self.curve(StopReason.COMPLETED))
        if len(self._track) == self.plan.total:
            self.stop = StopReason.COMPLETED
