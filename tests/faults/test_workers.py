"""DataLoader workers that die or hang: named, the curve kept, nobody left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fault_runs import CONFIG, Ended, Run, leaves_nobody, overdue, project, rows_of

from lrfind.errors import ExitCode

CODE = """
    class Rows(torch.utils.data.Dataset):
        def __len__(self): return 4000
        def __getitem__(self, i):
            if i == 400:
                reach(0, 0)
                {fault}
            return torch.ones(3)
    def data(): return Rows()
    def step(model, batch): return ((model(batch) - 1) ** 2).mean()
"""
WORKERS = CONFIG.replace(
    "data: train.py:data",
    "data: {target: train.py:data, batch_size: 4, shuffle: false, num_workers: 2}",
)

DEATHS = {
    "exits": ("os._exit(7)", "DataLoader worker (pid"),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", "DataLoader worker (pid"),
    "raises": ("raise OSError('no such sample')", "Caught OSError in DataLoader worker process"),
}

SLEEP = "time.sleep(600)"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def started(folder: Path, fault: str, *options: str) -> Run:
    """Start a run whose worker goes wrong at sample 400."""
    return Run(project(folder, CODE.format(fault=fault), WORKERS), "run", "c.yaml", *options)


@pytest.mark.parametrize("name", DEATHS)
def test_a_worker_that_dies_is_named_as_the_datas(name: str, tmp_path: Path) -> None:
    """The data are blamed, wherever the loss of their worker was noticed; the curve is kept."""
    fault, said = DEATHS[name]
    done = started(tmp_path, fault).end()

    assert done.code == ExitCode.BAD_INPUT, done.err
    assert "error: c.yaml:3: data (train.py:data): reading the data raised " in done.err
    assert said in done.err
    assert "what was measured so far is in out/curve.csv" in done.err
    assert 90 < rows_of(tmp_path / "out" / "curve.csv") < 100
    if name != "raises":
        assert "see why with --set data.num_workers=0" in done.err
    leaves_nobody(tmp_path)


def is_told_and_kept(folder: Path, done: Ended, code: ExitCode) -> None:
    """Check a run that was ended while its worker hung."""
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert rows_of(folder / "out" / "curve.csv") > 90
    assert "partial" in done.out
    leaves_nobody(folder)


@pytest.mark.parametrize("fault", [SLEEP, DEAF], ids=["sleeps", "ignores SIGTERM"])
def test_a_worker_that_hangs_is_left_by_a_time_limit(fault: str, tmp_path: Path) -> None:
    """`--timeout` names the data, keeps the curve and takes the workers along."""
    folder = project(tmp_path, CODE.format(fault=fault), WORKERS)
    done, limit_s = overdue(folder, "run", "c.yaml")

    is_told_and_kept(tmp_path, done, ExitCode.TIMED_OUT)
    said = f"data (train.py:data): reading the data was not done {limit_s} s after the start"
    assert said in done.err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_leaves_a_hanging_worker(name: str, tmp_path: Path) -> None:
    """A signal ends the run and the workers that would not end by themselves."""
    run = started(tmp_path, DEAF)
    run.wait_for_file()
    time.sleep(0.3)
    run.send(name)
    done = run.end()

    is_told_and_kept(tmp_path, done, ExitCode.INTERRUPTED)
    if name == "SIGTERM":
        assert done.elapsed_s < 2
