"""A sharded model that is built whole once: by the first rank, on its host, and dealt out.

The others build its shape only. Once all have sharded that and made room for their shards, the
first rank sends its tensors one by one, so that a device never holds more than its shards and one
tensor, and no host but the first one's a whole model. The numbers are those of one process alone.

`torch.distributed.checkpoint.state_dict` can send a state dict likewise; but that leaves out the
buffers that are not saved, and runs what users hang onto saving and loading.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lrfind.distributed.group import Group
from lrfind.errors import InputError, Problem
from lrfind.suggest.answer import Note
from lrfind.workload.parallel.skeleton import NoSkeletonError, skeleton
from lrfind.workload.parallel.slots import Shape, Slot, slots
from lrfind.workload.shards import own_part
from lrfind.workload.snapshot import random_state, set_random_state
from lrfind.workload.whole_model import whole_model

Make = Callable[[], nn.Module]
Shard = Callable[[nn.Module], nn.Module]


def dealt_out(
    make: Make, shard: Shard, device: torch.device, group: Group
) -> tuple[nn.Module, list[Note]]:
    """Build a model on the first rank, and give each rank its shards of it.

    The random generators end where one process that builds it leaves them.

    Args:
        make: builds the model.
        shard: lays a model without numbers out over the ranks, in place.
        device: where this rank's shards go.
        group: the ranks.

    Returns:
        the model, and what was noticed.

    Raises:
        InputError: the ranks build different models, or layers have no sizes yet.
    """
    model, notes = _built(make, group)
    # Building may take longer than a GPU's exchange waits.
    group.wait_for_first()
    set_random_state(group.first_has(random_state(device)), device)
    found = slots(model)
    _require_sizes(model, found)
    _require_same([slot.shape for slot in found], group)
    numbers = [slot.tensor.detach() for slot in found] if group.world.leads else []
    for slot in found:
        slot.empty()
    model = shard(model).to_empty(device=device)
    for slot in found:
        # Emptied place by place: what was tied is tied again.
        slot.hold(slot.tensor)
    numbers.reverse()
    for slot in found:
        _deal(slot, numbers.pop() if numbers else None, device, group)
    return model, notes


def _built(make: Make, group: Group) -> tuple[nn.Module, list[Note]]:
    """Build the model on the first rank, and on the others what they can do without numbers."""
    if group.world.leads:
        return whole_model(make), []
    try:
        return skeleton(make), []
    except NoSkeletonError as error:
        return whole_model(make), [_built_whole(str(error))]


def _require_sizes(model: nn.Module, found: list[Slot]) -> None:
    for slot in found:
        if is_lazy(slot.tensor):
            what = f"({type(model).__name__}) has layers without sizes yet, such as {slot.names[0]}"
            raise InputError(Problem("model", what, "give them their sizes"))


def _require_same(own: list[Shape], group: Group) -> None:
    first, *rest = group.exchanged(own)
    for rank, other in enumerate(rest, 1):
        for one, two in zip_longest(first, other):
            if one != two:
                (name, *_), *_ = one or two
                what = f"differs between rank 0 and rank {rank}, beginning with {name}"
                remedy = "build the same on every rank, and on the meta device as elsewhere"
                raise InputError(Problem("model", what, remedy))


@torch.no_grad()
def _deal(slot: Slot, numbers: Tensor | None, device: torch.device, group: Group) -> None:
    """Send a tensor from the first rank to all, of which each keeps its part."""
    target = slot.tensor
    if numbers is None:
        numbers = torch.empty(target.shape, dtype=target.dtype, device=device)
    whole = numbers.to(device).contiguous()
    # As bytes: not every backend knows every type.
    dist.broadcast(whole.reshape(-1).view(torch.uint8), 0)
    own = own_part(target)
    if own is not target:
        parts = whole.chunk(group.world.size)
        whole = parts[group.world.rank] if group.world.rank < len(parts) else whole[:0]
    own.copy_(whole)


def _built_whole(why: str) -> Note:
    return Note(
        "built-whole",
        f"the host held the whole model before it was sharded: {why}",
        "build it without looking at the numbers of its tensors, and keep them as parameters or "
        "buffers; or nothing, where the host has the room",
    )
