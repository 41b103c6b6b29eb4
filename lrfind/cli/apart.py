"""The sweeps of a check in a process of their own, whatever the user's code does to it.

What one config imports is unknown to the next (`a/model.py` is not `b/model.py`), what it leaves in
memory goes with it, and where it crashes, hangs or calls `os._exit` the others are still checked.
The processes are forked from a server that has imported torch once; where a system cannot fork,
each is started anew. They send back frozen values, and tell their story on standard error.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.ending import overdue, whole_or_nothing
from lrfind.cli.guard import LAST_RESORT_S, Cause, Guard
from lrfind.cli.options import say
from lrfind.cli.streams import lasting_streams
from lrfind.errors import ExitCode, LrfindError, Problem, UserCodeError
from lrfind.lock.check import Failure, Rerun, State, bug_of, failure_of
from lrfind.lock.lock import Lock

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

    from lrfind.blame import Blame

END_S = 1.3
"""Time for a process that is told to end to take its loader's workers with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to run again.

    Attributes:
        config: path of the config.
        lock: its pin.
        verify: whether to train at the pinned LR as well.
        timeout_s: time limit; None: none.
        quiet: show no progress.
        folder: the working directory.
    """

    config: Path
    lock: Lock
    verify: bool
    timeout_s: float | None
    quiet: bool
    folder: Path


def run_apart(job: Job) -> Rerun | Failure:
    """Run a job in a process of its own and wait for what it found.

    Raises:
        KeyboardInterrupt: as the guard of this process asks; end the other one by `end_all`.
    """
    context = _context()
    ear, mouth = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, mouth))
    process.start()
    mouth.close()
    # The process has a guard of its own; this is for code that outwits it.
    patience_s = None if job.timeout_s is None else job.timeout_s + 2 * LAST_RESORT_S
    # Its end as well, since a worker that it leaves behind holds the pipe open.
    is_over = multiprocessing.connection.wait([ear, process.sentinel], patience_s)
    found: Rerun | Failure | None = None if is_over else _overdue(job)
    with ear, suppress(EOFError):
        if is_over and ear.poll():
            found = ear.recv()
    if not is_over:
        process.kill()
    _join(process)
    code = process.exitcode or 0
    process.close()
    return _lost(job, code) if found is None else found


def end_all() -> None:
    """End what is still running, by force where it does not come in time."""
    for process in multiprocessing.active_children():
        process.terminate()
        _join(process, END_S)


def _context() -> ForkServerContext | SpawnContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "lrfind.pinning", "lrfind.console.progress"])
    return context


def _join(process: BaseProcess, grace_s: float = 5.0) -> None:
    """Wait for a process that is done or told to be, but not for ever."""
    process.join(grace_s)
    if process.is_alive():
        process.kill()
        process.join()


def _lost(job: Job, code: int) -> Failure:
    """Say how a process ended that gave no answer."""
    remedy = f"see where with: lrfind run {job.config}"
    name = signal.Signals(-code).name if code < 0 else ""
    if name == "SIGALRM" and job.timeout_s is not None:
        return _overdue(job)
    if name == "SIGKILL":
        remedy = f"was the system out of memory? {remedy}"
    if name or code == ExitCode.INTERRUPTED:
        what = f"its process was ended by {name or 'a signal'} before its sweeps were done"
    else:
        what = f"its process ended itself with exit code {code} before its sweeps were done"
    return Failure(State.BAD_INPUT, (Problem(str(job.config), what, remedy),))


def _overdue(job: Job) -> Failure:
    what = f"was not done {job.timeout_s:g} s after the start (--timeout), in code without Python"
    return Failure(State.TIMED_OUT, (Problem(str(job.config), what, "give it more time"),))


def _work(job: Job, mouth: Connection) -> None:
    """Be the process: send one answer, or none where told to end."""
    _end_with_parent()
    os.chdir(job.folder)
    # Nobody waits any more where the pipe is broken.
    with lasting_streams(), suppress(BrokenPipeError):
        try:
            mouth.send(_found(job, mouth))
        except KeyboardInterrupt:
            sys.exit(ExitCode.INTERRUPTED)


def _found(job: Job, mouth: Connection) -> Rerun | Failure:
    try:
        return _again(job, mouth)
    except LrfindError as error:
        if isinstance(error, UserCodeError):
            from lrfind.console import show_error

            sys.stderr.write(show_error(error, debug=bool(os.environ.get("LRFIND_DEBUG"))))
        return failure_of(error, job.config)
    except Exception as error:
        if os.environ.get("LRFIND_DEBUG"):
            import traceback

            sys.stderr.write("".join(traceback.format_exception(error)))
        return bug_of(error, job.config)


def _again(job: Job, mouth: Connection) -> Rerun:
    """Run what was pinned again, its story on standard error.

    Raises:
        KeyboardInterrupt: it was told to end; where time was up, that was sent.
        LrfindError: as `lrfind.pinning.rerun`.
    """
    from lrfind.config import load
    from lrfind.console import SweepProgress

    with Guard(job.timeout_s) as guard:
        config = load(job.config)
        if not job.quiet:
            say(str(job.config))
        with redirect_stdout(sys.stderr), SweepProgress(quiet=job.quiet) as progress:

            def work(blame: Blame) -> Rerun:
                from lrfind.pinning import rerun

                told = [progress]
                return rerun(
                    config,
                    job.lock,
                    verify=job.verify,
                    observers=told,
                    trial_observers=told,
                    blame=blame,
                )

            def tell(blame: Blame | None) -> None:
                progress.close()
                if guard.cause is Cause.TIMEOUT:
                    problem, stack = overdue(config, guard, blame)
                    sys.stderr.write(stack)
                    mouth.send(Failure(State.TIMED_OUT, (problem,)))

            return whole_or_nothing(config, guard, work, tell)


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
