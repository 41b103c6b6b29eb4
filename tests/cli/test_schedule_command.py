"""`lrfind schedule` draws, prints Python and CSV, and tells what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lrfind.config import load
from lrfind.schedulers import CATALOG
from lrfind.schedulers.preview import preview

CONFIG = """\
model: train.py:model
data: train.py:data
optimizer: {{name: sgd, args: {{lr: 0.2}}}}
schedule: {schedule}
"""


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Callable[[str], Path]:
    """Write a config with a schedule."""
    (tmp_path / "train.py").touch()

    def write(schedule: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(schedule=schedule))
        return path

    return write


def lrs_of(csv: str) -> list[float]:
    """Read `step,lr` rows."""
    head, *rows = csv.splitlines()
    steps, lrs = zip(*(row.split(",") for row in rows), strict=True)

    assert head == "step,lr"
    assert [int(step) for step in steps] == list(range(len(rows)))
    return [float(lr) for lr in lrs]


@pytest.mark.parametrize("name", CATALOG)
def test_the_python_gives_the_csv(name: str, lrfind: Callable[..., Any]) -> None:
    """The lines to paste, run on an optimizer, produce the LRs that `--csv` lists."""
    options = (name, "--lr", 0.1, "--steps", 120, "--warmup", 7)
    printed = lrfind("schedule", *options)
    wanted = lrs_of(lrfind("schedule", *options, "--csv").out)
    setup, step = printed.out.rsplit("# after every", 1)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    names: dict[str, Any] = {"optimizer": optimizer, "metric": 0.0}
    exec(setup, names)
    seen = []
    for _ in wanted:
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        exec(step.split(":\n", 1)[1], names)

    assert printed.code == 0
    assert printed.err == ""
    # A plateau behind a warmup counts evaluations from the warmup's end on, as the preview does.
    assert seen == pytest.approx(wanted, rel=1e-9)


def test_every_digit_of_the_lr_is_in_the_csv(lrfind: Callable[..., Any]) -> None:
    """The CSV reads back as exactly the LRs of the preview."""
    out = lrfind("schedule", "cosine", "--lr", "0.3", "--steps", "50", "--csv").out

    assert lrs_of(out) == preview("cosine", 0.3, 50).tolist()


def test_arguments_are_read_as_in_a_config(lrfind: Callable[..., Any]) -> None:
    """Lists and numbers such as 1e-3 are YAML 1.2, given one by one."""
    outcome = lrfind(
        "schedule", "multistep", "--lr", "1", "--arg", "milestones=[3, 6]", "--arg", "gamma=1e-1"
    )

    assert "MultiStepLR(optimizer, milestones=[3, 6], gamma=0.1)" in outcome.out


def test_a_picture_is_written_beside_the_python(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """`-o` writes the picture, and says so where a pipe does not see it."""
    path = tmp_path / "out.svg"
    outcome = lrfind("schedule", "cosine", "--lr", "0.1", "-o", path)

    assert path.read_text("utf-8").startswith("<?xml")
    assert outcome.err == f"wrote {path}\n"
    assert outcome.out.startswith("from lrfind.schedulers import")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cosin", "--lr", "1"], "did you mean 'cosine'?"),
        (["cosine"], "no LR is given; pass --lr"),
        (["--lr", "1"], "no schedule is named; pass a --config, or one of constant"),
        (["step", "--lr", "1", "--arg", "gama=1"], "did you mean 'gamma'?"),
        (["step", "--lr", "1", "--arg", "gamma"], "--arg gamma: an argument reads key=value"),
        (["step", "--lr", "1", "--arg", "gamma=["], "'[' is no YAML"),
        (["step", "--lr", "1", "--arg", "gamma=x"], "cannot be drawn with gamma = 'x'"),
        (["cosine", "--lr", "inf"], "lr = inf must be a finite number > 0"),
        (["cosine", "--lr", "1", "--steps", "5", "--warmup", "5"], "below steps = 5"),
        (["cosine", "--lr", "1", "-o", "a.gif"], "names no picture format"),
        (["cosine", "--lr", "1", "-o", "no/such/a.png"], "cannot be written"),
        (["cosine", "--config", "c.yaml"], "both 'cosine' and --config c.yaml are given"),
        (["--config", "none.yaml"], "none.yaml"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: list[str],
    message: str,
    lrfind: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong input exits 2 with one line on standard error, and nothing on standard output."""
    monkeypatch.chdir(tmp_path)
    outcome = lrfind("schedule", *arguments)

    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())
    assert outcome.out == ""


def test_a_config_names_its_schedule(
    config: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """Name, arguments, warmup, steps and the optimizer's LR come from the config."""
    path = config("{name: step, args: {gamma: 0.5}, warmup: 10, steps: 60}")
    outcome = lrfind("schedule", "--config", path, "--csv")

    assert lrs_of(outcome.out) == preview("step", 0.2, 60, 10, {"gamma": 0.5}).tolist()


def test_options_win_over_the_config(
    config: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """What stands on the command line is taken instead, key by key."""
    path = config("{name: step, args: {gamma: 0.5, step_size: 9}, warmup: 10, steps: 60}")
    options = ("--lr", 1, "--steps", 30, "--warmup", 0, "--arg", "gamma=0.25")
    outcome = lrfind("schedule", "--config", path, *options, "--csv")

    wanted = preview("step", 1.0, 30, 0, {"gamma": 0.25, "step_size": 9})
    assert lrs_of(outcome.out) == wanted.tolist()


def test_a_bare_name_is_a_schedule(config: Callable[[str], Path]) -> None:
    """`schedule: cosine` is short for its name, and an override unfolds it."""
    path = config("cosine")
    short = load(path).spec.schedule
    longer = load(path, ["schedule.warmup=20"]).spec.schedule

    assert short is not None
    assert (short.name, short.args, short.warmup, short.steps) == ("cosine", {}, 0, 1000)
    assert longer is not None
    assert (longer.name, longer.warmup) == ("cosine", 20)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("cosin", "config.yaml:4: schedule.name = 'cosin' is not bundled; did you mean 'cosine'?"),
        ("{name: step, args: {gama: 1}}", "step has no argument 'gama'; did you mean 'gamma'?"),
        ("{name: step, args: {gamma: x}}", "config.yaml:4: schedule.args: cannot be drawn"),
        ("{name: step, warmup: 5, steps: 5}", "schedule.warmup = 5 must be below schedule.steps"),
        ("{name: step, warmup: -1}", "schedule.warmup = -1 must be at least 0"),
        ("{name: step, steps: 0}", "schedule.steps = 0 must be at least 1"),
        ("{name: step, epochs: 3}", "schedule.epochs is not a known key"),
        ("{args: {gamma: 1}}", "schedule.name is missing"),
        ("3", "schedule = 3 must be a section"),
    ],
)
def test_a_wrong_schedule_is_told_with_its_line(
    schedule: str, message: str, config: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """Names, arguments and bounds of the section are checked when the config is read."""
    outcome = lrfind("schedule", "--config", config(schedule))

    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())


def test_a_config_without_a_schedule_is_told(
    config: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """`--config` needs the section, and the error says how to write it."""
    outcome = lrfind("schedule", "--config", config("null"))

    assert outcome.code == 2
    assert "has no schedule; add `schedule: cosine`" in " ".join(outcome.err.split())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_the_drawing(width: int) -> None:
    """On a terminal title and drawing stand over the Python, no wider than the terminal."""
    master, slave = os.openpty()
    command = [sys.executable, "-m", "lrfind", "schedule", "cosine", "--lr", "0.1"]
    environment = {**os.environ, "COLUMNS": str(width), "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(command, stdout=slave, env=environment)
    os.close(slave)
    chunks = []
    try:
        while chunk := os.read(master, 65536):
            chunks.append(chunk)
    except OSError:
        pass  # the way Linux says that the other end is closed
    os.close(master)
    lines = b"".join(chunks).decode().replace("\r", "").splitlines()

    assert process.wait() == 0
    assert lines[0] == "cosine: 1000 steps"
    assert any("●" in line for line in lines)
    assert "from lrfind.schedulers import CosineAnnealingLR" in lines
    assert max(map(len, lines)) <= width


def test_drawing_needs_no_torch(tmp_path: Path) -> None:
    """Neither the Python nor the picture imports torch."""
    code = (
        "import sys\n"
        "from lrfind.cli import main\n"
        "sys.argv = ['lrfind', 'schedule', 'cosine', '--lr', '1', '--steps', '9', '-o', 'a.png']\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "a.png").exists()


def test_a_run_carries_the_schedule_into_its_report(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """report.json says what the LR is for."""
    config = Path(__file__).parents[2] / "configs" / "digits.yaml"
    options = ("--set", "schedule={name: cosine, warmup: 20}", "--set", "sweep.steps=60")
    outcome = lrfind("run", config, *options, "--out", tmp_path / "out", "--quiet")
    spec = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["spec"]

    assert outcome.code in (0, 3)
    assert spec["schedule"] == {"name": "cosine", "args": {}, "warmup": 20, "steps": 1000}


def test_a_sweep_schedule_may_start_at_any_lr(tmp_path: Path, lrfind: Callable[..., Any]) -> None:
    """A config's sweep schedule is checked without an LR, so a start of 1 or more is sound."""
    config = tmp_path / "c.yaml"
    config.write_text(
        "model: train.py:model\ndata: train.py:data\n"
        "schedule: {name: exponential_sweep, args: {start_lr: 5.0}}\n"
        "optimizer: {name: sgd, args: {lr: 50.0}}\n"
    )
    (tmp_path / "train.py").write_text("model = data = 1\n")

    outcome = lrfind("schedule", "--config", config, "--csv")

    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[1] == "0,5.0"
