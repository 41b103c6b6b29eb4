"""The rows of a curve's file, seed by seed, each held against those before it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lrfind.curve import CSV_COLUMNS, Curve, StopReason
from lrfind.curve_csv.blocks import columns_of
from lrfind.errors import InputError
from lrfind.ramp import StopRule, StopState
from lrfind.smoothing import Floats

REMEDY = "name a curve.csv or report.json that `lrfind run` wrote"

MANY_SEEDS = 32
"""Seeds in one block above which it is read row by row."""

_EXACT = 2.0**53
"""Whole numbers from which a float may stand for several."""


class Refuse(Protocol):
    """Make the error for what is wrong, at a line of the file or of the whole of it."""

    def __call__(self, what: str, *, line: int | None = None, remedy: str = REMEDY) -> InputError:
        """Make it."""


@dataclass
class _Points:
    """The rows of one seed so far."""

    lr: array[float] = field(default_factory=lambda: array("d"))
    loss: array[float] = field(default_factory=lambda: array("d"))
    ratio: array[float] = field(default_factory=lambda: array("d"))
    step: float = -math.inf
    stop: StopReason | None = None


class Table:
    """Rows read so far, by seed; seeds may alternate.

    Args:
        header: the first row.
        refuse: makes errors.

    Raises:
        InputError: a column is missing or there twice.
    """

    def __init__(self, header: Sequence[str], refuse: Refuse) -> None:
        self._header = _checked(header, refuse)
        self._at = {name: i for i, name in enumerate(self._header)}
        self._known = [name for name in CSV_COLUMNS if name in self._at and name != "smooth"]
        self._seeds: dict[int, _Points] = {}
        self._refuse = refuse

    @property
    def curves(self) -> tuple[Curve, ...]:
        """One a seed, in the order in which they begin. Takes no row afterwards."""
        tells_stop = "stop" in self._at
        return tuple(_curve(seed, points, tells_stop) for seed, points in self._seeds.items())

    def add(self, row: Sequence[str], line: int) -> None:
        """Take a row.

        Raises:
            InputError: it does not fit the header, the rows above it, or what a sweep can measure.
        """
        if len(row) != len(self._header):
            what = f"has {len(row)} values, but the header names {len(self._header)} columns"
            raise self._refuse(what, line=line)
        seed = self._seed(row, line)
        points = self._seeds.setdefault(seed, _Points())
        lr, loss = self._number("lr", row, line), self._number("loss", row, line)
        if not 0 < lr < math.inf:
            raise self._refuse(f"lr = {lr!r} is not a positive finite number", line=line)
        if points.lr and lr < points.lr[-1]:
            what = f"lr = {lr!r} is below the one before it, {points.lr[-1]!r} (seed {seed})"
            raise self._refuse(what, line=line)
        if points.stop is not None:
            raise self._refuse(f"a row of seed {seed} follows the end of its sweep", line=line)
        if "step" in self._at:
            step = self._number("step", row, line)
            if not step > points.step:
                what = f"step = {step:g} does not follow step {points.step:g} of seed {seed}"
                raise self._refuse(what, line=line)
            points.step = step
        points.lr.append(lr)
        points.loss.append(loss)
        if "update_ratio" in self._at:
            # An empty cell is an update that was not measured.
            measured = row[self._at["update_ratio"]]
            points.ratio.append(self._number("update_ratio", row, line) if measured else math.nan)
        if "stop" in self._at and row[self._at["stop"]]:
            points.stop = self._stop(row, line)

    def add_block(self, block: bytes) -> bool:
        """Take many rows at once; False, and nothing taken, where they must go one by one."""
        found = columns_of(block, self._header, self._known)
        if found is None or not np.isnan(found.pop("stop", np.empty(0))).all():
            return False
        seeds = found.pop("seed", np.zeros(len(found["lr"])))
        if not (np.abs(seeds) < _EXACT).all() or (seeds != np.floor(seeds)).any():
            return False
        groups = _by_seed(seeds, found)
        if len(groups) > MANY_SEEDS or not all(self._fits(*group) for group in groups):
            return False
        for seed, rows in groups:
            points = self._seeds.setdefault(seed, _Points())
            points.lr.frombytes(rows["lr"].tobytes())
            points.loss.frombytes(rows["loss"].tobytes())
            if "update_ratio" in rows:
                points.ratio.frombytes(rows["update_ratio"].tobytes())
            if "step" in rows:
                points.step = float(rows["step"][-1])
        return True

    def _fits(self, seed: int, rows: dict[str, Floats]) -> bool:
        """Tell whether `add` would take these rows, all of them with a finite loss."""
        points = self._seeds.get(seed, _Points())
        before = points.lr[-1] if points.lr else 0.0
        lr, step = rows["lr"], rows.get("step")
        return bool(
            points.stop is None
            and lr[0] > 0.0
            and math.isfinite(lr[-1])
            and (np.diff(lr, prepend=before) >= 0.0).all()
            and np.isfinite(rows["loss"]).all()
            and (step is None or (np.diff(step, prepend=points.step) > 0.0).all())
        )

    def _seed(self, row: Sequence[str], line: int) -> int:
        if "seed" not in self._at:
            return 0
        text = row[self._at["seed"]]
        if text.isdecimal() and len(text) < 1000:
            return int(text)
        seed = self._number("seed", row, line)
        if not seed.is_integer():
            raise self._refuse(f"seed = {text!r} is no whole number", line=line)
        return int(seed)

    def _stop(self, row: Sequence[str], line: int) -> StopReason:
        text = row[self._at["stop"]]
        try:
            return StopReason(text)
        except ValueError:
            known = ", ".join(StopReason)
            what = f"stop = {text!r} is none of {known}"
            raise self._refuse(what, line=line) from None

    def _number(self, name: str, row: Sequence[str], line: int) -> float:
        text = row[self._at[name]]
        try:
            # Python alone reads 1_000 as a number.
            return float(text if "_" not in text else "")
        except ValueError:
            remedy = "write it with a decimal point, as 0.01" if "," in text else REMEDY
            what = f"{name} = {text!r} is no number"
            raise self._refuse(what, line=line, remedy=remedy) from None


def _checked(row: Sequence[str], refuse: Refuse) -> list[str]:
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


def _by_seed(seeds: Floats, columns: dict[str, Floats]) -> list[tuple[int, dict[str, Floats]]]:
    """Sort rows by seed, seeds and rows in the order in which they come.

    Beyond `MANY_SEEDS` no more are looked for.
    """
    if (seeds == seeds[0]).all():
        return [(int(seeds[0]), columns)]
    distinct, first = np.unique(seeds, return_index=True)
    groups = []
    for seed in distinct[np.argsort(first)][: MANY_SEEDS + 1]:
        of_seed = seeds == seed
        groups.append((int(seed), {name: rows[of_seed] for name, rows in columns.items()}))
    return groups


def _curve(seed: int, points: _Points, tells_stop: bool) -> Curve:
    # Over the memory that the rows were gathered in, of which long curves need no second copy.
    lr, loss = np.frombuffer(points.lr), np.frombuffer(points.loss)
    ratio = np.frombuffer(points.ratio) if points.ratio else None
    return Curve(
        lr=lr,
        loss=loss,
        seed=seed,
        stop=points.stop or (StopReason.INTERRUPTED if tells_stop else _judged(loss)),
        update_ratio=None if ratio is None or np.isnan(ratio).all() else ratio,
    )


def _judged(loss: Floats) -> StopReason:
    rule, state, stop = StopRule(), StopState(), None
    for value in loss.tolist():
        state, stop = rule.update(state, value)
    return stop or StopReason.COMPLETED
