"""Each rule against its own formula, evaluated on the noiseless curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from suggest_shapes import ANSWERED, SWEEP, classic, fall, noise, rise

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.registry import load_entry
from lrfind.suggest import CATALOG, read_curve, suggest
from lrfind.suggest.auto import FACTOR, FLAT_DECADES
from lrfind.suggest.judgement import REACH
from lrfind.suggest.points import decades
from lrfind.suggest.purpose import PEAK_RATIO

FINE = np.logspace(-7, 1, 100_001)
TRUTH = fall(FINE) + rise(FINE)
LOWEST = int(TRUTH.argmin())
DROP = TRUTH[0] - TRUTH[LOWEST]
UP30 = float(FINE[LOWEST + np.argmax(TRUTH[LOWEST:] > TRUTH[LOWEST] + 0.3 * DROP)])


def fallen(share: float) -> float:
    """Find, on the formula itself, the LR where `share` of the drop is reached."""
    return float(FINE[np.argmax(TRUTH[0] - share * DROP >= TRUTH)])


def slid() -> float:
    """Walk down from the rise until the slope a decade below is no less than 0.05 falls lower."""
    slope = np.gradient(TRUTH, np.log10(FINE)) / DROP
    decade = 100_000 // 8
    right = int(np.searchsorted(FINE, UP30))
    while slope[right] - slope[right - decade] > 0.05:
        right -= 1
    return float(FINE[right - decade])


EXPECTED = {
    "auto": FACTOR * math.sqrt(fallen(0.9) * UP30),
    "steepest": float(FINE[np.argmin(np.gradient(TRUTH, np.log10(FINE))[:LOWEST])]),
    "slide": slid(),
    "valley": math.sqrt(fallen(0.1) * float(FINE[LOWEST])),
    "minimum": float(FINE[LOWEST]) / 10,
    "before_rise": UP30 / 10**0.75,
}


def test_every_rule_has_an_expectation() -> None:
    """A rule added to the catalog must be added here."""
    assert EXPECTED.keys() == CATALOG.keys()


@pytest.mark.parametrize("method", CATALOG)
@pytest.mark.parametrize("sigma", [0.0, 0.02])
def test_a_rule_answers_what_its_formula_says(method: str, sigma: float) -> None:
    """Smoothing and noise move an answer by less than 0.12 decades from the formula's own."""
    answer = suggest([classic(sigma=sigma)], method)

    assert abs(math.log10(answer.lr / EXPECTED[method])) < 0.12


@pytest.mark.parametrize("method", CATALOG)
def test_an_entry_tells_formula_and_source_and_loads(method: str) -> None:
    """Each entry has one line each for formula and source, and names a documented function."""
    entry = CATALOG[method]
    rule = load_entry(entry)

    assert entry.formula
    assert entry.source
    assert "\n" not in entry.formula + entry.source
    assert rule.__name__ == method
    for section in ("Formula:", "Fails", "Source:"):
        assert section in rule.__doc__


def test_the_catalog_tells_the_constant_in_use() -> None:
    """The one-line formula of `auto` names its factor."""
    assert CATALOG["auto"].formula.startswith(f"{FACTOR:g} · ")


@pytest.mark.parametrize("method", CATALOG)
def test_the_peak_lr_has_its_documented_ratio(method: str) -> None:
    """`peak_lr` is 1.8 times `lr` where the rise leaves room for it."""
    answer = suggest([classic()], method)

    assert answer.peak_lr == pytest.approx(PEAK_RATIO * answer.lr)


def test_no_range_reaches_beyond_the_rise() -> None:
    """Neither `high` nor `peak_lr` lies where the loss has risen already."""
    curve = classic()
    reading = read_curve(curve)
    answer = suggest([curve], "before_rise", decades=0.1)

    assert reading.rise_lr is not None
    assert answer.high == answer.peak_lr == pytest.approx(reading.rise_lr)


@pytest.mark.parametrize("method", ["steepest", "valley", "minimum"])
def test_rules_of_the_fall_refuse_a_curve_that_did_not_fall(method: str) -> None:
    """Where `auto` can only read the rise, a rule that reads the fall says so."""
    with pytest.raises(NoSuggestionError, match="this rule reads the fall") as caught:
        suggest([ANSWERED["flat, then rising"][0]()], method)

    assert caught.value.verdict == "no-signal"
    assert "auto" in caught.value.remedy


def test_before_rise_refuses_a_curve_that_did_not_rise() -> None:
    """Without a rise nothing lies before it."""
    with pytest.raises(NoSuggestionError, match="did not rise") as caught:
        suggest([ANSWERED["falling to the end"][0]()], "before_rise")

    assert caught.value.verdict == "never-diverged"


def test_a_flat_start_is_answered_a_little_less_than_a_decade_before_the_rise() -> None:
    """Fine-tuning: with no fall to read, the answer keeps a fixed distance to the rise."""
    curve = ANSWERED["flat, then rising"][0]()
    reading = read_curve(curve)
    answer = suggest([curve])

    assert reading.rise_lr is not None
    assert answer.lr == pytest.approx(reading.rise_lr / 10**FLAT_DECADES)
    assert answer.low == pytest.approx(answer.lr / REACH)
    assert answer.high == pytest.approx(answer.lr * REACH)


def test_a_higher_rise_allows_a_higher_lr() -> None:
    """Moving only the explosion up moves `auto` and `before_rise` up."""
    for method in ("auto", "before_rise"):
        answers = [suggest([classic(at=at)], method).lr for at in (0.3, 1.0, 3.0)]

        assert answers == sorted(answers)
        assert answers[0] < answers[-1]


def test_a_floor_without_end_tells_nothing_of_the_optimum() -> None:
    """Once the loss has been at its floor for two decades, going on changes the answer no more."""
    lrs = [10.0 ** np.arange(-7.0, end, 0.04) for end in (1.0, 2.0, 4.0)]
    answers = [suggest([Curve(lr, fall(lr, centre=1e-3))]).lr for lr in lrs]

    assert max(answers) / min(answers) < 1.05
    # 90 % of the fall is reached at 4.3e-3, a little later after smoothing.
    assert abs(decades(answers[0], 0.25 * 4.3e-3 * 10.0)) < 0.1


def test_noise_between_seeds_moves_auto_by_little() -> None:
    """Over 20 seeds of the textbook curve `auto` spreads by less than 0.1 decades."""
    answers = np.log10([suggest([classic(seed, sigma=0.1)]).lr for seed in range(20)])

    assert answers.std() < 0.1


def test_the_steepest_point_has_no_smoothing_lag() -> None:
    """A sigmoid centred at 1e-3 is steepest at 1e-3, not half a decade above."""
    loss = fall(SWEEP, 1e-3) + rise(SWEEP) + noise(0.02)
    answer = suggest([Curve(SWEEP, loss)], "steepest").lr

    assert abs(math.log10(answer / 1e-3)) < 0.12


def test_slide_stops_on_the_floor_of_a_wide_valley() -> None:
    """Where the floor is wider than the interval the answer lies on it, not down the fall."""
    curve = Curve(SWEEP, fall(SWEEP, 1e-5) + rise(SWEEP) + noise(0.002))
    answer = suggest([curve], "slide").lr

    assert 1e-3 < answer < 0.1


def test_slide_does_not_depend_on_the_number_of_points() -> None:
    """What the original reads per point is read per decade: 50 or 800 points answer alike."""
    answers = []
    for points in (50, 200, 800):
        lr = np.logspace(-7, 1, points)
        answers.append(suggest([Curve(lr, fall(lr) + rise(lr))], "slide").lr)

    assert np.ptp(np.log10(answers)) < 0.1


def test_valley_is_not_pulled_down_by_a_drifting_plateau() -> None:
    """A slow drift over four decades before the fall moves `valley` by less than 0.25 decades."""
    drift = np.minimum(np.arange(200), 100) * -0.001
    still = suggest([classic()], "valley").lr
    drifting = suggest([Curve(SWEEP, classic().loss + drift)], "valley").lr

    assert abs(math.log10(drifting / still)) < 0.25
