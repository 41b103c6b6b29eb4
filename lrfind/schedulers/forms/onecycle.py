"""One cycle: up to a high LR, down to a very low one, momentum the other way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, cos, where

STRATEGIES = ("cos", "linear")
"""Shapes of a phase."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One piece of the cycle; levels are named, so that LR and momentum share the phases.

    Attributes:
        end_step: where it ends; it begins where the one before ended. Need not be whole.
        start_lr: level of the LR at its begin: `initial_lr`, `max_lr` or `min_lr`.
        end_lr: level of the LR at its end.
        start_momentum: level of the momentum at its begin: `base_momentum` or `max_momentum`.
        end_momentum: level of the momentum at its end.
    """

    end_step: float
    start_lr: str
    end_lr: str
    start_momentum: str
    end_momentum: str


def phases(
    total_steps: int, pct_start: float = 0.3, three_phase: bool = False
) -> tuple[Phase, ...]:
    """Cut the cycle into its pieces.

    Rising until step p·n − 1; then either down to the end (two phases), or back to the initial LR
    until step 2·p·n − 2 and down to the lowest one at a constant momentum (three phases).

    Raises:
        ArgumentError: there is no step, or the share that rises is not in [0, 1].
    """
    if total_steps < 1:
        raise ArgumentError(
            "OneCycleLR", f"total_steps = {total_steps} must be ≥ 1", "pass the steps of the run"
        )
    if not 0 <= pct_start <= 1:
        raise ArgumentError(
            "OneCycleLR", f"pct_start = {pct_start} must be in [0, 1]", "0.3 is the default"
        )
    peak = float(pct_start * total_steps) - 1
    last = total_steps - 1
    rise = Phase(peak, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three_phase:
        return rise, Phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum")
    back = float(2 * pct_start * total_steps) - 2
    return (
        rise,
        Phase(back, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        Phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    )


def anneal(start: float, end: float, share: X, strategy: str) -> X:
    """Go from `start` to `end` along half a cosine or a line.

    Raises:
        ArgumentError: the strategy is neither `cos` nor `linear`.
    """
    if strategy not in STRATEGIES:
        raise ArgumentError(
            "OneCycleLR",
            f"anneal_strategy = {strategy!r} must be one of {', '.join(STRATEGIES)}",
            "pass 'cos'",
        )
    if strategy == "linear":
        line: X = start + (end - start) * share
        return line
    curve: X = end + (start - end) / 2.0 * (1.0 + cos(math.pi * share))
    return curve


def along(step: X, pieces: Sequence[tuple[float, float, float]], strategy: str = "cos") -> X:
    """Follow pieces `(end_step, start, end)` one after the other.

    A step belongs to the first piece that it is not beyond; past the last one it is extrapolated.
    A piece without length counts as finished.
    """
    begins = [0.0, *(end_step for end_step, _, _ in pieces)]
    value: X | None = None
    for (end_step, start, end), begin in reversed(list(zip(pieces, begins, strict=False))):
        length = end_step - begin
        share = (step - begin) / length if length else step * 0 + 1.0
        here = anneal(start, end, share, strategy)
        value = here if value is None else where(step <= end_step, here, value)
    assert value is not None
    return value


def levels(
    max_lr: float, div_factor: float = 25.0, final_div_factor: float = 1e4
) -> Mapping[str, float]:
    """Name the three LRs of a cycle: peak, peak / div_factor, and that / final_div_factor."""
    initial_lr = max_lr / div_factor
    return {"initial_lr": initial_lr, "max_lr": max_lr, "min_lr": initial_lr / final_div_factor}


def one_cycle(
    step: X,
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> X:
    """Rise to `max_lr` and fall far below the start (Smith and Topin 2018, arXiv 1708.07120).

    max/div → max within the first `pct_start`, then max → max/(div·final_div).

    Raises:
        ArgumentError: see `phases` and `anneal`.

    Example:
        >>> [round(one_cycle(t, 1.0, 6, 0.5, "linear", 10, 10), 3) for t in range(6)]
        [0.1, 0.55, 1.0, 0.67, 0.34, 0.01]
    """
    level = levels(max_lr, div_factor, final_div_factor)
    pieces = [
        (phase.end_step, level[phase.start_lr], level[phase.end_lr])
        for phase in phases(total_steps, pct_start, three_phase)
    ]
    return along(step, pieces, anneal_strategy)
