"""Step counters and hyper-parameters, which may be numbers or tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Group = dict[str, Any]
State = dict[str, Tensor]
Tensors = list[Tensor] | tuple[Tensor, ...]


def new_step(group: Group, param: Tensor, value: float = 0.0) -> Tensor:
    """Create the step counter of a parameter, on the device where torch keeps it."""
    if group.get("fused"):
        return torch.tensor(value, dtype=torch.float32, device=param.device)
    wide = torch.get_default_dtype() == torch.float64
    return torch.tensor(
        value,
        dtype=torch.float64 if wide else torch.float32,
        device=param.device if group.get("capturable") else "cpu",
    )


def elapsed(step: Tensor, group: Group) -> Any:
    """Read a step counter: a number, or a tensor of more digits where a graph is recorded."""
    if group.get("capturable") or group["differentiable"] or torch.compiler.is_compiling():
        return step if step.device.type == "mps" else step.double()
    return step.item()


def number(value: Any) -> Any:
    """Read a hyper-parameter that a kernel takes as a number; a device's LR stays a tensor."""
    if isinstance(value, Tensor):
        return value.item() if value.device.type == "cpu" else value.squeeze()
    return value


def scalar(value: Any) -> Any:
    """Turn a hyper-parameter that is a one-element tensor of any shape into a 0-dim tensor."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() else value


def real(tensor: Tensor) -> Tensor:
    """View a complex tensor as real, with a last dimension of 2; others come back as they are."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor
