"""Stochastic gradient descent: plain, with momentum, and Nesterov's form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel
from lrfind.optim._lean import Params
from lrfind.optim._method import Method
from lrfind.optim._plan import Bucket
from lrfind.optim._validation import check_at_least_zero, check_implementation, check_lr
from lrfind.optim._values import Group, State, Tensors, number, scalar


class SGD(Method):
    """Step against the gradient, or against a decaying sum of gradients.

    With g the gradient (+ λθ for weight decay λ), μ the momentum, τ the dampening, η the LR:

        plain      θ ← θ − η g
        momentum   b ← μ b + (1 − τ) g;   θ ← θ − η b
        Nesterov   b ← μ b + g;           θ ← θ − η (g + μ b)

    b starts as the first gradient, undampened.

    Common statements that differ. (1) Many texts, Polyak's and Sutskever's among them, put η
    inside the buffer: b ← μ b + η g; θ ← θ − b. For constant η both are the same; when η changes,
    as in a sweep or under a schedule, the form here applies the new η to the whole buffer at once,
    theirs to new gradients only. (2) Nesterov's gradient belongs to the point ahead, θ − η μ b;
    what is written here is the same method in the variable θ' = θ − η μ b, so that the gradient is
    needed only where the weights already are. It is exact for constant η and μ.

    Use it for convolutional networks and wherever its generalisation is wanted and the LR can be
    tuned. Sensible LR: 0.01 to 1 plain, 0.003 to 0.3 with momentum 0.9, which multiplies the
    effective step by 1 / (1 − μ).

    Takes sparse gradients, with momentum too, but not together with weight decay.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        momentum: μ.
        dampening: τ.
        weight_decay: λ, added to the gradient (L2).
        nesterov: use Nesterov's form; needs momentum and no dampening.
        maximize: ascend instead.
        foreach: False asks for the reference update, True for the multi-tensor one.
        differentiable: let autograd see the step; uses the reference update.
        fused: True insists on the fused kernel and lets GradScaler leave unscaling to it.

    Raises:
        ValueError: an argument is out of range.

    Source: Robbins and Monro (1951); Polyak (1964); Nesterov (1983); Sutskever, Martens, Dahl and
    Hinton (2013), "On the importance of initialization and momentum in deep learning".
    """

    added_later = Method.added_later | {"nesterov": False, "fused": False}

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr("SGD", lr)
        check_at_least_zero("SGD", momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: Nesterov momentum requires a momentum and zero dampening (momentum = "
                f"{momentum}, dampening = {dampening}); pass momentum=0.9, dampening=0"
            )
        check_implementation("SGD", foreach=foreach, fused=fused, differentiable=differentiable)
        defaults: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _initial_state(self, group: Group, param: Tensor) -> State:
        return {}

    def _mode(self, group: Group) -> tuple[Any, ...]:
        return (group["foreach"], group["fused"], group["momentum"] != 0)

    def _kernel_name(self, group: Group) -> str | None:
        return "_fused_sgd_"

    def _fuse(self, kernel: Kernel, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        momentum = group["momentum"]
        buffers: list[Tensor] = []
        first = momentum != 0 and "momentum_buffer" not in bucket.states
        if first:
            buffers = [torch.empty_like(param) for param in bucket.params]
        elif momentum != 0:
            buffers = bucket.states["momentum_buffer"]
        kernel(
            bucket.params,
            grads,
            buffers,
            weight_decay=float(group["weight_decay"]),
            momentum=momentum,
            lr=number(group["lr"]),
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
            is_first_step=first,
            **self._scaling(bucket.device),
        )
        if first:
            self._keep_buffers(bucket.params, buffers)

    def _is_ready(self, group: Group, state: State) -> bool:
        return group["momentum"] == 0 or "momentum_buffer" in state

    def _keep_buffers(self, params: list[Tensor], buffers: list[Tensor]) -> None:
        for param, buffer in zip(params, buffers, strict=True):
            self.state[param]["momentum_buffer"] = buffer
        self._plans.clear()

    def _update_many(
        self,
        params: list[Tensor],
        grads: Tensors,
        states: dict[str, list[Tensor]],
        t: float,
        group: Group,
    ) -> None:
        lr, mu, decay = float(group["lr"]), group["momentum"], float(group["weight_decay"])
        if decay != 0:
            grads = torch._foreach_add(grads, params, alpha=decay)
        if mu != 0:
            buffers = states["momentum_buffer"]
            torch._foreach_mul_(buffers, mu)
            torch._foreach_add_(buffers, grads, alpha=1 - group["dampening"])
            grads = torch._foreach_add(grads, buffers, alpha=mu) if group["nesterov"] else buffers
        torch._foreach_add_(params, grads, alpha=-lr)

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        lr, mu = scalar(group["lr"]), group["momentum"]
        if group["weight_decay"] != 0:
            grad = grad + group["weight_decay"] * param
        if mu == 0:
            return param - lr * grad, {}
        buffer = state.get("momentum_buffer")
        buffer = grad if buffer is None else mu * buffer + (1 - group["dampening"]) * grad
        direction = grad + mu * buffer if group["nesterov"] else buffer
        return param - lr * direction, {"momentum_buffer": buffer}

    def _update_sparse(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        if group["weight_decay"] != 0:
            raise RuntimeError(
                f"SGD: a gradient is sparse and weight_decay = {group['weight_decay']} would make "
                "it dense; set weight_decay=0 for this group, or build the layer with sparse=False"
            )
        mu = group["momentum"]
        if mu != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = grad.clone()
            else:
                buffer = buffer.mul_(mu).add_(grad, alpha=1 - group["dampening"])
            state["momentum_buffer"] = buffer
            grad = grad + mu * buffer if group["nesterov"] else buffer
        param.add_(grad, alpha=-float(group["lr"]))
