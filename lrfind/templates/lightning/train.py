"""The module and the data that `lrfind.yaml` names; put your own here.

Nothing in this file knows of lrfind. The data come with scikit-learn:
`pip install 'lrfind[examples]'`.
"""

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Digits(L.LightningDataModule):
    """Images as rows of 64 pixels in 0..1, with their class."""

    def setup(self, stage: str) -> None:
        """Read the images."""
        images, labels = load_digits(return_X_y=True)
        pixels = torch.tensor(images / 16, dtype=torch.float32)
        self.train_data = TensorDataset(pixels, torch.tensor(labels))

    def train_dataloader(self) -> DataLoader[tuple[torch.Tensor, ...]]:
        """Return shuffled batches."""
        return DataLoader(self.train_data, batch_size=64, shuffle=True)


class Classifier(L.LightningModule):
    """A perceptron."""

    def __init__(self, hidden: int = 64, lr: float = 1e-3) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        loss = F.cross_entropy(self.net(images), labels)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer; a sweep takes all of it but the LR."""
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=0.01)
