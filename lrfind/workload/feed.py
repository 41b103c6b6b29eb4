"""Endless batches from whatever the user has.

A source that ends is read again: a DataLoader reshuffles, a list starts over, a function that
gives a generator is called anew. Where nothing comes the second time (a one-shot iterator), the
sweep ends, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from lrfind.errors import DataExhaustedError, InputError, Problem
from lrfind.spec import DEFAULT_BATCH_SIZE
from lrfind.workload.whole_batches import in_whole_batches


class Feed:
    """An endless stream of batches over a source that may be short.

    Args:
        source: an iterable of batches.
        reopen: makes a new source where this one cannot be read a second time.
    """

    def __init__(
        self, source: Iterable[Any], reopen: Callable[[], Iterable[Any]] | None = None
    ) -> None:
        self._source = in_whole_batches(source)
        self._reopen = reopen
        self._iterator: Iterator[Any] = iter(self._source)
        self._has_read = False

    def next(self) -> Any:
        """Return the next batch, opening the source again where it ended.

        Raises:
            DataExhaustedError: the source cannot be read a second time.
            InputError: the source holds no batch at all.
        """
        try:
            batch = next(self._iterator)
        except StopIteration:
            batch = self._first_of_next_pass()
        self._has_read = True
        return batch

    def _first_of_next_pass(self) -> Any:
        if not self._has_read:
            raise no_batches("data")
        self._iterator = iter(self._source)
        for batch in self._iterator:
            return batch
        if self._reopen is not None:
            self._source = in_whole_batches(self._reopen())
            self._iterator = iter(self._source)
            for batch in self._iterator:
                return batch
        raise DataExhaustedError("the data ran out and cannot be read again")

    def close(self) -> None:
        """Let go of the iterator, so that loader processes end."""
        self._iterator = iter(())


def no_batches(where: str) -> InputError:
    """Say that a source holds nothing, and why that may be."""
    return InputError(
        Problem(
            where,
            "is empty; a sweep needs at least one batch",
            "check the path and filters of the dataset, and drop_last with a batch_size above its "
            "length",
        )
    )


def as_batches(
    data: Any,
    *,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    num_workers: int = 0,
    drop_last: bool = False,
    pin_memory: bool | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | None = None,
    where: str = "data",
) -> Iterable[Any]:
    """Turn data of any kind into an iterable of batches.

    Args:
        data: a Dataset, a tuple of equally long tensors, a DataLoader, or an iterable of batches.
        batch_size: samples a batch, for a dataset; 32 where None.
        shuffle: reshuffle a dataset each pass; None shuffles all but an IterableDataset.
        num_workers: loader processes, for a dataset.
        drop_last: leave out a smaller last batch, for a dataset.
        pin_memory: make batches in page-locked memory, for a dataset on its way to CUDA; None
            does.
        generator: the source of the shuffling, for a dataset.
        device: where the batches will go.
        where: what to blame in an error.

    Raises:
        InputError: the data is none of these, or makes its own batches beside options for that.
    """
    if isinstance(data, tuple) and data and all(isinstance(part, torch.Tensor) for part in data):
        lengths = {part.shape[0] if part.ndim else None for part in data}
        if len(lengths) != 1 or None in lengths:
            raise InputError(
                Problem(
                    where,
                    f"gives tensors of lengths {', '.join(map(str, lengths))}; a tuple is read as "
                    "the columns of one data set, which must be equally long",
                    "give (X, y) of one length, or a list of batches",
                )
            )
        data = TensorDataset(*data)
    if is_dataset(data):
        on_cuda = device is not None and device.type == "cuda"
        _require_samples(data, shuffle, where)
        return DataLoader(
            data,
            batch_size=batch_size or DEFAULT_BATCH_SIZE,
            shuffle=None if isinstance(data, IterableDataset) else shuffle is not False,
            num_workers=num_workers,
            drop_last=drop_last,
            pin_memory=on_cuda and pin_memory is not False,
            generator=generator,
        )
    if isinstance(data, dict | str | bytes | torch.Tensor) or not isinstance(data, Iterable):
        raise InputError(
            Problem(
                where,
                f"gives a {type(data).__name__}; it must be a Dataset, a DataLoader, a tuple of "
                "tensors or an iterable of batches",
                "return one of these",
            )
        )
    options = {"batch_size": batch_size, "shuffle": shuffle, "pin_memory": pin_memory}
    options |= {"num_workers": num_workers or None, "drop_last": drop_last or None}
    given = [
        f"{name} = {str(value).lower()}" for name, value in options.items() if value is not None
    ]
    if given:
        raise InputError(
            Problem(
                where,
                f"gives a {type(data).__name__}, which makes its own batches, so "
                f"{' and '.join(given)} can have no effect",
                "drop it, or give the dataset instead",
            )
        )
    return data


def is_dataset(data: Any) -> bool:
    """Tell samples from batches: a Dataset, or what can be indexed and counted like one."""
    if isinstance(data, Dataset):
        return True
    if isinstance(data, DataLoader | Sequence | Mapping | torch.Tensor):
        return False
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


def _require_samples(data: Any, shuffle: bool | None, where: str) -> None:
    """Refuse an empty dataset, and a stream that is to be shuffled."""
    is_stream = isinstance(data, IterableDataset)
    if is_stream and shuffle:
        raise InputError(
            Problem(
                where,
                "gives an IterableDataset, which orders itself, so shuffle = true can have no "
                "effect",
                "drop shuffle, and shuffle inside the dataset",
            )
        )
    if not is_stream and len(data) == 0:
        raise InputError(
            Problem(
                where,
                f"is empty (a {type(data).__name__} of length 0); a sweep needs at least one batch",
                "check its path and filters",
            )
        )
