"""How one group's parameters are taken together in a step, kept from step to step.

A plan sorts parameters into buckets that one kernel call can update (same device, type and kind
of layout) and into loose ones that take the definition, one by one: complex, sparse, overlapping
or subclassed tensors. Building it costs a few microseconds a parameter, checking it a few tens of
nanoseconds, so it is built again only when something it rests on has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel
from lrfind.optim._slabs import Slab, cut_slabs, find_run, keep_whole

_PLAIN = (Tensor, torch.nn.Parameter)


@dataclass(slots=True)
class Bucket:
    """Parameters that one kernel call updates together.

    Attributes:
        params: the parameters.
        states: their state tensors by name, in the same order; `step` among them.
        where: positions of their gradients among the group's; None when these are all of them.
        strides: layout of each where they are not simply contiguous.
        clock: one vector of which all step counters are elements, where there is such.
        kernel: the fused kernel that updates them; None for multi-tensor operations.
        slabs: cut for multi-tensor operations; empty where there is a kernel.
        mirror: the step counters again, on the device, where torch keeps them on the CPU.
        ticks: the step counters that the kernel is to read, on its own device.
        watched: tensors of which `clock` or `slabs` hold views.
        addresses: where their memory was when the views were made.
        is_on_cpu: whether its tensors live on a CPU.
    """

    params: list[Tensor]
    states: dict[str, list[Tensor]]
    where: list[int] | None
    strides: list[tuple[int, ...]] | None
    clock: Tensor | None
    kernel: Kernel | None = None
    slabs: list[Slab] = field(default_factory=list)
    mirror: Tensor | None = None
    ticks: list[Tensor] = field(default_factory=list)
    watched: list[Tensor] = field(default_factory=list)
    addresses: list[int] = field(init=False)
    device: torch.device = field(init=False)
    is_on_cpu: bool = field(init=False)

    def __post_init__(self) -> None:
        self.device = self.params[0].device
        self.is_on_cpu = self.device.type == "cpu"
        steps = self.states.get("step", [])
        if self.slabs:
            self.watched = [*self.params, *chain.from_iterable(self.states.values())]
        elif self.clock is not None:
            # Whoever moves state by assigning to `.data` moves all of it.
            self.watched = steps[:1]
        self.addresses = [*map(_data_ptr, self.watched)]
        self.ticks = steps
        if steps and steps[0].device != self.device:
            # From the CPU: a copy that a GPU need not be waited for.
            self.mirror = torch.stack(steps).to(self.device, torch.float32, non_blocking=True)
            self.ticks = list(self.mirror.unbind())

    def is_regular(self, grads: list[Tensor]) -> bool:
        """Tell whether everything is contiguous and where it was: the common case, checked fast."""
        return (
            self.strides is None
            and all(map(_is_contiguous, grads))
            and all(map(_is_contiguous, self.params))
            and [*map(_data_ptr, self.watched)] == self.addresses
        )

    def align(self, grads: list[Tensor]) -> list[Tensor] | None:
        """Give every gradient its parameter's layout.

        Kernels walk raw memory: a gradient whose strides differ from its parameter's would be
        applied to the wrong elements without a word.

        Returns:
            The gradients, copied where need be; None when the plan must be built again.
        """
        if self.is_regular(grads):
            return grads
        if [*map(_data_ptr, self.watched)] != self.addresses:
            return None
        if self.strides is None:
            if not all(map(_is_contiguous, self.params)):
                return None
        elif [param.stride() for param in self.params] != self.strides:
            return None
        if any(grad.layout is not torch.strided for grad in grads):
            return None
        return [_lay_out(grad, param) for grad, param in zip(grads, self.params, strict=True)]

    def tick(self) -> None:
        """Advance all step counters by one."""
        if self.clock is not None:
            self.clock.add_(_one())
        elif (steps := self.states.get("step")) is not None:
            if steps[0].device.type == "cpu":
                torch._foreach_add_(steps, _one(), alpha=1.0)
            else:
                torch._foreach_add_(steps, 1)
        if self.mirror is not None:
            self.mirror.add_(1)

    def untick(self, found_inf: Tensor | None) -> None:
        """Take the step back where GradScaler found an infinite gradient (1.0, else 0.0)."""
        if found_inf is not None and (steps := self.states.get("step")) is not None:
            torch._foreach_sub_(steps, [found_inf] * len(steps))


@dataclass(slots=True)
class Plan:
    """How the parameters of one group that have gradients are taken.

    Attributes:
        mode: what of the group's options it rests on.
        params: parameters with gradients, in order.
        buckets: those that kernels update.
        loose: positions of those that the definition updates.
        solo: the bucket that holds them all, where there is a kernel for it on a CPU.
    """

    mode: tuple[Any, ...]
    params: list[Tensor]
    buckets: list[Bucket] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)
    solo: Bucket | None = None

    def fits(self, mode: tuple[Any, ...], params: Sequence[Tensor]) -> bool:
        """Tell whether it was made for these options and parameters."""
        return (
            len(params) == len(self.params)
            and all(map(is_, params, self.params))
            and mode == self.mode
        )

    def align(self, grads: list[Tensor]) -> list[list[Tensor]] | None:
        """Deal the group's gradients out to the buckets; None when the plan must be made again."""
        aligned: list[list[Tensor]] = []
        for bucket in self.buckets:
            where = bucket.where
            mine = bucket.align(grads if where is None else [grads[i] for i in where])
            if mine is None:
                return None
            aligned.append(mine)
        return aligned


def make_bucket(
    kernel: Kernel | None,
    params: list[Tensor],
    states: list[dict[str, Any]],
    where: list[int],
    total: int,
) -> Bucket:
    """Gather parameters of one kind, mending the layout of state tensors that differ from theirs.

    State can differ after a checkpoint of a model in another memory format was loaded.
    """
    for param, state in zip(params, states, strict=True):
        for name, value in state.items():
            if value.shape == param.shape and value.stride() != param.stride():
                state[name] = torch.empty_like(param).copy_(value)
    contiguous = all(map(_is_contiguous, params))
    slabs: list[Slab] = []
    if kernel is None:
        in_parts = contiguous and params[0].device.type == "cpu"
        slabs = cut_slabs(params, states) if in_parts else [keep_whole(params, states)]
    lists = {name: [state[name] for state in states] for name in states[0]}
    return Bucket(
        params=params,
        states=lists,
        where=None if len(where) == total else where,
        strides=None if contiguous else [param.stride() for param in params],
        clock=find_run(lists.get("step", [])),
        kernel=kernel,
        slabs=slabs,
    )


def kind(
    param: Tensor, grad: Tensor, state: dict[str, Any], by_age: bool
) -> tuple[Any, ...] | None:
    """Name what tensors of one bucket share; None for a tensor that kernels cannot take.

    Args:
        param: the parameter.
        grad: its gradient.
        state: its state.
        by_age: keep parameters with different step counts apart.
    """
    if type(param) not in _PLAIN or type(grad) not in _PLAIN or grad.layout is not torch.strided:
        return None
    if param.layout is not torch.strided or not param.is_floating_point():
        return None
    if grad.dtype != param.dtype or grad.device != param.device:
        return None
    for name, value in state.items():
        if not isinstance(value, Tensor) or (name != "step" and value.dtype != param.dtype):
            return None
        if name != "step" and (value.shape != param.shape or value.device != param.device):
            return None
    contiguous = param.is_contiguous()
    if not contiguous and torch.empty_like(param).stride() != param.stride():
        return None
    step = state.get("step")
    age = step.item() if by_age and step is not None else None
    return (param.device, param.dtype, contiguous, age, tuple(state))


_is_contiguous = Tensor.is_contiguous
_data_ptr = Tensor.data_ptr
_ONE: list[Tensor] = []


def _one() -> Tensor:
    # A tensor, because adding a Python number wraps it into one for every counter.
    if not _ONE:
        _ONE.append(torch.tensor(1.0, device="cpu", dtype=torch.float32))
    return _ONE[0]


def _lay_out(grad: Tensor, param: Tensor) -> Tensor:
    if grad.stride() == param.stride():
        return grad
    return torch.empty_like(param, requires_grad=False).copy_(grad)
