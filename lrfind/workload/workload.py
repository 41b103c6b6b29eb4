"""The workload of a range test: opens one fresh, seeded `TorchTrainable` a seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.spec import DataSection, SweepSection, ValidationSection
from lrfind.workload.batch import to_device
from lrfind.workload.feed import Feed, as_batches
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import SweptOptimizer, adopt
from lrfind.workload.snapshot import preserved, seed_everything
from lrfind.workload.trainable import TorchTrainable


@dataclass
class Workload:
    """What is trained, before any seed.

    Attributes:
        model: a module, restored after each seed, or a factory that is called for each.
        data: a data source, or a factory of one.
        objective: batch to loss.
        optimizer: a ready optimizer of `model`, or what builds one for a model.
        sweep: accumulation, precision, clipping.
        loader: how a bare dataset is batched.
        validation: held-out data and how it is batched; None measures the training loss.
        device: where it runs.
        trainable: the one that is open, or the last that was.
    """

    model: nn.Module | Callable[[], Any]
    data: Any
    objective: Objective
    optimizer: Optimizer | Callable[[nn.Module], SweptOptimizer]
    sweep: SweepSection
    loader: DataSection
    device: torch.device
    validation: tuple[Any, ValidationSection] | None = None
    trainable: TorchTrainable | None = None
    phase: str = "data"
    _source: Any = None

    @contextmanager
    def open(self, seed: int) -> Iterator[TorchTrainable]:
        """Yield a trainable that depends on the seed alone, and leave no trace behind.

        The generators are seeded before the data, before the model and before the first batch,
        so that a change of one does not move the others.
        """
        with preserved():
            self.phase = "data"
            seed_everything(seed)
            source = self._open_data()
            self.phase = "model"
            seed_everything(seed)
            model = self._open_model()
            kept_model = model if model is self.model else None
            ready = self.optimizer if isinstance(self.optimizer, Optimizer) else None
            with preserved(model=kept_model, optimizer=ready, data=source):
                self.phase = "optimizer"
                swept = adopt(ready, model) if ready is not None else self._build_optimizer(model)
                self.phase = "sweep.validation"
                held_out = self._held_out()
                seed_everything(seed)
                self.phase = "data"
                trainable = TorchTrainable(
                    model,
                    swept,
                    self.objective,
                    self._feed(source, seed),
                    device=self.device,
                    accumulate=self.sweep.accumulate,
                    precision=self.sweep.precision,
                    clip_grad_norm=self.sweep.clip_grad_norm,
                    held_out=held_out,
                )
                self.trainable = trainable
                try:
                    yield trainable
                finally:
                    trainable.close()

    @property
    def blame(self) -> str:
        """The config key of what is being done right now."""
        return self.trainable.phase if self.trainable is not None else self.phase

    @property
    def title(self) -> str:
        """Model, optimizer and batch size in a line, once a seed has run."""
        if self.trainable is None:
            return ""
        model, optimizer = self.trainable.model, self.trainable.swept.optimizer
        count = sum(p.numel() for p in model.parameters())
        parts = [f"{type(model).__name__} ({count:,} parameters)", type(optimizer).__name__]
        if self.trainable.batch_size is not None:
            parts.append(f"batch {self.trainable.batch_size}")
        return " · ".join(parts)

    @property
    def group_scales(self) -> tuple[float, ...]:
        """LR multiplier of each parameter group, where there are several."""
        scales = self.trainable.swept.scales if self.trainable is not None else ()
        return scales if len(scales) > 1 else ()

    def _open_data(self) -> Any:
        """Return the data source; a factory is called once, and again where it gave a stream."""
        if not is_factory(self.data):
            return self.data
        if self._source is None:
            self._source = self.data()
        source = self._source
        if isinstance(source, Iterable) and iter_is_self(source):
            self._source = None
        return source

    def _open_model(self) -> nn.Module:
        model: Any = self.model() if is_factory(self.model) else self.model
        if not isinstance(model, nn.Module):
            raise InputError(
                Problem(
                    "model",
                    f"gave {'None' if model is None else f'a {type(model).__name__}'}; it must be "
                    "a torch.nn.Module",
                    "return the model from the function",
                )
            )
        return model.to(self.device)

    def _build_optimizer(self, model: nn.Module) -> SweptOptimizer:
        assert not isinstance(self.optimizer, Optimizer)
        return self.optimizer(model)

    def _feed(self, source: Any, seed: int) -> Feed:
        generator = torch.Generator().manual_seed(seed)
        batches = as_batches(
            source,
            batch_size=self.loader.batch_size,
            shuffle=self.loader.shuffle,
            num_workers=self.loader.num_workers,
            drop_last=self.loader.drop_last,
            generator=generator,
        )
        return Feed(batches, self.data if is_factory(self.data) else None)

    def _held_out(self) -> list[Any]:
        """Read the fixed held-out batches onto the device, in their own order."""
        if self.validation is None:
            return []
        data, section = self.validation
        source = data() if is_factory(data) else data
        batches = as_batches(
            source,
            batch_size=section.batch_size,
            shuffle=None if isinstance(source, torch.utils.data.IterableDataset) else False,
            num_workers=section.num_workers,
            where="sweep.validation",
        )
        feed = Feed(batches)
        try:
            count = section.batches
            if isinstance(batches, Sized):
                count = min(count, len(batches)) or count
            return [to_device(feed.next(), self.device) for _ in range(count)]
        finally:
            feed.close()


def is_factory(value: Any) -> bool:
    """Tell what must be called (a class, a function, a partial) from a ready object."""
    if isinstance(value, nn.Module):
        return False
    return inspect.isclass(value) or (
        callable(value) and not isinstance(value, Iterable) and not hasattr(value, "__getitem__")
    )


def iter_is_self(source: Iterable[Any]) -> bool:
    """Tell a one-shot iterator from what can be iterated again."""
    return hasattr(source, "__next__")
