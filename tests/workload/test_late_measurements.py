"""A workload whose losses are read late: the same curve, and on CUDA no step is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from workload_models import Net, plain, rows, workload

from lrfind.curve import Curve, StopReason
from lrfind.ramp import Plan, run_sweep
from lrfind.workload.later import LateMeasurement
from lrfind.workload.workload import Workload

PLAN = Plan("exponential", 1e-4, 1e3, 60)
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def curve_of(work: Workload, lag: int | None) -> Curve:
    """Sweep with a lag; None: the workload's own."""
    with work.open(3) as trainable:
        trainable.lag = trainable.lag if lag is None else lag
        return run_sweep(trainable, PLAN)


def assert_alike(late: Curve, curve: Curve) -> None:
    """Compare everything but the time."""
    assert late.lr.tolist() == curve.lr.tolist()
    assert repr(late.loss.tolist()) == repr(curve.loss.tolist())
    assert (late.stop, late.initial_loss) == (curve.stop, curve.initial_loss)
    assert repr(late.update_ratio) == repr(curve.update_ratio)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clip_grad_norm": 0.1},
        {"accumulate": 3},
        {"precision": "bf16"},
        {"model": Net, "accumulate": 2, "clip_grad_norm": 1.0},
    ],
    ids=str,
)
def test_losses_read_late_make_the_same_curve(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clipping, accumulation, precision: bit for bit, to the step at which the sweep diverges."""
    curve = curve_of(workload(**options), 0)
    # A CPU has no queue: here it is never done before it is waited for.
    monkeypatch.setattr(LateMeasurement, "is_ready", lambda self: False)

    assert_alike(curve_of(workload(**options), 5), curve)
    assert curve.stop in (StopReason.DIVERGED, StopReason.NONFINITE) or "clip" in str(options)


def test_the_norm_of_clipped_gradients_comes_with_its_own_update() -> None:
    """The step that a lag delays keeps the gradient norm of the update before its loss."""

    def norms(lag: int) -> list[float | None]:
        found: list[float | None] = []

        class Norms:
            def begin(self, seed: int, index: int, count: int, steps: int) -> None: ...

            def step(self, step: Any) -> None:
                found.append(step.grad_norm)

            def end(self, stop: StopReason) -> None: ...

        with workload(clip_grad_norm=0.1).open(0) as trainable:
            trainable.lag = lag
            run_sweep(trainable, PLAN, observers=[Norms()])
        return found

    assert None not in norms(0)
    assert norms(4) == norms(0)


@pytest.mark.parametrize("lag", [0, 5])
def test_nan_data_are_named_when_their_loss_is_read(lag: int) -> None:
    """A late NaN is explained by its own batch, and not by the weights that it has spoilt since."""
    X, y = rows(8)
    spoilt = X.clone()
    spoilt[0, 0] = torch.nan
    batches = [(X, y)] * 4 + [(spoilt, y)] * 20
    with workload(data=batches, batch_size=None).open(0) as trainable:
        trainable.lag = lag
        curve = run_sweep(trainable, PLAN)
        trainable.review()

    assert (curve.stop, len(curve)) == (StopReason.NONFINITE, 4)
    assert [note.code for note in trainable.notes] == ["non-finite-data"]


def on_cuda(model: Any = plain, **options: Any) -> Workload:
    """Put a workload on the GPU."""
    work = workload(model, **options)
    work.device = torch.device("cuda")
    return work


@contextmanager
def no_waiting() -> Iterator[None]:
    """Make every call of torch that waits for the GPU an error."""
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@pytest.mark.cuda
@CUDA
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_the_loop_waits_for_no_step(optimizer: str, clip: float | None) -> None:
    """From the first update on, nothing in the loop waits for the device."""
    work = on_cuda(optimizer=optimizer, clip_grad_norm=clip)
    with work.open(0) as trainable, no_waiting():
        curve = run_sweep(trainable, PLAN)

    assert trainable.lag > 0
    assert len(curve) > 10


@pytest.mark.cuda
@CUDA
@pytest.mark.parametrize(
    "options",
    [{"precision": "fp16"}, {"validation": rows()}, {"optimizer": torch.optim.LBFGS}],
    ids=["loss scaler", "held-out data", "closure"],
)
def test_what_must_know_each_loss_has_no_lag(options: dict[str, Any]) -> None:
    """A loss scaler, held-out data and a closure wait for each step."""
    with on_cuda(**options).open(0) as trainable:
        assert trainable.lag == 0


@pytest.mark.cuda
@CUDA
def test_a_late_curve_on_cuda_is_the_curve() -> None:
    """The lag changes no point, no reason and no end, also where the loss becomes NaN."""

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        loss = (model(batch[0]) - batch[1]).square().mean()
        return torch.where(loss > 1e3, torch.nan, loss)

    for options in ({}, {"step": step}):
        assert_alike(
            curve_of(on_cuda(model, **options), None), curve_of(on_cuda(model, **options), 0)
        )
