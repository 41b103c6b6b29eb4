"""Momentum that cycles against the LR: `momentum` of SGD and its kin, β₁ of Adam's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import Lr, copied
from lrfind.schedulers.forms.argument import ArgumentError


def per_group(where: str, name: str, optimizer: Optimizer, value: Lr | Sequence[Lr]) -> list[Lr]:
    """Spread an argument over the parameter groups.

    Raises:
        ArgumentError: a list of another length than there are groups.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [copied(value) for _ in range(groups)]  # type: ignore[arg-type]
    if len(value) != groups:
        raise ArgumentError(
            where,
            f"{name} must have the same length as optimizer.param_groups, but has {len(value)} "
            f"values for {groups} groups",
            "pass one value for all, or one a group",
        )
    return [copied(item) for item in value]


def uses_beta1(where: str, optimizer: Optimizer) -> bool:
    """Tell whether the optimizer's momentum is β₁ rather than `momentum`.

    Raises:
        ArgumentError: the optimizer has neither.
    """
    if "betas" in optimizer.defaults:
        return True
    if "momentum" in optimizer.defaults:
        return False
    raise ArgumentError(
        where,
        "optimizer must support momentum or beta1 with `cycle_momentum` option enabled, and "
        f"{type(optimizer).__name__} has neither",
        "pass cycle_momentum=False",
    )


def set_momentum(group: dict[str, Any], value: Lr, use_beta1: bool) -> None:
    """Write a group's momentum, or its β₁."""
    if use_beta1:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def note_bounds(optimizer: Optimizer, base: Sequence[Lr], peak: Sequence[Lr]) -> None:
    """Write both bounds of the momentum into each group, where its state is saved."""
    for group, low, high in zip(optimizer.param_groups, base, peak, strict=True):
        group["max_momentum"] = copied(high)
        group["base_momentum"] = copied(low)
