"""SIGKILL at any moment: what is on disk is whole, readable and nearly complete."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fault_runs import CONFIG, Run, project, rows_of, temporary_files

from lrfind.atomic import ABANDONED_S
from lrfind.export import read_curves, read_report
from lrfind.saved import reread

RUNS, AT_ONCE = 50, 5

CODE = """
    log = open("steps", "w", buffering=1)
    def step(model, batch, index):
        log.write(f"{time.time()}\\n")
        time.sleep(0.004)
        return ((model(batch) - 1) ** 2).mean()
"""
"""Each step leaves its time, so that what the curve lacks is known."""

LONG = CONFIG + "sweep: {steps: 500, auto_range: false}\n"

BITS = {".csv": b"seed,step,lr,loss", ".json": b"{\n", ".png": b"\x89PNG"}


def is_whole(folder: Path) -> None:
    """Check every file of an output folder, and that a curve can be read again."""
    for path in folder.glob("[!.]*"):
        data = path.read_bytes()
        assert data.startswith(BITS[path.suffix])
        assert data.endswith(b"IEND\xaeB`\x82" if path.suffix == ".png" else b"\n")
    curve, report = folder / "curve.csv", folder / "report.json"
    if curve.exists():
        assert len(read_curves(curve)[0]) == rows_of(curve)
        made = reread(curve)
        assert made.suggestion or made.no_answer
    if report.exists():
        assert read_report(report).curves[0].lr.tolist() == read_curves(curve)[0].lr.tolist()
    assert {path.suffix for path in folder.glob("[!.]*")} <= set(BITS)


def lag_s(folder: Path, killed_at: float) -> float:
    """Measure for how long steps had been measured that the curve on disk does not have."""
    seen = [float(line) for line in (folder / "steps").read_text().splitlines()]
    curve = folder / "out" / "curve.csv"
    rows = rows_of(curve) if curve.exists() else 0
    # Row i is known when batch i + 1 is computed; the last may still have been under way.
    return max(0.0, killed_at - seen[rows + 1]) if rows + 1 < len(seen) else 0.0


def kill_all(folders: Sequence[Path], after_s: Sequence[float]) -> list[float]:
    """Run in each folder and kill each so long after its first step; how far each curve lagged."""
    runs = [Run(project(folder, CODE, LONG), "run", "c.yaml", "--quiet") for folder in folders]
    for run in runs:
        run.wait_for_file("steps")
    started, lags = time.monotonic(), []
    for run, folder, moment in zip(runs, folders, sorted(after_s), strict=True):
        time.sleep(max(0.0, started + moment - time.monotonic()))
        killed_at = time.time()
        run.send("SIGKILL")
        assert run.end().code in (-9, 0)
        lags.append(lag_s(folder, killed_at))
    return lags


@pytest.fixture(scope="module")
def lags(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Kill many runs at random moments and check what each left."""
    chance = random.Random(0)
    found: list[float] = []
    for _ in range(RUNS // AT_ONCE):
        folders = [tmp_path_factory.mktemp("killed") for _ in range(AT_ONCE)]
        found += kill_all(folders, [chance.uniform(0, 3) for _ in folders])
        for folder in folders:
            is_whole(folder / "out")
    return found


def test_a_killed_run_leaves_whole_files_a_second_behind(lags: list[float]) -> None:
    """Over fifty kills every file was whole, and no curve lagged by more than a second of steps."""
    assert len(lags) >= 50
    assert sorted(lags)[len(lags) // 2] < 1
    # Half a second for a busy machine, on which a write itself may wait for its turn.
    assert max(lags) < 1.5


def test_the_next_run_tidies_up(tmp_path: Path) -> None:
    """A half written file of a killed run is taken away; a young one, and others, are left."""
    out = tmp_path / "out"
    out.mkdir()
    old = time.time() - ABANDONED_S - 1
    for name in (".curve.csv.0123abcd", ".report.json.0123abcd", ".mine", ".curve.csv.swp"):
        (out / name).write_text("half")
        os.utime(out / name, (old, old))
    (out / ".curve.png.0123abcd").write_text("still written")

    done = Run(project(tmp_path, CODE), "run", "c.yaml", "--set", "sweep.steps=20").end()

    assert done.code in (0, 3), done.err
    assert temporary_files(out) == [".curve.csv.swp", ".curve.png.0123abcd", ".mine"]
    assert json.loads((out / "report.json").read_text())["schema"]
