"""A loss that no LR changes gets no LR, whatever the optimizer does to the weights meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lrfind import range_test

Loss = Callable[[nn.Module, Tensor], Tensor]


def constant(model: nn.Module, x: Tensor) -> Tensor:
    """Give a loss whose gradient is zero."""
    return 2.3 + 0.0 * model(x).sum()


def jittering(model: nn.Module, x: Tensor) -> Tensor:
    """Give a loss that differs from batch to batch in its last digits."""
    return constant(model, x) + 3e-7 * x.mean()


def noisy(model: nn.Module, x: Tensor) -> Tensor:
    """Give a loss that depends on the batch, and not on the model."""
    return constant(model, x) + x.square().mean()


def summed_to_one(model: nn.Module, x: Tensor) -> Tensor:
    """Give the mean of probabilities that sum to one: a bug whose gradient is rounding alone."""
    return model(x).softmax(-1).sum(-1).mean() + 1.3


def detached(model: nn.Module, x: Tensor) -> Tensor:
    """Give a loss that never changes, with a gradient that moves all weights."""
    out = model(x).mean()
    return out - out.detach() + 2.3


OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {"momentum": 0.9}),
    "adam": ("adam", {"weight_decay": 1e-2}),
    "adamw": ("adamw", {"weight_decay": 1e-2}),
    "adamw, strong decay": ("adamw", {"weight_decay": 1.0}),
}
"""Updates of zero, and updates that come from weight decay alone: normalised, or as they are."""


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", [constant, jittering, noisy, summed_to_one, detached])
def test_a_loss_that_no_lr_changes_gets_no_lr(loss: Loss, optimizer: str) -> None:
    """Within the range and beyond it there is no signal, and never a number."""
    name, args = OPTIMIZERS[optimizer]
    samples = torch.randn(256, 10, generator=torch.Generator().manual_seed(0))
    for plan in ({"auto_range": False}, {"steps": 60}):
        report = range_test(
            lambda: nn.Linear(10, 4),
            list(samples.split(32)),
            optimizer=name,
            optimizer_args=args,
            step=loss,
            device="cpu",
            **{"start_lr": 1e-5, "steps": 100, **plan},
        )

        assert report.suggestion is None
        assert report.no_answer is not None
        assert report.no_answer.verdict == "no-signal"
        assert "check that the loss depends on the parameters" in report.no_answer.remedy
