"""How large updates are beside the weights that they move, read from a sweep.

|Δw| / |w| grows about in step with the LR and is hardly noisy, so it tells independently of the
loss how far a sweep has really gone: a loss that rises while updates are tiny is no divergence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.smoothing import Floats, local_linear

SMALL = 0.01
"""Share of the weights below which an update makes nothing diverge, as a rule."""

LARGE = 0.3
"""Share of the weights above which an update leaves little of what was learnt.

Well above the growth of the LR from one update to the next (9 % at 25 a decade): weights that
start at zero are never larger than that beside their updates.
"""

_MIN_POINTS = 6


@dataclass(frozen=True, slots=True)
class Updates:
    """Where the relative size of updates passes two levels.

    Attributes:
        small_until: LR at which it passes `SMALL`.
        large_from: LR at which it passes `LARGE`.

    Beyond the measured range both are told by proportion: twice the LR, twice the update.
    """

    small_until: float
    large_from: float


def read_updates(lr: Floats, ratio: Floats | None, width: float) -> Updates | None:
    """Find where updates stop being small and where they become large.

    The logarithm of the ratio is smoothed as the loss is. None where too little was measured, or
    where updates are large from the start: weights near zero, of which every update is a large
    share.

    Args:
        lr: shape `(n,)`, increasing.
        ratio: shape `(n,)`, |Δw| / |w|; NaN where it was not measured; None where it nowhere was.
        width: of the smoothing kernel, in points.
    """
    if ratio is None:
        return None
    measured = np.isfinite(ratio) & (ratio > 0.0)
    if int(measured.sum()) < _MIN_POINTS or not measured[0]:
        return None
    logs = np.full(len(ratio), np.nan)
    logs[measured] = np.log10(ratio[measured])
    smooth = local_linear(logs, width)[measured]
    large_from = _passes(lr[measured], smooth, math.log10(LARGE))
    if large_from == lr[0]:
        return None
    return Updates(_passes(lr[measured], smooth, math.log10(SMALL)), large_from)


def _passes(lr: Floats, values: Floats, level: float) -> float:
    """Find, in log LR, where `values` first pass `level`; the first LR if at once."""
    above = np.flatnonzero(values > level)
    if len(above) == 0:
        return float(10.0 ** min(math.log10(lr[-1]) + level - float(values[-1]), 308.0))
    i = int(above[0])
    if i == 0:
        return float(lr[0])
    share = (level - float(values[i - 1])) / (float(values[i]) - float(values[i - 1]))
    return math.pow(lr[i - 1], 1.0 - share) * math.pow(lr[i], share)
