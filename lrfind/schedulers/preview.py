"""A bundled schedule by its config name: drawn step by step, or written as Python to paste.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfind.registry import nearest
from lrfind.schedulers import CATALOG
from lrfind.schedulers.drawings import DRAWINGS, Floats
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.forms.warmup import warmup_factor

Steps = NDArray[np.int64]


def preview(
    name: str, lr: float, steps: int, warmup: int = 0, args: Mapping[str, Any] | None = None
) -> Floats:
    """Draw a bundled schedule.

    Args:
        name: config name, one of `lrfind.schedulers.CATALOG`.
        lr: the LR that the optimizer is built with; the highest of `cyclic`, `onecycle` and the
            sweeps.
        steps: optimizer steps of the run, warmup included.
        warmup: steps of linear warmup before the schedule begins.
        args: the class's own; what it needs and is left out is fitted to the run (`complete`).

    Returns:
        shape `(steps,)`: the LR of each update. `plateau` is drawn for a metric that never
        improves, evaluated every step.

    Raises:
        ArgumentError: an unknown name or argument, or one that makes no sense.

    Example:
        >>> preview("cosine", lr=0.1, steps=6, warmup=2).round(4).tolist()
        [0.001, 0.0505, 0.1, 0.0854, 0.05, 0.0146]
    """
    return preview_at(np.arange(steps), name, lr, steps, warmup, args)


def preview_at(
    at: Steps,
    name: str,
    lr: float,
    steps: int,
    warmup: int = 0,
    args: Mapping[str, Any] | None = None,
) -> Floats:
    """Draw a bundled schedule at some of its steps, which a long run need not be drawn whole for.

    Args:
        at: the steps, increasing, each in `0 … steps − 1`; every one for `plateau`, whose LR
            depends on the steps before.
        name: as the rest, for `preview`.
    """
    args = complete(name, lr, steps, warmup, args)
    drawing = DRAWINGS[name]
    shown = {key: value for key, value in args.items() if key not in drawing.unseen}
    main = drawing.draw(at[at >= warmup] - warmup, lr, **shown)
    early = at[at < warmup]
    if len(early) == 0:
        return main.astype(np.float64)
    first = drawing.draw(np.zeros(1, dtype=np.int64), lr, **shown)
    return np.concatenate([first * warmup_factor(early, warmup), main]).astype(np.float64)


def paste(
    name: str, lr: float, steps: int, warmup: int = 0, args: Mapping[str, Any] | None = None
) -> str:
    """Write a schedule as Python, ready to paste behind the line that builds the optimizer.

    Arguments and errors are those of `preview`.

    Example:
        >>> print(paste("cosine", lr=0.1, steps=1000, warmup=50))
        from lrfind.schedulers import CosineAnnealingLR, Warmup
        <BLANKLINE>
        # optimizer: built with lr=0.1
        scheduler = CosineAnnealingLR(optimizer, T_max=950)
        scheduler = Warmup(scheduler, steps=50)
        # after every optimizer.step():
        scheduler.step()
    """
    args = complete(name, lr, steps, warmup, args)
    lines = []
    if name == "warmup":
        lines.append("scheduler = Constant(optimizer)")
        lines.append(_call("Warmup", "scheduler", args))
        used = ["Constant", "Warmup"]
    else:
        used = [CATALOG[name].path.partition(":")[2]]
        lines.append(_call(used[0], "optimizer", args))
    if warmup:
        used = sorted({*used, "Warmup"})
        lines.append(_call("Warmup", "scheduler", {"steps": warmup}))
    plateau = name == "plateau"
    metric, when = ("metric", "evaluation") if plateau else ("", "optimizer.step()")
    return "\n".join(
        [
            f"from lrfind.schedulers import {', '.join(used)}",
            "",
            f"# optimizer: built with lr={lr!r}",
            *lines,
            f"# after every {when}:",
            f"scheduler.step({metric})",
        ]
    )


def complete(
    name: str, lr: float, steps: int, warmup: int = 0, args: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Fit what a schedule needs and `args` leaves out to the run.

    `T_max`, `total_steps` and a sweep's `steps` fill the run behind the warmup; `step` falls three
    times in it, `multistep` at one half and three quarters; `cyclic` makes four cycles from
    0.4 of `lr`.

    Raises:
        ArgumentError: an unknown name or argument, or a run without steps.
    """
    if name not in DRAWINGS:
        raise ArgumentError("schedule", f"{name!r} is not bundled", nearest(name, DRAWINGS))
    if not lr > 0:
        raise ArgumentError("schedule", f"lr = {lr} must be > 0", "pass the optimizer's LR")
    if not 0 <= warmup < steps:
        raise ArgumentError(
            "schedule",
            f"warmup = {warmup} must be ≥ 0 and below steps = {steps}",
            "leave steps for the schedule itself",
        )
    drawing, given = DRAWINGS[name], dict(args or {})
    for key in given:
        if key not in drawing.names:
            raise ArgumentError(
                "schedule", f"{name} has no argument {key!r}", nearest(key, drawing.names)
            )
    return {**drawing.defaults(lr, steps - warmup), **given}


def _call(name: str, first: str, args: Mapping[str, Any]) -> str:
    rest = "".join(f", {key}={value!r}" for key, value in args.items())
    return f"scheduler = {name}({first}{rest})"
