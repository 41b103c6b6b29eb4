"""The run of one config of several, in a process of its own."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.apart import Send
from lrfind.cli.guard import Guard
from lrfind.cli.keeping import draw, keep
from lrfind.cli.loading import Changes
from lrfind.cli.measuring import measure
from lrfind.cli.options import say
from lrfind.cli.run import exit_code
from lrfind.distributed import forget_launcher
from lrfind.errors import ExitCode, LrfindError
from lrfind.outcome import Outcome, failed, outcome_of

if TYPE_CHECKING:
    from lrfind.report import Report


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Attributes:
        config: path of the config.
        changes: what the options change about it.
        folder: where its files go.
        timeout_s: time limit; None: none.
        quiet: show no progress.
        html: write a page, too.
    """

    config: Path
    changes: Changes
    folder: Path
    timeout_s: float | None
    quiet: bool
    html: bool


def run_job(job: Job, send: Send[Outcome]) -> None:
    """Be the process: run a config as `lrfind run` does, and send what came of it."""
    forget_launcher(os.environ)
    if not job.quiet:
        say(str(job.config))
    with Guard(job.timeout_s) as guard:

        def finish(report: Report) -> None:
            is_ending = guard.cause is not None
            files, is_whole = keep(
                report, job.folder, with_picture=not is_ending, with_page=job.html
            )
            code = exit_code(report) if guard.cause is None else guard.cause.code
            if code is ExitCode.OK and not is_whole:
                code = ExitCode.NOT_WRITTEN
            where = str(files[0].parent) if files else ""
            send(outcome_of(str(job.config), report, where, code))
            if is_ending and is_whole:
                draw(report, job.folder, with_page=job.html)

        try:
            loaded = job.changes.load(job.config)
            report = measure(
                loaded,
                job.folder,
                quiet=job.quiet,
                guard=guard,
                rescue=finish,
                html=job.html,
            )
            finish(report)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED if guard.cause is None else guard.cause.code
            send(failed(str(job.config), code, "ended before anything was measured"))
        except Exception as error:
            send(_told(error, job))


def _told(error: Exception, job: Job) -> Outcome:
    """Tell of an error where it was raised, and in a line what it was."""
    is_debugging = bool(os.environ.get("LRFIND_DEBUG"))
    if isinstance(error, LrfindError):
        from lrfind.console import show_error

        sys.stderr.write(show_error(error, debug=is_debugging))
        return failed(str(job.config), error.exit_code, first_line(error))
    if is_debugging:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(error)))
    text = " ".join(f"{type(error).__name__}: {error}".split())
    why = f"{text}; this is a bug of lrfind: run again with --debug and report it"
    return failed(str(job.config), ExitCode.INTERNAL, why)


def first_line(error: LrfindError) -> str:
    """Give the first problem of an error, and how many more there are."""
    first, *others = str(error).splitlines() or [""]
    return f"{first} (and {len(others)} more)" if others else first
