"""Sweeps of several seeds whose arithmetic is done together.

Their LRs are known beforehand, so that the members can be trained ahead of the sweeps: each sweep
runs after the one before it, as ever, and reads losses that are there already, or has the stack
train on. What was trained beyond a sweep's end is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import torch

from lrfind.workload.batch import batch_length, to_device
from lrfind.workload.members.fit import misfit
from lrfind.workload.members.stack import Stack, are_alike
from lrfind.workload.phase import Phase
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.training import Training
from lrfind.workload.workload import Workload

MOST = 16
"""Members of one stack."""

Ramp = Callable[[int], float]
"""LR of each update; equal ramps are equal objects."""


def why_alone(workload: Workload, trainable: Training) -> str | None:
    """Say why seeds of a workload must be swept one after another; None where they need not be.

    Args:
        workload: what is swept.
        trainable: one seed of it, open.
    """
    columns = workload.columns()
    if columns is None or len(columns) != 2:
        return "the data are not inputs and targets in memory that lrfind makes batches of"
    # What infinite or NaN data do is told by a sweep of one seed.
    if not all(torch.isfinite(column).all() for column in columns):
        return "the data hold infinite or NaN numbers"
    return misfit(trainable, *columns)


class Seeds:
    """The trainables of several seeds: members of one stack where they fit, else one by one.

    Whatever is open is closed when the block ends.

    Args:
        workload: what is swept.
        first: the first seed.
        count: how many there are.
        side_by_side: whether to try.

    Attributes:
        reason: why they are swept one after another; None where they are not.
    """

    def __init__(self, workload: Workload, first: int, count: int, *, side_by_side: bool) -> None:
        self.reason = None if side_by_side else "it is switched off"
        if self.reason is None and count == 1:
            self.reason = "there is one"
        self._workload = workload
        self._seeds = range(first, first + count)
        self._group = ExitStack()
        self._members: dict[int, Member] = {}
        self._ramp: Ramp | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._group.__exit__(kind, error, trace)

    @contextmanager
    def open(self, index: int, ramp: Ramp) -> Iterator[Training | Member]:
        """Yield the trainable of seed number `index`, to be updated at the LRs of the ramp."""
        if self.reason is None and (index not in self._members or ramp != self._ramp):
            self._members.clear()
            self._group.close()
            self._ramp = ramp
            self.reason, opened = self._stand_up(index, ramp)
            if opened is not None:
                # The one that told why is as good as new, and a model may be dear to make.
                with self._group:
                    yield opened
                return
        if self.reason is None:
            yield self._members.pop(index)
            return
        self._group.close()
        with self._workload.open(self._seeds[index]) as trainable:
            yield trainable

    def _stand_up(self, index: int, ramp: Ramp) -> tuple[str | None, Training | None]:
        """Open the seeds from number `index` on as members.

        Returns:
            Why not, where they do not fit, and with it the first one, where it alone was opened.
        """
        opened: list[TorchTrainable] = []
        for seed in self._seeds[index : index + MOST]:
            trainable = self._group.enter_context(self._workload.open(seed))
            reason = None if opened else why_alone(self._workload, trainable)
            if opened and not are_alike(opened[0], trainable):
                reason = "seeds give models that differ"
            if reason is not None:
                return reason, None if opened else trainable
            assert isinstance(trainable, TorchTrainable)
            opened.append(trainable)
        lockstep = _Lockstep(opened, ramp)
        for row in range(len(opened)):
            self._members[index + row] = Member(lockstep, row)
        return None, None


class Member:
    """One seed of a stack, as a sweep wants it; sweeps of other members may be far ahead."""

    measures_apart = False
    grad_norm: float | None = None
    queue = None

    def __init__(self, lockstep: _Lockstep, row: int) -> None:
        self._lockstep = lockstep
        self._row = row
        self._seen = 0

    @property
    def update_ratio(self) -> float | None:
        """|Δw| / |w| of the last update, where it was measured."""
        return self._lockstep.ratios[self._seen - 1][self._row]

    def backward(self) -> float:
        """Give the loss of the next batch."""
        if self._seen == len(self._lockstep.losses):
            self._lockstep.advance()
        self._seen += 1
        return self._lockstep.losses[self._seen - 1][self._row]

    def measure(self) -> float:
        """Give the loss of the next batch."""
        return self.backward()

    def update(self, lr: float) -> bool:
        """Take note of an update, which the stack makes by itself."""
        assert lr == self._lockstep.lrs[self._seen - 1]
        return True


class _Lockstep:
    """Members in step: the same LR at every update, each with its own weights and batches.

    Attributes:
        lrs: of the updates so far, and of the next one.
        losses: of all members after 0, 1, … updates.
        ratios: |Δw| / |w| of the update before each loss, where it was measured.
    """

    def __init__(self, trainables: Sequence[TorchTrainable], ramp: Ramp) -> None:
        self.lrs: list[float] = []
        self.losses: list[list[float]] = []
        self.ratios: list[list[float | None]] = []
        self._trainables = trainables
        self._ramp = ramp
        self._stack = Stack(trainables, is_in_step=True)

    def advance(self) -> None:
        """Update all members, but for the first time, and compute the loss of the next batch."""
        if self.losses:
            self._doing(Phase.UPDATE)
            self._stack.update([self.lrs[-1]])
        self._doing(Phase.DATA)
        inputs, targets = self._draw()
        self._doing(Phase.FORWARD)
        self.losses.append(self._stack.backward(inputs, targets).tolist())
        self.ratios.append(self._stack.update_ratios())
        self.lrs.append(self._ramp(len(self.lrs)))

    def _draw(self) -> list[torch.Tensor]:
        batches = [t.take() for t in self._trainables]
        if not self.losses:
            for trainable, batch in zip(self._trainables, batches, strict=True):
                trainable.draws.batch_size = batch_length(batch)
        device = self._trainables[0].device
        columns = zip(*batches, strict=True)
        return [to_device(torch.stack(column), device) for column in columns]

    def _doing(self, phase: Phase) -> None:
        for trainable in self._trainables:
            trainable.phase = phase
