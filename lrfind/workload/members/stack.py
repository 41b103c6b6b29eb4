"""The parameters of all members in one stack: a forward and backward pass, and one update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lrfind.workload.members.layers import Place, flat_modules, make_layers
from lrfind.workload.members.losses import LANES, Loss, find_loss
from lrfind.workload.objective import LossObjective
from lrfind.workload.optimizer import SweptOptimizer
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.training import Training
from lrfind.workload.update_size import UpdateSize


class Stack:
    """Members of one kind, trained at once; each starts as it is found.

    The optimizer is one of the members' kind over the parameters of all of them, so that its
    kernels do to each what they would have done to it alone. The members' own models and
    optimizers are only read.

    Args:
        trainables: the members, all of which fit (see `misfit`); one may stand several times.
        is_in_step: whether all members get the same LR at every update, which saves calls.

    Attributes:
        optimizer: over the parameters of all members.
    """

    def __init__(self, trainables: Sequence[TorchTrainable], *, is_in_step: bool) -> None:
        first = trainables[0]
        groups = [_stacked(trainables, i) for i in range(len(first.swept.scales))]
        places = {parameter: place for group in groups for parameter, place in group.items()}
        self._layers = make_layers(first.model, places)
        self._loss = _loss_of(first)
        self._scales = first.swept.scales
        self.optimizer = _optimizer_over(groups, first.swept, is_in_step=is_in_step)
        # Only sweeps, whose members are in step, record update sizes.
        self._sizes = [
            UpdateSize([_row(place, i) for place in places.values()])
            for i in range(len(trainables) if is_in_step else 0)
        ]

    def backward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss of each member and its gradients.

        Args:
            inputs: shape `(members, batch, …)`.
            targets: shape `(members, batch, …)`.

        Returns:
            Shape `(members,)`, on the device.
        """
        with torch.no_grad():
            loss, grad = self._loss(self._forward(inputs), targets)
            for i in range(len(self._layers) - 1, -1, -1):
                grad = self._layers[i].backward(grad, wants_inputs=i > 0)
        return loss

    def measure(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss of each member, and no gradients."""
        with torch.no_grad():
            return self._loss(self._forward(inputs), targets)[0]

    def update(self, lrs: Sequence[float]) -> None:
        """Update every member at its LR; members in step at the only one."""
        for i, group in enumerate(self.optimizer.param_groups):
            row, part = divmod(i, len(self._scales))
            group["lr"] = self._scales[part] * lrs[row]
        for size in self._sizes:
            size.begin()
        self.optimizer.step()
        for size in self._sizes:
            size.end()

    def update_ratios(self) -> list[float | None]:
        """|Δw| / |w| of the last update of members in step; None where it was not measured."""
        for size in self._sizes:
            size.read()
        return [size.ratio for size in self._sizes]

    def _forward(self, inputs: Tensor) -> Tensor:
        x = inputs.reshape(*inputs.shape[:2], -1)
        for layer in self._layers:
            x = layer.forward(x)
        return x


def are_alike(one: Training, other: Training) -> bool:
    """Tell whether two members differ in the values of their parameters alone."""
    return _form(one) == _form(other)


def _form(trainable: Training) -> tuple[object, ...]:
    groups = [dict(group) for group in trainable.swept.optimizer.param_groups]
    shapes = [[parameter.shape for parameter in group.pop("params")] for group in groups]
    layers = [repr(module) for module in flat_modules(trainable.model)]
    return shapes, groups, layers, trainable.swept.scales


def _stacked(trainables: Sequence[TorchTrainable], group: int) -> dict[nn.Parameter, Place]:
    """Stack one parameter group of all members, by the first member's parameters."""
    own = [trainable.swept.optimizer.param_groups[group]["params"] for trainable in trainables]
    places = {}
    for column in zip(*own, strict=True):
        values = torch.stack([parameter.detach() for parameter in column])
        places[column[0]] = (values, torch.zeros_like(values))
    return places


def _optimizer_over(
    groups: Sequence[Mapping[nn.Parameter, Place]], swept: SweptOptimizer, *, is_in_step: bool
) -> Optimizer:
    """Make an optimizer of the same kind, with groups of its own for each LR."""
    columns = [list(group.values()) for group in groups]
    if is_in_step:
        parts = [[p for place in column for p in _shares(place)] for column in columns]
    else:
        rows = range(len(columns[0][0][0]))
        parts = [[_row(place, i) for place in column] for i in rows for column in columns]
    options = [
        {key: value for key, value in group.items() if key not in ("params", "param_names")}
        for group in swept.optimizer.param_groups
    ]
    kind: Any = type(swept.optimizer)
    made: Optimizer = kind(
        [{**options[i % len(options)], "params": part} for i, part in enumerate(parts)]
    )
    return made


def _shares(place: Place) -> list[nn.Parameter]:
    """Take a parameter of all members as one where a kernel rounds as it would for each.

    It rounds differently what is left over when registers were filled.
    """
    values, grads = place
    if values[0].numel() % LANES:
        return [_row(place, i) for i in range(len(values))]
    return [_parameter(values, grads)]


def _row(place: Place, row: int) -> nn.Parameter:
    """View one member's share as a parameter with its gradient."""
    values, grads = place
    return _parameter(values[row], grads[row])


def _parameter(values: Tensor, grads: Tensor) -> nn.Parameter:
    parameter = nn.Parameter(values)
    parameter.grad = grads
    return parameter


def _loss_of(trainable: TorchTrainable) -> Loss:
    objective = trainable.objective
    loss = find_loss(objective.loss_fn) if isinstance(objective, LossObjective) else None
    assert loss is not None
    return loss
