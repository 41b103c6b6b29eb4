"""A GAN on handwritten digits with Lightning, its two optimizers stepped by hand.

python train.py --epochs 20
"""

import argparse

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Digits(L.LightningDataModule):
    """Images as rows of 64 pixels in -1..1."""

    def __init__(self, batch_size=64):
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage):
        """Read the images."""
        self.images = TensorDataset(torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1)

    def train_dataloader(self):
        """Return shuffled batches."""
        return DataLoader(self.images, self.hparams.batch_size, shuffle=True, drop_last=True)


class Generator(nn.Sequential):
    """Noise to an image."""

    def __init__(self, noise, width):
        super().__init__(
            nn.Linear(noise, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, 64),
            nn.Tanh(),
        )


class Discriminator(nn.Sequential):
    """An image to a score: how real it looks."""

    def __init__(self, width):
        super().__init__(
            nn.Linear(64, width),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )


class GAN(L.LightningModule):
    """Generator and discriminator, trained in turn."""

    def __init__(self, noise=32, width=128, lr_g=2e-4, lr_d=2e-4):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.generator = Generator(noise, width)
        self.discriminator = Discriminator(width)

    def sample(self, count):
        """Generate images."""
        return self.generator(torch.randn(count, self.hparams.noise, device=self.device))

    def training_step(self, batch):
        """Step the generator, then the discriminator."""
        (real,) = batch
        optimizer_g, optimizer_d = self.optimizers()
        schedule_g, schedule_d = self.lr_schedulers()

        self.toggle_optimizer(optimizer_g)
        score = self.discriminator(self.sample(len(real)))
        loss_g = F.binary_cross_entropy_with_logits(score, torch.ones_like(score))
        optimizer_g.zero_grad()
        self.manual_backward(loss_g)
        optimizer_g.step()
        self.untoggle_optimizer(optimizer_g)

        self.toggle_optimizer(optimizer_d)
        score_real = self.discriminator(real)
        score_fake = self.discriminator(self.sample(len(real)).detach())
        loss_real = F.binary_cross_entropy_with_logits(score_real, torch.ones_like(score_real))
        loss_fake = F.binary_cross_entropy_with_logits(score_fake, torch.zeros_like(score_fake))
        loss_d = (loss_real + loss_fake) / 2
        optimizer_d.zero_grad()
        self.manual_backward(loss_d)
        self.clip_gradients(optimizer_d, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
        optimizer_d.step()
        self.untoggle_optimizer(optimizer_d)

        schedule_g.step()
        schedule_d.step()
        self.log_dict({"loss_g": loss_g, "loss_d": loss_d}, prog_bar=True)

    def configure_optimizers(self):
        """Return an optimizer for each network, with its schedule."""
        betas = (0.5, 0.999)
        optimizers = [
            torch.optim.Adam(self.generator.parameters(), self.hparams.lr_g, betas),
            torch.optim.Adam(self.discriminator.parameters(), self.hparams.lr_d, betas),
        ]
        return optimizers, [torch.optim.lr_scheduler.ExponentialLR(o, 0.999) for o in optimizers]


def main():
    """Train from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    L.seed_everything(0)
    L.Trainer(max_epochs=args.epochs).fit(GAN(), datamodule=Digits())


if __name__ == "__main__":
    main()
