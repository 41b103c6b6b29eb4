"""The optimizer's step inside the backward pass: each gradient is used and freed when it is there.

The weights, the optimizer's state and the gradient of one layer are all that is ever in memory,
instead of the gradients of all layers. Small parameters wait for one another and are updated
together, as in an ordinary step: their gradients take no room, and the arithmetic stays the same
to the last bit.

Source: Lv et al. (2023), "Full Parameter Fine-tuning for Large Language Models with Limited
Resources", arXiv 2306.09782, who fuse plain SGD with the backward pass.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.workload.backward import backward
from lrfind.workload.finite import is_finite
from lrfind.workload.gradients import clear_gradients
from lrfind.workload.nonfinite import NumberCheck
from lrfind.workload.optimizer import SweptOptimizer, needs_closure
from lrfind.workload.phase import Phase

SMALL = 8_192
"""Most elements of a parameter that waits for the end of the backward pass."""

_APART = ("lrfind.optim.", "torch.optim.")
"""Packages whose optimizers update each parameter by its own gradient and state alone."""


class StepInBackward:
    """Holds a loss until its LR is known, then updates while the gradients are computed.

    Args:
        swept: the optimizer; it lends each of its larger parameters to a share of its own.
        check: told of the first gradients.

    Raises:
        InputError: the optimizer needs all gradients at once, or is watched.
    """

    def __init__(self, swept: SweptOptimizer, check: NumberCheck) -> None:
        _refuse(swept.optimizer)
        self._optimizer = swept.optimizer
        self._parameters = swept.parameters
        self._check = check
        self._loss: Tensor | None = None
        self._shares: dict[Tensor, _Share] = {}
        self._rest: _Share | None = None

    def hold(self, loss: Tensor) -> None:
        """Keep a finite loss, with all that its gradients are computed from."""
        self._loss = loss

    def update(self, doing: Callable[[Phase], None]) -> None:
        """Compute the gradients of the held loss, and update each parameter by its own.

        Args:
            doing: told what is being done: whom to blame for an exception.

        Raises:
            InputError: a gradient came in parts; or, the first time, there was none.
        """
        is_first = self._rest is None
        if self._rest is None:
            # Not in the constructor: a lazy layer has no sizes before its first batch.
            self._rest = self._deal_out()
            self._check.first_weights()
        finite: dict[Tensor, bool] = {}

        def take(parameter: Tensor) -> None:
            if is_first and parameter.grad is not None:
                finite[parameter] = is_finite(parameter.grad)
            if parameter in self._shares:
                doing(Phase.UPDATE)
                self._shares[parameter].step()
                parameter.grad = None
                doing(Phase.BACKWARD)

        doing(Phase.BACKWARD)
        self._visit(take)
        doing(Phase.UPDATE)
        self._rest.step()
        clear_gradients(self._parameters)
        if is_first:
            self._check.passed_gradients(finite)

    def gradient_norm(self) -> float:
        """ℓ2 norm of all gradients of the held loss together; lets go of it."""
        squares: list[Tensor] = []

        def measure(parameter: Tensor) -> None:
            if parameter.grad is not None:
                squares.append(torch.linalg.vector_norm(parameter.grad).double().square())
            parameter.grad = None

        self._visit(measure)
        return math.sqrt(sum(map(float, squares)))

    def _visit(self, take: Callable[[Tensor], None]) -> None:
        """Compute the gradients of the held loss; call `take` with each parameter that has one."""
        loss, self._loss = self._loss, None
        assert loss is not None
        seen: set[Tensor] = set()

        def arrive(parameter: Tensor) -> None:
            if parameter in seen:
                raise _in_parts(self._check.name_of(parameter))
            seen.add(parameter)
            take(parameter)

        with ExitStack() as hooks:
            for parameter in self._parameters:
                if parameter.requires_grad:
                    hook = parameter.register_post_accumulate_grad_hook(arrive)  # type: ignore[no-untyped-call]
                    hooks.callback(hook.remove)
            backward(loss)

    def _deal_out(self) -> _Share:
        """Give every large parameter a share, and return that of all others."""
        small = {p for p in self._parameters if p.numel() <= SMALL}
        for parameter in self._parameters:
            if parameter not in small:
                self._shares[parameter] = _share(self._optimizer, {parameter})
        return _share(self._optimizer, small)


@dataclass(frozen=True)
class _Share:
    """An optimizer over some of another's parameters, with the state that they have there.

    Attributes:
        optimizer: the share.
        groups: the groups of the other that its own came from; their LRs are the ones that count.
    """

    optimizer: Optimizer
    groups: list[dict[str, Any]]

    def step(self) -> None:
        for own, group in zip(self.optimizer.param_groups, self.groups, strict=True):
            own["lr"] = group["lr"]
        self.optimizer.step()


def _share(optimizer: Optimizer, wanted: Collection[Tensor]) -> _Share:
    held = [
        (group, [parameter for parameter in group["params"] if parameter in wanted])
        for group in optimizer.param_groups
    ]
    held = [(group, parameters) for group, parameters in held if parameters]
    share = copy.copy(optimizer)
    share.param_groups = [{**group, "params": parameters} for group, parameters in held]
    own = [parameter for _, parameters in held for parameter in parameters]
    share.state = defaultdict(dict, {parameter: optimizer.state[parameter] for parameter in own})
    return _Share(share, [group for group, _ in held])


def _refuse(optimizer: Optimizer) -> None:
    kind = type(optimizer)
    if needs_closure(optimizer):
        raise _refusal(
            f"{kind.__name__}, which evaluates the loss inside its step",
            "take an optimizer that needs one gradient a step",
        )
    if not f"{kind.__module__}.".startswith(_APART):
        raise _refusal(
            f"{kind.__module__}.{kind.__name__}, which may need the gradients of all parameters "
            "at once",
            "take a bundled optimizer or one of torch.optim",
        )
    if optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        raise _refusal(
            f"step hooks on {kind.__name__}, since there is no step as a whole",
            "take the hooks off",
        )


def _in_parts(name: str) -> InputError:
    return _refusal(
        f"a gradient that comes in parts, as that of {name} does (reentrant checkpoints do that)",
        "pass use_reentrant=False to torch.utils.checkpoint",
    )


def _refusal(what: str, remedy: str) -> InputError:
    return InputError(
        Problem(
            "sweep.low_memory", f"= true does not go with {what}", f"{remedy}, or drop low_memory"
        )
    )
