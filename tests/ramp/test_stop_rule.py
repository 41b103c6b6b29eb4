"""The divergence rule: each kind of loss stops where it should, for its true reason."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.curve import StopReason
from lrfind.ramp import StopRule, StopState

Stop = tuple[int, StopReason] | None


def first_stop(losses: list[float], rule: StopRule | None = None) -> Stop:
    """Feed losses until the rule stops; the index of the last one fed, and the reason."""
    rule, state = rule or StopRule(), StopState()
    for i, loss in enumerate(losses):
        state, stop = rule.update(state, loss)
        if stop is not None:
            return i, stop
    return None


def valley(steps: int = 80, bottom: float = 0.5, blow_up_from: int = 50) -> list[float]:
    """Fall from 2 to `bottom`, then double the excess every step."""
    fall = [bottom + (2 - bottom) / (1 + math.exp((i - 25) / 4)) for i in range(blow_up_from)]
    rise = [fall[-1] + 0.25 * 2.0 ** (i + 1) for i in range(steps - blow_up_from)]
    return [*fall, *rise]


# The drop is 1.5, so the median of five must stand 6 above the floor: that is the third loss of
# the rise above 6.5, the first of which is step 54 (0.5 + 0.25 · 2^5 = 8.5).
VALLEY_STOP = (56, StopReason.DIVERGED)


@pytest.mark.parametrize("shift", [0.0, -3.0, 1000.0, -1000.0])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_an_explosion_stops_at_the_same_step_whatever_sign_and_scale(
    shift: float, scale: float
) -> None:
    """Negative, shifted and scaled losses stop where the plain ones do."""
    losses = [scale * (loss + shift) for loss in valley()]

    assert first_stop(losses) == VALLEY_STOP


@pytest.mark.parametrize("k", [0, 1, 9, 10, 47])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_nonfinite_loss_stops_at_once(k: int, bad: float) -> None:
    """The step at which the loss becomes NaN or infinite is the last, even below min_steps."""
    losses = valley()
    losses[k] = bad

    assert first_stop(losses) == (k, StopReason.NONFINITE)


@pytest.mark.parametrize("level", [0.0, 1.0, -1000.0, 1e-300])
def test_a_flat_loss_never_stops(level: float) -> None:
    """A loss that does not move at all is no divergence."""
    assert first_stop([level] * 300) is None


def test_noise_around_a_constant_never_stops() -> None:
    """Batch noise without a trend runs to the end."""
    noise = [math.sin(12.9898 * i) * 43758.5453 % 1.0 for i in range(400)]

    assert first_stop(noise) is None


def test_a_loss_that_only_rises_stops_as_soon_as_it_may() -> None:
    """A loss that doubles from the first step on stops at min_steps, and not before."""
    losses = [2.0**i for i in range(40)]
    at = {n: first_stop(losses, StopRule(min_steps=n, factor=1.0)) for n in (5, 12, 20)}

    assert all(stop is not None and stop[1] is StopReason.DIVERGED for stop in at.values())
    assert [stop[0] + 1 for stop in at.values() if stop] >= [5, 12, 20]
    assert first_stop([1.0 + 0.01 * i**2 for i in range(300)]) is not None


def test_min_steps_guards_an_explosive_start() -> None:
    """A spike over before min_steps does not stop the sweep; the same one behind it does."""
    calm = [1.0, 1.1] * 60
    early, late = calm.copy(), calm.copy()
    early[5:10] = [50.0] * 5
    late[30:35] = [50.0] * 5

    assert first_stop(early[:14], StopRule(min_steps=15)) is None
    assert first_stop(late) == (32, StopReason.DIVERGED)


def test_a_plateau_above_the_start_stops_after_patience() -> None:
    """A model broken without exploding (loss back above its start for good) counts as diverged."""
    losses = [2.0] * 12 + [1.0] * 10 + [2.5] * 100
    stop = first_stop(losses, StopRule(patience=15))

    # The running median of five passes the start with the third loss of the plateau.
    assert stop == (22 + 2 + 15 - 1, StopReason.DIVERGED)


def test_one_bad_batch_is_no_divergence() -> None:
    """One or two outliers, however large, do not stop the sweep."""
    losses = valley(steps=50)
    losses[20] = 1e9
    losses[30] = losses[31] = 1e9

    assert first_stop(losses) is None


def test_an_infinite_factor_leaves_only_the_nonfinite_stop() -> None:
    """With factor inf neither an explosion nor a plateau above the start stops the sweep."""
    rule = StopRule(factor=math.inf)
    rising = [float(i) for i in range(200)]

    assert first_stop([*valley(), *[1e30] * 100], rule) is None
    assert first_stop([*rising, math.nan], rule) == (200, StopReason.NONFINITE)


GRID = st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=80)


@settings(max_examples=200, deadline=None)
@given(losses=GRID, shift=st.integers(-(2**30), 2**30))
def test_adding_a_constant_changes_nothing(losses: list[int], shift: int) -> None:
    """The same losses plus a constant stop at the same step for the same reason."""
    rule = StopRule(min_steps=6, patience=8)
    plain = [float(loss) for loss in losses]

    assert first_stop([loss + shift for loss in plain], rule) == first_stop(plain, rule)


@settings(max_examples=200, deadline=None)
@given(losses=GRID, exponent=st.integers(-200, 200))
def test_scaling_by_a_power_of_two_changes_nothing(losses: list[int], exponent: int) -> None:
    """The same losses in another unit stop at the same step for the same reason."""
    rule = StopRule(min_steps=6, patience=8)
    plain = [float(loss) for loss in losses]

    assert first_stop([math.ldexp(x, exponent) for x in plain], rule) == first_stop(plain, rule)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_a_loss_that_never_rises_never_stops(steps: list[int]) -> None:
    """Whatever falls or stays is no divergence."""
    losses = [-float(sum(steps[:i])) for i in range(len(steps) + 1)]

    assert all(b <= a for a, b in pairwise(losses))
    assert first_stop(losses) is None


@pytest.mark.parametrize("slope", [0.0, -0.5])
def test_batch_noise_is_no_divergence(slope: float) -> None:
    """Of 300 noisy sweeps that go nowhere, or slowly down, none stops, however quiet they began."""
    stopped = 0
    for seed in range(300):
        noise = random.Random(seed)
        losses = [slope * i / 200 + noise.gauss(0.0, 1.0) for i in range(200)]
        stopped += first_stop(losses) is not None

    assert stopped == 0
