"""`lrfind apply`: whose LR is taken, what is written and shown, and that all is good or nothing."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_reports import clean_curve, report, suggestion
from test_lazy_imports import HEAVY, loaded

sys.path.append(str(Path(__file__).parents[1] / "lock"))

from lock_project import lock_of, make_project

from lrfind.atomic import replace_together
from lrfind.console.diff import diff_text
from lrfind.errors import ExitCode, OutputError
from lrfind.export import write_report
from lrfind.lock.files import write_lock
from lrfind.report import NoAnswer
from lrfind.suggest.answer import Verdict

PINNED, REPORTED, PEAK = 2.5e-3, 3.2e-3, 8.1e-3
YAML = "# mine\noptimizer:\n  lr: 1e-3   # guessed\n"
TO = "train.yaml:optimizer.lr"


@pytest.fixture(name="config")
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a report and a file to write into, in the current folder."""
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path)
    (tmp_path / "runs" / "c").mkdir(parents=True)
    write_report(report(clean_curve()), tmp_path / "runs" / "c" / "report.json")
    (tmp_path / "train.yaml").write_text(YAML)
    return Path("c.yaml")


def pin(config: Path, **fields: Any) -> None:
    """Pin an LR beside the config."""
    write_lock(lock_of(config, lr=PINNED, **fields), config)


def test_the_last_run_is_taken_where_nothing_is_pinned(
    config: Path, lrfind: Callable[..., Any]
) -> None:
    """The LR goes in, the diff comes out, the story says from where and to where."""
    outcome = lrfind("apply", config, "--to", TO)

    assert outcome.code == ExitCode.OK
    assert Path("train.yaml").read_text() == YAML.replace("1e-3", "3.2e-3")
    assert outcome.out == (
        "--- train.yaml\n+++ train.yaml\n@@ -1,3 +1,3 @@\n # mine\n optimizer:\n"
        "-  lr: 1e-3   # guessed\n+  lr: 3.2e-3   # guessed\n"
    )
    assert outcome.err.splitlines() == [
        "lr 0.0032 from runs/c/report.json (verdict ok)",
        "train.yaml:3: optimizer.lr is now 3.2e-3, was 1e-3",
    ]


def test_it_is_done_once(config: Path, lrfind: Callable[..., Any]) -> None:
    """A second time says so, shows nothing and touches nothing."""
    lrfind("apply", config, "--to", TO)
    before = Path("train.yaml").stat()
    again = lrfind("apply", config, "--to", TO)

    assert again.code == ExitCode.OK
    assert again.out == ""
    assert "train.yaml:3: optimizer.lr is 3.2e-3 already" in again.err
    assert Path("train.yaml").stat().st_mtime_ns == before.st_mtime_ns
    assert Path("train.yaml").stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ([], PINNED),
        (["--from", "pin"], PINNED),
        (["--from", "report"], REPORTED),
        (["--from", "report", "--peak"], PEAK),
        (["--from", "report", "--digits", "1"], 3e-3),
    ],
)
def test_the_pin_wins_unless_told_otherwise(
    options: list[str], number: float, config: Path, lrfind: Callable[..., Any]
) -> None:
    """As `lrfind get` prints; `--from`, `--peak` and `--digits` choose."""
    pin(config)

    assert lrfind("apply", config, "--to", TO, "-q", *options).code == ExitCode.OK
    line = Path("train.yaml").read_text().splitlines()[2]
    assert float(line.split()[1]) == number


def test_a_report_may_be_named_itself(config: Path, lrfind: Callable[..., Any]) -> None:
    """`lrfind apply runs/c/report.json` asks nobody else."""
    pin(config)

    outcome = lrfind("apply", "runs/c/report.json", "--to", TO)

    assert "lr 0.0032 from runs/c/report.json" in outcome.err
    refused = lrfind("apply", "runs/c/report.json", "--to", TO, "--from", "pin")
    assert refused.code == ExitCode.BAD_INPUT
    assert "is a report, which has no pin" in refused.err


def test_check_is_for_ci(config: Path, lrfind: Callable[..., Any]) -> None:
    """`--check` writes nothing and exits with 1 until the file has the pinned LR."""
    pin(config)

    differs = lrfind("apply", config, "--to", TO, "--check")
    assert differs.code == ExitCode.DRIFT
    assert "+  lr: 2.5e-3   # guessed" in differs.out
    assert "optimizer.lr would be 2.5e-3, was 1e-3" in differs.err
    assert Path("train.yaml").read_text() == YAML

    assert lrfind("apply", config, "--to", TO, "--dry-run").code == ExitCode.OK
    assert Path("train.yaml").read_text() == YAML

    Path("train.yaml").write_text(YAML.replace("1e-3", "0.0025"))
    assert lrfind("apply", config, "--to", TO, "--check").code == ExitCode.OK


def test_all_places_are_good_before_one_is_written(
    config: Path, lrfind: Callable[..., Any]
) -> None:
    """Every wrong place is told, and the right ones are as they were."""
    Path("args.json").write_text('{"lr": "auto"}')

    outcome = lrfind("apply", config, "--to", TO, "--to", "args.json:lr", "--to", "no.toml:lr")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "args.json:1: lr is 'auto'" in outcome.err
    assert "no.toml: cannot be read: No such file" in outcome.err
    assert "2 problems" in outcome.err
    assert outcome.out == ""
    assert Path("train.yaml").read_text() == YAML


def test_several_places_of_several_files(config: Path, lrfind: Callable[..., Any]) -> None:
    """Two keys of one file and one of another, through two names of the same file."""
    Path("a.toml").write_text("lr = 0.1\n[b]\nlr = 0.1\n")
    Path("link.toml").symlink_to("a.toml")
    to = ["--to", TO, "--to", "a.toml:lr", "--to", "link.toml:b.lr", "--to", "a.toml:lr"]

    outcome = lrfind("apply", config, *to)

    assert outcome.code == ExitCode.OK, outcome.err
    assert Path("a.toml").read_text() == "lr = 0.0032\n[b]\nlr = 0.0032\n"
    assert outcome.out.count("+++ ") == 2
    assert Path("link.toml").is_symlink()


def test_permissions_stay_and_links_are_followed(
    config: Path, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """The file behind a link is replaced, with its mode; the link still leads there."""
    real = tmp_path / "shared" / "real.yaml"
    real.parent.mkdir()
    real.write_text(YAML)
    real.chmod(0o640)
    Path("linked.yaml").symlink_to(real)

    assert lrfind("apply", config, "--to", "linked.yaml:optimizer.lr").code == ExitCode.OK

    assert Path("linked.yaml").is_symlink()
    assert "3.2e-3" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [path.name for path in real.parent.iterdir()] == ["real.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_protected_file_is_not_replaced(config: Path, lrfind: Callable[..., Any]) -> None:
    """A folder that can be written to is no leave to replace a file that cannot."""
    Path("train.yaml").chmod(0o444)

    outcome = lrfind("apply", config, "--to", TO)

    assert outcome.code == ExitCode.BAD_INPUT
    assert "train.yaml: is write-protected; chmod u+w train.yaml" in outcome.err


def test_files_are_replaced_together(tmp_path: Path) -> None:
    """Where the second cannot be staged, the first is as it was and nothing is left lying."""
    one, two = tmp_path / "one", tmp_path / "gone" / "two"
    one.write_bytes(b"old")

    with pytest.raises(OutputError, match="two: cannot be written: No such file"):
        replace_together({one: b"new", two: b"new"})

    assert one.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [one]


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--peak"], 2, "--peak: c.lrlock.json holds no peak_lr: its LR was pinned by hand"),
        (["--digits", "0"], 2, "Invalid value for '--digits'"),
        (["--from", "report"], 3, "runs/c/report.json: it never fell"),
    ],
)
def test_an_lr_that_nobody_knows(
    options: list[str], code: int, told: str, config: Path, lrfind: Callable[..., Any]
) -> None:
    """A pin by hand has no peak, a run without an answer no LR."""
    pin(config, peak_lr=None)
    empty = report(clean_curve(), no_answer=NoAnswer(Verdict.NO_SIGNAL, "it never fell", "mend it"))
    write_report(empty, Path("runs/c/report.json"))

    outcome = lrfind("apply", config, "--to", TO, *options)

    assert outcome.code == code
    assert told in outcome.err
    assert Path("train.yaml").read_text() == YAML


def test_a_config_that_was_neither_pinned_nor_run(config: Path, lrfind: Callable[..., Any]) -> None:
    """Both places that were looked into are named, and what to run."""
    Path("runs/c/report.json").unlink()

    outcome = lrfind("apply", config, "--to", TO)
    missing = lrfind("apply", "none.yaml", "--to", TO)

    assert outcome.code == missing.code == ExitCode.BAD_INPUT
    assert "c.yaml: is not pinned (c.lrlock.json) and has no report (runs/c/rep" in outcome.err
    assert "none.yaml: there is no such file" in missing.err


def test_a_low_verdict_is_told(config: Path, lrfind: Callable[..., Any]) -> None:
    """What is applied bears its verdict in the story."""
    weak = report(clean_curve(), answer=suggestion(verdict=Verdict.LOW_CONFIDENCE))
    write_report(weak, Path("runs/c/report.json"))

    assert "(verdict low-confidence)" in lrfind("apply", config, "--to", TO).err


def test_a_pin_is_applied_in_a_moment(config: Path, tmp_path: Path) -> None:
    """With a lock and a JSON file neither torch, numpy, pydantic nor a YAML reader is imported."""
    pin(config)
    Path("a.json").write_text('{"lr": 1}')

    modules = loaded("apply", "c.yaml", "--to", "a.json:lr", folder=tmp_path)

    assert modules & (HEAVY | {"ruamel", "pydantic", "rich"}) == set()
    assert json.loads(Path("a.json").read_text()) == {"lr": PINNED}


def test_the_diff_is_coloured_and_harmless() -> None:
    """Colours where asked for; control characters and job-log commands of the file are shown."""
    text = diff_text("t", "a\r\n::error::x\n\x1b[31m", "b\r\n::error::x\n\x1b[31m", color=True)

    assert "\x1b[31m-a\x1b[0m\n\x1b[32m+b\x1b[0m\n" in text
    assert "\\x1b[31m" in text
    assert "\\ No newline at end of file" in text
    plain = diff_text("t", "1\n::error::x\n", "2\n::error::x\n")
    assert "\n::error" not in plain
    assert diff_text("t", "same", "same") == ""
