"""How each bundled schedule is drawn, and what it is assumed to be where nothing is said."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.cosine import cosine_annealing
from lrfind.schedulers.forms.cyclic import cyclic_lr
from lrfind.schedulers.forms.decay import multistep_decay, step_decay
from lrfind.schedulers.forms.onecycle import one_cycle
from lrfind.schedulers.forms.plateau import (
    PlateauRule,
    PlateauState,
    advance,
    check_factor,
    reduced,
)
from lrfind.schedulers.forms.sweep import check_sweep, exponential_sweep, linear_sweep
from lrfind.schedulers.forms.warmup import warmup_factor

Floats = NDArray[np.float64]

SWEEP_START = 1e-7
"""LR that a previewed sweep starts from where none is given."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a schedule is drawn.

    Attributes:
        draw: `(steps, lr, **args) → LRs`, the steps being an array.
        defaults: `(lr, number of steps) → args` that the class asks for.
        unseen: arguments of the class that an LR does not show.
    """

    draw: Callable[..., Floats]
    defaults: Callable[[float, int], Mapping[str, Any]]
    unseen: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Arguments that may be given."""
        return [*list(inspect.signature(self.draw).parameters)[2:], *self.unseen]


def _cycle_base(lr: float) -> float:
    """Take 0.4 of it as a person would, without the digits of rounding."""
    return float(f"{0.4 * lr:.12g}")


def _constant(t: Floats, lr: float) -> Floats:
    return np.full(len(t), lr)


def _step(t: Floats, lr: float, step_size: int, gamma: float = 0.1) -> Floats:
    return lr * step_decay(t, step_size, gamma)


def _multistep(t: Floats, lr: float, milestones: list[int], gamma: float = 0.1) -> Floats:
    return lr * multistep_decay(t, milestones, gamma)


def _cosine(
    t: Floats,
    lr: float,
    T_max: int,  # noqa: N803 -- torch's name
    eta_min: float = 0.0,
) -> Floats:
    return cosine_annealing(t, lr, T_max, eta_min)


def _plateau(
    t: Floats,
    lr: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0.0,
    eps: float = 1e-8,
) -> Floats:
    check_factor(factor)
    rule = PlateauRule(mode, patience, threshold, threshold_mode, cooldown)
    state = PlateauState(rule.worst)
    lrs = []
    for _ in t:
        lrs.append(lr)
        state, reduces = advance(rule, state, 0.0)
        lr = reduced(lr, factor, min_lr, eps) if reduces else lr
    return np.array(lrs)


def _cyclic(
    t: Floats,
    lr: float,
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[Any], Any] | None = None,
    scale_mode: str = "cycle",
) -> Floats:
    del lr  # the bounds say it
    return cyclic_lr(
        t, base_lr, max_lr, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode
    )


def _onecycle(
    t: Floats,
    lr: float,
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Floats:
    del lr  # max_lr says it
    if len(t) and t[-1] >= total_steps:
        raise ArgumentError(
            "OneCycleLR",
            f"total_steps = {total_steps} must be ≥ {int(t[-1]) + 1}, the steps to be drawn",
            "raise it, or draw fewer",
        )
    return one_cycle(
        t,
        max_lr,
        total_steps,
        pct_start,
        anneal_strategy,
        div_factor,
        final_div_factor,
        three_phase,
    )


def _warmup(
    t: Floats, lr: float, steps: int, start_factor: float = 0.01, kind: str = "linear"
) -> Floats:
    return lr * warmup_factor(t, steps, start_factor, kind)


def _exponential_sweep(t: Floats, lr: float, start_lr: float, end_lr: float, steps: int) -> Floats:
    del lr  # end_lr says it
    check_sweep("ExponentialSweep", start_lr, end_lr, steps)
    return exponential_sweep(t, start_lr, end_lr, steps)


def _linear_sweep(t: Floats, lr: float, start_lr: float, end_lr: float, steps: int) -> Floats:
    del lr  # end_lr says it
    check_sweep("LinearSweep", start_lr, end_lr, steps)
    return linear_sweep(t, start_lr, end_lr, steps)


def _ramp(lr: float, steps: int) -> Mapping[str, Any]:
    return {"start_lr": SWEEP_START, "end_lr": lr, "steps": steps}


_MOMENTUM = ("cycle_momentum", "base_momentum", "max_momentum")

DRAWINGS: Mapping[str, Drawing] = {
    "constant": Drawing(_constant, lambda lr, n: {}),
    "step": Drawing(_step, lambda lr, n: {"step_size": max(1, -(-n // 4))}),
    "multistep": Drawing(_multistep, lambda lr, n: {"milestones": [n // 2, n * 3 // 4]}),
    "cosine": Drawing(_cosine, lambda lr, n: {"T_max": n}),
    "plateau": Drawing(_plateau, lambda lr, n: {}),
    "cyclic": Drawing(
        _cyclic,
        lambda lr, n: {"base_lr": _cycle_base(lr), "max_lr": lr, "step_size_up": max(1, n // 8)},
        _MOMENTUM,
    ),
    "onecycle": Drawing(_onecycle, lambda lr, n: {"max_lr": lr, "total_steps": n}, _MOMENTUM),
    "warmup": Drawing(_warmup, lambda lr, n: {"steps": n // 10}),
    "exponential_sweep": Drawing(_exponential_sweep, _ramp),
    "linear_sweep": Drawing(_linear_sweep, _ramp),
}
"""Config name → how it is drawn; the same names as `lrfind.schedulers.CATALOG`."""
