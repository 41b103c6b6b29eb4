"""What the other rules say about the same curves."""

from __future__ import annotations

from dataclasses import dataclass

from lrfind.errors import NoSuggestionError
from lrfind.report import Report
from lrfind.schedulers.course import Course
from lrfind.suggest import CATALOG
from lrfind.suggest.panel import suggest


@dataclass(frozen=True, slots=True)
class Candidate:
    """The answer of a rule that was not asked.

    Attributes:
        rule: its name.
        formula: what it computes, in a line.
        lr: its answer; None where it has none.
        why: the reason, of the answer or of there being none.
    """

    rule: str
    formula: str
    lr: float | None
    why: str


def candidates(report: Report) -> list[Candidate]:
    """Ask every bundled rule but the report's own about its curves, for the same schedule."""
    if not any(len(curve) for curve in report.curves):
        return []
    purpose = Course.from_section(report.spec.get("schedule"))
    own = report.suggestion.method if report.suggestion else ""
    found = []
    for rule, entry in CATALOG.items():
        if rule == own:
            continue
        try:
            answer = suggest(report.curves, rule, purpose=purpose)
            found.append(Candidate(rule, entry.formula, answer.lr, answer.reason))
        except NoSuggestionError as error:
            found.append(Candidate(rule, entry.formula, None, error.reason))
    return found
