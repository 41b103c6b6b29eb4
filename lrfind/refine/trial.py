"""One trial training, as a plain value that can be saved and read back. Knows no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """A short training at one LR, and where it ended.

    Attributes:
        lr: the LR that its schedule was built with: the peak of warmup + decay.
        loss: final loss on the fixed evaluation batches; infinite where it diverged.
        steps: optimizer updates it took, the one at which it was cut short counted in.
        diverged: the loss became infinite or NaN, or rose far above where it started.
    """

    lr: float
    loss: float
    steps: int
    diverged: bool
