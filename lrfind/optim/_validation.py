"""What every constructor checks, in torch's words with the rule and the remedy added."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def check_lr(where: str, lr: Any) -> None:
    """Require a one-element LR that is not negative.

    Raises:
        ValueError: it is not.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(
            f"{where}: Tensor lr must be 1-element (shape {tuple(lr.shape)}); "
            "give each LR a parameter group of its own"
        )
    if not lr >= 0.0:
        raise ValueError(f"{where}: Invalid learning rate: {lr} must be ≥ 0; pass lr=1e-3")


def check_at_least_zero(where: str, **values: Any) -> None:
    """Require every value to be zero or more.

    Raises:
        ValueError: one is negative or NaN.
    """
    for name, value in values.items():
        if not value >= 0.0:
            label = "epsilon" if name == "eps" else name
            raise ValueError(f"{where}: Invalid {label} value: {value} must be ≥ 0; raise it")


def check_betas(where: str, betas: tuple[Any, Any]) -> None:
    """Require two decay rates within [0, 1), both numbers or both one-element tensors.

    Raises:
        ValueError: they are not.
    """
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(
                f"{where}: Tensor betas[{i}] must be 1-element (shape {tuple(beta.shape)}); "
                "pass a scalar tensor"
            )
        if not 0.0 <= beta < 1.0:
            raise ValueError(
                f"{where}: Invalid beta parameter at index {i}: {beta} must be within [0, 1); "
                "usual values are 0.9 and 0.999"
            )
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise ValueError(
            f"{where}: betas must be either both floats or both Tensors (one is a tensor); "
            "convert the other"
        )


def check_implementation(
    where: str, *, foreach: bool | None, fused: bool | None, differentiable: bool
) -> None:
    """Require that no two implementations are asked for at once.

    Raises:
        RuntimeError: they are (torch's type for it).
    """
    if fused and differentiable:
        raise RuntimeError(
            f"{where}: `fused` does not support `differentiable`; drop one of the two"
        )
    if fused and foreach:
        raise RuntimeError(
            f"{where}: `fused` and `foreach` cannot be `True` together; drop one of the two"
        )
