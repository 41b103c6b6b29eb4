"""torchrun itself: the same numbers, and nothing left behind by a Ctrl-C to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rank_runs import project

from lrfind.export import read_curves

SLOW = """
def step(model, batch, index):
    if index == 20:
        open(f"reached.{RANK}", "w").close()
    time.sleep(0.02)
    return cross_entropy(model, batch)
"""


def test_ctrl_c_to_the_launcher_leaves_one_report_and_no_process(tmp_path: Path) -> None:
    """`torchrun -m lrfind run` that is interrupted leaves a whole report of what was measured."""
    folder = project(tmp_path, SLOW)
    options = ["--set=step=train.py:step", "--set=sweep.steps=2000"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    with (folder / "log").open("w") as log:
        launcher = subprocess.Popen(
            [*command, "-m", "lrfind", "run", "c.yaml", *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 90
        while not (folder / "reached.1").exists():
            assert time.monotonic() < end, (folder / "log").read_text()
            assert launcher.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        launcher.send_signal(signal.SIGINT)
        launcher.wait(60)
    finally:
        left = processes_of(launcher.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)

    assert left == []
    report = json.loads((folder / "out" / "report.json").read_text())
    (curve,) = read_curves(folder / "out" / "curve.csv")
    assert curve.stop == report["curves"][0]["stop"] == "interrupted"
    assert len(curve) == len(report["curves"][0]["lr"]) >= 15
    assert "internal error" not in (folder / "log").read_text()


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
