"""Batches of in-memory tensors, taken whole instead of sample by sample.

A DataLoader takes a `TensorDataset` apart and stacks it again sample by sample, which is half the
step of a small model. Here the loader's own samplers say which samples make a batch, every random
generator is drawn from when and as often as the loader would, and a batch is one indexing of each
tensor: the same batches, bit for bit. Whatever is not known to be so is left to the loader.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from lrfind.data import Table

AHEAD = 64
"""Batches whose indices are read at once, where that draws no random number earlier."""


def in_whole_batches(source: Iterable[Any]) -> Iterable[Any]:
    """Make a DataLoader over tensors give the same batches faster; leave any other source alone.

    Taken are loaders with the default collate function over a `TensorDataset` (a table is one), or
    a `Subset` of one, of contiguous tensors on the CPU. They have no need of worker processes, and
    get none.
    """
    if type(source) is not DataLoader or not _is_ordinary(source):
        return source
    dataset: Any = source.dataset
    rows: Tensor | None = None
    if type(dataset) is Subset:
        if set(map(type, dataset.indices)) != {int}:
            return source
        rows = torch.tensor(dataset.indices)
        dataset = dataset.dataset
    if type(dataset) not in (TensorDataset, Table) or not all(map(_is_plain, dataset.tensors)):
        return source
    return _WholeBatches(source, dataset.tensors, rows)


def _is_ordinary(loader: DataLoader[Any]) -> bool:
    # With workers a loader asks its batch sampler twice, which only torch's own does not notice.
    return (
        loader.batch_sampler is not None
        and (loader.num_workers == 0 or type(loader.batch_sampler) is BatchSampler)
        and loader.collate_fn is default_collate
        and loader.worker_init_fn is None
        and (not loader.pin_memory or not torch.accelerator.is_available() or _pins(loader))
        and not loader.persistent_workers
        and getattr(loader, "in_order", True)
    )


def _pins(loader: DataLoader[Any]) -> bool:
    """Tell whether a loader gives batches in page-locked memory, for the GPU in use."""
    return loader.pin_memory and torch.cuda.is_available() and not loader.pin_memory_device


def _is_plain(tensor: Tensor) -> bool:
    """Tell tensors of which an indexing gives what stacking single samples gives."""
    return (
        type(tensor) is Tensor
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and tensor.is_contiguous()
        and not (tensor.requires_grad or tensor.is_quantized or tensor.is_conj() or tensor.is_neg())
    )


class _WholeBatches:
    """The batches of one loader; each `iter` is a pass over it.

    Args:
        loader: says which samples make a batch.
        tensors: the columns.
        rows: where the loader's samples are among the rows; None: sample i is row i.
    """

    def __init__(
        self, loader: DataLoader[Any], tensors: Sequence[Tensor], rows: Tensor | None
    ) -> None:
        self._loader = loader
        self._tensors = tensors
        self._rows = rows
        self._is_pinned = _pins(loader)

    def __iter__(self) -> Iterator[list[Tensor]]:
        loader = self._loader
        batches = _indices(loader.batch_sampler)
        # The seed that a loader draws for its workers, also where it has none.
        torch.empty((), dtype=torch.int64).random_(generator=loader.generator)
        if loader.num_workers:
            batches = _kept_waiting(batches, loader.num_workers * (loader.prefetch_factor or 0))
        return map(self._take, batches)

    def _take(self, batch: Any) -> list[Tensor]:
        where = batch if type(batch) is Tensor else _index_tensor(batch)
        if where is not None:
            try:
                rows = where if self._rows is None else self._rows.index_select(0, where)
                if self._is_pinned:
                    return [_pinned_rows(tensor, rows) for tensor in self._tensors]
                return [tensor.index_select(0, rows) for tensor in self._tensors]
            except IndexError:
                # A negative index counts from the end; any other is told in the loader's words.
                batch = where.tolist()
        dataset = self._loader.dataset
        taken: list[Tensor] = default_collate([dataset[i] for i in batch])
        return [tensor.pin_memory() for tensor in taken] if self._is_pinned else taken


def _pinned_rows(tensor: Tensor, rows: Tensor) -> Tensor:
    """Index straight into page-locked memory, where a loader would copy what it has indexed."""
    taken = torch.empty((len(rows), *tensor.shape[1:]), dtype=tensor.dtype, pin_memory=True)
    return torch.index_select(tensor, 0, rows, out=taken)


def _indices(sampler: Any) -> Iterator[Any]:
    """Give the indices of each batch: a tensor, or as they come from a sampler of the user's."""
    if type(sampler) is not BatchSampler or not _draws_at_its_ends(sampler.sampler):
        return iter(sampler)
    return _many_at_once(sampler)


def _draws_at_its_ends(sampler: Any) -> bool:
    """Tell samplers that draw random numbers with their first index and behind their last only."""
    if type(sampler) is RandomSampler:
        return not sampler.replacement and sampler.num_samples == len(sampler.data_source)
    return type(sampler) in (SequentialSampler, WeightedRandomSampler)


def _many_at_once(sampler: BatchSampler) -> Iterator[Tensor]:
    indices, size = iter(sampler.sampler), sampler.batch_size
    whole = len(sampler.sampler) // size  # type: ignore[arg-type]
    while whole:
        count = min(whole, AHEAD)
        found = np.fromiter(indices, np.int64, count * size)
        yield from torch.from_numpy(found).view(count, size).unbind()
        whole -= count
    rest = np.fromiter(indices, np.int64)
    if len(rest) and not sampler.drop_last:
        yield torch.from_numpy(rest)


def _index_tensor(batch: Any) -> Tensor | None:
    """Turn a list of indices into a tensor; None for anything less plain."""
    if type(batch) is not list or set(map(type, batch)) != {int}:
        return None
    return torch.from_numpy(np.array(batch, np.int64))


def _kept_waiting(batches: Iterator[Any], count: int) -> Iterator[Any]:
    """Keep `count` batches of indices drawn beforehand, as a loader does for its workers."""
    waiting = deque(islice(batches, count))

    def one_by_one() -> Iterator[Any]:
        while waiting:
            batch = waiting.popleft()
            waiting.extend(islice(batches, 1))
            yield batch

    return one_by_one()
