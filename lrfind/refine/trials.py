"""Trial trainings: the same start, the same batches, the same judge, another LR.

One copy of the initial state serves all of them. What only the user's own code holds (a second
optimizer inside a step, counters on a module) is not put back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median
from typing import Any

from torch import Tensor
from torch.nn.parameter import is_lazy

from lrfind.errors import DataExhaustedError
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.workload.batch import batch_length, to_device
from lrfind.workload.snapshot import checkpoint
from lrfind.workload.trainable import TorchTrainable

SAMPLES = 512
"""Samples to judge a trial by, within the limits below."""

FEWEST, MOST = 4, 16
"""Batches to judge a trial by."""

FORWARD_COST = 1 / 3
"""Price of a forward pass, in updates of one batch."""

KEPT_BYTES = 2**30
"""Most bytes of batches kept for training; where the data are larger, trials repeat them."""

WINDOW = 5
"""Losses in the running median that tells a divergence."""


class Judge:
    """The loss on fixed batches: held-out ones where the config has them, else training data.

    Held-out data are measured in evaluation mode, training data as the sweep measures them.

    Args:
        trainable: whose feed the batches are drawn from.

    Attributes:
        batches: the training batches that it judges by, on the device; none where it has others.
        cost: price of a judgement, in updates.

    Raises:
        DataExhaustedError: no batch is left.
    """

    def __init__(self, trainable: TorchTrainable) -> None:
        self._trainable = trainable
        self.batches = [] if trainable.measures_apart else _drawn(trainable)
        count = len(self.batches) or trainable.held_out_batches
        self.cost = math.ceil(count * FORWARD_COST / trainable.accumulate)

    def __call__(self) -> float:
        """Measure the model as it is."""
        if not self.batches:
            return self._trainable.measure()
        one_by_one = self._trainable.over(self.batches, accumulate=1)
        total = sum(one_by_one.measure() for _ in self.batches)
        return total / len(self.batches)


class Trials:
    """An oracle that trains: `trials(lr)` says where a short run at that LR ends.

    Args:
        trainable: at the state that every trial starts from.
        judge: measures where a trial ends.
        schedule: shape of the LR.
        length: updates of a trial.
        tolerance: how far above its start the running median of the training loss may stand
            before a trial is cut short.

    Raises:
        DataExhaustedError: there is nothing to train on.

    Attributes:
        initial: loss on the judge's batches before any update.
    """

    def __init__(
        self,
        trainable: TorchTrainable,
        judge: Judge,
        schedule: TrialSchedule,
        length: int,
        tolerance: float,
    ) -> None:
        self._trainable = trainable
        self._judge = judge
        self._schedule = schedule
        self._length = length
        self._tolerance = tolerance
        self._batches = _kept(trainable, length * trainable.accumulate) or judge.batches
        if not self._batches:
            raise DataExhaustedError("no data are left to train on")
        if any(is_lazy(parameter) for parameter in trainable.model.parameters()):
            judge()  # the first batch decides the shapes
        self._restore = checkpoint(trainable.model, trainable.swept.optimizer)
        self.initial = judge()

    def __call__(self, lr: float, /) -> Trial:
        """Train from the initial state and measure; cut short where it diverges."""
        self._restore()
        running = self._trainable.over(self._batches)
        recent: list[float] = []
        start = math.nan
        try:
            for i, now in enumerate(self._schedule.lrs(lr, self._length)):
                loss = running.backward()
                start = loss if i == 0 else start
                recent = [*recent[1 - WINDOW :], loss]
                if not math.isfinite(loss) or self._has_risen(recent, start):
                    return Trial(lr, math.inf, i + 1, diverged=True)
                # An update that a loss scaler skips is one all the same: it was paid for.
                running.update(now)
        finally:
            self._trainable.phase = running.phase
        final = self._judge()
        if not math.isfinite(final):
            return Trial(lr, math.inf, self._length, diverged=True)
        return Trial(lr, final, self._length, diverged=False)

    def _has_risen(self, recent: list[float], start: float) -> bool:
        return len(recent) == WINDOW and median(recent) - start > self._tolerance


def _drawn(trainable: TorchTrainable) -> list[Any]:
    batches: list[Any] = []
    samples = 0
    while len(batches) < FEWEST or (samples < SAMPLES and len(batches) < MOST):
        try:
            batch = trainable.take()
        except DataExhaustedError:
            if not batches:
                raise
            break
        batches.append(to_device(batch, trainable.device))
        samples += batch_length(batch) or 0
    return batches


def _kept(trainable: TorchTrainable, count: int) -> list[Any]:
    """Draw batches ahead, fewer where they do not fit or run out, and leave them where they are."""
    batches: list[Any] = []
    size = 0
    while len(batches) < count and (not batches or size < KEPT_BYTES):
        try:
            batches.append(trainable.take())
        except DataExhaustedError:
            break
        size += _bytes(batches[-1])
    return batches


def _bytes(batch: Any) -> int:
    if isinstance(batch, Tensor):
        return batch.numel() * batch.element_size()
    if isinstance(batch, Mapping):
        return sum(map(_bytes, batch.values()))
    if isinstance(batch, tuple | list):
        return sum(map(_bytes, batch))
    return sum(map(_bytes, vars(batch).values())) if hasattr(batch, "__dict__") else 0
