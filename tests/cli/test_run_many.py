"""`lrfind run` with several configs: each alone, one table, the worst exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind.console.runs_table import runs_json, runs_markdown, runs_table
from lrfind.errors import ExitCode
from lrfind.outcome import Outcome, failed, worst_code

CODE = """
import os, time
import torch
from torch import nn
import helper
def model(): return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
def data():
    x = torch.randn(256, 3)
    return x, x.sum(1, keepdim=True)
def step(model, batch, index):
    if index == 20:
        open("reached", "w").close()
    time.sleep(helper.PAUSE_S)
    return ((model(batch[0]) - batch[1]) ** 2).mean()
"""


def project(folder: Path, name: str, pause_s: float = 0.0) -> str:
    """A config in a folder of its own, with a module whose name another one has as well."""
    inner = folder / name
    inner.mkdir()
    (inner / "train.py").write_text(CODE)
    (inner / "helper.py").write_text(f"PAUSE_S = {pause_s}\n")
    path = inner / f"{name}.yaml"
    path.write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:step\ndevice: cpu\n"
        "optimizer: sgd\nsweep: {steps: 60, auto_range: false}\n"
    )
    return f"{name}/{name}.yaml"


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `lrfind run` in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "lrfind", "run", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_config_is_run_as_it_is_alone(tmp_path: Path) -> None:
    """Files and numbers are those of a run by itself, in `runs/<stem>`; a wrong config and one
    that raises are told, and take nothing from the others."""
    names = [project(tmp_path, name) for name in ("one", "two", "bad")]
    (tmp_path / "bad/train.py").write_text(CODE.replace("(helper.PAUSE_S)", "('no number')"))
    (tmp_path / "wrong.yaml").write_text("model: 3\n")

    process = run(tmp_path, names[0], "wrong.yaml", names[2], names[1], names[0], "--format=json")
    out, err = process.communicate(timeout=120)

    assert process.returncode == ExitCode.BAD_INPUT
    told = json.loads(out)
    assert [entry["verdict"] for entry in told["runs"]][1:3] == ["bad input"] * 2
    assert [entry["exit_code"] for entry in told["runs"]] == [0, 2, 2, 0]
    assert told["exit_code"] == 2
    assert "step (train.py:step): computing the loss raised TypeError" in err
    alone = run(tmp_path, names[1], "--out", "alone", "-q")
    alone.communicate(timeout=120)
    for name in ("curve.csv", "curve.png"):
        assert (tmp_path / "runs/two" / name).read_bytes() == (
            tmp_path / "alone" / name
        ).read_bytes()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_told_to_end_it_saves_the_run_that_is_under_way(name: str, tmp_path: Path) -> None:
    """What is done and the partial run are in their folders and in the table; exit code 130."""
    names = [project(tmp_path, "one"), project(tmp_path, "two", 0.05), project(tmp_path, "three")]
    process = run(tmp_path, *names)
    end = time.monotonic() + 60
    while not (tmp_path / "runs/one/report.json").exists() or not (tmp_path / "reached").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    (tmp_path / "reached").unlink()
    while not (tmp_path / "reached").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)

    assert process.returncode == ExitCode.INTERRUPTED, err
    report = json.loads((tmp_path / "runs/two/report.json").read_text())
    assert report["curves"][0]["stop"] == "interrupted"
    assert "ended with 2 of 3 configs run" in err
    assert "interrupted" in out
    assert not (tmp_path / "runs/three").exists()


def test_configs_whose_files_would_collide_are_refused(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Two configs of one stem, several with one law, or with one number, are refused at once."""
    first, second = project(tmp_path, "one"), project(tmp_path, "two")
    twin = tmp_path / "two/one.yaml"
    (tmp_path / second).rename(twin)

    collides = lrfind("run", tmp_path / first, twin)
    law = lrfind("run", tmp_path / first, twin, "--batch-sizes", "8,16", "--out", tmp_path / "x")
    number = lrfind("run", tmp_path / first, twin, "--format", "lr")

    assert collides.code == law.code == number.code == ExitCode.BAD_INPUT
    assert "writes into runs/one, as" in collides.err
    assert "--batch-sizes: goes with one config, but 2 were given" in law.err
    assert "--format lr: prints one number, but 2 configs have as many answers" in number.err


OUTCOMES = [
    Outcome("a.yaml", 0, "runs/a", 3.2e-3, 6e-3, 1e-3, 1e-2, "ok"),
    Outcome("b.yaml", 3, "runs/b", verdict="no-signal", why="the loss never fell; sweep higher"),
    failed("dir/c|d.yaml", ExitCode.BAD_INPUT, "dir/c|d.yaml:3: model = 3 is wrong; mend it"),
]


def test_the_table_fits_its_width() -> None:
    """A line a config, what is wrong with it below, and how many there are of each kind."""
    text = runs_table(OUTCOMES, width=60)

    lines = text.splitlines()
    assert lines[1] == "3.2e-03  1.0e-03 … 1.0e-02  ok                a.yaml"
    assert "  dir/c|d.yaml:3: model = 3 is wrong; mend it" in lines
    assert max(map(len, lines)) <= 60
    assert lines[-1] == "1 ok, 1 no-signal, 1 bad input"


def test_json_and_markdown_tell_the_same() -> None:
    """JSON holds every exit code and the worst of all; Markdown escapes what a path may hold."""
    told = json.loads(runs_json(OUTCOMES))

    assert [entry["exit_code"] for entry in told["runs"]] == [0, 3, 2]
    assert told["exit_code"] == worst_code(OUTCOMES) == 2
    assert worst_code(OUTCOMES[:2]) == ExitCode.NO_SUGGESTION
    assert "c\\|d.yaml" in runs_markdown(OUTCOMES)
