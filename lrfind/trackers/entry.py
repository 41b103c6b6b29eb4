"""What every tracker is told of a run, as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfind.report import Report


@dataclass(frozen=True, slots=True)
class Entry:
    """One run.

    Attributes:
        name: of the config, without its suffix.
        report: everything that was found.
        files: curve, picture and report, where they were written.
    """

    name: str
    report: Report
    files: tuple[Path, ...]

    @property
    def picture(self) -> Path | None:
        """The figure; None where none was drawn."""
        return next((file for file in self.files if file.suffix == ".png"), None)


@dataclass(frozen=True, slots=True)
class Series:
    """A number that changes from step to step.

    Attributes:
        name: `loss`, or `seed 1/loss` where there are several seeds.
        values: one a step, from step 0.
    """

    name: str
    values: tuple[float, ...]


def series_of(report: Report) -> Iterator[Series]:
    """List LR, raw and smooth loss of each seed, step by step."""
    for curve in report.curves:
        prefix = f"seed {curve.seed}/" if len(report.curves) > 1 else ""
        yield Series(f"{prefix}lr", tuple(curve.lr.tolist()))
        yield Series(f"{prefix}loss", tuple(curve.loss.tolist()))
        smooth = curve.smooth.tolist()
        if any(map(math.isfinite, smooth)):
            yield Series(f"{prefix}smooth_loss", tuple(smooth))


def answer_of(report: Report) -> dict[str, float]:
    """Give the numbers of the suggestion by name; none where there is no honest answer."""
    found = report.suggestion
    if found is None:
        return {}
    numbers = {
        "lr": found.lr,
        "peak_lr": found.peak_lr,
        "low": found.low,
        "high": found.high,
    }
    return {f"suggested_{name}": number for name, number in numbers.items()}


def words_of(report: Report) -> dict[str, str]:
    """Give verdict, reason and what the run was made with, by name."""
    found, why = report.suggestion, report.no_answer
    words = {"title": report.title, "device": report.environment.device}
    if found is not None:
        words |= {"verdict": found.verdict, "method": found.method, "reason": found.reason}
    elif why is not None:
        words |= {"verdict": why.verdict, "reason": f"{why.reason}; {why.remedy}"}
    words |= {f"version_{name}": text for name, text in report.environment.versions.items()}
    return {name: str(text) for name, text in words.items() if text}


def settings_of(report: Report) -> dict[str, str]:
    """Give the resolved config by dotted key, as text."""
    return dict(_flat(report.spec, ""))


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, str(value)
