"""A little before the loss starts to rise steeply."""

from __future__ import annotations

from lrfind.errors import InputError, NoSuggestionError, Problem
from lrfind.suggest.answer import Verdict
from lrfind.suggest.reading import RISE, Pick, Reading

DECADES = 0.75
"""Default distance before the rise."""

MAX_DECADES = 20.0
"""Largest distance accepted; wider than any sweep."""


def before_rise(reading: Reading, decades: float = DECADES) -> Pick:
    """Take a given fraction of a decade before the steep rise.

    Formula: lr = LR of the rise · 10^(−decades); the rise is where 30 % of the fall is lost
    again, or, without a clear fall, where the loss clearly exceeds its noise.

    Fails when a short bump behind the minimum is taken for the rise, and when a non-finite loss
    comes without warning: its LR is then the only trace of the rise, and late.

    Source: after Smith 2015, arXiv 1506.01186, whose upper bound is where the curve turns ragged.

    Args:
        reading: the curve's features.
        decades: distance before the rise, above 0.

    Raises:
        InputError: `decades` is out of its bounds.
        NoSuggestionError: the loss never rose.
    """
    if not 0.0 < decades <= MAX_DECADES:
        what = f"decades = {decades!r} must be above 0 and at most {MAX_DECADES:g}"
        raise InputError(Problem("suggest", what, f"the default is {DECADES}"))
    if reading.rise_lr is None:
        raise NoSuggestionError(
            Verdict.NEVER_DIVERGED,
            f"the loss did not rise by {RISE:.0%} of its fall up to {reading.end_lr:.1e}",
            "raise sweep.end_lr",
        )
    lr = reading.rise_lr / 10.0**decades
    return Pick(lr, f"{decades:g} decades before its rise at {reading.rise_lr:.1e}")
