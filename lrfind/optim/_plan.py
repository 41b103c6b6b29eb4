"""How one group's parameters are taken together in a step, kept from step to step.

A plan sorts parameters into buckets that one kernel call can update (same device, type and kind
of layout) and into loose ones that take the definition, one by one: complex, sparse, overlapping
or subclassed tensors. Building it costs a few microseconds a parameter, checking it a few tens of
nanoseconds, so it is built again only when something it rests on has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel

_PLAIN = (Tensor, torch.nn.Parameter)

BLOCK = 65_536
"""Elements updated at a time on a CPU by multi-tensor operations: what stays in its L2 cache."""


@dataclass(slots=True)
class Slab:
    """A cache-sized part of a bucket: slices of long tensors, or several short ones.

    Attributes:
        first: index of its first gradient piece.
        last: index past its last.
        params: parameter pieces.
        states: pieces of each state tensor, by name.
    """

    first: int
    last: int
    params: list[Tensor]
    states: dict[str, list[Tensor]]


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
        mirror: the step counters again, on the device, where torch keeps them on the CPU.
        mirrored: its elements.
        slabs: cut for multi-tensor operations; made on demand.
    """

    params: list[Tensor]
    states: dict[str, list[Tensor]]
    where: list[int] | None
    strides: list[tuple[int, ...]] | None
    clock: Tensor | None
    kernel: Kernel | None = None
    mirror: Tensor | None = None
    mirrored: list[Tensor] = field(default_factory=list)
    slabs: list[Slab] | None = None

    @property
    def device(self) -> torch.device:
        """Where all of its tensors live."""
        return self.params[0].device

    def align(self, grads: list[Tensor]) -> list[Tensor] | None:
        """Give every gradient its parameter's layout.

        Kernels walk raw memory: a gradient whose strides differ from its parameter's would be
        applied to the wrong elements without a word.

        Returns:
            The gradients, copied where need be; None when the plan must be built again.
        """
        if self.strides is None:
            if all(map(_is_contiguous, grads)) and all(map(_is_contiguous, self.params)):
                return grads
            if not all(map(_is_contiguous, self.params)):
                return None
        else:
            if [param.stride() for param in self.params] != self.strides:
                return None
            if [_stride(grad) for grad in grads] == self.strides:
                return grads
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

    def ticks(self) -> list[Tensor]:
        """Return the step counters that the kernel is to read, on its own device."""
        steps = self.states["step"]
        if steps[0].device == self.device:
            return steps
        if self.mirror is None:
            self.mirror = torch.stack(steps).to(self.device, torch.float32)
            self.mirrored = list(self.mirror.unbind())
        return self.mirrored

    def cut(self) -> list[Slab]:
        """Cut the bucket into slabs; whole on devices without a cache to fit."""
        if self.slabs is None:
            limit = BLOCK if self.device.type == "cpu" and self.strides is None else None
            self.slabs = _cut(self.params, self.states, limit)
        return self.slabs

    def pieces(self, grads: list[Tensor]) -> list[Tensor]:
        """Cut gradients as `cut` cuts parameters."""
        if self.device.type != "cpu" or self.strides is not None:
            return grads
        return [piece for grad in grads for piece in _split(grad, BLOCK)]


@dataclass(slots=True)
class Plan:
    """How the parameters of one group that have gradients are taken.

    Attributes:
        mode: what of the group's options it rests on.
        params: parameters with gradients, in order.
        buckets: those that kernels update.
        loose: positions of those that the definition updates.
    """

    mode: tuple[Any, ...]
    params: list[Tensor]
    buckets: list[Bucket] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)

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
    params: list[Tensor], states: list[dict[str, Any]], where: list[int], total: int
) -> Bucket:
    """Gather parameters of one kind, mending the layout of state tensors that differ from theirs.

    State can differ after a checkpoint of a model in another memory format was loaded.
    """
    for param, state in zip(params, states, strict=True):
        for name, value in state.items():
            if value.shape == param.shape and value.stride() != param.stride():
                state[name] = torch.empty_like(param).copy_(value)
    names = list(states[0])
    lists = {name: [state[name] for state in states] for name in names}
    contiguous = all(map(_is_contiguous, params))
    return Bucket(
        params=params,
        states=lists,
        where=None if len(where) == total else where,
        strides=None if contiguous else [param.stride() for param in params],
        clock=_clock(lists.get("step", [])),
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
_stride = Tensor.stride
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


def _clock(steps: list[Tensor]) -> Tensor | None:
    if len(steps) == 0:
        return None
    first = steps[0]
    start, memory = first.storage_offset(), first.untyped_storage().data_ptr()
    for i, step in enumerate(steps):
        if (
            step.dtype != first.dtype
            or step.storage_offset() != start + i
            or step.untyped_storage().data_ptr() != memory
        ):
            return None
    return first.as_strided((len(steps),), (1,))


def _split(tensor: Tensor, limit: int) -> Iterable[Tensor]:
    return (tensor,) if tensor.numel() <= limit else torch.split(tensor.view(-1), limit)


def _cut(params: list[Tensor], states: dict[str, list[Tensor]], limit: int | None) -> list[Slab]:
    names = [name for name in states if name != "step"]
    if limit is None:
        return [Slab(0, len(params), params, {name: states[name] for name in names})]
    slabs: list[Slab] = []
    count = size = 0
    for i, param in enumerate(params):
        columns = [_split(states[name][i], limit) for name in names]
        for piece, *values in zip(_split(param.detach(), limit), *columns, strict=True):
            if not slabs or size + piece.numel() > limit:
                slabs.append(Slab(count, count, [], {name: [] for name in names}))
                size = 0
            slab = slabs[-1]
            slab.params.append(piece)
            for name, value in zip(names, values, strict=True):
                slab.states[name].append(value)
            count += 1
            size += piece.numel()
            slab.last = count
    return slabs
