"""A schedule in a few lines of text: the LR of every step, on the curve's own canvas."""

from __future__ import annotations

import numpy as np

from lrfind.console.canvas import ASCII, MAX_WIDTH, UNICODE, Axis, Canvas
from lrfind.frame import lr_text
from lrfind.schedulers.planned import Planned
from lrfind.smoothing import Floats

ROWS_AROUND = 4
"""Lines that are not the line itself: highest LR, axis, steps, warmup and last LR."""


def schedule_plot(planned: Planned, width: int = 80, height: int = 15, unicode: bool = True) -> str:
    """Draw LR against steps, with the highest and the last LR written out.

    Args:
        planned: what to draw.
        width: columns to fill, up to `MAX_WIDTH`.
        height: lines to fill, at least 8; four of them are labels.
        unicode: braille and box characters; else ASCII only.

    Returns:
        `height` lines, each ending in a newline and none wider than `width`.
    """
    width = min(width, MAX_WIDTH)
    lrs, warmup = planned.lrs, planned.warmup
    canvas = Canvas(
        Axis(0, planned.steps),
        Axis(0, float(lrs.max()) or 1.0),
        width,
        max(height, 8) - ROWS_AROUND,
        UNICODE if unicode else ASCII,
    )
    canvas.draw(*_spans(lrs, canvas.fine))
    peak = canvas.column(planned.peak + 0.5)
    canvas.mark(peak, canvas.line(lrs[planned.peak]), canvas.glyphs.lr)
    ticks = [step for step in canvas.across.ticks(5) if step == round(step)]
    words = f"warmup {warmup}" if warmup else "step"
    rows = [
        canvas.label_line(width, ((peak, planned.peak_text, "left"),)),
        *canvas.rows(),
        canvas.axis(ticks, (0, warmup) if warmup else None),
        canvas.label_line(width, [(canvas.column(t), f"{t:.0f}", "centre") for t in ticks]),
        canvas.label_line(
            width,
            (
                (canvas.column(warmup / 2), words, "centre"),
                (canvas.columns - 1, f"last lr {lr_text(lrs[-1])}", "right"),
            ),
        ),
    ]
    return "".join(row.rstrip() + "\n" for row in rows)


def _spans(lrs: Floats, columns: int) -> tuple[Floats, Floats]:
    """Find what each column must cover: from the first step's LR in it to the one farthest off.

    Each step is as wide as any other; a column narrower than a step shows that step's LR, and a
    wider one spans its steps, so that fast cycles make a band rather than a false slow wave.
    """
    steps = len(lrs)
    edges = np.arange(columns + 1) * steps // columns
    first, stop = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)
    low = np.array([lrs[a:b].min() for a, b in zip(first, stop, strict=True)])
    high = np.array([lrs[a:b].max() for a, b in zip(first, stop, strict=True)])
    falls = lrs[first] > lrs[stop - 1]
    return np.where(falls, high, low), np.where(falls, low, high)
