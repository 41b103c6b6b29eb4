"""From answers to numbers: the rows of the benchmark's table."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.suggestion.access import load_truth
from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.schedules import SCHEDULES
from benchmarks.suggestion.tasks import PAIRS
from benchmarks.suggestion.truth import Floats
from benchmarks.suggestion.yardstick import bootstrap, diverges, regret_of


@dataclass(frozen=True, eq=False)
class Score:
    """How a system did on some pairs.

    Attributes:
        system: its name.
        answers: as given.
        regrets: shape `(answers, schedules)`.
    """

    system: str
    answers: Sequence[Answer]
    regrets: Floats

    @property
    def mean(self) -> float:
        """Mean regret over answers and schedules."""
        return float(self.regrets.mean())

    @property
    def median(self) -> float:
        """Median regret over answers and schedules."""
        return float(np.median(self.regrets))

    def within(self, bound: float) -> float:
        """Share of answers with at most this regret."""
        return float((self.regrets <= bound).mean())

    @property
    def steps(self) -> float:
        """Mean training steps an answer cost."""
        return float(np.mean([answer.steps for answer in self.answers]))

    @property
    def divergent(self) -> float:
        """Share of constant LRs at which training ends no better than it began."""
        return float(np.mean([diverges(load_truth(a.pair), a.lr) for a in self.answers]))

    @property
    def silent(self) -> float:
        """Share of questions without an answer."""
        return float(np.mean([answer.lr is None for answer in self.answers]))

    @property
    def spread_decades(self) -> float:
        """Median over pairs of the standard deviation of log10 LR between seeds; NaN without."""
        logs: dict[str, list[float]] = defaultdict(list)
        for answer in self.answers:
            if answer.lr is not None:
                logs[answer.pair].append(math.log10(answer.lr))
        spreads = [float(np.std(values, ddof=1)) for values in logs.values() if len(values) > 1]
        return median(spreads) if spreads else math.nan

    @property
    def tasks(self) -> list[str]:
        """Task of each answer."""
        return [PAIRS[answer.pair].task.name for answer in self.answers]

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the mean regret, tasks drawn."""
        return bootstrap(self.regrets.mean(1).tolist(), self.tasks)

    def by_pair(self) -> dict[str, float]:
        """Mean regret of each pair."""
        found: dict[str, list[float]] = defaultdict(list)
        for answer, regret in zip(self.answers, self.regrets.mean(1), strict=True):
            found[answer.pair].append(float(regret))
        return {pair: float(np.mean(values)) for pair, values in found.items()}


def score(system: str, answers: Sequence[Answer]) -> Score:
    """Measure answers by the oracle."""
    regrets = [
        [
            regret_of(load_truth(answer.pair), schedule, answer.for_schedule(schedule))
            for schedule in SCHEDULES
        ]
        for answer in answers
    ]
    return Score(system, answers, np.array(regrets))


def difference(first: Score, second: Score) -> tuple[float, float, float]:
    """Compare two systems pair by pair: mean difference of regret and its 95 % interval."""
    ours, theirs = first.by_pair(), second.by_pair()
    shared = [pair for pair in ours if pair in theirs]
    gaps = [ours[pair] - theirs[pair] for pair in shared]
    low, high = bootstrap(gaps, [PAIRS[pair].task.name for pair in shared])
    return float(np.mean(gaps)), low, high
