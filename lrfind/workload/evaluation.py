"""Model and optimizer in evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim import Optimizer

from lrfind.workload.optimizer import switch_mode


@contextmanager
def evaluating(model: nn.Module, optimizer: Optimizer) -> Iterator[None]:
    """Record no gradients and evaluate; afterwards each module has the mode it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    switch_mode(optimizer, "eval")
    try:
        with torch.no_grad():
            yield
    finally:
        switch_mode(optimizer, "train")
        for module, mode in modes:
            module.training = mode
