"""`lrfind run --log`: what each tracker holds afterwards, read back through its own reader."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wandb_file import messages, values

from lrfind.errors import ExitCode
from lrfind.export import read_report
from lrfind.report import Report
from lrfind.trackers import destination
from tests import nursery

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180

MODEL = """
import os, shutil
import torch
from torch import nn
def model(): return nn.Linear(3, 1)
def data(): return [torch.ones(4, 3)] * 5
def step(model, batch, index): return (model(batch) ** 2).mean()
"""
CONFIG = "model: train.py:model\ndata: train.py:data\nstep: train.py:step\noptimizer: sgd\n"


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An MLflow server of our own on the loopback interface, ended whatever happens."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    # Jobs would be another eight processes, none of which has to do with runs.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
        while not is_up(url):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        with suppress(ProcessLookupError):  # it ended by itself, and the log says why
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_up(url: str) -> bool:
    """Tell whether a server answers."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass(frozen=True)
class Logged:
    """A run that was logged to all three trackers."""

    folder: Path
    server: str
    report: Report
    told: str


@pytest.fixture(scope="module", name="logged")
def _logged(server: str, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    folder = tmp_path_factory.mktemp("run")
    config = ["run", str(ROOT / "configs" / "digits_seeds.yaml"), "--out", "out", "--format", "lr"]
    small = ["--set", "sweep.seeds=2", "--set", "sweep.steps=60", "--set", "device=cpu"]
    logs = ["--log", "tensorboard:tb", "--log", f"mlflow:{server}", "--log", "wandb:mine"]
    run = nursery.ran("-m", "lrfind", *config, *small, *logs, cwd=folder, WANDB_MODE="offline")
    assert run.returncode == ExitCode.OK, run.stderr
    assert float(run.stdout) > 0
    return Logged(folder, server, read_report(folder / "out" / "report.json"), run.stderr)


def test_tensorboard_holds_the_run(logged: Logged) -> None:
    """Each seed's LR and losses step by step, the suggestion, figure, verdict and config."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = (logged.folder / "tb").iterdir()
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()

    assert folder.name.startswith("digits_seeds-")
    assert f"tensorboard: tb/{folder.name}" in logged.told
    for curve in logged.report.curves:
        for name, expected in (("lr", curve.lr), ("loss", curve.loss)):
            found = events.Scalars(f"seed {curve.seed}/{name}")
            assert [point.step for point in found] == list(range(len(curve)))
            np.testing.assert_allclose([point.value for point in found], expected, rtol=1e-6)
    answer = logged.report.suggestion
    assert answer is not None
    for name in ("lr", "peak_lr", "low", "high"):
        (point,) = events.Scalars(f"suggested_{name}")
        assert point.value == pytest.approx(getattr(answer, name), rel=1e-6)
    (image,) = events.Images("curve")
    assert image.width > 500
    texts = {
        tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in events.Tags()["tensors"]
    }
    assert f"verdict: {answer.verdict}" in texts["answer/text_summary"]
    assert "optimizer.name: " in texts["config/text_summary"]


def test_mlflow_holds_the_run(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gives back every point, the suggestion, the config, and the three files."""
    from mlflow import MlflowClient

    # Older clients ask for files where the process is set to.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", logged.server)
    client = MlflowClient()
    experiment = client.get_experiment_by_name("lrfind")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])

    assert run.info.status == "FINISHED"
    assert run.info.run_name == "digits_seeds"
    assert f"run {run.info.run_id}" in logged.told
    for curve in logged.report.curves:
        points = client.get_metric_history(run.info.run_id, f"seed {curve.seed}/loss")
        points.sort(key=lambda point: point.step)
        assert [point.value for point in points] == curve.loss.tolist()
    answer = logged.report.suggestion
    assert answer is not None
    assert run.data.metrics["suggested_lr"] == answer.lr
    assert run.data.metrics["suggested_high"] == answer.high
    assert run.data.tags["verdict"] == answer.verdict
    assert run.data.params["sweep.steps"] == "60"
    assert run.data.params["sweep.seeds"] == "2"
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert files == {"curve.csv", "curve.png", "report.json"}


def test_wandb_holds_the_run(logged: Logged) -> None:
    """The offline folder holds config, history over the LR, summary and figure, under the name."""
    (folder,) = (logged.folder / "wandb").glob("offline-run-*")
    (file,) = folder.glob("*.wandb")
    found = [(message.WhichOneof("record_type"), message) for message in messages(file)]
    history = [values(message.history.item) for kind, message in found if kind == "history"]
    (run,) = (message.run for kind, message in found if kind == "run")
    metrics = {m.metric.name: m.metric.step_metric for kind, m in found if kind == "metric"}
    summary: dict[str, Any] = {}
    for kind, message in found:
        summary |= values(message.summary.update) if kind == "summary" else {}

    assert (run.project, run.display_name) == ("mine", "digits_seeds")
    assert values(run.config.update)["sweep"]["steps"] == 60
    assert metrics["seed 1/loss"] == "seed 1/lr"
    first = logged.report.curves[0]
    rows = [row["seed 0/loss"] for row in history if "seed 0/loss" in row]
    assert rows == pytest.approx(first.loss.tolist())
    answer = logged.report.suggestion
    assert answer is not None
    assert summary["suggested_lr"] == pytest.approx(answer.lr)
    assert summary["verdict"] == answer.verdict
    assert list(folder.rglob("curve*.png"))
    assert "wandb: wandb/" in logged.told.replace(f"{logged.folder}/", "")


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(MODEL)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def test_a_tracker_that_fails_loses_no_run(project: Path, lrfind: Callable[..., Any]) -> None:
    """The folder is gone when the sweep is done: exit 74, but answer and files are there."""
    spoil = "if index == 9: shutil.rmtree('tb'); open('tb', 'w').close()\n"
    code = MODEL.replace(
        "def step(model, batch, index): ", f"def step(model, batch, index):\n    {spoil}    "
    )
    (project / "train.py").write_text(code)

    outcome = lrfind("run", "c.yaml", "--log", "tensorboard:tb", "--format", "lr")

    assert outcome.code == ExitCode.NOT_WRITTEN
    assert float(outcome.out) > 0
    assert "error: --log tensorboard:tb: the run was not written: " in outcome.err
    assert "the run itself is in runs/c" in outcome.err
    written = sorted(path.name for path in Path("runs/c").iterdir())
    assert written == ["curve.csv", "curve.png", "report.json"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["tensorbord:x"], "--log tensorbord:x: 'tensorbord' is no tracker; did you mean 'tensor"),
        (["mlflow"], "--log mlflow: mlflow needs a server or database behind a colon"),
        (["tensorboard:c.yaml"], "c.yaml: is no folder that can be written to"),
        (["mlflow:http://127.0.0.1:9"], "--log mlflow:http://127.0.0.1:9: cannot be opened: "),
        (["wandb", "--batch-sizes", "2,4"], "logs one run, and --batch-sizes makes several"),
    ],
)
def test_a_wrong_place_is_told_before_the_first_step(
    options: list[str],
    told: str,
    project: Path,
    lrfind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is trained where a tracker is unknown, misspelt or cannot be reached."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    outcome = lrfind("run", "c.yaml", "--log", *options)

    assert outcome.code == ExitCode.BAD_INPUT
    assert told in outcome.err
    assert "seed" not in outcome.err
    assert not Path("runs/c/curve.csv").exists()


def test_a_library_that_is_missing_is_named_with_its_extra(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not installed is told with the command that installs it."""
    absent = replace(destination.KINDS["wandb"], module="a_module_that_nobody_has")
    monkeypatch.setitem(destination.KINDS, "wandb", absent)

    outcome = lrfind("run", "c.yaml", "--log", "wandb")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "--log wandb: wandb is not installed; pip install 'lrfind[wandb]'" in outcome.err


def test_ctrl_c_leaves_trackers_out(project: Path) -> None:
    """A run that is interrupted saves its files and tells no tracker of half a curve."""
    code = MODEL.replace(
        "def step(model, batch, index): ",
        "def step(model, batch, index):\n    if index == 30: os.kill(os.getpid(), 2)\n    ",
    )
    (project / "train.py").write_text(code)

    run = subprocess.run(
        [sys.executable, "-m", "lrfind", "run", "c.yaml", "--log", "tensorboard:tb"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode == ExitCode.INTERRUPTED, run.stderr
    assert "not every tracker knows of the run" in run.stderr
    assert list(Path("tb").iterdir()) == []
    assert Path("runs/c/report.json").exists()
    shutil.rmtree("runs")
