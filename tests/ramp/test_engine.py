"""The loop: pairing of LR and loss, every way to stop, observers told of all of it."""

from __future__ import annotations

import math

import pytest
from sweep_fakes import Diary, FakeTrainable

from lrfind.curve import Step, StopReason
from lrfind.errors import DataExhaustedError
from lrfind.ramp import Plan, StopRule, run_sweep
from lrfind.ramp.engine import MAX_SKIPPED

PLAN = Plan("exponential", 1e-4, 1.0, 5)
LOSSES = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]


def test_each_lr_is_paired_with_the_first_loss_its_update_produced() -> None:
    """The loss before any update is the initial one; point i is (lr i, loss after update i)."""
    fake = FakeTrainable(LOSSES)
    curve = run_sweep(fake, PLAN, seed=3)

    assert curve.initial_loss == 9.0
    assert curve.loss.tolist() == LOSSES[1:]
    assert curve.lr.tolist() == fake.lrs == [PLAN.lr(i) for i in range(5)]
    assert (curve.lr[0], curve.lr[-1]) == (1e-4, 1.0)
    assert (curve.stop, curve.seed) == (StopReason.COMPLETED, 3)


def test_a_step_costs_one_backward_and_the_last_none() -> None:
    """Five updates take five backwards and one bare loss: nothing is computed twice."""
    fake = FakeTrainable(LOSSES)
    run_sweep(fake, PLAN)

    assert fake.calls == ["backward", "update"] * 5 + ["measure"]


def test_with_held_out_data_the_loss_is_measured_right_after_the_update() -> None:
    """The curve holds the held-out losses, each measured between its update and the next batch."""
    held_out = [90.0, 80.0, 70.0, 60.0, 50.0, 40.0]
    fake = FakeTrainable(LOSSES, held_out)
    curve = run_sweep(fake, PLAN)

    assert curve.initial_loss == 90.0
    assert curve.loss.tolist() == held_out[1:]
    expected = ["measure", *["backward", "update", "measure"] * 5]
    assert fake.calls == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_with_held_out_data_a_nonfinite_training_loss_stops_too(bad: float) -> None:
    """A training loss that is NaN ends the sweep before an update without gradients."""
    fake = FakeTrainable([9.0, 8.0, bad, 6.0, 5.0, 4.0], [1.0] * 6)
    curve = run_sweep(fake, PLAN)

    assert curve.stop is StopReason.NONFINITE
    assert (len(curve), fake.updates) == (2, 2)


@pytest.mark.parametrize("held_out", [None, [1.0] * 6])
def test_a_first_loss_of_nan_gives_an_empty_curve(held_out: list[float] | None) -> None:
    """Nothing is updated when the loss is NaN before the first update."""
    fake = FakeTrainable([math.nan] * 6, held_out)
    diary = Diary()
    curve = run_sweep(fake, PLAN, observers=[diary])

    assert (len(curve), curve.stop, fake.updates) == (0, StopReason.NONFINITE, 0)
    assert diary.ended == [StopReason.NONFINITE]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_nonfinite_loss_is_recorded_and_ends_the_sweep(k: int) -> None:
    """The NaN is the last point of the curve."""
    losses = LOSSES.copy()
    losses[k] = math.nan
    curve = run_sweep(FakeTrainable(losses), PLAN)

    assert curve.stop is StopReason.NONFINITE
    assert len(curve) == k
    assert math.isnan(curve.loss[-1])
    assert all(math.isfinite(loss) for loss in curve.loss[:-1])


def test_divergence_ends_the_sweep() -> None:
    """The stop rule is asked after each update."""
    losses = [1.0, *[1.0] * 10, *[100.0] * 30]
    plan = Plan("linear", 0.1, 1.0, 40)
    curve = run_sweep(FakeTrainable(losses), plan, StopRule(min_steps=5))

    assert (curve.stop, len(curve)) == (StopReason.DIVERGED, 13)


def test_a_skipped_update_consumes_no_lr() -> None:
    """Where a loss scaler skips updates, the same LR is tried again on the next batches."""
    fake = FakeTrainable(LOSSES, skips=frozenset({0, 1, 4}))
    curve = run_sweep(fake, PLAN)

    assert curve.lr.tolist() == fake.lrs == [PLAN.lr(i) for i in range(5)]
    assert curve.loss.tolist() == LOSSES[1:]
    assert fake.calls.count("update") == 8


def test_updates_skipped_for_ever_end_the_sweep() -> None:
    """When no loss scale helps the sweep stops as non-finite instead of going on for ever."""
    fake = FakeTrainable(LOSSES, skips=frozenset(range(2, 10**4)))
    curve = run_sweep(fake, PLAN)

    assert (curve.stop, len(curve)) == (StopReason.NONFINITE, 3)
    assert math.isnan(curve.loss[-1])
    assert fake.calls.count("update") == 2 + MAX_SKIPPED


def test_a_nonfinite_loss_after_a_skipped_update_ends_the_sweep() -> None:
    """No update is tried on a loss without gradients."""

    class Broken(FakeTrainable):
        def backward(self) -> float:
            return math.inf if super().backward() and self._asked == 3 else 1.0

    fake = Broken(LOSSES, skips=frozenset({2}))
    curve = run_sweep(fake, PLAN)

    assert (curve.stop, len(curve)) == (StopReason.NONFINITE, 3)
    assert fake.calls.count("update") == 3


@pytest.mark.parametrize("call", ["backward", "update"])
def test_ctrl_c_ends_the_sweep_with_what_was_measured(call: str) -> None:
    """A KeyboardInterrupt in any call gives the partial curve."""

    def interrupt(name: str, updates: int) -> None:
        if (name, updates) == (call, 3):
            raise KeyboardInterrupt

    diary = Diary()
    curve = run_sweep(FakeTrainable(LOSSES, before=interrupt), PLAN, observers=[diary])

    assert curve.stop is StopReason.INTERRUPTED
    assert curve.loss.tolist() == LOSSES[1 : len(curve) + 1]
    assert len(curve) == (2 if call == "backward" else 3)
    assert diary.ended == [StopReason.INTERRUPTED]


def test_data_that_run_out_end_the_sweep() -> None:
    """An exhausted source is a stop reason, not an error."""

    def run_dry(name: str, updates: int) -> None:
        if updates == 4 and name == "backward":
            raise DataExhaustedError

    curve = run_sweep(FakeTrainable(LOSSES, before=run_dry), PLAN)

    assert (curve.stop, len(curve)) == (StopReason.EXHAUSTED, 3)


def test_an_error_reaches_the_caller_and_observers_are_told() -> None:
    """What the user's code raises passes through, after every observer heard of the end."""

    def fail(name: str, updates: int) -> None:
        if updates == 2:
            raise RuntimeError("boom")

    diary = Diary()
    with pytest.raises(RuntimeError, match="boom"):
        run_sweep(FakeTrainable(LOSSES, before=fail), PLAN, observers=[diary])

    assert diary.ended == [StopReason.FAILED]
    assert [step.loss for step in diary.steps] == [8.0]


def test_an_observer_that_fails_does_not_keep_others_from_the_end() -> None:
    """Every observer that began is told of the end, even where another one raises."""

    class Full(Diary):
        def end(self, stop: StopReason) -> None:
            super().end(stop)
            raise OSError("disk full")

    watchers = [Diary(), Full(), Diary()]
    with pytest.raises(OSError, match="disk full"):
        run_sweep(FakeTrainable(LOSSES), PLAN, observers=watchers)

    assert [watcher.ended for watcher in watchers] == [[StopReason.COMPLETED]] * 3


def test_observers_see_every_step_in_order() -> None:
    """Observers get the plan's size first, then each point of the curve."""
    diary = Diary()
    curve = run_sweep(FakeTrainable(LOSSES), PLAN, seed=7, index=1, count=3, observers=[diary])

    assert diary.begun == [(7, 1, 3, 5)]
    assert [(s.index, s.lr, s.loss) for s in diary.steps] == [
        (i, lr, loss) for i, (lr, loss) in enumerate(zip(curve.lr, curve.loss, strict=True))
    ]
    assert all(isinstance(step, Step) and step.elapsed_s >= 0 for step in diary.steps)
