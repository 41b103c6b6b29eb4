"""Which samples of a loader's batches are this rank's.

As many batches as there are ranks are taken together and dealt out evenly, in their order. So two
ranks with batches of 32 see what one process sees in batches of 64, and update as often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from torch.utils.data import BatchSampler, DataLoader, DistributedSampler

from lrfind.distributed.group import Group


def own_share(source: Iterable[Any], group: Group) -> Iterable[Any]:
    """Make a DataLoader over samples give this rank's share of its batches.

    Anything else is left alone: a stream, an iterable of batches, a loader that is sharded already
    or of a class of the user's; there the user's code decides what each rank reads.
    """
    if type(source) is not DataLoader or source.batch_sampler is None or _is_sharded(source):
        return source
    batches: Any = source.batch_sampler
    drops = type(batches) is BatchSampler and batches.drop_last
    return DataLoader(
        source.dataset,
        batch_sampler=Share(batches, group, drops_uneven=drops),
        num_workers=source.num_workers,
        collate_fn=source.collate_fn,
        pin_memory=source.pin_memory,
        timeout=source.timeout,
        worker_init_fn=source.worker_init_fn,
        multiprocessing_context=source.multiprocessing_context,
        generator=source.generator,
        prefetch_factor=source.prefetch_factor,
        persistent_workers=source.persistent_workers,
    )


def part_of(samples: list[Any], rank: int, size: int) -> list[Any]:
    """Cut a rank's part out of samples: parts differ by at most one, and stand in order.

    Where there are fewer samples than ranks each takes all of them, since nobody can train on
    none; their mean is the same.
    """
    if len(samples) < size:
        return samples
    least, more = divmod(len(samples), size)
    start = rank * least + min(rank, more)
    return samples[start : start + least + (rank < more)]


class Share:
    """A rank's share of a batch sampler; each `iter` is a pass over it.

    Args:
        batches: gives the indices of each batch, the same ones on every rank.
        group: the ranks.
        drops_uneven: leave out the last batches where there are not enough for all ranks.
    """

    def __init__(self, batches: Iterable[Any], group: Group, *, drops_uneven: bool) -> None:
        self._batches = batches
        self._group = group
        self._drops_uneven = drops_uneven

    def __iter__(self) -> Iterator[list[Any]]:
        world = self._group.world
        # Ranks whose shares differ in size may have drawn different numbers in a dropout.
        self._group.share_random_state()
        batches = iter(self._batches)
        while taken := list(islice(batches, world.size)):
            if self._drops_uneven and len(taken) < world.size:
                return
            yield part_of([index for batch in taken for index in batch], world.rank, world.size)


def _is_sharded(loader: DataLoader[Any]) -> bool:
    inner = getattr(loader.batch_sampler, "sampler", None)
    samplers = (loader.sampler, loader.batch_sampler, inner)
    return any(isinstance(s, DistributedSampler) or hasattr(s, "num_replicas") for s in samplers)
