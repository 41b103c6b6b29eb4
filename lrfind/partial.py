"""A report of a run that was ended before its end, from the curves that were kept."""

from __future__ import annotations

from collections.abc import Sequence

from lrfind.config import Config
from lrfind.curve import Curve, StopReason
from lrfind.report import Report, make_report
from lrfind.schedulers.course import Course
from lrfind.suggest import Note

CODE = "interrupted"
"""Code of the note that marks a report as partial."""


def partial_report(config: Config, curves: Sequence[Curve]) -> Report:
    """Read what was measured as the whole would have been read, and mark it as partial.

    The model and the device are not named: they may be what hangs.

    Args:
        config: what was run.
        curves: at least one, none of them empty.
    """
    spec = config.spec
    notes = []
    # A curve that was cut has its own note.
    if all(curve.stop is not StopReason.INTERRUPTED for curve in curves):
        done = f"{len(curves)} of {spec.sweep.seeds} sweeps"
        advice = "let the run finish before trusting its answer"
        notes.append(Note(CODE, f"the run is partial: it ended after {done}: interrupted", advice))
    plain = spec.model_dump(mode="json")
    return make_report(
        curves,
        spec.suggest.method,
        spec.suggest.args,
        purpose=Course.from_section(plain["schedule"]),
        spec=plain,
        title=config.path.stem,
        notes=notes,
        folder=config.rule_folder,
    )
