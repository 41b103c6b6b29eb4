"""The optimizer to sweep: built from a name, a class or a function, or taken as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer

from lrfind import optim
from lrfind.errors import InputError, Problem
from lrfind.registry import load_entry, nearest
from lrfind.spec import GroupSection


@dataclass(frozen=True)
class SweptOptimizer:
    """An optimizer whose groups follow one LR.

    Attributes:
        optimizer: the optimizer itself.
        scales: one multiplier a group; the sweep writes `scale · lr`.
    """

    optimizer: Optimizer
    scales: tuple[float, ...]

    @property
    def parameters(self) -> list[Tensor]:
        """List the parameters of all groups, in their order."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def set_lr(self, lr: float) -> None:
        """Write the LR into every group, in place where a group holds a tensor.

        Raises:
            InputError: groups were added or taken away since the sweep began.
        """
        count = len(self.optimizer.param_groups)
        if count != len(self.scales):
            raise InputError(
                Problem(
                    "optimizer",
                    f"has {count} parameter groups where the sweep began with {len(self.scales)}; "
                    "they must stay as they are",
                    "make all groups before the sweep, not in the model or the step",
                )
            )
        for group, scale in zip(self.optimizer.param_groups, self.scales, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(scale * lr)
            else:
                group["lr"] = scale * lr

    def require_lr(self, lr: float) -> None:
        """Make sure that a step was taken at this LR.

        Raises:
            InputError: something changed the LR of a group between `set_lr` and now.
        """
        for group, scale in zip(self.optimizer.param_groups, self.scales, strict=True):
            # A tensor's value would have to be waited for on a GPU.
            if not isinstance(group["lr"], Tensor) and group["lr"] != scale * lr:
                raise InputError(
                    Problem(
                        "optimizer",
                        f"({type(self.optimizer).__name__}) changed its own lr from {scale * lr:g} "
                        f"to {group['lr']:g} during its step; a sweep sets the lr",
                        "switch its own LR rule, schedule or hook off",
                    )
                )


def bundled(name: str) -> tuple[Callable[..., Optimizer], Mapping[str, Any]]:
    """Find a bundled optimizer: its class and the arguments its name stands for.

    Raises:
        InputError: nothing of that name is bundled.
    """
    if name not in optim.CATALOG:
        raise InputError(
            Problem("optimizer", f"name = {name!r} is not bundled", nearest(name, optim.CATALOG))
        )
    entry = optim.CATALOG[name]
    return load_entry(entry), entry.args


def build(
    model: nn.Module,
    factory: Callable[..., Optimizer],
    args: Mapping[str, Any],
    groups: Sequence[GroupSection] = (),
) -> SweptOptimizer:
    """Construct an optimizer over a model's trainable parameters.

    Args:
        model: its parameters that require gradients are optimised.
        factory: an optimizer class, or a function of the parameters.
        args: keyword arguments; an `lr` among them only serves as the unit of group ratios.
        groups: patterns on parameter names with arguments of their own.

    Raises:
        InputError: nothing is trainable, a pattern matches nothing, or no Optimizer came back.
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise InputError(
            Problem(
                "model",
                f"({type(model).__name__}) has no parameter that requires a gradient; a sweep "
                "needs something to train",
                "unfreeze a layer",
            )
        )
    scales, param_groups = _match(parameters, args, groups)
    # Most optimizers have a default LR, some require one; any value will do, it is swept.
    given = dict(args) if "lr" in args or not _takes_lr(factory) else {"lr": 1e-3, **args}
    optimizer = factory(param_groups if groups else list(parameters.values()), **given)
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            Problem(
                "optimizer",
                f"gave a {type(optimizer).__name__}; it must be a torch.optim.Optimizer",
                "return the optimizer from the function",
            )
        )
    refuse_scheduler(optimizer)
    if not groups:
        return SweptOptimizer(optimizer, group_scales(optimizer))
    if len(optimizer.param_groups) != len(scales):
        raise InputError(
            Problem(
                "optimizer",
                f"gave {len(optimizer.param_groups)} parameter groups where "
                f"optimizer.param_groups makes {len(scales)}",
                "let the function pass its argument on as it is, or drop param_groups",
            )
        )
    for made in optimizer.param_groups:
        # torch gives all groups one and the same tensor, which could hold one LR only.
        if isinstance(made["lr"], Tensor):
            made["lr"] = made["lr"].clone()
    return SweptOptimizer(optimizer, tuple(scales))


def _match(
    parameters: Mapping[str, nn.Parameter], args: Mapping[str, Any], groups: Sequence[GroupSection]
) -> tuple[list[float], list[dict[str, Any]]]:
    """Deal parameters out to the groups whose patterns match; the rest come first."""
    rest = dict(parameters)
    scales: list[float] = []
    param_groups: list[dict[str, Any]] = []
    for i, group in enumerate(groups):
        matched = [n for n in rest if any(fnmatchcase(n, p) for p in group.params)]
        if not matched:
            patterns = ", ".join(group.params)
            raise InputError(
                Problem(
                    f"optimizer.param_groups.{i}",
                    f"params = {patterns} matches no parameter that is still free",
                    nearest(group.params[0], parameters),
                )
            )
        own = {key: value for key, value in group.args.items() if key != "lr"}
        scales.append(group.lr_scale * _lr_ratio(group, args, i))
        param_groups.append({"params": [rest.pop(n) for n in matched], **own})
    if rest:
        scales.insert(0, 1.0)
        param_groups.insert(0, {"params": list(rest.values())})
    return scales, param_groups


def _lr_ratio(group: GroupSection, args: Mapping[str, Any], index: int) -> float:
    if "lr" not in group.args:
        return 1.0
    if "lr" not in args:
        raise InputError(
            Problem(
                f"optimizer.param_groups.{index}.args",
                f"lr = {group.args['lr']} has nothing to be a ratio of, since optimizer.args has "
                "no lr",
                "write lr_scale for the group, or give both",
            )
        )
    return float(group.args["lr"]) / float(args["lr"])


def adopt(optimizer: Optimizer, model: nn.Module) -> SweptOptimizer:
    """Take a ready optimizer as it is and keep the ratios of its groups' LRs.

    Raises:
        InputError: a scheduler is attached, or it holds none of the model's parameters.
    """
    refuse_scheduler(optimizer)
    own = {id(parameter) for parameter in model.parameters()}
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if not any(id(parameter) in own for parameter in held):
        raise InputError(
            Problem(
                "optimizer",
                f"({type(optimizer).__name__}) holds no parameter of the model",
                "build both from the same instance, or name a class so that the sweep builds it",
            )
        )
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            # The model may have been moved since; 0-dimensional step counts stay where they are.
            if isinstance(value, Tensor) and value.ndim and value.device != parameter.device:
                state[name] = value.to(parameter.device)
    return SweptOptimizer(optimizer, group_scales(optimizer))


def group_scales(optimizer: Optimizer) -> tuple[float, ...]:
    """Express each group's LR as a multiple of the optimizer's own (else of the largest).

    Raises:
        InputError: a group has no LR that could be swept.
    """
    for group in optimizer.param_groups:
        if not isinstance(group.get("lr"), int | float | Tensor):
            raise InputError(
                Problem(
                    "optimizer",
                    f"({type(optimizer).__name__}) has a group with lr = {group.get('lr')}; a "
                    "sweep needs a number to set",
                    "give it an lr, and switch its own LR rule off",
                )
            )
    lrs = [float(group["lr"]) for group in optimizer.param_groups]
    default = optimizer.defaults.get("lr")
    known = isinstance(default, int | float | Tensor) and float(default) in lrs
    base = float(default) if known else max(lrs)  # type: ignore[arg-type]
    return tuple(lr / base for lr in lrs) if base > 0 else (1.0,) * len(lrs)


def refuse_scheduler(optimizer: Optimizer) -> None:
    """Raise if an LR scheduler is attached: it would fight the sweep over the LR."""
    is_scheduled = any("initial_lr" in group for group in optimizer.param_groups)
    if is_scheduled or hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        raise InputError(
            Problem(
                "optimizer",
                "has an LR scheduler attached, which would change the LR during the sweep",
                "create the scheduler after the range test, on the optimizer that trains",
            )
        )


def _takes_lr(factory: Callable[..., Any]) -> bool:
    try:
        return "lr" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return True


def needs_closure(optimizer: Optimizer) -> bool:
    """Tell optimizers that evaluate the loss themselves (LBFGS) by their `step`."""
    parameter = inspect.signature(type(optimizer).step).parameters.get("closure")
    return parameter is not None and parameter.default is parameter.empty


def switch_mode(optimizer: Optimizer, mode: Literal["train", "eval"]) -> None:
    """Switch an optimizer that has modes (schedule-free ones do); nothing for all others."""
    switch = getattr(optimizer, mode, None)
    if callable(switch):
        switch()
