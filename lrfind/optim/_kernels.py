"""Which of ATen's fused update kernels this torch has, with the arguments we know.

They are private API. A kernel is used only where its schema lists exactly the arguments known
here and a device has an implementation of it (`TESTED` names the torch versions); elsewhere callers
fall back to multi-tensor operations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

TESTED = ("2.6", "2.13")
"""Oldest and newest torch with which the kernels were compared with the definitions."""

_TAIL = ("grad_scale", "found_inf")
_ADAM = (
    *("self", "grads", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "state_steps"),
    *("lr", "beta1", "beta2", "weight_decay", "eps", "amsgrad", "maximize", *_TAIL),
)
_ARGUMENTS = {
    "_fused_sgd_": (
        *("self", "grads", "momentum_buffer_list", "weight_decay", "momentum", "lr"),
        *("dampening", "nesterov", "maximize", "is_first_step", *_TAIL),
    ),
    "_fused_adam_": _ADAM,
    "_fused_adamw_": _ADAM,
    "_fused_adagrad_": (
        *("self", "grads", "state_sums", "state_steps", "lr", "lr_decay", "weight_decay"),
        *("eps", "maximize", *_TAIL),
    ),
}

_DISPATCH_KEYS = {"cpu": "CPU", "cuda": "CUDA"}

_HALF = frozenset({torch.float16, torch.bfloat16})
_FULL = frozenset({torch.float32, torch.float64})

_BROKEN = {("_fused_sgd_", "cpu"): _HALF}
"""Where a kernel is present and wrong: this one leaves all but the last few elements unchanged."""

Kernel = Callable[..., Any]


@cache
def find_kernel(name: str, device_type: str, dtype: torch.dtype) -> Kernel | None:
    """Return a fused kernel where it is usable on a device and element type, else None."""
    key = _DISPATCH_KEYS.get(device_type)
    packet = getattr(torch.ops.aten, name, None)
    kernel: Kernel | None = getattr(torch, name, None)
    if key is None or packet is None or kernel is None:
        return None
    if dtype not in _FULL | _HALF or dtype in _BROKEN.get((name, device_type), ()):
        return None
    try:
        names = tuple(argument.name for argument in packet.default._schema.arguments)
        present = torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", key)
    except (AttributeError, RuntimeError):
        return None
    return kernel if present and names == _ARGUMENTS[name] else None
