"""The default rule: the end of the fall and the rise, held back by the size of the updates."""

from __future__ import annotations

import math

from lrfind.suggest.points import decades
from lrfind.suggest.reading import Pick, Reading
from lrfind.suggest.updates import LARGE

FACTOR = 0.25
"""Distance of the optimum at a constant LR from the geometric mean of fall's end and rise."""

REACH_DECADES = 2.0
"""Most decades behind the end of the fall that still tell something of the optimum.

Nine of ten rises on the benchmark's fit tasks come within them. A loss that has reached its floor
(zero, or the entropy of the labels) may never rise, and where the range then ends means nothing.
"""

FLAT_DECADES = 0.8
"""Distance before the rise when nothing but the rise was seen."""


def auto(reading: Reading) -> Pick:
    """Join the end of the fall and the rise, held back where updates are large before them.

    Formula: c = 0.25 · √(LR at 90 % of the fall · LR of the rise); without a rise the end of the
    range stands in for it, and neither counts beyond 2 decades behind the fall. Where updates pass
    u = 30 % of the weights before c, lr = √(c · u), else lr = c. Without a clear fall (fine-tuning,
    plateaus) c = LR of the rise · 10^(−0.8).

    Fitted on 24 tasks of `benchmarks/suggestion` (47 pairs, 4 seeds), by the mean regret of answers
    jittered by a quarter of a decade, so that no single pair decides: the factor and the ratio of
    the peak LR. Mean regret on 200 steps from 1e-7 to 10: .077 (95 % over tasks .039 … .126); with
    the two numbers fitted on 11 of 12 families and judged on the other, .078 (.039 … .131). What is
    read, and the round constants, were chosen with all of these tasks in view, which no
    cross-validation takes back. Equal weights for the two locators: fitted ones were no better on
    families left out.

    Fails where the good range is narrower than a factor of 3 (it then depends on luck), where
    the loss rises early and falls again at LRs far above (units that leave their saturation: too
    low, by up to a decade), where the sweep ends before the optimum, and on fast sweeps: at 10
    steps a decade it reads 0.2 decades too high, and seeds differ three times as much as at 25.

    Source: fitted by lrfind on small real tasks: the idea that a good LR lies a little before
    the steep rise (Smith 2015, arXiv 1506.01186), made quantitative.
    """
    large_from = math.inf if reading.updates is None else reading.updates.large_from
    pick = _from_loss(reading)
    if large_from >= pick.lr:
        return pick
    held = math.sqrt(pick.lr) * math.sqrt(large_from)
    return Pick(held, f"{pick.why}, held back: updates pass {LARGE:.0%} at {large_from:.1e}")


def _from_loss(reading: Reading) -> Pick:
    if not reading.fell and reading.rise_lr is not None:
        return Pick(
            reading.rise_lr / 10.0**FLAT_DECADES,
            f"only the rise tells: {FLAT_DECADES:g} decades before it",
        )
    fallen = reading.fallen(0.9)
    edge, name = (reading.rise_lr, "the rise") if reading.rise_lr else (reading.end_lr, "the end")
    if decades(fallen, edge) > REACH_DECADES:
        edge, name = fallen * 10.0**REACH_DECADES, f"{REACH_DECADES:g} decades behind"
    return Pick(
        FACTOR * math.sqrt(fallen) * math.sqrt(edge),
        f"{FACTOR:g} × the geometric mean of {name} and {fallen:.1e} (90 % fallen)",
    )
