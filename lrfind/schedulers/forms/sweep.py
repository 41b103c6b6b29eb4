"""The two sweeps of a learning-rate range test (Smith 2017, arXiv 1506.01186).

Both are written as a blend of their ends rather than as start plus an increment: a blend is exact
at both ends to the last bit, whatever the rounding between them.
"""

from __future__ import annotations

import math

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, clip, power


def exponential_sweep(step: X, start_lr: float, end_lr: float, steps: int) -> X:
    """Raise the LR by the same factor every step.

    η_t = start · (end/start)^(t/(n−1)) = start^(1−x) · end^x with x = t/(n−1): equal steps in
    log η, so every decade gets the same number of points. The second form cannot overflow.

    Args:
        step: t, counted from 0; held at the ends outside of `0 … n−1`.
        start_lr: η₀ > 0, returned to the bit at step 0.
        end_lr: η_{n−1} > 0, returned to the bit at step n−1.
        steps: n ≥ 2.

    Example:
        >>> [round(exponential_sweep(t, 1e-3, 10.0, 5), 6) for t in range(5)]
        [0.001, 0.01, 0.1, 1.0, 10.0]
    """
    x = clip(step, 0, steps - 1) / (steps - 1)
    lr: X = power(start_lr, 1.0 - x) * power(end_lr, x)
    return lr


def linear_sweep(step: X, start_lr: float, end_lr: float, steps: int) -> X:
    """Raise the LR by the same amount every step.

    η_t = start + (end − start) · t/(n−1) = start · (1−x) + end · x with x = t/(n−1). Over several
    decades all but the first few points lie in the last decade: prefer `exponential_sweep` to find
    the decade, and this one to look closely inside it.

    Args:
        step: t, counted from 0; held at the ends outside of `0 … n−1`.
        start_lr: η₀, returned to the bit at step 0.
        end_lr: η_{n−1}, returned to the bit at step n−1.
        steps: n ≥ 2.

    Example:
        >>> [round(linear_sweep(t, 0.1, 0.5, 5), 6) for t in range(5)]
        [0.1, 0.2, 0.3, 0.4, 0.5]
    """
    x = clip(step, 0, steps - 1) / (steps - 1)
    return start_lr * (1.0 - x) + end_lr * x


def check_sweep(where: str, start_lr: float, end_lr: float, steps: int) -> None:
    """Refuse a ramp that does not rise.

    Raises:
        ArgumentError: not 0 < start_lr < end_lr < ∞, or fewer than 2 steps.
    """
    if not 0 < start_lr < end_lr < math.inf:
        raise ArgumentError(
            where,
            f"start_lr = {start_lr} and end_lr = {end_lr} must satisfy 0 < start_lr < end_lr < inf",
            "a range test often goes from 1e-7 to 10",
        )
    if steps < 2:
        raise ArgumentError(where, f"steps = {steps} must be ≥ 2", "100 to 400 are usual")
