"""A report whose suggestion was tried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lrfind.curve import Step, StopReason
from lrfind.refine.refinement import TrialObserver, refine
from lrfind.refine.schedule import TrialSchedule
from lrfind.report import Report
from lrfind.schedulers.course import Course
from lrfind.spec import RefineSection
from lrfind.suggest import Verdict
from lrfind.workload.workload import Workload

if TYPE_CHECKING:
    from lrfind.distributed.group import Group

SETTLED = ("never-diverged", "optimum-at-edge")
"""Notes on a sweep that trials beyond its end make idle."""


class UpdateCount:
    """An observer that counts every update, also of a sweep that is thrown away."""

    def __init__(self) -> None:
        self.updates = 0

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Go on counting."""

    def step(self, step: Step) -> None:
        """Count one."""
        self.updates += 1

    def end(self, stop: StopReason) -> None:
        """Go on counting."""


def refined(
    report: Report,
    workload: Workload,
    section: RefineSection,
    course: Course | None = None,
    observers: Sequence[TrialObserver] = (),
    *,
    spent: int | None = None,
    group: Group | None = None,
) -> Report:
    """Try out what a report suggests; one without a suggestion stays as it is.

    Args:
        report: of the sweeps.
        workload: what they trained.
        section: the budget.
        course: what the LR is for; None: warmup and cosine.
        observers: told of every trial.
        spent: updates that the sweeps took; None: as many as the curves have points.
        group: ranks that have the same report, to share the trials; None: all are done here.
    """
    if report.suggestion is None:
        return report
    schedule = TrialSchedule(course)
    found = refine(
        workload,
        report.curves,
        report.suggestion,
        section,
        schedule,
        observers,
        spent=spent,
        group=group,
    )
    is_settled = bool(found.trials) and found.suggestion.verdict is Verdict.OK
    kept = (note for note in report.notes if not (is_settled and note.code in SETTLED))
    return replace(
        report, suggestion=found.suggestion, trials=found.trials, notes=(*kept, *found.notes)
    )
