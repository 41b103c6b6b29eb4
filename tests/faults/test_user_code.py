"""The user's code raises, exits, warns or hangs: who, where, and the curve so far is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_runs import CONFIG, Ended, Run, overdue, project, rows_of

from lrfind.errors import ExitCode

RAISES = {
    "an exception": ("raise ValueError('bad batch')", "ValueError: bad batch"),
    "sys.exit(0)": ("sys.exit(0)", "SystemExit: 0"),
    "sys.exit('why')": ("sys.exit('why')", "SystemExit: why"),
    "no Exception": ("raise type('Abort', (BaseException,), {})()", "Abort"),
    "a generator's end": ("raise StopIteration", "StopIteration"),
}

AT_60 = """
    def step(model, batch, index):
        if index == 60:
            {}
        return ((model(batch) - 1) ** 2).mean()
"""


def run(folder: Path, code: str, *options: str, config: str = CONFIG) -> Ended:
    """Run a config on this code to its end."""
    return Run(project(folder, code, config), "run", "c.yaml", *options).end()


@pytest.mark.parametrize("name", RAISES)
def test_what_a_step_raises_is_told_and_the_curve_kept(name: str, tmp_path: Path) -> None:
    """Exit 2 with line, phase, import path and the user's own frames; the points stay on disk."""
    line, said = RAISES[name]
    done = run(tmp_path, AT_60.format(line))

    assert done.code == ExitCode.BAD_INPUT
    assert f"error: c.yaml:4: step (train.py:step): computing the loss raised {said}" in done.err
    assert f'{tmp_path}/train.py", line ' in done.err
    assert "in step" in done.err
    assert "lrfind/" not in done.err.split("Traceback (your code)")[1]
    assert "what was measured so far is in out/curve.csv" in done.err
    assert rows_of(tmp_path / "out" / "curve.csv") == 59


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def data(): sys.exit(3)", "c.yaml:3: data (train.py:data): reading the data raised Syst"),
        ("def model(): 1 / 0", "c.yaml:2: model (train.py:model): building the model raised Zero"),
        ("sys.exit(3)", "importing"),
    ],
)
def test_every_phase_names_itself(code: str, said: str, tmp_path: Path) -> None:
    """Data, model and the import of the script are blamed for what they raise themselves."""
    done = run(tmp_path, code + "\ndef step(model, batch): return model(batch).mean()\n")

    assert done.code == ExitCode.BAD_INPUT
    assert said in done.err
    assert "train.py" in done.err


@pytest.mark.parametrize("how", ["-W error", "PYTHONWARNINGS"])
def test_warnings_as_errors_are_the_users_own(how: str, tmp_path: Path) -> None:
    """Nothing of ours warns; a warning of the user's step is told as what it raised."""
    warns = how == "-W error"
    line = "warnings.warn('old way', DeprecationWarning)" if warns else "pass"
    project(tmp_path, AT_60.format(line))
    done = subprocess.run(
        [sys.executable, *(["-W", "error"] if warns else []), "-m", "lrfind", "run", "c.yaml"],
        cwd=tmp_path,
        env={**os.environ, **({} if warns else {"PYTHONWARNINGS": "error"})},
        capture_output=True,
        text=True,
        check=False,
    )

    if warns:
        assert done.returncode == ExitCode.BAD_INPUT, done.stderr
        assert "computing the loss raised DeprecationWarning: old way" in done.stderr
        assert rows_of(tmp_path / "out" / "curve.csv") == 59
    else:
        assert done.returncode == ExitCode.OK, done.stderr


HANGS = {
    "sleeps": "time.sleep(99)",
    "loops and swallows": """
            while True:
                try:
                    while True: pass
                except BaseException: pass
    """,
    "stands in C code": "torch.linalg.svd(torch.randn(6000, 6000))",
}


@pytest.mark.parametrize("name", HANGS)
def test_a_time_limit_ends_a_hang(name: str, tmp_path: Path) -> None:
    """`--timeout` tells where the code stands, saves and reads the curve, and exits with 124."""
    hang = f"reach(0, 0)\n            {HANGS[name].strip()}"
    done, limit_s = overdue(project(tmp_path, AT_60.format(hang)), "run", "c.yaml")

    assert done.code == ExitCode.TIMED_OUT, done.err
    assert (
        "error: c.yaml:4: step (train.py:step): computing the loss was not done "
        f"{limit_s} s after the start" in done.err
    )
    assert "Stack (your code):" in done.err
    assert f'{tmp_path}/train.py", line ' in done.err
    assert "internal error" not in done.err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert len(report["curves"][0]["lr"]) == 59
    assert "partial" in done.out
    assert done.elapsed_s < limit_s + 5


def test_a_hang_before_the_first_step_is_placed(tmp_path: Path) -> None:
    """Data that never come are named, and exit 124 says that it was the time limit."""
    code = """
    def data(): reach(0, 0); time.sleep(99)
    def step(model, batch): return model(batch).mean()
    """
    done, _ = overdue(project(tmp_path, code), "run", "c.yaml")

    assert done.code == ExitCode.TIMED_OUT, done.err
    assert "c.yaml:3: data (train.py:data): reading the data was not done" in done.err
    assert "in data" in done.err
    assert done.err.endswith("ended before anything was measured\n")


def test_code_that_never_lets_go_of_the_interpreter_is_ended(tmp_path: Path) -> None:
    """C code that keeps the lock is ended by the system's alarm, which shows where it stood."""
    folder = project(tmp_path, AT_60.format("reach(0, 0); sum(range(10 ** 15))"))
    # The real thing, but for the ten seconds between the limit and the last resort.
    sooner = "from lrfind.cli import guard; guard.LAST_RESORT_S = 0.1"
    done, _ = overdue(folder, "run", "c.yaml", before=sooner)

    assert done.code == -signal.SIGALRM, done.err
    assert f'File "{tmp_path}/train.py", line' in done.err


def test_a_time_limit_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    """A run that is done in time leaves as ever, and its alarm with it."""
    done = run(tmp_path, AT_60.format("pass"), "--timeout", "60")

    assert done.code == ExitCode.OK, done.err
    assert "timeout" not in done.err
