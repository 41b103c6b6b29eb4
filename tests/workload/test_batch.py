"""Batches of every shape: moved, split and described."""

from __future__ import annotations

from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from lrfind.errors import InputError
from lrfind.workload.batch import batch_length, describe, split_target, to_device

META = torch.device("meta")
CPU = torch.device("cpu")
Pair = namedtuple("Pair", "x y")


@dataclass(frozen=True)
class Frozen:
    """A batch that computes a field of its own and refuses a second construction."""

    x: Tensor
    name: str
    made: list[int]
    double: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.made.append(1)
        object.__setattr__(self, "double", 2 * self.x)


class Movable:
    """A batch that knows how to move itself."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def to(self, device: torch.device) -> Movable:
        """Give one on that device."""
        return Movable(self.x.to(device))


class Attributes(dict[str, Any]):
    """A dict whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def test_every_tensor_of_nested_batches_moves() -> None:
    """Tuples, lists, namedtuples and mappings keep their types, whatever is inside."""
    x = torch.zeros(2)
    batch = (x, [x, "text"], {"a": x, "n": 3}, Pair(x, None), OrderedDict(a=x), UserDict(a=x))
    moved = to_device(batch, META)

    assert [type(part) for part in moved[1:]] == [type(part) for part in batch[1:]]
    tensors = [moved[0], moved[1][0], moved[2]["a"], moved[3].x, moved[4]["a"], moved[5]["a"]]
    assert {tensor.device for tensor in tensors} == {META}
    assert (moved[1][1], moved[2]["n"], moved[3].y) == ("text", 3, None)
    assert x.device == CPU


def test_a_mapping_with_attributes_keeps_them() -> None:
    """A dict subclass comes back as itself."""
    moved = to_device(Attributes(x=torch.zeros(2)), META)

    assert moved.x.device == META


def test_a_dataclass_moves_without_being_constructed_again() -> None:
    """Frozen dataclasses move too, computed fields included; `__post_init__` runs once."""
    batch = Frozen(torch.ones(2), "n", [])
    moved = to_device(batch, META)

    assert (moved.x.device, moved.double.device, moved.name) == (META, META, "n")
    assert batch.x.device == CPU
    assert batch.made == [1]


def test_an_object_with_to_moves_itself() -> None:
    """`.to` wins over everything else, also for a namedtuple such as PackedSequence."""
    moved = to_device([Movable(torch.zeros(1)), pack_sequence([torch.zeros(2)])], META)

    assert moved[0].x.device == META
    assert isinstance(moved[1], PackedSequence)
    assert moved[1].data.device == META
    assert moved[1].batch_sizes.device == CPU  # torch wants it there


def test_nothing_is_copied_where_nothing_moves() -> None:
    """On the batch's own device tensors are the same objects, in new containers."""
    batch = {"x": torch.zeros(2), "rest": [torch.ones(1)]}
    same = to_device(batch, CPU)
    same.pop("x")

    assert same["rest"][0] is batch["rest"][0]
    assert "x" in batch


def test_the_target_is_found_in_every_form() -> None:
    """Last of a sequence, a known key of a mapping, or a known attribute."""
    x, y = torch.zeros(2), torch.ones(2)
    movable = Movable(x)
    movable.y = y  # type: ignore[attr-defined]

    assert split_target((x, y)) == ((x,), {}, y)
    assert split_target([x, x, y]) == ((x, x), {}, y)
    assert split_target(Pair(x, y)) == ((x,), {}, y)
    assert split_target({"ids": x, "labels": y}) == ((), {"ids": x}, y)
    assert split_target(UserDict(ids=x, target=y)) == ((), {"ids": x}, y)
    assert split_target(movable) == ((movable,), {}, y)


@pytest.mark.parametrize("batch", [torch.zeros(2), (torch.zeros(2),), {"ids": 1}, "text"])
def test_a_batch_without_a_target_is_refused(batch: Any) -> None:
    """Where no target can be told the error says what was found and what to write."""
    with pytest.raises(InputError, match="target of the loss cannot be told") as caught:
        split_target(batch)

    assert "step" in caught.value.problems[0].remedy


def test_samples_are_counted_in_the_first_tensor() -> None:
    """The batch size is the first tensor's length, in any shape of batch."""
    x = torch.zeros(7, 2)

    assert batch_length((x, torch.zeros(3))) == 7
    assert batch_length({"n": 3, "x": x}) == 7
    assert batch_length(Movable(x)) == 7
    assert batch_length((torch.tensor(1.0), x)) == 7
    assert batch_length("text") is None


def test_a_batch_is_described_by_its_tensors() -> None:
    """Types and sizes in a line."""
    batch = (torch.zeros(4, 2), {"ids": torch.zeros(3, dtype=torch.int64)}, "s")

    assert describe(batch) == "(float32 4×2, {ids: int64 3}, str)"
