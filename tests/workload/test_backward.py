"""The short way to gradients against `torch.autograd.backward`."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lrfind.workload.backward import backward


def gradients(run: object, dtype: torch.dtype) -> list[Tensor]:
    """Give the gradients of a small network's loss, one of which is added to."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to(dtype)
    net[0].weight.grad = torch.ones_like(net[0].weight)
    run(net(torch.randn(5, 3, dtype=dtype)).square().mean())  # type: ignore[operator]
    return [parameter.grad for parameter in net.parameters()]  # type: ignore[misc]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_gradients_are_bit_for_bit_those_of_autograd(dtype: torch.dtype) -> None:
    """Any element type, added to what is there."""
    ours, theirs = gradients(backward, dtype), gradients(torch.autograd.backward, dtype)

    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_graph_is_freed() -> None:
    """A second backward through the same graph is the error that users know."""
    loss = torch.ones(2, requires_grad=True).square().sum()
    backward(loss)

    with pytest.raises(RuntimeError, match="second time"):
        backward(loss)


def test_a_loss_of_a_class_of_its_own_takes_the_long_way() -> None:
    """What a tensor subclass does to its backward pass is done."""
    seen = []

    class Watched(Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            seen.append(function)
            return super().__torch_function__(function, types, args, kwargs or {})

    backward(torch.ones((), requires_grad=True).mul(2).as_subclass(Watched))

    # torch before 2.7 asks the class only about the operations inside.
    assert torch.autograd.backward in seen or torch.ones_like in seen


def test_anomaly_detection_is_heard() -> None:
    """`torch.autograd.detect_anomaly` finds a NaN on the short way as well."""
    x = torch.zeros((), requires_grad=True)
    with (
        pytest.warns(UserWarning, match="Anomaly Detection|Error detected"),
        torch.autograd.detect_anomaly(),
        pytest.raises(RuntimeError, match="nan"),
    ):
        backward((0 * x).sqrt() * 0)
