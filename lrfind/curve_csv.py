"""Curves as CSV, and CSV of any origin as curves: exact, or refused with the line.

The last row of each seed tells in the column `stop` why the sweep ended. A file without that row
was cut or is still being written, and its curve reads as interrupted. A file that ends within a
line is refused: `0.01` may have lost digits.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from lrfind.curve import CSV_COLUMNS, Curve, StopReason, ratios_of
from lrfind.errors import InputError, Problem
from lrfind.smoothing import Floats
from lrfind.sweep import StopRule, StopState

REMEDY = "name a curve.csv or report.json that `lrfind run` wrote"


class Refuse(Protocol):
    """Make the error for what is wrong, at a line of the file or of the whole of it."""

    def __call__(self, what: str, *, line: int | None = None, remedy: str = REMEDY) -> InputError:
        """Make it."""


def to_csv(curves: Sequence[Curve]) -> str:
    """Write curves as CSV text with the columns `CSV_COLUMNS`, floats to full precision."""
    rows = [",".join(CSV_COLUMNS)]
    for curve in curves:
        found = curve.update_ratio
        ratios = [math.nan] * len(curve) if found is None else found.tolist()
        columns = (curve.lr.tolist(), curve.loss.tolist(), curve.smooth.tolist(), ratios)
        rows += [
            f"{curve.seed},{i},{lr!r},{loss!r},{smooth!r},"
            + ("," if ratio != ratio else f"{ratio!r},")
            for i, (lr, loss, smooth, ratio) in enumerate(zip(*columns, strict=True))
        ]
        if len(curve):
            rows[-1] += curve.stop.value
    return "\n".join(rows) + "\n"


def from_csv(text: str, path: Path) -> tuple[Curve, ...]:
    """Read curves; only the columns `lr` and `loss` must be there, unknown ones are ignored.

    Without a column `stop` why a sweep ended is decided again by the default stop rule. Time and
    memory grow in step with the text.

    Args:
        text: of the whole file.
        path: to name in errors.

    Raises:
        InputError: the text is damaged, with the line where there is one.
    """

    def refuse(what: str, *, line: int | None = None, remedy: str = REMEDY) -> InputError:
        return InputError(Problem(str(path) if line is None else f"{path}:{line}", what, remedy))

    # Over bytes, because a StringIO spends four of them on a character.
    lines = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    reader = csv.reader(lines, strict=True)
    try:
        table = _Table(_header(next(reader, []), refuse), refuse)
        if not text.endswith(("\n", "\r")):
            what = "the last line has no end, so it may be cut off"
            remedy = "complete it or take it out, and end the file with a line break"
            raise refuse(what, line=text.count("\n") + 1, remedy=remedy)
        for row in reader:
            if row:
                table.add(row, reader.line_num)
    except csv.Error as error:
        raise refuse(f"is no CSV: {error}", line=reader.line_num) from None
    if not table.seeds:
        raise refuse("holds no rows")
    return tuple(_curve(seed, points, "stop" in table.at) for seed, points in table.seeds.items())


def _header(row: list[str], refuse: Refuse) -> list[str]:
    header = [name.strip() for name in row]
    missing = [name for name in ("lr", "loss") if name not in header]
    if missing:
        found = ", ".join(header) or "none"
        other = next((mark for mark in (";", "\t") if any(mark in name for name in header)), None)
        remedy = REMEDY
        if other is not None:
            remedy = f"separate columns by commas instead of {other!r}, and write numbers as 0.01"
        raise refuse(f"has no column {' and '.join(missing)} (found: {found})", remedy=remedy)
    twice = sorted({name for name in header if name in CSV_COLUMNS and header.count(name) > 1})
    if twice:
        raise refuse(f"names the column {' and '.join(twice)} more than once", line=1)
    return header


@dataclass
class _Points:
    """The rows of one seed so far."""

    lr: array[float] = field(default_factory=lambda: array("d"))
    loss: array[float] = field(default_factory=lambda: array("d"))
    ratio: array[float] = field(default_factory=lambda: array("d"))
    step: float = -math.inf
    stop: StopReason | None = None


class _Table:
    """Rows read so far, by seed; seeds may alternate."""

    def __init__(self, header: list[str], refuse: Refuse) -> None:
        self.at = {name: i for i, name in enumerate(header)}
        self.seeds: dict[int, _Points] = {}
        self._width = len(header)
        self._refuse = refuse

    def add(self, row: list[str], line: int) -> None:
        """Take a row.

        Raises:
            InputError: it does not fit the header, the rows above it, or what a sweep can measure.
        """
        if len(row) != self._width:
            what = f"has {len(row)} values, but the header names {self._width} columns"
            raise self._refuse(what, line=line)
        seed = self._seed(row, line)
        points = self.seeds.setdefault(seed, _Points())
        lr, loss = self._number("lr", row, line), self._number("loss", row, line)
        if not 0 < lr < math.inf:
            raise self._refuse(f"lr = {lr!r} is not a positive finite number", line=line)
        if points.lr and lr < points.lr[-1]:
            what = f"lr = {lr!r} is below the one before it, {points.lr[-1]!r} (seed {seed})"
            raise self._refuse(what, line=line)
        if points.stop is not None:
            raise self._refuse(f"a row of seed {seed} follows the end of its sweep", line=line)
        if "step" in self.at:
            step = self._number("step", row, line)
            if not step > points.step:
                what = f"step = {step:g} does not follow step {points.step:g} of seed {seed}"
                raise self._refuse(what, line=line)
            points.step = step
        points.lr.append(lr)
        points.loss.append(loss)
        # An empty cell is an update that was not measured.
        measured = "update_ratio" in self.at and row[self.at["update_ratio"]]
        points.ratio.append(self._number("update_ratio", row, line) if measured else math.nan)
        if "stop" in self.at and row[self.at["stop"]]:
            points.stop = self._stop(row, line)

    def _seed(self, row: list[str], line: int) -> int:
        if "seed" not in self.at:
            return 0
        text = row[self.at["seed"]]
        if text.isdecimal() and len(text) < 1000:
            return int(text)
        seed = self._number("seed", row, line)
        if not seed.is_integer():
            raise self._refuse(f"seed = {text!r} is no whole number", line=line)
        return int(seed)

    def _stop(self, row: list[str], line: int) -> StopReason:
        text = row[self.at["stop"]]
        try:
            return StopReason(text)
        except ValueError:
            known = ", ".join(StopReason)
            what = f"stop = {text!r} is none of {known}"
            raise self._refuse(what, line=line) from None

    def _number(self, name: str, row: list[str], line: int) -> float:
        text = row[self.at[name]]
        try:
            # Python alone reads 1_000 as a number.
            return float(text if "_" not in text else "")
        except ValueError:
            remedy = "write it with a decimal point, as 0.01" if "," in text else REMEDY
            what = f"{name} = {text!r} is no number"
            raise self._refuse(what, line=line, remedy=remedy) from None


def _curve(seed: int, points: _Points, tells_stop: bool) -> Curve:
    loss: Floats = np.array(points.loss)
    stop = points.stop or (StopReason.INTERRUPTED if tells_stop else _judged(loss))
    return Curve(
        lr=np.array(points.lr),
        loss=loss,
        seed=seed,
        stop=stop,
        update_ratio=ratios_of(points.ratio),
    )


def _judged(loss: Floats) -> StopReason:
    rule, state, stop = StopRule(), StopState(), None
    for value in loss.tolist():
        state, stop = rule.update(state, value)
    return stop or StopReason.COMPLETED
