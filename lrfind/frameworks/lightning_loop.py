"""The hooks of a Lightning module and datamodule around a step, in the order of its loop."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.workload.batch import to_device
from lrfind.workload.objective import scalar
from lrfind.workload.whole_batches import in_whole_batches

STEP = "lightning.module.training_step"

_TRANSFERS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


def overrides(owner: Any, hook: str) -> bool:
    """Tell whether a module or datamodule has a hook of its own, and not Lightning's empty one."""
    own = getattr(type(owner), hook, None)
    roots = ("lightning.pytorch.", "pytorch_lightning.")
    return own is not None and not getattr(own, "__module__", "").startswith(roots)


class LightningLoop:
    """Calls a module's hooks, and keeps its trainer's counts.

    Args:
        module: the LightningModule, attached to `trainer`.
        trainer: built, never fit.
        datamodule: the LightningDataModule, whose transfer hooks go before the module's; or None.
        optimizer: what is swept.
        device: where batches go.
        accumulate: batches an update.
        clip_grad_norm: passed to a `configure_gradient_clipping` of the module's own.
    """

    def __init__(
        self,
        module: Any,
        trainer: Any,
        datamodule: Any,
        optimizer: Optimizer,
        device: torch.device,
        accumulate: int,
        clip_grad_norm: float | None,
    ) -> None:
        self._module = module
        self._trainer = trainer
        self._optimizer = optimizer
        self._device = device
        self._accumulate = accumulate
        self._clip = clip_grad_norm
        self._clips = overrides(module, "configure_gradient_clipping")
        self._arguments = _arguments_of(module.training_step)
        self._length = trainer.num_training_batches
        owners = (datamodule, module)
        self._transfers = {
            hook: getattr(owner, hook)
            for hook in _TRANSFERS
            for owner in reversed(owners)
            if owner is not None and overrides(owner, hook)
        }
        self._batch: Any = None
        self._index = 0
        self._size, self._trained = accumulate, 0
        self._outputs: dict[str, Any] = {}

    def objective(self, model: nn.Module, batch: Any, index: int) -> Tensor:
        """Compute the module's own `training_step`.

        Raises:
            InputError: it returned None, which skips a batch, or no loss.
        """
        output = self._module.training_step(*self.arguments(batch, index))
        if output is None:
            what = "returned None, which skips the batch; a sweep needs the loss of each"
            remedy = "leave such batches out in the dataset, or return a loss"
            raise InputError(Problem(STEP, what, remedy))
        loss = scalar(output, STEP)
        extra = dict(output) if isinstance(output, Mapping) else {}
        self._outputs = {**extra, "loss": loss.detach() / self._accumulate}
        return loss

    def arguments(self, batch: Any, index: int) -> tuple[Any, ...]:
        """Give what `training_step` is called with for batch number `index` since the start."""
        return self._arguments(batch, self._in_epoch(index))

    def move(self, batch: Any) -> Any:
        """Bring a batch to the device through the transfer hooks that there are."""
        if not self._transfers:
            return to_device(batch, self._device)
        before, transfer, after = (self._transfers.get(hook) for hook in _TRANSFERS)
        batch = batch if before is None else before(batch, 0)
        batch = (
            to_device(batch, self._device) if transfer is None else transfer(batch, self._device, 0)
        )
        return batch if after is None else after(batch, 0)

    def size(self, drawn: int, accumulate: int) -> int:
        """End an update with its epoch, where that has a length."""
        length = int(self._length) if 0 < self._length < math.inf else 0
        return min(accumulate, length - drawn % length) if length else accumulate

    def share(self, size: int, accumulate: int) -> int:
        """Divide by `accumulate_grad_batches`, also what has fewer batches, as Lightning does."""
        return accumulate

    def drawn(self, batches: Sequence[Any]) -> None:
        """Take note of how many batches the update has."""
        self._size, self._trained = len(batches), 0

    def before_forward(self, batch: Any, index: int) -> None:
        """Call `on_train_batch_start`.

        Raises:
            InputError: it returned -1, which skips the rest of an epoch.
        """
        self._batch, self._index = batch, self._in_epoch(index)
        progress = self._trainer.fit_loop.epoch_loop.batch_progress
        progress.is_last_batch = self._index + 1 == self._length
        if self._module.on_train_batch_start(batch, self._index) == -1:
            what = "has an on_train_batch_start that returned -1, which skips the rest of an epoch"
            remedy = "leave such batches out in the dataset"
            raise InputError(Problem("lightning.module", what, remedy))

    def before_backward(self, loss: Tensor) -> None:
        """Call `on_before_zero_grad`, once an update, and `on_before_backward`."""
        if self._trained == 0:
            self._module.on_before_zero_grad(self._optimizer)
        self._module.on_before_backward(loss)

    def after_backward(self) -> None:
        """Call `on_after_backward`; where no update follows, the batch ends."""
        self._module.on_after_backward()
        self._trained += 1
        if self._trained < self._size:
            self.end_batch(self._outputs)

    def before_step(self) -> None:
        """Call `on_before_optimizer_step`, and the module's own clipping."""
        self._module.on_before_optimizer_step(self._optimizer)
        if self._clips:
            self._module.configure_gradient_clipping(
                self._optimizer, gradient_clip_val=self._clip, gradient_clip_algorithm=None
            )

    def after_step(self) -> None:
        """Count the update and end its last batch."""
        progress = self._trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress
        progress.optimizer.step.increment_completed()
        self.end_batch(self._outputs)

    def end_batch(self, outputs: dict[str, Any]) -> None:
        """Call `on_train_batch_end` with what came of the training step."""
        self._module.on_train_batch_end(outputs, self._batch, self._index)
        self._batch = None

    def _in_epoch(self, index: int) -> int:
        """Count a batch from the beginning of its epoch, where that has a length."""
        return index % int(self._length) if 0 < self._length < math.inf else index


class Epochs:
    """The loader of a module; each pass over it is an epoch.

    Args:
        loader: an iterable of batches.
        module: told when an epoch begins and ends.
        trainer: counts the epochs.
    """

    def __init__(self, loader: Iterable[Any], module: Any, trainer: Any) -> None:
        self._batches = in_whole_batches(loader)
        self._module = module
        self._trainer = trainer
        self._has_begun = False

    def __iter__(self) -> Iterator[Any]:
        if self._has_begun:
            self._module.on_train_epoch_end()
            progress = self._trainer.fit_loop.epoch_progress
            progress.increment_processed()
            progress.increment_completed()
        self._has_begun = True
        self._module.on_train_epoch_start()
        return iter(self._batches)


def _arguments_of(training_step: Callable[..., Any]) -> Callable[[Any, int], tuple[Any, ...]]:
    """Find out whether a `training_step` wants the batch alone, or its index too.

    Raises:
        InputError: it wants an iterator over the data.
    """
    parameters = inspect.signature(training_step).parameters.values()
    if any(parameter.name == "dataloader_iter" for parameter in parameters):
        what = "takes a dataloader_iter, and draws its batches itself"
        raise InputError(Problem(STEP, what, "take (batch, batch_idx)"))
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.kind in positional for parameter in parameters)
    is_open = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    if count >= 2 or is_open:
        return lambda batch, index: (batch, index)
    return lambda batch, index: (batch,)
