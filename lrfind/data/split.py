"""Which rows are trained on and which are held out: by a seed, and alike in every class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def split_rows(
    count: int, share: float, seed: int, codes: np.ndarray[Any, Any] | None = None
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Draw the rows of the training part; the others are held out.

    With codes each class is split by itself, so that both parts hold `share` and the rest of it to
    the nearest row; a class of two rows or more is in both.

    Args:
        count: rows.
        share: of the training part, in (0, 1).
        seed: of the draw; the same seed gives the same parts.
        codes: class of each row `(count,)`; None draws from all rows alike.

    Returns:
        Both parts' rows, in the table's order.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    one = np.zeros(count, dtype=np.int64) if codes is None else codes
    groups = [np.flatnonzero(one == code) for code in np.unique(one)]
    train = np.zeros(count, dtype=bool)
    for group in groups:
        wanted = round(share * len(group))
        # A single row is for training: it could be learned, but never be tested for.
        taken = min(max(wanted, 1), max(len(group) - 1, 1))
        train[rng.permutation(group)[:taken]] = True
    return np.flatnonzero(train), np.flatnonzero(~train)
