"""What is shown of a sweep or a trial under way, as rows for a terminal of any size."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.text import Text

from lrfind.console.live_plot import (
    FEWEST,
    LABEL_ROWS,
    SoFar,
    has_risen,
    live_plot,
    lowest_so_far,
    planned_end,
    thinned,
)
from lrfind.console.story import clock_text, loss_text
from lrfind.curve import Curve, Step, StopReason, Track
from lrfind.suggest.answer import Suggestion

ReadSoFar = Callable[[Curve], Suggestion | None]
"""What a rule says of a curve that is still growing."""

READ_S = 1.0
"""Least time between two readings of the curve so far."""

READ_REST = 200.0
"""The same in times that one took: they are half a percent at most."""

_LINES = (4, 10)
"""Least and most lines of a curve."""

_NARROWEST = 40
"""Columns below which there is no curve."""

_BAR_COLUMNS = 30
_GAP = 2


class View(Protocol):
    """Something under way."""

    def rows(self, width: int, height: int, *, unicode: bool) -> list[Text]:
        """Write it down: rows of less than `width` columns, fewer than `height`."""


class TrialView:
    """A trial under way: which one, its LR, its steps."""

    def __init__(self, name: str, lr: float, steps: int) -> None:
        self._line = f"{name}  lr {lr:.1e}  {steps} steps"

    def rows(self, width: int, height: int, *, unicode: bool) -> list[Text]:
        """Write it in one row."""
        return [Text(self._line[: width - 1])]


class SweepView:
    """A sweep under way: its curve, what it shows so far, a bar.

    Args:
        name: of the sweep among others.
        steps: that are planned.
        read: asked about the curve so far once a second, where it is not None.
    """

    def __init__(self, name: str, steps: int, read: ReadSoFar | None = None) -> None:
        self._name, self._steps, self._read = name, steps, read
        self._best = math.inf
        self._latest: Step | None = None
        self._track = Track()
        self._answer: Suggestion | None = None
        self._read_due_s = -math.inf

    def step(self, step: Step) -> None:
        """Take note of a step."""
        self._latest = step
        if step.loss < self._best:
            self._best = step.loss
        self._track.add(step)

    def rows(self, width: int, height: int, *, unicode: bool) -> list[Text]:
        """Write curve, words and bar; on a small terminal the bar alone."""
        room, lines = width - 1, min(height - LABEL_ROWS - 4, _LINES[1])
        step = self._latest
        if step is None or len(self._track) < FEWEST or lines < _LINES[0] or room < _NARROWEST:
            return [self._bar(room, self._best, unicode=unicode)]
        curve = self._track.curve(seed=0, stop=StopReason.INTERRUPTED, initial_loss=None)
        few = thinned(curve)
        if len(few) < FEWEST:
            return [self._bar(room, self._best, unicode=unicode)]
        if self._read is not None and has_risen(few) and step.elapsed_s >= self._read_due_s:
            self._answer = self._timed_reading(self._read, curve, step.elapsed_s)
        so_far = lowest_so_far(few, self._answer)
        end_lr = planned_end(curve.lr, self._steps)
        plot = live_plot(few, so_far, end_lr, width=room, lines=lines, unicode=unicode)
        return [
            *map(Text, plot),
            Text(words(so_far, room)),
            self._bar(room, None, unicode=unicode),
        ]

    def _timed_reading(self, read: ReadSoFar, curve: Curve, now_s: float) -> Suggestion | None:
        started = time.perf_counter()
        answer = read(curve)
        taken_s = time.perf_counter() - started
        self._read_due_s = now_s + max(READ_S, READ_REST * taken_s)
        return answer

    def _bar(self, room: int, best: float | None, *, unicode: bool) -> Text:
        """One line: what is left out first on a narrow terminal is the bar, then the tail."""
        step = self._latest
        done = step.index + 1 if step else 0
        # A sweep may go on beyond what was planned.
        total = max(self._steps, done, 1)
        parts = [Text(f"{done:>{len(str(total))}}/{total}")]
        if step:
            left_s = step.elapsed_s / done * (total - done)
            lowest = [Text(f"best {loss_text(best):<9}")] if best is not None else []
            parts += [
                Text(f"lr {step.lr:.1e}", style="bold"),
                Text(f"loss {loss_text(step.loss):<9}"),
                *lowest,
                Text(f"eta {clock_text(left_s)}", style="dim"),
            ]
        while len(parts) > 1 and _length(self._name, parts) > room:
            parts.pop()
        columns = min(room - _length(self._name, parts) - _GAP, _BAR_COLUMNS)
        if columns >= 4:
            full = columns * done // total
            ink, ground = "━─" if unicode else "=-"
            parts.insert(0, Text.assemble(ink * full, (ground * (columns - full), "dim")))
        return Text(" " * _GAP).join([Text(self._name), *parts])


def words(so_far: SoFar, room: int) -> str:
    """Say what is known so far in a way that nobody takes for the answer."""
    lowest = f"lowest smoothed loss so far {loss_text(so_far.lowest)} at lr {so_far.lowest_lr:.1e}"
    texts = [lowest]
    if so_far.read is not None:
        reads = f"{so_far.read.method} reads lr {so_far.read.lr:.1e} off the curve so far"
        texts = [f"not the answer yet: {reads}", reads]
    return next((text for text in texts if len(text) <= room), texts[-1][:room])


def _length(name: str, parts: Sequence[Text]) -> int:
    return len(name) + sum(_GAP + len(part) for part in parts)
