"""The curve of a sweep under way in a few lines of text, on the axis of the whole plan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lrfind.console.canvas import ASCII, MAX_WIDTH, UNICODE, Axis, Canvas
from lrfind.console.curve_line import draw_line, lr_ticks, tick_labels
from lrfind.curve import Curve
from lrfind.frame import fit_frame, lr_text, pool, smooth_line
from lrfind.smoothing import Floats
from lrfind.suggest.answer import Suggestion

LABEL_ROWS = 3
"""Rows that are not the curve: the mark's label, the axis, its decades."""

FEWEST = 5
"""Points below which there is no curve to see."""

HUGE = 1e150
"""Losses from here on are not drawn: what is far below them would be one line."""

RISEN = 0.2
"""Share of the fall that must be lost again for the curve to be worth a rule's reading."""

MOST = 512
"""Points that are drawn at most; of a longer curve groups in a row are averaged."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What the part of a sweep that is done shows.

    Attributes:
        lowest: least smoothed loss.
        lowest_lr: LR where it is.
        read: what the rule would answer if the sweep ended here; None before the loss has risen.
    """

    lowest: float
    lowest_lr: float
    read: Suggestion | None = None


def thinned(curve: Curve, most: int = MOST) -> Curve:
    """Average groups of points in a row, so that at most `most` are left; huge losses go."""
    keep = (np.abs(curve.loss) < HUGE) & (curve.lr > 0)
    lr, loss = curve.lr[keep], curve.loss[keep]
    group = math.ceil(len(lr) / most)
    if group <= 1:
        return Curve(lr, loss)
    starts = np.arange(0, len(lr), group)
    sizes = np.diff(np.append(starts, len(lr)))
    # Divided first: the sum of huge losses must stay finite.
    means = np.add.reduceat(loss / group, starts) * (group / sizes)
    middles = np.exp(np.add.reduceat(np.log(lr), starts) / sizes)
    # The axis begins where the sweep did.
    middles[0] = lr[0]
    return Curve(middles, means)


def lowest_so_far(curve: Curve, read: Suggestion | None = None) -> SoFar:
    """Find the least smoothed loss of at least one."""
    lr, smooth = smooth_line(curve)
    lowest = int(np.argmin(smooth))
    return SoFar(float(smooth[lowest]), float(lr[lowest]), read)


def has_risen(curve: Curve) -> bool:
    """Tell cheaply whether a rule may see a rise: whether it is worth asking."""
    smooth = smooth_line(curve)[1]
    lowest = int(np.argmin(smooth))
    drop = float(smooth[0] - smooth[lowest])
    return drop > 0 and float(smooth[lowest:].max() - smooth[lowest]) > RISEN * drop


def planned_end(lr: Floats, steps: int) -> float:
    """Carry the LRs of a ramp on to its last planned step, by equal factors or differences.

    Args:
        lr: the LRs so far, shape `(n,)`.
        steps: what is planned; the last LR so far where that is done, or too little is seen.
    """
    last = len(lr) - 1
    first, end = (float(lr[0]), float(lr[last])) if len(lr) else (math.nan, math.nan)
    if last < 2 or last >= steps - 1 or not 0 < first < end:
        return end
    middle, share = float(lr[last // 2]), (last // 2) / last
    factor = math.log(end / first)
    by_factor = first * math.exp(factor * share)
    by_difference = first + (end - first) * share
    more = (steps - 1) / last
    if abs(middle - by_factor) <= abs(middle - by_difference):
        return first * math.exp(min(factor * more, 700.0))
    return first + (end - first) * more


def live_plot(
    curve: Curve, so_far: SoFar, end_lr: float, *, width: int, lines: int, unicode: bool
) -> list[str]:
    """Draw the smooth loss so far, with a mark where it is lowest, or on the LR read so far.

    Args:
        curve: of at least one point; see `thinned`.
        so_far: what is marked.
        end_lr: right edge, unless the curve has passed it.
        width: columns to fill, up to `MAX_WIDTH`.
        lines: lines of the curve itself.
        unicode: braille and box characters; else ASCII only.

    Returns:
        `lines` + `LABEL_ROWS` rows.
    """
    read = so_far.read
    mark = so_far.lowest_lr if read is None else read.lr
    frame = fit_frame([curve], [mark])
    frame = replace(frame, lr_high=max(frame.lr_high, end_lr))
    width = min(width, MAX_WIDTH)
    across = Axis(frame.lr_low, frame.lr_high, log=True)
    up = Axis(frame.loss_low, frame.loss_high)
    canvas = Canvas(across, up, width, lines, UNICODE if unicode else ASCII)
    line = pool([curve])
    draw_line(canvas, line, frame)
    column = canvas.column(mark)
    point = "○" if unicode else "o"
    canvas.mark(column, canvas.line(line.at(mark)), point, canvas.glyphs.peak_lead)
    words = f"lowest so far {lr_text(mark)}" if read is None else f"read so far {lr_text(mark)}"
    ticks = lr_ticks(frame, canvas.columns)
    return [
        canvas.label_line(width, [(column, words, "centre")]),
        *(row.rstrip() for row in canvas.rows()),
        canvas.axis(ticks),
        canvas.label_line(width, tick_labels(canvas, ticks)),
    ]
