"""How checks are told: on a terminal, in JSON, in Markdown, to GitHub."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lock_project import LOCK

from lrfind.cli.github import tell_github
from lrfind.console.check_github import workflow_commands
from lrfind.console.check_json import check_json
from lrfind.console.check_markdown import check_markdown
from lrfind.console.check_table import check_table
from lrfind.console.pin_table import pin_table
from lrfind.errors import ExitCode, OutputError, Problem
from lrfind.lock.check import Check, Failure, Rerun, State, exit_code, judge
from lrfind.lock.lock import BY_HAND, Lock
from lrfind.lock.staleness import Change, Kind
from lrfind.lock.trials import Verification
from lrfind.refine.trial import Trial

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
EVIL = "configs/x%,:\x1b[31m\n::error::| <b>`a`.yaml"


def trials(*losses: float, noise: float = 0.01) -> Verification:
    """Make trials that started at loss 2."""
    below, pinned, above = (
        Trial(0.0071 * 3.0**i, loss, 100, math.isinf(loss)) for i, loss in enumerate(losses, -1)
    )
    return Verification((below, pinned, above), 2.0, noise)


def found(lr: float | None, verification: Verification | None = None, noise: float = 0.02) -> Rerun:
    """Make a re-run that came out at an LR."""
    why = "" if lr else "the loss never fell; take more steps: --set sweep.steps=400"
    return Rerun(lr, why, {0: lr, 1: lr, 2: None}, {0: noise}, "cpu", verification)


CHANGES = (
    Change(Kind.CONFIG, "data.batch_size was 32, now 256", Path("configs/b.yaml"), 3),
    Change(Kind.SOURCE, "src/train.py changed", Path("src/train.py")),
    Change(Kind.VERSION, "python 3.11.2, now 3.11.4", is_stale=False),
)
BY_A_PERSON = replace(LOCK, lr=3e-4, method=BY_HAND, reason="as in the paper", peak_lr=None)
ALL = [
    judge(Path("configs/a.yaml"), LOCK, CHANGES[2:], found(0.0072, trials(0.9, 0.5, 0.51))),
    judge(Path("configs/b.yaml"), LOCK, CHANGES),
    judge(Path("configs/c.yaml"), LOCK, (), found(0.00071)),
    judge(Path("configs/d.yaml"), LOCK, CHANGES[:1], found(0.071)),
    judge(Path("configs/e.yaml"), LOCK, (), found(None)),
    judge(Path("configs/g.yaml"), LOCK, (), found(0.0075, noise=0.0075)),
    judge(Path("configs/f.yaml"), BY_A_PERSON, (), found(0.0072)),
    Check(
        Path(EVIL),
        State.BAD_INPUT,
        failure=Failure(
            State.BAD_INPUT,
            (
                Problem("configs/x.yaml:3", "sweep.steps = 0 must be ≥ 2", "raise it"),
                Problem("configs/x.yaml:4", "\x1b[2Jmodel 'a|b' is *gone*", "100 % sure"),
            ),
        ),
    ),
]


def check_snapshot(name: str, text: str) -> None:
    """Compare with a stored text; LRFIND_UPDATE_SNAPSHOTS=1 stores it anew."""
    path = SNAPSHOTS / name
    if os.environ.get("LRFIND_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_reads_as_stored(width: int) -> None:
    """State, numbers and path in a line, sentences below it, all within the width."""
    # The last one's path is longer than a line, and paths are not broken.
    assert max(map(len, check_table(ALL[:-1], width=width).splitlines())) <= width
    check_snapshot(f"check-table-{width}.txt", check_table(ALL, width=width))


def test_markdown_reads_as_stored() -> None:
    """A table with a row a config, and what was found as lists; the user's text stands as it is."""
    check_snapshot("check-markdown.md", check_markdown(ALL))


def test_json_reads_as_stored() -> None:
    """Strict JSON, sorted, with everything that was found."""
    text = check_json(ALL)
    data = json.loads(text, parse_constant=pytest.fail)

    assert data["state"] == "bad input"
    assert data["checks"][2]["decades"] == pytest.approx(-1)
    check_snapshot("check.json", text)


def test_github_reads_as_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations on standard output, summary and outputs added to the files that GitHub names."""
    summary, output = tmp_path / "summary", tmp_path / "output"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    with (tmp_path / "out").open("w") as out:
        tell_github(ALL, out)

    assert summary.read_text() == "before\n" + check_markdown(ALL)
    keys = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert keys.keys() == {"state", "exit-code", "checks"}
    assert json.loads(keys["checks"]) == json.loads(check_json(ALL))
    check_snapshot("check-github.txt", (tmp_path / "out").read_text())


def test_one_pin_gives_its_lr_to_later_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a single config the outputs hold the exact pinned LR."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    with (tmp_path / "out").open("w") as out:
        tell_github(ALL[:1], out)

    assert "lr=0.0071\n" in (tmp_path / "output").read_text()


def test_a_summary_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in the place of a file is wrong input, named by its variable."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with (
        (tmp_path / "out").open("w") as out,
        pytest.raises(OutputError, match=r"GITHUB_STEP_SUMMARY: = .* cannot be written"),
    ):
        tell_github(ALL, out)


def test_nothing_of_a_user_becomes_a_workflow_command() -> None:
    """A hostile path or message stays inside its one annotation: no line, colour or property of
    its own."""
    lines = workflow_commands(ALL).splitlines()
    command = re.compile(r"::(error|warning|notice) file=[^:,]*(,line=\d+)?,title=[^:,]*::")
    stale = replace(ALL[1], config=Path(EVIL))

    assert all(command.match(line) for line in lines)
    assert "file=configs/x.yaml,line=3,title=" in lines[-2]
    assert lines[-1].endswith("::configs/x.yaml:4: \\x1b[2Jmodel 'a|b' is *gone*; 100 %25 sure")
    assert "file=configs/x%25%2C%3A\\x1b[31m %3A%3Aerror%3A%3A| <b>`a`.yaml," in (
        workflow_commands([stale])
    )
    assert "\x1b" not in workflow_commands([*ALL, stale])


def test_places_are_relative_to_the_workspace(tmp_path: Path) -> None:
    """GitHub resolves an annotation's file in the checked-out repository."""
    config = tmp_path / "repo" / "configs" / "a.yaml"
    lines = workflow_commands([replace(ALL[0], config=config)], tmp_path / "repo")

    assert "::notice file=configs/a.yaml,title=" in lines


@pytest.mark.parametrize(
    ("lock", "changes", "rerun", "state"),
    [
        (LOCK, (), None, State.GOOD),
        (LOCK, CHANGES[2:], None, State.GOOD),
        (LOCK, CHANGES, None, State.STALE),
        (LOCK, (), found(0.0071), State.GOOD),
        (LOCK, (), found(0.0071 * 10**0.149), State.GOOD),
        (LOCK, (), found(0.0071 * 10**0.151), State.DRIFTED),
        (LOCK, (), found(0.0071 * 10**-0.151), State.DRIFTED),
        (LOCK, CHANGES, found(0.0071), State.STALE),
        (LOCK, CHANGES, found(0.71), State.DRIFTED),
        (LOCK, (), found(0.0071, noise=0.021 * 10**0.29), State.GOOD),
        (LOCK, (), found(0.0071, noise=0.021 * 10**0.31), State.DRIFTED),
        (LOCK, (), found(0.0071, noise=0.021 * 10**-0.31), State.DRIFTED),
        (LOCK, (), found(None), State.INCONCLUSIVE),
        (LOCK, CHANGES, found(None), State.STALE),
        (BY_A_PERSON, (), found(0.0071), State.GOOD),
        (BY_A_PERSON, (), found(3e-4), State.DRIFTED),
        (replace(BY_A_PERSON, swept_lr=None), (), found(None), State.GOOD),
        (LOCK, (), found(0.0071, trials(0.9, 0.5, 0.6)), State.GOOD),
        (LOCK, (), found(0.0071, trials(0.9, 0.62, 0.5)), State.GOOD),
        (LOCK, (), found(0.0071, trials(0.9, 0.7, 0.5)), State.DRIFTED),
        (LOCK, (), found(0.0071, trials(0.9, 0.7, 0.5, noise=0.11)), State.GOOD),
        (LOCK, (), found(0.0071, trials(1.9, math.inf, math.inf)), State.DRIFTED),
        (LOCK, (), found(0.0071, trials(1.99, 1.99, 2.5)), State.INCONCLUSIVE),
        (LOCK, (), found(0.071, trials(1.99, 1.99, 2.5)), State.DRIFTED),
    ],
)
def test_the_state_follows_from_what_was_found(
    lock: Lock, changes: tuple[Change, ...], rerun: Rerun | None, state: State
) -> None:
    """Drifted before stale before inconclusive before good."""
    assert judge(Path("c.yaml"), lock, changes, rerun).state is state


def test_the_worst_of_many_decides() -> None:
    """Bad input before drifted and stale, before inconclusive, before good."""
    by_state = {check.state: check for check in ALL}
    good, silent = by_state[State.GOOD], by_state[State.INCONCLUSIVE]

    assert exit_code([]) == exit_code([good]) == ExitCode.OK
    assert exit_code([good, silent]) == ExitCode.NO_SUGGESTION
    assert exit_code([silent, by_state[State.STALE], good]) == ExitCode.DRIFT
    assert exit_code([by_state[State.DRIFTED], silent]) == ExitCode.DRIFT
    assert exit_code(ALL) == ExitCode.BAD_INPUT


@pytest.mark.parametrize("width", [80, 120])
def test_a_new_pin_reads_as_stored(width: int) -> None:
    """What was pinned, what was before, and what a check will accept."""
    wide = replace(
        LOCK,
        verdict="low-confidence",
        tolerance_decades=0.6,
        per_seed={0: 0.0071, 1: 0.001, 2: None},
    )
    texts = [
        pin_table(lock, before, Path("configs/a.lrlock.json"), Path("configs/a.yaml"), width=width)
        for lock, before in ((LOCK, None), (wide, BY_A_PERSON), (BY_A_PERSON, BY_A_PERSON))
    ]

    check_snapshot(f"pin-{width}.txt", "\n".join(texts))


def test_colour_changes_no_word() -> None:
    """Without its escapes a coloured table is the plain one."""
    plain = re.sub(r"\x1b\[\d+m", "", check_table(ALL, color=True))

    assert plain == check_table(ALL)
