"""lrfind's own range tests of every pair, saved as arrays so that rules can be judged in seconds.

Beside the curve, the relative size of every update is kept: |Δw| / |w| over all trained
parameters, |w| taken before the update. The cache lies beside this file, outside version control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.suggestion.seeds import FINDER_SEEDS
from benchmarks.suggestion.tasks import PAIRS, Pair
from benchmarks.suggestion.truth import Floats
from lrfind.curve import Curve, Step, StopReason

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.sweep import Observer

CACHE = Path(__file__).parent / ".cache" / "sweeps"

PLANS: dict[str, dict[str, Any]] = {
    "default": {},
    "wide": {"steps": 150, "start_lr": 1e-5, "end_lr": 300.0},
}
"""Name → arguments of `lrfind.range_test`."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """One range test.

    Attributes:
        pair: name.
        seed: the finder's.
        curve: what lrfind measured.
        update_ratio: |Δw| / |w| of each update, shape `(n,)`, as `curve.lr`.
    """

    pair: str
    seed: int
    curve: Curve
    update_ratio: Floats


class RatioRecorder:
    """Observe a sweep and measure the relative size of its updates.

    Args:
        trained: returns the parameters; called when the sweep begins.
    """

    def __init__(self, trained: Callable[[], Sequence[Tensor]]) -> None:
        self.ratios: list[float] = []
        self._trained = trained
        self._params: Sequence[Tensor] = ()
        self._before = torch.empty(0)

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        self._params = self._trained()
        self._before = self._flat()

    def step(self, step: Step) -> None:
        after = self._flat()
        moved, size = (after - self._before).norm(), self._before.norm()
        self.ratios.append(float(moved / size) if size > 0.0 else float("inf"))
        self._before = after

    def end(self, stop: StopReason) -> None:
        self._params = ()

    def _flat(self) -> Tensor:
        # Doubles: near the start an update is far below the rounding of the weights' sum.
        return torch.cat([p.detach().flatten() for p in self._params]).double()


def run_finder(
    pair: Pair, seed: int, observers: Sequence[Observer] = (), **options: Any
) -> tuple[Report, RatioRecorder]:
    """Run lrfind on a pair as a user would, with one finder seed.

    Args:
        pair: task and optimizer.
        seed: decides initial weights and order of the batches.
        observers: told of every step.
        options: further arguments of `lrfind.range_test`.
    """
    # Only here, so that saved sweeps are read without the config's machinery.
    from lrfind.api import range_test

    task = pair.task
    built: list[nn.Module] = []

    def model() -> nn.Module:
        built[:] = [task.build_model(seed)]
        return built[0]

    recorder = RatioRecorder(lambda: [p for p in built[0].parameters() if p.requires_grad])
    report = range_test(
        model,
        lambda: task.batches(seed),
        optimizer=pair.optimizer,
        step=task.loss,
        seed=seed,
        device="cpu",
        observers=[recorder, *observers],
        **options,
    )
    return report, recorder


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
                report, recorder = run_finder(PAIRS[name], seed, **options)
                (curve,) = report.curves
                arrays |= {
                    f"lr_{seed}": curve.lr,
                    f"loss_{seed}": curve.loss,
                    f"ratio_{seed}": np.array(recorder.ratios),
                    f"initial_{seed}": curve.initial_loss,
                    f"stop_{seed}": curve.stop.value,
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
    ratio = arrays[f"ratio_{seed}"]
    known = {field.name for field in fields(Curve)}
    more = {"update_ratio": ratio} if "update_ratio" in known else {}
    curve = Curve(
        lr=arrays[f"lr_{seed}"],
        loss=arrays[f"loss_{seed}"],
        seed=seed,
        stop=StopReason(str(arrays[f"stop_{seed}"])),
        initial_loss=float(arrays[f"initial_{seed}"]),
        **more,
    )
    return Sweep(name, seed, curve, ratio)


def _path(plan: str, name: str) -> Path:
    return CACHE / f"{plan}-{name}.npz"
