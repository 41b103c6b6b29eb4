"""Leaving no trace: model, optimizer, random generators and loaders as they were found.

A `state_dict` is not enough: it has no train/eval flags, no gradients, no `requires_grad` and no
non-persistent buffers, and loading one replaces an optimizer's tensors.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Restore = Callable[[], None]


@contextmanager
def preserved(
    *, model: nn.Module | None = None, optimizer: Optimizer | None = None, data: Any = None
) -> Iterator[None]:
    """Restore everything given, and every random generator, when the block ends, however it ends.

    Holds one copy of the model's and the optimizer's tensors while the block runs.

    Args:
        model: parameters, buffers, gradients, `requires_grad` and train/eval flags.
        optimizer: parameter groups and state.
        data: a DataLoader, whose generators (its own and its samplers') are put back.
    """
    restores: list[Restore] = [_snapshot_rng()]
    if data is not None:
        restores += [_snapshot_generator(generator) for generator in _generators(data)]
    if model is not None:
        restores.append(_snapshot_model(model))
    if optimizer is not None:
        restores.append(_snapshot_optimizer(optimizer))
    try:
        yield
    finally:
        for restore in reversed(restores):
            restore()


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's (where it is in use) and torch's generators on every device."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    torch.manual_seed(seed)


def _snapshot_rng() -> Restore:
    python = random.getstate()
    numpy = sys.modules.get("numpy")
    numpy_state = numpy.random.get_state() if numpy else None
    cpu = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def restore() -> None:
        random.setstate(python)
        if numpy:
            numpy.random.set_state(numpy_state)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    return restore


def _generators(data: Any) -> Iterator[torch.Generator]:
    """Find the generators that decide a DataLoader's order: its own and its samplers'."""
    seen: set[int] = set()
    samplers = (data, getattr(data, "sampler", None), getattr(data, "batch_sampler", None))
    inner = getattr(samplers[2], "sampler", None)
    for owner in (*samplers, inner):
        generator = getattr(owner, "generator", None)
        if isinstance(generator, torch.Generator) and id(generator) not in seen:
            seen.add(id(generator))
            yield generator


def _snapshot_generator(generator: torch.Generator) -> Restore:
    state = generator.get_state()

    def restore() -> None:
        generator.set_state(state)

    return restore


def _snapshot_model(model: nn.Module) -> Restore:
    modes = [(module, module.training) for module in model.modules()]
    slots: list[tuple[dict[str, Any], str, Tensor | None]] = []
    for module in model.modules():
        for table in (module._parameters, module._buffers):
            slots += [(table, name, tensor) for name, tensor in table.items()]
    tensors = {id(tensor): tensor for _, _, tensor in slots if tensor is not None}
    copies = {key: tensor.detach().clone() for key, tensor in tensors.items()}
    flags = {key: (tensor.requires_grad, tensor.grad) for key, tensor in tensors.items()}

    def restore() -> None:
        for table, name, tensor in slots:
            table[name] = tensor
        with torch.no_grad():
            for key, tensor in tensors.items():
                tensor.copy_(copies[key])
                if tensor.is_leaf:
                    tensor.requires_grad_(flags[key][0])
                    tensor.grad = flags[key][1]
        for module, mode in modes:
            module.training = mode

    return restore


def _snapshot_optimizer(optimizer: Optimizer) -> Restore:
    groups = [
        {key: value if key == "params" else _copied(value) for key, value in group.items()}
        for group in optimizer.param_groups
    ]
    state = {parameter: _copied(value) for parameter, value in optimizer.state.items()}

    def restore() -> None:
        for group, saved in zip(optimizer.param_groups, groups, strict=True):
            group.clear()
            group.update(saved)
        optimizer.state.clear()
        optimizer.state.update(state)

    return restore


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return copy.deepcopy(value)
