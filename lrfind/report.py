"""The whole result of a run as one value, and its versioned JSON form.

Infinite and NaN losses are written as the strings "inf", "-inf" and "nan", because JSON has no
such numbers and a strict reader must not choke on them.
"""

from __future__ import annotations

import functools
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.plain_text import plain
from lrfind.refine import Trial
from lrfind.registry import Entry, load_entry
from lrfind.suggest import Note, Suggestion, Verdict, diagnose
from lrfind.suggest.panel import find_rule, suggest_by
from lrfind.suggest.purpose import Purpose
from lrfind.suggest.reading import read_curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SCHEMA = 1
# History of the schema. A key that is added, and that readers can do without, does not raise it:
# `trials`, `environment.threads`, a curve's `update_ratio`, and a suggestion's `schedule`,
# `base_lr` and `max_lr` may be absent. A key that changes or goes does.
#   1  first version


# What shows a report stands above it in the house, and is imported where it is asked for.
_DRAW = Entry("lrfind.plot:draw", "the figure of curve.png", "lrfind")
_SHOW = Entry("lrfind.html.cell:bundle", "the output of a notebook's cell", "lrfind")


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and with what a report was made.

    Attributes:
        device: `cpu`, `cuda:0 (NVIDIA …)`.
        versions: package name to version: lrfind, torch, numpy, python.
        platform: operating system and processor.
        time: UTC, ISO 8601, to the second.
        threads: CPU threads that torch computed with, on which the last digits may depend; None
            where it is not known.
    """

    device: str
    versions: Mapping[str, str]
    platform: str
    time: str
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why curves gave no suggestion.

    Attributes:
        verdict: the kind of failure.
        reason: one sentence with numbers.
        remedy: what to change before the next run.
    """

    verdict: Verdict
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found.

    Attributes:
        curves: one a seed, in seed order.
        suggestion: None where the curves hold no honest answer.
        no_answer: why there is none; None where there is one.
        notes: what the user should know, most important first.
        spec: the resolved config as plain data, infinite numbers as text; empty for curves read
            from CSV.
        environment: where and with what.
        title: model, optimizer and batch size in a line, for headings.
        group_scales: LR multiplier of each parameter group, where there are several.
        trials: short trainings around the sweep's answer, in the order they were made.
    """

    curves: tuple[Curve, ...]
    suggestion: Suggestion | None
    no_answer: NoAnswer | None
    notes: tuple[Note, ...]
    spec: Mapping[str, Any]
    environment: Environment
    title: str = ""
    group_scales: tuple[float, ...] = ()
    trials: tuple[Trial, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return every point of every curve as a table, with the columns of `curve.csv`.

        Without a point it is an empty table with these columns, of the same types.
        """
        import pandas as pd

        tables = [
            pd.DataFrame(
                {
                    "seed": curve.seed,
                    "step": np.arange(len(curve)),
                    "lr": curve.lr,
                    "loss": curve.loss,
                    "smooth": curve.smooth,
                    "update_ratio": math.nan if curve.update_ratio is None else curve.update_ratio,
                    "stop": pd.Series(_at_end(curve.stop.value, len(curve)), dtype=str),
                }
            )
            for curve in self.curves or (Curve(np.empty(0), np.empty(0)),)
        ]
        return pd.concat(tables, ignore_index=True)

    def figure(self) -> Figure:
        """Draw the report as a matplotlib figure, the one of `curve.png`."""
        draw: Callable[[Report], Figure] = load_entry(_DRAW)
        return draw(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show figure and table in a notebook, whatever the front end chooses from."""
        show: Callable[[Report], dict[str, str]] = load_entry(_SHOW)
        return show(self)


def _at_end(text: str, points: int) -> list[str]:
    """Name what ended a curve beside its last point, and nothing beside the others."""
    return [*[""] * (points - 1), text][:points]


def make_report(
    curves: Sequence[Curve],
    method: str,
    args: Mapping[str, Any] | None = None,
    *,
    purpose: Purpose | None = None,
    spec: Mapping[str, Any] | None = None,
    device: str = "",
    threads: int | None = None,
    title: str = "",
    group_scales: tuple[float, ...] = (),
    notes: Sequence[Note] = (),
    folder: Path | None = None,
) -> Report:
    """Read curves by a rule and join everything that is known into a report.

    `purpose` is the schedule that the LR is for. `notes` tell how the curves were made; what the
    curves show follows them. `folder` is where the import path of a rule starts from, as in
    `lrfind.suggest.panel.find_rule`.
    """
    options = dict(args or {})
    rule = find_rule(method, options, folder)
    # Both who answer and who take notes look at each curve, which a long one takes seconds for.
    read = functools.cache(read_curve)
    suggestion, no_answer = None, None
    try:
        suggestion = suggest_by(rule, curves, method, options, purpose, read)
    except NoSuggestionError as error:
        no_answer = NoAnswer(Verdict(error.verdict), error.reason, error.remedy)
    return Report(
        curves=tuple(curves),
        suggestion=suggestion,
        no_answer=no_answer,
        notes=(*notes, *diagnose(curves, suggestion, read)),
        spec=_plain(spec or {}),
        environment=describe_environment(device, threads),
        title=plain(title),
        group_scales=group_scales,
    )


def describe_environment(device: str, threads: int | None = None) -> Environment:
    """Collect versions and platform; reads package metadata, so it imports nothing heavy."""
    versions = {"python": platform.python_version()}
    for package in ("lrfind", "torch", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return Environment(
        device=device,
        versions=versions,
        platform=f"{platform.system()} {platform.machine()}",
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        threads=threads,
    )


def to_dict(report: Report) -> dict[str, Any]:
    """Turn a report into plain data that any strict JSON reader accepts."""
    return {
        "schema": SCHEMA,
        "title": report.title,
        "suggestion": _suggestion_to_dict(report.suggestion) if report.suggestion else None,
        "no_answer": asdict(report.no_answer) if report.no_answer else None,
        "notes": [asdict(note) for note in report.notes],
        "curves": [_curve_to_dict(curve) for curve in report.curves],
        "group_scales": list(report.group_scales),
        "trials": [trial.to_data() for trial in report.trials],
        "spec": dict(report.spec),
        "environment": asdict(report.environment),
    }


def to_json(report: Report) -> str:
    """Serialise a report: sorted keys, one value a line except in arrays of numbers."""
    # Only within a text can it stand, and there a job log would obey it.
    return _dump(to_dict(report)).replace("##[", "#\\u0023[") + "\n"


def _suggestion_to_dict(suggestion: Suggestion) -> dict[str, Any]:
    return asdict(suggestion) | {"max_lr": suggestion.max_lr}


def _curve_to_dict(curve: Curve) -> dict[str, Any]:
    return {
        "seed": curve.seed,
        "stop": curve.stop.value,
        "stop_sentence": curve.stop.sentence,
        "initial_loss": None if curve.initial_loss is None else _number(curve.initial_loss),
        "elapsed_s": curve.elapsed_s,
        "lr": curve.lr.tolist(),
        "loss": [_number(value) for value in curve.loss.tolist()],
        "smooth": [_number(value) for value in curve.smooth.tolist()],
        "update_ratio": (
            None
            if curve.update_ratio is None
            else [None if math.isnan(v) else _number(v) for v in curve.update_ratio.tolist()]
        ),
    }


def _plain(value: Any) -> Any:
    """Turn nested data into what strict JSON can hold."""
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, str):
        # Half a surrogate pair is no text that a strict reader takes.
        return value.encode("utf-8", "backslashreplace").decode()
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _dump(value: Any, indent: int = 0) -> str:
    """Format JSON with one key a line and arrays of scalars on one line."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict) and value:
        rows = (f"{pad}{json.dumps(k)}: {_dump(v, indent + 1)}" for k, v in sorted(value.items()))
        return "{\n" + ",\n".join(rows) + "\n" + "  " * indent + "}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        rows = (f"{pad}{_dump(item, indent + 1)}" for item in value)
        return "[\n" + ",\n".join(rows) + "\n" + "  " * indent + "]"
    return json.dumps(value, allow_nan=False)
