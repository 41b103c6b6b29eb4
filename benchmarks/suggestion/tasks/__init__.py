"""The benchmark's tasks: 36 in 12 families of three, and the pairs they make with optimizers.

One task of each family is held out: the one whose name has the least SHA-256, decided before
anything was measured. Rules are fitted on the others; the held-out ones are looked at once. Nine
fresh tasks in no family came after that look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from benchmarks.suggestion.tasks.fresh import FRESH
from benchmarks.suggestion.tasks.hard import DEEP, LARGE, PLATEAU, START
from benchmarks.suggestion.tasks.structured import CURVATURE, LANGUAGE, NEGATIVE, UNSUPERVISED
from benchmarks.suggestion.tasks.supervised import CLASSIFIER, CONVOLUTION, RAW, TABULAR
from benchmarks.suggestion.tasks.task import Batch, Rows, Task

__all__ = ["FAMILIES", "PAIRS", "TASKS", "Batch", "Pair", "Part", "Rows", "Task"]

FAMILIES = (
    CLASSIFIER,
    CONVOLUTION,
    RAW,
    TABULAR,
    LANGUAGE,
    UNSUPERVISED,
    CURVATURE,
    NEGATIVE,
    START,
    PLATEAU,
    DEEP,
    LARGE,
)

TASKS = {task.name: task for family in (*FAMILIES, FRESH) for task in family}
"""Name → task."""


class Part(StrEnum):
    """What a pair is there for."""

    FIT = "fit"
    HELD_OUT = "held-out"
    FRESH = "fresh"


@dataclass(frozen=True, eq=False)
class Pair:
    """A task with one optimizer at its default arguments.

    Attributes:
        task: what is trained.
        optimizer: lrfind's bundled name.
        part: whether rules may be fitted on it.
    """

    task: Task
    optimizer: str
    part: Part

    @property
    def name(self) -> str:
        """`task-optimizer`, in files and tables."""
        return f"{self.task.name}-{self.optimizer}"


def _part(task: Task) -> Part:
    if task in FRESH:
        return Part.FRESH
    family = next(family for family in FAMILIES if task in family)
    apart = min(family, key=lambda member: sha256(member.name.encode()).hexdigest())
    return Part.HELD_OUT if task is apart else Part.FIT


PAIRS = {
    pair.name: pair
    for task in TASKS.values()
    for pair in (Pair(task, optimizer, _part(task)) for optimizer in task.optimizers)
}
"""Name → pair, in the tasks' order."""
