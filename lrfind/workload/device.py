"""Where a sweep runs."""

from __future__ import annotations

import torch

from lrfind.errors import InputError, Problem


def choose_device(name: str) -> torch.device:
    """Resolve a device name, `auto` taking a GPU where there is one.

    Raises:
        InputError: the device is not present on this machine.
    """
    cuda = torch.cuda.device_count()
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    device = torch.device(name)
    is_there = {"cpu": True, "mps": mps, "cuda": (device.index or 0) < cuda}[device.type]
    if not is_there:
        known = ["cpu", *(f"cuda:{i}" for i in range(cuda)), *(["mps"] if mps else [])]
        raise InputError(
            Problem(
                "device",
                f"= {name!r} is not on this machine, which has {', '.join(known)}",
                "write device: auto to take what there is",
            )
        )
    return device


def device_name(device: torch.device) -> str:
    """Name a device with its make: `cpu`, `cuda:0 (NVIDIA H100)`."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"
