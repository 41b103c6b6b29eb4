"""The curve in a few lines of text: the same frame as the picture, in braille dots or in ASCII."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.frame import Frame, Pooled, decades, end_text, fit_frame, lr_text, pool, tick_texts
from lrfind.report import Report
from lrfind.smoothing import Floats

ROWS_AROUND = 4
"""Lines that are not the curve: answer, axis, decades, range."""


MAX_WIDTH = 100
"""Columns beyond which a plot of a dozen lines only gets flatter."""


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """The characters of one drawing; `per_cell` is how many dots a cell holds (across, down)."""

    per_cell: tuple[int, int]
    exit: str
    lr: str
    peak: str
    lead: str
    peak_lead: str
    side: str
    corner: str
    axis: tuple[str, str]
    tick: tuple[str, str]
    ellipsis: str


_UNICODE = _Glyphs(
    (2, 4), "▲", "●", "◇", "│", "┊", "┤", "└", ("─", "━"), ("┬", "┯"), "…"
)  # fmt: skip
_ASCII = _Glyphs((1, 1), "^", "O", "o", "|", ":", "|", "+", ("-", "="), ("+", "#"), "..")

# Dots of a braille cell by column and row, as bits above U+2800.
_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


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
    frame = fit_frame(curves, (suggestion.lr, suggestion.peak_lr) if suggestion else ())
    width = min(width, MAX_WIDTH)
    canvas = _Canvas(frame, width, max(height, 8) - ROWS_AROUND, _UNICODE if unicode else _ASCII)
    canvas.draw(pooled)
    head = _merge(canvas.margin, width, ((0, "no suggestion", "left"),))
    span: tuple[float, float] | None = None
    words = ""
    if suggestion:
        span = suggestion.low, suggestion.high
        words = f"usable {lr_text(span[0])} {canvas.glyphs.ellipsis} {lr_text(span[1])}"
        canvas.mark(pooled, suggestion.peak_lr, canvas.glyphs.peak, canvas.glyphs.peak_lead)
        canvas.mark(pooled, suggestion.lr, canvas.glyphs.lr, canvas.glyphs.lead)
        head = _merge(
            canvas.margin,
            width,
            (
                (canvas.column(suggestion.lr), f"lr {lr_text(suggestion.lr)}", "right"),
                (
                    canvas.column(suggestion.peak_lr),
                    f"peak_lr {lr_text(suggestion.peak_lr)}",
                    "left",
                ),
            ),
        )
    powers = tuple((canvas.column(lr), _short(lr), "centre") for lr in canvas.ticks())
    middle = canvas.column(math.sqrt(span[0] * span[1])) if span else 0
    foot = ((middle, words, "centre"), (canvas.columns - 1, end_text(curves), "right"))
    rows = [
        head,
        *canvas.rows(),
        canvas.axis(span),
        _merge(canvas.margin, width, powers),
        _merge(canvas.margin, width, foot),
    ]
    return "".join(row.rstrip() + "\n" for row in rows)


class _Canvas:
    """Cells of a plot, the labels left of them, and where an LR or a loss stands among them."""

    def __init__(self, frame: Frame, width: int, lines: int, glyphs: _Glyphs) -> None:
        self.frame = frame
        self.glyphs = glyphs
        self.lines = lines
        self._labels = self._loss_labels()
        self.margin = max(map(len, self._labels)) + 1
        self.columns = max(width - self.margin - 1, 10)
        self._cells = [[" "] * self.columns for _ in range(lines)]

    def column(self, lr: float) -> int:
        """Column of an LR, kept inside the canvas."""
        share = self._across(np.array([lr]))[0]
        return int(np.clip(share * self.columns, 0, self.columns - 1))

    def line(self, loss: float) -> int:
        """Line of a loss, 0 at the top, kept inside the canvas."""
        height = self.frame.loss_high - self.frame.loss_low
        share = (self.frame.loss_high - loss) / height
        return int(np.clip(share * self.lines, 0, self.lines - 1))

    def draw(self, pooled: Pooled) -> None:
        """Rasterise the line: per dot column the losses it passes, joined to its neighbour's."""
        across, down = self.glyphs.per_cell
        fine = self.columns * across
        share = (np.arange(fine) + 0.5) / fine
        at = np.log10(self.frame.lr_low) + share * self._decades()
        seen = np.log10(pooled.lr)
        loss = np.interp(at, seen, pooled.middle, left=np.nan, right=np.nan)
        height = self.frame.loss_high - self.frame.loss_low
        above = np.flatnonzero(loss > self.frame.loss_high)
        measured = np.flatnonzero(np.isfinite(loss))
        inside = np.flatnonzero(loss <= self.frame.loss_high)
        leaves = len(above) > 0 and len(inside) > 0 and above[-1] == measured[-1]
        if leaves:
            loss[inside[-1] + 2 :] = np.nan
        level = np.floor((self.frame.loss_high - loss) / height * self.lines * down)
        dots = self._dots(level, self.lines * down)
        for y in range(self.lines):
            for x in range(self.columns):
                cell = dots[y * down : (y + 1) * down, x * across : (x + 1) * across]
                if cell.any():
                    self._cells[y][x] = self._glyph(cell)
        if leaves:
            x = int(inside[-1]) // across
            self._cells[0][x] = self.glyphs.exit
            self._cells[0][x + 1 :] = [" "] * (self.columns - x - 1)

    def mark(self, pooled: Pooled, lr: float, point: str, lead: str) -> None:
        """Set a point on the line and lead it up to its label."""
        x, y = self.column(lr), self.line(pooled.at(lr))
        for above in range(y):
            self._cells[above][x] = lead
        self._cells[y][x] = point

    def rows(self) -> list[str]:
        """The canvas with its loss labels."""
        return [
            f"{label:>{self.margin - 1}} {self.glyphs.side if label else self.glyphs.lead}"
            + "".join(cells)
            for label, cells in zip(self._labels, self._cells, strict=True)
        ]

    def axis(self, span: tuple[float, float] | None) -> str:
        """The LR axis: ticks at decades, heavy inside the usable range."""
        low, high = (self.column(span[0]), self.column(span[1])) if span else (1, 0)
        ticks = {self.column(lr) for lr in self.ticks()}
        cells = [
            (self.glyphs.tick if x in ticks else self.glyphs.axis)[low <= x <= high]
            for x in range(self.columns)
        ]
        return " " * self.margin + self.glyphs.corner + "".join(cells)

    def ticks(self) -> list[float]:
        """Decades that have room for their label; the edges where no decade is inside."""
        inside = decades(self.frame.lr_low, self.frame.lr_high)
        every = 1 + len(inside) * 7 // self.columns
        return inside[::every] or [self.frame.lr_low, self.frame.lr_high]

    def _loss_labels(self) -> list[str]:
        height = self.frame.loss_high - self.frame.loss_low
        step = _nice(height / 5)
        first = math.ceil(self.frame.loss_low / step)
        values = [step * k for k in range(first, math.floor(self.frame.loss_high / step) + 1)]
        labels = [""] * self.lines
        for value, text in zip(values, tick_texts(values), strict=True):
            labels[self.line(value)] = text
        return labels

    def _decades(self) -> float:
        return math.log10(self.frame.lr_high / self.frame.lr_low)

    def _across(self, lr: Floats) -> Floats:
        share: Floats = np.log10(lr / self.frame.lr_low) / self._decades()
        return share

    def _dots(self, level: Floats, lines: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        dots = np.zeros((lines, len(level)), dtype=np.bool_)
        before: int | None = None
        for x, value in enumerate(level):
            if not math.isfinite(value):
                before = None
                continue
            now = int(np.clip(value, -1, lines))
            # Half of each step belongs to either column, so that steep parts stay one dot wide.
            low, high = (now, now) if before is None else sorted((before, now))
            start = low + (1 if before is not None and before < now else 0)
            stop = high - (1 if before is not None and before > now else 0)
            for y in range(max(min(start, now), 0), min(max(stop, now), lines - 1) + 1):
                dots[y, x] = True
            before = now
        return dots

    def _glyph(self, cell: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> str:
        if self.glyphs.per_cell == (1, 1):
            return "*"
        bits = sum(
            _BRAILLE[x][y] for y in range(cell.shape[0]) for x in range(cell.shape[1]) if cell[y, x]
        )
        return chr(0x2800 + bits)


def _merge(margin: int, width: int, texts: tuple[tuple[int, str, str], ...]) -> str:
    """Set texts on one line, each at its column, moved where it would touch its neighbour.

    Args:
        margin: columns before the canvas; its left side takes one more.
        width: columns of the line.
        texts: column on the canvas, text, and which of its ends or its centre stands there;
            from left to right.
    """
    boxes: list[tuple[int, str]] = []
    for column, text, anchor in texts:
        at = margin + 1 + column
        shift = {"left": 0, "right": len(text) - 1, "centre": len(text) // 2}[anchor]
        boxes.append((min(max(at - shift, 0), max(width - len(text), 0)), text))
    edge = width + 2
    for i in range(len(boxes) - 1, -1, -1):
        start, text = boxes[i]
        boxes[i] = (max(min(start, edge - 2 - len(text)), 0), text)
        edge = boxes[i][0] if text else edge
    line = ""
    for start, text in boxes:
        # What was pushed against the left edge pushes its right neighbour back.
        start = max(start, len(line) + 2 if line else 0)
        if text and start + len(text) <= width:
            line = line.ljust(start) + text
    return line


def _nice(step: float) -> float:
    """Round a step up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((n * power for n in (1, 2, 2.5, 5) if n * power >= step), 10 * power)


def _short(lr: float) -> str:
    mantissa, _, exponent = f"{lr:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"
