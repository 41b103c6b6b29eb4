"""Find the critic's LR of a small generative adversarial network, through the `step:` hook.

A Wasserstein GAN with gradient penalty (Gulrajani et al., 2017). Its critic takes several steps to
each one of the generator, so its LR is measured against a generator that holds still. Most GANs
cannot be swept at all: the loss of two players says little about either (what one gains the other
loses), and a discriminator that wins takes its loss to zero at any LR. This critic's loss means
something: it falls as the critic learns, below zero, and explodes when the LR is too high.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import TensorDataset


def images() -> TensorDataset:
    """Return all 1797 digits as rows of 64 pixels in −1..1, the range of the generator's tanh."""
    pixels = torch.as_tensor(load_digits().data, dtype=torch.float32)
    return TensorDataset(pixels / 8 - 1)


class GAN(nn.Module):
    """A generator of 8 × 8 images and a critic that scores how real an image looks.

    Args:
        noise: size of the generator's input.
        hidden: width of both networks.
    """

    def __init__(self, noise: int = 16, hidden: int = 128) -> None:
        super().__init__()
        self.noise = noise
        self.generator = nn.Sequential(
            nn.Linear(noise, hidden), nn.ReLU(), nn.Linear(hidden, 64), nn.Tanh()
        )
        self.critic = nn.Sequential(nn.Linear(64, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def fakes(self, n: int, device: torch.device) -> Tensor:
        """Generate n images, as rows of 64 pixels."""
        return self.generator(torch.randn(n, self.noise, device=device))


def critic_step(model: GAN, batch: tuple[Tensor]) -> Tensor:
    """Compute the critic's loss, E[D(fake)] − E[D(real)] + 10 · E[(‖∇D‖ − 1)²].

    Without its last term it estimates minus the distance between fake and real images, so a
    critic that learns takes it below zero.
    """
    (real,) = batch
    with torch.no_grad():  # the generator holds still: it gets no gradient, hence no update
        fake = model.fakes(len(real), real.device)
    gap = model.critic(fake).mean() - model.critic(real).mean()
    return gap + 10 * gradient_penalty(model.critic, real, fake)


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Compute E[(‖∇D(x)‖ − 1)²] at random points x between the rows of `real` and of `fake`."""
    mix = torch.rand(len(real), 1, device=real.device)
    points = (mix * real + (1 - mix) * fake).requires_grad_()
    # create_graph: the penalty is itself differentiated in the backward pass that follows.
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()
