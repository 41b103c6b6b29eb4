"""Train a GAN on scikit-learn's handwritten digits, with one optimizer a network.

The alternation follows the usual recipe: a step of the discriminator on real and generated
images, then one of the generator while the discriminator is frozen.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

NOISE = 32


class DigitImages(Dataset):
    """The digits as 64 pixels in -1..1; a GAN needs no labels."""

    def __init__(self):
        self.pixels = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return self.pixels[index]


class Generator(nn.Sequential):
    """Noise to an image."""

    def __init__(self, width=128):
        super().__init__(
            nn.Linear(NOISE, width),
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

    def __init__(self, width=128):
        super().__init__(
            nn.Linear(64, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )


class GAN(nn.Module):
    """Both networks and their losses."""

    def __init__(self, width=128):
        super().__init__()
        self.generator = Generator(width)
        self.discriminator = Discriminator(width)

    def sample(self, count):
        """Generate images."""
        device = next(self.parameters()).device
        return self.generator(torch.randn(count, NOISE, device=device))

    def discriminator_loss(self, real):
        """Binary cross-entropy on real images (smoothed to 0.9) and generated ones."""
        self.discriminator.requires_grad_(True)
        fake = self.sample(len(real)).detach()
        real_score, fake_score = self.discriminator(real), self.discriminator(fake)
        real_loss = F.binary_cross_entropy_with_logits(real_score, torch.full_like(real_score, 0.9))
        fake_loss = F.binary_cross_entropy_with_logits(fake_score, torch.zeros_like(fake_score))
        return real_loss + fake_loss

    def generator_loss(self, real):
        """The non-saturating loss: generated images shall be taken for real ones."""
        self.discriminator.requires_grad_(False)
        score = self.discriminator(self.sample(len(real)))
        return F.binary_cross_entropy_with_logits(score, torch.ones_like(score))


def configure_optimizers(gan, lr_d=2e-4, lr_g=2e-4):
    """Return an optimizer for each network."""
    betas = (0.5, 0.999)
    return (
        torch.optim.Adam(gan.discriminator.parameters(), lr=lr_d, betas=betas),
        torch.optim.Adam(gan.generator.parameters(), lr=lr_g, betas=betas),
    )


def main(epochs=20, batch_size=64):
    """Train both networks in turn."""
    torch.manual_seed(0)
    gan = GAN()
    loader = DataLoader(DigitImages(), batch_size, shuffle=True, drop_last=True)
    optimizer_d, optimizer_g = configure_optimizers(gan)
    for epoch in range(epochs):
        for real in loader:
            loss_d = gan.discriminator_loss(real)
            optimizer_d.zero_grad()
            loss_d.backward()
            optimizer_d.step()

            loss_g = gan.generator_loss(real)
            optimizer_g.zero_grad()
            loss_g.backward()
            optimizer_g.step()
        print(f"epoch {epoch + 1}: discriminator {loss_d:.3f}, generator {loss_g:.3f}")


if __name__ == "__main__":
    main()
