"""Where a sweep runs."""

from __future__ import annotations

import torch

from lrfind.distributed import World
from lrfind.errors import InputError, Problem


def choose_device(name: str, world: World | None = None) -> torch.device:
    """Resolve a device name, `auto` taking a GPU where there is one.

    Args:
        name: as the config has it.
        world: of several processes each takes the GPU of its local rank.

    Raises:
        InputError: the device is not present on this machine.
    """
    if world is not None and not world.is_alone:
        return _device_of_rank(name, world)
    count = torch.cuda.device_count()
    cuda = ["cuda", *(f"cuda:{i}" for i in range(count))] if count else []
    known = ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
    if name == "auto":
        # Whatever comes after the CPU is faster.
        return torch.device(known[1] if len(known) > 1 else "cpu")
    if name not in known:
        raise InputError(
            Problem(
                "device",
                f"= {name!r} is not on this machine, which has {', '.join(known)}",
                "write device: auto to take what there is",
            )
        )
    return torch.device(name)


def _device_of_rank(name: str, world: World) -> torch.device:
    count = torch.cuda.device_count()
    if name == "cpu" or (name == "auto" and not count):
        return torch.device("cpu")
    if name not in ("auto", "cuda"):
        raise InputError(
            Problem(
                "device",
                f"= {name!r} is one device, but {world.size} processes run together",
                "write device: cuda, where each takes the GPU of its local rank, or cpu",
            )
        )
    if world.local_rank >= count:
        raise InputError(
            Problem(
                "device",
                f"= {name!r} has no GPU for local rank {world.local_rank}: this machine has "
                f"{count}",
                "start as many processes a machine as it has GPUs, or write device: cpu",
            )
        )
    return torch.device("cuda", world.local_rank)


def device_name(device: torch.device, count: int = 1) -> str:
    """Name a device with its make: `cpu`, `cuda:0 (NVIDIA H100)`, `2 × cpu`."""
    name = str(device)
    if device.type == "cuda":
        name = f"{name if count == 1 else 'cuda'} ({torch.cuda.get_device_name(device)})"
    return name if count == 1 else f"{count} × {name}"
