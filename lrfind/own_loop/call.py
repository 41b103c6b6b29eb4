"""`lrfind.sweep`: what a user calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer

from lrfind.curve import Curve
from lrfind.keywords import course_of, validated
from lrfind.own_loop.block import Sweep
from lrfind.own_loop.so_far import CurveSoFar
from lrfind.ramp import Observer, Plan, StopRule, range_notes
from lrfind.report import Report, make_report
from lrfind.spec import SweepSection
from lrfind.suggest.panel import find_rule
from lrfind.workload.device import device_name
from lrfind.workload.optimizer import group_scales


def sweep(
    optimizer: Optimizer,
    *,
    model: nn.Module | None = None,
    mode: Literal["exponential", "linear"] = "exponential",
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    steps: int = 200,
    auto_range: bool = True,
    method: str = "auto",
    schedule: str | Mapping[str, Any] | None = None,
    scaler: Any = None,
    observers: Sequence[Observer] = (),
) -> Sweep:
    """Sweep the LR of a ready optimizer in a loop of one's own.

    Each pass of the loop does one update and ends with `record(loss)`. When the loss diverges or
    all steps are done, the sweep leaves the `with` block by itself, also out of the loop; then the
    LRs of all groups are as they were.

    Args:
        optimizer: whose groups keep the ratios of their LRs.
        model: put back after the sweep, with the optimizer's state and every random generator;
            None: what was trained stays trained.
        mode: as in `range_test`, and so are the following.
        start_lr: LR of the first update.
        end_lr: LR of the last update.
        steps: updates.
        auto_range: go on where the loss has not risen at `end_lr`, within bounds.
        method: rule that reads the curve.
        schedule: what the LR is for.
        scaler: a `torch.amp.GradScaler` that may skip updates.
        observers: told of every step.

    Raises:
        InputError: an argument is wrong, or an LR scheduler is attached.

    Example:
        >>> import torch, lrfind
        >>> model = torch.nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> x = torch.linspace(-1, 1, 64).reshape(-1, 1)
        >>> with lrfind.sweep(optimizer, steps=100, model=model) as sweep:
        ...     while True:
        ...         loss = (model(x) - 3 * x).square().mean()
        ...         optimizer.zero_grad()
        ...         loss.backward()
        ...         optimizer.step()
        ...         sweep.record(loss)
        >>> 0.01 < sweep.report.suggestion.lr < 10, optimizer.param_groups[0]["lr"]
        (True, 0.1)
    """
    find_rule(method, {})
    keys = {"mode": mode, "start_lr": start_lr, "end_lr": end_lr, "steps": steps}
    section: SweepSection = validated(SweepSection, keys, "sweep")
    plan = Plan(section.mode, section.start_lr, section.end_lr, section.steps)
    course, planned = course_of(schedule, "sweep")
    stop = section.stop
    rule = StopRule(stop.factor, stop.min_steps, stop.window, stop.patience)

    def read(curve: Curve) -> Report:
        device = optimizer.param_groups[0]["params"][0].device
        named = "" if model is None else f"{type(model).__name__} · "
        scales = group_scales(optimizer)
        return make_report(
            [curve],
            method,
            purpose=course,
            spec=planned,
            device=device_name(device),
            threads=torch.get_num_threads(),
            title=f"{named}{type(optimizer).__name__}",
            group_scales=scales if len(scales) > 1 else (),
            notes=range_notes([curve], plan),
        )

    so_far = CurveSoFar(plan, rule, observers, can_extend=auto_range)
    return Sweep(optimizer, so_far, read, model, scaler)
