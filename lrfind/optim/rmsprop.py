"""RMSprop: divide by the root of a running mean of the squared gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel
from lrfind.optim._lean import Params
from lrfind.optim._method import Method
from lrfind.optim._plan import Bucket
from lrfind.optim._validation import check_at_least_zero, check_lr
from lrfind.optim._values import Group, State, Tensors, new_step, number, scalar

_AGE = 3e38
"""A step count at which Adam corrects no bias: α^t = 0 for every α < 1."""


class RMSprop(Method):
    """Give every parameter steps of about one LR, whatever the size of its gradient.

    With g the gradient (+ λθ for weight decay λ), α the smoothing, μ the momentum, η the LR:

        v ← α v + (1 − α) g²
        a ← α a + (1 − α) g        and v − a² in place of v below, when centred
        θ ← θ − η g / (√v + ε)
        b ← μ b + g / (√v + ε);    θ ← θ − η b, with momentum

    Common statements that differ. (1) Some notes divide g_{t−1}: a misprint; it is the present
    gradient. (2) ε stands outside the root here, as in torch; √(v + ε) needs about its square, and
    the two differ wherever v is near ε². (3) v starts at zero and is not corrected for it, so the
    first steps are 1 / √(1 − α) = 10 times η for α = 0.99: warm up, or use `Adam`.

    Use it for recurrent networks and reinforcement learning. Sensible LR: 1e-4 to 1e-2.

    Takes dense gradients only.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        alpha: α.
        eps: ε.
        weight_decay: λ, added to the gradient (L2).
        momentum: μ.
        centered: divide by an estimate of the variance.
        capturable: keep the step counter on the device, for CUDA graphs.
        foreach: False asks for the reference update, True for the multi-tensor one.
        maximize: ascend instead.
        differentiable: let autograd see the step; uses the reference update.

    Raises:
        ValueError: an argument is out of range.

    Source: Tieleman and Hinton (2012), lecture 6e of "Neural Networks for Machine Learning";
    centred form: Graves (2013), arXiv 1308.0850.
    """

    added_later = Method.added_later | {
        "momentum": 0,
        "centered": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr("RMSprop", lr)
        check_at_least_zero(
            "RMSprop", eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha
        )
        defaults: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _initial_state(self, group: Group, param: Tensor) -> State:
        state = {"step": new_step(group, param), "square_avg": torch.zeros_like(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = torch.zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = torch.zeros_like(param)
        return state

    def _mode(self, group: Group) -> tuple[Any, ...]:
        return (group["foreach"], group["capturable"], self._kernel_name(group))

    def _kernel_name(self, group: Group) -> str | None:
        # The kernel is Adam's. It would write λθ and the sign into the gradient (see `_fuse`).
        plain = not (group["momentum"] or group["centered"] or group["maximize"])
        return (
            "_fused_adam_" if plain and not group["weight_decay"] and group["alpha"] < 1 else None
        )

    def _fuse(self, kernel: Kernel, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        # With β₁ = 0 Adam's m is the gradient itself, so the gradients serve as their own m: the
        # kernel writes back the finite values it read, and no buffer is moved for nothing.
        bucket.tick()
        if bucket.ticks is bucket.states["step"] or bucket.mirror is not None:
            bucket.ticks = [torch.tensor(_AGE, device=bucket.device)] * len(grads)
            bucket.mirror = None
        kernel(
            bucket.params,
            grads,
            grads,
            bucket.states["square_avg"],
            [],
            bucket.ticks,
            lr=number(group["lr"]),
            beta1=0.0,
            beta2=group["alpha"],
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )

    def _update_many(
        self,
        params: list[Tensor],
        grads: Tensors,
        states: dict[str, list[Tensor]],
        t: float,
        group: Group,
    ) -> None:
        lr, alpha = float(group["lr"]), group["alpha"]
        if group["weight_decay"] != 0:
            grads = torch._foreach_add(grads, params, alpha=group["weight_decay"])
        v = states["square_avg"]
        torch._foreach_mul_(v, alpha)
        torch._foreach_addcmul_(v, grads, grads, 1 - alpha)
        if group["centered"]:
            torch._foreach_lerp_(states["grad_avg"], grads, 1 - alpha)
            root = torch._foreach_addcmul(v, states["grad_avg"], states["grad_avg"], -1)
            torch._foreach_sqrt_(root)
        else:
            root = torch._foreach_sqrt(v)
        torch._foreach_add_(root, group["eps"])
        if group["momentum"] > 0:
            buffers = states["momentum_buffer"]
            torch._foreach_mul_(buffers, group["momentum"])
            torch._foreach_addcdiv_(buffers, grads, root)
            torch._foreach_add_(params, buffers, alpha=-lr)
        else:
            torch._foreach_addcdiv_(params, grads, root, -lr)

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        lr, alpha, mu = scalar(group["lr"]), group["alpha"], group["momentum"]
        if group["weight_decay"] != 0:
            grad = grad + group["weight_decay"] * param
        v = alpha * state["square_avg"] + (1 - alpha) * grad * grad
        new_state = {"step": state["step"] + 1, "square_avg": v}
        if group["centered"]:
            new_state["grad_avg"] = a = alpha * state["grad_avg"] + (1 - alpha) * grad
            v = v - a * a
        direction = grad / (v.sqrt() + group["eps"])
        if mu > 0:
            new_state["momentum_buffer"] = direction = mu * state["momentum_buffer"] + direction
        return param - lr * direction, new_state
