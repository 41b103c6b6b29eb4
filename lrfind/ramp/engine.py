"""The loop of a range test: updates at growing LRs, each paired with the loss it produced."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from lrfind.curve import Curve, Measurement, Step, StopReason, Track
from lrfind.errors import DataExhaustedError
from lrfind.ramp.plan import Plan
from lrfind.ramp.stop import StopRule, StopState

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

    @property
    def queue(self) -> Queue | None:
        """Where steps can be started without waiting for them; None: each loss is known at once."""


class Queue(Protocol):
    """A device that works on its own: a GPU, which must not be waited for at each step."""

    @property
    def lag(self) -> int:
        """Steps that may be launched before their losses are read, at least 1."""

    def launch(self, *, with_gradients: bool = True) -> Late:
        """Start what `Trainable.backward` (or `measure`) does; updates in between never skip."""


class Late(Protocol):
    """A measurement that a device is still busy with."""

    def is_ready(self) -> bool:
        """Tell whether reading would wait for nothing."""

    def read(self) -> Measurement:
        """Wait for it."""


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
            `lrfind.ramp.auto_range.extended`.

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
            is_done = len(sweep.track) >= plan.steps
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
        self.track = Track()
        self.initial_loss: float | None = None
        self._trainable = trainable
        self._plan = plan
        self._rule = rule
        self._state = StopState()
        self._observers = observers
        self._extend = extend
        self._launched: deque[tuple[int, float, Late]] = deque()
        self._started = time.perf_counter()

    def curve(self, seed: int, stop: StopReason) -> Curve:
        """Give what was measured so far."""
        return self.track.curve(seed=seed, stop=stop, initial_loss=self.initial_loss)

    def run(self) -> StopReason:
        """Go through the plan.

        Where losses come late, the loop runs ahead of them. The curve ends all the same where it
        would if each had been waited for: what came after that is dropped, an error included.
        """
        queue = self._trainable.queue
        if queue is None:
            return self._step_by_step()
        try:
            return self._ahead(queue)
        except BaseException as error:
            stop = self._read_launched(0)
            if stop is None or isinstance(error, KeyboardInterrupt):
                raise
            return stop

    def _ahead(self, queue: Queue) -> StopReason:
        trainable = self._trainable
        self.initial_loss = trainable.backward()
        if not math.isfinite(self.initial_loss):
            return StopReason.NONFINITE
        # The first update is waited for: what goes wrong there is a fault, of which more can be
        # said while everything is as it left it.
        stop = self._first_step()
        if stop is not None:
            return stop
        i = 1
        while i < self._plan.total:
            is_last = i == self._plan.total - 1
            lr = self._plan.lr(i)
            trainable.update(lr)
            late = queue.launch(with_gradients=not is_last or self._extend is not None)
            self._launched.append((i, lr, late))
            stop = self._read_launched(0 if is_last else queue.lag)
            if stop is not None:
                return stop
            i += 1
            if is_last:
                self._go_on()
        return StopReason.COMPLETED

    def _first_step(self) -> StopReason | None:
        trainable, lr = self._trainable, self._plan.lr(0)
        trainable.update(lr)
        grad_norm = trainable.grad_norm
        loss = trainable.backward()
        return self._record(0, lr, Measurement(loss, grad_norm, trainable.update_ratio))

    def _read_launched(self, most: int) -> StopReason | None:
        """Record what has come, and wait until at most `most` are still on their way."""
        while self._launched and (len(self._launched) > most or self._launched[0][2].is_ready()):
            i, lr, late = self._launched.popleft()
            stop = self._record(i, lr, late.read())
            if stop is not None:
                self._launched.clear()
                return stop
        return None

    def _go_on(self) -> None:
        """Ask once, at the end of the plan, whether there is more."""
        if self._extend is not None:
            self._plan = self._extend(self._plan, self.curve(0, StopReason.COMPLETED))
            self._extend = None

    def _step_by_step(self) -> StopReason:
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
                nothing = Measurement(math.nan, None, trainable.update_ratio)
                return self._record(i, lr, nothing) or StopReason.NONFINITE
            grad_norm = trainable.grad_norm
            # Where the sweep may go on, the last loss has gradients to go on with.
            is_bare = is_last and self._extend is None
            loss = trainable.measure() if apart or is_bare else trainable.backward()
            stop = self._record(i, lr, Measurement(loss, grad_norm, trainable.update_ratio))
            if stop is not None:
                return stop
            i += 1
            if is_last:
                self._go_on()
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

    def _record(self, index: int, lr: float, found: Measurement) -> StopReason | None:
        elapsed_s = time.perf_counter() - self._started
        step = Step(index, lr, found.loss, elapsed_s, found.grad_norm, found.update_ratio)
        self.track.add(step)
        for observer in self._observers:
            observer.step(step)
        self._state, stop = self._rule.update(self._state, found.loss)
        return stop
