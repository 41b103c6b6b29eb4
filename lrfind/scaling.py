"""Batch size and LR: two rules with their derivations, the warmup they need, and a fit.

With k = to_batch / from_batch, g_i the gradient of a sample, and plain or momentum SGD:

**Linear rule, η' = k η** (equal weight of each sample; Goyal et al. 2017, arXiv 1706.02677). k
steps on batches of B samples move w by −(η/B) Σ_{j<k} Σ_i g_i(w_{t+j}); one step on kB samples
moves it by −(η'/kB) Σ_{j<k} Σ_i g_i(w_t). Where gradients hardly change within k steps the two are
equal for η' = k η: every sample keeps its weight η/B. They do change early in training, hence the
warmup; and a step cannot exceed the stability limit of the loss, hence an end to the rule (in that
paper, ResNet-50 on ImageNet, at batches of about 8192).

**Square-root rule, η' = √k η** (equal variance of the update; Hoffer et al. 2017, arXiv
1705.08741; Krizhevsky 2014, arXiv 1404.5997). The covariance of an update is η² Σ / B for a
training set much larger than B: equal for η'² / kB = η² / B.

Neither has been derived for Adam-style optimizers: see `ADAM_CAVEAT`. Knows numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrfind.errors import InputError, Problem
from lrfind.registry import nearest

RULES = {"linear": 1.0, "sqrt": 0.5}
"""Rule → exponent p of η' = k^p η."""

WARMUP_EPOCHS = 5.0
"""Epochs of the gradual warmup of Goyal et al. 2017, the same for every k they tried (to 32)."""

LARGE_BATCH = 8192
"""Batch size up to which Goyal et al. 2017 found the linear rule to cost no accuracy."""

ADAM_CAVEAT = (
    "neither rule carries over unchanged to Adam-style optimizers, whose steps are divided by the "
    "gradient's own size: their best LR grows about as the square root of small batches, peaks, "
    "and falls again (Li et al. 2024, arXiv 2405.14578); run a sweep at the new batch size"
)
"""To be shown wherever a rule is applied."""

LARGE_BATCH_CAVEAT = (
    f"beyond batches of about {LARGE_BATCH} the linear rule cost accuracy even with warmup "
    "(ResNet-50 on ImageNet, Goyal et al. 2017, arXiv 1706.02677)"
)
"""To be shown where the new batch is larger than that."""


@dataclass(frozen=True, slots=True)
class Exponent:
    """A fitted exponent of LR against batch size.

    Attributes:
        value: p of η ∝ B^p; 1 is the linear rule, 0.5 the square-root rule.
        standard_error: of p; infinite with two points, which fit any line.
        low: lower end of the 95 % interval.
        high: upper end.
    """

    value: float
    standard_error: float
    low: float
    high: float


def scale_lr(lr: float, *, from_batch: float, to_batch: float, rule: str = "linear") -> float:
    """Carry an LR over to another batch size.

    η' = η · (to_batch / from_batch)^p, with p = 1 (`linear`) or ½ (`sqrt`).

    Args:
        lr: good at `from_batch`.
        from_batch: samples an optimizer step: batch × accumulation × processes.
        to_batch: the same, of the new run.
        rule: one of `RULES`.

    Raises:
        InputError: a number is not positive and finite, or the rule is unknown.

    Example:
        >>> scale_lr(0.1, from_batch=256, to_batch=4096)
        1.6
        >>> scale_lr(0.1, from_batch=256, to_batch=4096, rule="sqrt")
        0.4
    """
    if rule not in RULES:
        raise InputError(Problem("rule", f"{rule!r} is not a rule", nearest(rule, RULES)))
    _require_positive(lr=lr, from_batch=from_batch, to_batch=to_batch)
    ratio = to_batch / from_batch
    return lr * (ratio if rule == "linear" else math.sqrt(ratio))


def warmup_steps(
    *, from_batch: float, to_batch: float, samples: int, epochs: float = WARMUP_EPOCHS
) -> int:
    """Count the steps of the gradual warmup that goes with a larger batch.

    ⌈epochs · samples / to_batch⌉ for k > 1, else 0: the time in which the gradient settles is a
    number of *samples*, so the larger the batch, the fewer the steps. Begin at the LR of the old
    batch: `Warmup(scheduler, steps, start_factor=warmup_start(…))` (Goyal et al. 2017, §2.2).

    Args:
        from_batch: samples an optimizer step of the old run.
        to_batch: the same, of the new run.
        samples: of the training set.
        epochs: of warmup; fewer do for small k or a short run.

    Raises:
        InputError: a number is not positive and finite.

    Example:
        >>> warmup_steps(from_batch=256, to_batch=8192, samples=1_281_167)
        782
    """
    _require_positive(from_batch=from_batch, to_batch=to_batch, samples=samples, epochs=epochs)
    return math.ceil(epochs * samples / to_batch) if to_batch > from_batch else 0


def warmup_start(*, from_batch: float, to_batch: float, rule: str = "linear") -> float:
    """Compute the share of the new LR that a warmup begins with: the old LR; at most 1.

    Example:
        >>> warmup_start(from_batch=256, to_batch=1024)
        0.25
    """
    return min(1.0, scale_lr(1.0, from_batch=to_batch, to_batch=from_batch, rule=rule))


def caveats(*, to_batch: float) -> tuple[str, ...]:
    """List what to know before trusting a scaled LR, most important first."""
    return (ADAM_CAVEAT, LARGE_BATCH_CAVEAT) if to_batch > LARGE_BATCH else (ADAM_CAVEAT,)


def fit_exponent(batch_sizes: Sequence[float], lrs: Sequence[float]) -> Exponent:
    """Fit η ∝ B^p to LRs measured at several batch sizes.

    Least squares of ln η on ln B; p = S_xy / S_xx, s² = Σ residual² / (n − 2), standard error
    s / √S_xx, and the interval p ± t_{0.975, n−2} standard errors. Wrong where the law bends, as
    with Adam beyond its peak: fit the rising part only, and look at the points.

    Args:
        batch_sizes: one a measurement; a size may stand several times, once a seed.
        lrs: the LR found there.

    Raises:
        InputError: the lengths differ, there are fewer than two batch sizes, or a number is not
            positive and finite.

    Example:
        >>> round(fit_exponent([64, 256, 1024], [0.01, 0.02, 0.04]).value, 6)
        0.5
    """
    if len(batch_sizes) != len(lrs):
        raise InputError(
            Problem(
                "fit_exponent",
                f"{len(batch_sizes)} batch sizes and {len(lrs)} LRs must be as many",
                "pass one LR for each batch size",
            )
        )
    for batch, lr in zip(batch_sizes, lrs, strict=True):
        _require_positive(batch_size=batch, lr=lr)
    if len(set(batch_sizes)) < 2:
        raise InputError(
            Problem(
                "fit_exponent",
                f"{len(set(batch_sizes))} batch size gives no slope",
                "measure the LR at two or more batch sizes; a factor of 4 apart is good",
            )
        )
    return _fit_line([math.log(batch) for batch in batch_sizes], [math.log(lr) for lr in lrs])


def _fit_line(x: Sequence[float], y: Sequence[float]) -> Exponent:
    n = len(x)
    x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
    s_xx = math.fsum((xi - x_mean) ** 2 for xi in x)
    s_xy = math.fsum((xi - x_mean) * (yi - y_mean) for xi, yi in zip(x, y, strict=True))
    slope = s_xy / s_xx
    if n == 2:
        return Exponent(slope, math.inf, -math.inf, math.inf)
    residual = math.fsum(
        (yi - y_mean - slope * (xi - x_mean)) ** 2 for xi, yi in zip(x, y, strict=True)
    )
    error = math.sqrt(residual / (n - 2) / s_xx)
    reach = _student_t(n - 2) * error
    return Exponent(slope, error, slope - reach, slope + reach)


# fmt: off
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)
# fmt: on


def _student_t(freedom: int) -> float:
    """Look up t_{0.975, ν}; beyond the table z + (z³ + z)/4ν with z = 1.96, exact to 0.1 %."""
    if freedom <= len(_T_975):
        return _T_975[freedom - 1]
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom)


def _require_positive(**numbers: float) -> None:
    problems = [
        Problem(name, f"{value} must be a finite number > 0", "pass the value of the run")
        for name, value in numbers.items()
        if not 0 < value < math.inf
    ]
    if problems:
        raise InputError(*problems)
