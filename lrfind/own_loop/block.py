"""The `with` block of a sweep: the user's loop inside, their optimizer's LRs around it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lrfind.atomic import claim_folder
from lrfind.curve import Curve, StopReason
from lrfind.errors import DataExhaustedError, InputError, Problem
from lrfind.export import (
    CURVE_FILE,
    OUTPUT_FILES,
    PLOT_FILE,
    REPORT_FILE,
    write_curves,
    write_report,
)
from lrfind.own_loop.so_far import CurveSoFar
from lrfind.ramp import Observer
from lrfind.report import Report
from lrfind.workload.feed import Feed
from lrfind.workload.later import LAG, LateMeasurement
from lrfind.workload.optimizer import SweptOptimizer, group_scales, refuse_scheduler
from lrfind.workload.snapshot import preserved, preserved_lrs

MAX_SKIPPED = 40
"""Updates in a row that a loss scaler may skip; as in `lrfind.ramp.engine`."""

_WHERE = "sweep"


class SweepEnded(BaseException):
    """Leaves the `with` block of a sweep that is over; never seen outside of it.

    No `Exception`, so that a training loop that survives those of a batch does not go on.
    """


class Sweep:
    """A range test under way; made by `sweep`.

    Attributes:
        is_done: whether it is over: later losses are not wanted.
        curve: what was measured; once the block was left, however that happened.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        so_far: CurveSoFar,
        read: Callable[[Curve], Report],
        model: nn.Module | None,
        scaler: Any,
    ) -> None:
        self._optimizer = optimizer
        self._so_far = so_far
        self._read = read
        self._model = model
        self._scaler = scaler
        self._waiting: deque[tuple[int, LateMeasurement]] = deque()
        self._update = 0
        self._made = 0
        self._skipped = 0
        self._leaves_by_itself = True
        self._exits: ExitStack | None = None
        self._curve: Curve | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether the sweep is over."""
        return self._so_far.stop is not None

    @property
    def curve(self) -> Curve:
        """The curve, once the block was left; a partial one where something ended it.

        Raises:
            InputError: the sweep is still under way, or never began.
        """
        if self._curve is None:
            what = "has no curve yet: it is read when the with block is left"
            raise InputError(Problem(_WHERE, what, "ask behind the block"))
        return self._curve

    @cached_property
    def report(self) -> Report:
        """What the curve says; `report.suggestion` is None where it holds no honest answer."""
        return self._read(self.curve)

    def save(self, folder: str | Path) -> None:
        """Write `curve.csv`, `curve.png` and `report.json` into a folder, which is made.

        Raises:
            OutputError: one of them cannot be written.
        """
        from lrfind.plot import save_plot

        into = Path(folder)
        claim_folder(into, OUTPUT_FILES)
        write_curves(self.report.curves, into / CURVE_FILE)
        write_report(self.report, into / REPORT_FILE)
        save_plot(self.report, into / PLOT_FILE)

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """Read a loader until the sweep is done, again from its start where it is too short.

        The loop then ends as any loop does, and what stands behind it in the block is run.
        """
        self._leaves_by_itself = False
        feed = Feed(loader)
        try:
            while not self.is_done:
                try:
                    batch = feed.next()
                except DataExhaustedError:
                    return
                yield batch
        finally:
            feed.close()

    def __enter__(self) -> Self:
        if self._exits is not None:
            what = "was entered before; its curve is measured"
            raise InputError(Problem(_WHERE, what, "make another with lrfind.sweep(...)"))
        refuse_scheduler(self._optimizer)
        self._swept = SweptOptimizer(self._optimizer, group_scales(self._optimizer))
        with ExitStack() as exits:
            if self._model is not None:
                exits.enter_context(preserved(model=self._model, optimizer=self._optimizer))
            exits.enter_context(preserved_lrs(self._optimizer))
            hook = self._optimizer.register_step_post_hook(self._count)
            exits.callback(hook.remove)
            for observer in self._so_far.observers:
                observer.begin(0, 0, 1, self._so_far.plan.steps)
                exits.callback(self._end, observer)
            self._exits = exits.pop_all()
        self._swept.set_lr(self._so_far.lr(0))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # After an error on a GPU losses on their way may not be readable any more.
        with suppress(RuntimeError) if isinstance(error, Exception) else nullcontext():
            self._settle(0)
        self._curve = self._so_far.curve(self._so_far.stop or _why(error))
        if self._exits is not None:
            self._exits.close()
        return kind is SweepEnded

    def record(self, loss: Tensor | float) -> None:
        """Take the loss of a pass of the loop, behind its one update.

        A tensor on a GPU is not waited for: it is read a few steps later.

        Args:
            loss: of the batch, before the update; with gradient accumulation the mean of all.

        Raises:
            InputError: no update, or more than one, was made since the last call; something else
                changed the LR; the loss is not one number.
        """
        if self._exits is None or self._curve is not None:
            what = "takes losses inside its with block only"
            raise InputError(Problem(_WHERE, what, "call record there"))
        if self.is_done:
            self._leave()
            return
        made, self._made = self._made, 0
        if made != 1 and (made or self._scaler is None):
            raise _wrong_count(made)
        self._swept.require_lr(self._so_far.lr(self._update))
        if self._skipped:
            # The weights are those of the loss before, which has told what the last update did.
            self._retried(loss)
        else:
            self._waiting.append((self._update, _measured(loss)))
            self._settle(0 if self._update == self._so_far.plan.total else LAG)
        if made:
            self._update, self._skipped = self._update + 1, 0
        else:
            self._skipped += 1
        if self.is_done:
            self._leave()
        else:
            self._swept.set_lr(self._so_far.lr(self._update))

    def _retried(self, loss: Tensor | float) -> None:
        """End a sweep whose loss scaler finds no scale at which an update can be made."""
        if self._skipped >= MAX_SKIPPED or not math.isfinite(_measured(loss).read().loss):
            self._settle(0)
            self._so_far.take(self._update + 1, math.nan)

    def _end(self, observer: Observer) -> None:
        observer.end(self.curve.stop)

    def _leave(self) -> None:
        if self._leaves_by_itself:
            raise SweepEnded

    def _count(self, *_: Any) -> None:
        self._made += 1

    def _settle(self, most: int) -> None:
        """Take the losses that are there, and wait until at most `most` are not."""
        waiting = self._waiting
        while waiting and (len(waiting) > most or waiting[0][1].is_ready()):
            index, late = waiting.popleft()
            self._so_far.take(index, late.read().loss)
            if self.is_done:
                waiting.clear()


def _measured(loss: Tensor | float) -> LateMeasurement:
    if isinstance(loss, Tensor) and loss.numel() != 1:
        what = f"got a loss of shape {tuple(loss.shape)}; it must be one number"
        raise InputError(Problem(_WHERE, what, "average it"))
    value = loss if isinstance(loss, Tensor) else torch.tensor(float(loss), dtype=torch.float64)
    return LateMeasurement([value], None, None, lambda losses: None)


def _wrong_count(made: int) -> InputError:
    if made:
        what = f"was told of one loss in {made} updates; each needs its own"
        remedy = "call record(loss) once a pass, behind optimizer.step()"
    else:
        what = "was told of a loss without an update since the last one"
        remedy = (
            "call record(loss) once an update, behind optimizer.step(); where a GradScaler may "
            "skip one: lrfind.sweep(…, scaler=scaler)"
        )
    return InputError(Problem(_WHERE, what, remedy))


def _why(error: BaseException | None) -> StopReason:
    if error is None:
        return StopReason.EXHAUSTED
    return StopReason.INTERRUPTED if isinstance(error, KeyboardInterrupt) else StopReason.FAILED
