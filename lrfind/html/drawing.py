"""What a page's script draws, as plain data: lines, points, marks, their limits and their words.

Every part that a reader can switch off has a `key`, which its switch names too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lrfind.curve import Curve
from lrfind.frame import Frame, Pooled, end_text, fit_frame, lr_text, pool, smooth_line
from lrfind.html.candidates import Candidate
from lrfind.plain_text import one_line
from lrfind.refine import Trial
from lrfind.report import Report
from lrfind.smoothing import Floats
from lrfind.suggest.answer import Suggestion

MOST_POINTS = 20_000
"""Points that a page holds; of longer curves it shows every n-th, and says so."""

Data = dict[str, Any]


def report_drawing(report: Report, found: Sequence[Candidate]) -> Data:
    """Describe the curve of one report: as `curve.png` shows it, and what other rules say."""
    curves = [curve for curve in report.curves if len(curve)]
    answer = report.suggestion
    trials = report.trials
    marks = [*(answer.shown if answer else ()), *(trial.lr for trial in trials)]
    frame = fit_frame(curves, marks, shows_points=True)
    pooled, stride = pool(curves), stride_of(curves)
    several = len(curves) > 1
    name = f"median of {len(curves)} seeds" if several else "smoothed"
    main = line("main", name, "blue", pooled.lr, pooled.middle, stride)
    return {
        "frame": frame_data(frame),
        "isRelative": False,
        "points": [_points(curve, stride) for curve in curves],
        "lines": [
            *([_seed_line(curve, stride) for curve in curves] if several else []),
            main,
        ],
        "band": _band(pooled, stride) if several else None,
        "marks": [
            *(_answer_marks(answer, pooled) if answer else []),
            *(_seed_marks(answer, curves, pooled) if answer else []),
            *_candidate_marks(found, pooled, frame),
        ],
        "range": None if answer is None else _range(answer),
        "end": end_data(curves),
        "trials": [_trial(trial) for trial in sorted(trials, key=lambda trial: trial.lr)],
    }


def stride_of(curves: Iterable[Curve]) -> int:
    """Choose how many measured points stand for one, so that a page holds `MOST_POINTS`."""
    return max(1, math.ceil(sum(len(curve) for curve in curves) / MOST_POINTS))


def frame_data(frame: Frame) -> Data:
    """Hand the limits on."""
    return {"lr": [frame.lr_low, frame.lr_high], "loss": [frame.loss_low, frame.loss_high]}


def end_data(curves: Sequence[Curve]) -> Data | None:
    """Say where the last seed ended, and why."""
    reached = [float(curve.lr[-1]) for curve in curves]
    return {"lr": max(reached), "text": end_text(curves)} if reached else None


def rounded(values: Floats, stride: int = 1) -> list[float | None]:
    """Take every n-th number and the last, to six digits; None stands for what is not finite."""
    kept = values[::stride]
    if len(values) and (len(values) - 1) % stride:
        kept = np.append(kept, values[-1])
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in kept.tolist()]


def line(
    key: str, name: str, colour: str, lr: Floats, loss: Floats, stride: int, *, look: str = "firm"
) -> Data:
    """Describe a line; a `firm` one can be read, a `thin` one stands for a seed."""
    return {
        "key": key,
        "name": name,
        "colour": colour,
        "look": look,
        "lr": rounded(lr, stride),
        "loss": rounded(loss, stride),
    }


def mark(key: str, kind: str, label: str, lr: float, loss: float) -> Data:
    """Describe a mark on the line."""
    is_placed = math.isfinite(loss)
    return {
        "key": key,
        "kind": kind,
        "label": label,
        "lr": lr,
        "loss": float(f"{loss:.6g}") if is_placed else None,
    }


def seed_key(seed: int) -> str:
    """Name the switch of a seed."""
    return f"seed-{seed}"


def _points(curve: Curve, stride: int) -> Data:
    return {
        "key": seed_key(curve.seed),
        "name": f"seed {curve.seed}",
        "lr": rounded(curve.lr, stride),
        "loss": rounded(curve.loss, stride),
        "stride": stride,
    }


def _seed_line(curve: Curve, stride: int) -> Data:
    lr, loss = smooth_line(curve)
    return line(seed_key(curve.seed), f"seed {curve.seed}", "blue", lr, loss, stride, look="thin")


def _band(pooled: Pooled, stride: int) -> Data:
    return {
        "lr": rounded(pooled.lr, stride),
        "low": rounded(pooled.low, stride),
        "high": rounded(pooled.high, stride),
    }


def _answer_marks(answer: Suggestion, pooled: Pooled) -> list[Data]:
    shown = [("lr", answer.lr), *([answer.second] if answer.second else [])]
    return [
        mark("answer", "lr" if name == "lr" else "second", f"{name} {lr_text(lr)}", lr, at)
        for name, lr in shown
        for at in [pooled.at(lr)]
    ]


def _seed_marks(answer: Suggestion, curves: Sequence[Curve], pooled: Pooled) -> list[Data]:
    """Mark what each seed alone answers, on its own line where each has an answer."""
    lrs = answer.per_seed if len(answer.per_seed) > 1 else ()
    if len(lrs) != len(curves):
        return [mark("main", "seed", f"a seed: {lr_text(lr)}", lr, pooled.at(lr)) for lr in lrs]
    return [
        mark(seed_key(c.seed), "seed", f"seed {c.seed}: {lr_text(lr)}", lr, pool([c]).at(lr))
        for c, lr in zip(curves, lrs, strict=True)
    ]


def _candidate_marks(found: Sequence[Candidate], pooled: Pooled, frame: Frame) -> list[Data]:
    return [
        mark(f"rule-{c.rule}", "rule", f"{one_line(c.rule)} {lr_text(c.lr)}", c.lr, pooled.at(c.lr))
        for c in found
        if c.lr is not None and frame.lr_low <= c.lr <= frame.lr_high
    ]


def _range(answer: Suggestion) -> Data:
    text = f"usable {lr_text(answer.low)} … {lr_text(answer.high)}"
    return {"low": answer.low, "high": answer.high, "text": text}


def _trial(trial: Trial) -> Data:
    return {
        "lr": trial.lr,
        "loss": float(f"{trial.loss:.6g}") if math.isfinite(trial.loss) else None,
        "diverged": trial.diverged,
        "text": "diverged" if trial.diverged else f"{trial.loss:.3g}",
    }
