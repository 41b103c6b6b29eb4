"""A Hugging Face Trainer as it stands: its model, loader, loss, optimizer, precision and clipping.

`Trainer.train` itself prepares everything, and is left by an exception when it is about to take its
first step: whatever it does before (decay groups, mixed precision, NEFTune, checkpointing) is its
own. The sweep does the steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from lrfind.errors import InputError, Problem
from lrfind.frameworks.contained import contained
from lrfind.suggest.answer import Note
from lrfind.workload.batch import to_device
from lrfind.workload.objective import scalar
from lrfind.workload.optimizer import adopt
from lrfind.workload.phase import Phase
from lrfind.workload.plain import is_factory
from lrfind.workload.recipe import Making, Parts
from lrfind.workload.scheduled import detach
from lrfind.workload.snapshot import preserved, seed_everything

WHERE = "huggingface.trainer"


@dataclass
class HuggingFaceRecipe:
    """What builds a Trainer.

    Attributes:
        build: called for each seed; must build the model anew.
        is_free: whether the TrainingArguments may choose the device.
    """

    build: Any
    is_free: bool = True
    _last: ref[Any] | None = field(default=None, init=False)

    can_repeat = True

    def columns(self) -> None:
        """Return none: batches are drawn by the Trainer's own loader."""

    @contextmanager
    def opened(self, making: Making) -> Iterator[Parts]:
        """Build a Trainer and let it prepare all that it trains."""
        with preserved(), contained():
            making.doing(Phase.MODEL)
            seed_everything(making.seed)
            trainer = self._built()
            self._require_fit(trainer, making.device)
            _seed(trainer, making.seed)
            seed_everything(making.seed)
            loader = _prepared(trainer)
            making.laid_out(trainer.model)
            making.doing(Phase.OPTIMIZER)
            optimizer = getattr(trainer.optimizer, "optimizer", trainer.optimizer)
            detach(optimizer, [trainer.lr_scheduler])
            swept = adopt(optimizer, trainer.model)
            steps, args = _Steps(trainer, _length(loader)), trainer.args
            making.doing(Phase.DATA)
            yield Parts(
                trainer.model_wrapped,
                swept,
                steps.objective,
                loader,
                steps,
                args.device,
                accumulate=args.gradient_accumulation_steps,
                # bf16 needs no more than the autocast that accelerate has put around the model.
                precision="fp16" if args.fp16 else "fp32",
                clip_grad_norm=args.max_grad_norm or None,
                notes=_notes(trainer),
            )

    def _built(self) -> Any:
        if not is_factory(self.build):
            what = (
                f"is a ready {type(self.build).__name__}, whose model each sweep would go on with"
            )
            raise InputError(Problem(WHERE, what, "name a function that builds it"))
        trainer = self.build()
        if not _is_trainer(trainer):
            found = "None" if trainer is None else f"a {type(trainer).__name__}"
            what = f"gave {found}; it must be a transformers.Trainer"
            raise InputError(Problem(WHERE, what, "return the Trainer, before its train()"))
        if trainer.model_init is None:
            if self._last is not None and self._last() is trainer.model:
                what = "gave a Trainer of the same model again, which is trained already"
                raise InputError(Problem(WHERE, what, "build the model inside of the function"))
            self._last = ref(trainer.model)
        return trainer

    def _require_fit(self, trainer: Any, device: torch.device) -> None:
        args = trainer.args
        if args.n_gpu > 1:
            what = f"would train on {args.n_gpu} GPUs at once (DataParallel)"
            raise InputError(Problem(WHERE, what, "show it one: CUDA_VISIBLE_DEVICES=0"))
        if args.deepspeed or args.fsdp:
            what = "uses DeepSpeed or FSDP, which take the update out of the sweep's hands"
            raise InputError(Problem(WHERE, what, "leave them out for the sweep"))
        if not self.is_free and args.device.type != device.type:
            what = f"= {device.type!r}, but the TrainingArguments choose {args.device.type}"
            raise InputError(Problem("device", what, "write device: auto, or set use_cpu there"))


class _Steps:
    """The Trainer's loss over the batches of an update; nothing else surrounds a step.

    Args:
        trainer: prepared.
        length: batches of an epoch; 0 where that is not known.
    """

    def __init__(self, trainer: Any, length: int) -> None:
        self._trainer = trainer
        self._length = length
        self._is_mean = _takes_mean()
        self._items: Any = None
        self._count = 1

    def objective(self, model: nn.Module, batch: Any, index: int) -> Tensor:
        """Compute `compute_loss`.

        A loss that is already normalised over all batches of the update is multiplied by their
        number, since the mean of them is what is trained on.
        """
        trainer = self._trainer
        inputs = trainer._prepare_inputs(batch)
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, inputs, num_items_in_batch=self._items)
        loss = scalar(loss, "huggingface.trainer.compute_loss")
        return loss * self._count if self._count > 1 and self._is_normalised() else loss

    def move(self, batch: Any) -> Any:
        """Bring a batch to the device, where the Trainer's loader has not."""
        return to_device(batch, self._trainer.args.device)

    def size(self, drawn: int, accumulate: int) -> int:
        """End an update with its epoch, where that has a length, as `Trainer.train` does."""
        return min(accumulate, self._length - drawn % self._length) if self._length else accumulate

    def share(self, size: int, accumulate: int) -> int:
        """Divide by the number of batches there are, or of those that were to be."""
        return size if self._is_mean or self._is_normalised() else accumulate

    def drawn(self, batches: Sequence[Any]) -> None:
        """Count the items that the update's loss is a mean over."""
        self._count = len(batches)
        self._trainer.current_gradient_accumulation_steps = self._count
        _, self._items = self._trainer.get_batch_samples(
            iter(batches), self._count, self._trainer.args.device
        )

    def before_forward(self, batch: Any, index: int) -> None:
        """Do nothing."""

    def before_backward(self, loss: Tensor) -> None:
        """Do nothing."""

    def after_backward(self) -> None:
        """Do nothing."""

    def before_step(self) -> None:
        """Do nothing."""

    def after_step(self) -> None:
        """Count the update."""
        self._trainer.state.global_step += 1

    def _is_normalised(self) -> bool:
        """Decide as `Trainer.training_step` does whether a loss is a part of the update's mean."""
        trainer = self._trainer
        told = getattr(trainer, "loss_is_scaled_for_ga", None)
        if told is not None:
            return bool(told)
        by_model = trainer.model_accepts_loss_kwargs and self._items is not None
        return by_model or trainer.compute_loss_func is not None


def _length(loader: Any) -> int:
    try:
        return len(loader)
    except TypeError:
        return 0


def _takes_mean() -> bool:
    """Tell whether the installed Trainer divides an epoch's last update by the batches it has.

    Earlier ones divided by `gradient_accumulation_steps` there too.
    """
    from transformers import Trainer

    names = inspect.unwrap(Trainer.training_step).__code__.co_names
    return "current_gradient_accumulation_steps" in names


class _Prepared(BaseException):
    """Leaves `Trainer.train` before its first step; no handler of exceptions may take it."""


def _prepared(trainer: Any) -> Any:
    """Let `Trainer.train` prepare model, optimizer and loader, and return the loader.

    Its callbacks are set aside first, so that no tracker starts and nothing is drawn or written.
    """
    from transformers import TrainerCallback

    class Leave(TrainerCallback):
        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            raise _Prepared

    trainer.callback_handler.callbacks = [Leave()]
    try:
        trainer.train()
    except _Prepared:
        return trainer.callback_handler.train_dataloader
    what = "has nothing to train: its train() ended before a first step"
    raise InputError(Problem(WHERE, what, "check max_steps and num_train_epochs"))


def _seed(trainer: Any, seed: int) -> None:
    """Let the sweep's seed decide what the Trainer's own would: weights and order of the data."""
    trainer.args.seed = seed
    loading = getattr(trainer.accelerator, "dataloader_config", None)
    if trainer.args.data_seed is not None:
        trainer.args.data_seed = seed
        if loading is not None:
            loading.data_seed = seed


def _is_trainer(value: Any) -> bool:
    return any(
        base.__name__ == "Trainer" and base.__module__.startswith("transformers.")
        for base in type(value).__mro__
    )


def _notes(trainer: Any) -> list[Note]:
    kind = getattr(trainer.args.lr_scheduler_type, "value", trainer.args.lr_scheduler_type)
    notes = [
        Note(
            "scheduler-set-aside",
            f"the Trainer's {kind} schedule was set aside, since a sweep sets the LR itself",
            "name a schedule in the config to get the LR for it: schedule: {name: cosine}",
        )
    ]
    own = type(trainer).training_step
    if not own.__module__.startswith("transformers."):
        what = f"{type(trainer).__name__} overrides training_step, which a sweep does not call"
        advice = "see that compute_loss gives the loss it trains on"
        notes.append(Note("hooks-set-aside", what, advice))
    return notes
