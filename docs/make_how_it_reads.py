"""Draw the pictures of docs/how-it-reads-the-curve.md from real sweeps.

Run `python docs/make_how_it_reads.py` after a change of the rule or the picture: half a minute on
one core. Needs scikit-learn for its digits. What the page says of a picture is written by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lrfind.api import range_test
from lrfind.plot import save_plot
from lrfind.report import Report

IMAGES = Path(__file__).parent / "images"
DPI = 100
"""Enough for a page, and small enough for a repository."""

TRAINED_STEPS = 2000


def samples() -> TensorDataset:
    """Scikit-learn's 1797 handwritten digits, pixels from 0 to 1."""
    pixels, labels = load_digits(return_X_y=True)
    return TensorDataset(torch.tensor(pixels / 16.0).float(), torch.tensor(labels))


def loader(batch_size: int) -> DataLoader[tuple[Tensor, ...]]:
    """Shuffle by the sweep's seed."""
    return DataLoader(samples(), batch_size, shuffle=True, drop_last=True)


def fresh() -> nn.Module:
    """Make a small classifier."""
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def trained() -> nn.Module:
    """Make the same classifier, trained until nothing is left to gain."""
    torch.manual_seed(1)
    model = fresh()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    steps = 0
    while steps < TRAINED_STEPS:
        for inputs, labels in loader(64):
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(model(inputs), labels))
            optimizer.step()
            steps += 1
    return model


def sweep(model: Any = fresh, batch_size: int = 64, **options: Any) -> Report:
    """Sweep as the command line would."""
    return range_test(
        model,
        loader(batch_size),
        "cross_entropy",
        optimizer="adamw",
        device="cpu",
        **options,
    )


def main() -> None:
    """Draw the four curves, and say what was read from each."""
    torch.set_num_threads(1)
    reports = {
        "clean": sweep(),
        "noisy": sweep(batch_size=4),
        "flat": sweep(trained),
        "never-diverged": sweep(end_lr=3e-3, auto_range=False),
    }
    for name, report in reports.items():
        save_plot(report, IMAGES / f"reading-{name}.png", dpi=DPI)
        print(f"{name}: {report.suggestion}")


if __name__ == "__main__":
    main()
