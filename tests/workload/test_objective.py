"""From a batch to one scalar loss."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lrfind.errors import InputError
from lrfind.workload.objective import from_loss, from_model, from_step, scalar

LOSS = torch.ones((), requires_grad=True) * 2.0


class Returns(nn.Module):
    """A model that returns what it is told to."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output
        self.seen: Any = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Remember the arguments."""
        self.seen = (args, kwargs)
        return self.output


@pytest.mark.parametrize(
    "output", [LOSS, {"loss": LOSS, "logits": 3}, SimpleNamespace(loss=LOSS), LOSS.reshape(1, 1)]
)
def test_a_loss_is_found_in_what_a_model_or_step_returns(output: Any) -> None:
    """A tensor, a mapping or an object with `loss`; one element of any shape will do."""
    batch = torch.zeros(1)

    for objective in (from_step(lambda model, batch: output), from_model()):
        loss = objective(Returns(output), batch, 0)
        assert loss.shape == ()
        assert loss.item() == 2.0


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (None, r"step returned None|returned None"),
        (2.0, "returned a float"),
        ({"logits": LOSS}, "returned a mapping with keys logits"),
        ({}, r"keys \(none\)"),
        ((LOSS, LOSS), "returned a tuple"),
        (SimpleNamespace(loss=None), "returned a SimpleNamespace"),
        (torch.ones(3, 2, requires_grad=True), r"shape \(3, 2\); the loss must be a scalar"),
        (torch.ones(0, requires_grad=True), r"shape \(0,\); the loss must be a scalar"),
        (LOSS.detach(), "no parameter has a part in"),
        (torch.tensor(1), "no parameter has a part in"),
        (LOSS * 1j, "complex loss; it must be real"),
    ],
)
def test_what_is_no_loss_is_refused(output: Any, says: str) -> None:
    """Each wrong output is named, with what to do."""
    with pytest.raises(InputError, match=says) as caught:
        scalar(output, "step")

    assert caught.value.problems[0].where == "step"
    assert caught.value.problems[0].remedy


def test_a_loss_without_gradients_is_fine_where_none_are_wanted() -> None:
    """Under no_grad nothing has to require a gradient."""
    with torch.no_grad():
        assert scalar(LOSS.detach(), "loss").item() == 2.0


def test_a_loss_function_gets_outputs_and_target() -> None:
    """Inputs go to the model as they stand in the batch, the last is the target."""
    model = Returns(LOSS)
    seen: list[Any] = []

    def loss_fn(output: Tensor, target: Any) -> Tensor:
        seen.append(target)
        return output

    from_loss(loss_fn)(model, ("a", "b", "t"), 0)
    assert model.seen == (("a", "b"), {})
    from_loss(loss_fn)(model, {"ids": 1, "mask": 2, "labels": "t"}, 0)
    assert model.seen == ((), {"ids": 1, "mask": 2})
    assert seen == ["t", "t"]


@pytest.mark.parametrize(
    ("batch", "args", "kwargs"),
    [
        ({"ids": 1, "labels": 2}, (), {"ids": 1, "labels": 2}),
        ((1, 2), (1, 2), {}),
        ([1], (1,), {}),
        ("whole", ("whole",), {}),
    ],
)
def test_a_model_with_its_own_loss_gets_the_whole_batch(
    batch: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Mappings as keywords, sequences as positional arguments, anything else whole."""
    model = Returns(LOSS)
    from_model()(model, batch, 0)

    assert model.seen == (args, kwargs)


def test_a_step_gets_the_index_where_it_asks_for_one() -> None:
    """A third required parameter is the batch's index; an optional one keeps its default."""
    seen: list[Any] = []

    class Lit:
        def training_step(self, model: Any, batch: Any, index: int) -> Tensor:
            seen.append(index)
            return LOSS

    def optional(model: Any, batch: Any, index: int = -1) -> Tensor:
        seen.append(index)
        return LOSS

    from_step(Lit().training_step)(Returns(LOSS), 0, 5)
    from_step(optional)(Returns(LOSS), 0, 5)

    assert seen == [5, -1]
