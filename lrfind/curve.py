"""What a sweep measured, as plain values that can be saved and read back.

**The pairing rule.** A training step computes the loss of a batch and *then* updates, so the loss
seen at a step shows the effect of the update before it. With L_i the loss seen at step i (weights
w_i) and η_i the LR of the update w_i → w_{i+1}:

    point i of a curve = (η_i, L_{i+1})

Every point pairs an LR with the first loss that its update produced; L_0, which no update
produced, is `initial_loss`. On λx²/2 under plain SGD this makes the first loss that grew stand
exactly at the first LR above 2/λ. With a validation set the loss is measured right after the
update, and the rule holds by itself.

Raw losses are never overwritten: smoothing is derived (`lrfind.smoothing`). Knows neither torch
nor files.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from lrfind.smoothing import Floats, smooth_losses

CSV_COLUMNS = ("seed", "step", "lr", "loss", "smooth", "update_ratio", "stop")
"""Columns of a saved curve, in order; readers ignore columns they do not know."""


class StopReason(StrEnum):
    """Why a sweep ended."""

    COMPLETED = "completed"
    DIVERGED = "diverged"
    NONFINITE = "nonfinite"
    INTERRUPTED = "interrupted"
    EXHAUSTED = "exhausted"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        """What a user should conclude."""
        return _SENTENCES[self]


_SENTENCES = {
    StopReason.COMPLETED: "all steps done",
    StopReason.DIVERGED: "stopped early because the loss diverged",
    StopReason.NONFINITE: "stopped early because the loss became infinite or NaN",
    StopReason.INTERRUPTED: "interrupted; the curve is partial",
    StopReason.EXHAUSTED: "stopped early because the data ran out and cannot be read again",
    StopReason.FAILED: "ended by an error in the model, data or step; the curve is partial",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is known once an update has had its effect; the fields are those of `Step`."""

    loss: float
    grad_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One point of a curve: an update and the loss it produced.

    Attributes:
        index: 0-based count of optimizer updates.
        lr: the LR of the update that produced `loss`.
        loss: raw loss; may be infinite or NaN on the last step of a sweep.
        elapsed_s: seconds since the sweep began.
        grad_norm: ℓ2 norm of all gradients of that update before clipping, where it was measured.
        update_ratio: |Δw| / |w| of that update over all trained parameters, where it was measured.
    """

    index: int
    lr: float
    loss: float
    elapsed_s: float
    grad_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """One finished sweep of one seed.

    Attributes:
        lr: shape `(n,)` float64, increasing.
        loss: shape `(n,)` float64, raw; only the last value may be non-finite.
        seed: the seed of model and data order.
        stop: why the sweep ended.
        initial_loss: the loss before the first update; None in a curve read from CSV.
        elapsed_s: wall time of the sweep; None in a curve read from CSV.
        update_ratio: shape `(n,)`, |Δw| / |w| of each update with ℓ2 norms over all trained
            parameters, NaN where it was not measured; None where it nowhere was.
    """

    lr: Floats
    loss: Floats
    seed: int = 0
    stop: StopReason = StopReason.COMPLETED
    initial_loss: float | None = None
    elapsed_s: float | None = None
    update_ratio: Floats | None = None

    @cached_property
    def smooth(self) -> Floats:
        """The lag-free smoothed loss, shape `(n,)`; see `lrfind.smoothing.smooth_losses`."""
        return smooth_losses(self.lr, self.loss)

    def __len__(self) -> int:
        return len(self.lr)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Curve):
            return NotImplemented
        return (
            self._facts() == other._facts()
            and np.array_equal(self.lr, other.lr)
            and np.array_equal(self.loss, other.loss, equal_nan=True)
            and _equal(self.update_ratio, other.update_ratio)
        )

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[object, ...]:
        # As text, so that a NaN equals itself.
        return (self.seed, self.stop, repr(self.initial_loss), self.elapsed_s, len(self))


class Track:
    """The points of a sweep under way, in 24 bytes each.

    A list of steps would take ten times as much, and the garbage collector would walk it over and
    over. May be looked at from another thread at any time.
    """

    def __init__(self) -> None:
        self._lr, self._ratio, self._loss = array("d"), array("d"), array("d")
        self._elapsed_s = 0.0

    def __len__(self) -> int:
        return len(self._loss)

    def add(self, step: Step) -> None:
        """Take the next point."""
        self._lr.append(step.lr)
        self._ratio.append(math.nan if step.update_ratio is None else step.update_ratio)
        self._elapsed_s = step.elapsed_s
        self._loss.append(step.loss)

    def curve(self, *, seed: int, stop: StopReason, initial_loss: float | None) -> Curve:
        """Give all points so far as a curve."""
        count = len(self)
        lr, ratio, loss = (np.array(part[:count]) for part in (self._lr, self._ratio, self._loss))
        return Curve(
            lr,
            loss,
            seed=seed,
            stop=stop,
            initial_loss=initial_loss,
            elapsed_s=self._elapsed_s,
            update_ratio=None if np.isnan(ratio).all() else ratio,
        )


def ratios_of(values: Sequence[float | None]) -> Floats | None:
    """Stack update ratios, NaN for None; None where no value is left."""
    ratios = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    return None if np.isnan(ratios).all() else ratios


def _equal(mine: Floats | None, other: Floats | None) -> bool:
    if mine is None or other is None:
        return mine is other
    return np.array_equal(mine, other, equal_nan=True)
