"""Reports from saved files: read the curves again by any rule, without torch.

A file never names code to run: an import path counts only where the user passes it himself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrfind.errors import InputError, Problem
from lrfind.export import read_curves, read_report
from lrfind.registry import nearest
from lrfind.report import Report, make_report
from lrfind.suggest import CATALOG, DEFAULT_METHOD
from lrfind.sweep.auto_range import RANGE_NOTES


def reread(path: Path, method: str | None = None) -> Report:
    """Read a saved curve and suggest again; a report keeps its title, config and environment.

    The answer of a report is kept as it was saved where its own rule cannot give it again: where
    trials moved it, and where the rule is the user's own code.

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
    own, options = _own_rule(saved.spec, path)
    is_own = method in (None, own)
    if method is None and ":" in own:
        return saved
    args = options if is_own else {}
    made = [note for note in saved.notes if note.code in RANGE_NOTES]
    fresh = make_report(
        saved.curves, method or own, args, spec=saved.spec, title=saved.title, notes=made
    )
    if saved.trials and is_own:
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
