"""Adam: steps of about one LR a parameter, from two running means of the gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel
from lrfind.optim._lean import Params
from lrfind.optim._method import Method
from lrfind.optim._plan import Bucket
from lrfind.optim._validation import (
    check_at_least_zero,
    check_betas,
    check_implementation,
    check_lr,
)
from lrfind.optim._values import Group, State, Tensors, elapsed, new_step, number, scalar


class Adam(Method):
    """Scale the running mean of the gradient by the root of the running mean of its square.

    With g the gradient (+ λθ for weight decay λ), η the LR, t = 1, 2, …:

        m ← β₁ m + (1 − β₁) g           m̂ = m / (1 − β₁^t)
        v ← β₂ v + (1 − β₂) g²          v̂ = v / (1 − β₂^t)
        θ ← θ − η m̂ / (√v̂ + ε)

    AMSGrad divides by √(max over time of v) instead, with the same correction.

    Common statements that differ. (1) ε stands outside the root and after the bias correction;
    √(v̂ + ε), as in some texts, needs an ε of about the square of this one. (2) λ here is L2 in the
    gradient, which the root divides again, so weights with large gradients decay less: that is
    what `AdamW` puts right. (3) AMSGrad's paper takes the maximum of the uncorrected v and has no
    bias correction; torch, and so this class, corrects the maximum.

    Use it for small or quick experiments without weight decay, else `AdamW`. Sensible LR: 1e-4 to
    3e-3; 2e-5 to 1e-4 to fine-tune a large model.

    Takes dense gradients only.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        betas: (β₁, β₂), both numbers or both one-element tensors.
        eps: ε.
        weight_decay: λ.
        amsgrad: use AMSGrad's maximum.
        foreach: False asks for the reference update, True for the multi-tensor one.
        maximize: ascend instead.
        capturable: keep the step counter on the device, for CUDA graphs.
        differentiable: let autograd see the step; uses the reference update.
        fused: True insists on the fused kernel and lets GradScaler leave unscaling to it.
        decoupled_weight_decay: decay as `AdamW` does.

    Raises:
        ValueError: an argument is out of range.

    Source: Kingma and Ba (2014), "Adam: A Method for Stochastic Optimization", arXiv 1412.6980;
    Reddi, Kale and Kumar (2018), "On the Convergence of Adam and Beyond".
    """

    added_later = Method.added_later | {
        "amsgrad": False,
        "capturable": False,
        "fused": None,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        where = type(self).__name__
        check_lr(where, lr)
        check_at_least_zero(where, eps=eps, weight_decay=weight_decay)
        check_betas(where, betas)
        check_implementation(where, foreach=foreach, fused=fused, differentiable=differentiable)
        if foreach and not capturable:
            for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
                if isinstance(value, Tensor):
                    raise ValueError(
                        f"{where}: {name} as a Tensor is not supported for capturable=False and "
                        "foreach=True; leave foreach out, or pass a number"
                    )
        defaults: dict[str, Any] = {
            "lr": lr,
            "betas": (scalar(betas[0]), scalar(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _initial_state(self, group: Group, param: Tensor) -> State:
        state = {
            "step": new_step(group, param),
            "exp_avg": torch.zeros_like(param),
            "exp_avg_sq": torch.zeros_like(param),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(param)
        return state

    def _mode(self, group: Group) -> tuple[Any, ...]:
        return (
            group["foreach"],
            group["fused"],
            group["amsgrad"],
            group["capturable"],
            group["decoupled_weight_decay"],
        )

    def _kernel_name(self, group: Group) -> str | None:
        return "_fused_adamw_" if group["decoupled_weight_decay"] else "_fused_adam_"

    def _fuse(self, kernel: Kernel, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        states, (beta1, beta2) = bucket.states, group["betas"]
        scaling = self._scaling(bucket.device)
        bucket.tick()
        kernel(
            bucket.params,
            grads,
            states["exp_avg"],
            states["exp_avg_sq"],
            states["max_exp_avg_sq"] if group["amsgrad"] else [],
            bucket.ticks,
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=group["amsgrad"],
            maximize=group["maximize"],
            **scaling,
        )
        bucket.untick(scaling["found_inf"])

    def _update_many(
        self,
        params: list[Tensor],
        grads: Tensors,
        states: dict[str, list[Tensor]],
        t: float,
        group: Group,
    ) -> None:
        lr, decay = float(group["lr"]), group["weight_decay"]
        beta1, beta2 = map(float, group["betas"])
        if decay != 0 and group["decoupled_weight_decay"]:
            torch._foreach_mul_(params, 1 - lr * decay)
        elif decay != 0:
            grads = torch._foreach_add(grads, params, alpha=decay)
        m, v = states["exp_avg"], states["exp_avg_sq"]
        torch._foreach_lerp_(m, grads, 1 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, grads, grads, 1 - beta2)
        if group["amsgrad"]:
            torch._foreach_maximum_(states["max_exp_avg_sq"], v)
            v = states["max_exp_avg_sq"]
        root = torch._foreach_sqrt(v)
        torch._foreach_div_(root, (1 - beta2**t) ** 0.5)
        torch._foreach_add_(root, group["eps"])
        torch._foreach_addcdiv_(params, m, root, -lr / (1 - beta1**t))

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        lr, eps, decay = scalar(group["lr"]), group["eps"], group["weight_decay"]
        beta1, beta2 = group["betas"]
        step = state["step"] + 1
        t = elapsed(step, group)
        if decay != 0 and group["decoupled_weight_decay"]:
            param = param - lr * decay * param
        elif decay != 0:
            grad = grad + decay * param
        m = beta1 * state["exp_avg"] + (1 - beta1) * grad
        v = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad * grad
        new_state = {"step": step, "exp_avg": m, "exp_avg_sq": v}
        if group["amsgrad"]:
            new_state["max_exp_avg_sq"] = v = torch.maximum(state["max_exp_avg_sq"], v)
        root = v.sqrt() / (1 - beta2**t) ** 0.5
        return param - (lr / (1 - beta1**t)) * (m / (root + eps)), new_state
