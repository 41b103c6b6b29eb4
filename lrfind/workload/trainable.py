"""One model in training: what the sweep drives, a backward pass and an update at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lrfind.errors import DataExhaustedError
from lrfind.suggest.answer import Note
from lrfind.workload.copies import Copies
from lrfind.workload.draws import Draws
from lrfind.workload.evaluation import evaluating
from lrfind.workload.feed import Feed
from lrfind.workload.later import LAG, LateMeasurement
from lrfind.workload.loop import Loop, PlainLoop
from lrfind.workload.nonfinite import NumberCheck
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import SweptOptimizer, switch_mode
from lrfind.workload.phase import Phase
from lrfind.workload.precision import autocast
from lrfind.workload.snapshot import Restore, checkpoint
from lrfind.workload.updates import Updates


class TorchTrainable:
    """A model, its optimizer, its loss and its data, as `lrfind.ramp.Trainable` wants them.

    Args:
        model: on `device` already.
        swept: its optimizer and the groups' LR multipliers.
        objective: batch to loss.
        feed: endless batches.
        device: where it runs.
        loop: what surrounds a step; nothing where left out.
        accumulate: batches whose mean gradient makes one update.
        precision: `fp32 | bf16 | fp16`; fp16 scales the loss.
        clip_grad_norm: largest ℓ2 norm of all gradients together.
        held_out: fixed batches; with them `measure` returns their mean loss.
        low_memory: compute the gradients in `update`, and free each once it was used.
        is_alone: no other process has a part in the loss, which may be computed at any time.

    Raises:
        InputError: optimizer or parameters cannot be combined with fp16 or `low_memory`.

    Attributes:
        draws: the batches of the update at hand.
        phase: what is being done right now: whom to blame for an exception.
        lag: steps that may be queued unread; 0 on a CPU and where each loss must be known.
    """

    def __init__(
        self,
        model: nn.Module,
        swept: SweptOptimizer,
        objective: Objective,
        feed: Feed,
        *,
        device: torch.device,
        loop: Loop | None = None,
        accumulate: int = 1,
        precision: str = "fp32",
        clip_grad_norm: float | None = None,
        held_out: Sequence[Any] = (),
        low_memory: bool = False,
        is_alone: bool = True,
    ) -> None:
        self.model = model
        self.swept = swept
        self.phase = Phase.FORWARD
        self.objective = objective
        self.device = device
        self.accumulate = accumulate
        self.clip_grad_norm = clip_grad_norm
        self.held_out = held_out
        self._loop = loop or PlainLoop(device)
        self._precision = precision
        self._low_memory = low_memory
        self._is_alone = is_alone
        self.draws = Draws(feed, self._loop, accumulate)
        self._check = NumberCheck(model, swept.parameters, precision)
        self._updates = Updates(
            swept,
            self._check,
            self._loop,
            device=device,
            precision=precision,
            clip_grad_norm=clip_grad_norm,
            low_memory=low_memory,
        )
        self._autocast = autocast(precision, device)
        must_know = self._updates.must_know_losses or bool(held_out)
        self.lag = LAG if device.type == "cuda" and not must_know else 0
        model.train()
        switch_mode(swept.optimizer, "train")

    @property
    def measures_apart(self) -> bool:
        """Tell whether the curve's loss comes from held-out data instead of the training loss."""
        return bool(self.held_out)

    @property
    def grad_norm(self) -> float | None:
        """ℓ2 norm of the last gradients before clipping, where they are clipped."""
        return self._updates.grad_norm

    @property
    def batch_size(self) -> int | None:
        """Samples of an update's batches, once one was seen."""
        return self.draws.batch_size

    @property
    def batch_shape(self) -> str:
        """Describe the tensors of the last batch drawn."""
        return self.draws.shape

    def backward(self) -> float:
        """Draw the next batches, compute their mean loss and its gradients."""
        self._draw()
        loss = self._evaluate()
        if self.draws.is_first and math.isfinite(loss) and not self._low_memory:
            self._check.first_gradients()
        return loss

    @property
    def queue(self) -> TorchTrainable | None:
        """Itself, where losses may be read late."""
        return self if self.lag else None

    def launch(self, *, with_gradients: bool = True) -> LateMeasurement:
        """Queue what `backward` (without gradients `measure`) does, and wait for nothing."""
        self._draw()
        batches = self.draws.batches
        losses = []
        for index, batch in batches:
            losses.append(loss := self._loss(index, batch, is_trained=with_gradients))
            if with_gradients:
                self._backward(loss)
        clipped, moved = self._updates.take_late_norm(), self._updates.size.take()
        explain = partial(self._check.late_losses, batches)
        return LateMeasurement(losses, clipped, moved, explain, is_paced=not self._is_alone)

    def update(self, lr: float) -> bool:
        """Update the weights at this LR; False where an fp16 overflow made the scaler skip it."""
        return self._updates.make(lr, self._evaluate, self._enter, is_late=self.lag > 0)

    @property
    def notes(self) -> list[Note]:
        """What was seen of infinite or NaN numbers, and of parameters without a gradient."""
        return self._check.notes

    def review(self) -> None:
        """Look at the weights once all is done, for numbers that no loss has shown."""
        self._check.end()

    @property
    def update_ratio(self) -> float | None:
        """|Δw| / |w| of the last update, once the next loss is known; None where not measured."""
        return self._updates.size.ratio

    def measure(self) -> float:
        """Compute a loss and no gradients: of the held-out batches, else of the next ones.

        The held-out loss is taken in evaluation mode. The training loss is taken with autograd
        on, since a user's step may differentiate on its own.
        """
        if not self.held_out:
            self._draw()
            return self._mean(self.draws.batches, "data")
        with evaluating(self.model, self.swept.optimizer):
            batches = [(i, self._loop.move(b)) for i, b in enumerate(self.held_out)]
            return self._mean(batches, "sweep.validation")

    @property
    def is_plain(self) -> bool:
        """Tell whether all it does is update by one batch's gradient, and give the batch's loss."""
        return (
            self.accumulate == 1
            and self._precision == "fp32"
            and self.clip_grad_norm is None
            and not self._updates.needs_closure
            and not self.held_out
            and not self._low_memory
        )

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients together, 0 where there are none."""
        return self._updates.gradient_norm()

    def take(self) -> Any:
        """Draw the next batch as it comes, without training on it.

        Raises:
            DataExhaustedError: the data ran out and cannot be read again.
        """
        self.phase = Phase.DATA
        return self.draws.take()

    def over(self, batches: Sequence[Any], *, accumulate: int | None = None) -> TorchTrainable:
        """Make another over a list of batches, read round and round.

        Model and optimizer are the same; the count of batches and the loss scaler begin anew.
        """
        return TorchTrainable(
            self.model,
            self.swept,
            self.objective,
            Feed(batches),
            device=self.device,
            loop=self._loop,
            accumulate=accumulate or self.accumulate,
            precision=self._precision,
            clip_grad_norm=self.clip_grad_norm,
            held_out=self.held_out,
            low_memory=self._low_memory,
            is_alone=self._is_alone,
        )

    def checkpoint(self, copies: Copies | None = None) -> Restore:
        """Copy all that training changes; what is returned puts it back, as often as called."""
        return checkpoint(self.model, [self.swept.optimizer], copies)

    def close(self) -> None:
        """Let go of the data."""
        self.draws.close()

    def _enter(self, phase: Phase) -> None:
        self.phase = phase

    def _draw(self) -> None:
        self.phase = Phase.DATA
        self.draws.next()

    def _evaluate(self) -> float:
        batches, total = self.draws.batches, 0.0
        for index, batch in batches:
            loss = self._loss(index, batch, is_trained=True)
            self.phase = Phase.BACKWARD
            value = float(loss.detach())
            # Here, where the device has just been waited for, and before more work is queued.
            self._updates.size.read()
            total += value
            if math.isfinite(value):
                self._backward(loss)
            else:
                self._explain(loss, batch, "data")
        return total / len(batches)

    def _backward(self, loss: Tensor) -> None:
        self.phase = Phase.BACKWARD
        share = self._loop.share(len(self.draws.batches), self.accumulate)
        self._updates.backward(loss, share=share)

    def _mean(self, batches: Sequence[tuple[int, Any]], where: str) -> float:
        losses = [self._loss(*batch) for batch in batches]
        values = [float(loss.detach()) for loss in losses]
        self._updates.size.read()
        for loss, value, (_, batch) in zip(losses, values, batches, strict=True):
            if not math.isfinite(value):
                self._explain(loss, batch, where)
        return sum(values) / len(values)

    def _explain(self, loss: Tensor, batch: Any, where: str) -> None:
        """Look for what made a loss infinite or NaN; the sweep ends with it."""
        can_ask = where == "data" and self._is_alone
        self._check.loss(
            float(loss.detach()),
            batch,
            where=where,
            lr=self._updates.lr,
            updates=self._updates.count,
            is_half=loss.dtype is torch.float16,
            # The held-out batches are always the same; of several processes no other would ask.
            others_are_fine=self._is_fine_elsewhere if can_ask else lambda: False,
        )

    def _is_fine_elsewhere(self) -> bool:
        """Tell whether the next batch, with the weights as they are, has a finite loss."""
        try:
            self._draw()
        except DataExhaustedError:
            return False
        return math.isfinite(
            sum(float(self._loss(*batch).detach()) for batch in self.draws.batches)
        )

    def _loss(self, index: int, batch: Any, *, is_trained: bool = False) -> Tensor:
        self.phase = Phase.FORWARD
        if is_trained:
            self._loop.before_forward(batch, index)
        with self._autocast:
            return self.objective(self.model, batch, index)
