"""One trial training, as a plain value that can be saved and read back. Knows no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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

    def to_data(self) -> dict[str, Any]:
        """Turn it into plain data; an infinite loss becomes text, since JSON has no such number."""
        return asdict(self) | {"loss": self.loss if math.isfinite(self.loss) else str(self.loss)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Trial:
        """Read back what `to_data` wrote."""
        return cls(
            lr=float(data["lr"]),
            loss=float(data["loss"]),
            steps=int(data["steps"]),
            diverged=bool(data["diverged"]),
        )
