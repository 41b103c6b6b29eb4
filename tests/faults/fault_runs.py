"""Real runs to break: a small project on disk, and processes that start in a moment."""

from __future__ import annotations

import os
import signal
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.nursery import be_lrfind, nursery

TRAIN = """
import os, signal, sys, time, warnings
import torch
from torch import nn
def model(): return nn.Linear(3, 1)
def data(): return [torch.ones(4, 3)] * 5
def reach(index, at):
    if index == at:
        open("reached", "w").close()
        return True
    return False
"""
"""The top of every training script: `reach` leaves a file when a step is reached."""

CONFIG = """
model: train.py:model
data: train.py:data
step: train.py:step
optimizer: sgd
output: out
"""


def project(folder: Path, code: str, config: str = CONFIG) -> Path:
    """Write a training script and its config; `code` defines at least what the config names."""
    (folder / "train.py").write_text(TRAIN + textwrap.dedent(code))
    (folder / "c.yaml").write_text(config)
    return folder


@dataclass(frozen=True)
class Ended:
    """What a process left: its exit code (-N for a signal), its outputs and how long it took."""

    code: int
    out: str
    err: str
    elapsed_s: float


class Run:
    """A process of the command line in a folder of its own, forked from one that has imported all.

    Args:
        folder: where it runs; its outputs go to `stdout` and `stderr` there.
        arguments: of `lrfind`.
        before: code to run in the process first.
    """

    def __init__(self, folder: Path, *arguments: str, before: str = "") -> None:
        self._folder = folder
        outputs = {1: "stdout", 2: "stderr"}
        for name in outputs.values():
            (folder / name).write_text("")
        self._process: BaseProcess = nursery().Process(
            target=be_lrfind, args=(str(folder), arguments, outputs, before)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tell whether the process has not ended."""
        return self._process.is_alive()

    def wait_for(self, condition: Callable[[], bool], limit_s: float = 60) -> None:
        """Wait until something is so, or the process has ended."""
        end = time.monotonic() + limit_s
        while not condition() and self._process.is_alive():
            assert time.monotonic() < end, (self._folder / "stderr").read_text()
            time.sleep(0.005)

    def wait_for_file(self, name: str = "reached") -> None:
        """Wait until a file is there."""
        self.wait_for((self._folder / name).exists)

    def send(self, *names: str) -> None:
        """Send signals one after the other, where the process is still there."""
        for name in names:
            if self._process.is_alive():
                # It may end of itself in between.
                with suppress(ProcessLookupError):
                    os.kill(self.pid, getattr(signal, name))
                time.sleep(0.05)

    def end(self, limit_s: float = 60) -> Ended:
        """Wait for the end, by force where it does not come in time."""
        started = time.monotonic()
        self._process.join(limit_s)
        elapsed_s = time.monotonic() - started
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        assert code is not None
        out, err = ((self._folder / name).read_text() for name in ("stdout", "stderr"))
        return Ended(code, out, err, elapsed_s)


def overdue(folder: Path, *arguments: str, before: str = "") -> tuple[Ended, int]:
    """Run code that hangs once it has called `reach`; what the time limit left, and the limit.

    The limit grows until the code has come so far: on a busy machine that takes a while.
    """
    for limit_s in (1, 2, 4, 8, 16, 32):
        (folder / "reached").unlink(missing_ok=True)
        done = Run(folder, *arguments, "--timeout", str(limit_s), before=before).end()
        if (folder / "reached").exists():
            return done, limit_s
    raise AssertionError(done.err)


def rows_of(path: Path) -> int:
    """Count the points of a saved curve."""
    return len(path.read_text().splitlines()) - 1


def temporary_files(folder: Path) -> list[str]:
    """List what an atomic write left half done."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def leaves_nobody(folder: Path, limit_s: float = 60) -> None:
    """Wait until the helpers of a run have noticed that it is gone; none may live on."""
    end = time.monotonic() + limit_s
    while processes_in(folder) and time.monotonic() < end:
        time.sleep(0.01)
    assert processes_in(folder) == []


def processes_in(folder: Path) -> list[int]:
    """Find the living processes whose working folder this is."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here = os.readlink(entry / "cwd") == str(folder)
                is_alive = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
            except OSError:
                continue
            if here and is_alive:
                found.append(int(entry.name))
    return found
