"""An interval that slides down from the rise."""

from __future__ import annotations

import numpy as np

from lrfind.suggest.reading import Pick, Reading

WIDTH_DECADES = 1.0
"""Width of the interval; fastai's is 15 of 100 points over 8 decades, 1.2 decades."""

LEVEL = 0.05
"""Difference of slopes, in falls a decade, below which both ends count as equally steep."""


def slide(reading: Reading) -> Pick:
    """Slide an interval down from the rise until both of its ends are equally steep.

    Formula: with s = dL / dlog10 lr in units of the fall, lr = r / 10 for the highest r below the
    LR of the rise (the end of the range where there is none) with s(r) − s(r / 10) ≤ 0.05. L is
    the lag-free smooth loss, so that nothing depends on its unit or on the number of points. In a
    valley wider than the interval that is its flat floor; in a narrower one the interval ends
    astride the steepest point. Where rise and start are less than two decades apart, the interval
    is half as wide as their distance.

    Fails on the safe side when the fall is sharp, by half the interval, and on a fall in two steps,
    where it stops at the later one. Without a rise it names a tenth of the end of the range.

    Source: fastai's `slide` (2021), the interval slide rule of its forum ("novograd", 2019), which
    compares slopes a point against 0.005 and so changes with the loss's unit and the steps.

    Raises:
        NoSuggestionError: the loss did not fall clearly.
    """
    reading.require_fall()
    x = np.log10(reading.lr)
    top = float(x[-1]) if reading.rise_lr is None else float(np.log10(reading.rise_lr))
    top = min(top, float(x[-1]))
    width = min(WIDTH_DECADES, (top - float(x[0])) / 2.0)
    # In units of the drop, so that losses near the largest float have a slope too.
    slope = np.gradient(reading.smooth / reading.drop, reading.step_decades)
    count = max(2, 1 + int(np.ceil((top - float(x[0]) - width) / reading.step_decades)))
    right = np.linspace(top, float(x[0]) + width, count)
    steeper = np.interp(right, x, slope) - np.interp(right - width, x, slope)
    even = np.flatnonzero(steeper <= LEVEL)
    if len(even) == 0:
        found = float(right[-1])
    elif even[0] == 0:
        found = top
    else:
        i = int(even[0])
        share = (steeper[i - 1] - LEVEL) / (steeper[i - 1] - steeper[i])
        found = float(right[i - 1] + share * (right[i] - right[i - 1]))
    lr = float(10.0 ** (found - width))
    lr = min(max(lr, reading.start_lr), reading.end_lr)
    return Pick(lr, f"equally steep at {lr:.1e} and {width:.2g} decades above")
