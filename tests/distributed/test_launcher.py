"""torchrun itself: the same numbers, and nothing left behind by a Ctrl-C to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rank_runs import CONFIG, project

from lrfind.errors import ExitCode
from lrfind.export import read_curves

SLOW = """
def step(model, batch, index):
    if index == 20:
        open(f"reached.{RANK}", "w").close()
    time.sleep(0.02)
    return cross_entropy(model, batch)
"""

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def launch(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `torchrun -m lrfind` with two ranks in a session of its own; it writes into `log`."""
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [*TORCHRUN, "-m", "lrfind", *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )


def interrupted(launcher: subprocess.Popen[bytes], folder: Path, marks: Sequence[str]) -> str:
    """Send Ctrl-C to a launcher once its ranks left their marks; nothing of it may be left."""
    try:
        end = time.monotonic() + 90
        while not all((folder / mark).exists() for mark in marks):
            assert time.monotonic() < end, (folder / "log").read_text()
            assert launcher.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        launcher.send_signal(signal.SIGINT)
        launcher.wait(60)
        end = time.monotonic() + 60
        while processes_of(launcher.pid) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        left = processes_of(launcher.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert left == []
    log = (folder / "log").read_text()
    assert "internal error" not in log
    return log


def test_ctrl_c_to_the_launcher_leaves_one_report_and_no_process(tmp_path: Path) -> None:
    """`torchrun -m lrfind run` that is interrupted leaves a whole report of what was measured."""
    folder = project(tmp_path, SLOW)
    options = ["--set=step=train.py:step", "--set=sweep.steps=2000"]

    interrupted(launch(folder, "run", "c.yaml", *options), folder, ["reached.1"])

    report = json.loads((folder / "out" / "report.json").read_text())
    (curve,) = read_curves(folder / "out" / "curve.csv")
    assert curve.stop == report["curves"][0]["stop"] == "interrupted"
    assert len(curve) == len(report["curves"][0]["lr"]) >= 15


def test_ctrl_c_to_the_launcher_saves_each_config(tmp_path: Path) -> None:
    """Of configs that are dealt out, those under way leave whole reports, and no process stays."""
    config = CONFIG.replace("cross_entropy", "step").replace("steps: 40", "steps: 2000")
    config += "distributed: replicas\n"
    folder = project(tmp_path, SLOW.replace("{RANK}", "{len(batch[0])}"), config)
    for size in (16, 32):
        text = config.replace("batch_size: 32", f"batch_size: {size}")
        folder.joinpath(f"{size}.yaml").write_text(text.replace("output: out", f"output: o/{size}"))

    marks = ["reached.16", "reached.32"]
    log = interrupted(launch(folder, "run", "16.yaml", "32.yaml"), folder, marks)

    for size in (16, 32):
        report = json.loads((folder / f"o/{size}/report.json").read_text())
        assert report["curves"][0]["stop"] == "interrupted", log


def test_what_a_pipeline_asks_after_torchrun(tmp_path: Path) -> None:
    """torchrun ends with 1 whatever a rank's code was; `suggest` on the report gives it again."""
    code = """
    def flat(model, batch):
        return cross_entropy(model, batch) * 0 + torch.randn(())
    """
    folder = project(tmp_path, code, CONFIG.replace("cross_entropy", "flat"))

    assert launch(folder, "run", "c.yaml", "--format", "json").wait(90) == 1
    asked = subprocess.run(
        [sys.executable, "-m", "lrfind", "suggest", "out/report.json", "--format", "lr"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == ExitCode.NO_SUGGESTION
    assert asked.stdout == ""
    log = (folder / "log").read_text()
    assert "exitcode  : 3" in log


def processes_of(session: int) -> list[int]:
    """Find the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, own = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            except OSError:
                continue
            if int(own) == session and state != "Z":
                found.append(int(entry.name))
    return found
