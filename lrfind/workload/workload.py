"""The workload of a range test: opens one fresh, seeded `TorchTrainable` a seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.utils.data import IterableDataset, TensorDataset

from lrfind.errors import InputError, Problem
from lrfind.spec import DataSection, SweepSection, ValidationSection
from lrfind.suggest.answer import Note
from lrfind.workload.batch import to_device
from lrfind.workload.copies import Copies, InMemory, copies
from lrfind.workload.determinism import deterministic, notes_on
from lrfind.workload.feed import Feed, as_batches, is_dataset, no_batches
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import SweptOptimizer, adopt
from lrfind.workload.phase import Phase
from lrfind.workload.snapshot import preserved, preserved_order, seed_everything
from lrfind.workload.trainable import TorchTrainable

if TYPE_CHECKING:
    from lrfind.workload.parallel import Parallel

DATA_SEED = 0
"""Seed under which data sets are made and held-out batches are read, whatever the sweep's seed."""


@dataclass
class Workload:
    """What is trained, before any seed, and what is known of it once a seed has run.

    Attributes:
        model: a module, restored after each seed, or a factory that is called for each.
        data: a data source, or a factory of one.
        objective: batch to loss.
        optimizer: a ready optimizer of `model`, or what builds one for a model.
        sweep: seeds, accumulation, precision, clipping.
        loader: how a bare dataset is batched.
        validation: held-out data and how it is batched; None measures the training loss.
        device: where it runs.
        parallel: how several processes train one model; None: this one does alone.
        phase: what was done last: whom to blame for an exception.
        title: model, optimizer and batch size in a line; empty before the first seed.
        group_scales: LR multiplier of each parameter group, where there are several.
        brings_batches: whether the data opened last make their own batches.
        notes: what was seen in the last sweep of each seed.
        copies: keeps what must be put back while a seed is open.
    """

    model: nn.Module | Callable[[], Any]
    data: Any
    objective: Objective
    optimizer: Optimizer | Callable[[nn.Module], SweptOptimizer]
    sweep: SweepSection
    loader: DataSection
    device: torch.device
    validation: tuple[Any, ValidationSection] | None = None
    parallel: Parallel | None = None
    phase: Phase = field(default=Phase.DATA, init=False)
    title: str = field(default="", init=False)
    group_scales: tuple[float, ...] = field(default=(), init=False)
    brings_batches: bool = field(default=False, init=False)
    _running: TorchTrainable | None = field(default=None, init=False)
    _batch_size: int | None = field(default=None, init=False)
    notes: dict[int, list[Note]] = field(default_factory=dict, init=False)
    copies: Copies = field(default_factory=InMemory, init=False)
    _source: Any = field(default=None, init=False)
    _held_out: list[Any] | None = field(default=None, init=False)

    @property
    def doing(self) -> Phase:
        """Tell what is being done, or was done last; true at any moment, also in a hang."""
        return self.phase if self._running is None else self._running.phase

    @property
    def batch_size(self) -> int | None:
        """Samples of an update's batches, once one was seen."""
        return self._batch_size if self._running is None else self._running.batch_size

    @contextmanager
    def open(self, seed: int) -> Iterator[TorchTrainable]:
        """Yield a trainable that depends on the seed alone, and leave no trace behind.

        The generators are seeded before the model and before the first batch, so that a change of
        one does not move the other. Data sets are made once, under a seed that never changes: the
        seed decides the initial weights and the order of the data, not what the data are.
        """
        if self.device.type == "cuda":
            # A generator that does not exist yet could be neither seeded nor put back.
            torch.cuda.init()  # type: ignore[no-untyped-call]
        own_model = self._own_model()
        ready = self.optimizer if isinstance(self.optimizer, Optimizer) else None
        wanted = self.sweep.deterministic
        with (
            deterministic(wanted) as operations,
            self._kept() as kept,
            preserved(model=own_model, optimizer=ready, copies=kept),
        ):
            self.phase = Phase.DATA
            seed_everything(DATA_SEED)
            source = self._open_data()
            with preserved_order(source):
                self.phase = Phase.MODEL
                seed_everything(seed)
                model = self._open_model()
                self.phase = Phase.OPTIMIZER
                if isinstance(self.optimizer, Optimizer):
                    swept = adopt(self.optimizer, model)
                else:
                    swept = self.optimizer(model)
                self.phase = Phase.VALIDATION
                objective = self._objective_over(model)
                seed_everything(DATA_SEED)
                held_out = self._read_held_out()
                self.phase = Phase.DATA
                seed_everything(seed)
                trainable = TorchTrainable(
                    model,
                    swept,
                    objective,
                    self._feed(source, seed),
                    device=self.device,
                    accumulate=self.sweep.accumulate,
                    precision=self.sweep.precision,
                    clip_grad_norm=self.sweep.clip_grad_norm,
                    held_out=held_out,
                    low_memory=self.sweep.low_memory,
                    is_alone=self.parallel is None,
                )
                self._running = trainable
                try:
                    yield trainable
                    trainable.review()
                finally:
                    self.notes[seed] = [*trainable.notes, *notes_on(operations)]
                    trainable.close()
                    self.phase, self._batch_size = trainable.phase, trainable.batch_size
                    self._running = None
                    self.title = describe_trainable(trainable, self._ranks)
                    self.group_scales = swept.scales if len(swept.scales) > 1 else ()
                if self.parallel is not None:
                    self.notes[seed] = self.parallel.notes(self.notes[seed], objective, model)

    @contextmanager
    def _kept(self) -> Iterator[Copies]:
        """Keep copies where the config wants them, and let go of them at the end."""
        with copies(self.sweep.snapshot) as self.copies:
            try:
                yield self.copies
            finally:
                self.copies = InMemory()

    def _own_model(self) -> nn.Module | None:
        """Return the caller's own model, which must be put back; None where a factory makes one."""
        if not isinstance(self.model, nn.Module):
            return None
        if any(is_lazy(parameter) for parameter in self.model.parameters()):
            raise InputError(
                Problem(
                    "model",
                    f"({type(self.model).__name__}) has layers without sizes yet, which could not "
                    "be put back after the sweep",
                    "give a function that makes it, or call it on a batch first",
                )
            )
        return self.model

    def _open_data(self) -> Any:
        """Return the data source; a factory is called once, and again where it gave a stream."""
        if not is_factory(self.data):
            if isinstance(self.data, Iterator) and self.sweep.seeds > 1:
                raise InputError(
                    Problem(
                        "data",
                        f"is a {type(self.data).__name__}, which can be read once, but sweep.seeds "
                        f"= {self.sweep.seeds} sweeps read it again",
                        "give a function that makes it, or sweep one seed",
                    )
                )
            return self.data
        if self._source is None or isinstance(self._source, Iterator):
            self._source = self.data()
        return self._source

    def columns(self) -> tuple[Tensor, ...] | None:
        """Return the tensors of an open data set whose batches are rows of them, drawn here.

        None for any other: data of its own making may draw on generators that seeds share.
        """
        source = self._source if is_factory(self.data) else self.data
        if self.loader.num_workers or self.parallel is not None:
            return None
        if type(source) is TensorDataset:
            return source.tensors
        is_tuple = type(source) is tuple and all(isinstance(part, Tensor) for part in source)
        return source if is_tuple else None

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
        tensors = [*model.named_parameters(), *model.named_buffers()]
        on_meta = [name for name, tensor in tensors if tensor.is_meta]
        if on_meta:
            raise InputError(
                Problem(
                    "model",
                    f"({type(model).__name__}) is on the meta device, where {on_meta[0]} and all "
                    "others hold no numbers; a sweep needs some to train",
                    "build it on a real device, outside torch.device('meta')",
                )
            )
        model = model.to(self.device)
        return model if self.parallel is None else self.parallel.prepared(model)

    def _objective_over(self, model: nn.Module) -> Objective:
        if self.parallel is None:
            return self.objective
        return self.parallel.objective(self.objective, model, self.sweep.accumulate)

    @property
    def _ranks(self) -> int:
        return 1 if self.parallel is None else self.parallel.group.world.size

    def _feed(self, source: Any, seed: int) -> Feed:
        batches = as_batches(
            source,
            batch_size=self.loader.batch_size,
            shuffle=self.loader.shuffle,
            num_workers=self.loader.num_workers,
            drop_last=self.loader.drop_last,
            generator=torch.Generator().manual_seed(seed),
        )
        self.brings_batches = batches is source
        if self.parallel is not None:
            batches = self.parallel.share(batches)
        is_remade = is_factory(self.data) and isinstance(source, Iterator)
        return Feed(batches, self.data if is_remade else None)

    def _read_held_out(self) -> list[Any]:
        """Read the held-out batches onto the device, in their own order; once for all seeds."""
        if self.validation is None:
            return []
        if self._held_out is None:
            data, section = self.validation
            where = "sweep.validation"
            source = data() if is_factory(data) else data
            is_stream = isinstance(source, IterableDataset)
            batches = as_batches(
                source,
                batch_size=section.batch_size,
                shuffle=None if is_stream or not is_dataset(source) else False,
                num_workers=section.num_workers,
                where=where,
            )
            with preserved_order(source):
                first = islice(batches, section.batches)
                self._held_out = [to_device(batch, self.device) for batch in first]
            if not self._held_out:
                raise no_batches(where)
        return self._held_out


def describe_trainable(trainable: TorchTrainable, ranks: int = 1) -> str:
    """Name model, optimizer and batch size: `MLP (4,810 parameters) · AdamW · batch 64`.

    Of several ranks the batch is `2 × 32`.
    """
    model = trainable.model
    count = sum(p.numel() for p in model.parameters() if not is_lazy(p))
    parts = [
        f"{type(model).__name__} ({count:,} parameters)",
        type(trainable.swept.optimizer).__name__,
    ]
    if trainable.batch_size is not None:
        times = f"{ranks} × " if ranks > 1 else ""
        parts.append(f"batch {times}{trainable.batch_size}")
    return " · ".join(parts)


def is_factory(value: Any) -> bool:
    """Tell what must be called (a class, a function, a partial) from a ready object."""
    if isinstance(value, nn.Module):
        return False
    return inspect.isclass(value) or (
        callable(value) and not isinstance(value, Iterable) and not hasattr(value, "__getitem__")
    )
