"""Curves of more points than a picture has room for, drawn by what can be seen of them.

Points that lie on one dot are drawn once, as firmly as all of them would show there; of a line
each column of dots keeps where it comes in, goes out, and turns. Knows arrays only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lrfind.smoothing import Floats

COLUMNS, ROWS = 2048, 1024
"""A grid of dots a little finer than the pixels of a panel."""

LONG = 50_000
"""Points above which a curve is thinned: fewer are drawn in a moment."""

_SHADES = 1.3
"""Ratio of the counts of points that are drawn alike: a difference no eye resolves."""


def seen_points(x: Floats, y: Floats, alpha: float) -> list[tuple[NDArray[np.intp], float]]:
    """Join points that lie on one dot of the grid into one.

    k points of opacity α on one another show as one of 1 − (1 − α)^k.

    Args:
        x: shape `(n,)`, finite, linear in the picture's width.
        y: shape `(n,)`, finite, linear in its height.
        alpha: opacity of a point.

    Returns:
        Indices of points to draw, with an opacity for them; one group of all where they are few.
    """
    if len(x) <= LONG:
        return [(np.arange(len(x)), alpha)]
    dot = _bins(x, COLUMNS) * ROWS + _bins(y, ROWS)
    counts = np.bincount(dot, minlength=COLUMNS * ROWS)
    any_of_it = np.empty(len(counts), dtype=np.intp)
    any_of_it[dot] = np.arange(len(dot))
    taken = np.flatnonzero(counts)
    counts, any_of_it = counts[taken], any_of_it[taken]
    shades = np.round(np.log(counts) / np.log(_SHADES)).astype(np.int64)
    groups = []
    for shade in np.unique(shades):
        alike = shades == shade
        opacity = 1.0 - (1.0 - alpha) ** float(counts[alike].mean())
        groups.append((any_of_it[alike], opacity))
    return groups


def seen_line(x: Floats, y: Floats) -> NDArray[np.intp]:
    """Choose the points of a line that decide how it looks.

    Of each column the first and last, the lowest and highest (M4: Jugel et al. 2014).

    Args:
        x: shape `(n,)`, increasing, linear in the picture's width.
        y: shape `(n,)`, finite.

    Returns:
        Their indices, increasing; all of them where they are few.
    """
    if len(x) <= LONG:
        return np.arange(len(x))
    column = _bins(x, COLUMNS)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    lowest = [a + int(np.argmin(y[a : b + 1])) for a, b in zip(first, last, strict=True)]
    highest = [a + int(np.argmax(y[a : b + 1])) for a, b in zip(first, last, strict=True)]
    return np.unique(np.concatenate([first, last, lowest, highest]))


def _bins(values: Floats, count: int) -> NDArray[np.int64]:
    low, high = float(values.min()), float(values.max())
    # In parts, so that the difference of the largest floats does not overflow.
    share = values / (high - low or 1.0) - low / (high - low or 1.0)
    return np.clip(share * count, 0, count - 1).astype(np.int64)
