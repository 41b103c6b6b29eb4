"""Warmup: begin with a small LR and reach the schedule's own within the first steps."""

from __future__ import annotations

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, clip, power, where

KINDS = ("linear", "constant", "exponential")
"""How the multiplier gets from `start_factor` to 1."""


def warmup_factor(step: X, steps: int, start_factor: float = 0.01, kind: str = "linear") -> X:
    """Compute the multiplier of the schedule's first LR; 1 from step `steps` on.

    With s = start_factor and x = t / steps:
    linear s + (1 − s) x · constant s · exponential s^(1−x), the same factor every step.
    Constant: He et al. 2016, arXiv 1512.03385; linear: Goyal et al. 2017, arXiv 1706.02677.

    Raises:
        ArgumentError: steps < 0, s not in (0, 1], or an unknown kind.

    Example:
        >>> [round(warmup_factor(t, 4, 0.2), 2) for t in range(6)]
        [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    """
    _check(steps, start_factor, kind)
    if steps == 0:
        return step * 0 + 1.0
    x = clip(step / steps, 0.0, 1.0)
    if kind == "constant":
        return where(step >= steps, x * 0 + 1.0, x * 0 + start_factor)
    if kind == "exponential":
        return power(start_factor, 1.0 - x)
    factor: X = start_factor * (1.0 - x) + x
    return factor


def _check(steps: int, start_factor: float, kind: str) -> None:
    if steps < 0:
        raise ArgumentError("Warmup", f"steps = {steps} must be ≥ 0", "pass 0 for no warmup")
    if not 0 < start_factor <= 1:
        raise ArgumentError(
            "Warmup",
            f"start_factor = {start_factor} must be in (0, 1]",
            "pass a small share of the LR such as 0.01; an update at LR 0 is wasted",
        )
    if kind not in KINDS:
        raise ArgumentError(
            "Warmup", f"kind = {kind!r} must be one of {', '.join(KINDS)}", "pass 'linear'"
        )
