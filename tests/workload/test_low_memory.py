"""The step inside the backward pass: the same numbers, one large gradient at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from workload_models import Net, rows, workload

from lrfind import range_test
from lrfind.curve import Curve
from lrfind.errors import InputError
from lrfind.optim import CATALOG
from lrfind.workload.low_memory import SMALL

WIDE = 100
"""A square layer of this width is above `SMALL`."""

TORCHS = ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")


def deep() -> nn.Module:
    """Make a net with parameters above, at and below the bound, and one used twice."""
    torch.manual_seed(0)
    tied = nn.Linear(WIDE, WIDE)
    sizes = nn.Linear(4, WIDE), tied, nn.Tanh(), nn.Linear(WIDE, 300), nn.ReLU(), nn.LayerNorm(300)
    net = nn.Sequential(*sizes, nn.Linear(300, WIDE), tied, nn.Linear(WIDE, 1))
    assert WIDE**2 > SMALL
    return net


def curve(low_memory: bool, model: Any = deep, **options: Any) -> Curve:
    """Sweep the rows."""
    options = {"optimizer": "adam", "steps": 30, "batch_size": 8, "device": "cpu"} | options
    return range_test(model, rows(), "mse_loss", low_memory=low_memory, **options).curves[0]


def assert_same(first: Curve, second: Curve) -> None:
    """Compare two curves bit for bit."""
    assert first.stop == second.stop
    assert first.lr.tobytes() == second.lr.tobytes()
    assert first.loss.tobytes() == second.loss.tobytes()
    ratios = [c.update_ratio for c in (first, second)]
    assert all(r is not None for r in ratios)
    assert len({r.tobytes() for r in ratios if r is not None}) == 1


@pytest.mark.parametrize("name", CATALOG)
def test_the_curve_is_the_ordinary_one(name: str) -> None:
    """Every bundled optimizer gives the same losses and update sizes, to the last bit."""
    assert_same(curve(False, optimizer=name), curve(True, optimizer=name))


@pytest.mark.parametrize("name", TORCHS)
def test_torchs_own_optimizers_give_the_ordinary_curve(name: str) -> None:
    """A torch optimizer of the user's choice is shared out in the same way."""
    optimizer = getattr(torch.optim, name)

    assert_same(curve(False, optimizer=optimizer), curve(True, optimizer=optimizer))


def test_groups_keep_their_lrs_and_options() -> None:
    """Groups with LRs and decays of their own are updated as ever."""
    groups = [{"params": "0.*", "lr_scale": 10.0}, {"params": "*.bias", "args": {"eps": 1e-3}}]
    options: dict[str, Any] = {"param_groups": groups, "optimizer": "adamw"}
    plain = curve(False, optimizer="adamw")

    assert_same(curve(False, **options), curve(True, **options))
    assert curve(True, **options).loss.tobytes() != plain.loss.tobytes()


def test_held_out_loss_and_refinement_go_with_it() -> None:
    """A loss measured apart, and trials that start again from one state, are the ordinary ones."""
    options: dict[str, Any] = {"validation": rows(16), "optimizer": "sgd", "end_lr": 1.0}
    found = [
        range_test(
            deep,
            rows(),
            "mse_loss",
            steps=60,
            batch_size=8,
            device="cpu",
            refine=400,
            low_memory=low,
            **options,
        )
        for low in (False, True)
    ]

    assert found[0].trials
    assert found[0].trials == found[1].trials
    assert found[0].suggestion == found[1].suggestion


def most_at_once(low_memory: bool) -> int:
    """Count the large gradients that exist together, at each moment when one is complete."""
    work = workload(deep, optimizer="adam", low_memory=low_memory)
    counts = []
    with work.open(0) as trainable:
        large = [p for p in trainable.model.parameters() if p.numel() > SMALL]

        def count(_: Tensor) -> None:
            counts.append(sum(p.grad is not None for p in large))

        for parameter in large:
            parameter.register_post_accumulate_grad_hook(count)
        for _ in range(3):
            trainable.backward()
            trainable.update(1e-3)
        assert all(p.grad is None for p in trainable.model.parameters())
        assert len(counts) == 3 * len(large)
    return max(counts)


def test_one_large_gradient_exists_at_a_time() -> None:
    """Each is gone before the next one is there, the first time too; ordinarily all are there."""
    assert most_at_once(low_memory=True) == 1
    assert most_at_once(low_memory=False) == 3


def test_a_ready_module_and_its_optimizer_are_as_they_were() -> None:
    """Weights, buffers, gradients and state come back byte for byte; no hook stays."""
    torch.manual_seed(1)
    model = nn.Sequential(Net(), nn.Linear(1, SMALL + 1), nn.Linear(SMALL + 1, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    X, y = rows()
    (model(X) - y).square().mean().backward()
    optimizer.step()
    gradients = [p.grad for p in model.parameters()]
    before = torch.cat([t.detach().flatten() for t in model.state_dict().values()]).clone()
    state = [s["exp_avg"].clone() for s in optimizer.state.values()]

    found = curve(True, model, optimizer=optimizer, steps=12, seeds=2)

    after = torch.cat([t.flatten() for t in model.state_dict().values()])
    assert len(found) > 3
    assert before.numpy().tobytes() == after.numpy().tobytes()
    assert all(p.grad is g for p, g in zip(model.parameters(), gradients, strict=True))
    moments = [s["exp_avg"] for s in optimizer.state.values()]
    assert all(torch.equal(a, b) for a, b in zip(state, moments, strict=True))
    assert not any(p._post_accumulate_grad_hooks for p in model.parameters())


class Odd(nn.Module):
    """A wide layer whose gradient can be spoilt, and one that nothing uses."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.wide = nn.Linear(4, SMALL)
        self.idle = nn.Linear(4, SMALL)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        """Predict a number."""
        hidden = self.wide(x)
        if self.way == "nan":
            hidden = hidden + (0.0 * self.wide.weight.sum()).clamp(min=0).sqrt()
        if self.way == "detached":
            return hidden.detach().mean(1, keepdim=True) + torch.zeros(1, requires_grad=True)
        if self.way == "parts":
            for _ in range(2):
                hidden = checkpoint(self.again, hidden, use_reentrant=True)
        return hidden.mean(1, keepdim=True)

    def again(self, hidden: Tensor) -> Tensor:
        """Go through the wide layer once more."""
        found: Tensor = self.wide(hidden[:, :4])
        return found


def test_an_idle_layer_is_told_as_ever() -> None:
    """The note on parameters without a gradient is the ordinary one."""
    notes = [
        range_test(
            lambda: Odd("plain"), rows(), "mse_loss", steps=3, device="cpu", low_memory=low
        ).notes
        for low in (False, True)
    ]

    assert any(note.code == "without-gradient" for note in notes[1])
    assert [n for n in notes[0] if n.code == "without-gradient"] == [
        n for n in notes[1] if n.code == "without-gradient"
    ]


@pytest.mark.parametrize("low_memory", [False, True])
@pytest.mark.parametrize(
    ("way", "told"),
    [("nan", "which no LR can train"), ("detached", "gave none of them a gradient")],
)
def test_gradients_that_train_nothing_are_refused(way: str, told: str, low_memory: bool) -> None:
    """NaN gradients before any update, and no gradients at all, end the sweep with the reason."""
    with pytest.raises(InputError, match=told):
        curve(low_memory, lambda: Odd(way), optimizer="sgd", steps=5)


def test_a_gradient_that_comes_in_parts_is_refused() -> None:
    """A parameter in two reentrant checkpoints would be updated twice; told by its name."""
    with pytest.raises(InputError, match=r"as that of wide\.(weight|bias) does .*use_reentrant"):
        curve(True, lambda: Odd("parts"), optimizer="sgd", steps=5)


def watched(parameters: Any) -> torch.optim.Optimizer:
    """Make an optimizer with a hook on its step."""
    optimizer = torch.optim.SGD(parameters)
    optimizer.register_step_post_hook(lambda *_: None)
    return optimizer


class Own(torch.optim.SGD):
    """Whatever a user may have written."""


@pytest.mark.parametrize(
    ("optimizer", "told"),
    [
        (torch.optim.LBFGS, "LBFGS, which evaluates the loss inside its step"),
        (Own, r"test_low_memory\.Own, which may need the gradients of all parameters at once"),
        (watched, "step hooks on SGD"),
    ],
)
def test_an_optimizer_that_needs_a_whole_step_is_refused(optimizer: Any, told: str) -> None:
    """Each is refused before any update, with what to take instead."""
    with pytest.raises(InputError, match=rf"low_memory: = true does not go with {told}.*drop low_"):
        curve(True, optimizer=optimizer)


def test_the_gradient_norm_is_told_before_an_update() -> None:
    """`lrfind validate` reads the norm of all gradients, which are let go one by one."""
    norms = []
    for low in (False, True):
        with workload(deep, low_memory=low).open(0) as trainable:
            trainable.backward()
            norms.append(trainable.gradient_norm())

    assert norms[1] == pytest.approx(norms[0], rel=1e-6)
    assert norms[0] > 0


def test_a_lazy_layer_and_sparse_gradients_go_with_it() -> None:
    """Sizes that the first batch decides, and an embedding's sparse gradient, are taken as ever."""

    def model() -> nn.Module:
        torch.manual_seed(0)
        embedding = nn.Embedding(SMALL, 4, sparse=True)
        return nn.Sequential(embedding, nn.Flatten(), nn.LazyLinear(600), nn.Linear(600, 600))

    ids = torch.arange(64).reshape(32, 2)
    data = ids, torch.ones(32, 600)
    found = [
        range_test(
            model, data, "mse_loss", optimizer="sgd", steps=20, device="cpu", low_memory=low
        ).curves[0]
        for low in (False, True)
    ]

    assert found[0].loss.tobytes() == found[1].loss.tobytes()
