"""What an LR is for, and the law from the best constant LR to the best one for a schedule."""

from __future__ import annotations

import math
from typing import Protocol

PEAK_RATIO = 1.8
"""Optimal peak LR of warmup + decay over the optimal constant LR, the same for every rule."""


class Purpose(Protocol):
    """A schedule, as far as a suggestion must know it; `lrfind.schedulers.course` holds them."""

    @property
    def title(self) -> str:
        """Name it, to follow "for": `cosine over 950 steps after 50 of warmup`."""

    @property
    def base_share(self) -> float | None:
        """Divide the lower end of a cycle by its upper one; None for other schedules."""

    def rms_share(self, lr: float, /) -> float:
        """Divide the root mean square of the LR, from the peak on, by the peak; in (0, 1]."""


def peak_ratio(rms_share: float) -> float:
    """Divide the best peak of a schedule by the best constant LR.

    r^(−p) with p = ln 1.8 / ln √(8/3) = 1.2, so that half a cosine, r = √(3/8), has `PEAK_RATIO`,
    and what never decays has 1. With p = 1 the root mean square of the LR would be that of the
    constant one; the data do not tell the two apart. Holding the peak for long counts more than in
    the mean of the LR, which answers too high for staircases.

    Checked on 24 pairs of `benchmarks/suggestion/schedule_law.py` under 17 schedules.

    Args:
        rms_share: r, the root mean square of the LR from the peak on over the peak, in (0, 1].
    """
    return float(rms_share ** (-math.log(PEAK_RATIO) / math.log(math.sqrt(8.0 / 3.0))))
