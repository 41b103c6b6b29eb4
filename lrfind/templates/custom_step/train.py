"""The model, the data and the training step that `lrfind.yaml` names; put your own here.

A denoising autoencoder: the input is made from the image, and the image itself is the target, so
no `loss(model(x), y)` fits. `step(model, batch) -> loss` fits anything: several inputs, several
losses, two networks. The data come with scikit-learn (`pip install 'lrfind[examples]'`).
"""

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset


def build_model(hidden: int = 64) -> nn.Module:
    """Build a fresh model; a sweep calls this once a seed."""
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 64))


def images() -> TensorDataset:
    """Return digits as rows of 64 pixels in 0..1."""
    return TensorDataset(torch.tensor(load_digits().data / 16, dtype=torch.float32))


def step(model: nn.Module, batch: tuple[Tensor]) -> Tensor:
    """Return the loss of one batch; lrfind does backward, clipping and the update."""
    (clean,) = batch
    noisy = clean + 0.3 * torch.randn_like(clean)
    return F.mse_loss(model(noisy), clean)
