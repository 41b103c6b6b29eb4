"""What the oracle knows of a pair: final losses on a grid of LRs, as a value and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.suggestion.schedules import SCHEDULES, STEPS

Floats = NDArray[np.float64]

FOLDER = Path(__file__).parent / "oracle"

POINTS_PER_DECADE = 8
"""The grid: LR = 10^(k / 8) for whole numbers k."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Final losses of one pair.

    Attributes:
        name: of the pair.
        indices: grid indices k, increasing; every fourth, and each one near an optimum.
        initial: loss before training, shape `(seeds,)`.
        losses: schedule → final losses, shape `(len(indices), seeds)`; infinite where training
            exploded.
    """

    name: str
    indices: tuple[int, ...]
    initial: Floats
    losses: dict[str, Floats]

    @cached_property
    def lrs(self) -> Floats:
        """LRs of the grid."""
        return 10.0 ** (np.array(self.indices) / POINTS_PER_DECADE)

    @cached_property
    def start(self) -> float:
        """L0: mean loss before training."""
        return float(self.initial.mean())

    def mean(self, schedule: str) -> Floats:
        """Mean over seeds of the final loss, shape `(len(indices),)`."""
        mean: Floats = self.losses[schedule].mean(1)
        return mean

    def best(self, schedule: str) -> int:
        """Position of the LR with the least mean loss."""
        return int(np.argmin(self.mean(schedule)))


def path_of(name: str) -> Path:
    """Name the file of a pair."""
    return FOLDER / f"{name}.json"


def save(truth: Truth, versions: dict[str, str]) -> None:
    """Write a pair's file; six digits a loss, null where training exploded."""
    content: dict[str, Any] = {
        "pair": truth.name,
        "steps": STEPS,
        "versions": versions,
        "points_per_decade": POINTS_PER_DECADE,
        "indices": list(truth.indices),
        "initial": [_rounded(value) for value in truth.initial],
    }
    content |= {
        schedule: [[_rounded(value) for value in row] for row in table]
        for schedule, table in truth.losses.items()
    }
    lines = [f"{json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in content.items()]
    path_of(truth.name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def load(name: str) -> Truth:
    """Read a pair's file.

    Raises:
        FileNotFoundError: the oracle has not measured it.
    """
    content = json.loads(path_of(name).read_text())
    if (content["steps"], content["points_per_decade"]) != (STEPS, POINTS_PER_DECADE):
        raise ValueError(f"{path_of(name)}: measured with other constants; delete it and run again")
    return Truth(
        name=content["pair"],
        indices=tuple(content["indices"]),
        initial=np.array(content["initial"], dtype=np.float64),
        losses={schedule: _table(content[schedule]) for schedule in SCHEDULES},
    )


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _table(rows: list[list[float | None]]) -> Floats:
    return np.array([[math.inf if value is None else value for value in row] for row in rows])
