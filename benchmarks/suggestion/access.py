"""The benchmark as data, for those who fit rules.

    from benchmarks.suggestion.access import load_pairs, load_sweeps, regret

    for (pair, seed), sweep in load_sweeps().items():
        lr = my_rule(sweep.curve)
        print(pair, seed, regret(pair, "constant", lr))

Held-out and fresh pairs come only when asked for by name; ask once, at the end.
"""

from __future__ import annotations

from functools import cache

from benchmarks.suggestion.sweeps import Sweep, load_sweep
from benchmarks.suggestion.tasks import PAIRS, Pair, Part
from benchmarks.suggestion.truth import Truth, load
from benchmarks.suggestion.yardstick import regret_of


def load_pairs(part: Part = Part.FIT) -> list[Pair]:
    """List the pairs to fit on, or those to judge by at the end."""
    return [pair for pair in PAIRS.values() if pair.part is part]


def load_sweeps(plan: str = "default", part: Part = Part.FIT) -> dict[tuple[str, int], Sweep]:
    """Read the saved sweeps, by pair name and finder seed.

    Args:
        plan: `default` (200 steps, 1e-7 … 10, widened where needed), `as given` (the same, never
            widened) or `wide` (150 steps, 1e-5 … 300, never widened).
        part: of which pairs.
    """
    return {
        (sweep.pair, sweep.seed): sweep
        for pair in load_pairs(part)
        for sweep in load_sweep(plan, pair.name)
    }


@cache
def load_truth(name: str) -> Truth:
    """Read what the oracle knows of a pair."""
    return load(name)


def regret(pair: Pair | str, schedule: str, lr: float | None) -> float:
    """Compute the regret of an LR; `schedule` is `constant` or `warmup_cosine`."""
    return regret_of(load_truth(pair if isinstance(pair, str) else pair.name), schedule, lr)
