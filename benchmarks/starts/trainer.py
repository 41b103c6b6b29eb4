"""The same work with Lightning's Trainer and Tuner."""

from __future__ import annotations

import sys
from pathlib import Path

import lightning
import torch
from digits import build_model, train_dataset
from lightning.pytorch.tuner import Tuner
from torch import Tensor, nn
from torch.utils.data import DataLoader


class Digits(lightning.LightningModule):
    """The perceptron of the digits example."""

    def __init__(self) -> None:
        super().__init__()
        self.lr = 1e-7
        self.model = build_model()

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(self.model(images), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=0.01)


torch.manual_seed(0)
out = Path(sys.argv[1])
trainer = lightning.Trainer(
    accelerator="cpu", logger=False, enable_checkpointing=False, default_root_dir=out
)
loader = DataLoader(train_dataset(), batch_size=64, shuffle=True)
finder = Tuner(trainer).lr_find(Digits(), loader, min_lr=1e-7, max_lr=10, num_training=100)
figure = finder.plot(suggest=True)
figure.savefig(out / "curve.png", dpi=200)
