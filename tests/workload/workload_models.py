"""Small models, data and workloads that tests of the workload and the API share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lrfind.spec import DataSection, SweepSection, ValidationSection
from lrfind.workload.parts import objective_of, optimizer_of
from lrfind.workload.plain import PlainRecipe
from lrfind.workload.workload import Workload

CPU = torch.device("cpu")


def rows(count: int = 48) -> tuple[Tensor, Tensor]:
    """Make a fixed regression problem: 4 inputs, 1 output."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(count, 4, generator=generator)
    return X, X @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])


class Net(nn.Module):
    """A net with everything that must be put back: dropout, batch norm, odd buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(8, 1)
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.unused = nn.Parameter(torch.ones(2))
        self.register_buffer("calls", torch.zeros(1), persistent=False)
        self.register_buffer("mask", torch.ones(1, 1).expand(1, 8))
        self.calls: Tensor
        self.mask: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Count the call and predict."""
        self.calls += 1
        hidden = self.drop(self.norm(self.first(x))).relu() * self.mask
        out: Tensor = self.last(hidden) * self.frozen
        return out


def plain() -> nn.Module:
    """Make a deterministic linear model."""
    return nn.Linear(4, 1)


def workload(
    model: Any = plain,
    data: Any = None,
    *,
    optimizer: Any = torch.optim.SGD,
    args: dict[str, Any] | None = None,
    groups: Any = (),
    step: Callable[..., Any] | None = None,
    loss: Callable[..., Any] = functional.mse_loss,
    batch_size: int | None = 8,
    validation: Any = None,
    **sweep: Any,
) -> Workload:
    """Join parts into a workload on the CPU."""
    data = rows() if data is None else data
    section = SweepSection(**sweep)
    recipe = PlainRecipe(
        model=model,
        data=data,
        objective=objective_of(None if step else loss, step),
        optimizer=optimizer_of(optimizer, args or {}, groups),
        sweep=section,
        loader=DataSection(target="", batch_size=batch_size),
    )
    return Workload(
        recipe,
        sweep=section,
        device=CPU,
        validation=None if validation is None else (validation, ValidationSection(target="")),
    )


def losses(work: Workload, seed: int = 0, steps: int = 12, lr: float = 0.05) -> list[float]:
    """Train for some steps at one LR; the loss of each batch before its update."""
    with work.open(seed) as trainable:
        found = []
        for _ in range(steps):
            found.append(trainable.backward())
            while not trainable.update(lr):  # a loss scaler that still looks for its scale
                trainable.backward()
        return found
