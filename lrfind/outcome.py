"""What came of one run among several, as plain data that ranks and processes can send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrfind.errors import ExitCode

if TYPE_CHECKING:
    from lrfind.report import Report

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.BAD_INPUT,
    ExitCode.TIMED_OUT,
    ExitCode.NOT_WRITTEN,
    ExitCode.NO_SUGGESTION,
)


_UNFINISHED = (ExitCode.INTERRUPTED, ExitCode.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the run of one config.

    Attributes:
        config: its path, as the user named it.
        exit_code: what a run of it alone tells its caller.
        folder: where its files are; empty where it has none.
        lr: the suggestion; None where there is none.
        peak_lr: LR of warmup and decay; None where there is none.
        low: least usable LR.
        high: highest usable LR.
        verdict: of the suggestion, or why there is none; what happened where nothing was measured.
        why: what is wrong and what to change; empty where nothing is.
    """

    config: str
    exit_code: int
    folder: str = ""
    lr: float | None = None
    peak_lr: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""
    why: str = ""


_WORDS = {
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.INTERNAL: "internal error",
    ExitCode.BAD_INPUT: "bad input",
    ExitCode.TIMED_OUT: "timed out",
    ExitCode.NOT_WRITTEN: "not written",
}


def outcome_of(config: str, report: Report, folder: str, code: ExitCode) -> Outcome:
    """Take from a report what a summary tells of it."""
    found, none = report.suggestion, report.no_answer
    if found is None:
        verdict = _WORDS.get(code, "" if none is None else str(none.verdict))
        return Outcome(config, code, folder, verdict=verdict, why=str(none or ""))
    verdict = str(found.verdict)
    why = f"{verdict}, but not of a whole run" if code in _UNFINISHED else ""
    usable = found.lr, found.peak_lr, found.low, found.high
    return Outcome(config, code, folder, *usable, _WORDS.get(code, verdict), why)


def failed(config: str, code: ExitCode, why: str) -> Outcome:
    """Tell of a run without a report."""
    return Outcome(config, code, verdict=_WORDS[code], why=why)


def worst_code(outcomes: Sequence[Outcome]) -> ExitCode:
    """Join the outcomes to one exit code: the worst decides."""
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.OK)
