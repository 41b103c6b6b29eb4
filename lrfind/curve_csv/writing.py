"""Curves to CSV text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lrfind.curve import CSV_COLUMNS, Curve


def to_csv(curves: Sequence[Curve]) -> str:
    """Write curves as CSV text with the columns `CSV_COLUMNS`, floats to full precision."""
    rows = [",".join(CSV_COLUMNS)]
    for curve in curves:
        found = curve.update_ratio
        ratios = [math.nan] * len(curve) if found is None else found.tolist()
        columns = (curve.lr.tolist(), curve.loss.tolist(), curve.smooth.tolist(), ratios)
        rows += [
            f"{curve.seed},{i},{lr!r},{loss!r},{smooth!r},"
            + ("," if ratio != ratio else f"{ratio!r},")
            for i, (lr, loss, smooth, ratio) in enumerate(zip(*columns, strict=True))
        ]
        if len(curve):
            rows[-1] += curve.stop.value
    return "\n".join(rows) + "\n"
