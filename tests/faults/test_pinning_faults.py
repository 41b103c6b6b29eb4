"""`lrfind pin` and `check` among crashes, hangs and signals: all is told, locks stay whole."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fault_runs import CONFIG, Run, leaves_nobody, overdue, project, temporary_files

sys.path.append(str(Path(__file__).parents[1] / "lock"))

from lock_project import lock_of, make_project

from lrfind.errors import ExitCode
from lrfind.lock.files import lock_path, read_lock, write_lock

SWEEP = "sweep: {steps: 60, seeds: 3, auto_range: false}\n"
FINE = "def step(model, batch): return ((model(batch) - 1) ** 2).mean()\n"
SLOW = """
    def step(model, batch, index):
        reach(index, 10)
        time.sleep(0.05)
        return ((model(batch) - 1) ** 2).mean()
"""
DEAF = """
    def step(model, batch):
        reach(0, 0)
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
"""


def pinned(folder: Path, code: str) -> Path:
    """Write a project with a lock, as if its sweeps had said 0.0071, and return its config."""
    folder.mkdir(exist_ok=True)
    config = project(folder, code, CONFIG + SWEEP) / "c.yaml"
    write_lock(lock_of(config), config)
    return config


ENDS = {
    "exits": ("os._exit(0)", "bad input", "its process ended itself with exit code 0"),
    "hangs": ("time.sleep(60)", "timed out", "was not done {} s after the start (--timeout)"),
    "raises": ("1 / 0", "bad input", "computing the loss raised ZeroDivisionError"),
    "crashes": ("__import__('ctypes').string_at(0)", "bad input", "ended by SIGSEGV"),
    "leaves": ("sys.exit(0)", "bad input", "computing the loss raised SystemExit: 0"),
}


def test_what_ends_one_config_does_not_stop_the_others(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Crash, `os._exit`, hang and exceptions are told of that config; the last is still swept."""
    for name, (code, _, _) in ENDS.items():
        pinned(tmp_path / name, f"def step(model, batch): {code}\n")
    pinned(tmp_path / "z", FINE)

    for limit_s in (3, 9, 27):
        done = lrfind("check", tmp_path, "--timeout", limit_s, "--format", "json", "-q")
        found = json.loads(done.out)["checks"]
        checks = {Path(check["config"]).parent.name: check for check in found}
        # On a busy machine what does not hang takes long as well.
        if [check["state"] for check in found].count("timed out") == 1:
            break

    assert done.code == ExitCode.BAD_INPUT
    for name, (_, state, told) in ENDS.items():
        assert checks[name]["state"] == state, checks[name]
        assert told.format(limit_s) in checks[name]["findings"][0]
    assert checks["z"]["state"] == "drifted"
    assert checks["z"]["found_lr"] > 0.0071


def test_a_config_that_hangs_has_a_code_of_its_own(tmp_path: Path) -> None:
    """`--timeout` gives up code that swallows every exception: 124, and where it stood."""
    pinned(tmp_path, DEAF)

    done, limit_s = overdue(tmp_path, "check", "c.yaml")

    assert done.code == ExitCode.TIMED_OUT
    assert "timed out" in done.out
    assert (
        f"c.yaml:4: step (train.py:step): computing the loss was not done {limit_s} s" in done.out
    )
    leaves_nobody(tmp_path)


def test_neighbours_of_the_same_name_are_not_shared(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """`a/part.py` is not `b/part.py`, though either is what `import part` means there."""
    for name in "ab":
        code = f"import part\nassert part.NAME == {name!r}, part.NAME\n{FINE}"
        (pinned(tmp_path / name, code).parent / "part.py").write_text(f"NAME = {name!r}\n")

    done = lrfind("check", tmp_path, "--format", "json", "-q")

    assert [found["state"] for found in json.loads(done.out)["checks"]] == ["drifted"] * 2


@pytest.mark.parametrize(("signals", "code"), [(["SIGINT"], SLOW), (["SIGTERM"], DEAF)])
def test_a_check_that_is_told_to_end_tells_what_it_has(
    signals: list[str], code: str, tmp_path: Path
) -> None:
    """In two seconds: exit 130, the configs done by then, and no process left."""
    pinned(tmp_path, FINE)
    pinned(tmp_path / "later", code)

    run = Run(tmp_path, "check", "c.yaml", "later/c.yaml", "-q")
    run.wait_for_file()
    run.send(*signals)
    done = run.end()

    assert done.code == ExitCode.INTERRUPTED, done.err
    assert done.elapsed_s < 2
    title = "Ctrl-C" if signals == ["SIGINT"] else signals[0]
    assert done.err == f"ended by {title} with 1 of 2 configs checked\n"
    assert done.out.splitlines()[1].startswith("drifted")
    leaves_nobody(tmp_path)


@pytest.mark.parametrize(
    ("signals", "code"),
    [(["SIGINT"], SLOW), (["SIGTERM"], SLOW), (["SIGTERM"], DEAF), (["SIGINT", "SIGINT"], DEAF)],
)
def test_a_pin_that_is_told_to_end_leaves_the_lock(
    signals: list[str], code: str, tmp_path: Path
) -> None:
    """In two seconds: exit 130, a sentence, and not a byte of the lock changed."""
    before = lock_path(pinned(tmp_path, code)).read_bytes()

    run = Run(tmp_path, "pin", "c.yaml", "-q")
    run.wait_for_file()
    run.send(*signals)
    done = run.end()

    assert done.code == ExitCode.INTERRUPTED, done.err
    assert done.elapsed_s < 2
    assert done.err.endswith("nothing was pinned; a lock that was there is as it was\n")
    assert ("ended by SIGTERM" in done.err) == ("SIGTERM" in signals)
    assert done.out == ""
    assert lock_path(tmp_path / "c.yaml").read_bytes() == before


def test_a_pin_has_a_time_limit(tmp_path: Path) -> None:
    """`--timeout` ends a pin that hangs with 124, the phase and the user's line."""
    done, limit_s = overdue(project(tmp_path, DEAF), "pin", "c.yaml", "-q")

    assert done.code == ExitCode.TIMED_OUT
    assert (
        f"c.yaml:4: step (train.py:step): computing the loss was not done {limit_s} s" in done.err
    )
    assert "time.sleep(1)" in done.err
    assert not lock_path(tmp_path / "c.yaml").exists()


def test_an_error_of_the_users_is_told_with_their_frames(tmp_path: Path) -> None:
    """`pin` and `check` show the user's line and the config's, and no frame of ours."""
    pinned(tmp_path, "def step(model, batch): raise ValueError('no luck')\n")

    for command in ("pin", "check"):
        done = Run(tmp_path, command, "c.yaml").end()

        assert done.code == ExitCode.BAD_INPUT
        assert "c.yaml:4: step (train.py:step): computing the loss raised ValueError" in done.err
        assert "Traceback (your code)" in done.err
        assert "lrfind/" not in done.err


def test_locks_are_whole_whenever_pins_are_killed(tmp_path: Path) -> None:
    """SIGKILL at random moments, the write among them, leaves the old lock or a new one."""
    config, chance, codes = pinned(tmp_path, FINE), random.Random(0), []
    for _ in range(2):
        # The first one starts the server of processes as well.
        start = time.monotonic()
        assert Run(tmp_path, "pin", "c.yaml", "-q").end().code == ExitCode.OK
        whole_s = time.monotonic() - start

    while codes.count(-9) < 6:
        write_lock(lock_of(config), config)
        run = Run(tmp_path, "pin", "c.yaml", "-q")
        time.sleep(chance.uniform(0.1, 1) * whole_s)
        run.send("SIGKILL")
        codes.append(run.end().code)

        lock = read_lock(config)
        assert (lock.lr == 0.0071) == (len(lock.per_seed) == 3)
        assert len(codes) < 40


def test_two_pins_at_once_leave_one_whole_lock(tmp_path: Path) -> None:
    """Both end well, neither leaves a half written file, and the lock is one of theirs."""
    config = project(tmp_path, FINE, CONFIG + SWEEP) / "c.yaml"
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    runs = [Run(folder, "pin", "../c.yaml", "-q") for folder in folders]
    ended = [run.end() for run in runs]

    assert [done.code for done in ended] == [ExitCode.OK] * 2, ended
    assert len(read_lock(config).per_seed) == 5
    assert temporary_files(tmp_path) == []


def test_a_reader_that_leaves_ends_no_check(tmp_path: Path) -> None:
    """`| head -1` and closed streams show no traceback and keep the exit code."""
    pinned(tmp_path, FINE)
    command = f"'{sys.executable}' -m lrfind check c.yaml --no-run"

    for line in (f"{command} | head -1; exit ${{PIPESTATUS[0]}}", f"{command} >&- 2>&-"):
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
        )

        assert done.returncode == ExitCode.OK
        assert done.stderr == ""


def peak_kib(configs: Sequence[Path]) -> int:
    """Check configs in one process and measure the most memory that it had."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lrfind", "check", *map(str, configs), "--no-run", "--format=json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    states = [found["state"] for found in json.loads(process.stdout.read())["checks"]]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == ExitCode.OK
    assert states == ["good"] * len(configs)
    return usage.ru_maxrss


def test_two_hundred_configs_take_no_more_memory_than_ten(tmp_path: Path) -> None:
    """One call tells of 200 pins, each config read anew for a changed comment, in bounded space."""
    configs, lock = [], None
    for index in range(200):
        config = make_project(tmp_path / f"{index:03}")
        lock = lock or lock_of(config)
        write_lock(lock, config)
        config.write_text(config.read_text().replace("# a comment", f"# comment {index}"))
        configs.append(config)

    few, many = peak_kib(configs[:10]), peak_kib(configs)

    assert many - few < 8 * 1024
