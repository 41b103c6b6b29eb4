"""Reports of every kind that a run can bring home, from synthetic curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfind.curve import Curve, StopReason
from lrfind.report import Environment, NoAnswer, Report
from lrfind.suggest.answer import Note, Suggestion, Verdict

ENVIRONMENT = Environment("cpu", {"lrfind": "0.1.0"}, "Linux x86_64", "2026-01-01T00:00:00+00:00")
TITLE = "MLP(64-64-10) · adamw · batch 64"


def clean_curve(
    seed: int = 0,
    *,
    noise: float = 0.03,
    shift: float = 0.0,
    steps: int = 200,
    lrs: np.ndarray | None = None,
    end_lr: float = 10.0,
    stop: StopReason = StopReason.DIVERGED,
) -> Curve:
    """Falls from 2.3 around 3e-3, rises from 3e-1, and stops past four times its start."""
    rng = np.random.default_rng(seed)
    lr = np.geomspace(1e-7, end_lr, steps) if lrs is None else lrs
    x = np.log10(lr)
    loss = 2.3 - 1.7 / (1 + np.exp(-3.5 * (x + 2.6 + 0.1 * seed))) + np.exp(5 * (x - 0.1 * seed))
    loss += noise * rng.standard_normal(len(lr)) + shift
    over = np.flatnonzero(loss - shift > 9)
    n = int(over[0]) + 1 if stop is StopReason.DIVERGED and len(over) else len(lr)
    return Curve(lr[:n], loss[:n], seed=seed, stop=stop, initial_loss=2.3 + shift, elapsed_s=3.2)


@dataclass(frozen=True)
class UnsmoothedCurve(Curve):
    """A curve whose smooth line is its loss, to test drawing apart from smoothing."""

    @property
    def smooth(self) -> np.ndarray:  # type: ignore[override]
        """The loss itself."""
        return self.loss


def unsmoothed(curve: Curve) -> Curve:
    """The same curve, never smoothed."""
    return UnsmoothedCurve(curve.lr, curve.loss, curve.seed, curve.stop)


def suggestion(**changes: Any) -> Suggestion:
    """A typical answer."""
    fields = {
        "lr": 3.2e-3,
        "peak_lr": 8.1e-3,
        "low": 6.0e-4,
        "high": 5.0e-2,
        "method": "steepest",
        "verdict": Verdict.OK,
        "reason": "the loss falls fastest at 3.2e-03, by 1.4 a decade, 1.7 decades before it rises",
    }
    return Suggestion(**fields | changes)


def report(*curves: Curve, answer: Suggestion | None = None, **fields: Any) -> Report:
    """A report around curves, with a typical answer unless told otherwise."""
    base = {
        "curves": curves,
        "suggestion": answer if answer or "no_answer" in fields else suggestion(),
        "no_answer": None,
        "notes": (),
        "spec": {},
        "environment": ENVIRONMENT,
        "title": TITLE,
    }
    return Report(**base | fields)


def variants() -> dict[str, Report]:
    """Every kind of curve that a sweep can bring home."""
    rng = np.random.default_rng(1)
    clean = clean_curve()
    exponential = np.geomspace(1e-7, 10, 200)
    flat = Curve(exponential, 2.3 + 0.05 * rng.standard_normal(200), stop=StopReason.COMPLETED)
    exploding = Curve(
        clean.lr, np.concatenate([clean.loss[:-4], [4e3, 2e9, 5e18, 1e30]]), stop=clean.stop
    )
    nan_tail = Curve(clean.lr[:150], np.append(clean.loss[:149], np.nan), stop=StopReason.NONFINITE)
    return {
        "clean": report(clean),
        "seeds": report(
            *(clean_curve(seed) for seed in range(3)),
            answer=suggestion(per_seed=(2.1e-3, 3.2e-3, 4.4e-3)),
        ),
        "noisy": report(clean_curve(noise=0.6), answer=suggestion(verdict=Verdict.LOW_CONFIDENCE)),
        "flat": report(
            flat,
            no_answer=NoAnswer(
                Verdict.NO_SIGNAL,
                "the smoothed loss never fell by more than 0.4 of the batch-to-batch noise (0.05)",
                "train more steps (sweep.steps=400), or check that the model receives gradients",
            ),
            notes=(Note("no-fall", "the loss never fell", "check the model"),),
        ),
        "never-diverged": report(
            clean_curve(end_lr=0.1, stop=StopReason.COMPLETED),
            answer=suggestion(verdict=Verdict.NEVER_DIVERGED, high=0.1),
        ),
        "exploding": report(exploding),
        "nan-tail": report(nan_tail),
        "negative": report(clean_curve(shift=-1000.0)),
        "linear": report(clean_curve(lrs=np.linspace(1e-7, 1.5, 200))),
        "two-points": report(
            Curve(np.array([1e-3, 1e-2]), np.array([2.0, 1.5])), answer=suggestion(high=1e-2)
        ),
        "narrow": report(clean, answer=suggestion(low=2.9e-3, high=3.4e-3, peak_lr=3.3e-3)),
        "left-edge": report(
            clean, answer=suggestion(lr=1.1e-7, peak_lr=1.3e-7, low=1e-7, high=2e-7)
        ),
        "right-edge": report(clean, answer=suggestion(lr=1.2, peak_lr=1.5, low=0.9, high=1.5)),
        "long-reason": report(clean, answer=suggestion(reason="the loss falls and falls " * 14)),
    }
