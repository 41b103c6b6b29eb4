"""A sweep inside a loop of one's own measures what `range_test` measures, and leaves no trace."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import StepLR

import lrfind
from lrfind import range_test
from lrfind.curve import StopReason
from lrfind.errors import InputError
from lrfind.export import read_report
from tests import nursery

Batch = tuple[Tensor, Tensor]


def batches(count: int = 8) -> list[Batch]:
    """Make batches of a task that can be learned."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 32, 6, generator=generator)
    y = (x[..., 0] * x[..., 1] > 0).long()
    return list(zip(x, y, strict=True))


def network() -> nn.Module:
    """Build a network, the same each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def adam(model: nn.Module) -> Optimizer:
    """Build Adam with two groups of different LRs."""
    first, *rest = model.children()
    groups = [{"params": first.parameters(), "lr": 1e-4}]
    return torch.optim.Adam([*groups, {"params": nn.ModuleList(rest).parameters()}], lr=1e-3)


def sgd(model: nn.Module) -> Optimizer:
    """Build SGD with momentum."""
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def train(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
    """Do one update and return its loss."""
    x, y = batch
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@pytest.mark.parametrize("make", [adam, sgd])
@pytest.mark.parametrize(
    "options",
    [
        {"start_lr": 1e-5, "steps": 60},
        {"start_lr": 1e-6, "end_lr": 1e-3, "steps": 40},
        {"mode": "linear", "start_lr": 1e-3, "end_lr": 1.0, "steps": 50},
        {"start_lr": 1e-5, "steps": 60, "schedule": "cosine"},
    ],
    ids=["exponential", "too narrow", "linear", "for cosine"],
)
def test_it_measures_and_says_what_range_test_does(
    make: Callable[[nn.Module], Optimizer], options: dict[str, Any]
) -> None:
    """Same batches, same weights: the same curve, bit for bit, and answer."""
    model, data = network(), batches()
    optimizer = make(model)

    expected = range_test(
        model, data, "cross_entropy", optimizer=optimizer, device="cpu", **options
    )
    with lrfind.sweep(optimizer, model=model, **options) as sweep:
        for batch in sweep.batches(data):
            sweep.record(train(model, optimizer, batch))

    (curve,) = expected.curves
    assert sweep.curve.lr.tolist() == curve.lr.tolist()
    assert sweep.curve.loss.tolist() == curve.loss.tolist()
    assert (sweep.curve.stop, sweep.curve.initial_loss) == (curve.stop, curve.initial_loss)
    assert sweep.report.suggestion == expected.suggestion
    assert sweep.report.group_scales == expected.group_scales


@settings(deadline=None, max_examples=30)
@given(curvature=st.floats(0.01, 100))
def test_the_first_loss_that_grows_stands_at_the_first_lr_past_two_over_lambda(
    curvature: float,
) -> None:
    """On λx²/2 under plain SGD the pairing rule is exact, whatever λ."""
    x = nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=1.0)
    with lrfind.sweep(optimizer, start_lr=1e-4, end_lr=1e4, steps=200) as sweep:
        while True:
            loss = curvature * x.square() / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sweep.record(loss.item())

    curve = sweep.curve
    losses = [curve.initial_loss or 0.0, *curve.loss]
    grown = next(i for i in range(len(curve)) if losses[i + 1] > losses[i])
    assert grown == next(i for i in range(len(curve)) if curve.lr[i] > 2 / curvature)


def test_the_block_is_left_when_the_sweep_is_over() -> None:
    """A plain loop needs no break: it ends with the sweep, and with it the block."""
    model = nn.Linear(6, 2)
    optimizer, seen = sgd(model), []

    with lrfind.sweep(optimizer, start_lr=1e-3, end_lr=1e5, steps=100) as sweep:
        for batch in batches() * 1000:
            seen.append(batch)
            sweep.record(train(model, optimizer, batch))
        seen.clear()

    assert sweep.is_done
    assert sweep.curve.stop is StopReason.DIVERGED
    assert len(seen) == len(sweep.curve) + 1


def test_without_a_model_the_lrs_alone_are_put_back() -> None:
    """Weights stay as they were trained; each group has its LR again, a tensor in place."""
    model = network()
    optimizer = adam(model)
    lr = torch.tensor(3e-3)
    optimizer.param_groups[1]["lr"] = lr
    before = copy.deepcopy(model.state_dict())

    with lrfind.sweep(optimizer, steps=20, end_lr=1e-3) as sweep:
        for batch in sweep.batches(batches()):
            sweep.record(train(model, optimizer, batch))

    assert optimizer.param_groups[0]["lr"] == 1e-4
    assert optimizer.param_groups[1]["lr"] is lr
    assert lr.item() == pytest.approx(3e-3)
    assert not torch.equal(model.state_dict()["0.weight"], before["0.weight"])


@pytest.mark.parametrize("ending", ["done", "break", "error"])
def test_with_a_model_everything_is_put_back(ending: str) -> None:
    """Weights, statistics, the optimizer's state and the generators, however the block ends."""
    model = network()
    optimizer = adam(model)
    train(model, optimizer, batches()[0])
    before = copy.deepcopy([model.state_dict(), optimizer.state_dict()])
    generator = torch.get_rng_state()

    def swept() -> None:
        with lrfind.sweep(optimizer, model=model, steps=30) as sweep:
            for i, batch in enumerate(sweep.batches(batches())):
                torch.rand(3)
                sweep.record(train(model, optimizer, batch))
                if i == 9 and ending == "break":
                    break
                if i == 9 and ending == "error":
                    raise ZeroDivisionError

    if ending == "error":
        with pytest.raises(ZeroDivisionError):
            swept()
    else:
        swept()

    after = [model.state_dict(), optimizer.state_dict()]
    assert str(after) == str(before)
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize(
    ("error", "stop"),
    [
        (ZeroDivisionError, StopReason.FAILED),
        (KeyboardInterrupt, StopReason.INTERRUPTED),
        (None, StopReason.EXHAUSTED),
    ],
)
def test_what_was_measured_is_kept_however_the_block_ends(
    error: type[BaseException] | None, stop: StopReason
) -> None:
    """An exception goes on its way, and the partial curve stays readable."""
    model = network()
    optimizer = sgd(model)
    sweep = lrfind.sweep(optimizer, steps=30)

    def swept() -> None:
        with sweep:
            for batch in batches():
                sweep.record(train(model, optimizer, batch))
            if error is not None:
                raise error

    if error is None:
        swept()
    else:
        with pytest.raises(error):
            swept()

    assert (len(sweep.curve), sweep.curve.stop) == (7, stop)
    assert sweep.report.curves == (sweep.curve,)


def misused(case: str) -> None:
    """Use a sweep as it must not be used."""
    model = network()
    optimizer, batch = sgd(model), batches()[0]
    if case == "scheduler before":
        StepLR(optimizer, 10)
    sweep = lrfind.sweep(optimizer, **({"steps": 1} if case == "one step" else {"steps": 30}))
    if case == "outside":
        sweep.record(1.0)
    with sweep:
        scheduler = StepLR(optimizer, 1, gamma=0.5) if case == "scheduler inside" else None
        for i in range(5):
            if case != "no step":
                loss = train(model, optimizer, batch)
            if case == "two steps" and i == 2:
                train(model, optimizer, batch)
            if scheduler is not None:
                scheduler.step()
            if case == "a loss a sample":
                loss = torch.ones(32)
            sweep.record(loss if case != "no step" else 1.0)
            if case == "twice":
                sweep.record(loss)
            if case == "nested" and i == 2:
                with lrfind.sweep(optimizer, steps=20) as inner:
                    for other in inner.batches(batches()):
                        inner.record(train(model, optimizer, other))
            if case == "report inside":
                print(sweep.report)
    if case == "again":
        with sweep:
            pass


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("outside", "takes losses inside its with block only"),
        ("again", "was entered before"),
        ("no step", "without an update since the last one; .*optimizer.step"),
        ("twice", "without an update since the last one"),
        ("two steps", "one loss in 2 updates"),
        ("nested", r"one loss in \d+ updates"),
        ("scheduler before", "has an LR scheduler attached"),
        ("scheduler inside", "changed its own lr"),
        ("a loss a sample", r"a loss of shape \(32,\); it must be one number; average it"),
        ("report inside", "has no curve yet"),
        ("one step", "steps = 1 must be"),
    ],
)
def test_misuse_is_told_at_once(case: str, said: str) -> None:
    """Each way to call it wrongly ends in a sentence that says how to call it."""
    with pytest.raises(InputError, match=said):
        misused(case)


def test_updates_that_a_loss_scaler_skips_do_not_count() -> None:
    """A scale that overflows is lowered until an update is made; the curve begins there."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    passes = 0

    with lrfind.sweep(optimizer, scaler=scaler, start_lr=1e-3, steps=40) as sweep:
        for x, y in sweep.batches(batches()):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            scaler.scale(4 * loss).backward()
            scaler.step(optimizer)
            scaler.update()
            sweep.record(loss)
            passes += 1

    assert passes > len(sweep.curve) + 1
    assert sweep.curve.lr[0] == 1e-3
    assert math.isfinite(sweep.curve.loss[0])


def test_a_loss_that_no_scale_helps_ends_the_sweep() -> None:
    """An infinite loss at the start is one; nothing is suggested, and it is said why."""
    model = network()
    optimizer = sgd(model)

    with lrfind.sweep(optimizer, steps=40) as sweep:
        for batch in batches():
            train(model, optimizer, batch)
            sweep.record(math.inf)

    assert (len(sweep.curve), sweep.curve.stop) == (0, StopReason.NONFINITE)
    assert sweep.report.suggestion is None


def test_it_saves_what_a_run_saves(tmp_path: Path) -> None:
    """Curve, picture and report; the report reads back as it was."""
    model = network()
    optimizer = sgd(model)
    with lrfind.sweep(optimizer, model=model, start_lr=1e-4, steps=60) as sweep:
        for batch in sweep.batches(batches()):
            sweep.record(train(model, optimizer, batch))

    sweep.save(tmp_path / "sweep")

    names = sorted(path.name for path in (tmp_path / "sweep").iterdir())
    assert names == ["curve.csv", "curve.png", "report.json"]
    assert "Sequential · SGD" in sweep.report.title
    assert read_report(tmp_path / "sweep" / "report.json").suggestion == sweep.report.suggestion


def test_the_existing_script_runs_and_trains_better_than_it_did(tmp_path: Path) -> None:
    """`examples/existing_script.py` finds an LR, and its own loop goes on with it."""
    script = Path(__file__).parents[2] / "examples" / "existing_script.py"

    run = nursery.ran(script, cwd=tmp_path)

    assert run.returncode == 0, run.stderr
    suggestion, *epochs = run.stdout.splitlines()
    assert suggestion.startswith("lr ")
    assert float(epochs[-1].split()[-1]) < 0.5 * float(epochs[0].split()[-1])
