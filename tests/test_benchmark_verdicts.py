"""What the benchmark says of lrfind's verdicts and ranges, and where it writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.page import write_section
from benchmarks.suggestion.access import load_truth
from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.live import SETTINGS, STRIDE
from benchmarks.suggestion.score import score
from benchmarks.suggestion.seeds import FINDER_SEEDS, ORACLE_SEEDS
from benchmarks.suggestion.verdicts import Confusion, confusion, coverage, verdict_table

PAIR = "digits_mlp-adam"
TRUTH = load_truth(PAIR)
BEST = float(TRUTH.lrs[TRUTH.best("constant")])


def answer(factor: float, verdict: str = "ok", reach: float = 1.0) -> Answer:
    """Make an answer at a multiple of the best LR."""
    lr = BEST * factor
    return Answer(PAIR, 100, lr, lr, 0.0, lr / reach, lr * reach, verdict)


def test_confusion_counts_warnings_against_regret() -> None:
    """Bad and good answers are told apart by regret, warned and trusted ones by verdict."""
    found = confusion(
        score(
            "made up",
            [answer(1), answer(1, "low-confidence"), answer(1e-4), answer(1e-4, "no-signal")],
        )
    )

    assert found == Confusion(caught=1, missed=1, false_alarms=1, passed=1)


def test_a_range_is_held_to_its_worst_lr() -> None:
    """A range around the best LR counts only as far as regret stays small throughout."""
    narrow, wide = answer(1, reach=1.05), answer(1, reach=1e4)

    assert coverage(score("made up", [narrow])) == 1.0
    assert coverage(score("made up", [narrow, wide])) == 0.5


def test_only_systems_with_verdicts_have_a_row() -> None:
    """A finder that never says how sure it is has no confusion to show."""
    rows = verdict_table([score("lrfind", [answer(1)]), score("a peer", [answer(1, "")])])

    assert "| lrfind |" in rows
    assert "a peer" not in rows


def test_seeds_of_joint_runs_are_used_once() -> None:
    """Runs with several seeds share none with each other nor with the oracle."""
    used = [
        FINDER_SEEDS[0] + STRIDE * i + j
        for seeds, _ in SETTINGS.values()
        if seeds > 1
        for i in range(len(FINDER_SEEDS))
        for j in range(seeds)
    ]

    assert len(set(used)) == len(used)
    assert not set(used) & set(ORACLE_SEEDS)


def test_a_section_is_replaced_between_its_markers(tmp_path: Path) -> None:
    """Writing a section leaves the rest of the page alone, however often it is done."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n<!-- a -->\nold\n<!-- /a -->\ntail\n")

    write_section("a", "new", page)
    write_section("a", "newer", page)

    assert page.read_text() == "# Title\n<!-- a -->\n\nnewer\n\n<!-- /a -->\ntail\n"


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    """A section that the page does not know is an error, not a lost table."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n")

    with pytest.raises(ValueError, match="must hold <!-- a -->"):
        write_section("a", "new", page)
