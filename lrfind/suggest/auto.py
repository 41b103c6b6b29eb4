"""The default rule: three locators joined."""

from __future__ import annotations

from lrfind.errors import NoSuggestionError
from lrfind.suggest.answer import Verdict
from lrfind.suggest.reading import Pick, Reading

FACTOR = 0.35
"""Distance of the optimum at a constant LR from the locators' geometric mean."""

FLAT_DECADES = 0.8
"""Distance before the rise when nothing but the rise was seen."""


def auto(reading: Reading) -> Pick:
    """Join the end of the fall, the minimum and the rise.

    Formula: lr = 0.35 · (LR at 90 % of the fall · LR of the minimum · LR of the rise)^⅓. The
    errors of the three are nearly independent, so their geometric mean is steadier than any.
    Without a clear fall (fine-tuning, plateaus) only the rise carries information:
    lr = LR of the rise · 10^(−0.8). Without a rise the end of the range stands in for it, and the
    answer is a lower bound.

    Fails when a sweep is so fast that the loss falls only at LRs too high to train at (it then
    overshoots), and on plain SGD with an optimum beyond the range.

    Source: fitted by lrfind on small real tasks: the idea that a good LR lies a little before
    the steep rise (Smith 2015, arXiv 1506.01186), made quantitative.

    Raises:
        NoSuggestionError: the loss neither fell nor rose.
    """
    if not reading.fell:
        if reading.rise_lr is None:
            raise NoSuggestionError(
                Verdict.NO_SIGNAL, "the loss neither fell nor rose", "raise sweep.end_lr"
            )
        return Pick(
            reading.rise_lr / 10.0**FLAT_DECADES,
            f"only the rise tells: {FLAT_DECADES:g} decades before it",
        )
    rise = reading.end_lr if reading.rise_lr is None else reading.rise_lr
    fallen = reading.fallen(0.9)
    product = fallen ** (1 / 3) * reading.min_lr ** (1 / 3) * rise ** (1 / 3)
    return Pick(
        FACTOR * product,
        f"{FACTOR:g} × the geometric mean of both and {fallen:.1e} (90 % fallen)",
    )
