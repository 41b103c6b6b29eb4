"""The model and the data that `lrfind.yaml` names; put your own here.

Nothing in this file knows of lrfind. The data come with scikit-learn:
`pip install 'lrfind[examples]'`.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

HELD_OUT = 360


def build_model(hidden: int = 64) -> nn.Module:
    """Build a fresh model; a sweep calls this once a seed."""
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def train_dataset() -> TensorDataset:
    """Return images as rows of 64 pixels in 0..1, with their class."""
    images, labels = _digits()
    return TensorDataset(images[:-HELD_OUT], labels[:-HELD_OUT])


def held_out_dataset() -> TensorDataset:
    """Return images that training never sees, for a validation sweep."""
    images, labels = _digits()
    return TensorDataset(images[-HELD_OUT:], labels[-HELD_OUT:])


def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
