"""How far a new answer may lie from the pinned one before it counts as another.

The seeds of a pin show how much an answer moves for no reason. With n seeds whose answers have the
standard deviation s in decades, the median of them has about s·√(π/2n), and the distance between
two such medians √2 times that. So that a check whose seeds have nothing to do with the pin's
alarms once in a hundred,

    tolerance = t(.995, ν₀ + n − 1) · √(π/n) · s′     s′² = (ν₀ s₀² + (n − 1) s²) / (ν₀ + n − 1)

t is the quantile of Student's distribution. A few seeds may agree by luck, so their variance is
joined with the rule's own, s₀ with the weight of ν₀ seeds (the moderated variance of Smyth 2004,
"Linear models and empirical Bayes methods"). A check on the machine of its pin takes the same
seeds and finds the same answers; the tolerance is for other machines, threads and versions, which
at worst make the seeds independent. Fails, by too wide a gate, where the seeds are far apart: the
pin says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, variance

USUAL_DECADES = 0.06
"""s₀: standard deviation of the default rule's answer from seed to seed, typical of small tasks."""

USUAL_NOISE_DECADES = 0.12
"""The same of the loss's noise from batch to batch."""

USUAL_WEIGHT = 3
"""ν₀: degrees of freedom that s₀ counts for."""

CONFIDENCE = 0.995
"""Quantile of either side."""

WIDEST_DECADES = 1.0
"""Tolerance that is not passed: a gate as wide as a decade lets through what it is there for."""

WIDE_DECADES = 0.4
"""Tolerance above which a pin tells that its gate is wide."""


def tolerance_decades(values: Sequence[float], usual: float = USUAL_DECADES) -> float:
    """Derive a tolerance from what a pin's seeds found, in decades.

    A single value, or none, has the usual spread.

    Args:
        values: positive: LRs, or shares of noise.
        usual: s₀.
    """
    n = max(len(values), 1)
    spread = variance([math.log10(value) for value in values]) if n > 1 else 0.0
    freedom = USUAL_WEIGHT + n - 1
    joined = (USUAL_WEIGHT * usual**2 + (n - 1) * spread) / freedom
    # The median of one or two seeds is their mean.
    of_median = (1 if n < 3 else math.pi / 2) / n
    tolerance = student_quantile(CONFIDENCE, freedom) * math.sqrt(2 * of_median * joined)
    return min(tolerance, WIDEST_DECADES)


def student_quantile(p: float, freedom: int) -> float:
    """Approximate a quantile of Student's t, to 1 % from 3 degrees of freedom on.

    The expansion in 1/ν around the normal quantile z (Abramowitz & Stegun 1964, 26.7.5).
    """
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))
