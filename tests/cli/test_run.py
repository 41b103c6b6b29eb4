"""`lrfind run`, `validate` and `init` on the shipped configs: what they print, write and return."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_help import check_snapshot

import lrfind as package
from lrfind.cli.init import Template
from lrfind.errors import ExitCode
from tests import nursery

ROOT = Path(__file__).parents[2]
STARTERS = Path(package.__file__).parent / "templates"
VISION = {"timm", "torchvision"}  # not installed with the tests; test_vision.py runs their configs
CONFIGS = sorted(path for path in ROOT.glob("configs/*.yaml") if path.stem not in VISION)
DIGITS = ROOT / "configs" / "digits.yaml"
FILES = ["curve.csv", "curve.png", "report.json"]

NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[-+]\d+)?")

SLOW_TRAINING = """
import os, signal
import torch
from torch import nn
def model(): return nn.Linear(3, 1)
def data(): return [torch.ones(4, 3)] * 5
def step(model, batch, index):
    if index == {index}:
        os.kill(os.getpid(), signal.{signal})
    return (model(batch) ** 2).mean()
"""


def masked(text: str) -> str:
    """Replace what differs from machine to machine: numbers, paths, and the reason."""
    text = re.sub(r"(?ms)^(reason|files) .*?(?=^\w)", r"\1   …\n", text)
    return re.sub(r" +", " ", NUMBER.sub("#", text))


def interrupted_at(folder: Path, index: int, name: str = "SIGINT") -> Any:
    """Run a config in a process that gets a signal at one of its steps."""
    (folder / "train.py").write_text(SLOW_TRAINING.format(index=index, signal=name))
    (folder / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:step\n"
        "optimizer: sgd\noutput: out\n"
    )
    return nursery.ran("-m", "lrfind", "run", "c.yaml", cwd=folder)


def test_the_main_job(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """A config becomes an answer on stdout, a story on stderr, and three files."""
    outcome = lrfind("run", DIGITS, "--set", "device=cpu", "--out", tmp_path)

    assert outcome.code == ExitCode.OK
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    # Where the repository and the output lie is no part of what is promised.
    out = outcome.out.replace(str(tmp_path), "OUT").replace(f"{DIGITS.parents[1]}/", "")
    check_snapshot("run-digits.txt", masked(out))
    check_snapshot("run-digits-stderr.txt", masked(outcome.err))


def test_format_lr_is_one_number_and_runs_repeat(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """The bare number is the report's; a second process with the seed writes the same bytes."""
    command = ["run", DIGITS, "--set", "device=cpu", "--format", "lr", "--out"]
    first = nursery.ran("-m", "lrfind", *command, "a", cwd=tmp_path)
    second = lrfind(*command, tmp_path / "b")
    report = json.loads((tmp_path / "a" / "report.json").read_text())

    assert re.fullmatch(r"[0-9.e-]+\n", first.stdout)
    assert float(first.stdout) == report["suggestion"]["lr"]
    assert first.stdout == second.out
    assert (tmp_path / "a" / "curve.csv").read_bytes() == (tmp_path / "b/curve.csv").read_bytes()


def test_another_seed_is_another_curve(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """`--set seed=1` changes the weights and the order of the data."""
    for seed in (0, 1):
        lrfind(
            "run",
            DIGITS,
            "--set",
            f"seed={seed}",
            "--set",
            "sweep.steps=20",
            "--out",
            tmp_path / str(seed),
        )

    assert (tmp_path / "0/curve.csv").read_text() != (tmp_path / "1/curve.csv").read_text()


@pytest.mark.parametrize("output_format", ["json", "markdown"])
def test_stdout_holds_the_answer_alone(
    output_format: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Notes and progress go to stderr, and `--quiet` leaves them out."""
    outcome = lrfind(
        "run", DIGITS, "--set", "sweep.steps=60", "--format", output_format, "--out", tmp_path, "-q"
    )

    assert outcome.err == ""
    if output_format == "json":
        assert json.loads(outcome.out)["schema"] == 1
    else:
        assert outcome.out.startswith("#")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_runs(path: Path, lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """Each shipped config ends with a suggestion, and opens with the command that runs it."""
    if path.stem == "accelerate":
        pytest.importorskip("accelerate")
    slow = ["--set", "sweep.steps=60"] if path.stem in ("text", "digits_cnn", "gan") else []
    outcome = lrfind("run", path, "--out", tmp_path, *slow)

    assert outcome.code == ExitCode.OK, outcome.err
    assert sorted(file.name for file in tmp_path.iterdir()) == FILES
    assert path.read_text().splitlines()[0] == f"# lrfind run configs/{path.name}"


# Lightning warns that `self.log` has no trainer, as it may.
@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize("name", ["torch_lr_finder_readme", "lightning_lr_find"])
def test_projects_of_other_finders_run(
    name: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """The README examples of two other finders run with their model and data code unchanged."""
    if name == "lightning_lr_find":
        pytest.importorskip("lightning")
    path = ROOT / "tests" / "projects" / name / "lrfind.yaml"

    outcome = lrfind("run", path, "--out", tmp_path)

    assert outcome.code == ExitCode.OK, outcome.err
    assert path.read_text().splitlines()[0] == f"# lrfind run tests/projects/{name}/lrfind.yaml"


def test_validate_tells_what_was_found(
    lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Model, device, batch, first loss and plan; no file is written."""
    monkeypatch.chdir(tmp_path)
    outcome = lrfind("validate", os.path.relpath(DIGITS, tmp_path), "--set", "device=cpu")

    assert outcome.code == ExitCode.OK
    assert list(tmp_path.iterdir()) == []
    text = re.sub(r"run \S+digits", "run digits", outcome.out)
    check_snapshot("validate-digits.txt", masked(text))


@pytest.mark.parametrize("template", list(Template))
def test_a_starter_runs_as_it_is(
    template: str, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`lrfind init` writes two files, says so, and `lrfind run` takes them from there."""
    if template in ("lightning", "huggingface"):
        pytest.importorskip("lightning" if template == "lightning" else "transformers")
    monkeypatch.chdir(tmp_path)

    written = lrfind("init", template)
    outcome = lrfind("run", "lrfind.yaml", "--set", "sweep.steps=40", "--out", "out")

    assert written.out.split() == ["lrfind.yaml", "train.py"]
    assert outcome.code == ExitCode.OK, outcome.err
    assert sorted(path.name for path in Path("out").iterdir()) == FILES


def test_init_overwrites_nothing_unless_told(
    lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Files that exist are told all at once and kept; `--force` replaces them."""
    monkeypatch.chdir(tmp_path)
    first = lrfind("init", "text", "--dir", "new/folder")
    mine = tmp_path / "new" / "folder" / "train.py"
    mine.write_text("# mine\n")

    refused = lrfind("init", "digits", "--dir", "new/folder")
    kept = mine.read_text()
    forced = lrfind("init", "digits", "--dir", "new/folder", "--force")

    assert first.code == forced.code == 0
    assert refused.code == ExitCode.BAD_INPUT
    assert refused.err.splitlines()[-1] == "2 problems"
    assert "pass --force" in refused.err
    assert kept == "# mine\n"
    assert mine.read_text() != "# mine\n"


def test_the_rule_can_be_chosen_on_the_way(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """`--method` reads the same curve by another rule, also one of the user's own."""
    rules = tmp_path / "rules.py"
    rules.write_text("def third(reading):\n    return 1 / 3\n")
    base = ["run", DIGITS, "--format", "lr", "--out", tmp_path / "out"]

    own = lrfind(*base, "--method", f"{rules}:third")
    steepest = lrfind(*base, "--method", "steepest")
    again = lrfind("suggest", tmp_path / "out" / "report.json", "--format", "lr")
    valley = lrfind("suggest", tmp_path / "out/curve.csv", "--format", "lr", "--method", "valley")

    assert float(own.out) == 1 / 3
    assert steepest.out == again.out
    assert valley.out != steepest.out


@pytest.mark.parametrize("command", ["run", "validate"])
def test_what_the_users_code_prints_is_no_answer(
    command: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Prints of the training script go to stderr, so that `LR=$(lrfind run …)` still works."""
    script = (STARTERS / "digits" / "train.py").read_text()
    (tmp_path / "train.py").write_text(script + "\nprint('loading')\n")
    config = (STARTERS / "digits" / "lrfind.yaml").read_text()
    (tmp_path / "lrfind.yaml").write_text(config)
    options = ["--format", "lr", "--out", tmp_path / "out"] if command == "run" else []

    outcome = lrfind(command, tmp_path / "lrfind.yaml", *options)

    assert outcome.code == ExitCode.OK
    assert "loading" not in outcome.out
    assert "loading" in outcome.err


def test_no_honest_answer_exits_with_3(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """A loss that never moves gives no number, the reason, and the files all the same."""
    (tmp_path / "train.py").write_text(
        "import torch\n"
        "def model(): return torch.nn.Linear(1, 1)\n"
        "def data(): return [torch.zeros(2, 1)] * 3\n"
        "def step(model, batch): return model.weight.sum() * 0 + 1\n"
    )
    (tmp_path / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:step\n"
    )

    outcome = lrfind("run", tmp_path / "c.yaml", "--format", "lr", "--out", tmp_path / "out")

    assert outcome.code == ExitCode.NO_SUGGESTION
    assert outcome.out == ""
    assert "no suggestion (no-signal): " in outcome.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    """SIGINT in the middle writes all three files of the part, says so, and exits with 130."""
    run = interrupted_at(tmp_path, 120)
    rows = (tmp_path / "out" / "curve.csv").read_text().splitlines()[1:]
    report = json.loads((tmp_path / "out" / "report.json").read_text())

    assert run.returncode == ExitCode.INTERRUPTED, run.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    assert 100 < len(rows) < 130
    assert report["curves"][0]["stop"] == "interrupted"
    assert "interrupted" in run.stderr
    assert "partial" in run.stderr
    assert "Traceback" not in run.stderr


def test_ctrl_c_before_the_first_step_is_quiet(tmp_path: Path) -> None:
    """SIGINT before anything was measured exits with 130 and no traceback."""
    run = interrupted_at(tmp_path, 0)

    assert run.returncode == ExitCode.INTERRUPTED, run.stderr
    assert "Traceback" not in run.stderr
    assert "internal error" not in run.stderr


def test_a_step_that_fails_late_keeps_the_curve(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """What was measured before the user's code raised is on disk, and the message says where."""
    (tmp_path / "train.py").write_text(
        SLOW_TRAINING.format(index=-1, signal="SIGINT")
        + "count = 0\n"
        + "def late(model, batch, index):\n"
        + "    if index == 50: raise MemoryError('full')\n"
        + "    return step(model, batch, index)\n"
    )
    (tmp_path / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:late\noptimizer: sgd\n"
    )

    outcome = lrfind("run", tmp_path / "c.yaml", "--out", tmp_path / "out")

    assert outcome.code == ExitCode.BAD_INPUT
    assert f"what was measured so far is in {tmp_path / 'out' / 'curve.csv'}" in outcome.err
    assert "MemoryError: full" in outcome.err
    assert len((tmp_path / "out" / "curve.csv").read_text().splitlines()) == 50


def test_a_bug_of_ours_is_told_as_one(
    lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody foresaw exits with 70 and a line; `--debug` adds the traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("wrong\nway")

    monkeypatch.setattr("lrfind.config.load", broken)

    outcome = lrfind("validate", DIGITS)
    debugged = lrfind("validate", DIGITS, "--debug")

    assert outcome.code == debugged.code == ExitCode.INTERNAL == 70
    assert outcome.err == (
        "internal error: RuntimeError: wrong way; this is a bug of lrfind: run again with --debug "
        "and report it\n"
    )
    assert "Traceback" in debugged.err
    assert "in broken" in debugged.err


def test_several_curves_are_read_in_one_go(
    lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`suggest` answers each file, and `plot` overlays them in one picture."""
    monkeypatch.chdir(tmp_path)
    for seed, folder in enumerate(("first", "second")):
        lrfind("run", DIGITS, "--set", f"seed={seed}", "--out", folder)

    answers = lrfind("suggest", "first/curve.csv", "second/curve.csv", "--format", "lr")
    table = lrfind("suggest", "first/curve.csv", "second/curve.csv")
    picture = lrfind("plot", "first/curve.csv", "second/curve.csv", "-o", "both.svg")
    drawn = Path("both.svg").read_text()

    assert len([float(line) for line in answers.out.splitlines()]) == 2
    assert "first/curve.csv\n" in table.out
    assert picture.out == "both.svg\n"
    assert "<!-- first -->" in drawn
    assert "<!-- second -->" in drawn


def test_signals_are_as_before(lrfind: Callable[..., Any]) -> None:
    """The command leaves the process's handling of Ctrl-C alone."""
    before = signal.getsignal(signal.SIGINT)
    lrfind("--version")

    assert signal.getsignal(signal.SIGINT) is before
