"""Kernels walk raw memory: whatever its layout, every tensor must be updated as torch does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from lrfind.optim import _kernels
from tests.optim.cases import NAMES, OURS, THEIRS, assert_same_path, make_params

EXACT = {"rtol": 1e-10, "atol": 1e-10}


def run(cls: Any, params: list[Tensor], grads: list[list[Tensor]], **kwargs: Any) -> list[Tensor]:
    """Take a step for each list of gradients."""
    optimizer = cls(params, **kwargs)
    for row in grads:
        for param, grad in zip(params, row, strict=True):
            param.grad = grad
        optimizer.step()
    return [param.detach() for param in params]


def pair(make: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Make two equal parameter lists."""
    torch.manual_seed(0)
    first = make()
    return first, [
        torch.nn.Parameter(param.detach().clone(memory_format=torch.preserve_format))
        for param in first
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("late", [0, 3])
def test_transposed_gradient(name: str, late: int) -> None:
    """A gradient with other strides than its parameter's is applied element by element."""

    def make() -> list[Tensor]:
        return [torch.nn.Parameter(torch.randn(6, 6, dtype=torch.float64)) for _ in range(2)]

    mine, theirs = pair(make)
    grads = [[torch.randn(6, 6, dtype=torch.float64) for _ in range(2)] for _ in range(6)]
    for row in grads[late:]:
        row[1] = row[1].t()
    extra = {"momentum": 0.9} if name == "SGD" else {}

    torch.testing.assert_close(
        run(OURS[name], mine, grads, **extra), run(THEIRS[name], theirs, grads, **extra), **EXACT
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("aligned", [True, False])
def test_channels_last_parameters(name: str, aligned: bool) -> None:
    """Channels-last and transposed parameters work, with gradients of either layout."""

    def make() -> list[Tensor]:
        image = torch.randn(4, 3, 2, 2, dtype=torch.float64).to(memory_format=torch.channels_last)
        return [
            torch.nn.Parameter(image),
            torch.nn.Parameter(torch.randn(5, 3, dtype=torch.float64).t()),
        ]

    mine, theirs = pair(make)
    grads = [
        [
            torch.empty_like(param).copy_(torch.randn(param.shape)).detach()
            if aligned
            else torch.randn(param.shape, dtype=torch.float64)
            for param in mine
        ]
        for _ in range(5)
    ]

    torch.testing.assert_close(
        run(OURS[name], mine, grads), run(THEIRS[name], theirs, grads), **EXACT
    )


@pytest.mark.parametrize("name", NAMES)
def test_layout_changed_between_steps(name: str) -> None:
    """A model that turns channels-last in the middle of training goes on correctly."""
    extra = {"momentum": 0.9} if name == "SGD" else {}
    mine, theirs = pair(lambda: [torch.nn.Parameter(torch.randn(4, 3, 2, 2, dtype=torch.float64))])
    optimizers = [
        classes[name](params, **extra) for classes, params in ((OURS, mine), (THEIRS, theirs))
    ]
    for step in range(6):
        grad = torch.randn(4, 3, 2, 2, dtype=torch.float64)
        for params, optimizer in zip((mine, theirs), optimizers, strict=True):
            if step == 3:
                params[0].data = params[0].data.to(memory_format=torch.channels_last)
            params[0].grad = grad.clone()
            optimizer.step()

    torch.testing.assert_close(mine, theirs, **EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_state_of_another_layout(name: str) -> None:
    """A checkpoint of a contiguous model continues in a channels-last one."""
    extra = {"momentum": 0.9} if name == "SGD" else {}
    mine, theirs = pair(lambda: [torch.nn.Parameter(torch.randn(4, 3, 2, 2, dtype=torch.float64))])
    grads = [[torch.randn(4, 3, 2, 2, dtype=torch.float64)] for _ in range(6)]
    expected = run(THEIRS[name], theirs, grads, **extra)
    first = OURS[name](mine, **extra)
    for row in grads[:3]:
        mine[0].grad = row[0]
        first.step()
    moved = torch.nn.Parameter(mine[0].detach().to(memory_format=torch.channels_last))
    second = OURS[name]([moved], **extra)
    second.load_state_dict(first.state_dict())
    for row in grads[3:]:
        moved.grad = row[0]
        second.step()

    torch.testing.assert_close(moved, expected[0], **EXACT)


@pytest.mark.parametrize("foreach", [None, True])
@pytest.mark.parametrize("name", NAMES)
def test_memory_swapped_between_steps(name: str, foreach: bool | None) -> None:
    """Assigning to `.data` of parameters and state, as averaging and offloading do, is noticed."""
    extra = {"momentum": 0.9} if name == "SGD" else {}
    mine, theirs = pair(
        lambda: [torch.nn.Parameter(torch.randn(n, dtype=torch.float64)) for n in (4, 9000, 70000)]
    )
    optimizers = [
        OURS[name](mine, foreach=foreach, **extra),
        THEIRS[name](theirs, **extra),
    ]
    for step in range(6):
        grads = [torch.randn_like(param).detach() for param in mine]
        for params, optimizer in zip((mine, theirs), optimizers, strict=True):
            for param, grad in zip(params, grads, strict=True):
                param.grad = grad.clone()
                if step == 2:
                    param.data = param.data * 0.5
                if step == 4:
                    for value in optimizer.state[param].values():
                        value.data = value.data.clone()
            optimizer.step()

    torch.testing.assert_close(mine, theirs, **EXACT)
    steps = [
        [state["step"] for state in optimizer.state.values() if "step" in state]
        for optimizer in optimizers
    ]
    assert steps[0] == steps[1]


@pytest.mark.parametrize("name", NAMES)
def test_overlapping_and_subclassed_parameters(name: str) -> None:
    """Parameters that no kernel may take go by the definition."""

    class Named(Tensor):
        pass

    def make() -> list[Tensor]:
        return [torch.nn.Parameter(torch.randn(3, dtype=torch.float64).as_subclass(Named))]

    mine, theirs = pair(make)
    grads = [[torch.randn(3, dtype=torch.float64)] for _ in range(3)]

    torch.testing.assert_close(
        run(OURS[name], mine, grads), run(THEIRS[name], theirs, grads), **EXACT
    )


@pytest.mark.parametrize("name", NAMES)
def test_long_tensors_are_cut_correctly(name: str) -> None:
    """Parameters longer than a block, with short ones between, follow torch without kernels."""

    def make() -> list[Tensor]:
        sizes = (70_001, 3, 140_000, 5, 9_000)
        return [torch.nn.Parameter(torch.randn(size, dtype=torch.float64)) for size in sizes]

    mine, theirs = pair(make)
    grads = [[torch.randn_like(param).detach() for param in mine] for _ in range(3)]
    extra = {"momentum": 0.9} if name == "SGD" else {}

    torch.testing.assert_close(
        run(OURS[name], mine, grads, foreach=True, **extra),
        run(THEIRS[name], theirs, grads, **extra),
        **EXACT,
    )


@pytest.fixture
def without_kernels(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Change what is known of the kernels' arguments, as a new torch version would."""
    changed = {name: (*names, "stochastic") for name, names in _kernels._ARGUMENTS.items()}
    monkeypatch.setattr(_kernels, "_ARGUMENTS", changed)
    _kernels.find_kernel.cache_clear()
    yield
    monkeypatch.undo()
    _kernels.find_kernel.cache_clear()


@pytest.mark.usefixtures("without_kernels")
@pytest.mark.parametrize("name", NAMES)
def test_fallback_when_a_signature_differs(name: str) -> None:
    """With unknown kernel signatures the multi-tensor path takes over, with the same numbers."""
    assert _kernels.find_kernel("_fused_adam_", "cpu", torch.float64) is None

    extra = {"momentum": 0.9, "nesterov": True} if name == "SGD" else {}
    mine, theirs = make_params(torch.float64), make_params(torch.float64)
    optimizers = [OURS[name](mine, **extra), THEIRS[name](theirs, **extra)]

    assert_same_path(optimizers[0], mine, optimizers[1], theirs, **EXACT)


@pytest.mark.parametrize("name", ["_fused_sgd_", "_fused_adam_", "_fused_adamw_"])
def test_kernels_are_found(name: str) -> None:
    """On the tested torch the kernels are present and have the arguments we know."""
    assert _kernels.find_kernel(name, "cpu", torch.float32) is not None
    assert _kernels.find_kernel(name, "meta", torch.float32) is None
    assert _kernels.find_kernel(name, "cpu", torch.complex64) is None


def test_broken_half_precision_kernel_is_avoided() -> None:
    """The fused SGD kernel, which leaves half-precision tensors unchanged on a CPU, is not used."""
    param = torch.nn.Parameter(torch.zeros(64, dtype=torch.bfloat16))
    optimizer = OURS["SGD"]([param], lr=1.0)
    param.grad = torch.ones_like(param)
    optimizer.step()

    assert param.detach().eq(-1).all()


def test_rmsprop_leaves_gradients_alone() -> None:
    """The kernel that RMSprop borrows writes back exactly what it read."""
    param = torch.nn.Parameter(torch.randn(100))
    grad = torch.randn(100)
    param.grad = grad.clone()
    OURS["RMSprop"]([param]).step()

    torch.testing.assert_close(param.grad, grad, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_nonfinite_gradient_stays_where_it_is(name: str) -> None:
    """An infinite gradient spoils its own element and nothing else."""
    params = [torch.nn.Parameter(torch.ones(20)) for _ in range(3)]
    grads = [torch.ones(20) for _ in range(3)]
    grads[1][4] = float("inf")
    after = run(OURS[name], params, [grads, [torch.ones(20) for _ in range(3)]], lr=0.1)

    finite = torch.stack(after).isfinite()
    assert finite.sum() >= 59
    assert not after[1][4].eq(1.0)
