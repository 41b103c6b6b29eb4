"""The loop of a range test: updates at growing LRs, each paired with the loss it produced."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from lrfind.curve import Curve, Step, StopReason
from lrfind.errors import DataExhaustedError
from lrfind.sweep.plan import Plan
from lrfind.sweep.stop import StopRule, StopState

MAX_SKIPPED = 40
"""Updates in a row that an fp16 loss scaler may skip: 2^40 spans its whole range."""


class Trainable(Protocol):
    """What a sweep drives; `lrfind.workload.TorchTrainable` is the real one."""

    @property
    def measures_apart(self) -> bool:
        """Tell whether `measure` gives the curve's loss, instead of `backward`."""

    @property
    def grad_norm(self) -> float | None:
        """ℓ2 norm of the gradients of the last update, where it was measured."""

    @property
    def update_ratio(self) -> float | None:
        """|Δw| / |w| of the last update, once a loss after it is known, where it was measured."""

    def backward(self) -> float:
        """Compute the loss of the next batch, and its gradients where it is finite."""

    def update(self, lr: float) -> bool:
        """Update at this LR; False when the update was skipped and must be tried again."""

    def measure(self) -> float:
        """Compute a loss without gradients."""


class Observer(Protocol):
    """Whoever watches a sweep: progress bars, partial saves, tests."""

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Take note that sweep `index` of `count` starts, again where its range was lowered.

        `steps` are planned; more may follow where the range is extended.
        """

    def step(self, step: Step) -> None:
        """Take one point of the curve; called for every update, so it must be cheap."""

    def end(self, stop: StopReason) -> None:
        """Take note that the sweep ended; called however it ended, in reverse order."""


def run_sweep(
    trainable: Trainable,
    plan: Plan,
    rule: StopRule | None = None,
    *,
    seed: int = 0,
    index: int = 0,
    count: int = 1,
    observers: Sequence[Observer] = (),
    extend: Callable[[Plan, Curve], Plan] | None = None,
) -> Curve:
    """Run one range test; see `lrfind.curve` for which loss belongs to which LR.

    Args:
        trainable: model, data and optimizer behind three calls.
        plan: the LR of each update.
        rule: when to stop early.
        seed: written into the curve.
        index: which sweep of several this is.
        count: how many there are.
        observers: told of every step.
        extend: asked once, when all steps are done, for a plan that goes on from there; see
            `lrfind.sweep.auto_range.extended`.

    Returns:
        The curve; after Ctrl-C what was measured, with `StopReason.INTERRUPTED`.
    """
    sweep = _Sweep(trainable, plan, rule or StopRule(), observers, extend)
    stop = StopReason.FAILED

    def end(observer: Observer) -> None:
        observer.end(stop)

    with ExitStack() as ends:
        for observer in observers:
            observer.begin(seed, index, count, plan.steps)
            ends.callback(end, observer)
        try:
            stop = sweep.run()
        except KeyboardInterrupt:
            stop = StopReason.INTERRUPTED
        except DataExhaustedError:
            # Beyond the plan, data that run out end only what was added to it.
            is_done = len(sweep.steps) >= plan.steps
            stop = StopReason.COMPLETED if is_done else StopReason.EXHAUSTED
    return sweep.curve(seed, stop)


class _Sweep:
    """One run of the loop; what it has measured survives an exception inside it."""

    def __init__(
        self,
        trainable: Trainable,
        plan: Plan,
        rule: StopRule,
        observers: Sequence[Observer],
        extend: Callable[[Plan, Curve], Plan] | None,
    ) -> None:
        self.steps: list[Step] = []
        self.initial_loss: float | None = None
        self._trainable = trainable
        self._plan = plan
        self._rule = rule
        self._state = StopState()
        self._observers = observers
        self._extend = extend
        self._started = time.perf_counter()

    def curve(self, seed: int, stop: StopReason) -> Curve:
        """Give what was measured so far."""
        return Curve.from_steps(self.steps, seed=seed, stop=stop, initial_loss=self.initial_loss)

    def run(self) -> StopReason:
        trainable = self._trainable
        apart = trainable.measures_apart
        if apart:
            self.initial_loss = trainable.measure()
        loss = trainable.backward()
        if self.initial_loss is None:
            self.initial_loss = loss
        if not math.isfinite(loss) or not math.isfinite(self.initial_loss):
            return StopReason.NONFINITE
        i = 0
        while i < self._plan.total:
            is_last = i == self._plan.total - 1
            lr = self._plan.lr(i)
            if not self._update(lr):
                return self._record(i, lr, float("nan")) or StopReason.NONFINITE
            grad_norm = trainable.grad_norm
            # Where the sweep may go on, the last loss has gradients to go on with.
            is_bare = is_last and self._extend is None
            loss = trainable.measure() if apart or is_bare else trainable.backward()
            stop = self._record(i, lr, loss, grad_norm)
            if stop is not None:
                return stop
            i += 1
            if is_last and self._extend is not None:
                self._plan = self._extend(self._plan, self.curve(0, StopReason.COMPLETED))
                self._extend = None
            if apart and i < self._plan.total and not math.isfinite(trainable.backward()):
                return StopReason.NONFINITE
        return StopReason.COMPLETED

    def _update(self, lr: float) -> bool:
        """Update at one LR; where a loss scaler skips it, try again on the next batch.

        False where no scale helps, or the loss itself is infinite or NaN.
        """
        for _ in range(MAX_SKIPPED):
            if self._trainable.update(lr):
                return True
            if not math.isfinite(self._trainable.backward()):
                return False
        return False

    def _record(
        self, index: int, lr: float, loss: float, grad_norm: float | None = None
    ) -> StopReason | None:
        elapsed_s = time.perf_counter() - self._started
        step = Step(index, lr, loss, elapsed_s, grad_norm, self._trainable.update_ratio)
        self.steps.append(step)
        for observer in self._observers:
            observer.step(step)
        self._state, stop = self._rule.update(self._state, loss)
        return stop
