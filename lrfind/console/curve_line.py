"""A smooth curve on a canvas, and the decades under it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrfind.console.canvas import Canvas, Label
from lrfind.frame import Frame, Pooled, decades


def draw_line(canvas: Canvas, pooled: Pooled, frame: Frame) -> None:
    """Draw the line where it was measured; it ends where it leaves through the top for good."""
    share = (np.arange(canvas.fine) + 0.5) / canvas.fine
    seen = canvas.across.share(pooled.lr)
    loss = np.interp(share, seen, pooled.middle, left=np.nan, right=np.nan)
    above = np.flatnonzero(loss > frame.loss_high)
    measured = np.flatnonzero(np.isfinite(loss))
    inside = np.flatnonzero(loss <= frame.loss_high)
    leaves = len(above) > 0 and len(inside) > 0 and above[-1] == measured[-1]
    if leaves:
        loss[inside[-1] + 2 :] = np.nan
    canvas.draw(loss)
    if leaves:
        canvas.leave(int(inside[-1]) // canvas.glyphs.per_cell[0])


def lr_ticks(frame: Frame, columns: int) -> list[float]:
    """Decades that have room for their label; the edges where no decade is inside."""
    inside = decades(frame.lr_low, frame.lr_high)
    every = 1 + len(inside) * 7 // columns
    return inside[::every] or [frame.lr_low, frame.lr_high]


def tick_labels(canvas: Canvas, ticks: Sequence[float]) -> list[Label]:
    """Set decades under their ticks, without the zeros of their exponents."""
    return [(canvas.column(lr), _short(lr), "centre") for lr in ticks]


def _short(lr: float) -> str:
    mantissa, _, exponent = f"{lr:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"
