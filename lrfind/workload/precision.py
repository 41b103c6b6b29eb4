"""Autocast and loss scaling, and what goes with neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.workload.optimizer import needs_closure

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(
    precision: str, device: torch.device, *, is_updated_inside: bool = False
) -> AbstractContextManager[Any]:
    """Make the context in which forward and loss run; one that does nothing for fp32.

    Where weights are updated inside of it, it keeps no casts of them, which would be those of
    before.
    """
    if precision == "fp32":
        return nullcontext()
    keeps = not is_updated_inside
    return torch.autocast(device.type, dtype=DTYPES[precision], cache_enabled=keeps)


def loss_scaler(
    precision: str, device: torch.device, optimizer: Optimizer, parameters: Sequence[Tensor]
) -> torch.amp.GradScaler | None:
    """Make the loss scaler of fp16; None for the precisions that need none.

    Raises:
        InputError: the optimizer evaluates the loss itself, or the parameters are of a kind whose
            gradients cannot be unscaled.
    """
    if precision != "fp16":
        return None
    if needs_closure(optimizer):
        raise _refusal(
            f"{type(optimizer).__name__}, which evaluates the loss inside its step, where no loss "
            "scaler can reach",
            "write precision: bf16 or fp32",
        )
    odd = next((p.dtype for p in parameters if p.is_complex() or p.dtype is torch.float16), None)
    if odd is torch.float16:
        raise _refusal(
            "float16 parameters, whose gradients a loss scaler cannot unscale",
            "build the model in float32, which autocast computes in float16, or write "
            "precision: fp32 to sweep it as it is",
        )
    if odd is not None:
        raise _refusal(
            f"{str(odd).removeprefix('torch.')} parameters, whose gradients a loss scaler cannot "
            "unscale",
            "write precision: fp32",
        )
    return torch.amp.GradScaler(device.type)


def scaled_step(
    scaler: torch.amp.GradScaler, optimizer: Optimizer, look: Callable[[], None]
) -> bool:
    """Update with scaled gradients; False where one overflowed and nothing was updated.

    Args:
        scaler: scaled the loss.
        optimizer: what steps.
        look: called when the gradients are no longer scaled, before the step.
    """
    scaler.unscale_(optimizer)
    look()
    before = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    return bool(scaler.get_scale() >= before)


def _refusal(what: str, remedy: str) -> InputError:
    return InputError(Problem("sweep.precision", f"= fp16 does not go with {what}", remedy))
