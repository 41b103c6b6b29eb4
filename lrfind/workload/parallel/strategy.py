"""How a model is trained by several ranks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from itertools import count
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lrfind.distributed.group import Group
from lrfind.spec import DistributedSection
from lrfind.suggest.answer import Note
from lrfind.workload.objective import Objective
from lrfind.workload.parallel.objective import MeanObjective
from lrfind.workload.parallel.share import own_share


class _Replica(DistributedDataParallel):
    """A model among its copies; what a step reads of it (`model.config`) is the model's own."""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)


@dataclass(frozen=True)
class Parallel:
    """One training by all ranks of a group.

    Attributes:
        group: the ranks, joined.
        section: how they do it.
        device: where this rank computes.
        precision: of the sweep.
    """

    group: Group
    section: DistributedSection
    device: torch.device
    precision: str = "fp32"
    _opened: Iterator[int] = field(default_factory=count, init=False, repr=False)
    _noticed: list[Note] = field(default_factory=list, init=False, repr=False)

    @property
    def is_sharded(self) -> bool:
        """Tell whether each rank holds a part of the model only."""
        return self.section.strategy == "fsdp"

    def prepared(self, model: nn.Module) -> nn.Module:
        """Make a model ready for several ranks, before its optimizer is built."""
        if self.device.type != "cuda":
            return model
        synchronised: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return synchronised

    def sharded(self, make: Callable[[], nn.Module]) -> nn.Module:
        """Make a model and spread it over the ranks, before its optimizer is built."""
        # Imported late: it takes as long as a short sweep.
        from lrfind.workload.parallel.dealing import dealt_out
        from lrfind.workload.parallel.sharding import sharded

        def shard(model: nn.Module) -> nn.Module:
            return sharded(model, self.section, self.precision, self.device, self.group.world.size)

        model, notes = dealt_out(lambda: self.prepared(make()), shard, self.device, self.group)
        self._noticed.extend(notes)
        return model

    def objective(self, objective: Objective, model: nn.Module, accumulate: int) -> MeanObjective:
        """Make the objective that all ranks agree on; gradients are averaged behind it."""
        if self.is_sharded:
            return MeanObjective(objective, model, self.group, accumulate)
        network = _Replica(
            model,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            find_unused_parameters=self.section.unused_parameters,
            gradient_as_bucket_view=True,
        )
        return MeanObjective(objective, network, self.group, accumulate)

    def share(self, batches: Iterable[Any]) -> Iterable[Any]:
        """Take this rank's share of batches."""
        return own_share(batches, self.group)

    def notes(self, own: Sequence[Note], objective: Objective, model: nn.Module) -> list[Note]:
        """Join what the ranks noticed; what only another one saw is told with its number."""
        key = f"notes/{next(self._opened)}"
        own = [*self._noticed, *own]
        self._noticed.clear()
        if not self.group.world.leads:
            self.group.leave(key, [astuple(note) for note in own])
            return own
        notes = own
        for rank, others in self.group.found(key).items():
            known = {note.code for note in notes}
            notes += [
                Note(code, f"rank {rank}: {message}", advice)
                for code, message, advice in others
                if code not in known
            ]
        if isinstance(objective, MeanObjective) and objective.read_the_same:
            notes.append(self._same_batches())
        if any(type(module) in _LOCAL_NORMS for module in model.modules()):
            notes.append(_LOCAL_STATISTICS)
        return notes

    def _same_batches(self) -> Note:
        return Note(
            "same-batches",
            f"all {self.group.world.size} ranks began with the same batch: they may all train on "
            "the same data",
            "give each rank its own part, by the environment variables RANK and WORLD_SIZE",
        )


_LOCAL_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

_LOCAL_STATISTICS = Note(
    "batch-norm-per-rank",
    "BatchNorm took its statistics from each rank's own batch, since torch has SyncBatchNorm on "
    "GPUs only",
    "nothing to change if your training does the same",
)
