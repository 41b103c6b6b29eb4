"""A model whose parameters, gradients and optimizer states are spread over the ranks: FSDP2."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from lrfind.errors import InputError, Problem
from lrfind.registry import nearest
from lrfind.spec import DistributedSection
from lrfind.workload.parallel.slots import slots

_CONTAINERS = (nn.ModuleList, nn.ModuleDict)
"""Modules without a `forward` of their own, before which nothing could be gathered."""


def sharded(
    model: nn.Module, section: DistributedSection, precision: str, device: torch.device, size: int
) -> nn.Module:
    """Shard a model in place, a unit at a time; what no unit holds is the last one.

    The parameters of a unit are gathered from all ranks right before it computes and let go right
    after, so that the largest one decides how much is held at once. With bf16 they are gathered
    and computed in bfloat16; gradients are averaged in float32.

    Args:
        model: on the meta device, or on `device` with the same numbers on every rank.
        section: which modules are units.
        precision: `fp32 | bf16`.
        device: of this rank.
        size: ranks.

    Raises:
        InputError: a class is named that the model does not hold, or this version of torch shards
            on GPUs only.
    """
    if device.type == "cpu" and not hasattr(torch.cpu.Stream, "record_event"):
        what = f"= fsdp needs GPUs with torch {torch.__version__}, which shards on no CPU"
        raise InputError(Problem("distributed.strategy", what, "take a newer torch, or ddp"))
    mesh = init_device_mesh(device.type, (size,))
    low = precision == "bf16"
    policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16 if low else None, reduce_dtype=torch.float32 if low else None
    )
    # All found before the first is sharded: that gives it another class.
    for unit in [*units(model, section), model]:
        # The last one too: after a loss without a backward pass it would stay gathered, and
        # whatever puts parameters back (between trials) would miss it.
        fully_shard(unit, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
    return model


def units(model: nn.Module, section: DistributedSection) -> list[nn.Module]:
    """Choose the modules below the model that are sharded on their own, inner ones first.

    Those of a class in `wrap`; and with `wrap_above` those that hold at least as many parameters
    that no unit inside them holds. A module with a tied parameter is none, unless it holds all
    modules that share it: each of several units would shard a copy of its own.

    Raises:
        InputError: a class is named that the model does not hold.
    """
    classes = {type(module).__name__ for module in model.modules()}
    for name in section.wrap:
        if name not in classes:
            what = f"names {name!r}, which is no class of a module of {type(model).__name__}"
            raise InputError(Problem("distributed.wrap", what, nearest(name, sorted(classes))))
    sharers = {id(slot.tensor): {id(module) for module, _ in slot.places} for slot in slots(model)}
    taken: set[int] = set()
    found = []
    for module in _inner_first(model):
        free = {id(p): p.numel() for p in module.parameters() if id(p) not in taken}
        is_named = type(module).__name__ in section.wrap
        is_large = section.wrap_above is not None and sum(free.values()) >= section.wrap_above
        if not free or isinstance(module, _CONTAINERS) or not (is_named or is_large):
            continue
        inside = {id(part) for part in module.modules()}
        if all(sharers[key] <= inside for key in free):
            found.append(module)
            taken |= free.keys()
    return found


def _inner_first(module: nn.Module) -> Iterator[nn.Module]:
    """Walk over the modules below one, each after those inside it."""
    for child in module.children():
        yield from _inner_first(child)
        yield child
