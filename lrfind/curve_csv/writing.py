"""Curves to CSV text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lrfind.curve import CSV_COLUMNS, Curve

_ROWS = 1 << 14
"""Rows that are numbers and text at the same time; those of a long curve would fill the memory."""


def to_csv(curves: Sequence[Curve]) -> str:
    """Write curves as CSV text with the columns `CSV_COLUMNS`, floats to full precision."""
    header = ",".join(CSV_COLUMNS) + "\n"
    return header + "".join(piece for curve in curves for piece in _pieces(curve))


def _pieces(curve: Curve) -> Iterator[str]:
    for start in range(0, len(curve), _ROWS):
        at = slice(start, start + _ROWS)
        lrs, losses = curve.lr[at].tolist(), curve.loss[at].tolist()
        found = curve.update_ratio
        ratios = [math.nan] * len(lrs) if found is None else found[at].tolist()
        columns = zip(lrs, losses, curve.smooth[at].tolist(), ratios, strict=True)
        yield "\n".join(
            f"{curve.seed},{i},{lr!r},{loss!r},{smooth!r},"
            + ("," if ratio != ratio else f"{ratio!r},")
            for i, (lr, loss, smooth, ratio) in enumerate(columns, start)
        )
        yield "\n" if start + _ROWS < len(curve) else f"{curve.stop.value}\n"
