"""Predict how a disease progresses: a regression, on scikit-learn's bundled diabetes data.

442 patients, ten measurements each, one score a year later. The data function returns two plain
tensors `(X, y)`; lrfind cuts them into batches itself.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_diabetes
from torch import Tensor, nn


def train_tensors() -> tuple[Tensor, Tensor]:
    """Return measurements `(442, 10)` and scores `(442, 1)`, both standardised.

    Left as they are, scores of 25 to 346 give a mean squared error near 29 000 and gradients to
    match: the LR found would be that of these units, of no use to anyone with other ones.
    """
    measurements, scores = load_diabetes(return_X_y=True, scaled=False)
    X = torch.as_tensor(measurements, dtype=torch.float32)
    # The second axis matters: `(n, 1)` minus `(n,)` would be an `(n, n)` matrix of errors.
    y = torch.as_tensor(scores, dtype=torch.float32).unsqueeze(1)
    return _standardise(X), _standardise(y)


def build_model(hidden: int = 32) -> nn.Module:
    """Build a perceptron with one hidden layer."""
    return nn.Sequential(nn.Linear(10, hidden), nn.Tanh(), nn.Linear(hidden, 1))


def _standardise(columns: Tensor) -> Tensor:
    return (columns - columns.mean(dim=0)) / columns.std(dim=0)
