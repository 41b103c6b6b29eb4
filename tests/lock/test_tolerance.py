"""The tolerance of a pin: wide enough for other seeds, no wider than the seeds ask for."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.lock.tolerance import (
    USUAL_DECADES,
    USUAL_WEIGHT,
    WIDEST_DECADES,
    student_quantile,
    tolerance_decades,
)

LRS = st.lists(st.floats(1e-5, 1e-1), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("p", "freedom", "expected"),
    [(0.995, 3, 5.841), (0.995, 4, 4.604), (0.995, 7, 3.499), (0.995, 30, 2.750), (0.9, 5, 1.476)],
)
def test_quantiles_are_those_of_the_tables(p: float, freedom: int, expected: float) -> None:
    """Student's quantiles agree with printed tables to 1 %."""
    assert student_quantile(p, freedom) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("n", [1, 3, 5, 9])
def test_independent_checks_alarm_about_once_in_a_hundred(n: int) -> None:
    """Where tasks spread as the prior says, medians of other seeds alarm once in a hundred."""
    rng = np.random.default_rng(0)
    count = 6000
    variance = USUAL_WEIGHT * USUAL_DECADES**2 / rng.chisquare(USUAL_WEIGHT, (count, 1))
    pins, checks = np.sqrt(variance) * rng.standard_normal((2, count, n)) - 2
    far = np.abs(np.median(pins, axis=1) - np.median(checks, axis=1))
    tolerances = np.array([tolerance_decades([10**lr for lr in pin]) for pin in pins])

    assert 0.004 < (far > tolerances).mean() < 0.02


def test_more_seeds_narrow_it_and_their_spread_widens_it() -> None:
    """Nine seeds as far apart as three narrow the gate; seeds thrice as far apart widen it."""
    three, nine = [1e-3, 1.2e-3, 1.44e-3], [1e-3, 1.2e-3, 1.44e-3] * 3
    wide = [1e-3, 1.2e-3 * 1.2**2, 1.44e-3 * 1.2**4]

    assert tolerance_decades(nine) < tolerance_decades(three) < tolerance_decades(wide)


@settings(deadline=None, max_examples=50)
@given(LRS, st.floats(1e-3, 1e3))
def test_units_and_order_do_not_matter(lrs: list[float], factor: float) -> None:
    """A factor on every LR, and another order of the seeds, leave the tolerance as it is."""
    found = tolerance_decades(lrs)

    assert found == pytest.approx(tolerance_decades([factor * lr for lr in lrs]), rel=1e-6)
    assert found == pytest.approx(tolerance_decades(lrs[::-1]))
    assert 0 < found <= WIDEST_DECADES


def test_seeds_that_agree_by_luck_leave_a_gate_that_passes_others() -> None:
    """Equal answers still leave the rule's usual spread, and none at all as much as one."""
    equal = tolerance_decades([1e-3] * 5)
    prior = USUAL_DECADES * math.sqrt(math.pi / 5)

    assert equal > 1.5 * prior
    assert tolerance_decades([]) == tolerance_decades([1e-3]) > equal
    assert statistics.median([equal, 0.1, 0.5]) == equal
