"""Triangles between two LRs, of full, halving or exponentially shrinking height."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.elementary import X, power, smaller

MODES = ("triangular", "triangular2", "exp_range")
"""Bundled heights: constant, halved every cycle, γ^t."""


def triangle(step: X, total_size: float, step_ratio: float) -> X:
    """Walk from 0 up to 1 and back, once a cycle.

    With x = (t mod total_size) / total_size: x / r up to x = r, (1 − x) / (1 − r) after it. Below
    r the first is the smaller, above it the second.

    Args:
        step: t.
        total_size: steps of a cycle.
        step_ratio: r, the share of a cycle that rises, in (0, 1]; 1 is a saw-tooth.
    """
    x = (step % total_size) / total_size
    if step_ratio == 1:
        return x
    return smaller(x / step_ratio, (1.0 - x) / (1.0 - step_ratio))


def cycle_number(step: X, total_size: float) -> X:
    """Count the cycle that a step lies in, from 1."""
    return 1 + step // total_size


def height(cycle: X, step: X, mode: str, gamma: float) -> X:
    """Scale a triangle: 1 (`triangular`), 2^(1−cycle) (`triangular2`), γ^step (`exp_range`)."""
    if mode == "triangular2":
        return power(0.5, cycle - 1)
    if mode == "exp_range":
        return power(gamma, step)
    return cycle * 0 + 1.0


def cycle_shape(step_size_up: float, step_size_down: float | None) -> tuple[float, float]:
    """Turn the steps up and down into `(total_size, step_ratio)`.

    Raises:
        ArgumentError: no step goes up, or a negative number goes down.
    """
    up = float(step_size_up)
    down = up if step_size_down is None else float(step_size_down)
    if not up > 0:
        raise ArgumentError(
            "CyclicLR",
            f"step_size_up = {step_size_up} must be > 0",
            "pass the steps from base_lr to max_lr; 2 to 8 epochs are usual",
        )
    if not down >= 0:
        raise ArgumentError(
            "CyclicLR", f"step_size_down = {step_size_down} must be ≥ 0", "pass None for up = down"
        )
    return up + down, up / (up + down)


def cyclic_lr(
    step: X,
    base_lr: float,
    max_lr: float,
    step_size_up: float = 2000,
    step_size_down: float | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[Any], Any] | None = None,
    scale_mode: str = "cycle",
) -> X:
    """Cycle the LR between two bounds (Smith 2017, arXiv 1506.01186).

    η_t = base + (max − base) · triangle_t · height_t.

    Args:
        step: t.
        base_lr: lower bound.
        max_lr: upper bound of the first cycle.
        step_size_up: steps from `base_lr` to `max_lr`.
        step_size_down: steps back; as many when None.
        mode: one of `MODES`; not used with `scale_fn`.
        gamma: base of the height in `exp_range`.
        scale_fn: the height as a function of the cycle (from 1) or of the step.
        scale_mode: what `scale_fn` is given: `cycle` or `iterations`.

    Raises:
        ArgumentError: a cycle has no rise, or the mode is unknown.

    Example:
        >>> [round(cyclic_lr(t, 0.0, 1.0, 2, mode="triangular2"), 3) for t in range(8)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]
    """
    total_size, step_ratio = cycle_shape(step_size_up, step_size_down)
    cycle = cycle_number(step, total_size)
    if scale_fn is not None:
        scale: X = scale_fn(cycle if scale_mode == "cycle" else step)
    else:
        check_mode(mode)
        scale = height(cycle, step, mode, gamma)
    lr: X = base_lr + (max_lr - base_lr) * triangle(step, total_size, step_ratio) * scale
    return lr


def check_mode(mode: str) -> None:
    """Refuse a mode that is not bundled.

    Raises:
        ArgumentError: `mode` is not in `MODES`.
    """
    if mode not in MODES:
        raise ArgumentError(
            "CyclicLR",
            f"mode = {mode!r} must be one of {', '.join(MODES)}",
            "pass one of them, or a scale_fn of your own",
        )
