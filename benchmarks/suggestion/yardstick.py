"""How far an LR falls short of the best one, and how sure an average of that is.

regret = (L(s) − L*) / (L0 − L*): L the final loss, interpolated in log LR on the mean over seeds,
L* its minimum over the grid, L0 the loss before training. Clipped to 0 … 1; no suggestion counts 1.

Between a grid point that trains and one that explodes L is not known; losses are cut off at L0
before interpolating, so that the regret there rises linearly to 1: the probability that an edge
anywhere between the two lies below s.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from benchmarks.suggestion.truth import Floats, Truth

RESAMPLES = 4000


def regret_of(truth: Truth, schedule: str, lr: float | None) -> float:
    """Compute the regret of training at `lr` (the peak, for a schedule that has one).

    Raises:
        ValueError: no LR of the grid improves on the start, so that regret has no unit.
    """
    mean = truth.mean(schedule)
    least = float(mean.min())
    drop = truth.start - least
    if not drop > 0.0:
        raise ValueError(f"{truth.name}: no LR improves on the initial loss; change the task")
    if lr is None or not lr > 0.0:
        return 1.0
    loss = np.interp(np.log10(lr), np.log10(truth.lrs), np.minimum(mean, truth.start))
    return float(np.clip((loss - least) / drop, 0.0, 1.0))


def diverges(truth: Truth, lr: float | None) -> bool:
    """Tell whether training at this constant LR ends no better than it began, being too fast."""
    if lr is None or lr <= truth.lrs[truth.best("constant")]:
        return False
    return regret_of(truth, "constant", lr) >= 1.0


def bootstrap(
    values: Sequence[float],
    groups: Sequence[Hashable],
    statistic: Callable[[Floats], float] | None = None,
    *,
    seed: int = 0,
) -> tuple[float, float]:
    """Compute the 95 % percentile interval of a statistic, drawing whole groups.

    Values of one task are not independent, so tasks are drawn, not values.

    Args:
        values: one an answer.
        groups: the task of each.
        statistic: of the drawn values; the mean where None.
        seed: of the drawing.
    """
    rng = np.random.default_rng(seed)
    numbers = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    of = np.array([numbers[group] for group in groups])
    array = np.array(values, dtype=np.float64)
    drawn = rng.integers(len(numbers), size=(RESAMPLES, len(numbers)))
    if statistic is None:
        sums = np.bincount(of, weights=array)
        counts = np.bincount(of)
        found = sums[drawn].sum(1) / counts[drawn].sum(1)
    else:
        members = [array[of == i] for i in range(len(numbers))]
        found = np.array([statistic(np.concatenate([members[i] for i in row])) for row in drawn])
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
