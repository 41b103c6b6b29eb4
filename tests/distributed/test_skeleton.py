"""A model without numbers is the shape of the one that is built with them, or an honest refusal."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from lrfind.workload.parallel.skeleton import NoSkeletonError, skeleton
from lrfind.workload.parallel.slots import slots


def tied() -> nn.Module:
    """Build a model with a tied weight, and a buffer of numbers from elsewhere."""
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    model.register_buffer("table", torch.from_numpy(np.random.rand(3)))
    nn.init.normal_(model[0].weight, std=random.random())
    return model


def test_it_has_the_shape_of_the_model_and_draws_nothing() -> None:
    """Names, sizes, types and ties are the same; the generators stay as they were."""
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    model = skeleton(tied)

    now = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert now == states
    assert all(parameter.is_meta for parameter in model.parameters())
    assert [slot.shape for slot in slots(model)] == [slot.shape for slot in slots(tied())]
    assert ("0.weight", "2.weight") in [slot.names for slot in slots(model)]


def test_weights_from_a_file_need_not_be_there() -> None:
    """What a function loads into the model goes nowhere, without a warning."""
    saved = tied().state_dict()

    def loads() -> nn.Module:
        model = tied()
        model.load_state_dict(saved)
        return model

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert skeleton(loads)[0].weight.is_meta


def looks() -> nn.Module:
    """Build a model whose layers depend on a number in a tensor."""
    rates = [rate.item() for rate in torch.linspace(0, 0.5, 2)]
    return nn.Sequential(*(nn.Dropout(rate) for rate in rates))


def keeps() -> nn.Module:
    """Build a model with a tensor that nobody could fill."""
    model = tied()
    model.tables = {"angles": (torch.rand(7),)}
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (looks, r"on the meta device raised \w+: .*meta tensor"),
        (keeps, r"keeps a tensor of shape \(7,\) that is neither a parameter nor a buffer"),
    ],
)
def test_it_says_why_there_is_none(make: Callable[[], nn.Module], said: str) -> None:
    """A function that looks at numbers, or hides some where nobody could put them, has none."""
    with pytest.raises(NoSkeletonError, match=said):
        skeleton(make)


def test_a_slot_is_emptied_and_filled_in_all_its_places() -> None:
    """What is tied stays one tensor; a frozen parameter stays frozen."""
    model = tied()
    model[0].weight.requires_grad_(False)
    (slot,) = [slot for slot in slots(model) if len(slot.names) == 2]

    slot.empty()

    assert model[0].weight is model[2].weight
    assert model[0].weight.is_meta
    assert not model[0].weight.requires_grad
    assert isinstance(model[0].weight, nn.Parameter)
