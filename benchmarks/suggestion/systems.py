"""Everyone who names an LR without another package: lrfind's rules, constants and the grid.

A system is a name and its answers for a list of pairs. The constants that are fitted (the best one
for each optimizer) never see the task they are used on, nor any held-out one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.suggestion.access import load_pairs, load_truth
from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.live import SETTINGS, answer_of, load_live
from benchmarks.suggestion.schedules import SCHEDULES, STEPS
from benchmarks.suggestion.seeds import ORACLE_SEEDS
from benchmarks.suggestion.sweeps import Sweep, load_sweep
from benchmarks.suggestion.tasks import Pair
from benchmarks.suggestion.truth import POINTS_PER_DECADE
from benchmarks.suggestion.yardstick import regret_of
from lrfind.errors import NoSuggestionError
from lrfind.suggest import CATALOG
from lrfind.suggest.panel import suggest

DEFAULT_LRS = {
    "sgd": 1e-3,
    "momentum": 1e-3,
    "adagrad": 1e-2,
    "rmsprop": 1e-2,
    "adam": 1e-3,
    "adamw": 1e-3,
}
"""The LR that torch.optim takes where none is given."""

CANDIDATES = 10.0 ** (np.arange(-40, 25) / POINTS_PER_DECADE)
"""Constants to choose from: 1e-5 … 1e3."""


def lrfind_answers(method: str, pairs: Iterable[Pair], plan: str = "default") -> list[Answer]:
    """Ask one rule of lrfind about every saved sweep."""
    return [rule_answer(method, sweep) for pair in pairs for sweep in load_sweep(plan, pair.name)]


def rule_answer(method: str, sweep: Sweep) -> Answer:
    """Ask one rule of lrfind about one sweep; a refusal is an answer without LRs."""
    steps = sweep.steps
    try:
        found = suggest([sweep.curve], method)
    except NoSuggestionError as error:
        return Answer(sweep.pair, sweep.seed, None, None, steps, verdict=error.verdict)
    return answer_of(sweep.pair, sweep.seed, found, steps)


def default_answers(pairs: Iterable[Pair]) -> list[Answer]:
    """Take the framework's default."""
    return [
        Answer(pair.name, 0, DEFAULT_LRS[pair.optimizer], DEFAULT_LRS[pair.optimizer], 0)
        for pair in pairs
    ]


def constant_answers(pairs: Iterable[Pair]) -> list[Answer]:
    """Take the constant that is best for the optimizer on the other fit tasks."""
    return [
        Answer(
            pair.name,
            0,
            best_constant(pair, "constant"),
            best_constant(pair, "warmup_cosine"),
            0,
        )
        for pair in pairs
    ]


def best_constant(pair: Pair, schedule: str) -> float:
    """Find the LR with the least mean regret over other fit tasks with the same optimizer."""
    others = [
        other
        for other in load_pairs()
        if other.optimizer == pair.optimizer and other.task is not pair.task
    ]
    regrets = [
        [regret_of(load_truth(other.name), schedule, lr) for lr in CANDIDATES] for other in others
    ]
    return float(CANDIDATES[np.argmin(np.mean(regrets, 0))])


def grid_answers(pairs: Iterable[Pair]) -> list[Answer]:
    """Search the oracle's whole grid with one seed: the floor that a suggestion can reach."""
    found = []
    for pair in pairs:
        truth = load_truth(pair.name)
        for i, seed in enumerate(ORACLE_SEEDS):
            lrs = [
                float(truth.lrs[np.argmin(truth.losses[schedule][:, i])]) for schedule in SCHEDULES
            ]
            found.append(Answer(pair.name, seed, lrs[0], lrs[1], STEPS * len(truth.indices)))
    return found


def own_systems(pairs: Sequence[Pair]) -> dict[str, list[Answer]]:
    """Ask everyone of this file; system → answers."""
    systems = {f"lrfind {method}": lrfind_answers(method, pairs) for method in CATALOG}
    systems["lrfind auto, range as given"] = lrfind_answers("auto", pairs, "as given")
    systems |= {f"lrfind auto, {name}": load_live(name, pairs) for name in SETTINGS}
    systems["best constant per optimizer"] = constant_answers(pairs)
    systems["framework default"] = default_answers(pairs)
    systems["full grid, one seed"] = grid_answers(pairs)
    return systems
