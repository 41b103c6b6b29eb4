"""The steepest descent."""

from __future__ import annotations

import numpy as np

from lrfind.suggest.reading import Pick, Reading


def steepest(reading: Reading) -> Pick:
    """Take the LR of the steepest fall.

    Formula: lr = argmax −dL/dlog lr over LRs up to the minimum, L the lag-free smooth loss.

    Fails when the fall is gradual (it names any part of it), and on losses that fall in two
    steps, where it takes the steeper one. Under a lagging average it lands half a decade too
    high, and taken per LR instead of per log LR it lands decades too low; neither is done here.

    Source: Gugger 2018, "How do you find a good learning rate".

    Raises:
        NoSuggestionError: the loss did not fall clearly.
    """
    reading.require_fall()
    lowest = int(np.searchsorted(reading.lr, reading.min_lr))
    # In units of the drop, so that losses near the largest float have a slope too.
    shape = reading.smooth / reading.drop
    fall = -np.gradient(shape, reading.step_decades)[: lowest + 1]
    # The first of equals, so that rounding does not choose between two equally steep falls.
    i = int(np.flatnonzero(fall >= float(fall.max()) * (1.0 - 1e-6))[0])
    lr = float(reading.lr[i])
    slope = float(fall[i]) * reading.drop
    return Pick(lr, f"it fell steepest at {lr:.1e}, by {slope:.3g} a decade")
