"""Problems, keyword cases and comparisons that the optimizer tests share."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lrfind import optim
from tests.optim.torch_table import read_table

NAMES = ("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW")
OURS = {name: getattr(optim, name) for name in NAMES}
THEIRS = {name: getattr(torch.optim, name) for name in NAMES}

IS_CURRENT = "decoupled_weight_decay" in inspect.signature(torch.optim.Adam).parameters
"""Whether torch is new enough to have all keywords that ours have (2.7)."""


@dataclass(frozen=True)
class Case:
    """One row of torch's declarative table.

    Attributes:
        name: class name.
        desc: torch's description of it.
        kwargs: constructor keywords; copied before use, since they may hold tensors.
    """

    name: str
    desc: str
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name}-{self.desc}"

    def build(self, cls: Callable[..., Any], params: Any, **more: Any) -> torch.optim.Optimizer:
        """Construct an optimizer of either library for this row."""
        built: torch.optim.Optimizer = cls(params, **copy.deepcopy(self.kwargs) | more)
        return built


EXTRA = {
    "SGD": [{"momentum": 0.9, "nesterov": True, "maximize": True, "weight_decay": 0.1}],
    "Adagrad": [{"initial_accumulator_value": 0.1, "lr_decay": 0.1, "maximize": True}],
    "RMSprop": [
        {"alpha": 1.0},
        {"momentum": 0.9, "centered": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.0},
    ],
    "Adadelta": [{"rho": 0.0}],
    "Adam": [
        {"amsgrad": True, "maximize": True},
        {"lr": torch.tensor(0.001, dtype=torch.float64)},
        {"betas": (0.0, 0.0)},
        *([{"decoupled_weight_decay": True, "weight_decay": 0.1}] if IS_CURRENT else []),
    ],
    "AdamW": [{"amsgrad": True, "maximize": True, "weight_decay": 0.0}, {"lr": 0.0}],
}


def all_cases(device: str = "cpu") -> Iterator[Case]:
    """Go through torch's table for our six classes, and a few rows that it lacks."""
    for row in read_table():
        if row.error is None and row.device == device:
            yield Case(row.name, row.desc, row.kwargs)
    for name, rows in EXTRA.items():
        for kwargs in rows:
            yield Case(name, str(kwargs), kwargs)


SHAPES = ((7, 5), (5,), (3, 4, 2), (), (1,), (0,), (9, 1))


def make_params(dtype: torch.dtype, device: str = "cpu", seed: int = 0) -> list[Tensor]:
    """Draw parameters of many shapes, a scalar and an empty one among them."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype))
        if device == "cpu"
        else torch.nn.Parameter(torch.randn(shape, generator=generator).to(device, dtype))
        for shape in SHAPES
    ]


def set_grads(params: list[Tensor], step: int) -> None:
    """Give every parameter the gradient of log cosh around a random point; skip one at times."""
    for i, param in enumerate(params):
        generator = torch.Generator().manual_seed(1000 * step + i)
        target = torch.randn(param.shape, generator=generator, dtype=torch.float64)
        point = param.detach()
        shift = torch.tanh(point - target.to(param.device, param.dtype)) * (0.3 + i)
        param.grad = None if i == 1 and step % 3 == 0 else shift


def assert_same_path(
    mine: torch.optim.Optimizer,
    my_params: list[Tensor],
    theirs: torch.optim.Optimizer,
    their_params: list[Tensor],
    *,
    steps: int = 25,
    first: int = 0,
    **tolerance: float,
) -> None:
    """Run both side by side, each on gradients of its own parameters."""
    for step in range(first, first + steps):
        for optimizer, params in ((mine, my_params), (theirs, their_params)):
            set_grads(params, step)
            optimizer.step()
        torch.testing.assert_close(my_params, their_params, **tolerance)
