"""One model in training: what the sweep drives, a backward pass and an update at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from lrfind.workload.batch import batch_length, describe, to_device
from lrfind.workload.feed import Feed
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import (
    SweptOptimizer,
    clear_gradients,
    gradient_norm,
    needs_closure,
)

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TorchTrainable:
    """A model, its optimizer, its loss and its data, as `lrfind.sweep.Trainable` wants them.

    Args:
        model: on `device` already.
        swept: its optimizer and the groups' LR multipliers.
        objective: batch to loss.
        feed: endless batches.
        device: where batches go.
        accumulate: batches whose mean gradient makes one update.
        precision: `fp32 | bf16 | fp16`; fp16 scales the loss.
        clip_grad_norm: largest ℓ2 norm of all gradients together.
        held_out: fixed batches; with them `measure` returns their mean loss.

    Attributes:
        phase: what is being done right now, a key of the config: whom to blame for an exception.
        grad_norm: ℓ2 norm of the last gradients before clipping, where they are clipped.
        batch_size: samples of an update's batches, once one was seen.
    """

    def __init__(
        self,
        model: nn.Module,
        swept: SweptOptimizer,
        objective: Objective,
        feed: Feed,
        *,
        device: torch.device,
        accumulate: int = 1,
        precision: str = "fp32",
        clip_grad_norm: float | None = None,
        held_out: Sequence[Any] = (),
    ) -> None:
        self.model = model
        self.swept = swept
        self.phase = "model"
        self.grad_norm: float | None = None
        self.batch_size: int | None = None
        self._objective = objective
        self._feed = feed
        self._device = device
        self._accumulate = accumulate
        self._clip = clip_grad_norm
        self._held_out = held_out
        self._parameters = [p for g in swept.optimizer.param_groups for p in g["params"]]
        self._needs_closure = needs_closure(swept.optimizer)
        self._batches: list[Any] = []
        self._index = 0
        self._autocast: AbstractContextManager[Any] = nullcontext()
        if precision != "fp32":
            self._autocast = torch.autocast(device.type, dtype=DTYPES[precision])
        self._scaler = torch.amp.GradScaler(device.type) if precision == "fp16" else None
        model.train()
        # Optimizers with modes (schedule-free ones) train only in theirs.
        enter_train_mode = getattr(swept.optimizer, "train", None)
        if callable(enter_train_mode):
            enter_train_mode()
        clear_gradients(self._parameters)

    @property
    def measures_apart(self) -> bool:
        """Tell whether the curve's loss comes from held-out data instead of the training loss."""
        return bool(self._held_out)

    def backward(self) -> float:
        """Draw the next batches, compute their mean loss and its gradients."""
        self._draw()
        return self._evaluate()

    def update(self, lr: float) -> bool:
        """Update the weights at this LR; False where an fp16 overflow made the scaler skip it."""
        self.phase = "optimizer"
        optimizer = self.swept.optimizer
        self.swept.set_lr(lr)
        if self._scaler is None:
            if self._clip is not None:
                self.grad_norm = float(gradient_norm(self._parameters, self._clip))
            if self._needs_closure:
                optimizer.step(self._closure)
            else:
                optimizer.step()
            clear_gradients(self._parameters)
            return True
        if self._clip is not None:
            self._scaler.unscale_(optimizer)
            self.grad_norm = float(gradient_norm(self._parameters, self._clip))
        before = self._scaler.get_scale()
        self._scaler.step(optimizer)
        self._scaler.update()
        clear_gradients(self._parameters)
        return bool(self._scaler.get_scale() >= before)

    def measure(self) -> float:
        """Compute a loss without gradients: of the held-out batches, else of the next ones."""
        if not self._held_out:
            self._draw()
            with torch.no_grad():
                return self._mean_loss(self._batches)
        modes = [(module, module.training) for module in self.model.modules()]
        self.model.eval()
        try:
            with torch.no_grad():
                return self._mean_loss(self._held_out)
        finally:
            for module, mode in modes:
                module.training = mode

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients together, 0 where there are none."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        return float(torch.nn.utils.get_total_norm(gradients)) if gradients else 0.0

    @property
    def batch_shape(self) -> str:
        """Describe the tensors of the last batch drawn."""
        return describe(self._batches[-1]) if self._batches else "none"

    def close(self) -> None:
        """Let go of the data."""
        self._feed.close()

    def _draw(self) -> None:
        self.phase = "data"
        self._batches = [
            to_device(self._feed.next(), self._device) for _ in range(self._accumulate)
        ]
        if self.batch_size is None:
            lengths = [batch_length(batch) for batch in self._batches]
            self.batch_size = sum(n for n in lengths if n is not None) or None

    def _evaluate(self) -> float:
        total = 0.0
        for batch in self._batches:
            loss = self._loss(batch)
            self.phase = "backward"
            value = float(loss.detach())
            total += value
            if math.isfinite(value):
                scaled = loss if self._accumulate == 1 else loss / self._accumulate
                torch.autograd.backward(
                    scaled if self._scaler is None else self._scaler.scale(scaled)
                )
        return total / len(self._batches)

    def _closure(self) -> float:
        with torch.enable_grad():
            clear_gradients(self._parameters)
            return self._evaluate()

    def _mean_loss(self, batches: Sequence[Any]) -> float:
        return sum(float(self._loss(batch)) for batch in batches) / len(batches)

    def _loss(self, batch: Any) -> Tensor:
        self.phase = "model"
        with self._autocast:
            loss = self._objective(self.model, batch, self._index)
        self._index += 1
        return loss
