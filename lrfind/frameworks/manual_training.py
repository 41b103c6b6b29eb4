"""A Lightning module that makes its updates itself, as a sweep and its trials drive it.

One update of the curve is one step of the swept optimizer, however many training steps it takes to
get there.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import torch

from lrfind.errors import InputError, Problem
from lrfind.frameworks.configured import Configured, named
from lrfind.frameworks.lightning_loop import STEP, LightningLoop
from lrfind.frameworks.own_steps import OwnSteps
from lrfind.suggest.answer import Note
from lrfind.workload.copies import Copies
from lrfind.workload.draws import Draws
from lrfind.workload.feed import Feed
from lrfind.workload.gradients import gradient_norm
from lrfind.workload.nonfinite import NumberCheck
from lrfind.workload.optimizer import SweptOptimizer, switch_mode
from lrfind.workload.phase import Phase
from lrfind.workload.snapshot import Restore, checkpoint

PATIENCE = 1000
"""Training steps in a row without an update, where nobody knows how long an epoch is."""

FEWEST = 100
"""Training steps that are waited for where an epoch is shorter."""


class ManualTraining:
    """A module whose training steps are halted where they step the swept optimizer.

    Args:
        module: the LightningModule, on `device`.
        configured: its optimizers and schedulers.
        swept: the optimizer whose LR is set.
        steps: its training steps, watched.
        feed: endless batches.
        loop: brings batches to the device.
        device: where it runs.
        precision: of autocast.
    """

    accumulate = 1
    clip_grad_norm: float | None = None
    held_out: Sequence[Any] = ()
    measures_apart = False
    grad_norm: float | None = None
    queue = None

    def __init__(
        self,
        module: Any,
        configured: Configured,
        swept: SweptOptimizer,
        steps: OwnSteps,
        feed: Feed,
        loop: LightningLoop,
        device: torch.device,
        precision: str,
    ) -> None:
        self.model = module
        self.swept = swept
        self.device = device
        self._configured = configured
        self._steps = steps
        self._loop = loop
        self._precision = precision
        self._draws = Draws(feed, loop, 1)
        self._check = NumberCheck(module, swept.parameters, precision)
        module.train()
        for optimizer in configured.optimizers:
            switch_mode(optimizer, "train")

    @property
    def phase(self) -> Phase:
        """What is being done right now: whom to blame for an exception."""
        return self._steps.phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self._steps.phase = phase

    @property
    def update_ratio(self) -> float | None:
        """|Δw| / |w| of the last update, once the next loss is known."""
        return self._steps.size.ratio

    @property
    def batch_size(self) -> int | None:
        """Samples of a training step's batch, once one was seen."""
        return self._draws.batch_size

    @property
    def batch_shape(self) -> str:
        """Describe the tensors of the last batch drawn."""
        return self._draws.shape

    @property
    def notes(self) -> list[Note]:
        """What was seen of infinite or NaN numbers, and of parameters without a gradient."""
        return self._check.notes

    def backward(self) -> float:
        """Train up to the next update of the swept optimizer; the loss whose gradients it takes.

        Raises:
            InputError: it makes none in a whole pass over the data.
        """
        tried = 0
        while not self._steps.is_halted:
            index, batch = self._draw(tried)
            self._steps.train(batch, index)
            tried += 1
        loss = self._steps.loss
        self._steps.size.read()
        if not math.isfinite(loss):
            self._explain(loss)
        elif self._steps.count == 0:
            self._check.first_gradients()
        return loss

    def update(self, lr: float) -> bool:
        """Let the module make its update at this LR, and whatever its training step does then."""
        self._steps.update(lr)
        return True

    def measure(self) -> float:
        """Compute the loss of the next update that would be made, and make none.

        Raises:
            InputError: none would be made in a whole pass over the data.
        """
        tried, loss = 0, None
        while loss is None:
            index, batch = self._draw(tried)
            loss = self._steps.measure(batch, index)
            tried += 1
        self._steps.size.read()
        if not math.isfinite(loss):
            self._explain(loss)
        return loss

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients of the swept optimizer together, 0 where there are none."""
        return float(gradient_norm(self.swept.parameters))

    def take(self) -> Any:
        """Draw the next batch as it comes, without training on it."""
        self.phase = Phase.DATA
        return self._draws.take()

    def over(self, batches: Sequence[Any], *, accumulate: int | None = None) -> ManualTraining:
        """Make another over a list of batches; an update that waits is given up."""
        del accumulate
        self._steps.drop()
        return ManualTraining(
            self.model,
            self._configured,
            self.swept,
            self._steps,
            Feed(batches),
            self._loop,
            self.device,
            self._precision,
        )

    def checkpoint(self, copies: Copies | None = None) -> Restore:
        """Copy the module, all optimizers, the others' schedulers and the count of steps."""
        restore = checkpoint(self.model, self._configured.optimizers, copies)
        progress = self.model.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        aside = self._configured.schedulers_of(self.swept.optimizer)
        counted = [progress, *(s for s in self._configured.schedulers if s not in aside)]
        states = [copy.deepcopy(part.state_dict()) for part in counted]

        def put_back() -> None:
            self._steps.drop()
            restore()
            for part, state in zip(counted, states, strict=True):
                part.load_state_dict(copy.deepcopy(state))

        return put_back

    def review(self) -> None:
        """Look at the weights once all is done, for numbers that no loss has shown."""
        self._check.end()

    def close(self) -> None:
        """Let go of the data."""
        self._draws.close()

    def _draw(self, tried: int) -> tuple[int, Any]:
        length = self.model.trainer.num_training_batches
        if tried >= (max(length, FEWEST) if math.isfinite(length) else PATIENCE):
            what = (
                f"made no step of {named(self.swept.optimizer)} in {tried} training steps in a row"
            )
            remedy = "choose another with lightning.optimizer_index, or see what it waits for"
            raise InputError(Problem(STEP, what, remedy))
        self.phase = Phase.DATA
        self._draws.next()
        return self._draws.batches[0]

    def _explain(self, loss: float) -> None:
        """Look for what made a loss infinite or NaN; the sweep ends with it."""
        self._check.loss(
            loss,
            self._draws.batches[0][1],
            where="data",
            lr=self._steps.lr,
            updates=self._steps.count,
            is_half=False,
            others_are_fine=lambda: False,
        )
