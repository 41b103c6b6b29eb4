"""The GPU of a rank that works by itself."""

from __future__ import annotations

import os

from lrfind.distributed import World

VARIABLE = "CUDA_VISIBLE_DEVICES"


def see_own_gpu(world: World) -> None:
    """Hide all GPUs but one from this process and those it starts, before it uses any.

    Ranks share GPUs where a machine has fewer of them.
    """
    import torch

    count = torch.cuda.device_count()
    if count:
        listed = os.environ.get(VARIABLE, "")
        names = listed.split(",") if listed else [str(i) for i in range(count)]
        os.environ[VARIABLE] = names[world.local_rank % count]
