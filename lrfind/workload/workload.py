"""The workload of a range test: opens one fresh, seeded `Training` a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from lrfind.spec import SweepSection, ValidationSection
from lrfind.suggest.answer import Note
from lrfind.workload.batch import to_device
from lrfind.workload.compilation import compiling
from lrfind.workload.copies import Copies, InMemory, copies
from lrfind.workload.description import describe_trainable
from lrfind.workload.determinism import deterministic, notes_on
from lrfind.workload.feed import Feed, as_batches, is_dataset, no_batches
from lrfind.workload.layout import laid_out
from lrfind.workload.objective import Objective
from lrfind.workload.phase import Phase
from lrfind.workload.plain import is_factory
from lrfind.workload.recipe import Making, Parts, Recipe
from lrfind.workload.seed_notes import told_once
from lrfind.workload.snapshot import DATA_SEED, preserved_order, seed_everything
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.training import Training
from lrfind.workload.whole_model import whole_model

if TYPE_CHECKING:
    from lrfind.workload.parallel import Parallel


@dataclass
class Workload:
    """What is trained, before any seed, and what is known of it once a seed has run.

    Attributes:
        recipe: makes what one seed trains.
        sweep: seeds, accumulation, precision, clipping.
        device: where it runs; a recipe that brings its own decides.
        validation: held-out data and how it is batched; None measures the training loss.
        parallel: how several processes train one model; None: this one does alone.
        phase: what was done last: whom to blame for an exception.
        title: model, optimizer and batch size in a line; empty before the first seed.
        group_scales: LR multiplier of each parameter group, where there are several.
        brings_batches: whether the data opened last make their own batches.
        about_data: what the data are, whatever the seed: a name and a sentence, a row a thing.
        notes: what was seen in the last sweep of each seed.
        copies: keeps what must be put back while a seed is open.
    """

    recipe: Recipe
    sweep: SweepSection
    device: torch.device
    validation: tuple[Any, ValidationSection] | None = None
    parallel: Parallel | None = None
    phase: Phase = field(default=Phase.DATA, init=False)
    title: str = field(default="", init=False)
    group_scales: tuple[float, ...] = field(default=(), init=False)
    brings_batches: bool = field(default=False, init=False)
    about_data: Sequence[tuple[str, str]] = field(default=(), init=False)
    _running: Training | None = field(default=None, init=False)
    _batch_size: int | None = field(default=None, init=False)
    notes: dict[int, list[Note]] = field(default_factory=dict, init=False)
    copies: Copies = field(default_factory=InMemory, init=False)
    _held_out: list[Any] | None = field(default=None, init=False)

    @property
    def doing(self) -> Phase:
        """Tell what is being done, or was done last; true at any moment, also in a hang."""
        return self.phase if self._running is None else self._running.phase

    @property
    def batch_size(self) -> int | None:
        """Samples of an update's batches, once one was seen."""
        return self._batch_size if self._running is None else self._running.batch_size

    @property
    def told(self) -> list[Note]:
        """Say what the data are, where that was inferred, and once for all seeds what was seen."""
        seen = told_once(self.notes)
        if not self.about_data:
            return seen
        sentences = "; ".join(sentence for _, sentence in self.about_data)
        return [Note("data", sentences, "the arguments of the data change it"), *seen]

    @contextmanager
    def open(self, seed: int) -> Iterator[Training]:
        """Yield a trainable that depends on the seed alone, and leave no trace behind.

        The generators are seeded anew before the first batch, so that a change of the model does
        not move the order of the data.
        """
        if self.device.type == "cuda":
            # A generator that does not exist yet could be neither seeded nor put back.
            torch.cuda.init()  # type: ignore[no-untyped-call]
        with (
            deterministic(self.sweep.deterministic) as operations,
            compiling(self.sweep.compile) as compiled,
            self._kept() as kept,
            laid_out(channels_last=self.sweep.channels_last) as lay_out,
            self.recipe.opened(self._making(seed, kept, lay_out)) as parts,
        ):
            self.device, self.brings_batches = parts.device, parts.brings_batches
            self.about_data = parts.about_data
            self.phase = Phase.VALIDATION
            objective = self._objective_over(parts, compiled)
            seed_everything(DATA_SEED)
            held_out = self._read_held_out()
            self.phase = Phase.DATA
            seed_everything(seed)
            trainable = self._running = self._training(parts, objective, held_out)
            try:
                yield trainable
                trainable.review()
            finally:
                self.notes[seed] = [*parts.notes, *trainable.notes, *notes_on(operations)]
                trainable.close()
                self.phase, self._batch_size = trainable.phase, trainable.batch_size
                self._running = None
                self.title = describe_trainable(trainable, self._ranks)
                self.group_scales = parts.swept.scales if len(parts.swept.scales) > 1 else ()
            if self.parallel is not None:
                self.notes[seed] = self.parallel.notes(self.notes[seed], objective, parts.model)

    def _training(self, parts: Parts, objective: Objective, held_out: list[Any]) -> Training:
        feed = self._feed(parts)
        if parts.training is not None:
            return parts.training(feed)
        return TorchTrainable(
            parts.model,
            parts.swept,
            objective,
            feed,
            device=parts.device,
            loop=parts.loop,
            accumulate=parts.accumulate,
            precision=parts.precision,
            clip_grad_norm=parts.clip_grad_norm,
            held_out=held_out,
            low_memory=self.sweep.low_memory,
            is_alone=self.parallel is None,
        )

    def columns(self) -> tuple[Tensor, ...] | None:
        """Return the tensors of opened data whose batches are rows of them; None for any other."""
        return None if self.parallel is not None else self.recipe.columns()

    def _making(self, seed: int, kept: Copies, lay_out: Callable[[nn.Module], nn.Module]) -> Making:
        def made(make: Callable[[], nn.Module]) -> nn.Module:
            if self.parallel is not None and self.parallel.is_sharded:
                return self.parallel.sharded(make)
            model = lay_out(whole_model(make).to(self.device))
            return model if self.parallel is None else self.parallel.prepared(model)

        doing = partial(setattr, self, "phase")
        return Making(seed, self.device, kept, doing=doing, made=made, laid_out=lay_out)

    @contextmanager
    def _kept(self) -> Iterator[Copies]:
        """Keep copies where the config wants them, and let go of them at the end."""
        with copies(self.sweep.snapshot) as self.copies:
            try:
                yield self.copies
            finally:
                self.copies = InMemory()

    def _objective_over(
        self, parts: Parts, compiled: Callable[[Objective], Objective]
    ) -> Objective:
        if self.parallel is None:
            return compiled(parts.objective)
        return self.parallel.objective(parts.objective, parts.model, parts.accumulate)

    def _feed(self, parts: Parts) -> Feed:
        batches = parts.batches if self.parallel is None else self.parallel.share(parts.batches)
        return Feed(batches, parts.reopen)

    @property
    def _ranks(self) -> int:
        return 1 if self.parallel is None else self.parallel.group.world.size

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
