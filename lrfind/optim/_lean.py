"""A `torch.optim.Optimizer` that does not pull in the compiler.

torch wraps `add_param_group`, `zero_grad`, `state_dict`, `load_state_dict` and (in its own
optimizers) `step` so that they import `torch._dynamo` on first use: about two seconds and some
thousand modules that an eager program never needs. `LeanOptimizer` unwraps the first four and
runs `step` itself. Everything else is torch's own: groups, hooks, checkpoints, pickling. Knows
nothing of how an update is computed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim import optimizer as torch_optimizer

from lrfind.optim._values import new_step

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Closure = Callable[[], Any]

_add_param_group = inspect.unwrap(Optimizer.add_param_group)
_zero_grad = inspect.unwrap(Optimizer.zero_grad)
_state_dict = inspect.unwrap(Optimizer.state_dict)
_load_state_dict = inspect.unwrap(Optimizer.load_state_dict)

_GLOBAL_PRE_HOOKS = torch_optimizer._global_optimizer_pre_hooks
_GLOBAL_POST_HOOKS = torch_optimizer._global_optimizer_post_hooks
_is_grad_enabled = torch.is_grad_enabled
_is_compiling = torch.compiler.is_compiling
_set_grad_enabled = torch._C._set_grad_enabled
_is_profiling = torch._C._autograd._profiler_enabled


class LeanOptimizer(Optimizer):
    """Base of the bundled optimizers; abstract."""

    added_later: ClassVar[dict[str, Any]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
    }
    """Group keys that checkpoints of older torch versions lack, with the value they stand for."""

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self._forget_plans()
        super().__init__(params, defaults)
        self._step_supports_amp_scaling = bool(defaults.get("fused"))

    def _forget_plans(self) -> None:
        """Drop whatever was derived from groups or state: they have been replaced."""
        raise NotImplementedError

    def _advance(self) -> None:
        """Update every parameter that has a gradient; gradients are not recorded."""
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; see `torch.optim.Optimizer.add_param_group`."""
        _add_param_group(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or set them to zero; see `torch.optim.Optimizer.zero_grad`."""
        if not set_to_none or _is_compiling() or _is_profiling():
            _zero_grad(self, set_to_none)
            return
        for group in self.param_groups:
            for param in group["params"]:
                param.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return state and groups in torch's checkpoint layout."""
        packed: dict[str, Any] = _state_dict(self)
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a checkpoint written by this class or by torch's class of the same name."""
        _load_state_dict(self, state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._forget_plans()
        super().__setstate__(state)
        self._step_supports_amp_scaling = bool(self.defaults.get("fused"))
        for group in self.param_groups:
            for key, value in self.added_later.items():
                group.setdefault(key, value)
            for param in group["params"]:
                step = self.state[param].get("step") if param in self.state else None
                if step is not None and not isinstance(step, Tensor):
                    self.state[param]["step"] = new_step(group, param, float(step))

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: re-evaluates the model and returns the loss; run once, with gradients enabled,
                before the update.

        Returns:
            What the closure returned, or None.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _GLOBAL_PRE_HOOKS
            or _GLOBAL_POST_HOOKS
            or (not _is_compiling() and _is_profiling())
        ):
            return _observed(self) if closure is None else _observed(self, closure)
        if closure is not None or self.defaults["differentiable"]:
            return _plain_step(self, closure)
        enabled = _is_grad_enabled()
        _set_grad_enabled(False)
        try:
            self._advance()
        finally:
            _set_grad_enabled(enabled)
        return None

    step.hooked = True  # type: ignore[attr-defined]


def _plain_step(self: LeanOptimizer, closure: Closure | None = None) -> Any:
    loss = None
    if closure is not None:
        with torch.enable_grad():
            loss = closure()
    enabled = _is_grad_enabled()
    _set_grad_enabled(bool(self.defaults["differentiable"]))
    try:
        self._advance()
    finally:
        _set_grad_enabled(enabled)
    return loss


_observed = Optimizer.profile_hook_step(_plain_step)
"""The step with torch's profiler range and step hooks around it."""
