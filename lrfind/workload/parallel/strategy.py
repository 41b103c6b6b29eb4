"""How a model is trained by several ranks at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
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
    """

    group: Group
    section: DistributedSection
    device: torch.device

    def prepared(self, model: nn.Module) -> nn.Module:
        """Make a model ready for several ranks, before its optimizer is built."""
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return model

    def objective(self, objective: Objective, model: nn.Module, accumulate: int) -> MeanObjective:
        """Make the objective that all ranks agree on; gradients are averaged behind it."""
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

    def notes(self, seed: int, own: Sequence[Note], objective: MeanObjective, model: nn.Module) -> list[Note]:
        """Join what the ranks noticed; what only another one saw is told with its number."""
        notes = [*own]
        if not self.group.world.leads:
            self.group.leave(f"notes/{seed}", notes)
            return notes
        for rank, others in self.group.found(f"notes/{seed}").items():
            codes = {note.code for note in notes}
            notes += [
                Note(note.code, f"rank {rank}: {note.message}", note.advice)
                for note in others
                if note.code not in codes
            ]
        if objective.read_the_same:
            notes.append(
                Note(
                    "same-batches",
                    f"all {self.group.world.size} ranks began with the same batch, so they may "
                    "all train on the same data",
                    "give each rank its own part, by the environment variables RANK and WORLD_SIZE",
                )
            )
        if any(isinstance(m, _BatchNorm) and not isinstance(m, nn.SyncBatchNorm) for m in model.modules()):
            notes.append(
                Note(
                    "batch-norm-per-rank",
                    "BatchNorm took its statistics from each rank's own batch: torch has "
                    "SyncBatchNorm on GPUs only",
                    "expect what your training on CPUs would do",
                )
            )
        return notes
