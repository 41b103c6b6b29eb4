"""Reports from saved files: read the curves again by any rule, without torch.

A file never names code to run: an import path counts only where the user passes it himself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lrfind.errors import InputError, Problem
from lrfind.export import read_curves, read_report
from lrfind.ramp.auto_range import RANGE_NOTES
from lrfind.registry import nearest
from lrfind.report import Report, make_report
from lrfind.schedulers import CATALOG as SCHEDULES
from lrfind.schedulers.course import Course
from lrfind.spec import ScheduleSection
from lrfind.spec.run_length import USUAL_STEPS
from lrfind.suggest import CATALOG, DEFAULT_METHOD


def reread(path: Path, method: str | None = None, schedule: str | None = None) -> Report:
    """Read a saved curve and suggest again; a report keeps its title, config and environment.

    The answer of a report is kept as it was saved where its own rule cannot give it again: where
    trials moved it, and where the rule is the user's own code.

    Args:
        path: `curve.csv` or `report.json`.
        method: a rule; None keeps a report's own, and is the default rule for a CSV.
        schedule: name of a bundled schedule that the LR is for; None keeps a report's own.

    Raises:
        InputError: the file is damaged, or the rule or the schedule is unknown.
    """
    if method is not None and ":" not in method and method not in CATALOG:
        hint = nearest(method, CATALOG)
        raise InputError(Problem("--method", f"{method!r} is no rule", hint))
    if schedule is not None and schedule not in SCHEDULES:
        hint = nearest(schedule, SCHEDULES)
        raise InputError(Problem("--schedule", f"{schedule!r} is not bundled", hint))
    course = None if schedule is None else Course(schedule, USUAL_STEPS)
    if path.suffix.lower() != ".json":
        rule = method or DEFAULT_METHOD
        return make_report(read_curves(path), rule, purpose=course, title=path.stem)
    saved = read_report(path)
    if course is None:
        course = _own_course(saved.spec, path)
    own, options = _own_rule(saved.spec, path)
    is_own = method in (None, own)
    if method is None and ":" in own:
        if schedule is not None:
            what = f"was read by {own!r:.60}, and no code that a file names is run"
            raise InputError(Problem(str(path), what, "pass --method beside --schedule"))
        return saved
    args = options if is_own else {}
    made = [note for note in saved.notes if note.code in RANGE_NOTES]
    fresh = make_report(
        saved.curves,
        method or own,
        args,
        purpose=course,
        spec=saved.spec,
        title=saved.title,
        notes=made,
    )
    if saved.trials and is_own and schedule is None:
        # What the trials said is no matter of reading the curve again.
        fresh = replace(fresh, suggestion=saved.suggestion, notes=saved.notes)
    return replace(
        fresh,
        environment=saved.environment,
        group_scales=saved.group_scales,
        trials=saved.trials,
    )


def _own_rule(spec: Mapping[str, Any], path: Path) -> tuple[str, dict[str, Any]]:
    """Take the rule and its options from a report's config; the default rule where it has none.

    Raises:
        InputError: it names something else.
    """
    section = spec.get("suggest")
    own = section if isinstance(section, dict) else {}
    method, args = own.get("method", DEFAULT_METHOD), own.get("args", {})
    is_known = isinstance(method, str) and (":" in method or method in CATALOG)
    if not is_known or not isinstance(args, dict):
        what = f"spec.suggest names no rule: method = {method!r:.60}, args = {args!r:.60}"
        raise InputError(Problem(str(path), what, "pass --method, for instance auto"))
    return method, args


def _own_course(spec: Mapping[str, Any], path: Path) -> Course | None:
    """Take the schedule from a report's config; None where it has none.

    Raises:
        InputError: it is none, or cannot be drawn.
    """
    found = spec.get("schedule")
    if found is None:
        return None
    try:
        section = ScheduleSection.model_validate(found)
        course = Course(section.name, section.steps, section.warmup, section.args)
        with np.errstate(all="ignore"):
            share = course.rms_share(1.0)
    except (ValueError, TypeError, ArithmeticError):
        share = math.nan
    if not 0.0 < share <= 1.0 + 1e-9:
        what = f"spec.schedule is none that could be drawn: {found!r:.80}"
        raise InputError(Problem(str(path), what, "pass --schedule, for instance cosine"))
    return course
