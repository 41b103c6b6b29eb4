"""A task in the shapes that other packages expect: a dataset of ready batches, a model that
returns its loss, a torch optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.suggestion.tasks import Pair, Task

LENGTH = 400
"""Batches handed over: more than any finder takes, so that none runs dry."""

TORCH_OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "adagrad": (torch.optim.Adagrad, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
}


class ReturnsLoss(nn.Module):
    """A task's model whose output is the loss of the batch, given as one argument or as many."""

    def __init__(self, task: Task, seed: int) -> None:
        super().__init__()
        self.model = task.build_model(seed)
        self._loss = task.loss

    def forward(self, *parts: Any) -> Tensor:
        is_whole = len(parts) == 1 and isinstance(parts[0], list | tuple)
        return self._loss(self.model, tuple(parts[0]) if is_whole else parts)


class Batches(Dataset[Any]):
    """The batches that lrfind sees with this seed; a sample is a whole batch.

    Args:
        task: what is trained.
        seed: the finder's.
        nested: give `(parts, 0)` instead of `(*parts, 0)`; the zero stands for the target.
    """

    def __init__(self, task: Task, seed: int, *, nested: bool) -> None:
        found: Iterable[tuple[Tensor, ...]] = islice(task.batches(seed), LENGTH)
        nothing = torch.zeros(1)
        self._batches: list[tuple[Any, ...]] = [
            (parts, nothing) if nested else (*parts, nothing) for parts in found
        ]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self._batches[index]


def loader(pair: Pair, seed: int, *, nested: bool) -> DataLoader[Any]:
    """Put the batches behind a DataLoader that hands them on in order."""
    return DataLoader(Batches(pair.task, seed, nested=nested), batch_size=None)


def torch_optimizer(pair: Pair, model: nn.Module, lr: float) -> torch.optim.Optimizer:
    """Build the pair's optimizer as torch ships it."""
    kind, args = TORCH_OPTIMIZERS[pair.optimizer]
    return kind(model.parameters(), lr=lr, **args)


def output_is_loss(output: Tensor, *target: Any) -> Tensor:
    """Pass for a criterion where the model has computed the loss."""
    return output
