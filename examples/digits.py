"""Recognise handwritten digits: the smallest real task, and the one to read first.

Two functions are all that a config needs: one that returns a fresh model and one that returns a
dataset. Nothing here knows of lrfind. The data are scikit-learn's bundled digits: 1797 grey
images of 8 × 8 pixels in ten classes.
"""

from __future__ import annotations

from importlib.metadata import distribution

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

TRAINED = 1437
"""Images to train on. People wrote one after another: those held out come from other hands."""


def train_dataset() -> TensorDataset:
    """Return 1437 images `(1, 8, 8)` in 0..1 with their class."""
    images, labels = _digits()
    return TensorDataset(images[:TRAINED], labels[:TRAINED])


def held_out_dataset() -> TensorDataset:
    """Return the other 360 images, which a validation sweep measures its loss on."""
    images, labels = _digits()
    return TensorDataset(images[TRAINED:], labels[TRAINED:])


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


def _digits() -> tuple[Tensor, Tensor]:
    # `sklearn.datasets.load_digits()` gives the same numbers, but all of scikit-learn and SciPy are
    # imported first, which takes about as long as importing torch. So its file is read instead.
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    rows = torch.as_tensor(np.loadtxt(str(file), np.uint8, delimiter=","))
    return rows[:, :64].reshape(-1, 1, 8, 8) / 16, rows[:, 64].long()
