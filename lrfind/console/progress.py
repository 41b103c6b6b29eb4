"""The story of a running sweep on stderr: a bar for eyes, one plain line a seed for logs."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lrfind.console.story import clock_text, loss_text, seed_line, seed_name, trial_line
from lrfind.curve import Step, StopReason
from lrfind.refine import Trial

REDRAW_S = 0.1
"""Least time between two redraws."""

_BAR_COLUMNS = 30
_GAP = 2


class SweepProgress:
    """An observer of sweeps and trials that shows how far each is.

    On a terminal it draws a bar with step, LR, loss, best loss and ETA, at most ten times a
    second; elsewhere it writes one line at the end of each seed. A step that is not drawn costs a
    comparison or three. Use it as a context manager: the bar is gone and the cursor back on
    whatever way the block is left.

    Args:
        quiet: show nothing at all.
        stream: where to write; None: stderr.
        console: a console to share with other writers; None: one of its own on `stream`.
    """

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, console: Console | None = None
    ) -> None:
        self._quiet = quiet
        self._stream = stream or (console.file if console else None) or sys.stderr
        # Rich takes FORCE_COLOR for a terminal; a bar belongs on a real one only.
        is_tty = self._stream.isatty()
        self._console = console or Console(
            file=self._stream,
            highlight=False,
            emoji=False,
            force_terminal=is_tty,
            force_jupyter=False,
        )
        self._drawn = is_tty and not quiet and not self._console.is_dumb_terminal
        self._live: Live | None = None
        self._seed = self._index = self._steps = 0
        self._count = 1
        self._best = math.inf
        self._latest: Step | None = None
        self._due_s = math.inf
        self._trial = ""

    def __enter__(self) -> SweepProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take away what is drawn, and draw no more; from any thread."""
        self._drawn, self._quiet = False, True
        self._clear()

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Start the bar of one seed.

        Args:
            seed: the seed itself.
            index: 0-based position of this seed among all.
            count: number of seeds.
            steps: planned steps.
        """
        self._seed, self._index, self._count, self._steps = seed, index, count, steps
        self._best, self._latest = math.inf, None
        if not self._drawn:
            return
        self._due_s = 0.0
        self._show(self._bar())

    def step(self, step: Step) -> None:
        """Take note of a step, and redraw when the last drawing is old enough."""
        self._latest = step
        if step.loss < self._best:
            self._best = step.loss
        if step.elapsed_s >= self._due_s:
            self._due_s = step.elapsed_s + REDRAW_S
            if self._live is not None:
                self._live.update(self._bar(), refresh=True)

    def end(self, stop: StopReason) -> None:
        """Take the bar away and leave a line: steps, time, why it ended."""
        self._clear()
        self._due_s = math.inf
        if self._quiet:
            return
        name = seed_name(self._seed, self._index, self._count)
        line = seed_line(name, self._latest, self._steps, stop)
        self._console.print(line, soft_wrap=True, markup=False)

    def begin_trial(self, index: int, lr: float, steps: int) -> None:
        """Show which trial is running."""
        self._trial = f"trial {index + 1}"
        if self._drawn:
            self._show(Text(f"{self._trial}  lr {lr:.1e}  {steps} steps", no_wrap=True))

    def end_trial(self, trial: Trial | None) -> None:
        """Leave a line on where it ended; none for one that was broken off."""
        self._clear()
        if self._quiet or trial is None:
            return
        self._console.print(trial_line(self._trial, trial), soft_wrap=True, markup=False)

    def _show(self, line: Table | Text) -> None:
        self._clear()
        self._live = Live(
            line,
            console=self._console,
            auto_refresh=False,
            transient=True,
            # What the user's code prints must go where it would have gone without a bar.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=True,
        )
        self._live.start(refresh=True)

    def _clear(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _bar(self) -> Table:
        """One line: what is left out first on a narrow terminal is the bar, then the tail."""
        step = self._latest
        done = step.index + 1 if step else 0
        # A sweep may go on beyond what was planned.
        total = max(self._steps, done, 1)
        name = f"seed {self._index + 1}/{self._count}" if self._count > 1 else "sweep"
        parts = [Text(f"{done:>{len(str(total))}}/{total}")]
        if step:
            left_s = step.elapsed_s / done * (total - done)
            parts += [
                Text(f"lr {step.lr:.1e}", style="bold"),
                Text(f"loss {loss_text(step.loss):<9}"),
                Text(f"best {loss_text(self._best):<9}"),
                Text(f"eta {clock_text(left_s)}", style="dim"),
            ]
        room = self._console.width - 1
        while len(parts) > 1 and _length(name, parts) > room:
            parts.pop()
        columns = min(room - _length(name, parts) - _GAP, _BAR_COLUMNS)
        cells: list[Text | ProgressBar] = [Text(name), *parts]
        if columns >= 4:
            cells.insert(1, ProgressBar(total=total, completed=done, width=columns))
        grid = Table.grid(padding=(0, _GAP, 0, 0))
        for _ in cells:
            grid.add_column(no_wrap=True)
        grid.add_row(*cells)
        return grid


def _length(name: str, parts: Sequence[Text]) -> int:
    return len(name) + sum(_GAP + len(part) for part in parts)
