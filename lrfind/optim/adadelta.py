"""Adadelta: steps in the units of the parameter itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lrfind.optim._lean import Params
from lrfind.optim._method import Method
from lrfind.optim._validation import check_at_least_zero, check_lr
from lrfind.optim._values import Group, State, Tensors, new_step, scalar


@lru_cache(maxsize=64)
def _constant(value: float, dtype: torch.dtype) -> Tensor:
    return torch.tensor(value, dtype=dtype)


class Adadelta(Method):
    """Scale the gradient by the ratio of two running roots: of past steps and of past gradients.

    With g the gradient (+ λθ for weight decay λ), ρ the smoothing, η the LR:

        v ← ρ v + (1 − ρ) g²
        Δ = √(u + ε) / √(v + ε) · g
        u ← ρ u + (1 − ρ) Δ²
        θ ← θ − η Δ

    Common statements that differ. (1) Notes often leave ε out; without it nothing ever starts,
    since u = 0 makes the first Δ zero and so keeps u at zero. (2) ε stands inside both roots here,
    unlike in the other methods. (3) The paper has no η; 1 is the paper's method.

    Use it where an LR is hard to guess; elsewhere it is slower than `Adam`. Sensible LR: 0.1 to 1.

    Takes dense gradients only. No fused kernel exists; the update goes over memory in parts that
    stay in the cache.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        rho: ρ.
        eps: ε.
        weight_decay: λ, added to the gradient (L2).
        foreach: False asks for the reference update, True for the multi-tensor one.
        capturable: keep the step counter on the device, for CUDA graphs.
        maximize: ascend instead.
        differentiable: let autograd see the step; uses the reference update.

    Raises:
        ValueError: an argument is out of range.

    Source: Zeiler (2012), "ADADELTA: An Adaptive Learning Rate Method", arXiv 1212.5701.
    """

    added_later = Method.added_later | {"capturable": False}

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr("Adadelta", lr)
        check_at_least_zero("Adadelta", eps=eps, weight_decay=weight_decay)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(
                f"Adadelta: Invalid rho value: {rho} must be within [0, 1]; usual is 0.9"
            )
        defaults: dict[str, Any] = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _initial_state(self, group: Group, param: Tensor) -> State:
        return {
            "step": new_step(group, param),
            "square_avg": torch.zeros_like(param),
            "acc_delta": torch.zeros_like(param),
        }

    def _mode(self, group: Group) -> tuple[Any, ...]:
        return (group["foreach"], group["capturable"])

    def _kernel_name(self, group: Group) -> str | None:
        return None

    def _update_many(
        self,
        params: list[Tensor],
        grads: Tensors,
        states: dict[str, list[Tensor]],
        t: float,
        group: Group,
    ) -> None:
        if group["weight_decay"] != 0:
            grads = torch._foreach_add(grads, params, alpha=group["weight_decay"])
        if params[0].device.type == "cpu":
            self._update_each(params, grads, states, group)
            return
        rho, eps = group["rho"], group["eps"]
        v, u = states["square_avg"], states["acc_delta"]
        torch._foreach_mul_(v, rho)
        torch._foreach_addcmul_(v, grads, grads, 1 - rho)
        delta = torch._foreach_add(u, eps)
        torch._foreach_div_(delta, torch._foreach_add(v, eps))
        torch._foreach_sqrt_(delta)
        torch._foreach_mul_(delta, grads)
        torch._foreach_mul_(u, rho)
        torch._foreach_addcmul_(u, delta, delta, 1 - rho)
        torch._foreach_add_(params, delta, alpha=-float(group["lr"]))

    def _update_each(
        self, params: list[Tensor], grads: Tensors, states: dict[str, list[Tensor]], group: Group
    ) -> None:
        # On a CPU lists gain nothing, and wrapping a number into a tensor costs as much as a call.
        dtype = params[0].dtype
        rho, eps = _constant(group["rho"], dtype), _constant(group["eps"], dtype)
        rest, lr = 1 - group["rho"], float(group["lr"])
        for param, grad, v, u in zip(
            params, grads, states["square_avg"], states["acc_delta"], strict=True
        ):
            v.mul_(rho).addcmul_(grad, grad, value=rest)
            delta = u.add(eps).div_(v.add(eps)).sqrt_().mul_(grad)
            u.mul_(rho).addcmul_(delta, delta, value=rest)
            param.add_(delta, alpha=-lr)

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"] != 0:
            grad = grad + group["weight_decay"] * param
        v = rho * state["square_avg"] + (1 - rho) * grad * grad
        delta = (state["acc_delta"] + eps).sqrt() / (v + eps).sqrt() * grad
        u = rho * state["acc_delta"] + (1 - rho) * delta * delta
        new_state = {"step": state["step"] + 1, "square_avg": v, "acc_delta": u}
        return param - scalar(group["lr"]) * delta, new_state
