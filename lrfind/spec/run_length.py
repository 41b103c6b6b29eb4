"""How long the run of a schedule is where a config does not say: as long as its arguments ask for.

The other way round from `lrfind.schedulers.preview.complete`, which fits left out arguments to a
run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USUAL_STEPS = 1000
"""Updates of a run that nothing is known of."""

_SPANS = {"cosine": "T_max", "onecycle": "total_steps"} | dict.fromkeys(
    ("exponential_sweep", "linear_sweep"), "steps"
)
"""Schedules that end, and the argument that says when."""


def run_length(name: Any, warmup: Any, args: Any) -> int:
    """Count the updates of the run that a schedule was written for.

    The warmup and: `T_max`, `total_steps` or a sweep's `steps`; four `step_size`; the last
    milestone at three quarters; four cycles; ten times a warmup. What is wrong is no error here.

    Example:
        >>> run_length("cosine", 50, {"T_max": 950}), run_length("step", 0, {"step_size": 30})
        (1000, 120)
        >>> run_length("step", 0, {})
        1000
    """
    if not isinstance(args, Mapping):
        return USUAL_STEPS
    match name:
        case "step":
            steps = 4 * _count(args.get("step_size"))
        case "multistep":
            found = args.get("milestones")
            last = max(map(_count, found), default=0) if isinstance(found, list) else 0
            steps = -(-last * 4 // 3)
        case "cyclic":
            up, down = args.get("step_size_up"), args.get("step_size_down")
            steps = 4 * (_count(up) + _count(up if down is None else down))
        case "warmup":
            steps = 10 * _count(args.get("steps"))
        case _:
            steps = _count(args.get(_SPANS.get(name, ""))) if isinstance(name, str) else 0
    return steps + _count(warmup) if steps else USUAL_STEPS


def _count(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0
