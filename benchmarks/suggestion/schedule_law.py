"""How far above the best constant LR the best peak of each schedule lies: trained, and compared.

    python -m benchmarks.suggestion.schedule_law

Twenty pairs, at least one of each family and none of them held out, are trained at every LR around
their best constant one, under each schedule of `SHAPES`. That takes 12 minutes of CPU; what lies in
`schedule_law/` is not done again. Then the table of `docs/how-it-reads-the-curve.md` is printed,
from these and from the saved sweeps (`python -m benchmarks.suggestion sweeps`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.suggestion.access import load_pairs, load_truth
from benchmarks.suggestion.schedules import STEPS
from benchmarks.suggestion.seeds import ORACLE_SEEDS
from benchmarks.suggestion.stacked import train_stack
from benchmarks.suggestion.sweeps import load_sweep
from benchmarks.suggestion.tasks import FAMILIES, Pair
from benchmarks.suggestion.truth import POINTS_PER_DECADE, Floats
from lrfind.schedulers.course import Course
from lrfind.schedulers.preview import preview
from lrfind.suggest import read_curve, suggest
from lrfind.suggest.purpose import PEAK_RATIO, peak_ratio

FOLDER = Path(__file__).parent / "schedule_law"

RATIOS = 10.0 ** np.arange(-0.3, 0.8, 0.05)
"""Multiples of the constant LR among which the best one is sought."""

COUNT = 20
"""Pairs that are trained, one of every family and a second one of eight."""

BELOW, ABOVE = 7, 14
"""Grid points that are trained below and above the best constant LR, an eighth of a decade each."""


@dataclass(frozen=True)
class Shape:
    """A bundled schedule over a training of `STEPS` updates.

    Attributes:
        name: its config name.
        warmup: steps of linear warmup.
        args: its own arguments, for a peak LR of 1.
    """

    name: str
    warmup: int = 0
    args: Mapping[str, Any] | None = None

    @property
    def course(self) -> Course:
        """The schedule as a suggestion is asked for it."""
        return Course(self.name, STEPS, self.warmup, self.args or {})

    def factors(self) -> Floats:
        """Draw it with a peak of 1."""
        return preview(self.name, 1.0, STEPS, self.warmup, self.args)


def _at(*shares: float) -> dict[str, Any]:
    return {"milestones": [round(share * STEPS) for share in shares]}


def _cycle(ratio: float, **more: Any) -> dict[str, Any]:
    return {"base_lr": 1.0 / ratio, "max_lr": 1.0, "step_size_up": STEPS // 8, **more}


SHAPES = {
    "constant": Shape("constant"),
    "warmup 5 %": Shape("constant", 15),
    "warmup 50 %": Shape("constant", 150),
    "falls ×0.1 at 90 %": Shape("multistep", 0, _at(0.9)),
    "falls ×0.1 at 75, 90 %": Shape("multistep", 0, _at(0.75, 0.9)),
    "falls ×0.1 at 50, 75 %": Shape("multistep", 0, _at(0.5, 0.75)),
    "falls ×0.1 at 25, 50, 75 %": Shape("step"),
    "falls ×0.5 at 25, 50, 75 %": Shape("step", 0, {"step_size": STEPS // 4, "gamma": 0.5}),
    "cosine": Shape("cosine"),
    "warmup 5 %, cosine": Shape("cosine", 15),
    "linear decay": Shape(
        "onecycle", 0, {"max_lr": 1.0, "pct_start": 0.01, "anneal_strategy": "linear"}
    ),
    "one cycle": Shape("onecycle"),
    "one cycle, rising 80 %": Shape("onecycle", 0, {"pct_start": 0.8, "max_lr": 1.0}),
    "cyclic, max/base 2.5": Shape("cyclic", 0, _cycle(2.5)),
    "cyclic, max/base 4": Shape("cyclic", 0, _cycle(4.0)),
    "cyclic, max/base 10": Shape("cyclic", 0, _cycle(10.0)),
    "cyclic, max/base 10, halving ½": Shape("cyclic", 0, _cycle(10.0, mode="triangular2")),
}
"""What is trained, by the name in the table."""


def fit_pairs() -> list[Pair]:
    """Choose the first `COUNT` of two pairs a family, of its fit pairs in turn, by their order."""
    chosen = []
    for turn in (0, 2):
        for i, family in enumerate(FAMILIES):
            own = [pair for pair in load_pairs() if pair.task in family]
            chosen.append(own[(i + turn) % len(own)])
    return chosen[:COUNT]


def measure(pair: Pair) -> dict[str, Any]:
    """Train a pair on its grid; JSON data, infinite losses as null."""
    truth, task = load_truth(pair.name), pair.task
    centre = truth.indices[truth.best("constant")]
    indices = list(range(centre - BELOW, centre + ABOVE + 1))
    lrs = [10.0 ** (k / POINTS_PER_DECADE) for k in indices]
    factors = [shape.factors().tolist() for shape in SHAPES.values()]
    losses = torch.stack(
        [
            train_stack(
                task.build_model(seed), task.loss, pair.optimizer, task.batches(seed),
                task.evaluation(), lrs, factors,
            )
            for seed in ORACLE_SEEDS
        ]
    ).mean(0)  # fmt: skip
    return {
        "pair": pair.name,
        "start": truth.start,
        "indices": indices,
        **{
            name: [float(f"{v:.6g}") if math.isfinite(v) else None for v in row]
            for name, row in zip(SHAPES, losses.tolist(), strict=True)
        },
    }


def run(pairs: Iterable[Pair], told: Callable[[str], None]) -> None:
    """Train every pair that has no file yet."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    FOLDER.mkdir(exist_ok=True)
    for pair in pairs:
        path = FOLDER / f"{pair.name}.json"
        if not path.exists():
            lines = [
                f"{json.dumps(k, ensure_ascii=False)}: {json.dumps(v)}"
                for k, v in measure(pair).items()
            ]
            path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
            told(f"{pair.name}: trained")


@dataclass(frozen=True, eq=False)
class Measured:
    """What the trainings of a pair found, and what lrfind answers for it at a constant LR.

    Attributes:
        data: as `measure` made it.
        answers: of each finder seed, the constant LR, and the highest that its curve allows.
    """

    data: dict[str, Any]
    answers: list[tuple[float, float]]

    def losses(self, shape: str) -> Floats:
        """Final loss at each LR, none above the loss before training, as in the yardstick."""
        found = [math.inf if loss is None else loss for loss in self.data[shape]]
        return np.minimum(np.array(found), self.data["start"])

    def best(self, shape: str) -> float:
        """Log10 of the LR with the least loss, from a parabola through its neighbours."""
        losses = self.losses(shape)
        i = int(np.argmin(losses))
        vertex = 0.0
        if 0 < i < len(losses) - 1:
            left, low, right = losses[i - 1 : i + 2]
            vertex = (left - right) / (left - 2 * low + right) / 2 if right > low else 0.0
        return float((self.data["indices"][i] + vertex) / POINTS_PER_DECADE)

    def regret(self, shape: str, ratio: float, over: Sequence[str] | None = None) -> float:
        """Mean regret of answers at a multiple of the constant ones, up to the rise.

        Args:
            shape: the schedule.
            ratio: the multiple.
            over: the schedules among which the best loss is sought; this one alone where None.
        """
        losses, start = self.losses(shape), self.data["start"]
        least = min(float(self.losses(name).min()) for name in over or [shape])
        at = [max(lr, min(lr * ratio, ceiling)) for lr, ceiling in self.answers]
        found = np.interp(
            np.log10(at) * POINTS_PER_DECADE, self.data["indices"], losses
        )  # the ends of the grid hold beyond it
        return float(np.mean((found - least) / (start - least)))


def load_measured(pair: Pair) -> Measured:
    """Read a pair's trainings, and lrfind's saved sweeps of it."""
    data = json.loads((FOLDER / f"{pair.name}.json").read_text())
    answers = []
    for sweep in load_sweep("default", pair.name):
        reading = read_curve(sweep.curve)
        ceiling = reading.end_lr if reading.rise_lr is None else reading.rise_lr
        answers.append((suggest([sweep.curve]).lr, min(ceiling, reading.end_lr)))
    return Measured(data, answers)


def table(measured: Sequence[Measured]) -> str:
    """Write the law beside the optima, and its regret beside that of answers without it."""
    lines = [
        "| schedule | rms | law | best peak | regret: law | constant lr | peak_lr | best ratio |",
        "|---" * 8 + "|",
    ]
    sums = np.zeros(4)
    for name, shape in SHAPES.items():
        share = shape.course.rms_share(1.0)
        law = peak_ratio(share)
        optimum = 10.0 ** np.mean([each.best(name) - each.best("constant") for each in measured])
        tried = [(_regret(measured, name, ratio), ratio) for ratio in RATIOS]
        regrets = [_regret(measured, name, ratio) for ratio in (law, 1.0, PEAK_RATIO)]
        regrets.append(min(tried)[0])
        sums += regrets
        cells = [name, f"{share:.2f}", f"{law:.2f}", f"{optimum:.2f}"]
        cells += [f"{regret:.3f}" for regret in regrets[:3]]
        cells.append(f"{regrets[3]:.3f} at {min(tried)[1]:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    means = " | ".join(f"{value:.3f}" for value in sums / len(SHAPES))
    lines.append(f"| mean | | | | {means} |")
    cycles = [name for name in SHAPES if name.startswith("cyclic, max/base") and "½" not in name]
    for name in cycles:
        law = peak_ratio(SHAPES[name].course.rms_share(1.0))
        common = np.mean([each.regret(name, law, cycles) for each in measured])
        lines.append(f"{name}: {common:.3f} over the best of all {len(cycles)}")
    return "\n".join(lines)


def _regret(measured: Sequence[Measured], shape: str, ratio: float) -> float:
    return float(np.mean([each.regret(shape, ratio) for each in measured]))


def main() -> None:
    """Train what was not trained yet, and print the table."""
    pairs = fit_pairs()
    run(pairs, print)
    print(table([load_measured(pair) for pair in pairs]))


if __name__ == "__main__":
    main()
