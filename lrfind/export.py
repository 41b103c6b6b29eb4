"""Reports and curves as files, and curves read back from them.

A new format is one function here, under its suffix. Nothing here runs code from a file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lrfind.atomic import write_atomically
from lrfind.curve import CSV_COLUMNS, Curve, Step, StopReason, ratios_of
from lrfind.errors import InputError, Problem
from lrfind.report import Report, from_dict, to_json
from lrfind.smoothing import Floats
from lrfind.sweep import StopRule, StopState

CURVE_FILE, PLOT_FILE, REPORT_FILE = "curve.csv", "curve.png", "report.json"
OUTPUT_FILES = (CURVE_FILE, PLOT_FILE, REPORT_FILE)

FLUSH_EVERY_S = 1.0
"""Longest time for which measured steps exist in memory only."""


def curves_to_csv(curves: Sequence[Curve]) -> str:
    """Write curves as CSV text with the columns `CSV_COLUMNS`, floats to full precision."""
    rows = [",".join(CSV_COLUMNS)]
    for curve in curves:
        found = curve.update_ratio
        ratios = [math.nan] * len(curve) if found is None else found.tolist()
        columns = (curve.lr.tolist(), curve.loss.tolist(), curve.smooth.tolist(), ratios)
        rows += [
            f"{curve.seed},{i},{lr!r},{loss!r},{smooth!r},"
            + ("" if ratio != ratio else repr(ratio))
            for i, (lr, loss, smooth, ratio) in enumerate(zip(*columns, strict=True))
        ]
    return "\n".join(rows) + "\n"


def write_curves(curves: Sequence[Curve], path: Path) -> None:
    """Write curves to a CSV file, atomically."""
    write_atomically(path, curves_to_csv(curves).encode())


def write_report(report: Report, path: Path) -> None:
    """Write a report to a JSON file, atomically."""
    write_atomically(path, to_json(report).encode())


class CurveRecorder:
    """A sweep's observer that keeps the curve on disk, at most a second behind.

    The first write takes the reports of an earlier run out of the folder: a curve must not stand
    beside a suggestion that was read off another one.

    Args:
        folder: where `curve.csv` goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: list[Curve] = []
        self._steps: list[Step] = []
        self._seed = 0
        self._next_flush = 0.0
        self._written = False

    @property
    def path(self) -> Path:
        """The file that is kept up to date."""
        return self._folder / CURVE_FILE

    @property
    def has_written(self) -> bool:
        """Tell whether anything was measured and written."""
        return self._written

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Start the curve of another seed, or of one that is swept again."""
        self._seed = seed
        self._done = [curve for curve in self._done if curve.seed != seed]
        self._steps = []
        self._next_flush = time.monotonic() + FLUSH_EVERY_S

    def step(self, step: Step) -> None:
        """Keep the step; write the file when a second has passed since the last time."""
        self._steps.append(step)
        if time.monotonic() >= self._next_flush:
            self._write(self._curve(StopReason.INTERRUPTED))
            self._next_flush = time.monotonic() + FLUSH_EVERY_S

    def end(self, stop: StopReason) -> None:
        """Write what was measured, however the sweep ended."""
        curve = self._curve(stop)
        self._write(curve)
        self._done.append(curve)

    def _curve(self, stop: StopReason) -> Curve:
        return Curve.from_steps(self._steps, seed=self._seed, stop=stop, initial_loss=None)

    def _write(self, current: Curve) -> None:
        curves = [curve for curve in (*self._done, current) if len(curve)]
        if not curves:
            return
        write_curves(curves, self.path)
        self._written = True
        for stale in (REPORT_FILE, PLOT_FILE):
            (self._folder / stale).unlink(missing_ok=True)


def read_report(path: Path) -> Report:
    """Read a `report.json`.

    Raises:
        InputError: the file is missing, damaged, or of another schema.
    """
    try:
        return from_dict(json.loads(_read_text(path)))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"is no lrfind report: {error}") from None


def read_curves(path: Path) -> tuple[Curve, ...]:
    """Read the curves of a `curve.csv` or `report.json`.

    A CSV needs the columns `lr` and `loss`; `seed` and `update_ratio` are used where they are,
    others are ignored. It does not tell why a sweep stopped: that is decided again by the default
    stop rule.

    Raises:
        InputError: the file is missing or damaged, with the line where there is one.
    """
    if path.suffix.lower() == ".json":
        return read_report(path).curves
    points: dict[int, list[tuple[float, float, float]]] = {}
    for seed, lr, loss, ratio, line in _rows(path):
        curve = points.setdefault(seed, [])
        if not 0 < lr < math.inf:
            raise _damaged(path, f"lr = {lr!r} is not a positive finite number", line=line)
        if curve and lr < curve[-1][0]:
            what = f"lr = {lr!r} is below the one before it, {curve[-1][0]!r} (seed {seed})"
            raise _damaged(path, what, line=line)
        curve.append((lr, loss, ratio))
    if not points:
        raise _damaged(path, "holds no rows")
    return tuple(_curve(seed, np.array(rows)) for seed, rows in points.items())


def _rows(path: Path) -> Iterator[tuple[int, float, float, float, int]]:
    """Read seed, LR, loss, update ratio and line number off each row of a CSV."""
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in ("lr", "loss") if name not in header]
        if missing:
            found = ", ".join(header) or "none"
            raise _damaged(path, f"has no column {' and '.join(missing)} (found: {found})")
        for row in reader:
            line = reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                what = f"has {len(row)} values, but the header names {len(header)} columns"
                raise _damaged(path, what, line=line)
            cells = dict(zip(header, row, strict=True))
            seed = _number(cells, "seed", path, line) if "seed" in cells else 0.0
            if not seed.is_integer():
                what = f"seed = {cells['seed']!r} is no whole number"
                raise _damaged(path, what, line=line)
            lr, loss = (_number(cells, name, path, line) for name in ("lr", "loss"))
            # An empty cell is an update that was not measured.
            ratio = (
                _number(cells, "update_ratio", path, line)
                if cells.get("update_ratio")
                else math.nan
            )
            yield int(seed), lr, loss, ratio, line
    except csv.Error as error:
        raise _damaged(path, f"is no CSV: {error}", line=reader.line_num) from None


def _number(cells: Mapping[str, str], name: str, path: Path, line: int) -> float:
    try:
        return float(cells[name])
    except ValueError:
        what = f"{name} = {cells[name]!r} is no number"
        raise _damaged(path, what, line=line) from None


def _curve(seed: int, points: Floats) -> Curve:
    lr, loss = points[:, 0].copy(), points[:, 1].copy()
    rule, state, stop = StopRule(), StopState(), None
    for value in loss.tolist():
        state, stop = rule.update(state, value)
    return Curve(
        lr=lr,
        loss=loss,
        seed=seed,
        stop=stop or StopReason.COMPLETED,
        update_ratio=ratios_of(points[:, 2].tolist()),
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        remedy = "name a curve.csv or report.json that `lrfind run` wrote"
        problem = Problem(str(path), f"cannot be read: {error.strerror}", remedy)
        raise InputError(problem) from None
    except UnicodeDecodeError:
        raise _damaged(path, "is not UTF-8 text") from None


def _damaged(path: Path, what: str, *, line: int | None = None) -> InputError:
    where = str(path) if line is None else f"{path}:{line}"
    remedy = "name a curve.csv or report.json that `lrfind run` wrote"
    return InputError(Problem(where, what, remedy))
