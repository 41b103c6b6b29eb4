"""A decade below the minimum."""

from __future__ import annotations

from lrfind.suggest.reading import Pick, Reading


def minimum(reading: Reading) -> Pick:
    """Take a tenth of the LR of the minimum.

    Formula: lr = argmin L / 10, L the lag-free smooth loss.

    Fails when the sweep ends before the loss rises (the minimum is then the end of the range),
    and when the valley is flat, where noise places the minimum.

    Source: Howard & Gugger, fastai 2018.

    Raises:
        NoSuggestionError: the loss did not fall clearly.
    """
    reading.require_fall()
    return Pick(reading.min_lr / 10.0, "a tenth of the LR of the minimum")
