"""lrfind's own range tests of every pair, saved as arrays so that rules can be judged in seconds.

The cache lies beside this file, outside version control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.suggestion.seeds import FINDER_SEEDS
from benchmarks.suggestion.tasks import PAIRS, Pair
from lrfind.curve import Curve, StopReason

if TYPE_CHECKING:
    from lrfind.report import Report

CACHE = Path(__file__).parent / ".cache" / "sweeps"

PLANS: dict[str, dict[str, Any]] = {
    "default": {},
    "as given": {"auto_range": False},
    "wide": {"steps": 150, "start_lr": 1e-5, "end_lr": 300.0, "auto_range": False},
}
"""Name → arguments of `lrfind.range_test`."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """One range test.

    Attributes:
        pair: name.
        seed: the finder's.
        curve: what lrfind measured.
        steps: updates that it took, those of a sweep thrown away included.
    """

    pair: str
    seed: int
    curve: Curve
    steps: int


def run_finder(pair: Pair, seed: int, **options: Any) -> tuple[Report, int]:
    """Run lrfind on a pair as a user would, with one finder seed.

    Args:
        pair: task and optimizer.
        seed: decides initial weights and order of the batches.
        options: further arguments of `lrfind.range_test`.

    Returns:
        The report, and the updates that were spent on it, trials included.
    """
    # Only here, so that saved sweeps are read without the config's machinery.
    from lrfind.api import range_test
    from lrfind.refined import UpdateCount

    task, count = pair.task, UpdateCount()
    report = range_test(
        lambda: task.build_model(seed),
        lambda: task.batches(seed),
        optimizer=pair.optimizer,
        step=task.loss,
        seed=seed,
        device="cpu",
        observers=[count],
        **options,
    )
    return report, count.updates + sum(trial.steps for trial in report.trials)


def run(names: Iterable[str], told: Callable[[str], None]) -> None:
    """Sweep every pair under each plan and finder seed, unless the cache has it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    for name in names:
        for plan, options in PLANS.items():
            path = _path(plan, name)
            if path.exists():
                continue
            arrays: dict[str, Any] = {}
            for seed in FINDER_SEEDS:
                report, steps = run_finder(PAIRS[name], seed, **options)
                (curve,) = report.curves
                assert curve.update_ratio is not None
                arrays |= {
                    f"lr_{seed}": curve.lr,
                    f"loss_{seed}": curve.loss,
                    f"ratio_{seed}": curve.update_ratio,
                    f"initial_{seed}": curve.initial_loss,
                    f"stop_{seed}": curve.stop.value,
                    f"steps_{seed}": steps,
                }
            np.savez_compressed(path, **arrays)
            told(f"{name} ({plan}): {len(curve)} steps, {curve.stop}")


def load_sweep(plan: str, name: str) -> list[Sweep]:
    """Read a pair's sweeps, one a finder seed.

    Raises:
        FileNotFoundError: they were not run; `python -m benchmarks.suggestion sweeps` runs them.
    """
    with np.load(_path(plan, name)) as arrays:
        return [_sweep(name, seed, arrays) for seed in FINDER_SEEDS]


def _sweep(name: str, seed: int, arrays: Any) -> Sweep:
    curve = Curve(
        lr=arrays[f"lr_{seed}"],
        loss=arrays[f"loss_{seed}"],
        seed=seed,
        stop=StopReason(str(arrays[f"stop_{seed}"])),
        initial_loss=float(arrays[f"initial_{seed}"]),
        update_ratio=arrays[f"ratio_{seed}"],
    )
    return Sweep(name, seed, curve, int(arrays[f"steps_{seed}"]))


def _path(plan: str, name: str) -> Path:
    return CACHE / f"{plan.replace(' ', '_')}-{name}.npz"
