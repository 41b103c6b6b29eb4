"""Channels innermost: it reaches the convolutions, changes no curve, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from workload_models import losses, workload

from lrfind.errors import InputError
from lrfind.optim import CATALOG
from lrfind.spec import Spec
from lrfind.workload.parallel import require_fit

CHANNELS_LAST = torch.channels_last


def images() -> tuple[Tensor, Tensor]:
    """Make small pictures in the usual order, and a number for each."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(48, 3, 8, 8, generator=generator)
    return pictures, pictures.mean((1, 2, 3)).reshape(-1, 1)


def small_cnn() -> nn.Module:
    """Make convolutions large and small for the optimizers, and one that has a single channel."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.Conv2d(64, 1, 1), nn.Flatten(), nn.Linear(16, 1),
    )  # fmt: skip


def swept(channels_last: bool, **options: Any) -> list[float]:
    """Train the pictures for some steps."""
    return losses(workload(small_cnn, images(), channels_last=channels_last, **options), lr=0.003)


@pytest.mark.parametrize("name", CATALOG)
def test_the_losses_are_the_same_to_rounding(name: str) -> None:
    """Under every bundled optimizer, whose states and slices must follow the weights' order."""
    options = {"optimizer": name}

    # Adam divides by gradients near zero, which rounding can turn round.
    assert swept(True, **options) == pytest.approx(swept(False, **options), rel=1e-3)


@pytest.mark.parametrize(
    "options",
    [{"low_memory": True}, {"accumulate": 2}, {"clip_grad_norm": 0.1}, {"precision": "bf16"}],
    ids=str,
)
def test_it_goes_with_every_way_to_update(options: dict[str, Any]) -> None:
    """The update inside the backward pass, accumulation, clipping and bf16 give the same losses."""
    rel = 3e-2 if "precision" in options else 1e-3

    assert swept(True, **options) == pytest.approx(swept(False, **options), rel=rel)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_order_reaches_what_flows_between_the_layers(wanted: bool) -> None:
    """The outputs of both convolutions have their channels innermost, the inputs as they came."""
    seen: list[bool] = []

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen.append(output.is_contiguous(memory_format=CHANNELS_LAST))

    def watched() -> nn.Module:
        model = small_cnn()
        model[0].register_forward_hook(note)  # type: ignore[index, operator]
        model[3].register_forward_hook(note)  # type: ignore[index, operator]
        return model

    losses(workload(watched, images(), channels_last=wanted), steps=2)

    assert seen == [wanted] * 4


def test_a_ready_model_lies_as_it_did() -> None:
    """Afterwards weights have their values and strides, also those that lay so before."""
    model = small_cnn()
    model[3].to(memory_format=CHANNELS_LAST)  # type: ignore[index, operator]
    before = [(p.detach().clone(), p.stride()) for p in model.parameters()]

    losses(workload(model, images(), channels_last=True), steps=3)

    for parameter, (values, stride) in zip(model.parameters(), before, strict=True):
        assert parameter.stride() == stride
        assert torch.equal(parameter, values)


def test_fsdp_which_cannot_shard_such_weights_is_refused() -> None:
    """FSDP2 takes contiguous weights only; the error says so before anything starts."""
    spec = Spec.model_validate(
        {"model": "m:f", "data": "m:d", "sweep": {"channels_last": True}, "distributed": "fsdp"}
    )

    with pytest.raises(InputError, match=r"sweep\.channels_last: = true .* fsdp shards"):
        require_fit(spec, small_cnn)
