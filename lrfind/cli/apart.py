"""The work on one config in a process of its own, whatever the user's code does to it.

What one config imports is unknown to the next (`a/model.py` is not `b/model.py`), what it leaves in
memory goes with it, and where it crashes, hangs or calls `os._exit` the others still have their
turn. The processes are forked from a server that has imported torch once; where a system cannot
fork, each is started anew. They send back frozen values, and tell their story on standard error.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from lrfind.cli.guard import LAST_RESORT_S
from lrfind.cli.streams import lasting_streams
from lrfind.errors import ExitCode, Problem

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

END_S = 1.3
"""Time for a process that is told to end to take its loader's workers with it."""

Found = TypeVar("Found")
Send = Callable[[Found], None]
Task = Callable[[Send[Found]], None]
"""Sends what it found; the first that it sends counts. Must be picklable."""


@dataclass(frozen=True, slots=True)
class Lost:
    """How a process ended that sent nothing.

    Attributes:
        code: its exit code, negative for a signal.
        timeout_s: the time limit; None where there was none.
        is_overdue: it was ended because of that.
    """

    code: int
    timeout_s: float | None
    is_overdue: bool

    def problem(self, config: Path) -> Problem:
        """Say what became of the work on a config."""
        if self.is_overdue:
            limit = f"was not done {self.timeout_s:g} s after the start (--timeout)"
            return Problem(str(config), f"{limit}, in code without Python", "give it more time")
        name = signal.Signals(-self.code).name if self.code < 0 else ""
        remedy = f"see where with: lrfind run {config}"
        if name == "SIGKILL":
            remedy = f"was the system out of memory? {remedy}"
        if name or self.code == ExitCode.INTERRUPTED:
            what = f"its process was ended by {name or 'a signal'} before its sweeps were done"
        else:
            what = (
                f"its process ended itself with exit code {self.code} before its sweeps were done"
            )
        return Problem(str(config), what, remedy)


class Apart(Generic[Found]):
    """A process that works on a task, from its start on.

    Args:
        task: what it does.
        timeout_s: time limit, which the task keeps by a guard of its own; None: none.
        preloaded: modules that the processes have imported beforehand.
    """

    def __init__(
        self, task: Task[Found], timeout_s: float | None, preloaded: Sequence[str]
    ) -> None:
        self._timeout_s = timeout_s
        context = _context([__name__, *preloaded])
        self._ear, mouth = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(task, mouth, os.getcwd()))
        self._process.start()
        mouth.close()

    def result(self) -> Found | Lost:
        """Wait for what it found.

        Raises:
            KeyboardInterrupt: as the guard of this process asks; `end` it then, or `end_all`.
        """
        # The process has a guard of its own; this is for code that outwits it.
        limit_s = None if self._timeout_s is None else self._timeout_s + 2 * LAST_RESORT_S
        return self._heard(limit_s, grace_s=5.0)

    def end(self, number: signal.Signals, grace_s: float) -> Found | Lost:
        """Tell it to end, and take what it sends in the time that it is given.

        It may have something left to do then; `wait_for_all` before this process ends.
        """
        with suppress(ProcessLookupError):
            if self._process.pid is not None:
                os.kill(self._process.pid, number)
        return self._heard(grace_s, None)

    def _heard(self, limit_s: float | None, grace_s: float | None) -> Found | Lost:
        process = self._process
        # Its end as well, since a worker that it leaves behind holds the pipe open.
        is_over = multiprocessing.connection.wait([self._ear, process.sentinel], limit_s)
        found: list[Found] = []
        with self._ear, suppress(EOFError):
            if is_over and self._ear.poll():
                found.append(self._ear.recv())
        if found and grace_s is None:
            return found[0]
        if not is_over:
            process.kill()
        _join(process, grace_s or END_S)
        code = process.exitcode or 0
        process.close()
        if found:
            return found[0]
        is_alarmed = code == -_ALARM and self._timeout_s is not None
        return Lost(code, self._timeout_s, is_overdue=is_alarmed or not is_over)


def wait_for_all(grace_s: float) -> None:
    """Wait for what is still running, but not for ever."""
    for process in multiprocessing.active_children():
        _join(process, grace_s)


def end_all() -> None:
    """End what is still running, by force where it does not come in time."""
    for process in multiprocessing.active_children():
        process.terminate()
        _join(process, END_S)


_ALARM = getattr(signal, "SIGALRM", 0)


def _context(preloaded: list[str]) -> ForkServerContext | SpawnContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preloaded)
    return context


def _join(process: BaseProcess, grace_s: float) -> None:
    """Wait for a process that is done or told to be, but not for ever."""
    process.join(grace_s)
    if process.is_alive():
        process.kill()
        process.join()


def _work(task: Task[object], mouth: Connection, folder: str) -> None:
    """Be the process: send what is found, or nothing where told to end."""
    _end_with_parent()
    os.chdir(folder)
    # Nobody waits any more where the pipe is broken.
    with lasting_streams(), suppress(BrokenPipeError):
        try:
            task(mouth.send)
        except KeyboardInterrupt:
            sys.exit(ExitCode.INTERRUPTED)


def _end_with_parent() -> None:
    """End this process where the one that waits for it is gone, even killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        multiprocessing.connection.wait([sentinel])
        # As a time-out of CI: the guard takes the loader's workers along.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lrfind parent", daemon=True).start()
