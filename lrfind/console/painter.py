"""A thread that draws what is under way, as often as costs next to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from lrfind.console.live_area import LiveArea

FIRST_S = 0.5
"""Time after which something is drawn at all: what is over sooner would only flash."""

REDRAW_S = 0.1
"""Least time between two drawings."""

BUSY_REST = 120.0
"""The same in times that one took to compose: drawing takes 0.8 % of a sweep at most.

In wall time: where a sweep gets only a share of a processor, its drawings get as little of that.
"""

WRITE_REST = 9.0
"""The same in times that the terminal took one: a slow line is free nine tenths of the time."""

_PATIENCE_S = 1.0


class Painter:
    """Draws into an area from when it is started until it is stopped.

    A thread of its own, since a step may take minutes, and what was printed must not wait for it.

    Args:
        area: where to draw.
        compose: gives the rows.
    """

    def __init__(self, area: LiveArea, compose: Callable[[], Sequence[str]]) -> None:
        self._area = area
        self._compose = compose
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._paint, name="lrfind painter", daemon=True)

    def start(self) -> None:
        """Begin, a moment later."""
        self._thread.start()

    def stop(self) -> None:
        """Draw no more, and wipe the area; a terminal that takes nothing is not waited for."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def _paint(self) -> None:
        # Once the terminal is gone, or the stream closed, there is nothing to draw on.
        with suppress(OSError, ValueError):
            try:
                self._paint_and_rest()
            finally:
                self._area.hide()

    def _paint_and_rest(self) -> None:
        rest_s = FIRST_S
        while not self._is_over.wait(rest_s):
            started = time.perf_counter()
            rows = self._compose()
            composed = time.perf_counter()
            self._area.show(rows)
            wrote_s = time.perf_counter() - composed
            rest_s = max(REDRAW_S, BUSY_REST * (composed - started), WRITE_REST * wrote_s)
