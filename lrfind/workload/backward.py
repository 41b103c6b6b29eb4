"""Gradients of a loss, straight from the engine where nothing lies between.

`torch.autograd.backward` prepares for any number of outputs of any kind and saves a context for
the threads of other devices, which takes longer than the engine needs for a tiny model. For one
plain scalar on the CPU all that is left of it is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor


def backward(loss: Tensor) -> None:
    """Add the gradients of a scalar loss to its leaves; as `torch.autograd.backward(loss)`."""
    if type(loss) is Tensor and loss.is_cpu and (run := _engine()) is not None:
        run((loss,), (_one(loss.dtype),), False, False, (), True, True)
    else:
        torch.autograd.backward(loss)


@cache
def _one(dtype: torch.dtype) -> Tensor:
    return torch.ones((), dtype=dtype, device="cpu")


@cache
def _engine() -> Callable[..., Any] | None:
    """Find the engine's own entry; None where this torch has another one than we know.

    It is private API: used only after it gave the right gradient of 3x² / 2.
    """
    x = torch.tensor(2.0, device="cpu", requires_grad=True)
    try:
        run: Callable[..., Any] = torch.autograd.Variable._execution_engine.run_backward
        with torch.enable_grad():
            loss = 1.5 * x * x
        run((loss,), (_one(loss.dtype),), False, False, (), True, True)
    except (AttributeError, TypeError, RuntimeError):
        return None
    return run if x.grad is not None and x.grad.item() == 6.0 else None
