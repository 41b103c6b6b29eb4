"""A `torch.optim.Optimizer` that does not pull in the compiler.

torch wraps `add_param_group`, `zero_grad`, `state_dict`, `load_state_dict` and (in its own
optimizers) `step` so that they import `torch._dynamo` on first use: about two seconds and some
thousand modules that an eager program never needs. `LeanOptimizer` unwraps the first four and
runs `step` itself. Everything else is torch's own: groups, hooks, checkpoints, pickling.

A subclass supplies the mathematics. `_update` is the definition: a pure function of parameter,
gradient and state, written to be read. The other methods may only reach the same numbers faster.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer

Group = dict[str, Any]
State = dict[str, Tensor]
Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Closure = Callable[[], Any]

_add_param_group = inspect.unwrap(Optimizer.add_param_group)
_zero_grad = inspect.unwrap(Optimizer.zero_grad)
_state_dict = inspect.unwrap(Optimizer.state_dict)
_load_state_dict = inspect.unwrap(Optimizer.load_state_dict)


class LeanOptimizer(Optimizer):
    """Base of the bundled optimizers; abstract."""

    added_later: ClassVar[dict[str, Any]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
    }
    """Group keys that checkpoints of older torch versions lack, with the value they stand for."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; see `torch.optim.Optimizer.add_param_group`."""
        _add_param_group(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or set them to zero; see `torch.optim.Optimizer.zero_grad`."""
        _zero_grad(self, set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Return state and groups in torch's checkpoint layout."""
        packed: dict[str, Any] = _state_dict(self)
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a checkpoint written by this class or by torch's class of the same name."""
        _load_state_dict(self, state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in self.added_later.items():
                group.setdefault(key, value)
            for param in group["params"]:
                step = self.state[param].get("step") if param in self.state else None
                if step is not None and not isinstance(step, Tensor):
                    self.state[param]["step"] = _new_step(group, param, float(step))

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: re-evaluates the model and returns the loss; run once, with gradients enabled,
                before the update.

        Returns:
            What the closure returned, or None.
        """
        return _observed(self) if closure is None else _observed(self, closure)

    step.hooked = True  # type: ignore[attr-defined]

    def _advance(self) -> None:
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._apply_definition(group, param, param.grad)

    def _state_of(self, group: Group, param: Tensor) -> State:
        state: State = self.state[param]
        if not state:
            state.update(self._initial_state(group, param))
        return state

    def _initial_state(self, group: Group, param: Tensor) -> State:
        """Create what a parameter needs before its first update."""
        raise NotImplementedError

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        """Compute the parameter and state after one step: the definition.

        Pure and out of place. All tensors are real (complex ones come as views with a last
        dimension of 2) and the sign of the gradient is that of a minimisation.

        Returns:
            The new parameter, and the new value of every state tensor that changes.
        """
        raise NotImplementedError

    def _update_sparse(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Apply a sparse gradient in place; raises where the method has no sparse form."""
        name = type(self).__name__
        raise RuntimeError(
            f"{name}: a gradient is sparse (shape {tuple(param.shape)}) and {name} does not "
            "support sparse gradients; build the embedding with sparse=False, or use SGD or Adagrad"
        )

    def _apply_definition(self, group: Group, param: Tensor, grad: Tensor) -> None:
        state = self._state_of(group, param)
        if grad.is_sparse:
            self._update_sparse(param, -grad if group["maximize"] else grad, state, group)
            return
        seen = {name: _real(value) for name, value in state.items() if isinstance(value, Tensor)}
        target, direction = _real(param), _real(grad)
        if group["maximize"]:
            direction = -direction
        new_param, new_state = self._update(target, direction, seen, group)
        target.copy_(new_param)
        for name, value in new_state.items():
            old = seen.get(name)
            if old is not None and not group["differentiable"]:
                old.copy_(value)
            else:
                # Cloned, because a first buffer may be the gradient itself.
                fresh = torch.view_as_complex(value) if param.is_complex() else value
                state[name] = value.clone() if name == "step" else fresh.clone()


def new_step(group: Group, param: Tensor) -> Tensor:
    """Create the step counter of a parameter, on the device where torch keeps it."""
    return _new_step(group, param, 0.0)


def _new_step(group: Group, param: Tensor, value: float) -> Tensor:
    if group.get("fused"):
        return torch.tensor(value, dtype=torch.float32, device=param.device)
    wide = torch.get_default_dtype() == torch.float64
    return torch.tensor(
        value,
        dtype=torch.float64 if wide else torch.float32,
        device=param.device if group.get("capturable") else "cpu",
    )


def elapsed(step: Tensor, group: Group) -> Any:
    """Read a step counter: a number, or the tensor itself where a graph is recorded."""
    if group.get("capturable") or group["differentiable"] or torch.compiler.is_compiling():
        return step
    return step.item()


def scalar(value: Any) -> Any:
    """Turn a hyper-parameter that is a one-element tensor of any shape into a 0-dim tensor."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() else value


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _plain_step(self: LeanOptimizer, closure: Closure | None = None) -> Any:
    loss = None
    if closure is not None:
        with torch.enable_grad():
            loss = closure()
    enabled = torch.is_grad_enabled()
    torch._C._set_grad_enabled(bool(self.defaults["differentiable"]))
    try:
        self._advance()
    finally:
        torch._C._set_grad_enabled(enabled)
    return loss


_observed = Optimizer.profile_hook_step(_plain_step)
"""The step with torch's profiler range and step hooks around it."""
