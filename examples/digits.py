"""Recognise handwritten digits: the smallest real task, and the one to read first.

Two functions are all that a config needs: one that returns a fresh model and one that returns a
dataset. Nothing here knows of lrfind. The data are scikit-learn's bundled digits: 1797 grey
images of 8 × 8 pixels in ten classes.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import TensorDataset


def train_dataset() -> TensorDataset:
    """Return 1437 images `(1, 8, 8)` in 0..1 with their class."""
    return TensorDataset(*_split()[0])


def held_out_dataset() -> TensorDataset:
    """Return the other 360 images, which a validation sweep measures its loss on."""
    return TensorDataset(*_split()[1])


def build_model(hidden: int = 64) -> nn.Module:
    """Build a multilayer perceptron with two hidden layers.

    A factory, not a model: each seed of a sweep calls it again for new initial weights.
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 10),
    )


def build_cnn(channels: int = 16) -> nn.Module:
    """Build a small convolutional network."""
    return nn.Sequential(
        nn.Conv2d(1, channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * channels * 4 * 4, 10),
    )


def _split() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    images, labels = load_digits(return_X_y=True)
    # The split has a seed of its own, so that every seed of a sweep sees the same two sets.
    x_train, x_held_out, y_train, y_held_out = train_test_split(
        images / 16, labels, test_size=0.2, stratify=labels, random_state=0
    )
    return (_image_tensor(x_train), torch.as_tensor(y_train)), (
        _image_tensor(x_held_out),
        torch.as_tensor(y_held_out),
    )


def _image_tensor(images: object) -> Tensor:
    return torch.as_tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8)
