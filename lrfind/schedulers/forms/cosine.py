"""Cosine annealing."""

from __future__ import annotations

import math

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, cos


def cosine_weight(step: X, T_max: float) -> X:  # noqa: N803 -- torch's name
    """Say what share of the way from the lowest to the initial LR a step stands at.

    w_t = ½ (1 + cos(π t / T_max)): 1 at step 0, 0 at T_max, and up again to 1 at 2 T_max. The
    step is taken modulo 2 T_max first, which keeps the angle small and the cosine exact.

    Raises:
        ArgumentError: T_max ≤ 0.
    """
    if not T_max > 0:
        raise ArgumentError(
            "CosineAnnealingLR", f"T_max = {T_max} must be > 0", "pass the steps of the decay"
        )
    weight: X = (1.0 + cos((step % (2 * T_max)) * math.pi / T_max)) / 2.0
    return weight


def cosine_annealing(
    step: X,
    lr: float,
    T_max: float,  # noqa: N803 -- torch's name
    eta_min: float = 0.0,
) -> X:
    """Fall from the initial LR to `eta_min` along half a cosine.

    η_t = η_min + ½ (η₀ − η_min)(1 + cos(π t / T_max)), periodic beyond T_max (Loshchilov and
    Hutter 2017, arXiv 1608.03983, without the restarts).

    Raises:
        ArgumentError: T_max ≤ 0.

    Example:
        >>> [round(cosine_annealing(t, 1.0, 4), 3) for t in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    value: X = eta_min + (lr - eta_min) * cosine_weight(step, T_max)
    return value
