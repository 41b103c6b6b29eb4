"""The curve in a few lines of text: the same frame as the picture, in braille dots or in ASCII."""

from __future__ import annotations

import math

from lrfind.console.canvas import ASCII, MAX_WIDTH, UNICODE, Axis, Canvas, Label
from lrfind.console.curve_line import draw_line, lr_ticks, tick_labels
from lrfind.frame import end_text, fit_frame, lr_text, pool
from lrfind.report import Report
from lrfind.suggest.answer import Suggestion

ROWS_AROUND = 4
"""Lines that are not the curve: answer, axis, decades, range."""


def terminal_plot(report: Report, width: int = 80, height: int = 14, unicode: bool = True) -> str:
    """Draw the smooth loss against log LR, with the answer and the usable range on it.

    Args:
        report: what to draw; without a measured curve the text is empty.
        width: columns to fill, up to `MAX_WIDTH`.
        height: lines to fill, at least 8; four of them are labels.
        unicode: braille and box characters; else ASCII only.

    Returns:
        `height` lines, each ending in a newline and none wider than `width`.
    """
    curves = [curve for curve in report.curves if len(curve)]
    pooled = pool(curves)
    if len(pooled.lr) == 0:
        return ""
    suggestion = report.suggestion
    frame = fit_frame(curves, suggestion.shown if suggestion else ())
    width = min(width, MAX_WIDTH)
    canvas = Canvas(
        Axis(frame.lr_low, frame.lr_high, log=True),
        Axis(frame.loss_low, frame.loss_high),
        width,
        max(height, 8) - ROWS_AROUND,
        UNICODE if unicode else ASCII,
    )
    glyphs = canvas.glyphs
    draw_line(canvas, pooled, frame)
    head = canvas.label_line(width, ((0, "no suggestion", "left"),))
    span: tuple[float, float] | None = None
    words = ""
    if suggestion:
        span = suggestion.low, suggestion.high
        words = f"usable {lr_text(span[0])} {glyphs.ellipsis} {lr_text(span[1])}"
        marks = [(suggestion.lr, glyphs.lr, glyphs.lead)]
        if suggestion.second is not None:
            marks.insert(0, (suggestion.second[1], glyphs.peak, glyphs.peak_lead))
        for value, point, lead in marks:
            canvas.mark(canvas.column(value), canvas.line(pooled.at(value)), point, lead)
        head = canvas.label_line(width, _answers(suggestion, canvas, width))
    ticks = lr_ticks(frame, canvas.columns)
    powers = tick_labels(canvas, ticks)
    middle = canvas.column(math.sqrt(span[0] * span[1])) if span else 0
    foot = ((middle, words, "centre"), (canvas.columns - 1, end_text(curves), "right"))
    rows = [
        head,
        *canvas.rows(),
        canvas.axis(ticks, span),
        canvas.label_line(width, powers),
        canvas.label_line(width, foot),
    ]
    return "".join(row.rstrip() + "\n" for row in rows)


def _answers(suggestion: Suggestion, canvas: Canvas, width: int) -> list[Label]:
    """Set the LRs over their marks, from left to right; a lone one with what it is for."""
    lr = f"lr {lr_text(suggestion.lr)}"
    at = canvas.column(suggestion.lr)
    if suggestion.second is None:
        text = f"{lr} for {suggestion.schedule}"
        if len(text) > width:
            text = lr
        fits = canvas.margin + 1 + at + len(text) <= width
        return [(at, text, "left" if fits else "right")]
    name, other = suggestion.second
    first, second = sorted([(suggestion.lr, lr), (other, f"{name} {lr_text(other)}")])
    return [
        (canvas.column(first[0]), first[1], "right"),
        (canvas.column(second[0]), second[1], "left"),
    ]
