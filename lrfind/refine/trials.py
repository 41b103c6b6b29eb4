"""Trial trainings: the same start, the same batches, the same judge, another LR.

One copy of the initial state serves all of them. What only the user's own code holds (a second
optimizer inside a step, counters on a module) is not put back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

from torch import Tensor
from torch.nn.parameter import is_lazy

from lrfind.errors import DataExhaustedError
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.workload.batch import batch_length, to_device
from lrfind.workload.copies import Copies
from lrfind.workload.members import Stack, is_pair, misfit
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.training import Training

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

    def __init__(self, trainable: Training) -> None:
        self._trainable = trainable
        self.batches = [] if trainable.measures_apart else _drawn(trainable)
        count = len(self.batches or trainable.held_out)
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
        copies: keeps the state that every trial starts from; in memory where left out.

    Raises:
        DataExhaustedError: there is nothing to train on.

    Attributes:
        initial: loss on the judge's batches before any update.
    """

    def __init__(
        self,
        trainable: Training,
        judge: Judge,
        schedule: TrialSchedule,
        length: int,
        tolerance: float,
        copies: Copies | None = None,
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
        self._restore = trainable.checkpoint(copies)
        self.initial = judge()

    def __call__(self, lr: float, /) -> Trial:
        """Train from the initial state and measure; cut short where it diverges."""
        self._restore()
        running = self._trainable.over(self._batches)
        losses: list[float] = []
        try:
            for i, now in enumerate(self._schedule.lrs(lr, self._length)):
                losses.append(running.backward())
                if self._is_over(losses):
                    return Trial(lr, math.inf, i + 1, diverged=True)
                # An update that a loss scaler skips is one all the same: it was paid for.
                running.update(now)
        finally:
            self._trainable.phase = running.phase
        final = self._judge()
        if not math.isfinite(final):
            return Trial(lr, math.inf, self._length, diverged=True)
        return Trial(lr, final, self._length, diverged=False)

    @cached_property
    def alone(self) -> str | None:
        """Say why trials must run one after another; None where several may run side by side."""
        self._restore()  # a trial leaves its state in the optimizer
        pairs = [batch for batch in [*self._batches, *self._judge.batches] if is_pair(batch)]
        if len(pairs) < len(self._batches) + len(self._judge.batches):
            return "batches are no pairs of tensors"
        reasons = (misfit(self._trainable, *pair) for pair in pairs)
        return next((reason for reason in reasons if reason is not None), None)

    def side_by_side(self, lrs: Sequence[float]) -> list[Trial]:
        """Train at several LRs at once; each trial as it would be alone, to rounding.

        Only where `alone` is None.
        """
        self._restore()
        # `alone` has looked.
        assert isinstance(self._trainable, TorchTrainable)
        stack = Stack([self._trainable] * len(lrs), is_in_step=False)
        planned = [self._schedule.lrs(lr, self._length) for lr in lrs]
        ended: dict[int, Trial] = {}
        seen: list[list[float]] = [[] for _ in lrs]
        for i, now in enumerate(zip(*planned, strict=True)):
            losses = stack.backward(*self._spread(self._batches[i % len(self._batches)], lrs))
            for row, loss in enumerate(losses.tolist()):
                seen[row].append(loss)
                if row not in ended and self._is_over(seen[row]):
                    ended[row] = Trial(lrs[row], math.inf, i + 1, diverged=True)
            if len(ended) == len(lrs):
                break
            stack.update(now)
        judged = [
            stack.measure(*self._spread(batch, lrs)).tolist() for batch in self._judge.batches
        ]
        for row, each in enumerate(zip(*judged, strict=True)):
            final = sum(each) / len(each)
            is_finite = math.isfinite(final)
            loss = final if is_finite else math.inf
            ended.setdefault(row, Trial(lrs[row], loss, self._length, diverged=not is_finite))
        return [ended[row] for row in range(len(lrs))]

    def _spread(self, batch: Any, lrs: Sequence[float]) -> list[Tensor]:
        """Give each member the same batch."""
        parts = [to_device(part, self._trainable.device) for part in batch]
        return [part.expand(len(lrs), *part.shape) for part in parts]

    def _is_over(self, losses: list[float]) -> bool:
        """Tell a trial that diverged by its losses so far."""
        recent = losses[-WINDOW:]
        if not math.isfinite(losses[-1]):
            return True
        return len(recent) == WINDOW and median(recent) - losses[0] > self._tolerance


def _drawn(trainable: Training) -> list[Any]:
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


def _kept(trainable: Training, count: int) -> list[Any]:
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
