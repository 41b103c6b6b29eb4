"""Smoothing: no lag, no bias at the ends, blind to the explosion, free of shift and scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.smoothing import (
    Floats,
    ceiling,
    clip_spikes,
    kernel_width,
    local_linear,
    noise_scale,
    running_median,
    smooth_losses,
    starting_count,
    starting_loss,
)

SWEEP = np.logspace(-7, 1, 200)


def brute_force(values: Floats, width: float) -> Floats:
    """Fit each point's weighted line with numpy's own least squares: the slow reference."""
    finite = np.isfinite(values)
    index = np.arange(len(values), dtype=np.float64)
    fitted = values.copy()
    for i in np.flatnonzero(finite):
        near = finite & (np.abs(index - i) <= np.ceil(4 * width))
        root = np.exp(-0.25 * ((index[near] - i) / width) ** 2)
        design = np.stack([np.ones(near.sum()), index[near] - i], axis=1)
        solution = np.linalg.lstsq(design * root[:, None], values[near] * root, rcond=None)[0]
        fitted[i] = solution[0]
    return fitted


def explosion(rng: np.random.Generator, height: float = 1e6) -> Floats:
    """Make a sweep that falls by 1.8 around 1e-2 and explodes above 1."""
    loss = 2.3 - 1.8 / (1 + (1e-2 / SWEEP) ** 1.5) + 0.02 * rng.standard_normal(200)
    return loss + np.where(SWEEP > 1.0, height * SWEEP, 0.0)


@pytest.mark.parametrize("width", [1.0, 2.5, 7.3, 40.0])
@pytest.mark.parametrize("points", [3, 5, 30, 150])
def test_local_linear_matches_least_squares(width: float, points: int) -> None:
    """Each smoothed value is the weighted least-squares line's value there, ends included."""
    values = np.random.default_rng(points).standard_normal(points)

    np.testing.assert_allclose(local_linear(values, width), brute_force(values, width), atol=1e-9)


def test_local_linear_matches_least_squares_around_gaps() -> None:
    """Non-finite values have no weight in their neighbours' lines."""
    values = np.random.default_rng(0).standard_normal(40)
    values[[0, 7, 8, 39]] = [np.nan, np.inf, -np.inf, np.nan]
    smooth = local_linear(values, 3.0)

    finite = np.isfinite(values)
    np.testing.assert_allclose(smooth[finite], brute_force(values, 3.0)[finite], atol=1e-9)
    np.testing.assert_array_equal(smooth[~finite], values[~finite])


def test_long_curves_take_the_fast_path_to_the_same_values() -> None:
    """The Fourier transform, used for long curves, agrees with the direct sum."""
    values = np.cumsum(np.random.default_rng(0).standard_normal(20_000))
    fast = local_linear(values, 500.0)

    for i in (0, 1, 999, 10_000, 19_999):
        near = slice(max(0, i - 2000), i + 2001)
        d = np.arange(20_000)[near] - float(i)
        root = np.exp(-0.25 * (d / 500.0) ** 2)
        design = np.stack([np.ones(len(d)), d], axis=1) * root[:, None]
        line = np.linalg.lstsq(design, values[near] * root, rcond=None)[0]
        assert fast[i] == pytest.approx(line[0], abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    slope=st.floats(-10, 10),
    offset=st.floats(-1000, 1000),
    width=st.floats(1, 30),
    points=st.integers(3, 120),
)
def test_straight_lines_come_back_unchanged(
    slope: float, offset: float, width: float, points: int
) -> None:
    """A line is its own smooth curve, at both ends too; so is a constant."""
    line = offset + slope * np.arange(points)

    np.testing.assert_allclose(local_linear(line, width), line, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), width=st.floats(1, 20))
def test_smoothing_is_symmetric(seed: int, width: float) -> None:
    """Reversing the curve reverses its smooth curve: nothing moves right or left."""
    values = np.random.default_rng(seed).standard_normal(80)

    np.testing.assert_allclose(
        local_linear(values[::-1].copy(), width)[::-1], local_linear(values, width), atol=1e-9
    )


def test_smoothing_does_not_move_the_steepest_point() -> None:
    """A sigmoid drop centred at 1e-3 stays steepest within a step of 1e-3."""
    loss = 2.3 - 1.8 / (1 + (1e-3 / SWEEP) ** 2)
    steepest = np.argmin(np.gradient(smooth_losses(SWEEP, loss)))

    assert abs(np.log10(SWEEP[steepest]) + 3.0) <= 8 / 199


def test_smoothing_reduces_noise_as_the_kernel_says() -> None:
    """White noise of σ = 1 comes out with σ = 1 / √(2 √π · width), away from the ends."""
    noise = np.random.default_rng(0).standard_normal((400, 200))
    width = 5.0
    inner = np.stack([local_linear(row, width) for row in noise])[:, 40:160]

    assert inner.std() == pytest.approx(1 / np.sqrt(2 * np.sqrt(np.pi) * width), rel=0.03)


def test_an_explosion_does_not_bleed_into_the_valley() -> None:
    """A spike a million times the drop leaves the curve more than 1 decade before it alone."""
    rng = np.random.default_rng(3)
    spiked = explosion(rng)
    tame = explosion(np.random.default_rng(3), height=1.0)
    before = SWEEP < 0.1

    np.testing.assert_allclose(
        smooth_losses(SWEEP, spiked)[before], smooth_losses(SWEEP, tame)[before], atol=1e-9
    )


def test_an_explosion_is_still_shown_where_it_happened() -> None:
    """What exceeds the ceiling is added back, so that the smooth curve ends near the raw one."""
    loss = explosion(np.random.default_rng(3))
    smooth = smooth_losses(SWEEP, loss)

    assert smooth[-3] == pytest.approx(loss[-3], rel=0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_nonfinite_tail_changes_nothing_before_it(bad: float) -> None:
    """A NaN or infinite last loss comes back as it is and leaves the others untouched."""
    loss = explosion(np.random.default_rng(1), height=10.0)
    tailed = np.append(loss, bad)
    lr = np.append(SWEEP, SWEEP[-1] * SWEEP[1] / SWEEP[0])

    smooth = smooth_losses(lr, tailed)

    np.testing.assert_allclose(smooth[:-1], smooth_losses(SWEEP, loss), atol=1e-9)
    np.testing.assert_array_equal(smooth[-1], bad)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    shift=st.floats(-1e3, 1e3),
    log_scale=st.floats(-6, 6),
)
def test_shift_and_scale_pass_through(seed: int, shift: float, log_scale: float) -> None:
    """smooth(a·L + b) = a·smooth(L) + b: the sign and unit of a loss mean nothing."""
    loss = explosion(np.random.default_rng(seed), height=5.0)
    scale = 10.0**log_scale
    smooth = smooth_losses(SWEEP, loss)

    np.testing.assert_allclose(
        smooth_losses(SWEEP, scale * loss + shift),
        scale * smooth + shift,
        atol=1e-8 * scale + 1e-9,
    )


@settings(deadline=None, max_examples=150)
@given(
    loss=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40),
    log_step=st.floats(0, 1),
)
def test_smoothing_survives_any_floats(loss: list[float], log_step: float) -> None:
    """Any losses, also the largest floats, and repeated LRs: same length, no warning, no NaN."""
    lr = 1e-7 * 10.0 ** (log_step * np.arange(len(loss)))
    raw = np.array(loss, dtype=np.float64)
    smooth = smooth_losses(lr, raw)

    np.testing.assert_array_equal(np.isfinite(smooth), np.isfinite(raw))


@pytest.mark.parametrize(
    ("lr", "expected"),
    [
        (np.logspace(-7, 1, 201), 5.0),
        (np.logspace(-7, 1, 17), 1.0),
        (np.linspace(1e-7, 1, 200), 5.0),
        (np.linspace(0.0, 1, 200), 5.0),
        (np.full(200, 1e-3), 5.0),
        (np.array([1e-3, 1e-2]), 1.0),
        (np.array([]), 1.0),
    ],
    ids=["exponential", "coarse", "linear", "from-zero", "repeated", "two", "none"],
)
def test_kernel_width(lr: Floats, expected: float) -> None:
    """0.2 decades on an exponential sweep, 2.5 % of the points on any other, never below 1."""
    assert kernel_width(lr) == pytest.approx(expected)


def test_noise_scale_recovers_sigma_beside_a_fall_and_an_explosion() -> None:
    """σ is recovered within a sixth from a curve that falls and explodes."""
    loss = explosion(np.random.default_rng(5), height=10.0)

    assert noise_scale(loss) == pytest.approx(0.02, rel=0.17)


@pytest.mark.parametrize("loss", [[], [1.0], [3.0, np.nan, 1.0], [np.inf, np.nan]])
def test_noise_scale_of_too_little_is_zero(loss: list[float]) -> None:
    """Fewer than three finite losses have no noise."""
    assert noise_scale(np.array(loss)) == 0.0


def test_running_median_drops_single_outliers() -> None:
    """One outlier in five points leaves no trace; a step stays where it is."""
    values = np.array([1.0, 1, 50, 1, 1, 7, 7, 7, 7])

    np.testing.assert_array_equal(running_median(values), [1, 1, 1, 1, 7, 7, 7, 7, 7])


@pytest.mark.parametrize(("points", "count"), [(1, 1), (6, 2), (12, 4), (100, 5), (200, 10)])
def test_the_start_is_a_twentieth_of_the_points(points: int, count: int) -> None:
    """A twentieth stands for the start, at least five points, at most a third of a short curve."""
    assert starting_count(points) == count
    assert starting_loss(np.arange(points, dtype=np.float64)) == (count - 1) / 2


def test_ceiling_is_one_drop_above_the_start() -> None:
    """A curve from 2 down to 0.5 counts as exploding above 3.5."""
    loss = np.concatenate([np.full(100, 2.0), np.full(100, 0.5)])

    assert ceiling(loss) == pytest.approx(3.5)


def test_clipping_cuts_only_what_explodes() -> None:
    """Losses up to the ceiling are untouched, those above it are the ceiling, NaN stays NaN."""
    loss = np.concatenate([np.full(100, 2.0), np.full(99, 0.5), [9.0, np.nan]])
    clipped = clip_spikes(loss)

    np.testing.assert_array_equal(clipped[:-2], loss[:-2])
    assert clipped[-2] == pytest.approx(3.5)
    assert np.isnan(clipped[-1])


@pytest.mark.parametrize("points", [31, 151, 201])
@pytest.mark.parametrize("factor", [1e-5, 2e-4, 0.3, 7.0])
def test_the_unit_of_lr_changes_nothing(points: int, factor: float) -> None:
    """A kernel of a whole number of points reaches as far whichever way its width is rounded."""
    lr = np.logspace(-5, 1, points)
    loss = np.random.default_rng(points).normal(size=points)

    np.testing.assert_allclose(
        local_linear(loss, kernel_width(factor * lr)),
        local_linear(loss, kernel_width(lr)),
        rtol=1e-9,
        atol=1e-12,
    )
