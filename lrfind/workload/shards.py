"""Tensors of which this process holds a part only."""

from __future__ import annotations

import sys

from torch import Tensor


def own_part(tensor: Tensor) -> Tensor:
    """Give the numbers that this process holds: a DTensor's own shard, any other tensor whole.

    Looking at them needs no other process, which may not be looking.
    """
    # Importing it takes longer than a small sweep; whoever has one has imported it.
    module = sys.modules.get("torch.distributed.tensor")
    if module is None or not isinstance(tensor, module.DTensor):
        return tensor
    own: Tensor = tensor.to_local()
    return own
