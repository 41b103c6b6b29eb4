"""The usable points of a curve, before anything is read from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfind.curve import Curve, StopReason
from lrfind.errors import NoSuggestionError
from lrfind.smoothing import Floats, safe_unit
from lrfind.suggest.answer import Verdict

MIN_POINTS = 6
"""Finite losses at distinct LRs below which nothing is read from a curve."""

MIN_DECADES = 0.1
"""Measured span below which nothing is read from a curve."""


@dataclass(frozen=True, slots=True)
class Points:
    """The finite losses of a curve, ordered by LR, one an LR.

    Attributes:
        lr: shape `(n,)`, positive, strictly increasing.
        loss: shape `(n,)`, in units of `unit`.
        unit: see `lrfind.smoothing.safe_unit`.
        exploded_at: LR of the first of the non-finite losses that end the curve.
        update_ratio: shape `(n,)`, |Δw| / |w|, NaN where not measured; None where it nowhere was.
    """

    lr: Floats
    loss: Floats
    unit: float
    exploded_at: float | None
    update_ratio: Floats | None = None


def measured_points(curve: Curve) -> Points:
    """Take from a curve what can be read: finite losses at positive LRs, ordered, one an LR.

    Losses at the same LR are averaged. A saved curve may have been cut, merged or shuffled.
    """
    if _is_plain(curve):
        unit = safe_unit(curve.loss)
        return Points(curve.lr, curve.loss / unit, unit, None, curve.update_ratio)
    usable = np.isfinite(curve.lr) & (curve.lr > 0.0)
    lr, loss = curve.lr[usable], curve.loss[usable]
    order = np.argsort(lr, kind="stable")
    lr, loss = lr[order], loss[order]
    finite = np.isfinite(loss)
    tail = len(loss) - int(np.argmax(finite[::-1])) if finite.any() else 0
    exploded_at = float(lr[tail]) if tail < len(lr) else None
    unit = safe_unit(loss)
    distinct, where = np.unique(lr[finite], return_inverse=True)
    mean = _mean_of(loss[finite] / unit, where, len(distinct))
    ratio = None
    if curve.update_ratio is not None:
        # Of updates at one LR any measured one will do: they differ by far less than by LR.
        ratio = np.full(len(distinct), np.nan)
        found = curve.update_ratio[usable][order][finite]
        measured = np.isfinite(found)
        ratio[where[measured]] = found[measured]
    return Points(distinct, mean, unit, exploded_at, ratio)


def _is_plain(curve: Curve) -> bool:
    """Tell a curve that is nothing but finite losses at LRs that grow: its points are its own."""
    lr = curve.lr
    return bool(
        len(lr)
        and lr[0] > 0.0
        and lr[-1] < math.inf
        and (lr[1:] > lr[:-1]).all()
        and np.isfinite(curve.loss).all()
        and (curve.update_ratio is None or not np.isinf(curve.update_ratio).any())
    )


def _mean_of(values: Floats, where: NDArray[np.intp], groups: int) -> Floats:
    mean = np.zeros(groups)
    np.add.at(mean, where, values)
    mean /= np.maximum(np.bincount(where, minlength=groups), 1)
    return mean


def require_start(curve: Curve) -> None:
    """Refuse a sweep that could not begin.

    Raises:
        NoSuggestionError: the loss was infinite or NaN before any update.
    """
    if len(curve) or curve.initial_loss is None or curve.stop is not StopReason.NONFINITE:
        return
    # With held-out data the training loss may be the one that was not finite.
    value = "infinite or NaN" if math.isfinite(curve.initial_loss) else f"{curve.initial_loss:g}"
    raise NoSuggestionError(
        Verdict.NO_SIGNAL,
        f"the loss was {value} before any update",
        "no LR mends that: look for log(0), a division by 0 or fp16 overflow",
    )


def require_enough(points: Points) -> None:
    """Refuse points from which nothing can be read.

    Raises:
        NoSuggestionError: they are too few, or span too little.
    """
    lr, exploded_at = points.lr, points.exploded_at
    span = decades(float(lr[0]), float(lr[-1])) if len(lr) else 0.0
    if len(lr) >= MIN_POINTS and span >= MIN_DECADES:
        return
    if exploded_at is not None and (span < 1.0 or _is_linear(lr)):
        raise NoSuggestionError(
            Verdict.DIVERGED_AT_START,
            f"the loss became infinite or NaN at {exploded_at:.1e}, after {len(lr)} finite losses",
            "lower sweep.start_lr by two decades or more; if it stays, look for log(0), a division"
            " by 0 or fp16 overflow",
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


def decades(low: float, high: float) -> float:
    """Measure the distance between two LRs in decades."""
    return math.log10(high) - math.log10(low)
