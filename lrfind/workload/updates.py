"""How gradients become an update: plainly, clipped, unscaled, inside a closure or in backward."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lrfind.workload.backward import backward
from lrfind.workload.gradients import clear_gradients, clip_gradients, gradient_norm
from lrfind.workload.loop import Loop
from lrfind.workload.low_memory import StepInBackward
from lrfind.workload.nonfinite import NumberCheck
from lrfind.workload.optimizer import SweptOptimizer, needs_closure
from lrfind.workload.phase import Phase
from lrfind.workload.precision import loss_scaler, scaled_step
from lrfind.workload.update_size import UpdateSize


class Updates:
    """The updates of one sweep, and the gradients that they are made of.

    Args:
        swept: the optimizer and the groups' LR multipliers.
        check: looks at gradients that are infinite or NaN.
        loop: what surrounds a step.
        device: where the weights are.
        precision: `fp32 | bf16 | fp16`; fp16 scales the loss.
        clip_grad_norm: largest ℓ2 norm of all gradients together.
        low_memory: compute the gradients in `make`, and free each once it was used.

    Raises:
        InputError: optimizer or parameters cannot be combined with fp16 or `low_memory`.

    Attributes:
        count: updates made.
        lr: of the last update; None before the first.
        size: how far updates moved the weights.
        grad_norm: ℓ2 norm of the last gradients before clipping, where clipped and read at once.
        clip_grad_norm: as given.
        needs_closure: the optimizer evaluates the loss inside its step.
        is_early: the gradients are computed in `make`.
    """

    def __init__(
        self,
        swept: SweptOptimizer,
        check: NumberCheck,
        loop: Loop,
        *,
        device: torch.device,
        precision: str,
        clip_grad_norm: float | None,
        low_memory: bool,
    ) -> None:
        self.count = 0
        self.lr: float | None = None
        self.grad_norm: float | None = None
        self.clip_grad_norm = clip_grad_norm
        self.needs_closure = needs_closure(swept.optimizer)
        self.is_early = low_memory
        self._swept = swept
        self._check = check
        self._loop = loop
        self._parameters = swept.parameters
        self.size = UpdateSize(self._parameters)
        self._scaler = loss_scaler(precision, device, swept.optimizer, self._parameters)
        self._early = StepInBackward(swept, check) if low_memory else None
        self._late_norm: Tensor | None = None
        clear_gradients(self._parameters)

    @property
    def must_know_losses(self) -> bool:
        """Tell whether an update cannot begin before the loss is known to be finite."""
        return self.needs_closure or self.is_early or self._scaler is not None

    def backward(self, loss: Tensor, *, share: int = 1) -> None:
        """Add a finite loss's gradients divided by `share`, or hold the loss until `make`."""
        if self._early is not None:
            self._early.hold(loss)
            return
        self._loop.before_backward(loss)
        part = loss if share == 1 else loss / share
        backward(part if self._scaler is None else self._scaler.scale(part))
        self._loop.after_backward()

    def make(
        self,
        lr: float,
        evaluate: Callable[[], float],
        doing: Callable[[Phase], None],
        *,
        is_late: bool = False,
    ) -> bool:
        """Update the weights at this LR.

        Args:
            lr: of this update.
            evaluate: computes the loss and its gradients anew, for optimizers that ask.
            doing: told what is being done: whom to blame for an exception.
            is_late: wait for no number from the device, but leave it for `take_late_norm`.

        Returns:
            False where an fp16 overflow made the scaler skip it.
        """
        doing(Phase.UPDATE)
        self._swept.set_lr(lr)
        self.size.begin()
        is_taken = self._step(evaluate, doing, is_late=is_late)
        self._swept.require_lr(lr)
        if is_taken:
            self.lr = lr
            self.count += 1
            self.size.end()
        return is_taken

    def take_late_norm(self) -> Tensor | None:
        """Hand over the norm of the last clipped gradients, where it was not read."""
        norm, self._late_norm = self._late_norm, None
        return norm

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients together, 0 where there are none."""
        early = self._early
        return float(gradient_norm(self._parameters)) if early is None else early.gradient_norm()

    def _step(
        self, evaluate: Callable[[], float], doing: Callable[[Phase], None], *, is_late: bool
    ) -> bool:
        optimizer = self._swept.optimizer
        if self._early is not None:
            self._early.update(doing)
            return True
        is_taken = True
        if self.needs_closure:
            optimizer.step(lambda: self._evaluated(evaluate, doing))
        elif self._scaler is not None:
            is_taken = scaled_step(self._scaler, optimizer, self._look_at_gradients)
            self._check.scaled(is_taken, self.lr)
        else:
            self._look_at_gradients(is_late=is_late)
            optimizer.step()
        self._loop.after_step()
        clear_gradients(self._parameters)
        return is_taken

    def _evaluated(self, evaluate: Callable[[], float], doing: Callable[[Phase], None]) -> float:
        with torch.enable_grad():
            clear_gradients(self._parameters)
            loss = evaluate()
        self._look_at_gradients()
        doing(Phase.UPDATE)
        return loss

    def _look_at_gradients(self, *, is_late: bool = False) -> None:
        self._loop.before_step()
        if self.clip_grad_norm is None:
            return
        norm = gradient_norm(self._parameters)
        if is_late and self.count:
            self._late_norm = norm
        else:
            self.grad_norm = float(norm)
            if not math.isfinite(self.grad_norm) and self._scaler is None:
                self._check.gradients(self.lr)
        clip_gradients(self._parameters, self.clip_grad_norm, norm)
