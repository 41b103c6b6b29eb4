"""The middle of the descent into the valley."""

from __future__ import annotations

import math

from lrfind.suggest.reading import Pick, Reading

_BEGUN = 0.1


def valley(reading: Reading) -> Pick:
    """Take the middle, in log LR, of the descent into the minimum.

    Formula: lr = √(LR at 10 % of the fall · LR of the minimum).

    Fails on the safe side when the fall is slow: 10 % may be reached decades before the optimum,
    and the middle is then too low by half of that.

    Source: fastai's `valley` (2021), which takes the middle of the longest decreasing
    subsequence and so counts the drift of a plateau as descent; thresholds do not.

    Raises:
        NoSuggestionError: the loss did not fall clearly.
    """
    reading.require_fall()
    begun = reading.fallen(_BEGUN)
    lr = math.sqrt(begun) * math.sqrt(reading.min_lr)
    return Pick(lr, f"half way from {begun:.1e}, where it began to fall")
