"""Lightning modules that differ in one thing each."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


def loader(count: int = 64) -> DataLoader[Any]:
    """Batch a linear relation."""
    x = torch.linspace(-1, 1, count * 2).reshape(count, 2)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)


def module_class(package: Any) -> Any:
    """Make a linear model with its own loader, a LightningModule of this package."""

    class Linear(package.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self, optimizers: Any = None) -> None:
            super().__init__()
            self.net = nn.Linear(2, 1)
            self.optimizers_of = optimizers
            self.called: list[str] = []

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.log("loss", 1.0)
            self.log_dict({"epoch": float(self.current_epoch), "step": float(self.global_step)})
            return functional.mse_loss(self.net(batch[0].to(self.device)), batch[1])

        def configure_optimizers(self) -> Any:
            if self.optimizers_of is None:
                return torch.optim.SGD(self.parameters(), lr=0.1)
            return self.optimizers_of(list(self.parameters()))

        def train_dataloader(self) -> Any:
            return loader()

    return Linear
