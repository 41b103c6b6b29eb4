"""What part of the curves a picture shows, as numbers: the PNG and the terminal draw the same one.

Knows curves only; neither matplotlib nor rich nor what a suggestion is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lrfind.curve import Curve, StopReason
from lrfind.smoothing import Floats, ceiling, noise_scale, starting_loss

HEADROOM = 0.3
"""How far above the start the frame reaches, as a fraction of the drop from start to floor."""

STRAY = 0.4
"""How far raw points may stretch the frame at either end, as a fraction of its height."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The limits of a picture; losses outside of it leave the frame.

    Attributes:
        lr_low: left edge.
        lr_high: right edge.
        loss_low: bottom edge.
        loss_high: top edge.
    """

    lr_low: float
    lr_high: float
    loss_low: float
    loss_high: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several smooth curves as one line and a band; all arrays have shape `(n,)`.

    Attributes:
        lr: LRs that every curve reached.
        middle: median over the curves.
        low: least over the curves.
        high: greatest over the curves.
    """

    lr: Floats
    middle: Floats
    low: Floats
    high: Floats

    def at(self, lr: float) -> float:
        """Read the line at an LR, by interpolation in log LR; NaN where there is no line."""
        if len(self.lr) == 0:
            return math.nan
        return float(np.interp(math.log10(lr), np.log10(self.lr), self.middle))


def smooth_line(curve: Curve) -> tuple[Floats, Floats]:
    """Take the LRs and smooth losses that can be drawn: finite, at a positive LR."""
    keep = np.isfinite(curve.smooth) & (curve.lr > 0)
    return curve.lr[keep], curve.smooth[keep]


def pool(curves: Sequence[Curve]) -> Pooled:
    """Join the smooth lines of several seeds where all of them were measured."""
    lines = [line for line in map(smooth_line, curves) if len(line[0])]
    if not lines:
        nothing = np.empty(0)
        return Pooled(nothing, nothing, nothing, nothing)
    if len(lines) == 1:
        lr, loss = lines[0]
        return Pooled(lr, loss, loss, loss)
    start = max(float(lr[0]) for lr, _ in lines)
    end = min(float(lr[-1]) for lr, _ in lines)
    grid = max((lr for lr, _ in lines), key=len)
    grid = grid[(grid >= start) & (grid <= end)]
    if len(grid) == 0:
        grid, lines = lines[0][0], lines[:1]
    rows = np.array([np.interp(np.log10(grid), np.log10(lr), loss) for lr, loss in lines])
    return Pooled(grid, np.median(rows, axis=0), rows.min(axis=0), rows.max(axis=0))


def fit_frame(
    curves: Sequence[Curve], marks: Iterable[float] = (), *, shows_points: bool = False
) -> Frame:
    """Choose limits that show every valley well and let explosions leave through the top.

    The floor is the least smooth loss and the top lies `HEADROOM` drops above the start, or 4 σ of
    the noise, whichever is more. A curve that never rises by more than its drop stays inside.

    Args:
        curves: what will be drawn.
        marks: LRs that must be inside, besides the curves' own.
        shows_points: raw points will be drawn, and may stretch floor and top within `STRAY`.
    """
    found = (_loss_limits(curve, shows_points=shows_points) for curve in curves)
    limits = [limit for limit in found if limit is not None]
    low = min((limit[0] for limit in limits), default=0.0)
    high = max((limit[1] for limit in limits), default=1.0)
    if not high - low > 1e-9 * max(abs(high), abs(low)):
        margin = 0.05 * max(abs(high), abs(low)) or 1.0
        low, high = low - margin, high + margin
    lrs = [*(lr for curve in curves for lr in _lr_limits(curve)), *marks] or [1e-3, 1.0]
    left, right = min(lrs), max(lrs)
    if right < left * 1.01:
        left, right = left / 2, right * 2
    return Frame(left, right, low, high)


def _lr_limits(curve: Curve) -> tuple[float, ...]:
    lr = curve.lr[curve.lr > 0]
    if len(lr) == 0:
        return ()
    # The first step of a linear sweep stands decades left of the second: it would fill the
    # picture with nothing.
    lonely = len(lr) > 2 and lr[1] > 10 * lr[0]
    return float(lr[1 if lonely else 0]), float(lr[-1])


def _loss_limits(curve: Curve, *, shows_points: bool) -> tuple[float, float] | None:
    finite = np.isfinite(curve.loss) & np.isfinite(curve.smooth)
    loss, smooth = curve.loss[finite], curve.smooth[finite]
    if len(loss) == 0:
        return None
    calm = smooth <= ceiling(loss)
    start, noise = starting_loss(loss), noise_scale(loss)
    floor = float(np.min(smooth[calm] if calm.any() else smooth))
    drop = max(start - floor, 0.0)
    floor = min(floor, start - 2 * noise)
    # Where nothing falls, a slow rise is the only thing to see.
    rise = min(float(np.quantile(smooth, 0.75)) - start, 6 * (drop + 3 * noise))
    top = start + max(HEADROOM * drop, 4 * noise, rise)
    peak = float(np.max(smooth))
    if peak <= start + drop or not top > floor:
        top = max(top, peak)
    reach = STRAY * (top - floor)
    seen = loss[loss <= ceiling(loss)]
    if shows_points and len(seen):
        least, most = np.quantile(seen, [0.01, 0.99])
        floor, top = (
            min(floor, max(float(least), floor - reach)),
            max(top, min(float(most), top + reach)),
        )
    return floor, top


def exit_lr(lr: Floats, loss: Floats, top: float) -> float | None:
    """Find the LR at which a line leaves the frame through the top for good; None if it stays."""
    if len(loss) == 0 or not loss[-1] > top:
        return None
    inside = np.flatnonzero(loss <= top)
    if len(inside) == 0:
        return None
    i = int(inside[-1])
    share = (top - loss[i]) / (loss[i + 1] - loss[i])
    return float(lr[i] ** (1 - share) * lr[i + 1] ** share)


def end_text(curves: Sequence[Curve]) -> str:
    """Say where and why the sweep ended, short enough to stand beside it (`diverged at 2.1e+00`).

    Several seeds are told as what most of them did, with the LRs between which it happened.
    """
    reached = [curve for curve in curves if len(curve)]
    if not reached:
        return "nothing was measured"
    stops = [curve.stop for curve in reached]
    first = max(set(stops), key=lambda stop: (stops.count(stop), stop.value))
    share = f"{stops.count(first)} of {len(stops)} seeds " if len(set(stops)) > 1 else ""
    ends = [lr_text(float(curve.lr[-1])) for curve in reached if curve.stop is first]
    ends.sort(key=float)
    between = ends[0] if ends[0] == ends[-1] else f"{ends[0]} to {ends[-1]}"
    return f"{share}{_ENDS[first]} {between}"


_ENDS = {
    StopReason.COMPLETED: "all steps done, up to",
    StopReason.DIVERGED: "diverged at",
    StopReason.NONFINITE: "became inf or NaN at",
    StopReason.INTERRUPTED: "interrupted at",
    StopReason.EXHAUSTED: "data ran out at",
    StopReason.FAILED: "failed at",
}


def lr_text(lr: float) -> str:
    """Write an LR as the tool shows it everywhere: two significant digits, `3.2e-03`."""
    return f"{lr:.1e}"


def tick_texts(values: Sequence[float]) -> list[str]:
    """Write evenly spaced numbers alike, with the fewest digits that tell them apart.

    Example:
        >>> tick_texts([999.9, 1000.0])
        ['999.9', '1000.0']
        >>> tick_texts([0.0, 2e-6])
        ['0e+00', '2e-06']
    """
    step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=0.0)
    values = [0.0 if abs(value) < 1e-6 * step else value for value in values]
    largest = max((abs(value) for value in values), default=0.0)
    kind = "f" if 1e-3 <= largest < 1e6 else "e"
    texts: list[str] = []
    for digits in range(16):
        texts = [f"{value:.{digits}{kind}}" for value in values]
        errors = [abs(float(text) - value) for text, value in zip(texts, values, strict=True)]
        if max(errors, default=0.0) <= 0.01 * (step or largest):
            break
    return texts


def decades(low: float, high: float) -> list[float]:
    """List the powers of ten inside `low..high`."""
    return [
        10.0**power
        for power in range(
            math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1
        )
    ]
