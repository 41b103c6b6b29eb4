"""The story of a running sweep in a notebook: one output that is drawn anew, and then stays."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from lrfind.console.story import clock_text, loss_text, seed_line, seed_name, trial_line
from lrfind.curve import Step, StopReason
from lrfind.refine import Trial

if TYPE_CHECKING:
    from lrfind.console.progress import SweepProgress

REDRAW_S = 0.1
"""Least time between two redraws, so that the browser keeps up."""


@contextmanager
def live_story(wanted: bool | None) -> Iterator[list[SweepProgress | NotebookProgress]]:
    """Give the observer that shows a sweep where it is run, as a list of one or none.

    Args:
        wanted: True shows it wherever that is: in the output of a cell, else on standard error;
            None only in a notebook; False nowhere.
    """
    is_notebook = in_notebook()
    if wanted is False or (wanted is None and not is_notebook):
        yield []
    elif is_notebook:
        yield [NotebookProgress()]
    else:
        from lrfind.console.progress import SweepProgress

        with SweepProgress() as progress:
            yield [progress]


def in_notebook() -> bool:
    """Tell whether code runs in a Jupyter kernel, without importing anything of it."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return getattr(found, "kernel", None) is not None


class NotebookProgress:
    """An observer of sweeps and trials that draws into the output of a cell.

    It shows a bar with step, LR, loss, best loss and ETA, at most ten times a second, and leaves a
    line for each seed and trial. A step that is not drawn costs a look at the clock.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._lines: list[str] = []
        self._name = ""
        self._steps = 0
        self._best = math.inf
        self._latest: Step | None = None
        self._due_s = 0.0

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Start the bar of one seed."""
        self._name, self._steps = seed_name(seed, index, count), steps
        self._best, self._latest = math.inf, None
        self._draw_if_due()

    def step(self, step: Step) -> None:
        """Take note of a step, and redraw when the last drawing is old enough."""
        self._latest = step
        if step.loss < self._best:
            self._best = step.loss
        self._draw_if_due()

    def end(self, stop: StopReason) -> None:
        """Leave a line: steps, time, why it ended."""
        self._leave(seed_line(self._name, self._latest, self._steps, stop))

    def begin_trial(self, index: int, lr: float, steps: int) -> None:
        """Show which trial is running."""
        self._name, self._latest = f"trial {index + 1}", None
        self._draw_if_due()

    def end_trial(self, trial: Trial | None) -> None:
        """Leave a line on where it ended; none for one that was broken off."""
        if trial is not None:
            self._leave(trial_line(self._name, trial))

    def _leave(self, line: str) -> None:
        self._lines.append(line)
        self._name = ""
        self._draw()

    def _draw_if_due(self) -> None:
        if time.monotonic() >= self._due_s:
            self._draw()

    def _draw(self) -> None:
        # Imported by the kernel that this runs in.
        from IPython.display import display

        running, done = self._running()
        texts = [*self._lines, *([running] if running else [])]
        rows = [escape(line) for line in self._lines]
        if running:
            total = max(self._steps, done, 1)
            bar = f'<progress value="{done}" max="{total}"></progress> ' if done else ""
            rows.append(bar + escape(running))
        bundle = {
            "text/plain": "\n".join(texts),
            "text/html": "".join(f'<div style="font-family:monospace">{row}</div>' for row in rows),
        }
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)
        self._due_s = time.monotonic() + REDRAW_S

    def _running(self) -> tuple[str, int]:
        """Write what is under way, and the steps that are done; empty between two seeds."""
        step = self._latest
        if step is None or not self._name:
            return self._name, 0
        done = step.index + 1
        left_s = step.elapsed_s / done * (max(self._steps, done) - done)
        parts = [
            f"{self._name}: {done}/{max(self._steps, done)}",
            f"lr {step.lr:.1e}",
            f"loss {loss_text(step.loss)}",
            f"best {loss_text(self._best)}",
            f"eta {clock_text(left_s)}",
        ]
        return "  ".join(parts), done
