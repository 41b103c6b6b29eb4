"""Where a sweep runs."""

from __future__ import annotations

import torch

from lrfind.errors import InputError, Problem


def choose_device(name: str) -> torch.device:
    """Resolve a device name, `auto` taking a GPU where there is one.

    Raises:
        InputError: the device is not present on this machine.
    """
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


def device_name(device: torch.device) -> str:
    """Name a device with its make: `cpu`, `cuda:0 (NVIDIA H100)`."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"
