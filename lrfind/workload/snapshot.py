"""Leaving no trace: model, optimizer, random generators and loaders as they were found.

A `state_dict` is not enough: it has no train/eval flags, no gradients, no `requires_grad` and no
non-persistent buffers, and loading one replaces an optimizer's tensors.
"""

from __future__ import annotations

import copy
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lrfind.workload.copies import Copies, InMemory

Restore = Callable[[], None]

DATA_SEED = 0
"""Seed under which data sets are made and held-out batches are read, whatever the sweep's seed."""


@contextmanager
def preserved(
    *,
    model: nn.Module | None = None,
    optimizer: Optimizer | None = None,
    copies: Copies | None = None,
) -> Iterator[None]:
    """Restore model, optimizer and every random generator when the block ends, however it ends.

    Holds one copy of the model's and the optimizer's tensors while the block runs. The model
    enters the block without gradients: its own are set aside, so that nothing adds to them.

    Args:
        model: device, parameters, buffers, gradients, `requires_grad` and train/eval flags.
        optimizer: parameter groups and state.
        copies: keeps the copy; in memory where left out.
    """
    copies = copies or InMemory()
    restores = [_snapshot_rng()]
    if optimizer is not None:
        restores.append(_snapshot_optimizer(optimizer, copies))
    if model is not None:
        restores.append(_snapshot_model(model, copies))
    try:
        for parameter in model.parameters() if model is not None else ():
            parameter.grad = None
        yield
    finally:
        _run_all(restores)


@contextmanager
def preserved_lrs(optimizer: Optimizer) -> Iterator[None]:
    """Put the LR of every group back when the block ends; the rest of the optimizer stays."""
    kept = [(group, group["lr"], float(group["lr"])) for group in optimizer.param_groups]
    try:
        yield
    finally:
        for group, lr, value in kept:
            group["lr"] = lr.fill_(value) if isinstance(lr, Tensor) else lr


def checkpoint(
    model: nn.Module, optimizers: Sequence[Optimizer], copies: Copies | None = None
) -> Restore:
    """Copy model, optimizers and the random generators' states once.

    Args:
        model: as for `preserved`.
        optimizers: each as for `preserved`.
        copies: keeps the copy; in memory where left out.

    Returns:
        What puts all of it back, as often as it is called.
    """
    copies = copies or InMemory()
    restores = [
        _snapshot_rng(),
        *(_snapshot_optimizer(optimizer, copies) for optimizer in optimizers),
        _snapshot_model(model, copies),
    ]
    return lambda: _run_all(restores)


@contextmanager
def preserved_order(data: Any) -> Iterator[None]:
    """Put the generators that decide a DataLoader's order back when the block ends."""
    restores = [_snapshot_generator(generator) for generator in _generators(data)]
    try:
        yield
    finally:
        _run_all(restores)


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch, on every device that is in use.

    A GPU that is not in use is left alone: its generator's state could not be put back.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def _run_all(restores: list[Restore]) -> None:
    """Run every restore, last first, even where one raises; a second Ctrl-C waits for them."""
    with _interrupts_held_back(), ExitStack() as stack:
        for restore in restores:
            stack.callback(restore)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let a Ctrl-C that comes inside the block take effect behind it."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    caught: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if caught:
            handler(*caught[-1])


def random_state(device: torch.device) -> tuple[Any, ...]:
    """Give the states of the random generators of Python, NumPy, torch and of this device."""
    own = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), own


def set_random_state(state: tuple[Any, ...], device: torch.device) -> None:
    """Set the generators to states that another process may have had, on a device of its own."""
    python, numpy, cpu, own = state
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if own is not None:
        torch.cuda.set_rng_state(own, device)


def _snapshot_rng() -> Restore:
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        if mps is not None:
            torch.mps.set_rng_state(mps)

    return restore


def _generators(data: Any) -> list[torch.Generator]:
    """Find the generators that decide a DataLoader's order: its own and its samplers'."""
    batch_sampler = getattr(data, "batch_sampler", None)
    inner = getattr(batch_sampler, "sampler", None)
    owners = (data, getattr(data, "sampler", None), batch_sampler, inner)
    found = (getattr(owner, "generator", None) for owner in owners)
    return list({id(g): g for g in found if isinstance(g, torch.Generator)}.values())


def _snapshot_generator(generator: torch.Generator) -> Restore:
    state = generator.get_state()

    def restore() -> None:
        generator.set_state(state)

    return restore


def _snapshot_model(model: nn.Module, copies: Copies) -> Restore:
    modes = [(module, module.training) for module in model.modules()]
    tables: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (table, dict(table.items()))
        for module in model.modules()
        for table in (module._parameters, module._buffers)
    ]
    tensors = {id(t): t for _, table in tables for t in table.values() if t is not None}.values()
    kept = [
        (tensor, tensor.data, copies.keep(tensor), tensor.requires_grad, tensor.grad)
        for tensor in tensors
    ]

    def restore() -> None:
        for table, own in tables:
            now = dict(table.items())
            for name in now.keys() - own.keys():
                del table[name]
            for name, tensor in own.items():
                if name not in now or now[name] is not tensor:
                    table[name] = tensor
        with torch.no_grad():
            for tensor, data, fetch, requires_grad, grad in kept:
                if not _is_alike(tensor, data):
                    tensor.data = data
                if not _is_expanded(tensor):
                    tensor.copy_(fetch())
                if tensor.is_leaf:
                    tensor.requires_grad_(requires_grad)
                    tensor.grad = grad
        for module, mode in modes:
            module.training = mode

    return restore


def _is_alike(a: Tensor, b: Tensor) -> bool:
    return a.device == b.device and a.dtype == b.dtype and a.shape == b.shape


def _is_expanded(tensor: Tensor) -> bool:
    """Tell tensors that repeat their elements: torch writes to none of them, nor has to."""
    if tensor.layout is not torch.strided:
        return False
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    return any(size > 1 and stride == 0 for size, stride in sizes)


def _snapshot_optimizer(optimizer: Optimizer, copies: Copies) -> Restore:
    groups = list(optimizer.param_groups)
    options = [(group, dict(group)) for group in groups]
    # A tensor LR belongs to the caller, who may hold it: it gets its value back, not a twin.
    tensors = [
        (value, value.detach().clone())
        for group in groups
        for value in group.values()
        if isinstance(value, Tensor)
    ]
    state = {parameter: _kept(value, copies) for parameter, value in optimizer.state.items()}

    def restore() -> None:
        optimizer.param_groups[:] = groups
        for group, own in options:
            group.clear()
            group.update(own)
        with torch.no_grad():
            for tensor, value in tensors:
                tensor.copy_(value)
        optimizer.state.clear()
        # Copies, since training goes on in them, and this may be called again.
        optimizer.state.update({parameter: made() for parameter, made in state.items()})

    return restore


def _kept(value: Any, copies: Copies) -> Callable[[], Any]:
    """Copy an optimizer's state for a parameter; what is returned makes copies of the copy."""
    if isinstance(value, Tensor):
        fetch, device = copies.keep(value), value.device
        return lambda: fetch().to(device, copy=True)
    if isinstance(value, dict):
        parts = {key: _kept(part, copies) for key, part in value.items()}
        return lambda: {key: made() for key, made in parts.items()}
    own = copy.deepcopy(value)
    return lambda: copy.deepcopy(own)
