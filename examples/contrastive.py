"""Learn an image embedding without labels: a contrastive loss through the `step:` hook.

Make two random views of each image; each must recognise its twin among the other views of the
batch (InfoNCE: van den Oord et al., 2018). No `loss(model(x), target)` can say that: the loss
needs the model twice and has no target. `step(model, batch) -> loss` can.
"""

from __future__ import annotations

import math

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset


def images() -> TensorDataset:
    """Return all 1797 digits `(1, 8, 8)` in 0..1, without labels."""
    pixels = torch.as_tensor(load_digits().images, dtype=torch.float32)
    return TensorDataset(pixels.unsqueeze(1) / 16)


def build_encoder(width: int = 64, dimensions: int = 16) -> nn.Module:
    """Build a small convolutional encoder from images to embeddings."""
    return nn.Sequential(
        nn.Conv2d(1, width // 2, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(width // 2 * 4 * 4, width),
        nn.ReLU(),
        nn.Linear(width, dimensions),
    )


def contrastive_step(model: nn.Module, batch: tuple[Tensor]) -> Tensor:
    """Compute the loss of one batch; lrfind does backward, clipping and the update."""
    (images,) = batch
    return info_nce(model(random_view(images)), model(random_view(images)))


def info_nce(first: Tensor, second: Tensor) -> Tensor:
    """Compute the cross-entropy of finding each embedding's twin among the n of the other view.

    It is ln n for embeddings that tell nothing, at the start as well as after an LR so high that
    all embeddings collapse. (With cosine similarities, as in SimCLR, the loss is bounded and steps
    too large undo themselves: a sweep shows no right end.)

    Args:
        first: embeddings of one view, `(n, dimensions)`.
        second: embeddings of the other view, in the same order.
    """
    similarity = first @ second.T / math.sqrt(first.shape[1])
    twin = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(similarity, twin) + F.cross_entropy(similarity.T, twin)) / 2


def random_view(images: Tensor) -> Tensor:
    """Turn, scale and shift each image `(n, 1, 8, 8)` a little, at random."""
    n, device = len(images), images.device
    angle = 0.3 * torch.randn(n, device=device)
    scale = 1 + 0.1 * torch.randn(n, device=device)
    shift = 0.15 * torch.randn(n, 2, device=device)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [cos, -sin, shift[:, 0], sin, cos, shift[:, 1]]
    grid = F.affine_grid(
        torch.stack(rows, dim=1).view(n, 2, 3), list(images.shape), align_corners=False
    )
    return F.grid_sample(images, grid, align_corners=False)
