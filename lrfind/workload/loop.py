"""What surrounds a step in the training loop that a project was written for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from lrfind.workload.batch import to_device


class Loop(Protocol):
    """The calls that a framework makes around loss, gradients and update, in their order."""

    def move(self, batch: Any) -> Any:
        """Bring a batch to the device."""

    def size(self, drawn: int, accumulate: int) -> int:
        """Say how many batches make the update that begins with batch number `drawn`."""

    def share(self, size: int, accumulate: int) -> int:
        """Say what the sum of the gradients of an update's batches is divided by."""

    def drawn(self, batches: Sequence[Any]) -> None:
        """Take note of the batches, on the device, whose losses come next."""

    def before_forward(self, batch: Any, index: int) -> None:
        """Get ready for a batch that will be trained on."""

    def before_backward(self, loss: Tensor) -> None:
        """Take note of a loss whose gradients are computed next."""

    def after_backward(self) -> None:
        """Take note of the gradients of one batch."""

    def before_step(self) -> None:
        """Look at the gradients of an update, before they are clipped."""

    def after_step(self) -> None:
        """Take note of an update."""


class PlainLoop:
    """A loop with nothing around a step.

    Args:
        device: where batches go.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def move(self, batch: Any) -> Any:
        """Move every tensor of a batch."""
        return to_device(batch, self._device)

    def size(self, drawn: int, accumulate: int) -> int:
        """Take as many as are asked for, across the end of a pass."""
        return accumulate

    def share(self, size: int, accumulate: int) -> int:
        """Take the mean."""
        return size

    def drawn(self, batches: Sequence[Any]) -> None:
        """Do nothing."""

    def before_forward(self, batch: Any, index: int) -> None:
        """Do nothing."""

    def before_backward(self, loss: Tensor) -> None:
        """Do nothing."""

    def after_backward(self) -> None:
        """Do nothing."""

    def before_step(self) -> None:
        """Do nothing."""

    def after_step(self) -> None:
        """Do nothing."""
