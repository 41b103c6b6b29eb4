"""Losses that come late: the loop runs ahead of them and ends where it would have without."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_fakes import Diary, FakeTrainable

from lrfind.curve import Curve, Measurement, Step, StopReason
from lrfind.errors import DataExhaustedError
from lrfind.ramp import Plan, StopRule, run_sweep

Before = Callable[[str, int], None]


def nothing(name: str, updates: int) -> None:
    """Let every call pass."""


class Slow:
    """A measurement that is ready after it was asked for a number of times."""

    def __init__(self, loss: float, asks: int) -> None:
        self.loss, self.asks = loss, asks

    def is_ready(self) -> bool:
        """Count the asking."""
        self.asks -= 1
        return self.asks < 0

    def read(self) -> Measurement:
        """Give the loss, ready or not."""
        return Measurement(self.loss)


class LateTrainable(FakeTrainable):
    """A device with a queue: what is launched is measured at once and told later."""

    def __init__(self, losses: list[float], lag: int, asks: int, before: Before = nothing) -> None:
        super().__init__(losses, before=before)
        self.queue, self.lag, self.asks = self, lag, asks

    def launch(self, *, with_gradients: bool = True) -> Slow:
        """Note the call under the name that it has without a lag."""
        loss = self.backward() if with_gradients else self.measure()
        return Slow(loss, self.asks)


def told(
    fake: FakeTrainable, plan: Plan, extend: Callable[[Plan, Curve], Plan] | None = None
) -> tuple[object, ...]:
    """Sweep, and give all that is told of it but the time."""
    diary = Diary()
    curve = run_sweep(fake, plan, StopRule(min_steps=3), observers=[diary], extend=extend)
    steps: list[Step] = [replace(step, elapsed_s=0.0) for step in diary.steps]
    return (
        curve.lr.tolist(), repr(curve.loss.tolist()), curve.stop, repr(curve.initial_loss),
        repr(steps), diary.ended,
    )  # fmt: skip


LOSS = st.sampled_from([1.0, 0.5, 0.9, 1.1, 40.0, 50.0, math.nan, math.inf]) | st.floats(-2, 2)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(LOSS, min_size=31, max_size=31),
    st.integers(1, 9),
    st.integers(0, 12),
    st.integers(2, 30),
    st.booleans(),
)
def test_a_late_curve_is_the_curve(
    losses: list[float], lag: int, asks: int, steps: int, is_extended: bool
) -> None:
    """Whatever the losses and the delay: same points, same reason, same story, also extended."""
    plan = Plan("exponential", 1e-4, 1.0, steps)

    def extend(plan: Plan, curve: Curve) -> Plan:
        assert len(curve) == plan.steps
        return replace(plan, more=min(3, 30 - plan.steps)) if curve.loss[-1] > 0 else plan

    more = extend if is_extended else None
    late = LateTrainable(losses, lag, asks)

    assert told(late, plan, more) == told(FakeTrainable(losses), plan, more)


LOSSES = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0]
PLAN = Plan("exponential", 1e-4, 1.0, 7)


@pytest.mark.parametrize("nan_at", [2, 3, 4, 5])
@pytest.mark.parametrize("lag", [1, 3, 20])
@pytest.mark.parametrize("error", [RuntimeError("a NaN!"), DataExhaustedError("no data")], ids=str)
def test_an_error_behind_the_end_is_none(nan_at: int, lag: int, error: Exception) -> None:
    """What is raised after a NaN that nobody has read yet would not have been run."""
    losses = [math.nan if i == nan_at else loss for i, loss in enumerate(LOSSES)]

    def before(name: str, updates: int) -> None:
        if updates == 5 and name == "update":
            raise error

    late = told(LateTrainable(losses, lag, 99, before), PLAN)

    assert late == told(FakeTrainable(losses, before=before), PLAN)
    assert StopReason.NONFINITE in late


@pytest.mark.parametrize("lag", [1, 3, 20])
def test_an_error_before_the_end_is_raised_with_all_that_was_measured(lag: int) -> None:
    """Losses on their way are told before the user's own error reaches the caller."""

    def before(name: str, updates: int) -> None:
        if updates == 5 and name == "update":
            raise RuntimeError("boom")

    diary = Diary()
    with pytest.raises(RuntimeError, match="boom"):
        run_sweep(LateTrainable(LOSSES, lag, 99, before), PLAN, observers=[diary])

    assert [step.loss for step in diary.steps] == LOSSES[1:6]
    assert diary.ended == [StopReason.FAILED]


@pytest.mark.parametrize("losses", [LOSSES, [9.0, 8.0, math.nan, 6.0, 5.0, 4.0, 3.0, 2.0]])
def test_ctrl_c_keeps_what_is_on_its_way_and_stays_an_interruption(losses: list[float]) -> None:
    """A Ctrl-C is never taken for the end of a sweep that had ended without anyone knowing."""

    def before(name: str, updates: int) -> None:
        if updates == 5 and name == "update":
            raise KeyboardInterrupt

    curve = run_sweep(LateTrainable(losses, 20, 99, before), PLAN)

    assert curve.stop is StopReason.INTERRUPTED
    assert len(curve) == (5 if losses is LOSSES else 2)


def test_the_loop_runs_no_further_ahead_than_the_lag() -> None:
    """With nothing ready, at most `lag` launches are unread, so a stop comes `lag` steps late."""
    losses = [1.0, 1.0, math.nan, *[1.0] * 40]
    late = LateTrainable(losses, 4, 99)
    curve = run_sweep(late, Plan("exponential", 1e-4, 1.0, 30))

    assert (len(curve), late.updates) == (2, 6)
