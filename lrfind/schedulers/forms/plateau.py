"""Reduce on plateau as a state machine: no LR, no optimizer, only when to reduce."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrfind.schedulers.forms.argument import ArgumentError


@dataclass(frozen=True, slots=True)
class PlateauRule:
    """When a metric has stopped improving.

    Attributes:
        mode: `min` where less is better, `max` where more is.
        patience: evaluations without improvement that are borne; the next one reduces.
        threshold: how much better is better.
        threshold_mode: `rel` (a share of the best) or `abs`.
        cooldown: evaluations after a reduction in which bad ones are not counted.
    """

    mode: str = "min"
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0

    def __post_init__(self) -> None:
        if self.mode not in ("min", "max"):
            raise ArgumentError(
                "ReduceLROnPlateau",
                f"mode = {self.mode!r} must be 'min' or 'max'",
                "pass 'min' for a loss, 'max' for an accuracy",
            )
        if self.threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                "ReduceLROnPlateau",
                f"threshold_mode = {self.threshold_mode!r} must be 'rel' or 'abs'",
                "pass 'rel' for a share of the best",
            )

    @property
    def worst(self) -> float:
        """What any finite metric is better than."""
        return math.inf if self.mode == "min" else -math.inf


@dataclass(frozen=True, slots=True)
class PlateauState:
    """What is remembered between two evaluations.

    Attributes:
        best: best metric so far.
        num_bad_epochs: evaluations since, outside of cooldown.
        cooldown_counter: evaluations of cooldown left.
    """

    best: float
    num_bad_epochs: int = 0
    cooldown_counter: int = 0


def is_better(rule: PlateauRule, metric: float, best: float) -> bool:
    """Tell an improvement: beyond `best` by more than the threshold. NaN never is.

    Relative: m < b (1 − τ), or m > b (1 + τ); for b < 0 this *loosens* the test, as in torch: use
    `abs` for metrics that can be negative.
    """
    sign = -1.0 if rule.mode == "min" else 1.0
    if rule.threshold_mode == "rel":
        bound = best * (1.0 + sign * rule.threshold)
    else:
        bound = best + sign * rule.threshold
    return metric < bound if rule.mode == "min" else metric > bound


def advance(rule: PlateauRule, state: PlateauState, metric: float) -> tuple[PlateauState, bool]:
    """Take one evaluation in; say whether to reduce the LR now.

    Returns:
        the next state, and True when more than `patience` evaluations in a row were bad.
    """
    best, bad, cooldown = state.best, state.num_bad_epochs + 1, state.cooldown_counter
    if is_better(rule, metric, best):
        best, bad = metric, 0
    if cooldown > 0:
        cooldown, bad = cooldown - 1, 0
    if bad > rule.patience:
        return PlateauState(best, 0, rule.cooldown), True
    return PlateauState(best, bad, cooldown), False


def reduced(lr: float, factor: float, min_lr: float = 0.0, eps: float = 1e-8) -> float:
    """Multiply an LR by `factor`, not below `min_lr`; changes of at most `eps` are not made."""
    lower = max(lr * factor, min_lr)
    return lower if lr - lower > eps else lr


def check_factor(factor: float) -> None:
    """Refuse a factor that would not reduce.

    Raises:
        ArgumentError: `factor` is not in [0, 1).
    """
    if not 0 <= factor < 1:
        raise ArgumentError(
            "ReduceLROnPlateau", f"factor = {factor} must be in [0, 1)", "0.1 is the default"
        )
