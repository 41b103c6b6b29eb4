"""Which workloads can be trained side by side, and why another cannot."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.optim import Optimizer

from lrfind.optim._method import Method
from lrfind.workload.compilation import CompiledObjective
from lrfind.workload.members.layers import flat_modules, is_known
from lrfind.workload.members.losses import cross_entropy, find_loss
from lrfind.workload.objective import LossObjective
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.training import Training

LARGEST = 100_000
"""Most parameters of a member: beyond, arithmetic is most of a step, and is not saved."""

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_GRADIENT_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_GLOBAL_HOOKS = tuple(f"_global{name}" for name in _HOOKS)


def misfit(trainable: Training, inputs: Tensor, targets: Tensor) -> str | None:
    """Say why members of this kind must be trained one after another; None where they need not.

    Args:
        trainable: one of the members, as it was opened.
        inputs: all inputs that it will see, samples first.
        targets: their targets.
    """
    model = trainable.model
    if not isinstance(trainable, TorchTrainable) or not trainable.is_plain:
        return "an update is more than the gradient of one batch and a step"
    if isinstance(trainable.objective, CompiledObjective):
        return "the model is compiled"
    unknown = [module for module in flat_modules(model) if not is_known(module)]
    if unknown:
        return f"{type(unknown[0]).__name__} is not among the layers that are written out"
    parameters = list(model.parameters())
    if sum(parameter.numel() for parameter in parameters) > LARGEST:
        return f"the model has more than {LARGEST:,} parameters"
    if _is_watched(model):
        return "the model is watched by hooks, or changed by hand"
    return (
        _misfit_of_optimizer(trainable.swept.optimizer, parameters)
        or _misfit_of_shapes(model, inputs)
        or _misfit_of_loss(trainable, targets)
    )


def is_pair(batch: Any) -> bool:
    """Tell whether a batch is inputs and targets, a tensor each."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        return False
    return all(isinstance(part, Tensor) for part in batch)


def _misfit_of_optimizer(optimizer: Optimizer, parameters: list[nn.Parameter]) -> str | None:
    kind = type(optimizer)
    if not isinstance(optimizer, Method) or not kind.__module__.startswith("lrfind.optim."):
        return f"{kind.__name__} is none of the bundled optimizers"
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    # Each layer with parameters of its own, all of them trained.
    if len(held) != len(parameters) or {*map(id, held)} != {*map(id, parameters)}:
        return "the optimizer does not hold each of the model's parameters"
    first = parameters[0]
    if first.dtype not in (torch.float32, torch.float64) or any(
        (p.dtype, p.device) != (first.dtype, first.device) or not p.requires_grad
        for p in parameters
    ):
        return "the parameters are not all trained in one precision on one device"
    # Adagrad makes its state at once.
    was_used = any(float(state.get("step", 1)) for state in optimizer.state.values())
    if was_used or optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        return "the optimizer was used before, or is watched"
    options = [value for group in optimizer.param_groups for value in group.values()]
    if any(isinstance(value, Tensor) for value in options):
        return "an option of the optimizer is a tensor"
    return None


def _misfit_of_shapes(model: nn.Module, inputs: Tensor) -> str | None:
    modules = flat_modules(model)
    linears = [module for module in modules if type(module) is nn.Linear]
    sizes = [(linear.in_features, linear.out_features) for linear in linears]
    if sum(len(list(linear.parameters())) for linear in linears) != len(list(model.parameters())):
        return "a layer is used twice"
    is_flat = inputs.ndim == 2
    for module in modules:
        is_flat = is_flat or type(module) is nn.Flatten
        if type(module) is nn.Linear and not is_flat:
            return "the inputs are not rows of features"
    chain = [(inputs[0].numel(), inputs[0].numel()), *sizes]
    if any(before[1] != after[0] for before, after in pairwise(chain)):
        return "the layers do not fit the inputs"
    if inputs.dtype != linears[0].weight.dtype:
        return "the inputs are not of the parameters' precision"
    return None


def _misfit_of_loss(trainable: TorchTrainable, targets: Tensor) -> str | None:
    objective = trainable.objective
    loss = find_loss(objective.loss_fn) if isinstance(objective, LossObjective) else None
    if loss is None:
        return "the loss is not among those that are written out"
    last = [m for m in flat_modules(trainable.model) if type(m) is nn.Linear][-1]
    if loss is not cross_entropy:
        alike = targets.dtype == last.weight.dtype and targets.shape[1:] == (last.out_features,)
        return None if alike else "the targets are not of the outputs' shape and precision"
    if targets.dtype != torch.int64 or targets.ndim != 1:
        return "the targets are no classes"
    if int(targets.min()) < 0 or int(targets.max()) >= last.out_features:
        return "a target is no class of the model"
    return None


def _is_watched(model: nn.Module) -> bool:
    parameters = list(model.parameters())
    return (
        any(getattr(module, name) for module in model.modules() for name in _HOOKS)
        or any(getattr(torch_module, name, None) for name in _GLOBAL_HOOKS)
        or any("forward" in vars(module) for module in model.modules())
        or any(type(parameter) is not nn.Parameter for parameter in parameters)
        or any(getattr(p, name, None) for p in parameters for name in _GRADIENT_HOOKS)
    )
