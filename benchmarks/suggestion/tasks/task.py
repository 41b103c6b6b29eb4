"""What a benchmark task is: a model, a loss, rows of data, and the optimizers it goes with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]

EVALUATION_ROWS = 384
"""Rows of the fixed evaluation batch, where there are as many."""

SMALL_SET = 1000
"""Rows below which a data set is evaluated whole instead of on rows kept apart."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Data as equally long tensors, a sample a row.

    Attributes:
        train: what batches are drawn from.
        evaluation: the fixed evaluation batch.
    """

    train: Batch
    evaluation: Batch


@dataclass(frozen=True, eq=False)
class Task:
    """A small real training problem.

    Attributes:
        name: unique; file names are made of it.
        family: the group of three related tasks it belongs to.
        optimizers: lrfind's bundled names, each a pair with this task.
        model: makes an untrained (or a trained) model; random numbers come from torch's
            generator, which `build_model` seeds.
        loss: `loss(model, batch)`, a scalar; deterministic, so that runs can be stacked.
        rows: makes the data; the same every time.
        batch_size: rows a batch.
    """

    name: str
    family: str
    optimizers: tuple[str, ...]
    model: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Batch], Tensor]
    rows: Callable[[], Rows]
    batch_size: int = 32

    def build_model(self, seed: int) -> nn.Module:
        """Make the model of one seed; the global generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.model()

    def batches(self, seed: int) -> Iterator[Batch]:
        """Yield endless batches: every pass in a new order, its incomplete last batch left out."""
        train = self.rows().train
        generator = torch.Generator().manual_seed(seed)
        size = self.batch_size
        while True:
            order = torch.randperm(len(train[0]), generator=generator)
            for i in range(0, len(order) - size + 1, size):
                chosen = order[i : i + size]
                yield tuple(part[chosen] for part in train)

    def evaluation(self) -> Batch:
        """Return the fixed evaluation batch."""
        return self.rows().evaluation


def split(*parts: Tensor) -> Rows:
    """Shuffle rows once and keep an evaluation batch apart; evaluate a small set whole."""
    order = torch.randperm(len(parts[0]), generator=torch.Generator().manual_seed(0))
    shuffled = tuple(part[order] for part in parts)
    if len(order) < SMALL_SET:
        return Rows(shuffled, shuffled)
    kept = EVALUATION_ROWS
    return Rows(tuple(p[kept:] for p in shuffled), tuple(p[:kept] for p in shuffled))
