"""Reports and curves as files, and curves read back from them.

A new format is one function here, under its suffix. Nothing here runs code from a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lrfind.atomic import write_atomically
from lrfind.curve import Curve, Step, StopReason, Track
from lrfind.curve_csv import REMEDY, from_blocks, to_csv
from lrfind.errors import InputError, OutputError, Problem
from lrfind.intake import read_blocks, read_text
from lrfind.report import Report, to_json
from lrfind.report_form import from_json

CURVE_FILE, PLOT_FILE, REPORT_FILE = "curve.csv", "curve.png", "report.json"
OUTPUT_FILES = (CURVE_FILE, PLOT_FILE, REPORT_FILE)
PAGE_FILE = "report.html"
"""Written where it is asked for."""

MAX_BYTES = 1 << 30
"""Size above which a file is not read: over ten million points."""

FLUSH_EVERY_S = 1.0
"""Longest time for which measured steps exist in memory only, while writing takes a moment."""

REST = 10.0
"""Time between two writes of a long curve, in times that one takes: they are a tenth at most."""


def write_curves(curves: Sequence[Curve], path: Path) -> None:
    """Write curves to a CSV file, atomically."""
    write_atomically(path, to_csv(curves).encode())


def write_report(report: Report, path: Path) -> None:
    """Write a report to a JSON file, atomically."""
    write_atomically(path, to_json(report).encode())


class CurveRecorder:
    """A sweep's observer that keeps the curve on disk, at most a second of steps behind.

    A curve of very many points, which takes long to write, is written less often, so that a sweep
    stays linear in its steps.

    The first write takes the reports of an earlier run out of the folder: a curve must not stand
    beside a suggestion that was read off another one.

    Args:
        folder: where `curve.csv` goes.
        warn: told once where it cannot be written, and the sweep goes on; None: that is raised.
    """

    def __init__(self, folder: Path, warn: Callable[[OutputError], object] | None = None) -> None:
        self._folder = folder
        self._warn = warn
        self._done: list[Curve] = []
        self._track = Track()
        self._seed = 0
        self._latest_s = 0.0
        self._next_flush = 0.0
        self._written = False
        self._is_closed = False

    @property
    def path(self) -> Path:
        """The file that is kept up to date."""
        return self._folder / CURVE_FILE

    @property
    def has_written(self) -> bool:
        """Tell whether anything was measured and written."""
        return self._written

    @property
    def curves(self) -> list[Curve]:
        """Everything measured so far, one curve a seed; the last may be partial."""
        current = [] if self._is_done() else [self._curve(StopReason.INTERRUPTED)]
        return [curve for curve in (*self._done, *current) if len(curve)]

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Start the curve of another seed, or of one that is swept again."""
        self._track = Track()
        self._seed = seed
        self._done = [curve for curve in self._done if curve.seed != seed]
        self._latest_s = time.monotonic()
        self._next_flush = self._latest_s + FLUSH_EVERY_S

    def step(self, step: Step) -> None:
        """Keep the step; write where the next one, as slow as this, would come too late."""
        if self._is_closed:
            return
        self._track.add(step)
        now = time.monotonic()
        taken_s, self._latest_s = now - self._latest_s, now
        if now + taken_s >= self._next_flush:
            self.flush()
            done = time.monotonic()
            self._next_flush = done + max(FLUSH_EVERY_S, REST * (done - now))

    def end(self, stop: StopReason) -> None:
        """Write what was measured, however the sweep ended."""
        if self._is_closed:
            return
        self._done.append(self._curve(stop))
        self.flush()

    def flush(self) -> bool:
        """Write everything measured so far; tell whether it is on disk."""
        curves = self.curves
        if not curves:
            return True
        try:
            write_curves(curves, self.path)
        except OutputError as error:
            if self._warn is None:
                raise
            warn, self._warn = self._warn, lambda _: None
            warn(error)
            return False
        if not self._written:
            for stale in (REPORT_FILE, PLOT_FILE, PAGE_FILE):
                (self._folder / stale).unlink(missing_ok=True)
        self._written = True
        return True

    def close(self) -> None:
        """Keep and write no more, whatever still comes: someone else writes now."""
        self._is_closed = True

    def _is_done(self) -> bool:
        return bool(self._done) and self._done[-1].seed == self._seed

    def _curve(self, stop: StopReason) -> Curve:
        return self._track.curve(seed=self._seed, stop=stop, initial_loss=None)


def read_report(path: Path) -> Report:
    """Read a `report.json`.

    Raises:
        InputError: the file is missing, damaged, or of another schema.
    """
    text = read_text(path, MAX_BYTES, REMEDY)
    try:
        return from_json(text)
    except ValueError as error:
        problem = Problem(str(path), f"is no lrfind report: {error}", REMEDY)
        raise InputError(problem) from None


def read_curves(path: Path) -> tuple[Curve, ...]:
    """Read the curves of a `curve.csv` or `report.json`; see `lrfind.curve_csv.from_blocks`.

    Raises:
        InputError: the file is missing or damaged, with the line where there is one.
    """
    if path.suffix.lower() == ".json":
        return read_report(path).curves
    return from_blocks(read_blocks(path, MAX_BYTES, REMEDY), path)
