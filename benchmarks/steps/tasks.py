"""The work that every loop does: a model, data and an optimizer, the same for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

from examples import digits
from examples.text import VOCABULARY, Transformer, Windows

START_LR, END_LR = 1e-6, 1e-3
"""A range in which nothing diverges, so that every loop makes all of its steps."""

WARM_UP = 30
"""Steps before the clock starts: first allocations, optimizer state, caches."""


@dataclass(frozen=True)
class Task:
    """One row of the table.

    Attributes:
        name: the row.
        model: makes the model.
        data: makes the dataset.
        optimizer: its name in torch.optim.
        steps: updates of one measured sweep.
        goal: largest ratio of lrfind to the hand-written loop.
        batch_size: samples a batch.
        num_workers: loader processes.
    """

    name: str
    model: Callable[[], nn.Module]
    data: Callable[[], Dataset[Any]]
    optimizer: str
    steps: int
    goal: float
    batch_size: int = 64
    num_workers: int = 0

    def loader(self) -> DataLoader[Any]:
        """Batch the data as anyone would."""
        return DataLoader(self.data(), self.batch_size, shuffle=True, num_workers=self.num_workers)

    @property
    def optimizer_class(self) -> type[torch.optim.Optimizer]:
        kind: type[torch.optim.Optimizer] = getattr(torch.optim, self.optimizer)
        return kind


digits_rows = cache(digits.train_dataset)


class Opaque(Dataset[tuple[Tensor, ...]]):
    """The digits in a class that nothing is known of."""

    def __init__(self) -> None:
        self.tensors = digits_rows().tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)


class Logits(nn.Module):
    """A character transformer's predictions, a row a character."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = Transformer()

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.transformer(ids)["logits"].transpose(1, 2)
        return found


@cache
def windows() -> TensorDataset:
    """Read the text into one tensor of windows and one of their next characters."""
    text = Windows()
    samples = [text[i] for i in range(2000)]
    return TensorDataset(
        *(torch.stack([sample[key] for sample in samples]) for key in ("input_ids", "labels"))
    )


TASKS = (
    Task("digits MLP, SGD", digits.build_model, digits_rows, "SGD", 430, 0.50),
    Task("digits MLP, Adam", digits.build_model, digits_rows, "Adam", 430, 0.42),
    Task("digits CNN, Adam", digits.build_cnn, digits_rows, "Adam", 110, 0.95),
    Task(f"transformer, {VOCABULARY} characters, Adam", Logits, windows, "Adam", 60, 0.97, 32),
    Task("digits MLP, SGD, opaque loader", digits.build_model, Opaque, "SGD", 430, 1.02),
    Task(
        "digits MLP, SGD, opaque loader, 2 workers", digits.build_model, Opaque, "SGD", 150, 1.02,
        num_workers=2,
    ),
)  # fmt: skip


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Compare predictions with classes."""
    return functional.cross_entropy(outputs, targets)


@dataclass
class Clock:
    """CPU time of this process (not of loader processes), between two of a loop's steps.

    Attributes:
        steps: forward passes so far.
    """

    steps: int = 0
    _began: tuple[int, float] = field(default=(0, 0.0))
    _latest: tuple[int, float] = field(default=(0, 0.0))

    def tick(self) -> None:
        """Take note of a forward pass."""
        self.steps += 1
        if self.steps == WARM_UP:
            self._began = (self.steps, time.process_time())
        elif self.steps % 10 == 0:
            self._latest = (self.steps, time.process_time())

    @property
    def step_s(self) -> float:
        """Seconds a step."""
        (first, began), (last, latest) = self._began, self._latest
        return (latest - began) / (last - first)


class Timed(nn.Module):
    """A model that tells a clock of every forward pass, whichever loop it is in."""

    def __init__(self, model: nn.Module, clock: Clock) -> None:
        super().__init__()
        self.model = model
        self._clock = clock

    def forward(self, inputs: Tensor) -> Tensor:
        self._clock.tick()
        outputs: Tensor = self.model(inputs)
        return outputs
