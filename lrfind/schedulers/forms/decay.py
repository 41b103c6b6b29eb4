"""Staircases: the LR falls by a factor at chosen steps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, power


def step_decay(step: X, step_size: int, gamma: float = 0.1) -> X:
    """Fall by a factor every `step_size` steps.

    m_t = γ^⌊t / step_size⌋, the multiplier of the initial LR.

    Raises:
        ArgumentError: `step_size` < 1 or γ < 0.

    Example:
        >>> [round(step_decay(t, 2, 0.1), 3) for t in range(5)]
        [1.0, 1.0, 0.1, 0.1, 0.01]
    """
    if step_size < 1:
        raise ArgumentError(
            "StepLR", f"step_size = {step_size} must be ≥ 1", "pass the steps between two falls"
        )
    _check_gamma("StepLR", gamma)
    return power(gamma, step // step_size)


def multistep_decay(step: X, milestones: Iterable[int], gamma: float = 0.1) -> X:
    """Fall by a factor at each milestone.

    m_t = γ^#{milestones ≤ t}, the multiplier of the initial LR; a milestone that stands twice
    counts twice, and their order does not matter.

    Raises:
        ArgumentError: γ < 0.

    Example:
        >>> [round(multistep_decay(t, [1, 3], 0.1), 3) for t in range(5)]
        [1.0, 0.1, 0.1, 0.01, 0.01]
    """
    _check_gamma("MultiStepLR", gamma)
    ordered = sorted(milestones)
    if isinstance(step, int | float):
        return power(gamma, bisect_right(ordered, step))
    passed = step * 0
    for milestone in ordered:
        passed = passed + (step >= milestone)
    return power(gamma, passed)


def _check_gamma(where: str, gamma: float) -> None:
    if gamma < 0:
        raise ArgumentError(where, f"gamma = {gamma} must be ≥ 0", "pass a factor such as 0.1")
