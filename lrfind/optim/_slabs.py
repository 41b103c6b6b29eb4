"""Cutting tensors into parts that stay in a CPU's cache through several operations.

Where no fused kernel exists an update is a dozen operations, each a pass over memory. Taken part
by part, all passes but the first find their data in the cache. Long tensors are cut into slices;
short ones are gathered into one, since a call costs more than they do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_flatten = torch._C._nn.flatten_dense_tensors
_unflatten = torch._C._nn.unflatten_dense_tensors

BLOCK = 65_536
"""Most elements of a slice: seven float32 tensors of it are about an L2 cache."""

SHORT = 8_192
"""Most elements of a tensor that is gathered with others."""


@dataclass(slots=True)
class Slab:
    """A part of a bucket that is updated at once.

    Attributes:
        picks: which gradient pieces belong to it, counted as `split` deals them out; None for all.
        params: parameter pieces.
        states: pieces of each state tensor by name; one long one each, where gathered.
        run: where gathered parameters are updated, as one vector; None where they stay in place.
        views: `run`, cut as the parameters are.
    """

    picks: list[int] | None
    params: list[Tensor]
    states: dict[str, list[Tensor]]
    run: Tensor | None = None
    views: list[Tensor] = field(default_factory=list)

    def take(self, pieces: list[Tensor], is_additive: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Return parameters and gradients to work on.

        Args:
            pieces: gradients, as `split` deals them out.
            is_additive: whether the update never reads the parameters, so that a vector of zeros
                can stand for them and receive the change.
        """
        grads = pieces if self.picks is None else [pieces[i] for i in self.picks]
        if self.run is None:
            return self.params, grads
        if is_additive:
            self.run.zero_()
        else:
            torch._foreach_copy_(self.views, self.params)
        return [self.run], [_flatten(grads)]

    def give_back(self, is_additive: bool) -> None:
        """Bring the change of gathered parameters to where they belong."""
        if self.run is not None and is_additive:
            torch._foreach_add_(self.params, self.views)
        elif self.run is not None:
            torch._foreach_copy_(self.params, self.views)


def split(tensor: Tensor) -> tuple[Tensor, ...]:
    """Cut a long contiguous tensor into equal slices; a short one comes back whole."""
    size = tensor.numel()
    if size <= BLOCK:
        return (tensor,)
    parts = -(-size // BLOCK)
    return torch.split(tensor.view(-1), -(-size // parts))


def keep_whole(params: list[Tensor], states: list[dict[str, Any]]) -> Slab:
    """Take all tensors as they are."""
    names = [name for name in states[0] if name != "step"]
    return Slab(None, params, {name: [state[name] for state in states] for name in names})


def cut_slabs(params: list[Tensor], states: list[dict[str, Any]]) -> list[Slab]:
    """Cut contiguous tensors on a CPU; state of gathered ones moves into one run of memory."""
    names = [name for name in states[0] if name != "step"]
    slabs: list[Slab] = []
    short: list[tuple[int, int]] = []
    size = count = 0
    for i, param in enumerate(params):
        if param.numel() <= SHORT:
            if size + param.numel() > BLOCK:
                slabs.append(_gather(short, params, states, names))
                short, size = [], 0
            short.append((i, count))
            size += param.numel()
            count += 1
            continue
        columns = [split(states[i][name]) for name in names]
        for piece, *values in zip(split(param.detach()), *columns, strict=True):
            pairs = zip(names, values, strict=True)
            slabs.append(Slab([count], [piece], {name: [value] for name, value in pairs}))
            count += 1
    if short:
        slabs.append(_gather(short, params, states, names))
    return slabs


def _gather(
    members: list[tuple[int, int]],
    params: list[Tensor],
    states: list[dict[str, Any]],
    names: list[str],
) -> Slab:
    rows = [i for i, _ in members]
    runs: dict[str, list[Tensor]] = {}
    for name in names:
        values = [states[i][name] for i in rows]
        run = find_run(values)
        if run is None:
            run = _flatten(values)
            views = _unflatten(run, values)
            for i, view in zip(rows, views, strict=True):
                states[i][name] = view
        runs[name] = [run]
    mine = [params[i].detach() for i in rows]
    # Cloned, because of a single tensor flattening makes a view.
    run = _flatten(mine).clone()
    return Slab([pick for _, pick in members], mine, runs, run, list(_unflatten(run, mine)))


def find_run(tensors: list[Tensor]) -> Tensor | None:
    """Return the one vector that contiguous tensors make up, if they lie in memory in order."""
    if not tensors:
        return None
    first = tensors[0]
    start = first.storage_offset()
    memory, offset = first.untyped_storage().data_ptr(), start
    for tensor in tensors:
        if (
            tensor.dtype != first.dtype
            or tensor.storage_offset() != offset
            or tensor.untyped_storage().data_ptr() != memory
        ):
            return None
        offset += tensor.numel()
    return first.as_strided((offset - start,), (1,))
