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
from lrfind.workload.backward import backward
from lrfind.workload.batch import batch_length, describe
from lrfind.workload.evaluation import evaluating
from lrfind.workload.feed import Feed
from lrfind.workload.later import LAG, LateMeasurement
from lrfind.workload.loop import Loop, PlainLoop
from lrfind.workload.low_memory import StepInBackward
from lrfind.workload.nonfinite import NumberCheck
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import (
    SweptOptimizer,
    clear_gradients,
    clip_gradients,
    gradient_norm,
    needs_closure,
    switch_mode,
)
from lrfind.workload.phase import Phase
from lrfind.workload.precision import autocast, loss_scaler, scaled_step
from lrfind.workload.update_size import UpdateSize


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
        phase: what is being done right now: whom to blame for an exception.
        grad_norm: ℓ2 norm of the last gradients before clipping, where they are clipped.
        batch_size: samples of an update's batches, once one was seen.
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
        self.grad_norm: float | None = None
        self.batch_size: int | None = None
        self.objective = objective
        self._feed = feed
        self._loop = loop or PlainLoop(device)
        self.device = device
        self.accumulate = accumulate
        self._precision = precision
        self.clip_grad_norm = clip_grad_norm
        self.held_out = held_out
        self._is_alone = is_alone
        self._parameters = [p for g in swept.optimizer.param_groups for p in g["params"]]
        self._update_size = UpdateSize(self._parameters)
        self._check = NumberCheck(model, self._parameters, precision)
        self._updates = 0
        self._lr: float | None = None
        self._needs_closure = needs_closure(swept.optimizer)
        self._batches: list[tuple[int, Any]] = []
        self._drawn = 0
        self._autocast = autocast(precision, device)
        self._scaler = loss_scaler(precision, device, swept.optimizer, self._parameters)
        must_know = self._needs_closure or self._scaler is not None or bool(held_out) or low_memory
        self.lag = LAG if device.type == "cuda" and not must_know else 0
        self._clipped: Tensor | None = None
        self._early = StepInBackward(swept, self._check) if low_memory else None
        model.train()
        switch_mode(swept.optimizer, "train")
        clear_gradients(self._parameters)

    @property
    def measures_apart(self) -> bool:
        """Tell whether the curve's loss comes from held-out data instead of the training loss."""
        return bool(self.held_out)

    def backward(self) -> float:
        """Draw the next batches, compute their mean loss and its gradients."""
        self._draw()
        loss = self._evaluate()
        if self._drawn == self.accumulate and math.isfinite(loss) and self._early is None:
            self._check.first_gradients()
        return loss

    @property
    def queue(self) -> TorchTrainable | None:
        """Itself, where losses may be read late."""
        return self if self.lag else None

    def launch(self, *, with_gradients: bool = True) -> LateMeasurement:
        """Queue what `backward` (without gradients `measure`) does, and wait for nothing."""
        self._draw()
        losses = []
        for index, batch in self._batches:
            losses.append(loss := self._loss(index, batch, is_trained=with_gradients))
            if with_gradients:
                self._backward(loss)
        clipped, self._clipped = self._clipped, None
        explain = partial(self._check.late_losses, self._batches)
        moved = self._update_size.take()
        return LateMeasurement(losses, clipped, moved, explain, is_paced=not self._is_alone)

    def update(self, lr: float) -> bool:
        """Update the weights at this LR; False where an fp16 overflow made the scaler skip it."""
        self.phase = Phase.UPDATE
        self.swept.set_lr(lr)
        self._update_size.begin()
        updated = self._step()
        self.swept.require_lr(lr)
        if updated:
            self._lr = lr
            self._updates += 1
            self._update_size.end()
        return updated

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
        return self._update_size.ratio

    def _step(self) -> bool:
        optimizer = self.swept.optimizer
        if self._early is not None:
            self._early.update(partial(setattr, self, "phase"))
            return True
        if self._needs_closure:
            optimizer.step(self._closure)
            self._loop.after_step()
            clear_gradients(self._parameters)
            return True
        if self._scaler is None:
            self._look_at_gradients()
            optimizer.step()
            is_taken = True
        else:
            is_taken = scaled_step(self._scaler, optimizer, self._look_at_gradients)
            self._check.scaled(is_taken, self._lr)
        self._loop.after_step()
        clear_gradients(self._parameters)
        return is_taken

    def measure(self) -> float:
        """Compute a loss and no gradients: of the held-out batches, else of the next ones.

        The held-out loss is taken in evaluation mode. The training loss is taken with autograd
        on, since a user's step may differentiate on its own.
        """
        if not self.held_out:
            self._draw()
            return self._mean(self._batches, "data")
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
            and not self._needs_closure
            and not self.held_out
            and self._early is None
        )

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients together, 0 where there are none."""
        early = self._early
        return float(gradient_norm(self._parameters)) if early is None else early.gradient_norm()

    def take(self) -> Any:
        """Draw the next batch as it comes, without training on it.

        Raises:
            DataExhaustedError: the data ran out and cannot be read again.
        """
        self.phase = Phase.DATA
        return self._feed.next()

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
            low_memory=self._early is not None,
            is_alone=self._is_alone,
        )

    @property
    def batch_shape(self) -> str:
        """Describe the tensors of the last batch drawn."""
        return describe(self._batches[-1][1]) if self._batches else "none"

    def close(self) -> None:
        """Let go of the data."""
        self._feed.close()

    def _draw(self) -> None:
        self.phase = Phase.DATA
        self._batches = []
        for _ in range(self.accumulate):
            self._batches.append((self._drawn, self._loop.move(self._feed.next())))
            self._drawn += 1
        self._loop.drawn([batch for _, batch in self._batches])
        if self.batch_size is None:
            self.batch_size = sum(batch_length(batch) or 0 for _, batch in self._batches) or None

    def _evaluate(self) -> float:
        total = 0.0
        for index, batch in self._batches:
            loss = self._loss(index, batch, is_trained=True)
            self.phase = Phase.BACKWARD
            value = float(loss.detach())
            # Here, where the device has just been waited for, and before more work is queued.
            self._update_size.read()
            total += value
            if math.isfinite(value) and self._early is not None:
                self._early.hold(loss)
            elif math.isfinite(value):
                self._backward(loss)
            else:
                self._explain(loss, batch, "data")
        return total / len(self._batches)

    def _backward(self, loss: Tensor) -> None:
        self.phase = Phase.BACKWARD
        self._loop.before_backward(loss)
        scaled = loss if self.accumulate == 1 else loss / self.accumulate
        backward(scaled if self._scaler is None else self._scaler.scale(scaled))
        self._loop.after_backward()

    def _mean(self, batches: Sequence[tuple[int, Any]], where: str) -> float:
        losses = [self._loss(*batch) for batch in batches]
        values = [float(loss.detach()) for loss in losses]
        self._update_size.read()
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
            lr=self._lr,
            updates=self._updates,
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
        return math.isfinite(sum(float(self._loss(*batch).detach()) for batch in self._batches))

    def _closure(self) -> float:
        with torch.enable_grad():
            clear_gradients(self._parameters)
            value = self._evaluate()
        self._look_at_gradients()
        self.phase = Phase.UPDATE
        return value

    def _look_at_gradients(self) -> None:
        self._loop.before_step()
        if self.clip_grad_norm is None:
            return
        norm = gradient_norm(self._parameters)
        if self.lag and self._updates:
            self._clipped = norm
        else:
            self.grad_norm = float(norm)
            if not math.isfinite(self.grad_norm) and self._scaler is None:
                self._check.gradients(self._lr)
        clip_gradients(self._parameters, self.clip_grad_norm, norm)

    def _loss(self, index: int, batch: Any, *, is_trained: bool = False) -> Tensor:
        self.phase = Phase.FORWARD
        if is_trained:
            self._loop.before_forward(batch, index)
        with self._autocast:
            return self.objective(self.model, batch, index)
