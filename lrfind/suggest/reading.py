"""What one curve shows: its fall, its minimum and its rise, each against its own noise.

Every rule reads these features and nothing else, so that all of them agree on what was seen. The
loss is shifted and scaled before anything is compared, positions are thresholds crossed rather
than bare extrema, and the grid is even in log LR: a constant added to the loss, a factor on it or
on the LR, and a linear instead of an exponential sweep change nothing but rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.smoothing import (
    Floats,
    clip_spikes,
    kernel_width,
    local_linear,
    noise_scale,
    running_median,
    safe_unit,
    starting_count,
    starting_loss,
)
from lrfind.suggest.answer import Verdict

MIN_POINTS = 6
"""Finite losses at distinct LRs below which nothing is read from a curve."""

MIN_DECADES = 0.1
"""Measured span below which nothing is read from a curve."""

CLEAR = 5.0
"""Standard errors that a fall or a rise must exceed to be believed.

The smooth curve's minimum over pure noise lies 2 to 4 of them below its start by chance.
"""

RISE = 0.3
"""Share of the fall that must be lost again to call it a rise."""

_TIE = 1e-6
"""Share of the smooth curve's extent within which two values count as equal."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A rule's answer for one curve.

    Attributes:
        lr: the LR for training at a constant LR.
        why: the rule in a few words with its numbers, to end the sentence `loss fell …; `.
    """

    lr: float
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The features of one curve.

    Attributes:
        lr: shape `(n,)`, positive, evenly spaced in log LR over the measured range.
        smooth: shape `(n,)`, the lag-free smooth loss without the divergence spike, minus its
            starting level.
        drop: how far it fell from its starting level to its minimum; 0 where the lowest point
            is the start itself.
        error: standard error of `drop`.
        min_lr: LR of the minimum.
        rise_lr: first LR behind the minimum where the loss has clearly risen, by at least `RISE`
            of the drop, or became non-finite; None where it never did.
        points: finite losses at distinct LRs that were read.
        exploded: the last loss is infinite or NaN.
    """

    lr: Floats
    smooth: Floats
    drop: float
    error: float
    min_lr: float
    rise_lr: float | None
    points: int
    exploded: bool

    @property
    def start_lr(self) -> float:
        """Lowest LR measured."""
        return float(self.lr[0])

    @property
    def end_lr(self) -> float:
        """Highest LR measured with a finite loss."""
        return float(self.lr[-1])

    @property
    def signal(self) -> float:
        """The drop in standard errors; infinite for a drop without noise, 0 without a drop."""
        if self.drop <= 0.0:
            return 0.0
        return self.drop / self.error if self.error > 0.0 else math.inf

    @property
    def fell(self) -> bool:
        """Tell a fall from noise."""
        return self.signal >= CLEAR

    @property
    def step_decades(self) -> float:
        """Distance between neighbours on the grid."""
        return math.log10(self.end_lr / self.start_lr) / (len(self.lr) - 1)

    def require_fall(self) -> None:
        """Refuse a rule that looks for the fall where there is none.

        Raises:
            NoSuggestionError: the loss did not fall clearly.
        """
        if not self.fell:
            raise NoSuggestionError(
                Verdict.NO_SIGNAL,
                f"loss fell {self.drop:.2g}, within its noise ({self.signal:.1f} σ), and this"
                " rule reads the fall",
                "try the methods auto or before_rise, or raise data.batch_size and sweep.steps",
            )

    def fallen(self, share: float) -> float:
        """Find the LR where `share` of the drop is reached for good on the way to the minimum.

        The last crossing before the minimum, so that an early dip of noise does not count;
        interpolated in log LR.
        """
        end = int(np.searchsorted(self.lr, self.min_lr))
        above = np.flatnonzero(self.smooth[: end + 1] > -share * self.drop)
        if len(above) == 0:
            return self.start_lr
        return _crossing(self.lr, self.smooth, int(above[-1]), -share * self.drop)


def read_curve(curve: Curve) -> Reading:
    """Read the features of one curve.

    Raises:
        NoSuggestionError: too few finite losses, or too narrow a range, to see anything.
    """
    lr, loss, exploded_at = _measured(curve)
    _require_enough(lr, loss, exploded_at)
    unit = safe_unit(loss)
    level = float(np.median(loss / unit))
    loss = loss / unit - level
    clipped = clip_spikes(loss)
    width = kernel_width(lr)
    start = starting_loss(loss)
    count = starting_count(len(loss))
    # The start is a median of `count` losses, the minimum a fit over 2 √π · width of them.
    sigma = max(_noise(clipped), 16 * np.finfo(np.float64).eps * abs(level))
    error = sigma * math.sqrt(1.57 / count + 1.0 / (2.0 * math.sqrt(math.pi) * width))
    x = np.log10(lr)
    grid = np.linspace(x[0], x[-1], len(lr))
    smooth = np.interp(grid, x, local_linear(clipped, width)) - start
    largest = np.finfo(np.float64).max / unit
    smooth = np.clip(smooth, -largest, largest)
    lowest = _first_lowest(smooth)
    # A minimum inside the stretch that defines the start is no fall: the loss only rose.
    settled = grid[lowest] > x[count - 1]
    drop = max(0.0, -float(smooth[lowest])) if settled else 0.0
    measured = 10.0**grid
    measured[0], measured[-1] = lr[0], lr[-1]
    rise_lr = _rise(measured, smooth, lowest, max(RISE * drop, CLEAR * error))
    if rise_lr is None and exploded_at is not None:
        rise_lr = exploded_at
    return Reading(
        lr=measured,
        smooth=smooth * unit,
        drop=drop * unit,
        error=min(error, largest) * unit,
        min_lr=float(measured[lowest]),
        rise_lr=rise_lr,
        points=len(lr),
        exploded=exploded_at is not None,
    )


def _measured(curve: Curve) -> tuple[Floats, Floats, float | None]:
    """Order the finite losses by LR, one an LR, and say where the loss exploded at the end."""
    usable = np.isfinite(curve.lr) & (curve.lr > 0.0)
    finite = usable & np.isfinite(curve.loss)
    exploded_at = None
    if usable.any() and finite[usable].size and not finite[usable][-1]:
        last = int(np.flatnonzero(finite)[-1]) if finite.any() else -1
        exploded_at = float(curve.lr[last + 1 :][usable[last + 1 :]][0])
    lr, where = np.unique(curve.lr[finite], return_inverse=True)
    counts = np.bincount(where, minlength=len(lr))
    # Dividing first keeps the sum of repeated losses near the largest float finite.
    loss = np.zeros(len(lr))
    np.add.at(loss, where, curve.loss[finite] / counts[where])
    return lr, loss, exploded_at


def _require_enough(lr: Floats, loss: Floats, exploded_at: float | None) -> None:
    span = math.log10(float(lr[-1]) / float(lr[0])) if len(lr) else 0.0
    if len(lr) >= MIN_POINTS and span >= MIN_DECADES:
        return
    if exploded_at is not None and (span < 1.0 or _is_linear(lr)):
        raise NoSuggestionError(
            Verdict.DIVERGED_AT_START,
            f"the loss became non-finite at {exploded_at:.1e}, after {len(lr)} finite losses",
            "lower sweep.start_lr by two decades or more",
        )
    if len(lr) >= MIN_POINTS:
        raise NoSuggestionError(
            Verdict.NO_SIGNAL,
            f"the sweep covers {span:.2g} decades, from {lr[0]:.1e} to {lr[-1]:.1e}",
            "widen it: lower sweep.start_lr or raise sweep.end_lr",
        )
    raise NoSuggestionError(
        Verdict.NO_SIGNAL,
        f"the sweep has {len(lr)} finite losses at distinct LRs; a reading needs {MIN_POINTS}",
        "take more steps, e.g. --set sweep.steps=200",
    )


def _is_linear(lr: Floats) -> bool:
    """Tell LRs that are evenly spaced themselves, not in their logarithm."""
    gaps = np.diff(lr)
    return len(gaps) >= 2 and float(np.ptp(gaps)) <= 1e-3 * float(gaps.max())


def _noise(clipped: Floats) -> float:
    """Estimate the batch noise, also where most neighbouring losses are equal (quantised)."""
    sigma = noise_scale(clipped)
    if sigma > 0.0:
        return sigma
    return float(np.sqrt(np.mean((clipped - running_median(clipped)) ** 2)))


def _first_lowest(values: Floats) -> int:
    tie = _TIE * float(np.ptp(values))
    return int(np.flatnonzero(values <= float(values.min()) + tie)[0])


def _rise(lr: Floats, smooth: Floats, lowest: int, height: float) -> float | None:
    level = float(smooth[lowest]) + height
    above = np.flatnonzero(smooth[lowest:] > level)
    if len(above) == 0 or above[0] == 0:
        return None
    return _crossing(lr, smooth, lowest + int(above[0]) - 1, level)


def _crossing(lr: Floats, values: Floats, i: int, level: float) -> float:
    """Interpolate, in log LR, where `values` passes `level` between points i and i + 1."""
    if i + 1 >= len(lr):
        return float(lr[-1])
    share = (level - float(values[i])) / (float(values[i + 1]) - float(values[i]))
    ratio = float(lr[i + 1]) / float(lr[i])
    return float(lr[i] * math.pow(ratio, min(max(share, 0.0), 1.0)))
