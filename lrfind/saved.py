"""Reports from saved files: read the curves again by any rule, without torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.export import read_curves, read_report
from lrfind.registry import nearest
from lrfind.report import Report, make_report
from lrfind.suggest import CATALOG, DEFAULT_METHOD
from lrfind.sweep.auto_range import RANGE_NOTES


def reread(path: Path, method: str | None = None) -> Report:
    """Read a saved curve and suggest again; a report keeps its title, config and environment.

    Args:
        path: `curve.csv` or `report.json`.
        method: a rule; None keeps a report's own, and is the default rule for a CSV.

    Raises:
        InputError: the file is damaged, or the rule is unknown.
    """
    if method is not None and ":" not in method and method not in CATALOG:
        hint = nearest(method, CATALOG)
        raise InputError(Problem("--method", f"{method!r} is no rule", hint))
    if path.suffix.lower() != ".json":
        return make_report(read_curves(path), method or DEFAULT_METHOD, title=path.stem)
    saved = read_report(path)
    section = saved.spec.get("suggest")
    own = section if isinstance(section, dict) else {}
    chosen = method or own.get("method", DEFAULT_METHOD)
    args = own.get("args", {}) if method in (None, own.get("method")) else {}
    made = [note for note in saved.notes if note.code in RANGE_NOTES]
    fresh = make_report(saved.curves, chosen, args, spec=saved.spec, title=saved.title, notes=made)
    if saved.trials and method in (None, own.get("method")):
        # What the trials said is no matter of reading the curve again.
        fresh = replace(fresh, suggestion=saved.suggestion, notes=saved.notes)
    return replace(
        fresh,
        environment=saved.environment,
        group_scales=saved.group_scales,
        trials=saved.trials,
    )
