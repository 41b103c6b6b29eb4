"""Reading a curve: features found where they were put, and refused where they are not there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from suggest_shapes import ANSWERED, SWEEP, classic, fall, linear, noise, rise

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.suggest import read_curve
from lrfind.suggest.points import decades, measured_points

STEP = 8 / 199


def test_features_are_found_where_the_formula_puts_them() -> None:
    """Minimum, 90 % of the fall and rise of a noiseless curve lie within 0.15 decades of truth."""
    reading = read_curve(classic(sigma=0.0))
    fine = np.logspace(-7, 1, 100_001)
    loss = fall(fine) + rise(fine)
    lowest = int(loss.argmin())
    drop = loss[0] - loss[lowest]
    q90 = fine[np.argmax(loss <= loss[0] - 0.9 * drop)]
    up30 = fine[lowest + np.argmax(loss[lowest:] > loss[lowest] + 0.3 * drop)]

    assert reading.drop == pytest.approx(drop, rel=0.03)
    assert abs(decades(reading.min_lr, float(fine[lowest]))) < 0.15
    assert abs(decades(reading.fallen(0.9), float(q90))) < 0.15
    assert reading.rise_lr is not None
    assert abs(decades(reading.rise_lr, float(up30))) < 0.15


def test_the_error_of_the_drop_is_what_repeated_sweeps_show() -> None:
    """Over 200 noisy sweeps the estimated error is near the spread of start against minimum."""
    plateau = np.where(np.arange(200) < 100, 2.0, 1.0)
    readings = [read_curve(Curve(SWEEP, plateau + noise(0.1, seed))) for seed in range(200)]
    drops = np.array([reading.drop for reading in readings])

    estimated = float(np.median([reading.error for reading in readings]))
    assert estimated == pytest.approx(drops.std(), rel=0.3)


def test_a_linear_sweep_is_read_on_a_logarithmic_grid() -> None:
    """The grid is even in log LR whatever the sweep was, and covers the measured range."""
    curve = linear()
    reading = read_curve(curve)
    gaps = np.diff(np.log10(reading.lr))

    assert np.ptp(gaps) < 1e-9
    assert (reading.start_lr, reading.end_lr) == (curve.lr[0], curve.lr[-1])
    assert 0.2 < reading.min_lr < 0.7


def test_an_early_dip_of_noise_is_not_the_end_of_the_fall() -> None:
    """`fallen` takes the last crossing before the minimum."""
    loss = np.where((np.arange(200) > 40) & (np.arange(200) < 70), 1.2, 2.0)
    loss[120:] = 0.2
    reading = read_curve(Curve(SWEEP, loss))

    assert abs(decades(reading.fallen(0.4), float(SWEEP[120]))) < 0.2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_nonfinite_end_counts_as_the_rise(value: float) -> None:
    """A curve still falling when its loss becomes non-finite rises at that LR."""
    loss = fall(SWEEP, 0.1) + noise(0.02)
    loss[170:] = value
    reading = read_curve(Curve(SWEEP, loss))

    assert reading.exploded
    assert reading.rise_lr == SWEEP[170]
    assert reading.end_lr == SWEEP[169]


def test_an_explosion_of_one_loss_at_the_end_counts_as_the_rise() -> None:
    """A sweep stops at its explosion, so the last loss alone may be the rise."""
    loss = fall(SWEEP, 0.1) + noise(0.02)
    loss[-1] = 50.0

    rise_lr = read_curve(Curve(SWEEP, loss)).rise_lr

    assert rise_lr is not None
    assert rise_lr > SWEEP[-10]


def test_a_long_explosion_hides_no_noise() -> None:
    """The noise is measured below the ceiling, even if almost half of the points lie above it."""
    loss = 1 + noise(0.1)
    loss[110:] = 1e3 * np.exp(np.arange(90) / 10)
    reading = read_curve(Curve(SWEEP, loss))

    assert not reading.fell
    assert reading.rise_lr is not None
    assert abs(decades(reading.rise_lr, float(SWEEP[110]))) < 0.3


def test_one_wild_batch_moves_nothing() -> None:
    """A single loss far below or above its neighbours leaves minimum and rise in place."""
    calm = read_curve(classic())
    for wild in (-20.0, 20.0):
        loss = classic().loss.copy()
        loss[60] += wild
        reading = read_curve(Curve(SWEEP, loss))

        assert abs(decades(reading.min_lr, calm.min_lr)) <= STEP * 1.01
        assert reading.rise_lr is not None
        assert calm.rise_lr is not None
        assert abs(decades(reading.rise_lr, calm.rise_lr)) <= STEP


def test_points_are_ordered_and_merged() -> None:
    """Losses at one LR are averaged; impossible LRs and non-finite losses are left out."""
    curve = Curve(
        np.array([3.0, 1.0, 1.0, -1.0, 0.0, 2.0, np.nan, 4.0]),
        np.array([30.0, 10.0, 20.0, 5.0, 5.0, np.nan, 5.0, np.inf]),
    )
    points = measured_points(curve)

    np.testing.assert_array_equal(points.lr, [1.0, 3.0])
    np.testing.assert_array_equal(points.loss, [15.0, 30.0])
    assert points.exploded_at == 4.0


def test_signal_is_infinite_without_noise_and_zero_without_a_drop() -> None:
    """A flat curve has no signal; a noiseless fall has more than any."""
    flat = read_curve(Curve(SWEEP, np.full(200, 0.0)))
    step = read_curve(Curve(SWEEP, np.where(SWEEP < 1e-3, 1.0, 0.0)))

    assert (flat.signal, flat.fell) == (0.0, False)
    assert step.signal > 1e6


@pytest.mark.parametrize("often", [0.03, 0.3, 1.0])
def test_last_digits_of_single_precision_are_not_read(often: float) -> None:
    """A constant loss whose last digit flickers, rarely or at each step, neither falls nor rises.

    Torch computes losses in single precision, where the order of a sum moves the last digits: 3 in
    100 such curves would fall or rise if they were read as exact.
    """
    constant = np.float32(2.3)
    digit = np.spacing(constant)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        flicker = rng.integers(-1, 2, 200) * (rng.random(200) < often)
        loss = (constant + digit * flicker.astype(np.float32)).astype(np.float64)
        reading = read_curve(Curve(SWEEP, loss))

        assert not reading.fell
        assert reading.rise_lr is None


def test_a_fall_of_a_hundred_last_digits_is_read() -> None:
    """What is far above the precision of the losses is a fall, however small beside the loss."""
    loss = (2.3 - np.where(SWEEP < 1e-3, 0.0, 2.4e-5)).astype(np.float32).astype(np.float64)

    assert read_curve(Curve(SWEEP, loss)).fell


def test_too_few_points_are_refused_with_their_count() -> None:
    """The refusal names the number of usable points and the number needed."""
    with pytest.raises(NoSuggestionError, match="has 3 finite losses at distinct LRs; a reading"):
        read_curve(Curve(SWEEP[:3], np.ones(3)))


@pytest.mark.parametrize("shape", ANSWERED)
def test_arrays_of_a_curve_are_left_alone(shape: str) -> None:
    """Reading writes into neither the LRs nor the raw losses."""
    curve = ANSWERED[shape][0]()
    lr, loss = curve.lr.copy(), curve.loss.copy()
    read_curve(curve)

    np.testing.assert_array_equal(curve.lr, lr)
    np.testing.assert_array_equal(curve.loss, loss)
