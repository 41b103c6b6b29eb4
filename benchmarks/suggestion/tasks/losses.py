"""Losses of the tasks: `(model, batch) -> scalar`, without chance or branches, so they stack."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.suggestion.tasks.task import Batch

TEMPERATURE = 0.2
"""Of the contrastive loss."""


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    """Classify `(x, class)`."""
    x, y = batch
    return F.cross_entropy(model(x), y)


def cool_cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    """Classify with logits a twentieth their size, so that plain SGD wants a large LR."""
    x, y = batch
    return F.cross_entropy(model(x) / 20.0, y)


def squared(model: nn.Module, batch: Batch) -> Tensor:
    """Regress `(x, target)`."""
    x, y = batch
    return F.mse_loss(model(x), y)


def reconstruction(model: nn.Module, batch: Batch) -> Tensor:
    """Rebuild the input, whatever else the batch holds."""
    return F.mse_loss(model(batch[0]), batch[0])


def rating(model: nn.Module, batch: Batch) -> Tensor:
    """Predict `(row, column, value)`."""
    i, j, value = batch
    return F.mse_loss(model(i, j), value)


def next_character(model: nn.Module, batch: Batch) -> Tensor:
    """Predict the last character of each window from those before it."""
    (ids,) = batch
    return F.cross_entropy(model(ids[:, :-1]), ids[:, -1])


def every_next_character(model: nn.Module, batch: Batch) -> Tensor:
    """Predict each character of a window from those before it."""
    (ids,) = batch
    return F.cross_entropy(model(ids[:, :-1]).transpose(1, 2), ids[:, 1:])


def contrastive(model: nn.Module, batch: Batch) -> Tensor:
    """Tell the other view of a sample from the other samples (van den Oord et al., 2018)."""
    first, second = (F.normalize(model(view), dim=-1) for view in batch)
    return F.cross_entropy(first @ second.T / TEMPERATURE, torch.arange(len(batch[0])))


def quadratic(model: nn.Module, batch: Batch) -> Tensor:
    """½ Σ hᵢ xᵢ² with hᵢ from 1 to 1/1000, its gradient perturbed by the batch's mean."""
    (noise,) = batch
    x: Tensor = model()
    curvature = torch.logspace(0.0, -3.0, len(x))
    return (0.5 * curvature * x.square() + 0.5 * curvature.sqrt() * x * noise.mean(0)).sum()


def gaussian_nll(model: nn.Module, batch: Batch) -> Tensor:
    """Fit mean and log-variance: −log density, negative from the start for small targets."""
    x, y = batch
    mean, log_variance = model(x).chunk(2, -1)
    log_variance = log_variance - 3.0
    loss: Tensor = 0.5 * (log_variance + (y - mean).square() * torch.exp(-log_variance))
    return loss.mean()


def negative_log_density(model: nn.Module, batch: Batch) -> Tensor:
    """Fit a model that returns log-densities."""
    log_density: Tensor = model(batch[0])
    return -log_density.mean()
