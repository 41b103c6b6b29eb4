"""Curves of every shape that a sweep can leave, made from formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrfind.curve import Curve
from lrfind.smoothing import Floats

SWEEP: Floats = np.logspace(-7, 1, 200)


def fall(lr: Floats, centre: float = 1e-2, drop: float = 1.8) -> Floats:
    """A sigmoid drop in log LR from 2.3."""
    return 2.3 - drop / (1 + (centre / lr) ** 1.5)


def rise(lr: Floats, at: float = 1.0) -> Floats:
    """A divergence that passes 1 at `at`, cut off where a sweep has long stopped."""
    return np.minimum((lr / at) ** 3, 1e3)


def noise(sigma: float, seed: int = 0, points: int = 200) -> Floats:
    """White batch noise."""
    return sigma * np.random.default_rng(seed).standard_normal(points)


def classic(seed: int = 0, sigma: float = 0.05, centre: float = 1e-2, at: float = 1.0) -> Curve:
    """The textbook curve: flat, falling around `centre`, exploding past `at`."""
    return Curve(SWEEP, fall(SWEEP, centre) + rise(SWEEP, at) + noise(sigma, seed), seed=seed)


def with_tail(value: float, at: int = 150) -> Curve:
    """A curve still falling when its loss becomes `value` at point `at`."""
    loss = (fall(SWEEP) + noise(0.02))[: at + 1]
    loss[-1] = value
    return Curve(SWEEP[: at + 1], loss)


def linear() -> Curve:
    """A linear sweep over a narrow range."""
    lr = np.linspace(1e-3, 3.0, 200)
    return Curve(lr, fall(lr, 0.1) + rise(lr) + noise(0.02))


def thinned(points: int) -> Curve:
    """The textbook curve at few points."""
    lr = np.logspace(-5, 0.5, points)
    return Curve(lr, fall(lr) + rise(lr))


ANSWERED: dict[str, tuple[Callable[[], Curve], str]] = {
    "classic": (classic, "ok"),
    "clean": (lambda: classic(sigma=0.0), "ok"),
    "negative": (lambda: Curve(SWEEP, classic().loss - 5.0), "ok"),
    "far above": (lambda: Curve(SWEEP, classic().loss + 1000.0), "ok"),
    "far below": (lambda: Curve(SWEEP, classic().loss - 1000.0), "ok"),
    "tiny": (lambda: Curve(SWEEP, classic().loss * 1e-6), "ok"),
    "huge": (lambda: Curve(SWEEP, classic().loss * 1e6), "ok"),
    "near the largest float": (lambda: Curve(SWEEP, classic().loss * 1.7e305), "ok"),
    "nan at the end": (lambda: with_tail(np.nan), "ok"),
    "inf at the end": (lambda: with_tail(np.inf), "ok"),
    "minus inf at the end": (lambda: with_tail(-np.inf), "ok"),
    "step down, then up": (
        lambda: Curve(SWEEP, np.where(SWEEP < 1e-3, 2.0, 0.5) + np.where(SWEEP > 0.3, 9.0, 0.0)),
        "ok",
    ),
    "linear sweep": (linear, "ok"),
    "every LR twice": (
        lambda: Curve(np.repeat(SWEEP, 2), np.repeat(classic().loss, 2) + noise(0.05, 1, 400)),
        "ok",
    ),
    "thirty points": (lambda: thinned(30), "ok"),
    "ten points": (lambda: thinned(10), "low-confidence"),
    "six points": (lambda: thinned(6), "low-confidence"),
    "very noisy": (lambda: classic(sigma=1.1), "low-confidence"),
    "flat, then rising": (
        lambda: Curve(SWEEP, 1 + noise(0.1) + np.minimum((SWEEP / 0.1) ** 2, 100)),
        "low-confidence",
    ),
    "noise, then nan": (
        lambda: Curve(SWEEP[:150], np.append(2 + noise(0.1, points=149), np.nan)),
        "low-confidence",
    ),
    "falling to the end": (lambda: Curve(SWEEP, fall(SWEEP, 1.0) + noise(0.02)), "never-diverged"),
    "fallen, then flat": (lambda: Curve(SWEEP, fall(SWEEP, 1e-4) + noise(0.02)), "never-diverged"),
    "step down": (lambda: Curve(SWEEP, np.where(SWEEP < 1e-3, 2.0, 0.5)), "never-diverged"),
}
"""Curves with an honest answer, and the verdict that `auto` must give it."""

REFUSED: dict[str, tuple[Callable[[], Curve], str]] = {
    "empty": (lambda: Curve(np.array([]), np.array([])), "no-signal"),
    "one point": (lambda: Curve(SWEEP[:1], np.array([2.3])), "no-signal"),
    "five points": (lambda: thinned(5), "no-signal"),
    "constant": (lambda: Curve(SWEEP, np.full(200, 2.3)), "no-signal"),
    "zero": (lambda: Curve(SWEEP, np.zeros(200)), "no-signal"),
    "last digit flickers": (
        lambda: Curve(SWEEP, np.where(np.arange(200) % 37 == 11, 2.3, np.nextafter(2.3, 3))),
        "no-signal",
    ),
    "pure noise": (lambda: Curve(SWEEP, 2.3 + noise(0.1)), "no-signal"),
    "one lucky batch": (
        lambda: Curve(SWEEP, 2.3 + noise(0.1) - 3.0 * (np.arange(200) == 120)),
        "no-signal",
    ),
    "one LR": (lambda: Curve(np.full(50, 1e-3), 2.3 + noise(0.1, points=50)), "no-signal"),
    "a narrow range": (
        lambda: Curve(np.logspace(-3, -2.95, 50), 2.3 - np.linspace(0, 1, 50)),
        "no-signal",
    ),
    "only rising": (lambda: Curve(SWEEP, 2.3 + np.log10(SWEEP / 1e-7)), "diverged-at-start"),
    "only rising, noisy": (
        lambda: Curve(SWEEP, 2.3 + np.log10(SWEEP / 1e-7) + noise(0.02)),
        "diverged-at-start",
    ),
    "only rising, exponentially": (
        lambda: Curve(SWEEP, 2.3 * np.exp(np.arange(200) / 10.0)),
        "diverged-at-start",
    ),
    "nan at once": (lambda: Curve(SWEEP[:1], np.array([np.nan])), "diverged-at-start"),
    "nan after three": (
        lambda: Curve(SWEEP[:4], np.array([2.3, 2.4, 9.0, np.nan])),
        "diverged-at-start",
    ),
    "nan after twelve": (
        lambda: Curve(SWEEP[:13], np.append(2.3 + noise(0.1, points=12), np.nan)),
        "diverged-at-start",
    ),
    "only nan": (lambda: Curve(SWEEP, np.full(200, np.nan)), "diverged-at-start"),
}
"""Curves without an honest answer, and the verdict that `auto` must refuse them with."""
