"""Adagrad: every parameter has an LR of its own, which only falls."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel
from lrfind.optim._lean import Params
from lrfind.optim._method import Method
from lrfind.optim._plan import Bucket
from lrfind.optim._validation import check_at_least_zero, check_implementation, check_lr
from lrfind.optim._values import Group, State, Tensors, elapsed, new_step, number, scalar


class Adagrad(Method):
    """Divide the gradient by the root of the sum of all squared gradients so far.

    With g the gradient (+ λθ for weight decay λ), η the LR, κ its decay, t = 1, 2, …:

        G ← G + g²
        θ ← θ − η / (1 + (t − 1) κ) · g / (√G + ε)

    Common statements that differ. (1) The sum includes the present gradient; √(G_{t−1} + ε), as
    some notes have it, would divide the first step by √ε. (2) ε stands outside the root here, as
    in torch; inside it (the paper's δ, and other libraries) it must be about its square.

    Use it for sparse features: rare ones keep a high LR. On dense deep networks the sum grows
    until learning stops. Sensible LR: 0.003 to 0.1.

    Takes sparse gradients, but not together with weight decay.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        lr_decay: κ.
        weight_decay: λ, added to the gradient (L2).
        initial_accumulator_value: what G starts from.
        eps: ε.
        foreach: False asks for the reference update, True for the multi-tensor one.
        maximize: ascend instead.
        differentiable: let autograd see the step; uses the reference update.
        fused: True insists on the fused kernel and lets GradScaler leave unscaling to it.

    Raises:
        ValueError: an argument is out of range.

    Source: Duchi, Hazan and Singer (2011), "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", JMLR 12.
    """

    added_later = Method.added_later | {"fused": None}

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr("Adagrad", lr)
        check_at_least_zero(
            "Adagrad",
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        check_implementation("Adagrad", foreach=foreach, fused=fused, differentiable=differentiable)
        defaults: dict[str, Any] = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            # As in torch, so that the sums can be shared between processes before training.
            self._states_of(group, group["params"])

    def share_memory(self) -> None:
        """Move the sums into shared memory, for training in several processes."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    def _initial_state(self, group: Group, param: Tensor) -> State:
        start = group["initial_accumulator_value"]
        value = complex(start, start) if param.is_complex() else start
        return {"step": new_step(group, param), "sum": torch.full_like(param, value)}

    def _mode(self, group: Group) -> tuple[Any, ...]:
        return (group["foreach"], group["fused"])

    def _kernel_name(self, group: Group) -> str | None:
        return "_fused_adagrad_"

    def _fuse(self, kernel: Kernel, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        scaling = self._scaling(bucket.device)
        bucket.tick()
        kernel(
            bucket.params,
            grads,
            bucket.states["sum"],
            bucket.ticks,
            lr=number(group["lr"]),
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
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
        if group["weight_decay"] != 0:
            grads = torch._foreach_add(grads, params, alpha=group["weight_decay"])
        torch._foreach_addcmul_(states["sum"], grads, grads)
        root = torch._foreach_sqrt(states["sum"])
        torch._foreach_add_(root, group["eps"])
        lr = float(group["lr"]) / (1 + (t - 1) * group["lr_decay"])
        torch._foreach_addcdiv_(params, grads, root, -lr)

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        step = state["step"] + 1
        lr = scalar(group["lr"]) / (1 + (elapsed(step, group) - 1) * group["lr_decay"])
        if group["weight_decay"] != 0:
            grad = grad + group["weight_decay"] * param
        total = state["sum"] + grad * grad
        return param - lr * (grad / (total.sqrt() + group["eps"])), {"step": step, "sum": total}

    def _update_sparse(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        if group["weight_decay"] != 0:
            raise RuntimeError(
                "Adagrad: a gradient is sparse, and the weight_decay option is not compatible with "
                f"sparse gradients (weight_decay = {group['weight_decay']}); set it to 0 for this "
                "group, or build the layer with sparse=False"
            )
        step = state["step"].add_(1)
        lr = float(group["lr"]) / (1 + (step.item() - 1) * group["lr_decay"])
        # The update is not linear, so what falls on one index must be summed first.
        grad = grad.coalesce()
        where, values = grad.indices(), grad.values()

        def spread(values: Tensor) -> Tensor:
            return torch.sparse_coo_tensor(
                where, values, grad.shape, is_coalesced=True, check_invariants=False
            )

        total = state["sum"]
        total.add_(spread(values * values))
        root = total.sparse_mask(grad).values().sqrt() + group["eps"]
        param.add_(spread(values / root), alpha=-lr)
