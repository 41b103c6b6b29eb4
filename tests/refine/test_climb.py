"""The climb: what it tries, what it costs, and what it answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.refine.climb import (
    MOST,
    Climb,
    Gate,
    Purse,
    next_rung,
    optimum,
    shrunk,
)
from lrfind.refine.trial import Trial

WIDE = Purse(budget=10_000, length=100)
OPEN = Gate(initial=math.inf, sigma=1.0)


class Valley:
    """An oracle with a parabola in log LR, and divergence above an LR."""

    def __init__(
        self,
        at: float,
        *,
        diverges_at: float = math.inf,
        scale: float = 1.0,
        shift: float = 0.0,
        cut: int = 7,
        length: int = 100,
    ) -> None:
        self.at, self.diverges_at = at, diverges_at
        self.scale, self.shift = scale, shift
        self.cut, self.length = cut, length
        self.asked: list[float] = []

    def __call__(self, lr: float) -> Trial:
        """Give the loss at an LR."""
        self.asked.append(lr)
        if lr >= self.diverges_at:
            return Trial(lr, math.inf, min(self.cut, self.length), True)
        loss = self.scale * math.log10(lr / self.at) ** 2 + self.shift
        return Trial(lr, loss, self.length, False)


def climbed(oracle: Valley, start_lr: float, purse: Purse = WIDE) -> Climb:
    """Run a climb."""
    climb = Climb(start_lr, purse)
    climb.run(oracle)
    return climb


def decades(a: float, b: float) -> float:
    """Distance in decades."""
    return math.log10(a / b)


def test_an_answer_that_is_right_costs_four_or_five_trials() -> None:
    """Half a decade up, half a decade down, a quarter to the better side, then to the other."""
    oracle = Valley(1e-2 * 10**0.05)
    climb = climbed(oracle, 1e-2)

    tried = [round(decades(lr, 1e-2), 6) for lr in oracle.asked]
    assert tried == [0, 0.5, -0.5, 0.25, -0.25]
    assert climb.is_bracketed


@pytest.mark.parametrize("offset", [-1.4, -0.9, -0.3, 0.0, 0.2, 0.6, 1.1, 1.4])
def test_the_climb_finds_a_parabolas_minimum(offset: float) -> None:
    """On a parabola the vertex is exact, and shrinkage moves it a known share of the way back."""
    climb = climbed(Valley(10**offset), 1.0)

    answer = climb.answer(OPEN)
    assert answer is not None
    assert optimum(climb.losses) / 4 == pytest.approx(offset, abs=1e-9)
    assert math.log10(answer) == pytest.approx(
        offset - math.copysign(min(0.2 * abs(offset), 0.125), offset), abs=1e-9
    )


def test_divergent_trials_lead_down_and_are_paid_as_used() -> None:
    """A start that diverges is left behind, at the price of the updates it took."""
    oracle = Valley(1e-3, diverges_at=0.9e-2)
    climb = climbed(oracle, 1e-1)

    assert [t.diverged for t in climb.trials[:3]] == [True, True, True]
    answer = climb.answer(OPEN)
    assert answer is not None
    assert abs(decades(answer, 1e-3)) < 0.2
    assert climb.spent == sum(7 if t.diverged else 100 for t in climb.trials)


def test_where_everything_diverges_the_lowest_lr_is_named() -> None:
    """The climb goes down to its end and does not answer an LR above what it tried."""
    climb = climbed(Valley(1.0, diverges_at=0.0), 1.0)

    assert len(climb.trials) == MOST
    assert climb.answer(OPEN) == min(trial.lr for trial in climb.trials)


def test_the_gate_keeps_the_sweeps_answer() -> None:
    """Trials that end within one σ of where they began say nothing."""
    climb = climbed(Valley(3.0, shift=1.0), 1.0)
    best = min(climb.losses.values())

    assert climb.answer(Gate(initial=best + 0.9, sigma=1.0)) is None
    assert climb.answer(Gate(initial=best + 1.1, sigma=1.0)) is not None
    assert climb.answer(Gate(initial=best, sigma=0.0)) is None


def test_no_trials_give_no_answer() -> None:
    """A purse that pays for no trial leaves the sweep's answer alone."""
    climb = climbed(Valley(1.0), 1.0, Purse(budget=99, length=100))

    assert climb.trials == ()
    assert climb.answer(OPEN) is None


LOSSES = st.one_of(st.floats(-1e3, 1e3), st.just(math.inf))


@given(
    st.lists(LOSSES, min_size=MOST, max_size=MOST),
    st.integers(0, 2000),
    st.integers(1, 150),
    st.integers(0, 9),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_the_budget_is_never_exceeded(
    losses: list[float], budget: int, length: int, overhead: int, data: st.DataObject
) -> None:
    """Whatever trials say, and however short they are cut, they cost no more than was given."""
    told = iter(losses)

    def oracle(lr: float) -> Trial:
        loss = next(told)
        steps = data.draw(st.integers(1, length)) if math.isinf(loss) else length
        return Trial(lr, loss, steps, math.isinf(loss))

    climb = Climb(1.0, Purse(budget, length, overhead))
    climb.run(oracle)

    assert climb.spent <= budget
    assert len(climb.trials) <= MOST
    assert len({t.lr for t in climb.trials}) == len(climb.trials)


@given(st.lists(LOSSES, min_size=MOST, max_size=MOST), st.integers(0, 900))
@settings(max_examples=200, deadline=None)
def test_the_answer_lies_within_the_range_tried(losses: list[float], budget: int) -> None:
    """Neither parabola nor shrinkage leaves the LRs that were trained at."""
    told = iter(losses)
    climb = Climb(1.0, Purse(budget, 100))
    climb.run(lambda lr: Trial(lr, loss := next(told), 100, math.isinf(loss)))
    answer = climb.answer(OPEN)

    assert (answer is None) == (not climb.trials)
    if answer is not None:
        lrs = [trial.lr for trial in climb.trials]
        assert min(lrs) * (1 - 1e-12) <= answer <= max(lrs) * (1 + 1e-12)


@given(
    st.floats(-2.5, 2.5),
    st.floats(-6, 6),
    st.floats(1e-3, 1e3),
    st.floats(-50, 50),
    st.floats(0.3, 4),
)
@settings(max_examples=200, deadline=None)
def test_units_change_nothing(
    offset: float, decade: float, scale: float, shift: float, edge: float
) -> None:
    """A factor on the LR moves the answer by it; a·L + b leaves it where it was."""
    factor = 10.0**decade

    def run(oracle: Valley, start: float) -> float:
        answer = climbed(oracle, start).answer(OPEN)
        assert answer is not None
        return answer

    # Losses on a grid: a tie that rounding may break either way is nobody's property.
    at, over = 10.0 ** round(offset, 1) * 1.011, 10.0 ** (round(edge, 1) + 0.03)
    plain = run(Valley(at, diverges_at=over), 1.0)
    assert run(Valley(at * factor, diverges_at=over * factor), factor) == pytest.approx(
        plain * factor, rel=1e-6
    )
    assert run(Valley(at, diverges_at=over, scale=scale, shift=shift), 1.0) == pytest.approx(
        plain, rel=1e-6
    )


@given(st.dictionaries(st.integers(-8, 8), LOSSES, min_size=3, max_size=6))
@settings(max_examples=200, deadline=None)
def test_the_optimum_stands_between_the_neighbours(losses: dict[int, float]) -> None:
    """The parabola's vertex is never further from the best trial than halfway to the next."""
    best = min(losses, key=lambda rung: (losses[rung], abs(rung), rung))
    lower = max((r for r in losses if r < best), default=best)
    upper = min((r for r in losses if r > best), default=best)

    assert (lower + best) / 2 - 1e-9 <= optimum(losses) <= (upper + best) / 2 + 1e-9


def test_the_optimum_keeps_away_from_a_cliff() -> None:
    """Beside a divergence it is halfway to the trial on the safe side, as the parabola's limit."""
    assert optimum({0: 1.0, 2: math.inf, -2: 1.1}) == -1.0
    assert optimum({0: 1.0, 2: math.inf, -1: 1.1}) == -0.5
    assert optimum({0: 1.0, 2: 1e12, -2: 1.1}) == pytest.approx(-1.0)
    assert optimum({0: 1.0, 2: math.inf, -2: math.inf}) == 0.0
    assert optimum({0: 1.0, -2: 1.1}) == 0.0


def test_shrinkage_is_bounded() -> None:
    """A fifth of the way back, half a rung at most."""
    assert shrunk(1.0) == pytest.approx(0.8)
    assert shrunk(-1.0) == pytest.approx(-0.8)
    assert shrunk(8.0) == pytest.approx(7.5)
    assert shrunk(0.0) == 0.0


def test_next_rung_goes_on_in_the_direction_that_falls() -> None:
    """Up while it falls, down where up is worse, outwards by a quarter when trials run out."""
    assert next_rung({}) == 0
    assert next_rung({0: 1.0}) == 2
    assert next_rung({0: 1.0, 2: 0.5}) == 4
    assert next_rung({0: 1.0, 2: 1.5}) == -2
    assert next_rung({0: 1.0, 2: 1.5, -2: 0.5}) == -4
    assert next_rung({0: 5.0, 2: 4.0, 4: 3.0, 6: 2.0, 8: 1.0}) == 9
    assert next_rung({0: 1.0, -2: 0.9, -4: 0.8, -6: 0.7, 2: 2.0}) == -7
    assert next_rung({0: 1.0, 2: 3.0, -2: 2.0}) == -1
    assert next_rung({0: 1.0, 2: 3.0, -2: 2.0, -1: 0.5}) is None
    assert next_rung({0: 1.0, 2: 3.0, -2: 2.0, -1: 1.5}) == 1
    assert next_rung({0: 1.0, 2: 3.0, -2: 2.0, -1: 1.5, 1: 0.5}) is None
    assert next_rung({0: math.inf, 2: math.inf}) == -2
