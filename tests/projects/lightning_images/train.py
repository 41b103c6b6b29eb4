"""Handwritten digits with Lightning: a convolutional classifier, its data module, and training.

python train.py --lr 3e-3 --epochs 10
"""

import argparse

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


class DigitsDataModule(L.LightningDataModule):
    """Images of 8×8 pixels, split into training and validation."""

    def __init__(self, batch_size=64, val_fraction=0.2):
        super().__init__()
        self.save_hyperparameters()

    def prepare_data(self):
        """Would download; scikit-learn brings these along."""
        load_digits()

    def setup(self, stage):
        """Split the data."""
        images, labels = load_digits(return_X_y=True)
        images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
        data = TensorDataset(images, torch.tensor(labels))
        held_out = int(len(data) * self.hparams.val_fraction)
        self.train_data, self.val_data = random_split(data, [len(data) - held_out, held_out])

    def train_dataloader(self):
        """Return shuffled batches."""
        return DataLoader(self.train_data, self.hparams.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self):
        """Return the held-out images."""
        return DataLoader(self.val_data, batch_size=256)


class DigitsClassifier(L.LightningModule):
    """Two convolutions and a linear layer, with an average of the weights beside them."""

    def __init__(self, channels=16, lr=1e-3, weight_decay=0.05, dropout=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(2 * channels * 16, 10)
        self.average = None

    def forward(self, images):
        """Return the logits."""
        return self.head(self.net(images))

    def on_after_batch_transfer(self, batch, dataloader_idx):
        """Add noise to the training images, on the device."""
        images, labels = batch
        if self.trainer.training:
            images = images + 0.05 * torch.randn_like(images)
        return images, labels

    def on_train_start(self):
        """Begin the average at the initial weights."""
        self.average = [p.detach().clone() for p in self.parameters()]

    def training_step(self, batch, batch_idx):
        """Return the loss, and log it with the accuracy and the LR."""
        images, labels = batch
        logits = self(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        self.log("train_loss", loss, prog_bar=True, on_step=True, on_epoch=True)
        self.log_dict(
            {
                "train_accuracy": accuracy,
                "lr": self.trainer.optimizers[0].param_groups[0]["lr"],
                "epoch_progress": self.global_step / self.trainer.num_training_batches,
            }
        )
        return {"loss": loss, "accuracy": accuracy.detach()}

    def on_train_batch_end(self, outputs, batch, batch_idx):
        """Move the average along."""
        assert 0 <= outputs["accuracy"] <= 1
        for mean, parameter in zip(self.average, self.parameters(), strict=True):
            mean.lerp_(parameter.detach(), 0.01)

    def validation_step(self, batch, batch_idx):
        """Log the held-out loss."""
        images, labels = batch
        self.log("val_loss", F.cross_entropy(self(images), labels))

    def configure_optimizers(self):
        """Decay matrices and kernels alone; train the head faster; warm up, then cosine."""
        body = list(self.net.parameters())
        optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in body if p.ndim > 1]},
                {"params": [p for p in body if p.ndim <= 1], "weight_decay": 0.0},
                {"params": self.head.parameters(), "lr": 2 * self.hparams.lr},
            ],
            lr=self.hparams.lr,
            weight_decay=self.hparams.weight_decay,
        )
        steps = self.trainer.estimated_stepping_batches
        warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters=50)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], [50])
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def main():
    """Train from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    L.seed_everything(0)
    trainer = L.Trainer(max_epochs=args.epochs)
    trainer.fit(DigitsClassifier(lr=args.lr), datamodule=DigitsDataModule())


if __name__ == "__main__":
    main()
