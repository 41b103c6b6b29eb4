"""Endless batches from data of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from workload_models import losses, workload

from lrfind.errors import DataExhaustedError, InputError
from lrfind.spec import DataSection
from lrfind.workload.batch import to_device
from lrfind.workload.feed import Feed, as_batches
from lrfind.workload.plain import PlainRecipe


class Numbers(Dataset[Tensor]):
    """The numbers from 0 to n − 1, a sample each."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor(index)


class Stream(IterableDataset[Tensor]):
    """The same as a stream without a length."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[Tensor]:
        return iter(map(torch.tensor, range(self.n)))


def take(feed: Feed, count: int) -> list[list[int]]:
    """Draw batches as lists of numbers."""
    return [feed.next().reshape(-1).tolist() for _ in range(count)]


def passes(feed: Feed, batches: int, count: int) -> list[list[int]]:
    """Draw whole passes over the data, each flattened."""
    return [[n for batch in take(feed, batches) for n in batch] for _ in range(count)]


def test_a_short_dataset_is_cycled_and_reshuffled() -> None:
    """Each pass holds every sample once, in an order of its own."""
    seen = passes(Feed(as_batches(Numbers(12), batch_size=4)), 3, 3)

    assert all(sorted(one) == list(range(12)) for one in seen)
    assert len({tuple(one) for one in seen}) == 3


def test_the_order_hangs_on_the_generator_alone() -> None:
    """The same seed gives the same orders; another seed gives others."""

    def orders(seed: int) -> list[list[int]]:
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(seed)
        return passes(Feed(as_batches(Numbers(20), batch_size=5, generator=generator)), 4, 2)

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)


def test_worker_processes_change_no_order() -> None:
    """Two loader processes give what the main process gives, over several passes."""

    def orders(workers: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(5)
        batches = as_batches(Numbers(12), batch_size=4, num_workers=workers, generator=generator)
        feed = Feed(batches)
        try:
            return passes(feed, 3, 2)
        finally:
            feed.close()

    assert orders(2) == orders(0)


def test_shuffling_can_be_switched_off() -> None:
    """With shuffle = false every pass keeps the dataset's order; drop_last cuts it."""
    feed = Feed(as_batches(Numbers(5), batch_size=2, shuffle=False, drop_last=True))

    assert take(feed, 3) == [[0, 1], [2, 3], [0, 1]]


def test_an_iterable_dataset_keeps_its_order_and_is_read_again() -> None:
    """A stream dataset is batched and read from its start when it ends."""
    feed = Feed(as_batches(Stream(5), batch_size=2))

    assert take(feed, 4) == [[0, 1], [2, 3], [4], [0, 1]]


def test_a_loader_with_its_own_generator_is_cycled() -> None:
    """The user's own DataLoader is taken as it is and reshuffles each pass."""
    loader = DataLoader(
        Numbers(8), batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(1)
    )
    batches = as_batches(loader)

    assert batches is loader
    first, second = passes(Feed(batches), 2, 2)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(8))


def test_a_tuple_of_tensors_is_one_dataset() -> None:
    """`(X, y)` gives batches of rows of both."""
    X, y = torch.arange(6).reshape(6, 1), torch.arange(6) * 10
    x, target = Feed(as_batches((X, y), batch_size=3)).next()

    assert x.shape == (3, 1)
    assert (target == 10 * x[:, 0]).all()


def test_anything_that_can_be_indexed_and_counted_is_a_dataset() -> None:
    """An array of samples is batched like a dataset."""
    batch = Feed(as_batches(np.arange(6.0), batch_size=2, shuffle=False)).next()

    assert batch.tolist() == [0.0, 1.0]


def test_a_list_of_batches_starts_over() -> None:
    """A list is a list of ready batches."""
    feed = Feed(as_batches([torch.tensor([1]), torch.tensor([2])]))

    assert take(feed, 5) == [[1], [2], [1], [2], [1]]


def test_a_generator_function_is_called_anew() -> None:
    """A stream that ended is made again by the function that made it."""

    def stream() -> Iterator[Tensor]:
        yield torch.tensor([1])
        yield torch.tensor([2])

    assert take(Feed(stream(), reopen=stream), 5) == [[1], [2], [1], [2], [1]]


def test_an_iterator_that_starts_over_by_itself_is_cycled() -> None:
    """A loader that is its own iterator, as some libraries have them, is read again."""

    class Loader:
        def __iter__(self) -> Loader:
            self.i = 0
            return self

        def __next__(self) -> Tensor:
            self.i += 1
            if self.i > 2:
                raise StopIteration
            return torch.tensor([self.i])

    assert take(Feed(Loader()), 5) == [[1], [2], [1], [2], [1]]


class Once:
    """An iterable whose second pass is empty."""

    def __init__(self) -> None:
        self.left = iter([torch.tensor([1]), torch.tensor([2])])

    def __iter__(self) -> Iterator[Tensor]:
        yield from self.left


@pytest.mark.parametrize("kind", ["generator", "iterable", "function"])
def test_what_can_be_read_once_runs_out(kind: str) -> None:
    """A source with nothing the second time is exhausted, which is not the same as empty."""
    once = Once()
    source: Any = once if kind == "iterable" else iter(once)
    feed = Feed(source, reopen=(lambda: source) if kind == "function" else None)

    assert take(feed, 2) == [[1], [2]]
    with pytest.raises(DataExhaustedError):
        feed.next()


def test_an_infinite_iterator_never_ends() -> None:
    """A stream without an end is drawn from as long as one likes."""

    def forever() -> Iterator[Tensor]:
        i = 0
        while True:
            yield torch.tensor([i])
            i += 1

    assert take(Feed(forever()), 1000)[-1] == [999]


@pytest.mark.parametrize(
    "data",
    [
        [],
        iter([]),
        DataLoader(Numbers(3), batch_size=4, drop_last=True),
        DataLoader(Stream(0), batch_size=4),
    ],
    ids=["list", "iterator", "drop_last", "stream"],
)
def test_empty_data_is_an_error_that_says_so(data: Any) -> None:
    """No batch at all is told as such, with what to look at."""
    with pytest.raises(InputError, match=r"data: is empty.*drop_last"):
        Feed(as_batches(data)).next()


def test_an_empty_dataset_is_named() -> None:
    """A dataset without samples is told by its class before a loader chokes on it."""
    with pytest.raises(InputError, match=r"is empty \(a Numbers of length 0\)"):
        as_batches(Numbers(0))


def test_drop_last_above_the_length_is_an_empty_data_error() -> None:
    """A batch_size above the dataset's length with drop_last leaves nothing, and says so."""
    with pytest.raises(InputError, match="data: is empty"):
        Feed(as_batches(Numbers(3), batch_size=4, drop_last=True)).next()


@pytest.mark.parametrize(
    "data", [None, 3, "path", {"x": 1}, torch.zeros(4)], ids=lambda d: type(d).__name__
)
def test_what_is_no_data_is_refused(data: Any) -> None:
    """Anything that is neither samples nor batches is named by its type."""
    with pytest.raises(InputError, match=rf"gives a {type(data).__name__}; it must be a Dataset"):
        as_batches(data)


def test_columns_of_different_length_are_refused() -> None:
    """A tuple of tensors that do not belong together is told with their lengths."""
    with pytest.raises(InputError, match="equally long"):
        as_batches((torch.zeros(3), torch.zeros(4)))


@pytest.mark.parametrize(
    "option", [{"batch_size": 8}, {"shuffle": True}, {"num_workers": 2}, {"drop_last": True}]
)
@pytest.mark.parametrize("data", [DataLoader(Numbers(3)), [torch.zeros(1)]], ids=["loader", "list"])
def test_batching_options_for_ready_batches_are_refused(data: Any, option: dict[str, Any]) -> None:
    """An option that could have no effect is an error instead of a silence."""
    with pytest.raises(InputError, match=f"{next(iter(option))} = .* no effect"):
        as_batches(data, **option)


def test_shuffling_a_stream_is_refused() -> None:
    """An IterableDataset orders itself."""
    with pytest.raises(InputError, match="IterableDataset, which orders itself"):
        as_batches(Stream(3), shuffle=True)


@dataclass
class Sample:
    """A sample that a collate function makes batches of."""

    x: Tensor


def test_a_loader_may_give_batches_of_any_type() -> None:
    """What the user's collate function returns is passed on untouched."""
    data = TensorDataset(torch.arange(4.0))
    loader = DataLoader(data, batch_size=2, collate_fn=lambda rows: Sample(torch.stack([*rows[0]])))

    assert isinstance(Feed(as_batches(loader)).next(), Sample)


@pytest.mark.parametrize(
    ("wanted", "device", "pinned"),
    [
        (None, "cuda", True),
        (True, "cuda", True),
        (False, "cuda", False),
        (None, "cpu", False),
        (True, "cpu", False),
    ],
)
def test_batches_of_a_dataset_are_pinned_on_their_way_to_cuda_alone(
    wanted: bool | None, device: str, pinned: bool
) -> None:
    """Left out they are pinned for CUDA; on the CPU the option is accepted and changes nothing."""
    batches = as_batches(Numbers(4), pin_memory=wanted, device=torch.device(device))

    assert isinstance(batches, DataLoader)
    assert batches.pin_memory is pinned


def test_a_loader_decides_itself_whether_it_pins() -> None:
    """The option beside a DataLoader could have no effect, which is told."""
    loader = DataLoader(Numbers(4))

    with pytest.raises(InputError, match=r"makes its own batches, so pin_memory = true"):
        as_batches(loader, pin_memory=True)
    assert as_batches(loader, device=torch.device("cuda")) is loader


def test_a_pinning_config_runs_without_a_warning_on_the_cpu() -> None:
    """`data.pin_memory: true` gives the curve that it gives without, and torch says nothing."""
    data = {"target": "", "batch_size": 8}
    curves = []
    for options in ({}, {"pin_memory": True}):
        work = workload()
        assert isinstance(work.recipe, PlainRecipe)
        work.recipe.loader = DataSection(**data, **options)
        curves.append(losses(work))

    assert curves[0] == curves[1]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_pinned_batches_are_copied_to_cuda_without_waiting(num_workers: int) -> None:
    """Batches of tensors and of samples lie in pinned memory, and the copy waits for nothing."""
    device = torch.device("cuda")
    X = torch.arange(12.0).reshape(-1, 1)
    for data in ((X, X), Numbers(12)):
        feed = Feed(as_batches(data, batch_size=4, num_workers=num_workers, device=device))
        batch = feed.next()
        tensors = batch if isinstance(batch, list) else [batch]
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("error")
        try:
            moved = to_device(tensors, device)
        finally:
            torch.cuda.set_sync_debug_mode(before)

        assert all(tensor.is_pinned() for tensor in tensors)
        assert all(torch.equal(a.cpu(), b) for a, b in zip(moved, tensors, strict=True))
        feed.close()
