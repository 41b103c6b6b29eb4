"""The sweeps of one config of a check, in a process of their own."""

from __future__ import annotations

import functools
import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.apart import Apart, Lost, Send
from lrfind.cli.ending import overdue, whole_or_nothing
from lrfind.cli.guard import Cause, Guard
from lrfind.cli.live import progress_of
from lrfind.cli.options import say
from lrfind.distributed import forget_launcher
from lrfind.errors import LrfindError, UserCodeError
from lrfind.lock.check import Failure, Rerun, State, bug_of, failure_of
from lrfind.lock.lock import Lock

if TYPE_CHECKING:
    from lrfind.blame import Blame

_PRELOADED = (__name__, "lrfind.pinning", "lrfind.console.progress")


@dataclass(frozen=True, slots=True)
class Job:
    """What to run again.

    Attributes:
        config: path of the config.
        lock: its pin.
        verify: whether to train at the pinned LR as well.
        timeout_s: time limit; None: none.
        quiet: show no progress.
    """

    config: Path
    lock: Lock
    verify: bool
    timeout_s: float | None
    quiet: bool


def run_apart(job: Job) -> Rerun | Failure:
    """Run a job in a process of its own and wait for what it found.

    Raises:
        KeyboardInterrupt: as the guard of this process asks; end the other one by `end_all`.
    """
    process: Apart[Rerun | Failure] = Apart(
        functools.partial(_work, job), job.timeout_s, _PRELOADED
    )
    found = process.result()
    if not isinstance(found, Lost):
        return found
    state = State.TIMED_OUT if found.is_overdue else State.BAD_INPUT
    return Failure(state, (found.problem(job.config),))


def _work(job: Job, send: Send[Rerun | Failure]) -> None:
    """Be the process."""
    forget_launcher(os.environ)
    try:
        send(_again(job, send))
    except LrfindError as error:
        if isinstance(error, UserCodeError):
            from lrfind.console import show_error

            sys.stderr.write(show_error(error, debug=bool(os.environ.get("LRFIND_DEBUG"))))
        send(failure_of(error, job.config))
    except Exception as error:
        if os.environ.get("LRFIND_DEBUG"):
            import traceback

            sys.stderr.write("".join(traceback.format_exception(error)))
        send(bug_of(error, job.config))


def _again(job: Job, send: Send[Rerun | Failure]) -> Rerun:
    """Run what was pinned again, its story on standard error.

    Raises:
        KeyboardInterrupt: it was told to end; where time was up, that was sent.
        LrfindError: as `lrfind.pinning.rerun`.
    """
    from lrfind.config import load

    with Guard(job.timeout_s) as guard:
        config = load(job.config)
        if not job.quiet:
            say(str(job.config))
        with redirect_stdout(sys.stderr), progress_of(config, quiet=job.quiet) as progress:

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
                    send(Failure(State.TIMED_OUT, (problem,)))

            return whole_or_nothing(config, guard, work, tell)
