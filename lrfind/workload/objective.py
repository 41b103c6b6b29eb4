"""From a batch to one scalar loss: the user's step, a loss function, or the model's own loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lrfind.errors import InputError, Problem
from lrfind.workload.batch import split_target

Objective = Callable[[nn.Module, Any, int], Tensor]
"""`objective(model, batch, index) -> loss`, a scalar tensor that gradients flow from."""


@dataclass(frozen=True)
class LossObjective:
    """A loss function of the model's outputs and the target."""

    loss_fn: Callable[..., Any]

    def __call__(self, model: nn.Module, batch: Any, index: int) -> Tensor:
        """Compute `loss_fn(model(*inputs), target)` on the inputs and target found in a batch."""
        inputs, named, target = split_target(batch)
        return scalar(self.loss_fn(model(*inputs, **named), target), "loss")


def from_loss(loss_fn: Callable[..., Any]) -> Objective:
    """Compute a loss function of the model's outputs and the target."""
    return LossObjective(loss_fn)


def from_model() -> Objective:
    """Take the loss that the model itself returns for a batch.

    A mapping is passed as keywords, a tuple or list as positional arguments, anything else whole.
    """

    def objective(model: nn.Module, batch: Any, index: int) -> Tensor:
        if isinstance(batch, Mapping):
            return scalar(model(**batch), "model")
        if isinstance(batch, tuple | list):
            return scalar(model(*batch), "model")
        return scalar(model(batch), "model")

    return objective


def from_step(step: Callable[..., Any]) -> Objective:
    """Call the user's `step(model, batch)`; a third required parameter gets the batch's index."""
    if _required_parameters(step) >= 3:
        return lambda model, batch, index: scalar(step(model, batch, index), "step")
    return lambda model, batch, index: scalar(step(model, batch), "step")


def scalar(output: Any, where: str) -> Tensor:
    """Find the scalar loss in what a model, loss or step returned.

    Raises:
        InputError: there is no loss in it, it is not a scalar, or no gradient flows from it.
    """
    loss = output
    if isinstance(output, Mapping):
        loss = output.get("loss")
    elif not isinstance(output, Tensor):
        loss = getattr(output, "loss", output)
    if not isinstance(loss, Tensor):
        raise InputError(
            Problem(
                where,
                f"returned {_describe(output)}; it must be a scalar tensor, or a mapping or object "
                "with `loss`",
                "name a `loss` in the config, or return the loss"
                if where == "model"
                else "return the loss",
            )
        )
    if loss.ndim:
        if loss.numel() != 1:
            raise InputError(
                Problem(
                    where,
                    f"returned a tensor of shape {tuple(loss.shape)}; the loss must be a scalar",
                    "name a `loss` in the config if these are predictions, else average it "
                    "(reduction='mean')"
                    if where == "model"
                    else "average it (reduction='mean')",
                )
            )
        loss = loss.reshape(())
    if loss.is_complex():
        raise InputError(
            Problem(where, "returned a complex loss; it must be real", "take .real or .abs()")
        )
    if torch.is_grad_enabled() and not loss.requires_grad:
        raise InputError(
            Problem(
                where,
                "returned a loss that no parameter has a part in, so nothing can be trained",
                "keep the graph: no .item(), .detach() or torch.no_grad() on the way, and "
                "parameters that require gradients",
            )
        )
    return loss


def _required_parameters(function: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _describe(output: Any) -> str:
    if output is None:
        return "None"
    if isinstance(output, Mapping):
        return f"a mapping with keys {', '.join(map(str, output)) or '(none)'}"
    return f"a {type(output).__name__}"
