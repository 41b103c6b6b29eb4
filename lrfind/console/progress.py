"""The story of a running sweep on stderr: its curve for eyes, one plain line a seed for logs."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TextIO, cast

from rich.console import Console
from rich.text import Text

from lrfind.console.live_area import Above, LiveArea
from lrfind.console.painter import Painter
from lrfind.console.story import seed_line, seed_name, trial_line
from lrfind.console.sweep_view import ReadSoFar, SweepView, TrialView, View
from lrfind.console.terminal import can_draw, can_redraw
from lrfind.curve import Step, StopReason
from lrfind.refine import Trial


class SweepProgress:
    """An observer of sweeps and trials that shows how far each is.

    On a terminal it draws the curve so far over a bar with step, LR, loss and ETA, in place;
    elsewhere it writes one line at the end of each seed. A sweep of less than half a second leaves
    its line only. Use it as a context manager: what the user's code prints inside stands above the
    drawing, and nothing of that is left on whatever way the block is.

    Args:
        quiet: show nothing at all.
        stream: where to write; None: stderr.
        console: a console to share with other writers; None: one of its own on `stream`.
        read: what a rule says of a curve that is still growing; None: no rule is asked.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        console: Console | None = None,
        read: ReadSoFar | None = None,
    ) -> None:
        self._quiet = quiet
        shared = cast(TextIO, console.file) if console else None
        self._stream = stream or shared or sys.stderr
        # Rich takes FORCE_COLOR for a terminal; a drawing belongs on a real one only.
        self._console = console or Console(
            file=self._stream,
            highlight=False,
            emoji=False,
            force_terminal=self._stream.isatty(),
            force_jupyter=False,
        )
        is_drawn = can_redraw(self._stream) and not quiet and not self._console.legacy_windows
        self._area = LiveArea(self._stream) if is_drawn else None
        self._unicode = can_draw(self._stream)
        self._painter: Painter | None = None
        self._read = read
        self._name, self._steps = "", 0
        self._latest: Step | None = None
        self._view: SweepView | None = None
        self._replaced: list[tuple[str, TextIO, TextIO]] = []

    def __enter__(self) -> SweepProgress:
        if self._area is not None:
            for name in ("stdout", "stderr"):
                stream: TextIO = getattr(sys, name)
                # What goes elsewhere must go there with a drawing, too.
                if stream.isatty():
                    above = cast(TextIO, Above(self._area, stream))
                    self._replaced.append((name, stream, above))
                    setattr(sys, name, above)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        for name, stream, above in self._replaced:
            if getattr(sys, name) is above:
                setattr(sys, name, stream)

    def close(self) -> None:
        """Take away what is drawn, and draw no more; from any thread."""
        self._quiet = True
        self._clear()

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Start the drawing of one seed.

        Args:
            seed: the seed itself.
            index: 0-based position of this seed among all.
            count: number of seeds.
            steps: planned steps.
        """
        self._name, self._steps = seed_name(seed, index, count), steps
        self._latest = None
        if self._area is not None:
            name = f"seed {index + 1}/{count}" if count > 1 else "sweep"
            view = SweepView(name, steps, self._read)
            self._show(view)
            self._view = view

    def step(self, step: Step) -> None:
        """Take note of a step."""
        self._latest = step
        if self._view is not None:
            self._view.step(step)

    def end(self, stop: StopReason) -> None:
        """Take the drawing away and leave a line: steps, time, why it ended."""
        self._clear()
        self._leave(seed_line(self._name, self._latest, self._steps, stop))

    def begin_trial(self, index: int, lr: float, steps: int) -> None:
        """Show which trial is running."""
        self._name = f"trial {index + 1}"
        self._show(TrialView(self._name, lr, steps))

    def end_trial(self, trial: Trial | None) -> None:
        """Leave a line on where it ended; none for one that was broken off."""
        self._clear()
        if trial is not None:
            self._leave(trial_line(self._name, trial))

    def _show(self, view: View) -> None:
        self._clear()
        area = self._area
        if area is not None and not self._quiet:
            # Kept first: Ctrl-C in between must not leave a painter that nobody can stop.
            self._painter = Painter(area, lambda: self._drawn(view))
            self._painter.start()

    def _drawn(self, view: View) -> list[str]:
        size = self._console.size
        rows = view.rows(size.width, size.height, unicode=self._unicode)
        return [self._styled(row) if row.spans else row.plain for row in rows]

    def _styled(self, row: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(row, no_wrap=True, overflow="ignore", crop=False, end="")
        return captured.get()

    def _clear(self) -> None:
        painter, self._painter = self._painter, None
        self._view = None
        if painter is not None:
            painter.stop()

    def _leave(self, line: str) -> None:
        if self._quiet:
            return
        if self._area is not None:
            self._area.begin_line()
        self._console.print(line, soft_wrap=True, markup=False)
