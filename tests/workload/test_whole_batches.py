"""Batches taken whole: the loader's, bit for bit, with every random number drawn when it does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from workload_models import losses, rows, workload

from lrfind.workload.whole_batches import in_whole_batches

MakeLoader = Callable[[], DataLoader[Any]]


class Backwards(Sampler[int]):
    """A sampler of the user's own, which counts from the end."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(-1, -self.n - 1, -1))

    def __len__(self) -> int:
        return self.n


class Pairs(Sampler[list[int]]):
    """A batch sampler of the user's own, which draws a global random number for each batch."""

    def __init__(self, n: int, kind: type) -> None:
        self.n, self.kind = n, kind

    def __iter__(self) -> Iterator[Any]:
        for _ in range(self.n):
            yield self.kind(torch.randint(self.n, (2,)).tolist())

    def __len__(self) -> int:
        return self.n


def columns(n: int) -> TensorDataset:
    """Make columns of several ranks and types, so wide that no two rows are alike."""
    generator = torch.Generator().manual_seed(n)
    images = torch.randn(n, 2, 3, generator=generator)
    return TensorDataset(images, torch.arange(n), torch.arange(n).to(torch.bfloat16).reshape(n, 1))


@st.composite
def loaders(draw: st.DrawFn) -> MakeLoader:
    """Draw what makes the same loader again and again, its generators at their start."""
    n = draw(st.integers(1, 60))
    size = draw(st.integers(1, n + 3))
    drop_last = draw(st.booleans())
    seed = draw(st.none() | st.integers(0, 5))
    owner = draw(st.sampled_from(["none", "loader", "sampler", "both", "global"]))
    kind = draw(st.sampled_from(SAMPLERS))
    in_subset = draw(st.booleans())

    def make() -> DataLoader[Any]:
        own = torch.Generator().manual_seed(seed or 0)
        generator = torch.default_generator if owner == "global" else own
        dataset: Dataset[Any] = columns(n)
        if in_subset:
            dataset = Subset(columns(2 * n), [(3 * i) % (2 * n) for i in range(n)])
        inner = generator if owner in ("sampler", "both", "global") else None
        outer = generator if owner in ("loader", "both", "global") else None
        sampler = sampler_of(kind, n, dataset, inner)
        if kind.startswith("pairs"):
            return DataLoader(dataset, batch_sampler=sampler, generator=outer)
        options: dict[str, Any] = {"batch_size": size, "drop_last": drop_last, "generator": outer}
        if sampler is None:
            return DataLoader(dataset, shuffle=kind == "shuffle", **options)
        return DataLoader(dataset, sampler=sampler, **options)

    return make


SAMPLERS = [
    *("shuffle", "in order", "random", "replacement", "few", "many", "weighted", "subset"),
    *("backwards", "range", "pairs", "pairs as tuples"),
]


def sampler_of(kind: str, n: int, dataset: Any, generator: torch.Generator | None) -> Any:
    """Build a sampler; None: the loader's own."""
    weights = torch.linspace(1, 2, n).tolist()
    return {
        "random": lambda: RandomSampler(dataset, generator=generator),
        "replacement": lambda: RandomSampler(dataset, True, 3 * n, generator=generator),
        "few": lambda: RandomSampler(dataset, num_samples=n // 2 + 1, generator=generator),
        "many": lambda: RandomSampler(dataset, num_samples=2 * n + 1, generator=generator),
        "weighted": lambda: WeightedRandomSampler(weights, n, generator=generator),
        "subset": lambda: SubsetRandomSampler(range(0, n, 2), generator=generator),
        "backwards": lambda: Backwards(n),
        "range": lambda: range(n),
        "pairs": lambda: Pairs(n, list),
        "pairs as tuples": lambda: Pairs(n, tuple),
    }.get(kind, lambda: None)()


def told(make: MakeLoader, wrap: Callable[[Any], Any], passes: int) -> list[Any]:
    """Read passes with a draw from the global generator between batches, as dropout makes one.

    Gives every batch, the draws, and where each generator ends.
    """
    torch.manual_seed(11)
    loader = make()
    source, found = wrap(loader), []
    for _ in range(passes):
        for batch in source:
            found += [*batch, torch.rand(())]
    states = [torch.get_rng_state()]
    if loader.generator is not None:
        states.append(loader.generator.get_state())
    return found + states


def assert_alike(mine: list[Any], theirs: list[Any]) -> None:
    """Compare bit for bit, with types and strides."""
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride())
        assert torch.equal(a, b)


@settings(deadline=None, max_examples=120)
@given(loaders(), st.integers(1, 2))
def test_batches_and_random_numbers_are_the_loaders_own(make: MakeLoader, passes: int) -> None:
    """Any sampler, size, drop_last and generator: same batches, same draws at the same time."""
    assert_alike(told(make, in_whole_batches, passes), told(make, lambda loader: loader, passes))


@pytest.mark.parametrize("kind", ["shuffle", "replacement", "weighted", "subset", "backwards"])
@pytest.mark.parametrize("owner", [None, torch.default_generator], ids=["none", "global"])
def test_worker_processes_are_not_missed(kind: str, owner: torch.Generator | None) -> None:
    """In place of two workers: the batches and draws that a loader with workers has."""

    def make() -> DataLoader[Any]:
        dataset = columns(70)
        sampler = sampler_of(kind, 70, dataset, owner)
        return DataLoader(
            dataset, 8, sampler is None, sampler, num_workers=2, generator=owner, prefetch_factor=3
        )

    assert_alike(told(make, in_whole_batches, 2), told(make, lambda loader: loader, 2))


@pytest.mark.skipif(torch.accelerator.is_available(), reason="here pinning has an effect")
def test_a_loader_that_would_pin_is_read_whole_where_nothing_can_be_pinned() -> None:
    """Scripts written for a GPU say pin_memory; without one their loaders are as fast as others."""

    def make() -> DataLoader[Any]:
        return DataLoader(columns(30), 8, shuffle=True, pin_memory=True)

    assert in_whole_batches(loader := make()) is not loader
    with warnings.catch_warnings():
        # Newer torch warns that nothing can be pinned.
        warnings.filterwarnings("ignore", message=".*pin_memory")
        theirs = told(make, lambda loader: loader, 2)
    assert_alike(told(make, in_whole_batches, 2), theirs)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["shuffle", "weighted", "subset", "backwards"])
def test_a_loader_that_pins_is_read_whole_into_page_locked_memory(kind: str) -> None:
    """The same batches, and pinned ones, as the loader itself gives."""

    def make() -> DataLoader[Any]:
        dataset = columns(30)
        sampler = sampler_of(kind, 30, dataset, None)
        return DataLoader(dataset, 8, sampler is None, sampler, pin_memory=True)

    assert in_whole_batches(loader := make()) is not loader
    assert all(tensor.is_pinned() for batch in in_whole_batches(make()) for tensor in batch)
    assert_alike(told(make, in_whole_batches, 2), told(make, lambda loader: loader, 2))


class Own(TensorDataset):
    """A class that may do anything to a sample."""

    def __getitem__(self, index: Any) -> Any:
        return tuple(2 * column for column in super().__getitem__(index))


class OwnLoader(DataLoader[Any]):
    """A loader that may do anything to a pass."""


PLAIN = columns(6)
LEFT_ALONE = {
    "a list": [1, 2],
    "another dataset": DataLoader(Own(torch.zeros(3))),
    "another loader": OwnLoader(PLAIN),
    "a collate function": DataLoader(PLAIN, collate_fn=list),
    "samples": DataLoader(PLAIN, batch_size=None),
    "persistent workers": DataLoader(PLAIN, num_workers=1, persistent_workers=True),
    "worker_init_fn": DataLoader(PLAIN, num_workers=1, worker_init_fn=print),
    "workers asked by an own batch sampler": DataLoader(
        PLAIN, batch_sampler=Pairs(3, list), num_workers=1
    ),
    "strides": DataLoader(TensorDataset(torch.zeros(3, 4).t())),
    "gradients": DataLoader(TensorDataset(torch.zeros(3, requires_grad=True))),
    "a subclass": DataLoader(TensorDataset(torch.nn.Parameter(torch.zeros(3), False))),
    "a sparse column": DataLoader(TensorDataset(torch.eye(3).to_sparse())),
    "a subset by tensors": DataLoader(Subset(PLAIN, torch.arange(2))),
}


@pytest.mark.parametrize("source", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_whatever_is_not_known_is_left_alone(source: Any) -> None:
    """The user's own classes, functions and layouts come back as they were given."""
    assert in_whole_batches(source) is source


def test_a_batch_of_the_users_sampler_may_be_wrong() -> None:
    """An index beyond the data raises what the loader raises."""
    loader = DataLoader(columns(4), batch_sampler=[[0, 1], [2, 9]])

    with pytest.raises(IndexError) as theirs:
        list(loader)
    with pytest.raises(IndexError) as ours:
        list(in_whole_batches(loader))

    assert str(ours.value) == str(theirs.value)


def test_a_batch_belongs_to_whoever_got_it() -> None:
    """Writing into a batch changes neither the data nor another batch."""
    dataset = columns(8)
    source = in_whole_batches(DataLoader(dataset, 4))
    for images, *_ in source:
        images.fill_(7.0)

    assert_alike([*dataset.tensors], [*columns(8).tensors])
    assert {tuple(batch[1].tolist()) for batch in source} == {(0, 1, 2, 3), (4, 5, 6, 7)}


def test_known_samplers_are_read_many_batches_at_once() -> None:
    """Over a hundred batches in a pass, the read-ahead ends where the pass does."""
    for sampler in (RandomSampler(range(1000)), SequentialSampler(range(1000))):
        batches = BatchSampler(sampler, 7, False)
        source = in_whole_batches(DataLoader(columns(1000), batch_sampler=batches))
        lengths = [len(batch[0]) for batch in source]

        assert lengths == [7] * 142 + [6]


def with_dropout() -> nn.Module:
    """Make a model that draws from the global generator in each step."""
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 1))


@settings(deadline=None, max_examples=5)
@given(st.integers(5, 40), st.integers(1, 5), st.booleans(), st.integers(0, 3))
def test_curves_are_those_of_the_plain_path(n: int, size: int, drop_last: bool, seed: int) -> None:
    """A sweep over whole batches gives the losses of one over the same samples one by one."""
    X, y = rows(n)

    def found(dataset: type[Dataset[Any]]) -> list[float]:
        generator = torch.Generator().manual_seed(seed)
        loader = DataLoader(
            dataset(X, y), size, shuffle=True, drop_last=drop_last, generator=generator
        )
        return losses(workload(with_dropout, data=loader, batch_size=None), seed)

    assert found(TensorDataset) == found(OneByOne)


class OneByOne(Dataset[tuple[Tensor, ...]]):
    """The same samples, in a class that nothing is known of."""

    def __init__(self, *tensors: Tensor) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)
