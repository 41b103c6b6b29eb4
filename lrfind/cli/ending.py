"""How work that was told to end says so, and whose fault it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from lrfind.cli.guard import Cause, Guard
from lrfind.cli.options import say
from lrfind.cli.ranks import Ranks
from lrfind.distributed import PeerError
from lrfind.errors import Problem

if TYPE_CHECKING:
    from lrfind.blame import Blame
    from lrfind.config import Config

Result = TypeVar("Result")


def whole_or_nothing(
    config: Config,
    guard: Guard,
    work: Callable[[Blame], Result],
    on_end: Callable[[Blame | None], None],
    ranks: Ranks | None = None,
) -> Result:
    """Do work of which half is worth nothing, under a guard; afterwards it is settled.

    Args:
        config: whose work it is.
        guard: asks it to end.
        work: is given the blame that it keeps up to date.
        on_end: says why there is no result, where the work was told to end; in another thread
            where the main one never comes back.
        ranks: the processes that do it together, of which this one leads; None: it does alone.

    Raises:
        KeyboardInterrupt: it was told to end, and said so.
        LrfindError: as the work.
    """
    blame: Blame | None = None
    ranks = ranks or Ranks()
    guard.rescue = lambda: on_end(blame)
    try:
        from lrfind.cli.preload import preload

        preload("lrfind.pinning")
        from lrfind.blame import Blame

        blame = Blame()
        result = work(blame)
        guard.settle()
        ranks.raise_failure(guard)
    except BaseException as error:
        guard.settle()
        why = ranks.explained(error, guard)
        if why is not error:
            raise why from None
        # An import that is interrupted may turn that into an error of its own.
        is_told = guard.cause is not None or isinstance(error, KeyboardInterrupt)
        if not is_told or isinstance(error, PeerError):
            if blame is not None:
                blame_lost_worker(config, blame, error)
            raise
        on_end(blame)
        raise KeyboardInterrupt from None
    return result


def blame_lost_worker(config: Config, blame: Blame, error: BaseException) -> None:
    """Make an error of the data of one that a dying worker raised amid our own code."""
    from lrfind.blame import blamed_on, lost_a_worker

    if lost_a_worker(error):
        with blamed_on(config, blame):
            raise error


def tell_end(config: Config, guard: Guard, blame: Blame | None) -> None:
    """Say what ended the work, where the user did not do it at the keyboard."""
    if guard.cause in (Cause.TERMINATE, Cause.HANGUP):
        say(f"ended by {guard.cause.title}")
    if guard.cause is Cause.TIMEOUT:
        problem, stack = overdue(config, guard, blame)
        if stack:
            problem = replace(problem, remedy=f"see below where it stood, or {problem.remedy}")
        say(f"error: {problem}")
        if stack:
            sys.stderr.write("\n" + stack)


def overdue(config: Config, guard: Guard, blame: Blame | None) -> tuple[Problem, str]:
    """Say what was not done in time, and where the user's code stood; empty where in none of it."""
    where, doing = str(config.path), "importing what the config names"
    phase = None if blame is None else blame.phase
    if phase is not None:
        from lrfind.blame import place_of

        where, key = place_of(config, phase)
        doing = f"{key}: {phase.doing}"
    what = f"{doing} was not done {guard.timeout_s:g} s after the start (--timeout)"
    from lrfind.console.problems import user_stack

    return Problem(where, what, "give it more time"), user_stack(guard.stack)
