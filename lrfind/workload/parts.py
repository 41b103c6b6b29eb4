"""The parts of a workload, from the forms in which users give them."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn import functional
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.registry import nearest
from lrfind.spec import GroupSection
from lrfind.workload import objective as objectives
from lrfind.workload.optimizer import SweptOptimizer, build, bundled

OptimizerLike = str | Optimizer | Callable[..., Optimizer]
"""A bundled name, a ready optimizer, or a class or function of the parameters."""


def objective_of(
    loss_fn: Callable[..., Any] | str | None, step: Callable[..., Any] | None
) -> objectives.Objective:
    """Choose how a batch becomes a loss: by the step, by the loss function, or by the model."""
    if step is not None:
        return objectives.from_step(step)
    if loss_fn is None:
        return objectives.from_model()
    found = functional_loss(loss_fn) if isinstance(loss_fn, str) else loss_fn
    return objectives.from_loss(found)


def functional_loss(name: str) -> Callable[..., Any]:
    """Find a loss of torch.nn.functional by name.

    Raises:
        InputError: there is none of that name.
    """
    found = getattr(functional, name, None)
    if not callable(found) or name.startswith("_"):
        known = [n for n in dir(functional) if n.endswith(("_loss", "entropy", "_logits", "_div"))]
        # The one name of torch.nn that no likeness leads to.
        spelt = re.sub("bce", "binary_cross_entropy_", name, flags=re.IGNORECASE)
        raise InputError(
            Problem(
                "loss",
                f"= {name!r} is no function of torch.nn.functional",
                nearest(spelt, known, "Your own goes by its import path, as losses.py:focal"),
            )
        )
    loss: Callable[..., Any] = found
    return loss


def optimizer_of(
    optimizer: OptimizerLike, args: Mapping[str, Any], groups: Sequence[GroupSection]
) -> Optimizer | Callable[[nn.Module], SweptOptimizer]:
    """Give a ready optimizer back, or what builds one for a model.

    Raises:
        InputError: the name is not bundled, or a ready optimizer is given arguments.
    """
    if isinstance(optimizer, Optimizer):
        if args or groups:
            raise InputError(
                Problem(
                    "optimizer",
                    f"({type(optimizer).__name__}) is ready made, so its arguments cannot change",
                    "drop args and param_groups, or name the class",
                )
            )
        return optimizer
    factory, preset = bundled(optimizer) if isinstance(optimizer, str) else (optimizer, {})
    return lambda model: build(model, factory, {**preset, **args}, groups)


def bound_loss(loss: Callable[..., Any], args: Mapping[str, Any]) -> Callable[..., Any]:
    """Construct a loss that is a class; bind the arguments of a function."""
    if inspect.isclass(loss):
        made: Any = loss
        ready: Callable[..., Any] = made(**args)
        return ready
    return with_args(loss, args)


def with_args(function: Callable[..., Any], args: Mapping[str, Any]) -> Callable[..., Any]:
    """Bind keyword arguments where there are any."""
    return functools.partial(function, **args) if args else function
