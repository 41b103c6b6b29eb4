"""AdamW: Adam with weight decay that its root cannot distort."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lrfind.optim._lean import Params
from lrfind.optim.adam import Adam


class AdamW(Adam):
    """Shrink the weights first, then take Adam's step.

        θ ← θ − η λ θ
        m ← β₁ m + (1 − β₁) g           m̂ = m / (1 − β₁^t)
        v ← β₂ v + (1 − β₂) g²          v̂ = v / (1 − β₂^t)
        θ ← θ − η m̂ / (√v̂ + ε)

    L2 inside Adam is divided by √v̂ and so decays weights with large gradients less; here every
    weight decays at the same rate. Common statement that differs: the paper multiplies λ by the
    schedule alone, not by η; torch, and so this class, multiplies by the whole LR, so halving the
    LR halves the decay, and a sweep changes both at once.

    Use it for transformers and as the default for everything else. Sensible LR: 1e-4 to 3e-3;
    1e-5 to 1e-4 to fine-tune a large model.

    Takes dense gradients only.

    Args:
        params: parameters, named parameters or groups, as in torch.
        lr: LR η, a number or a one-element tensor.
        betas: (β₁, β₂), both numbers or both one-element tensors.
        eps: ε.
        weight_decay: λ.
        amsgrad: use AMSGrad's maximum.
        maximize: ascend instead.
        foreach: False asks for the reference update, True for the multi-tensor one.
        capturable: keep the step counter on the device, for CUDA graphs.
        differentiable: let autograd see the step; uses the reference update.
        fused: True insists on the fused kernel and lets GradScaler leave unscaling to it.

    Raises:
        ValueError: an argument is out of range.

    Source: Loshchilov and Hutter (2017), "Decoupled Weight Decay Regularization", arXiv 1711.05101.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            # A checkpoint of an older torch, or of Adam, may say otherwise.
            group["decoupled_weight_decay"] = True
