"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lrfind.cli import main
from tests import nursery

# Before torch is imported, here and in subprocesses: models of the tests are so small that a second
# thread only waits for the first, and on a busy machine for seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A suite that a shell started in the background ignores Ctrl-C, and so would everything it starts;
# what happens on Ctrl-C is what many tests are about.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _nursery(request: pytest.FixtureRequest) -> None:
    """Start the server that processes are forked from, in each worker of a suite.

    Whatever comes to need one first would decide otherwise what all of them have imported.
    """
    if hasattr(request.config, "workerinput"):
        nursery.start()


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def lrfind(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Outcome]]:
    """Run `lrfind` with these arguments, inside this process, `columns=80` wide."""
    modules, path = set(sys.modules), list(sys.path)

    def run(*arguments: object, columns: int = 80) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["lrfind", *map(str, arguments)])
        # Set rather than deleted, so that what `--debug` writes is taken back at the end.
        monkeypatch.setenv("LRFIND_DEBUG", "")
        monkeypatch.setenv("NO_COLOR", "1")
        for name in ("COLUMNS", "TERMINAL_WIDTH"):
            monkeypatch.setenv(name, str(columns))
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capfd.readouterr()
        return Outcome(int(stop.value.code or 0), printed.out, printed.err)

    yield run
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if Path(file).name in ("train.py", "raises.py", "syntax.py") or "lrfind_target" in name:
            del sys.modules[name]
