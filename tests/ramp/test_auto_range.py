"""Going on beyond the range: how far, when, and that it is one sweep all the same."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_fakes import Diary, FakeTrainable
from torch import nn

from lrfind import range_test
from lrfind.curve import Curve, StopReason
from lrfind.errors import DataExhaustedError
from lrfind.export import CurveRecorder, read_curves, write_report
from lrfind.ramp import Plan, StopRule, extended, lowered, range_notes, run_sweep
from lrfind.saved import reread

PLAN = Plan("exponential", 1e-6, 1e-2, 40)


def falling(count: int = 400, centre: int = 20) -> list[float]:
    """Losses that fall by half at update `centre`, and never rise."""
    return [2.0 - 1.0 / (1.0 + math.exp((centre - i) / 3)) for i in range(count)]


def swept(losses: list[float], plan: Plan = PLAN, **options: Any) -> Curve:
    """Sweep over a list of losses, with more range where it is needed."""
    return run_sweep(FakeTrainable(losses), plan, extend=extended, **options)


def sampled(loss: Any, plan: Plan = PLAN, stop: StopReason = StopReason.COMPLETED) -> Curve:
    """Make the curve of a plan from a function of log10 LR."""
    lr = np.array([plan.lr(i) for i in range(plan.total)])
    return Curve(lr, np.array([loss(x) for x in np.log10(lr)]), stop=stop)


def test_a_sweep_that_is_still_falling_goes_on_with_the_same_factor() -> None:
    """Half the steps are added; LRs grow by the same factor, and end_lr itself is still met."""
    curve = swept(falling())
    ratios = curve.lr[1:] / curve.lr[:-1]

    assert (len(curve), curve.stop) == (60, StopReason.COMPLETED)
    assert curve.lr[:40].tolist() == [PLAN.lr(i) for i in range(40)]
    assert curve.lr[39] == 1e-2
    assert ratios == pytest.approx(np.full(59, 10 ** (4 / 39)), rel=1e-12)
    assert curve.loss.tolist() == falling()[1:61]


def test_the_default_sweep_never_passes_300_steps() -> None:
    """200 steps over 8 decades go on for 74, which is three decades."""
    plan = Plan("exponential", 1e-7, 10.0, 200)
    curve = swept(falling(centre=170), plan, rule=StopRule())

    assert len(curve) == 274
    assert 0.9e4 < curve.lr[-1] <= 1e4


def test_going_on_is_no_restart() -> None:
    """Each update has its own gradients, in one row, and the last loss has no use for them."""
    fake = FakeTrainable(falling())
    run_sweep(fake, PLAN, extend=extended)

    assert fake.calls == ["backward", "update"] * 60 + ["measure"]


def test_with_held_out_data_going_on_draws_the_next_batch() -> None:
    """Each update is preceded by its gradients and followed by the held-out loss."""
    fake = FakeTrainable(falling(), held_out=falling())
    curve = run_sweep(fake, PLAN, extend=extended)

    assert len(curve) == 60
    assert fake.calls == ["measure", *["backward", "update", "measure"] * 60]


def test_an_extended_sweep_is_the_longer_sweep() -> None:
    """On a real model the points are those of a sweep that was planned that long."""
    X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))

    def run(**options: Any) -> Curve:
        report = range_test(
            lambda: nn.Linear(3, 1), (X, X.sum(1, keepdim=True)), "mse_loss", optimizer="sgd",
            device="cpu", start_lr=1e-6, batch_size=16, **options,
        )  # fmt: skip
        return report.curves[0]

    short = run(end_lr=1e-3, steps=40)
    long = run(end_lr=float(short.lr[-1]), steps=len(short), auto_range=False)

    assert len(short) == 60
    assert short.lr == pytest.approx(long.lr, rel=1e-12)
    assert short.loss == pytest.approx(long.loss, rel=1e-5)


def test_divergence_ends_what_was_added() -> None:
    """The stop rule holds beyond end_lr too."""
    losses = falling()
    losses[50:] = [100.0 + i for i in range(len(losses) - 50)]
    curve = swept(losses)

    assert curve.stop is StopReason.DIVERGED
    assert 50 <= len(curve) < 55


@pytest.mark.parametrize(("at", "stop"), [(39, "exhausted"), (40, "completed"), (47, "completed")])
def test_data_that_run_out_beyond_the_plan_are_no_fault(at: int, stop: str) -> None:
    """A stream that is just long enough for the planned steps completes them."""

    def run_dry(name: str, updates: int) -> None:
        if updates == at + 1 and name == "backward":
            raise DataExhaustedError

    fake = FakeTrainable(falling(), before=run_dry)
    curve = run_sweep(fake, PLAN, extend=extended)

    assert (curve.stop, len(curve)) == (stop, at)


def test_ctrl_c_beyond_the_plan_keeps_what_was_measured() -> None:
    """An interrupt in the added steps gives all points so far."""

    def interrupt(name: str, updates: int) -> None:
        if updates == 50:
            raise KeyboardInterrupt

    curve = run_sweep(FakeTrainable(falling(), before=interrupt), PLAN, extend=extended)

    assert (curve.stop, len(curve)) == (StopReason.INTERRUPTED, 49)


def test_an_error_beyond_the_plan_reaches_the_caller() -> None:
    """Observers have every point when the user's code raises in the added steps."""

    def fail(name: str, updates: int) -> None:
        if updates == 50:
            raise RuntimeError("boom")

    diary = Diary()
    with pytest.raises(RuntimeError, match="boom"):
        run_sweep(FakeTrainable(falling(), before=fail), PLAN, observers=[diary], extend=extended)

    assert (len(diary.steps), diary.ended) == (49, [StopReason.FAILED])


@pytest.mark.parametrize(
    ("curve", "why"),
    [
        (sampled(lambda x: math.hypot(x + 4, 0.1)), "it fell and rose"),
        (sampled(lambda x: 1 + 10 ** (x + 3)), "it rose"),
        (sampled(lambda x: -x, Plan("exponential", 1e-3, 1e-2, 4)), "too few points to read"),
    ],
)
def test_a_sweep_that_saw_enough_ends_where_it_was_told(curve: Curve, why: str) -> None:
    """No step is added where the loss has risen, or where nothing can be read."""
    plan = Plan("exponential", curve.lr[0], curve.lr[-1], len(curve))

    assert extended(plan, curve) == plan, why


def test_a_linear_sweep_is_left_as_it_is() -> None:
    """A linear sweep has no factor to go on with, and no thousandth to begin from."""
    plan = Plan("linear", 1e-3, 1.0, 60)
    lr = np.linspace(1e-3, 1.0, 60)

    assert extended(plan, Curve(lr, -lr)) == plan
    assert lowered(plan, Curve(lr, 1 + 1e3 * lr)) is None
    assert range_notes([Curve(2 * lr, lr)], plan) == []


@settings(max_examples=100, deadline=None)
@given(
    log_start=st.floats(-290, 280),
    span=st.floats(0.2, 20),
    steps=st.integers(6, 400),
)
def test_what_is_added_is_bounded(log_start: float, span: float, steps: int) -> None:
    """Never more than half the steps, never beyond 1000 · end_lr, never an infinite LR."""
    plan = Plan("exponential", 10.0**log_start, 10.0 ** (log_start + span), steps)
    longer = extended(plan, sampled(lambda x: -x, plan))
    lrs = [longer.lr(i) for i in range(longer.total)]

    assert longer.total <= 1.5 * steps
    assert lrs[-1] <= 1000 * plan.end_lr * (1 + 1e-9)
    assert lrs[:steps] == [plan.lr(i) for i in range(steps)]
    assert all(a < b < math.inf for a, b in pairwise(lrs))
    assert extended(longer, sampled(lambda x: -x, longer)) == longer


@pytest.mark.parametrize(
    ("curve", "is_lowered"),
    [
        (sampled(lambda x: 1 + 100 * (x + 6) ** 2, stop=StopReason.DIVERGED), True),
        (Curve(np.array([1e-6, 2e-6]), np.array([1.0, math.nan]), stop=StopReason.NONFINITE), True),
        (sampled(lambda x: 1 + max(0.0, x + 4) ** 2, stop=StopReason.DIVERGED), False),
        (sampled(lambda x: math.hypot(x + 5.5, 0.1), stop=StopReason.DIVERGED), False),
        (sampled(lambda x: 1 + 100 * (x + 6) ** 2, stop=StopReason.INTERRUPTED), False),
        (sampled(lambda x: 1.0), False),
        (Curve(np.array([]), np.array([]), stop=StopReason.NONFINITE), False),
    ],
    ids=["rose", "NaN", "rose later", "fell", "interrupted", "flat", "empty"],
)
def test_the_start_is_lowered_where_the_loss_only_rose_there(
    curve: Curve, is_lowered: bool
) -> None:
    """A rise within the first decade, without a fall before it, asks for a thousandth."""
    plan = lowered(PLAN, curve)

    assert plan == (Plan("exponential", 1e-6 / 1000, 1e-2, 40) if is_lowered else None)


# End to end.


class Fragile(nn.Module):
    """A weight whose loss only falls at LRs far below those of a usual sweep."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give 5·10⁶ w², which diverges beyond an LR of 2·10⁻⁷."""
        return 5e6 * self.w.square().sum() + 0 * x.sum()


BATCHES = [torch.ones(1, 1)] * 4


def fragile(**options: Any) -> Any:
    """Sweep it with plain SGD, from its limit of stability on."""
    options = {"start_lr": 1.5e-7, "end_lr": 1.0, "steps": 60} | options
    return range_test(Fragile, BATCHES, optimizer="sgd", device="cpu", **options)


def test_a_sweep_that_only_rises_is_run_again_from_lower(tmp_path: Path) -> None:
    """The second sweep answers; it alone is in the report, in the files, and it is told."""
    recorder = CurveRecorder(tmp_path)
    report = fragile(observers=[recorder])
    write_report(report, tmp_path / "report.json")

    assert report.curves[0].lr[0] == 1.5e-10
    assert report.notes[0].code == "range-lowered"
    assert "swept again from 1.5e-10" in report.notes[0].message
    assert 1e-9 < report.suggestion.lr < 2e-7
    assert read_curves(recorder.path)[0].lr.tolist() == report.curves[0].lr.tolist()
    assert reread(tmp_path / "report.json").notes == report.notes


def test_later_seeds_start_where_the_first_one_had_to() -> None:
    """What one seed found out is not found out again by the next."""
    diary = Diary()
    report = fragile(seeds=3, observers=[diary])

    assert [seed for seed, *_ in diary.begun] == [0, 0, 1, 2]
    assert [curve.lr[0] for curve in report.curves] == [1.5e-10] * 3
    assert report.notes[0].message.startswith("3 of 3 seeds: the loss only rose")


def test_a_start_is_lowered_once() -> None:
    """A loss that rises at the lowered start too is left at that."""
    diary = Diary()
    report = fragile(start_lr=1e-3, observers=[diary])

    assert len(diary.begun) == 2
    assert report.suggestion is None


def test_a_stream_is_not_swept_again() -> None:
    """What was read of a one-shot iterator is gone, so its sweep stays as it is."""
    diary = Diary()
    range_test(
        Fragile(), iter(BATCHES * 50), optimizer="sgd", device="cpu", start_lr=1e-3, end_lr=1.0,
        steps=60, observers=[diary],
    )  # fmt: skip

    assert len(diary.begun) == 1


def test_without_auto_range_the_ends_are_kept() -> None:
    """Off, a sweep neither goes on nor begins again, and no note speaks of it."""
    diary = Diary()
    rising = fragile(auto_range=False, observers=[diary])
    kept = fragile(start_lr=1e-12, end_lr=1e-9, auto_range=False)
    more = fragile(start_lr=1e-12, end_lr=1e-9)

    assert len(diary.begun) == 1
    assert rising.suggestion is None
    assert not [note for note in (*rising.notes, *kept.notes) if note.code.startswith("range")]
    assert (len(kept.curves[0]), kept.curves[0].lr[-1]) == (60, 1e-9)
    assert more.notes[0].code == "range-extended"
    added = len(more.curves[0]) - 60
    assert f"not risen at sweep.end_lr = 1e-09: {added} steps were added" in more.notes[0].message
    assert more.curves[0].loss[:60].tolist() == kept.curves[0].loss.tolist()
