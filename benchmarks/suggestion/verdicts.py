"""Does lrfind know when it does not know? Its verdicts and ranges held against the oracle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.suggestion.access import load_truth
from benchmarks.suggestion.score import Score
from benchmarks.suggestion.yardstick import regret_of
from lrfind.suggest.answer import Verdict

BAD = 0.2
"""Mean regret over both schedules above which an answer should not have been trusted."""

USABLE = 0.10
"""Regret at a constant LR that `low..high` promises to stay under, from end to end."""

WARNED = frozenset({Verdict.LOW_CONFIDENCE, Verdict.NO_SIGNAL, Verdict.DIVERGED_AT_START})
"""Verdicts that tell a user not to trust the answer."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Answers by whether lrfind warned of them and whether they were bad.

    Attributes:
        caught: bad and warned of.
        missed: bad, and not warned of.
        false_alarms: good, and warned of.
        passed: good, and not warned of.
    """

    caught: int
    missed: int
    false_alarms: int
    passed: int


def confusion(each: Score) -> Confusion:
    """Count the answers of a system that has verdicts."""
    bad = each.regrets.mean(1) > BAD
    warned = np.array([answer.verdict in WARNED for answer in each.answers])
    counts = [bad & warned, bad & ~warned, ~bad & warned, ~bad & ~warned]
    return Confusion(*(int(count.sum()) for count in counts))


def coverage(each: Score) -> float:
    """Compute the share of ranges in which regret at a constant LR stays usable throughout.

    Between two LRs of the grid the regret is a straight line in log LR, so the ends of the range
    and the grid's LRs within it decide.
    """
    held = []
    for answer in each.answers:
        if answer.low is None or answer.high is None:
            continue
        truth = load_truth(answer.pair)
        within = truth.lrs[(truth.lrs > answer.low) & (truth.lrs < answer.high)]
        worst = max(regret_of(truth, "constant", lr) for lr in (answer.low, *within, answer.high))
        held.append(worst <= USABLE)
    return float(np.mean(held)) if held else math.nan


def verdict_table(scores: Sequence[Score]) -> str:
    """Write as Markdown how often verdicts and ranges were right, a row a system that has them."""
    lines = [
        f"| system | bad (regret > {BAD:g}) and warned of | bad, not warned of | good, warned of "
        f"| good, not warned of | low … high holds regret ≤ {USABLE:.2f} |",
        "|---|---|---|---|---|---|",
    ]
    for each in scores:
        if all(answer.verdict for answer in each.answers):
            found = confusion(each)
            cells = (found.caught, found.missed, found.false_alarms, found.passed)
            row = " | ".join(map(str, cells))
            lines.append(f"| {each.system} | {row} | {coverage(each):.0%} |")
    return "\n".join(lines)
