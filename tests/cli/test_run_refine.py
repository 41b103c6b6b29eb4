"""`lrfind run --refine`: what it prints, writes and spends, and what Ctrl-C leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind.errors import ExitCode
from tests import nursery

DIGITS = Path(__file__).parents[2] / "configs" / "digits.yaml"
FILES = ["curve.csv", "curve.png", "report.json"]

TRAINING = """
import os, signal
import torch
from torch import nn
calls = 0
def model(): return nn.Linear(3, 1)
def data():
    x = torch.randn(40, 3)
    return [(x[i:i + 4], x[i:i + 4].sum(1, keepdim=True)) for i in range(0, 40, 4)]
def step(model, batch):
    global calls
    calls += 1
    if calls == {at}:
        os.kill(os.getpid(), signal.SIGINT)
    x, y = batch
    return ((model(x) - y) ** 2).mean()
"""


@pytest.mark.parametrize(
    ("options", "budget"),
    [(["--refine"], 600), (["--budget", "450"], 450), (["--set", "refine.budget=450"], 450)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_trials_are_made_within_the_budget(
    options: list[str], budget: int, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Each way to ask for them trains trials, and sweep and trials together keep the budget."""
    outcome = lrfind("run", DIGITS, "--set", "device=cpu", "--out", tmp_path, *options)
    report = json.loads((tmp_path / "report.json").read_text())
    trials = report["trials"]
    steps = len(report["curves"][0]["lr"]) + sum(trial["steps"] for trial in trials)

    assert outcome.code == ExitCode.OK, outcome.err
    assert len(trials) >= 3
    assert budget / 2 < steps <= budget
    assert report["spec"]["refine"] == {"budget": budget, "enabled": True, "trial_steps": None}
    assert report["suggestion"]["method"] == "auto+trials"
    assert "\ntrials   loss " in outcome.out
    assert outcome.err.count("trial ") == len(trials)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_the_configs_schedule_is_what_trials_train_under(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A constant schedule asks for the constant LR, and the reason names it."""
    options = ["--refine", "--set", "schedule=constant", "--format", "json", "-q"]
    outcome = lrfind("run", DIGITS, "--set", "device=cpu", "--out", tmp_path, *options)
    answer = json.loads(outcome.out)["suggestion"]

    assert "steps under constant end lowest at lr " in answer["reason"]
    assert outcome.err == ""


def test_without_being_asked_no_trials_are_made(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """A sweep alone is what `lrfind run` does."""
    lrfind("run", DIGITS, "--set", "sweep.steps=60", "--out", tmp_path)

    assert json.loads((tmp_path / "report.json").read_text())["trials"] == []


def test_ctrl_c_during_trials_keeps_the_sweeps_answer(tmp_path: Path) -> None:
    """The process ends with 130; the files hold the sweep's suggestion and the trials so far."""
    (tmp_path / "train.py").write_text(TRAINING.format(at=280))
    (tmp_path / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:step\noptimizer: sgd\n"
        "sweep: {start_lr: 1e-4, end_lr: 3, steps: 80}\noutput: out\nrefine: true\ndevice: cpu\n"
    )
    done = nursery.ran("-m", "lrfind", "run", "c.yaml", cwd=tmp_path)
    report = json.loads((tmp_path / "out" / "report.json").read_text())

    assert done.returncode == ExitCode.INTERRUPTED, done.stderr
    assert report["suggestion"]["method"] == "auto"
    assert report["trials"]
    assert [n["code"] for n in report["notes"]][-1] == "refine-interrupted"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
