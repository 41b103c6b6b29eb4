"""`range_test`: leaves no trace, takes data of every kind, pairs LR and loss right."""

from __future__ import annotations

import copy
import math
import os
import random
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lrfind import StopReason, range_test
from lrfind.errors import InputError
from lrfind.optim import AdamW

SHORT = {"start_lr": 1e-4, "end_lr": 1e-1, "steps": 12, "device": "cpu"}


def rows() -> tuple[Tensor, Tensor]:
    """Make a fixed regression problem."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(48, 4, generator=generator)
    return X, X @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])


class Quadratic(nn.Module):
    """λ w² / 2, whose loss grows exactly past lr = 2/λ."""

    def __init__(self, curvature: float) -> None:
        super().__init__()
        self.curvature = curvature
        self.w = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, batch: object) -> Tensor:
        """Compute the loss; there is no data."""
        del batch
        return 0.5 * self.curvature * self.w**2


@pytest.mark.parametrize("optimizer", ["sgd", torch.optim.SGD])
def test_the_first_growing_loss_stands_at_the_first_lr_above_the_edge(optimizer: Any) -> None:
    """On λx²/2 under plain SGD the loss first grows exactly past 2/λ, for 100 random λ each."""
    draw = random.Random(0 if optimizer == "sgd" else 1)
    for _ in range(100):
        curvature = 10 ** draw.uniform(-0.5, 6)
        report = range_test(
            lambda curvature=curvature: Quadratic(curvature),
            [0],
            optimizer=optimizer,
            optimizer_args={"momentum": 0.0},
            steps=draw.randint(20, 60),
            stop={"factor": math.inf},
            device="cpu",
        )
        curve = report.curves[0]
        losses = [curve.initial_loss, *curve.loss]
        first_growth = next(i for i in range(len(curve)) if losses[i + 1] > losses[i])
        first_above = next(i for i, lr in enumerate(curve.lr) if lr > 2 / curvature)
        assert first_growth == first_above


# ----------------------------------------------------------------------------- no trace is left


class Net(nn.Module):
    """A net with all that must be put back: batch norm, dropout, odd buffers, frozen parts."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(8, 1)
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.unheld = nn.Parameter(torch.ones(1))
        self.register_buffer("calls", torch.zeros(1), persistent=False)
        self.register_buffer("mask", torch.ones(1, 1).expand(1, 8))
        self.calls: Tensor
        self.mask: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Count the call, draw from every generator, and predict."""
        self.calls += 1
        noise = random.random() + np.random.rand() + torch.rand(())
        hidden = self.drop(self.norm(self.first(x))).relu() * self.mask
        out: Tensor = self.last(hidden) * self.frozen * self.unheld + 1e-3 * noise
        return out


def seed_all(seed: int) -> None:
    """Seed every generator."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Scene:
    """A caller in the middle of training: everything they have, and what it looks like."""

    def __init__(self, optimizer: Callable[..., Any]) -> None:
        seed_all(1)
        self.model = Net()
        self.model.norm.eval()
        held = [p for name, p in self.model.named_parameters() if name != "unheld"]
        half = len(held) // 2
        groups = [{"params": held[:half]}, {"params": held[half:], "lr": 0.02}]
        self.optimizer = optimizer(groups)
        generator = torch.Generator().manual_seed(3)
        self.loader = DataLoader(
            TensorDataset(*rows()), batch_size=8, shuffle=True, generator=generator
        )
        for x, y in self.loader:
            self.optimizer.zero_grad()
            nn.functional.mse_loss(self.model(x), y).backward()
            self.optimizer.step()
        self.model.drop.eval()

    def look(self) -> list[Any]:
        """Copy everything that must not change."""
        model, optimizer = self.model, self.optimizer
        tensors = [*model.named_parameters(), *model.named_buffers()]
        python, numpy = random.getstate(), np.random.get_state()
        return copy.deepcopy(
            [
                [(name, t.detach(), t.requires_grad, t.grad) for name, t in tensors],
                [(name, module.training) for name, module in model.named_modules()],
                [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups],
                [optimizer.state[p] for g in optimizer.param_groups for p in g["params"]],
                optimizer.defaults,
                (python, numpy, torch.get_rng_state()),
                self.loader.generator.get_state(),  # type: ignore[union-attr]
            ]
        )

    def identities(self) -> list[int]:
        """List the objects that the caller may hold on to."""
        model, optimizer = self.model, self.optimizer
        held = [*model.parameters(), *model.buffers(), *optimizer.param_groups]
        return [id(thing) for thing in held]


def same(a: Any, b: Any) -> bool:
    """Compare nested values byte for byte."""
    if isinstance(a, Tensor):
        return a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, np.ndarray):
        return bool(a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def at_step(k: int, act: Callable[[], None]) -> Callable[[Tensor, Tensor], Tensor]:
    """Make a loss function that does something at its k-th call."""
    calls = 0

    def loss_fn(output: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == k:
            act()
        return nn.functional.mse_loss(output, target)

    return loss_fn


def nothing() -> None:
    """Let the sweep run to its end."""


def fail() -> None:
    """Raise as a user's loss would."""
    raise ZeroDivisionError("user")


def interrupt() -> None:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


def press_ctrl_c() -> None:
    """Send this process the signal of Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


ENDS = [
    pytest.param(nothing, None, id="finished"),
    pytest.param(fail, ZeroDivisionError, id="exception"),
    pytest.param(interrupt, KeyboardInterrupt, id="interrupt"),
    pytest.param(press_ctrl_c, KeyboardInterrupt, id="sigint"),
]
OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, amsgrad=True),
    "tensor_lr": lambda groups: torch.optim.Adam(
        groups, lr=torch.tensor(0.01, dtype=torch.float64), foreach=False
    ),
}


@pytest.mark.parametrize(("act", "raises"), ENDS)
@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("ready", [True, False], ids=["ready", "built"])
def test_the_caller_finds_everything_as_it_was(
    act: Callable[[], None], raises: type[BaseException] | None, kind: str, ready: bool
) -> None:
    """Model, optimizer, generators and loader are put back byte for byte, however it ends."""
    scene = Scene(OPTIMIZERS[kind])
    before, ids = scene.look(), scene.identities()
    optimizer: Any = scene.optimizer if ready else "adamw"

    def run() -> None:
        range_test(scene.model, scene.loader, at_step(6, act), optimizer=optimizer, **SHORT)

    if raises is None:
        run()
    else:
        with pytest.raises(raises):
            run()

    after = scene.look()
    assert all(same(a, b) for a, b in zip(before, after, strict=True))
    assert scene.identities() == ids


@pytest.mark.parametrize("kind", [*OPTIMIZERS, "bundled"])
def test_training_goes_on_as_if_no_sweep_had_been(kind: str) -> None:
    """The next steps with the caller's optimizer give the same losses as without the sweep."""

    def losses(sweeps: bool) -> list[float]:
        scene = Scene(OPTIMIZERS.get(kind, lambda groups: AdamW(groups, lr=0.01)))
        if sweeps:
            range_test(scene.model, scene.loader, "mse_loss", optimizer=scene.optimizer, **SHORT)
        seed_all(9)
        found = []
        for x, y in scene.loader:
            scene.optimizer.zero_grad()
            loss = nn.functional.mse_loss(scene.model(x), y)
            loss.backward()
            scene.optimizer.step()
            found.append(loss.item())
        return found

    assert losses(sweeps=True) == losses(sweeps=False)


def test_a_second_ctrl_c_waits_until_everything_is_restored() -> None:
    """An impatient second Ctrl-C, during the restoring, does not leave half a model behind."""
    scene = Scene(OPTIMIZERS["sgd"])
    before = scene.look()
    norm = scene.model.norm

    class Impatient(nn.Linear):
        """A layer that presses Ctrl-C when its mode is put back."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "training" and armed:
                armed.clear()
                press_ctrl_c()

    armed: list[int] = []
    scene.model.last.__class__ = Impatient

    def arm() -> None:
        armed.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        range_test(scene.model, scene.loader, at_step(6, arm), optimizer=scene.optimizer, **SHORT)

    assert not armed
    assert not norm.training
    assert all(same(a, b) for a, b in zip(before, scene.look(), strict=True))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_buffers_and_groups_added_during_the_sweep_are_gone() -> None:
    """What the user's code adds to model or optimizer while it is swept does not stay."""

    class Grows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            self.register_buffer("seen", x.mean().detach())
            out: Tensor = self.inner(x)
            return out

    model = Grows()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    range_test(model, rows(), "mse_loss", optimizer=optimizer, **SHORT)

    assert "seen" not in dict(model.named_buffers())
    assert not optimizer.state


# ------------------------------------------------------------------------------- seeds and data


def linear() -> nn.Module:
    """Make a linear model."""
    return nn.Linear(4, 1)


@pytest.mark.parametrize("kind", ["factory", "instance"])
@pytest.mark.parametrize(
    "data",
    [
        rows(),
        DataLoader(TensorDataset(*rows()), batch_size=8, shuffle=True),
        DataLoader(
            TensorDataset(*rows()), 8, shuffle=True, generator=torch.Generator().manual_seed(1)
        ),
        lambda: TensorDataset(torch.randn(48, 4), torch.randn(48, 1)),
        lambda: iter([(torch.randn(8, 4), torch.randn(8, 1)) for _ in range(5)]),
    ],
    ids=["tensors", "loader", "generator", "random", "stream"],
)
def test_each_of_several_seeds_equals_a_run_alone(kind: str, data: Any) -> None:
    """Seed k of a run over several is byte for byte the run with seed k alone."""
    model: Any = Net if kind == "factory" else Net()

    def run(seed: int, seeds: int) -> list[bytes]:
        report = range_test(model, data, "mse_loss", seed=seed, seeds=seeds, **SHORT)
        assert [curve.seed for curve in report.curves] == list(range(seed, seed + seeds))
        return [curve.loss.tobytes() for curve in report.curves]

    together = run(5, 3)

    assert together == [run(seed, 1)[0] for seed in (5, 6, 7)]
    assert run(5, 3) == together


def test_another_seed_gives_other_weights_and_another_order() -> None:
    """The seed decides the initial weights of a factory and the order of the data."""
    report = range_test(linear, rows(), "mse_loss", seeds=2, batch_size=8, **SHORT)

    assert report.curves[0].initial_loss != report.curves[1].initial_loss


def test_large_seeds_are_seeds() -> None:
    """A seed beyond what NumPy takes still seeds everything."""
    first, again = (
        range_test(Net, rows(), "mse_loss", seed=2**32 - 1, seeds=2, **SHORT) for _ in range(2)
    )

    assert [c.loss.tobytes() for c in first.curves] == [c.loss.tobytes() for c in again.curves]


def test_an_iterator_that_runs_out_ends_the_sweep() -> None:
    """A one-shot iterator gives as many points as it has batches, less one."""
    batches = (tuple(part[i : i + 8] for part in rows()) for i in range(0, 48, 8))
    report = range_test(linear, batches, "mse_loss", **SHORT)

    assert report.curves[0].stop is StopReason.EXHAUSTED
    assert len(report.curves[0]) == 5


def test_an_iterator_cannot_serve_several_seeds() -> None:
    """What can be read once is refused up front where it would be read again."""
    with pytest.raises(InputError, match=r"generator, which can be read once.*seeds = 2"):
        range_test(linear, (b for b in [rows()]), "mse_loss", seeds=2, **SHORT)


def test_an_infinite_iterator_and_a_generator_function_feed_a_sweep() -> None:
    """Streams without an end, and functions that make short ones, complete the sweep."""

    def forever() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield rows()

    def short() -> Iterator[tuple[Tensor, Tensor]]:
        yield rows()
        yield rows()

    for data in (forever(), forever, short):
        report = range_test(linear, data, "mse_loss", **SHORT)
        assert report.curves[0].stop is StopReason.COMPLETED


def test_held_out_data_give_the_curve() -> None:
    """With validation data the curve holds their loss, without noise from the batches."""
    X, y = rows()
    model = linear()
    report = range_test(
        model,
        (X, y),
        "mse_loss",
        optimizer="sgd",
        validation=[(X, y)],
        batch_size=8,
        auto_range=False,
        **SHORT,
    )
    expected = nn.functional.mse_loss(model(X), y).item()

    assert report.curves[0].initial_loss == pytest.approx(expected)
    assert (np.diff(report.curves[0].loss) < 0).all()


# --------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"start_lr": 1.0, "end_lr": 0.1}, "start_lr = 1 must be below"),
        ({"start_lr": -1.0}, r"start_lr = -1\.0 must be above 0"),
        ({"end_lr": math.nan}, "end_lr = nan must be"),
        ({"steps": 1}, "steps = 1 must be at least 2"),
        ({"stepz": 3}, "stepz is not a known key"),
        ({"batch_size": 0}, "batch_size = 0 must be at least 1"),
        ({"device": "tpu"}, r"device: = 'tpu' is not on this machine, which has cpu"),
        ({"device": "cuda:99"}, "'cuda:99' is not on this machine"),
        ({"method": "vally"}, "'vally' is no suggestion rule; did you mean 'valley'"),
        ({"optimizer": "addam"}, "'addam' is not bundled"),
        ({"step": max}, "both loss_fn and step"),
        ({"optimizer": torch.optim.SGD([torch.zeros(1)], lr=1)}, "a factory of models"),
        ({"precision": "fp8"}, "precision"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_argument_is_told_before_anything_is_trained(
    arguments: dict[str, Any], says: str
) -> None:
    """Each wrong argument is an InputError in the config's words, before the model is built."""

    def model() -> nn.Module:
        raise AssertionError("built")

    with pytest.raises(InputError, match=says):
        range_test(model, rows(), "mse_loss", **{"device": "cpu"} | arguments)


@pytest.mark.parametrize("made", [None, 3, [linear()]])
def test_a_factory_that_gives_no_model_is_refused(made: Any) -> None:
    """What a factory returns must be a module."""
    with pytest.raises(InputError, match=r"gave .*; it must be a torch\.nn\.Module"):
        range_test(lambda: made, rows(), "mse_loss", **SHORT)


def test_a_device_object_is_a_device() -> None:
    """`torch.device` is taken as well as its name."""
    report = range_test(linear, rows(), "mse_loss", **SHORT | {"device": torch.device("cpu")})

    assert report.environment.device == "cpu"


def test_a_first_loss_of_nan_gives_no_suggestion_but_a_reason() -> None:
    """A model whose loss is NaN before any update gets an empty curve and an honest reason."""
    report = range_test(linear, rows(), lambda out, y: out.mean() * math.nan, seeds=2, **SHORT)

    assert [len(curve) for curve in report.curves] == [0, 0]
    assert report.curves[0].stop is StopReason.NONFINITE
    assert report.suggestion is None
    assert report.no_answer is not None
    assert report.no_answer.remedy


def test_refine_tries_lrs_within_its_budget() -> None:
    """`refine=` gives trials that fit the budget, and leaves the caller's model as it was."""
    model = torch.nn.Linear(4, 1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    X = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    data = (X, X.sum(1, keepdim=True))

    report = range_test(model, data, "mse_loss", optimizer="adam", refine=550, device="cpu")

    assert len(report.trials) >= 3
    assert len(report.curves[0]) + sum(trial.steps for trial in report.trials) <= 550
    assert report.suggestion is not None
    assert report.suggestion.method == "auto+trials"
    assert all(map(torch.equal, model.parameters(), before))


@pytest.mark.parametrize("refine", [0, -5])
def test_a_budget_that_is_none_is_refused(refine: int) -> None:
    """A budget below one update is an error, not a run without trials."""
    with pytest.raises(InputError, match="budget"):
        range_test(torch.nn.Linear(1, 1), [torch.ones(1, 1)], "mse_loss", refine=refine)
