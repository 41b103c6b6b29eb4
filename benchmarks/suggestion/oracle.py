"""The ground truth: what each LR of a grid leads to, for every pair, schedule and seed.

A coarse grid first, two LRs a decade from 1e-5 to 100, widened until the optimum lies well inside
and both ends are clearly bad; then eight a decade around the optimum of each schedule, moved along
until it stays where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from importlib import metadata

import numpy as np
import torch

from benchmarks.suggestion.schedules import SCHEDULES, STEPS
from benchmarks.suggestion.seeds import ORACLE_SEEDS
from benchmarks.suggestion.stacked import train_stack
from benchmarks.suggestion.tasks import PAIRS, Pair
from benchmarks.suggestion.truth import POINTS_PER_DECADE, Truth, path_of, save

COARSE = 4
"""Grid indices between coarse points."""

FIRST = range(-40, 17, COARSE)
"""Coarse grid to begin with: 1e-5 to 100."""

FURTHEST = 64
"""Largest grid index in either direction: 1e-8 to 1e8."""

NEAR = 6
"""Indices on each side of an optimum that are all measured."""

CLEARLY_BAD = 0.9
"""Regret that both ends of the grid must reach."""


def measure(pair: Pair) -> Truth:
    """Find the final loss of a pair at every LR that matters."""
    task = pair.task
    initial = []
    for seed in ORACLE_SEEDS:
        model = task.build_model(seed).eval()
        with torch.no_grad():
            initial.append(float(task.loss(model, task.evaluation())))
    measured: dict[int, torch.Tensor] = {}
    wanted = set(FIRST)
    while wanted:
        new = sorted(wanted)
        lrs = [10.0 ** (k / POINTS_PER_DECADE) for k in new]
        found = torch.stack([_train(pair, seed, lrs) for seed in ORACLE_SEEDS], -1)
        measured |= {k: found[:, i] for i, k in enumerate(new)}
        truth = _truth(pair.name, initial, measured)
        wanted = wanted_indices(truth) - measured.keys()
    return truth


def wanted_indices(truth: Truth) -> set[int]:
    """Say which grid points a truth should have, judged by those it has."""
    low, high = truth.indices[0], truth.indices[-1]
    wanted: set[int] = set()
    for schedule in SCHEDULES:
        mean = truth.mean(schedule)
        best = truth.indices[truth.best(schedule)]
        drop = truth.start - mean.min()
        # An end is good enough to matter if it keeps some of the drop.
        too_good = [not (truth.start - end) < (1 - CLEARLY_BAD) * drop for end in mean[[0, -1]]]
        if too_good[0] or best - low < 2 * COARSE:
            wanted |= set(range(low - 2 * COARSE, low, COARSE))
        if too_good[1] or high - best < 2 * COARSE:
            wanted |= set(range(high + COARSE, high + 2 * COARSE + 1, COARSE))
        wanted |= set(range(best - NEAR, best + NEAR + 1))
    return {k for k in wanted if abs(k) <= FURTHEST}


def run(names: Iterable[str], told: Callable[[str], None]) -> None:
    """Measure every pair that has no file yet, saving each as soon as it is known."""
    torch.set_flush_denormal(True)
    versions = {
        "torch": metadata.version("torch"),
        "scikit-learn": metadata.version("scikit-learn"),
    }
    for name in names:
        if path_of(name).exists():
            continue
        started, cpu = time.perf_counter(), time.process_time()
        truth = measure(PAIRS[name])
        save(truth, versions)
        elapsed, busy = time.perf_counter() - started, time.process_time() - cpu
        told(f"{name}: {len(truth.indices)} LRs, {busy:.1f} s of CPU in {elapsed:.1f} s")


def _train(pair: Pair, seed: int, lrs: list[float]) -> torch.Tensor:
    """Train one seed at many LRs; shape `(schedules, lrs)`."""
    task = pair.task
    factors = [multipliers(STEPS) for multipliers in SCHEDULES.values()]
    return train_stack(
        task.build_model(seed),
        task.loss,
        pair.optimizer,
        task.batches(seed),
        task.evaluation(),
        lrs,
        factors,
    )


def _truth(name: str, initial: list[float], measured: dict[int, torch.Tensor]) -> Truth:
    indices = sorted(measured)
    stacked = torch.stack([measured[k] for k in indices]).numpy()
    losses = {schedule: stacked[:, i] for i, schedule in enumerate(SCHEDULES)}
    return Truth(name, tuple(indices), np.array(initial), losses)
