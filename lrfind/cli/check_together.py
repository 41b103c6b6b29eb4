"""A check by the ranks of a launcher: one config by all of them, or some configs each."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.check import Question, ask, checked, end_sweeps
from lrfind.cli.ending import overdue, whole_or_nothing
from lrfind.cli.guard import Cause, Guard
from lrfind.cli.live import progress_of
from lrfind.cli.options import say
from lrfind.cli.own_gpu import see_own_gpu
from lrfind.cli.ranks import Ranks
from lrfind.errors import UserCodeError
from lrfind.lock.check import Check, Failure, Rerun, State
from lrfind.lock.lock import Lock

if TYPE_CHECKING:
    from lrfind.blame import Blame


def ask_together(
    configs: list[Path],
    question: Question,
    guard: Guard,
    ranks: Ranks,
    show: Callable[[list[Check]], None],
) -> list[Check]:
    """Check configs, and give every rank all answers; fewer where told to end.

    Args:
        configs: their paths.
        question: what to find out.
        guard: asks it to end.
        ranks: the processes.
        show: shows answers, where this process ends before it can give them.

    Raises:
        PeerError: another rank failed.
    """
    if len(configs) > 1:
        return _dealt(configs, question, guard, ranks)
    return ask(configs, question, guard, functools.partial(_again, guard, ranks, show))


def _again(
    guard: Guard,
    ranks: Ranks,
    show: Callable[[list[Check]], None],
    path: Path,
    lock: Lock,
    asked: Question,
) -> Rerun | Failure:
    """Run what was pinned again, all ranks together, in these processes themselves.

    Raises:
        KeyboardInterrupt: it was told to end.
        LrfindError: as `lrfind.pinning.rerun`, or what ended another rank.
    """
    from lrfind.config import load

    config = load(path)
    is_quiet = asked.quiet or not ranks.world.leads
    with redirect_stdout(sys.stderr), progress_of(config, quiet=is_quiet) as progress:

        def work(blame: Blame) -> Rerun:
            from lrfind.pinning import rerun

            return rerun(
                config,
                lock,
                verify=asked.verify,
                observers=[progress],
                trial_observers=[progress],
                blame=blame,
                group=ranks.open(),
            )

        late: list[Failure] = []

        def tell(blame: Blame | None) -> None:
            progress.close()
            if guard.cause is Cause.TIMEOUT:
                problem, stack = overdue(config, guard, blame)
                sys.stderr.write(stack)
                late.append(Failure(State.TIMED_OUT, (problem,)))
                if threading.current_thread() is not threading.main_thread():
                    show([Check(path, State.TIMED_OUT, failure=late[0])])

        try:
            return whole_or_nothing(config, guard, work, tell, ranks)
        except KeyboardInterrupt:
            if late:
                return late[0]
            raise
        except UserCodeError as error:
            if ranks.world.leads:
                from lrfind.console import show_error

                sys.stderr.write(show_error(error, debug=bool(os.environ.get("LRFIND_DEBUG"))))
            raise


def _dealt(configs: list[Path], question: Question, guard: Guard, ranks: Ranks) -> list[Check]:
    """Check what this rank gets, each in a process of its own, and learn of the others."""
    checks: dict[int, Check] = {}

    def deal() -> None:
        group = ranks.open()
        assert group is not None
        with group.joined_apart():
            see_own_gpu(group.world)
            while not group.has_failed and (index := group.take("config")) < len(configs):
                checks[index] = checked(configs[index], question)
            for theirs in group.exchanged(checks):
                checks.update(theirs)

    try:
        ranks.lead(deal, guard)
        guard.settle()
    except KeyboardInterrupt:
        guard.settle()
        by = f"ended by {guard.cause.title}" if guard.cause else "ended"
        say(f"{by} with {len(checks)} configs checked here, of {len(configs)}")
    if guard.cause is not None:
        end_sweeps()
    return [check for _, check in sorted(checks.items())]
