"""Models, data and optimizers that are unusual or wrong, as targets of configs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

WEIGHT = torch.tensor([[1.0], [-2.0], [0.5], [3.0]])


def rows(count: int = 48) -> tuple[Tensor, Tensor]:
    """Make a regression problem: 4 inputs, 1 output."""
    X = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    return X, X @ WEIGHT


def regression(count: int = 48, dtype: str = "float32", target_dtype: str | None = None) -> Any:
    """Give it as a dataset, in some dtype."""
    X, Y = rows(count)
    X, Y = X.to(getattr(torch, dtype)), Y.to(getattr(torch, target_dtype or dtype))
    return TensorDataset(X, Y)


def classes(low: int = 0, high: int = 3, dtype: str = "int64", column: bool = False) -> Any:
    """Give labels from `low` to `high - 1` for a model of three classes."""
    X, _ = rows()
    labels = (torch.arange(48) % (high - low) + low).to(getattr(torch, dtype))
    return TensorDataset(X, labels[:, None] if column else labels)


def tokens(highest: int = 9, dtype: str = "int64") -> Any:
    """Give one token a sample, and a number for each."""
    ids = torch.arange(48) % (highest + 1)
    return TensorDataset(ids.to(getattr(torch, dtype)), ids.float()[:, None] / 10)


def on_meta() -> Any:
    """Give batches without numbers."""
    return [(torch.empty(4, 4, device="meta"), torch.empty(4, 1, device="meta"))]


def line(out: int = 1, dtype: str = "float32") -> nn.Module:
    """Make a linear model, in some dtype."""
    return nn.Linear(4, out).to(getattr(torch, dtype))


def normed() -> nn.Module:
    """Make a model with batch norm."""
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def evaluating() -> nn.Module:
    """Make a model that was left in evaluation mode."""
    return nn.Sequential(nn.Linear(4, 8), Watch(), nn.Linear(8, 1)).eval()


class Watch(nn.Module):
    """Refuses to be used in evaluation mode."""

    def forward(self, x: Tensor) -> Tensor:
        """Pass on."""
        assert self.training
        return x


def frozen(all_of_it: bool = False) -> nn.Module:
    """Make a model of which some or no parameter is trained."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    (model if all_of_it else model[0]).requires_grad_(False)
    return model


class Unused(nn.Module):
    """Has a layer that no loss depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Use one of two layers."""
        out: Tensor = self.used(x)
        return out


class Tied(nn.Module):
    """Uses one weight twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        """Predict."""
        out: Tensor = self.last(self.second(self.first(x).relu()))
        return out


class Lookup(nn.Module):
    """An embedding with sparse gradients, alone or under a dense layer."""

    def __init__(self, dense: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4, sparse=True)
        self.head = nn.Linear(4, 1) if dense else None

    def forward(self, ids: Tensor) -> Tensor:
        """Predict a number for each token."""
        found: Tensor = self.embed(ids)
        return found.sum(1, keepdim=True) if self.head is None else self.head(found)


class Complex(nn.Module):
    """Has complex parameters and a real output."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> Tensor:
        """Predict a magnitude."""
        return (x.to(torch.cfloat) @ self.weight).abs()


class Lazy(nn.Module):
    """Learns its sizes from the first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.LazyLinear(8), nn.LazyLinear(1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict."""
        out: Tensor = self.last(self.first(x).relu())
        return out


def compiled(backend: str) -> nn.Module:
    """Make a model that went through torch.compile."""
    model: nn.Module = torch.compile(line(), backend=backend)  # type: ignore[assignment]
    return model


def without_numbers() -> nn.Module:
    """Make a model on the meta device."""
    with torch.device("meta"):
        return line()


class Remade(nn.Module):
    """Makes its layer anew at each call, so that none is ever trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict with new weights."""
        self.layer = nn.Linear(4, 1)
        out: Tensor = self.layer(x)
        return out


MADE: list[torch.optim.Optimizer] = []


def remembered(parameters: Any) -> torch.optim.Optimizer:
    """Make an optimizer that the models below get hold of."""
    MADE[:] = [torch.optim.SGD(parameters, lr=1e-3)]
    return MADE[0]


class Meddling(nn.Module):
    """Writes an LR of its own before each update, or adds a parameter group."""

    def __init__(self, adds_group: bool = False) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.adds_group = adds_group

    def forward(self, x: Tensor) -> Tensor:
        """Predict, and meddle."""
        if self.adds_group:
            MADE[0].add_param_group({"params": [nn.Parameter(torch.ones(1))]})
        MADE[0].param_groups[0]["lr"] = 123.0
        out: Tensor = self.layer(x)
        return out


class OwnRate(torch.optim.SGD):
    """Lowers its own LR in each step."""

    def step(self, closure: Any = None) -> Any:
        """Halve the LR, then update."""
        for group in self.param_groups:
            group["lr"] *= 0.5
        return super().step(closure)


def whole_step(model: nn.Module, batch: Any) -> Tensor:
    """Do what is the sweep's to do: the backward pass."""
    loss = nn.functional.mse_loss(model(batch[0]), batch[1])
    loss.backward()
    return loss


def convolution() -> nn.Module:
    """Make a model of one convolution in float64, for float32 data."""
    layers = nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 1, 4), nn.Flatten()
    return nn.Sequential(*layers).double()
