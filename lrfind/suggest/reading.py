"""What one curve shows: its fall, its minimum and its rise, each against its own noise.

Every rule reads these features and nothing else, so that all of them agree on what was seen. The
loss is shifted and scaled before anything is compared, positions are thresholds crossed rather
than bare extrema, and the grid is even in log LR: a constant added to the loss, a factor on it or
on the LR, and a linear instead of an exponential sweep change nothing but rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.smoothing import (
    WIDTH_DECADES,
    Floats,
    ceiling,
    kernel_width,
    local_linear,
    noise_scale,
    running_median,
    starting_count,
    starting_loss,
)
from lrfind.suggest.answer import Verdict
from lrfind.suggest.points import decades, measured_points, require_enough, require_start
from lrfind.suggest.updates import Updates, read_updates

CLEAR = 4.5
"""Standard errors that a fall must exceed to be believed.

Over pure noise the smooth curve's minimum lies 1.1 of them below its start in the median, and
3.7 at the 99th percentile (50 to 1000 points).
"""

CLEAR_RISE = 5.0
"""The same for a rise, which may be seen at the end of the curve, where a fit is less certain."""

RISE = 0.3
"""Share of the fall that must be lost again to call it a rise."""

ABANDONED = (0.5, 0.75)
"""Shares of the whole fall: a valley that deep ends for good where that much is lost again."""

OUTLIER = 4.0
"""Batch standard deviations from the running median beyond which one loss counts no further."""

ROUNDING = 4
"""Last digits of a loss that are not read: the order of a sum moves a few of them."""

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
        updates: how large updates were beside the weights; None where that was not measured.
        broke: no rise was seen: `rise_lr` is where the loss became infinite or NaN.
    """

    lr: Floats
    smooth: Floats
    drop: float
    error: float
    min_lr: float
    rise_lr: float | None
    points: int
    exploded: bool
    updates: Updates | None = None
    broke: bool = False

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
    def rose_early(self) -> bool:
        """Tell a rise that came while updates were too small to make anything diverge."""
        if self.rise_lr is None or self.updates is None:
            return False
        return self.updates.small_until > self.rise_lr

    @property
    def ignored_updates(self) -> bool:
        """Tell a loss that held while updates replaced the weights, and then became NaN.

        It does not depend on the weights, and what broke was an overflow. Within what smoothing
        blurs, the two may be one divergence, too sudden for a rise to be seen.
        """
        if self.fell or not self.broke or self.rise_lr is None or self.updates is None:
            return False
        return decades(self.updates.large_from, self.rise_lr) > 2.0 * WIDTH_DECADES

    @property
    def step_decades(self) -> float:
        """Distance between neighbours on the grid."""
        return decades(self.start_lr, self.end_lr) / (len(self.lr) - 1)

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


Read = Callable[[Curve], Reading]
"""`read_curve`, or a form of it that remembers."""


def read_curve(curve: Curve) -> Reading:
    """Read the features of one curve.

    Raises:
        NoSuggestionError: too few finite losses, or too narrow a range, to see anything.
    """
    points = measured_points(curve)
    require_start(curve)
    require_enough(points)
    lr, unit = points.lr, points.unit
    level = float(np.median(points.loss))
    loss = points.loss - level
    explosion = ceiling(loss)
    clipped = np.minimum(loss, explosion)
    width = kernel_width(lr)
    start = starting_loss(loss)
    count = starting_count(len(loss))
    sigma = max(_noise(loss[loss <= explosion]), ROUNDING * _resolution(points.loss) * abs(level))
    clipped = _without_outliers(clipped, sigma)
    x = np.log10(lr)
    grid = np.linspace(x[0], x[-1], len(lr))
    smooth = np.interp(grid, x, local_linear(clipped, width)) - start
    largest = np.finfo(np.float64).max / unit / 4.0  # so that differences stay finite
    smooth = np.clip(smooth, -largest, largest)
    lowest = _valley(smooth, CLEAR_RISE * _error(sigma, sigma, count, width))
    near = np.abs(np.arange(len(lr)) - np.argmin(np.abs(x - grid[lowest]))) <= round(2.0 * width)
    # Noise often grows with the LR, and a fall must exceed what it is where the minimum lies.
    error = _error(sigma, max(sigma, noise_scale(loss[near & (loss <= explosion)])), count, width)
    # A minimum inside the stretch that defines the start is no fall: the loss only rose.
    settled = grid[lowest] > x[count - 1]
    drop = max(0.0, -float(smooth[lowest])) if settled else 0.0
    measured = np.concatenate([lr[:1], 10.0 ** grid[1:-1], lr[-1:]])
    rise_lr = _rise(measured, smooth, lowest, max(RISE * drop, CLEAR_RISE * error))
    broke = rise_lr is None and points.exploded_at is not None
    if rise_lr is None:
        # A sweep stops at its explosion, which may be its last loss alone: smoothing hides that.
        burst = float(lr[-1]) if loss[-1] > max(explosion, start + 6.0 * sigma) else None
        rise_lr = points.exploded_at if points.exploded_at is not None else burst
    return Reading(
        lr=measured,
        smooth=smooth * unit,
        drop=drop * unit,
        error=min(error, largest) * unit,
        min_lr=float(measured[lowest]),
        rise_lr=rise_lr,
        points=len(lr),
        exploded=points.exploded_at is not None,
        updates=read_updates(lr, points.update_ratio, width),
        broke=broke,
    )


def _error(at_start: float, at_minimum: float, count: int, width: float) -> float:
    """Compute the standard error of a drop from the batch noise at both of its ends.

    The start is a median of `count` losses, the minimum a fit over 2 √π · width of them.
    """
    fitted = 2.0 * math.sqrt(math.pi) * width
    return math.sqrt(1.57 * at_start**2 / count + at_minimum**2 / fitted)


def _valley(smooth: Floats, height: float) -> int:
    """Find the lowest point of the first valley, or of all where none is abandoned.

    A loss that has lost its fall again goes down a second time where the first explosion has left
    a model that only repairs itself: dead units, weights of another size. LRs behind it are not
    LRs to start with.
    """
    lowest = _first_lowest(smooth)
    whole = -float(smooth[lowest])
    running = np.minimum.accumulate(smooth)
    deep, lost = ABANDONED
    ended = (running <= -deep * whole) & (smooth - running > max(lost * whole, height))
    first = int(np.argmax(ended))
    return _first_lowest(smooth[:first]) if ended[first] and first < lowest else lowest


def _noise(loss: Floats) -> float:
    """Estimate the batch noise, also where most neighbouring losses are equal (quantised)."""
    sigma = noise_scale(loss)
    if sigma > 0.0 or len(loss) == 0:
        return sigma
    return float(np.sqrt(np.mean((loss - running_median(loss)) ** 2)))


def _resolution(loss: Floats) -> float:
    """Tell the precision that losses were computed in: single where all of them fit, else double.

    As a relative distance between neighbours.
    """
    with np.errstate(over="ignore"):
        is_single = np.array_equal(loss.astype(np.float32), loss)
    return float(np.finfo(np.float32 if is_single else np.float64).eps)


def _without_outliers(loss: Floats, sigma: float) -> Floats:
    """Bring single batches, lucky or unlucky, to within `OUTLIER` σ of their neighbours' median."""
    centre = running_median(loss)
    return np.clip(loss, centre - OUTLIER * sigma, centre + OUTLIER * sigma)


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
    share = min(max(share, 0.0), 1.0)
    return math.pow(lr[i], 1.0 - share) * math.pow(lr[i + 1], share)
