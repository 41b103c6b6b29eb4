"""Smoothing that moves no feature: local-linear, symmetric, and blind to the divergence spike.

An exponential moving average lags: over 100 steps it moves the steepest point of a sweep about
half a decade to the right. The kernel here is symmetric, fits a line rather than a constant (so
that it is unbiased at both ends too), and sees losses clipped one drop above the start, so that
an explosion cannot bleed into the valley before it. Knows arrays only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH_DECADES = 0.2
"""Standard deviation of the kernel in decades of LR (0.15 to 0.25 read equally well)."""

WIDTH_FRACTION = 0.025
"""The same for a sweep that is not exponential, as a fraction of its points."""

MEDIAN_WINDOW = 5
"""Points of the running median that takes single outliers out of scale estimates."""

FINE = 1024
"""Groups in the kernel's width, of which each is smoothed as one point on curves of many more."""

_STRETCH = 1 << 14


def running_median(values: Floats) -> Floats:
    """Replace each value by the median of the `MEDIAN_WINDOW` values centred on it.

    The ends repeat their outermost value. Shape `(n,)` in and out.
    """
    median, half = values.copy(), MEDIAN_WINDOW // 2
    padded = np.pad(values, half, mode="edge") if len(values) else values
    # A stretch at a time stays in the processor's cache.
    for start in range(0, len(values), _STRETCH):
        end = min(start + _STRETCH, len(values))
        a, b, c, d, e = (padded[start + i : end + i] for i in range(MEDIAN_WINDOW))
        # Of four values the least and the greatest are not the median of five.
        low = np.maximum(np.minimum(a, b), np.minimum(c, d))
        high = np.minimum(np.maximum(a, b), np.maximum(c, d))
        least, greatest = np.minimum(low, high), np.maximum(low, high)
        median[start:end] = np.maximum(least, np.minimum(greatest, e))
    return median


def noise_scale(loss: Floats) -> float:
    """Estimate the batch-to-batch standard deviation of a loss series.

    σ = 1.4826 · median |Lᵢ₋₁ − 2Lᵢ + Lᵢ₊₁| / √6: blind to a trend, which second differences take
    out, and to an explosion at the end, which the median does. Zero for fewer than three finite
    values.
    """
    bends = np.abs(np.diff(loss[np.isfinite(loss)], n=2))
    return float(1.4826 * np.median(bends) / np.sqrt(6)) if len(bends) else 0.0


def starting_count(points: int) -> int:
    """Count the first points that stand for the start: a twentieth, ≥ 5, but at most a third."""
    return max(1, min(max(MEDIAN_WINDOW, points // 20), points // 3))


def starting_loss(loss: Floats) -> float:
    """Take the level that a sweep starts from: the median of its first `starting_count` losses."""
    finite = loss[np.isfinite(loss)]
    return float(np.median(finite[: starting_count(len(finite))]))


def ceiling(loss: Floats) -> float:
    """Compute the level above which a loss counts as exploding.

    start + max(start − floor, 6 σ), the floor being the least running median. Moves with a
    constant added to the loss and scales with it, so it holds for losses of any sign.
    """
    finite = loss[np.isfinite(loss)]
    start = starting_loss(finite)
    drop = start - float(np.min(running_median(finite)))
    return start + max(drop, 6.0 * noise_scale(finite))


def safe_unit(loss: Floats) -> float:
    """Choose a unit in which sums and squares of these losses cannot overflow.

    1, or 2⁶⁰⁰ for losses above 2⁴⁰⁰; a power of two, so that dividing by it rounds nothing.
    """
    largest = float(np.abs(loss[np.isfinite(loss)]).max(initial=0.0))
    return 2.0**600 if largest > 2.0**400 else 1.0


def clip_spikes(loss: Floats) -> Floats:
    """Cut finite losses off at `ceiling`; non-finite ones stay what they are."""
    finite = np.isfinite(loss)
    if not finite.any():
        return loss.copy()
    clipped = loss.copy()
    clipped[finite] = np.minimum(loss[finite], ceiling(loss))
    return clipped


def kernel_width(lr: Floats) -> float:
    """Turn the kernel's width into points of this sweep.

    On an exponential sweep 0.2 decades, else 2.5 % of the points; at least 1 point.
    """
    if len(lr) < 3 or float(lr.min()) <= 0.0:
        return max(WIDTH_FRACTION * len(lr), 1.0)
    gaps = np.diff(np.log10(lr))
    evenly_spaced = float(gaps.min()) > 0.0 and float(np.ptp(gaps)) <= 1e-3 * float(gaps.max())
    points = WIDTH_DECADES / float(gaps[0]) if evenly_spaced else WIDTH_FRACTION * len(lr)
    return max(points, 1.0)


def local_linear(values: Floats, width: float) -> Floats:
    """Fit a line around each point with Gaussian weights and take its value there.

    With weights w_d = exp(−d²/2·width²) over index distance d, truncated at 4 widths, and
    moments S_k = Σ w·d^k, T_k = Σ w·d^k·y: smooth = (S₂T₀ − S₁T₁) / (S₀S₂ − S₁²). A straight
    line comes back unchanged, at the ends too. Non-finite values have no weight and stay as they
    are (Fan, 1992, "Design-adaptive nonparametric regression").

    O(n) for a width in proportion to the points: those of a width of more than 2 · `FINE` are
    averaged in groups, which moves the result by about a millionth of what it bends within the
    width.

    Args:
        values: shape `(n,)`, float64.
        width: standard deviation of the weights, in points.
    """
    finite = np.isfinite(values)
    if finite.sum() < 3:
        return values.copy()
    # Subtracting a typical value first keeps the sums exact to rounding when a constant is added.
    offset = float(np.median(values[finite]))
    y = np.where(finite, values - offset, 0.0)
    group = max(1, int(min(width, len(values)) // FINE))
    fitted = _fitted(_sums(finite, group), _sums(y, group), width / group)
    result: Floats = np.where(finite, _spread(fitted, group, len(values)) + offset, values)
    return result


def _fitted(ones: Floats, y: Floats, width: float) -> Floats:
    """Fit a line around each of a row of points that stand for `ones` values of sum `y` each."""
    # A width that is whole but for rounding (25 points a decade) must not reach a point further.
    reach = min(int(np.ceil(4 * width - 1e-9)), len(ones) - 1)
    distance = np.arange(-reach, reach + 1, dtype=np.float64)
    weight = np.exp(-0.5 * (distance / width) ** 2)
    s0, s1, s2 = (_correlate(ones, weight * distance**k) for k in range(3))
    t0, t1 = (_correlate(y, weight * distance**k) for k in range(2))
    determinant = s0 * s2 - s1 * s1
    line = determinant > 1e-9 * s0 * s2
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted: Floats = np.where(line, (s2 * t0 - s1 * t1) / determinant, t0 / s0)
    return fitted


def _sums(values: Floats | NDArray[np.bool_], group: int) -> Floats:
    """Add up each `group` values in a row."""
    floats = values.astype(np.float64)
    if group == 1:
        return floats
    sums: Floats = np.add.reduceat(floats, np.arange(0, len(values), group))
    return sums


def _spread(fitted: Floats, group: int, count: int) -> Floats:
    """Interpolate between the middles of groups, and on to both ends."""
    if group == 1:
        return fitted
    ends = np.array([2 * fitted[0] - fitted[1], 2 * fitted[-1] - fitted[-2]])
    middles = group * np.arange(-1, len(fitted) + 1) + (group - 1) / 2
    lines = np.concatenate([ends[:1], fitted, ends[1:]])
    spread: Floats = np.interp(np.arange(count), middles, lines)
    return spread


def smooth_losses(lr: Floats, loss: Floats) -> Floats:
    """Smooth a sweep's raw losses for reading and drawing.

    The losses below `ceiling` go through `local_linear`; what exceeds it is added back through a
    running median, so that an explosion is shown where it happened and nowhere else.

    Args:
        lr: shape `(n,)`, increasing.
        loss: shape `(n,)`; non-finite values come back as they are.
    """
    finite = np.isfinite(loss)
    if finite.sum() < 3:
        return loss.copy()
    unit = safe_unit(loss)
    scaled = loss / unit
    clipped = clip_spikes(scaled)
    smooth = local_linear(clipped, kernel_width(lr))
    smooth[finite] += running_median(scaled[finite] - clipped[finite])
    largest = np.finfo(np.float64).max / unit
    smooth[finite] = np.clip(smooth[finite], -largest, largest) * unit
    return smooth


_FFT_FROM = 10_000_000
"""Multiplications above which the fast Fourier transform beats the direct sum."""


def _correlate(values: Floats, kernel: Floats) -> Floats:
    reach = len(kernel) // 2
    if len(values) * len(kernel) < _FFT_FROM:
        full: Floats = np.convolve(values, kernel[::-1])
    else:
        size = len(values) + len(kernel) - 1
        fast = 1 << (size - 1).bit_length()
        product = np.fft.rfft(values, fast) * np.fft.rfft(kernel[::-1], fast)
        full = np.fft.irfft(product, fast)[:size]
    return full[reach : reach + len(values)]
