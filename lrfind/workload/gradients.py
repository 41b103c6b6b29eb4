"""All gradients of an update together: their norm, clipped to a limit, dropped."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def clear_gradients(parameters: Sequence[Tensor]) -> None:
    """Drop all gradients, so that the next backward writes instead of adding."""
    for parameter in parameters:
        parameter.grad = None


def gradient_norm(parameters: Sequence[Tensor]) -> Tensor:
    """ℓ2 norm of all gradients together, 0 where there are none."""
    return torch.nn.utils.get_total_norm(_gradient_values(parameters))


def clip_gradients(parameters: Sequence[Tensor], limit: float, norm: Tensor) -> None:
    """Scale all gradients together to an ℓ2 norm of at most `limit`, from the `norm` they have."""
    if not any(p.grad is not None and p.grad.is_sparse for p in parameters):
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm)
        return
    # torch has no clipping of sparse gradients.
    factor = torch.clamp(limit / (norm + 1e-6), max=1.0)
    for values in _gradient_values(parameters):
        values.mul_(factor.to(values.device))


def _gradient_values(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Collect the numbers of all gradients; of a sparse one those it stores, duplicates summed."""
    found = []
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            found.append(parameter.grad._values())
        elif parameter.grad is not None:
            found.append(parameter.grad)
    return found
