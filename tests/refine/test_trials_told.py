"""Trials in a report: written, read back, and told in every format."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import pytest
from sample_reports import clean_curve, report, suggestion

from lrfind.console import SweepProgress, render
from lrfind.export import read_report, write_report
from lrfind.refine import Trial
from lrfind.report import Report
from lrfind.saved import reread

TRIALS = (
    Trial(2.0e-2, 0.109, 99, False),
    Trial(6.3e-2, math.inf, 12, True),
    Trial(6.3e-3, 0.2, 99, False),
)


def tried() -> Report:
    """A report whose suggestion was refined."""
    answer = suggestion(method="auto+trials", reason="3 trials of 99 steps end lowest at 2.0e-02")
    return report(clean_curve(), answer=answer, trials=TRIALS, spec={"suggest": {"method": "auto"}})


def test_the_table_lists_trials_by_lr() -> None:
    """Final losses in the order of their LRs, divergence in words."""
    text = render(tried(), "table", width=120)

    assert "trials   loss 0.2 at 6.3e-03 · 0.109 at 2.0e-02 · diverged at 6.3e-02" in text
    assert "by auto+trials" in text
    assert "trials" not in render(report(clean_curve()), "table", width=120)


def test_markdown_has_a_row_a_trial() -> None:
    """A table of LR, final loss and steps."""
    text = render(tried(), "markdown")

    assert "| trial lr | final loss | steps |" in text
    assert "| `6.3e-03` | 0.2 | 99 |\n| `2.0e-02` | 0.109 | 99 |" in text
    assert "| `6.3e-02` | diverged | 12 |" in text


def test_saved_trials_come_back(tmp_path: Path) -> None:
    """`report.json` holds them, an infinite loss included."""
    path = tmp_path / "report.json"
    write_report(tried(), path)

    assert read_report(path).trials == TRIALS


@pytest.mark.parametrize(("method", "keeps"), [(None, True), ("auto", True), ("steepest", False)])
def test_reading_again_keeps_what_trials_said(
    tmp_path: Path, method: str | None, keeps: bool
) -> None:
    """By its own rule a report keeps its refined answer; another rule reads the curve alone."""
    path = tmp_path / "report.json"
    write_report(tried(), path)
    found = reread(path, method)

    assert found.trials == TRIALS
    assert found.suggestion is not None
    assert (found.suggestion == tried().suggestion) == keeps
    if not keeps:
        assert found.suggestion.method == method


def test_progress_tells_each_trial_in_a_line() -> None:
    """Without a terminal one plain line a trial; nothing for one that was broken off."""
    stream = io.StringIO()
    with SweepProgress(stream=stream) as progress:
        for index, trial in enumerate(TRIALS[:2]):
            progress.begin_trial(index, trial.lr, 99)
            progress.end_trial(trial)
        progress.begin_trial(2, 6.3e-3, 99)
        progress.end_trial(None)

    assert stream.getvalue().splitlines() == [
        "trial 1: lr 2.0e-02, loss 0.1090 after 99 steps",
        "trial 2: lr 6.3e-02, diverged after 12 steps",
    ]


def test_quiet_tells_nothing() -> None:
    """`--quiet` covers the trials."""
    stream = io.StringIO()
    with SweepProgress(stream=stream, quiet=True) as progress:
        progress.begin_trial(0, 1e-2, 99)
        progress.end_trial(replace(TRIALS[0], lr=1e-2))

    assert stream.getvalue() == ""
