"""How one seed of a workload comes about: the seam between what users give and what a sweep needs.

`lrfind.workload.plain` makes the parts from a model, data, a loss and an optimizer;
`lrfind.frameworks` from projects that were written for a framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lrfind.suggest.answer import Note
from lrfind.workload.copies import Copies
from lrfind.workload.feed import Feed
from lrfind.workload.loop import Loop
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import SweptOptimizer
from lrfind.workload.phase import Phase
from lrfind.workload.training import Training


@dataclass(frozen=True)
class Making:
    """Under which circumstances the parts of a seed are made.

    Attributes:
        seed: decides the initial weights and the order of the data.
        device: where the model goes.
        copies: keeps what must be put back.
        doing: told of every phase as it begins: whom to blame for an exception.
        made: calls what makes a model, and puts it where and lays it out as it is trained, ready
            for several ranks; before its optimizer is built.
        laid_out: lays out a model that somebody else has made and put there.
    """

    seed: int
    device: torch.device
    copies: Copies
    doing: Callable[[Phase], None]
    made: Callable[[Callable[[], nn.Module]], nn.Module]
    laid_out: Callable[[nn.Module], nn.Module]


@dataclass(frozen=True)
class Parts:
    """What one seed trains.

    Attributes:
        model: on `device` already.
        swept: its optimizer and the groups' LR multipliers.
        objective: batch to loss.
        batches: an iterable of batches, not read from yet.
        loop: what surrounds a step.
        device: where it runs.
        accumulate: batches whose gradients make one update.
        precision: autocast precision of forward and loss.
        clip_grad_norm: largest ℓ2 norm of all gradients together.
        reopen: makes a new source where `batches` cannot be read a second time.
        brings_batches: whether the data make their own batches.
        notes: what was noticed in the making.
        about_data: what the data are, whatever the seed: a name and a sentence, a row a thing.
        training: makes what a sweep drives of the batches, where the project makes its own updates;
            None: a `TorchTrainable` of the parts above.
    """

    model: nn.Module
    swept: SweptOptimizer
    objective: Objective
    batches: Iterable[Any]
    loop: Loop
    device: torch.device
    accumulate: int
    precision: str
    clip_grad_norm: float | None
    reopen: Callable[[], Iterable[Any]] | None = None
    brings_batches: bool = True
    notes: list[Note] = field(default_factory=list)
    about_data: Sequence[tuple[str, str]] = ()
    training: Callable[[Feed], Training] | None = None


class Recipe(Protocol):
    """What makes the parts of a seed."""

    @property
    def can_repeat(self) -> bool:
        """Tell whether the same seed can be opened again: not where the data can be read once."""

    def columns(self) -> tuple[Tensor, ...] | None:
        """Return the tensors of opened data whose batches are rows of them, drawn by lrfind."""

    def opened(self, making: Making) -> AbstractContextManager[Parts]:
        """Make the parts of a seed, and put everything back when the block ends."""
