"""One batch of any shape: moving it to a device, and splitting it into inputs and target."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import torch

from lrfind.errors import InputError, Problem

TARGET_KEYS = ("labels", "label", "targets", "target", "y")
"""Names under which a dict or object batch may hold its target, in order of precedence."""


def to_device(batch: Any, device: torch.device) -> Any:
    """Move every tensor of a batch, keeping its shape: tuple, list, mapping, dataclass or object.

    An object with `.to` moves itself; anything else (strings, numbers) stays as it is. Containers
    come back as new ones, so that who takes something out of a batch does not change the data.
    """
    if isinstance(batch, torch.Tensor):
        # Only copies towards CUDA wait for nothing: towards the CPU they could be read half done.
        is_same = batch.device == device
        return batch if is_same else batch.to(device, non_blocking=device.type == "cuda")
    if type(batch) in (tuple, list):
        return type(batch)([to_device(part, device) for part in batch])
    if type(batch) is dict:
        return {key: to_device(part, device) for key, part in batch.items()}
    if callable(getattr(batch, "to", None)):
        return batch.to(device)
    if isinstance(batch, tuple) and hasattr(batch, "_make"):
        return batch._make(to_device(part, device) for part in batch)
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(part, device) for part in batch)
    if isinstance(batch, MutableMapping):
        moved = copy.copy(batch)
        moved.update({key: to_device(part, device) for key, part in batch.items()})
        return moved
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        # A copy rather than a new one: the class's own checks and defaults ran already.
        twin = copy.copy(batch)
        for field in dataclasses.fields(batch):
            object.__setattr__(twin, field.name, to_device(getattr(batch, field.name), device))
        return twin
    return batch


def split_target(batch: Any) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Split a batch into positional inputs, keyword inputs and the target of the loss.

    `(x, …, y)` gives `(x, …)` and `y`; a mapping gives its other keys as keywords and the target
    under one of `TARGET_KEYS`; an object with such an attribute is itself the one input.

    Raises:
        InputError: the batch holds no target that can be told from the inputs.
    """
    if isinstance(batch, tuple | list) and len(batch) >= 2:
        return tuple(batch[:-1]), {}, batch[-1]
    if isinstance(batch, Mapping):
        for key in TARGET_KEYS:
            if key in batch:
                return (), {k: v for k, v in batch.items() if k != key}, batch[key]
        found = f"a mapping with keys {', '.join(map(str, batch))}"
    else:
        for key in TARGET_KEYS:
            if hasattr(batch, key):
                return (batch,), {}, getattr(batch, key)
        size = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
        found = f"a {type(batch).__name__}{size}"
    raise InputError(
        Problem(
            "data",
            f"a batch is {found}, in which the target of the loss cannot be told; it must be "
            f"(inputs, target) or hold one of {', '.join(TARGET_KEYS)}",
            "drop `loss` if the model returns its own, or write a `step`",
        )
    )


def batch_length(batch: Any) -> int | None:
    """Count the samples of a batch by its first tensor; None where there is none."""
    if isinstance(batch, torch.Tensor):
        return batch.shape[0] if batch.ndim else None
    if isinstance(batch, Mapping):
        parts = list(batch.values())
    elif isinstance(batch, tuple | list):
        parts = list(batch)
    else:
        parts = list(vars(batch).values()) if hasattr(batch, "__dict__") else []
    lengths = (batch_length(part) for part in parts if isinstance(part, torch.Tensor))
    return next((length for length in lengths if length is not None), None)


def tensors_of(batch: Any) -> Iterator[torch.Tensor]:
    """Walk over the tensors of a batch, at any depth of tuples, lists, mappings and objects."""
    if isinstance(batch, torch.Tensor):
        yield batch
        return
    if isinstance(batch, Mapping):
        parts = list(batch.values())
    elif isinstance(batch, tuple | list):
        parts = list(batch)
    else:
        parts = [p for p in getattr(batch, "__dict__", {}).values() if isinstance(p, torch.Tensor)]
    for part in parts:
        yield from tensors_of(part)


def describe(batch: Any) -> str:
    """Describe a batch's structure: `(float32 64×64, int64 64)`, `{ids: int64 8×128}`."""
    if isinstance(batch, torch.Tensor):
        sizes = "×".join(map(str, batch.shape)) or "scalar"
        return f"{str(batch.dtype).removeprefix('torch.')} {sizes}"
    if isinstance(batch, Mapping):
        return "{" + ", ".join(f"{key}: {describe(part)}" for key, part in batch.items()) + "}"
    if isinstance(batch, tuple | list):
        return "(" + ", ".join(describe(part) for part in batch) + ")"
    return type(batch).__name__
