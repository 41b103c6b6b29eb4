"""A script in the form of Lightning's documented `lr_find` example.

Written for this test: a LightningModule with a `learning_rate`, its `training_step` and
`configure_optimizers`, and a DataLoader. The config beside it points here, and nothing here
changes for lrfind.
"""

import torch
from lightning.pytorch import LightningModule
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class LitModel(LightningModule):
    """A classifier as one writes it in Lightning."""

    def __init__(self, learning_rate):
        super().__init__()
        self.save_hyperparameters()
        self.learning_rate = learning_rate
        self.model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5))

    def forward(self, x):
        """Return the logits."""
        return self.model(x)

    def training_step(self, batch, batch_idx):
        """Return the loss of one batch."""
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        """Return the optimizer at the learning rate found."""
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


def train_dataloader():
    """Return batches of points, labelled by a random linear rule."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2048, 20, generator=generator)
    y = (x @ torch.randn(20, 5, generator=generator)).argmax(dim=1)
    return DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)


if __name__ == "__main__":
    from lightning.pytorch import Trainer
    from lightning.pytorch.tuner import Tuner

    model = LitModel(learning_rate=1e-3)
    trainer = Trainer(max_epochs=1)
    tuner = Tuner(trainer)
    lr_finder = tuner.lr_find(model, train_dataloader())
    fig = lr_finder.plot(suggest=True)
    model.learning_rate = lr_finder.suggestion()
    trainer.fit(model, train_dataloader())
