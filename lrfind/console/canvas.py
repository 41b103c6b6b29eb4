"""Cells of a drawing made of text: lines in braille dots or ASCII, and labels that never touch.

Knows axes and dots; what is drawn, and what its labels say, is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfind.frame import tick_texts
from lrfind.smoothing import Floats

MAX_WIDTH = 100
"""Columns beyond which a plot of a dozen lines only gets flatter."""

Dots = NDArray[np.bool_]
Label = tuple[int, str, str]
"""Column on the canvas, text, and which of its ends or its centre stands there."""


@dataclass(frozen=True, slots=True)
class Glyphs:
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


UNICODE = Glyphs(
    (2, 4), "▲", "●", "◇", "│", "┊", "┤", "└", ("─", "━"), ("┬", "┯"), "…"
)  # fmt: skip
ASCII = Glyphs((1, 1), "^", "O", "o", "|", ":", "|", "+", ("-", "="), ("+", "#"), "..")

# Dots of a braille cell by row and column, as bits above U+2800.
_BITS = np.array(((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)))


@dataclass(frozen=True, slots=True)
class Axis:
    """The values from one edge of a canvas to the other.

    Attributes:
        low: left or bottom edge.
        high: right or top edge.
        log: whether decades, rather than units, are equally long.
    """

    low: float
    high: float
    log: bool = False

    def share(self, value: float | Floats) -> Floats:
        """Compute where values stand, 0 at the low edge and 1 at the high one."""
        if self.log:
            span = math.log10(self.high / self.low)
            share: Floats = np.log10(np.asarray(value, dtype=np.float64) / self.low) / span
            return share
        return (np.asarray(value, dtype=np.float64) - self.low) / (self.high - self.low)

    def ticks(self, count: int) -> list[float]:
        """List round values, about `count` of them, on a linear axis."""
        step = _nice((self.high - self.low) / count)
        first, last = math.ceil(self.low / step), math.floor(self.high / step + 1e-9)
        return [step * k for k in range(first, last + 1)]


class Canvas:
    """Cells, the labels left of them, and where a value stands among them.

    Args:
        across: values from left to right.
        up: values from the bottom to the top; linear.
        width: columns of all, labels included.
        lines: lines of the drawing itself.
        glyphs: `UNICODE` or `ASCII`.
    """

    def __init__(self, across: Axis, up: Axis, width: int, lines: int, glyphs: Glyphs) -> None:
        self.across = across
        self.up = up
        self.glyphs = glyphs
        self.lines = lines
        self._labels = self._side_labels()
        self.margin = max(map(len, self._labels)) + 1
        self.columns = max(width - self.margin - 1, 10)
        self._cells = [[" "] * self.columns for _ in range(lines)]

    def column(self, value: float) -> int:
        """Column of a value, kept inside the canvas."""
        share = float(self.across.share(value))
        return int(np.clip(share * self.columns, 0, self.columns - 1))

    def line(self, value: float) -> int:
        """Line of a value, 0 at the top, kept inside the canvas."""
        share = 1 - float(self.up.share(value))
        return int(np.clip(share * self.lines, 0, self.lines - 1))

    @property
    def fine(self) -> int:
        """Dots from the left edge to the right one."""
        return self.columns * self.glyphs.per_cell[0]

    def draw(self, value: Floats, until: Floats | None = None) -> None:
        """Draw a line, joined from dot column to dot column.

        Args:
            value: shape `(fine,)`; NaN leaves a gap. Values outside the axis leave the canvas.
            until: the line fills each dot column from `value` to here, where it is given.
        """
        across, down = self.glyphs.per_cell
        level, end = (
            np.floor((1 - self.up.share(v)) * self.lines * down)
            for v in (value, value if until is None else until)
        )
        dots = _joined(level, end, self.lines * down)
        cells = dots.reshape(self.lines, down, self.columns, across)
        bits = (cells * _BITS[:down, None, :across]).sum(axis=(1, 3))
        for y, x in zip(*np.nonzero(bits), strict=True):
            self._cells[y][x] = "*" if down == across == 1 else chr(0x2800 + bits[y, x])

    def leave(self, column: int) -> None:
        """Show a line that leaves through the top, and take away what is right of it there."""
        self._cells[0][column:] = [" "] * (self.columns - column)
        self._cells[0][column] = self.glyphs.exit

    def mark(self, x: int, y: int, point: str, lead: str = "") -> None:
        """Set a point, and lead it up to its label."""
        for above in range(y if lead else 0):
            self._cells[above][x] = lead
        self._cells[y][x] = point

    def rows(self) -> list[str]:
        """The canvas with its labels on the left."""
        return [
            f"{label:>{self.margin - 1}} {self.glyphs.side if label else self.glyphs.lead}"
            + "".join(cells)
            for label, cells in zip(self._labels, self._cells, strict=True)
        ]

    def axis(self, ticks: Sequence[float], span: tuple[float, float] | None = None) -> str:
        """The axis under the canvas, heavy inside a span."""
        low, high = (self.column(span[0]), self.column(span[1])) if span else (1, 0)
        at = {self.column(tick) for tick in ticks}
        cells = [
            (self.glyphs.tick if x in at else self.glyphs.axis)[low <= x <= high]
            for x in range(self.columns)
        ]
        return " " * self.margin + self.glyphs.corner + "".join(cells)

    def label_line(self, width: int, labels: Sequence[Label]) -> str:
        """Set labels on one line, each at its column, moved where it would touch its neighbour.

        Args:
            width: columns of the line.
            labels: from left to right.
        """
        boxes: list[tuple[int, str]] = []
        for column, text, anchor in labels:
            at = self.margin + 1 + column
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

    def _side_labels(self) -> list[str]:
        values = self.up.ticks(5)
        labels = [""] * self.lines
        for value, text in zip(values, tick_texts(values), strict=True):
            labels[self.line(value)] = text
        return labels


def _joined(level: Floats, until: Floats, lines: int) -> Dots:
    """Fill each dot column from one level to the other, and on to where the last one ended."""
    dots = np.zeros((lines, len(level)), dtype=np.bool_)
    before: int | None = None
    is_drawn = np.isfinite(level).tolist()
    starts, ends = (
        np.nan_to_num(np.clip(edge, -1, lines)).astype(int).tolist() for edge in (level, until)
    )
    for x, (now, end) in enumerate(zip(starts, ends, strict=True)):
        if not is_drawn[x]:
            before = None
            continue
        start, stop = min(now, end), max(now, end)
        if before is not None:
            # The step from the column before is drawn here, so that steep parts stay one dot wide.
            start = min(start, before + 1) if before < start else start
            stop = max(stop, before - 1) if before > stop else stop
        dots[max(start, 0) : stop + 1, x] = True
        before = end
    return dots


def _nice(step: float) -> float:
    """Round a step up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((n * power for n in (1, 2, 2.5, 5) if n * power >= step), 10 * power)
