"""One model in training, as a sweep and its trials drive it: the seam between them and the project.

`TorchTrainable` makes the updates by itself; a framework whose projects make their own brings
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import nn

from lrfind.suggest.answer import Note
from lrfind.workload.copies import Copies
from lrfind.workload.optimizer import SweptOptimizer
from lrfind.workload.phase import Phase
from lrfind.workload.snapshot import Restore


class Training(Protocol):
    """What one seed trains, open.

    Attributes:
        model: on `device`.
        swept: the optimizer whose LR is set.
        phase: what is being done right now: whom to blame for an exception.
        device: where it runs.
        accumulate: batches an update.
        clip_grad_norm: largest ℓ2 norm of all gradients together, where they are clipped for it.
        held_out: fixed batches that `measure` goes through; none: it measures training batches.
    """

    model: nn.Module
    swept: SweptOptimizer
    phase: Phase
    device: torch.device
    accumulate: int
    clip_grad_norm: float | None
    held_out: Sequence[Any]

    @property
    def measures_apart(self) -> bool:
        """Tell whether the curve's loss comes from held-out data instead of the training loss."""

    @property
    def grad_norm(self) -> float | None:
        """ℓ2 norm of the last gradients before clipping, where they are clipped."""

    @property
    def update_ratio(self) -> float | None:
        """|Δw| / |w| of the last update, once the next loss is known; None where not measured."""

    @property
    def queue(self) -> Any:
        """Where steps can be queued without waiting for them; None: each loss is known at once."""

    @property
    def batch_size(self) -> int | None:
        """Samples of an update's batches, once one was seen."""

    @property
    def batch_shape(self) -> str:
        """Describe the tensors of the last batch drawn."""

    @property
    def notes(self) -> list[Note]:
        """What was seen that the user should know."""

    def backward(self) -> float:
        """Compute the next loss and its gradients."""

    def update(self, lr: float) -> bool:
        """Update the weights at this LR; False where the update was skipped."""

    def measure(self) -> float:
        """Compute a loss and train nothing."""

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients together, 0 where there are none."""

    def take(self) -> Any:
        """Draw the next batch as it comes, without training on it."""

    def over(self, batches: Sequence[Any], *, accumulate: int | None = None) -> Training:
        """Make another over a list of batches, read round and round."""

    def checkpoint(self, copies: Copies | None = None) -> Restore:
        """Copy all that training changes; what is returned puts it back, as often as called."""

    def review(self) -> None:
        """Look at the weights once all is done, for numbers that no loss has shown."""

    def close(self) -> None:
        """Let go of the data."""
