"""One process of several that a launcher started: the first leads, the others follow in silence."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import typer

from lrfind.cli.guard import Cause, Guard
from lrfind.cli.preload import preload
from lrfind.distributed import World, world_of
from lrfind.errors import ExitCode, InputError, LrfindError, Problem

if TYPE_CHECKING:
    from lrfind.config import Config
    from lrfind.distributed.group import Group


def group_of(world: World) -> Group | None:
    """Give the processes of a run, to be joined; None for one alone."""
    if world.is_alone:
        return None
    from lrfind.distributed.group import Group

    return Group(world)


def follow(config: Config, world: World, guard: Guard) -> ExitCode:
    """Do a follower's part of a run; its answer and its files are the leader's.

    Raises:
        LrfindError: what went wrong here; what went wrong elsewhere is told there.
    """
    group: Group | None = None
    try:
        with redirect_stdout(sys.stderr):
            preload("lrfind.experiment")
            from lrfind.experiment import run_config

            group = group_of(world)
            run_config(config, group=group)
    except BaseException as error:
        guard.settle()
        if guard.cause is not None or isinstance(error, KeyboardInterrupt):
            return ExitCode.INTERRUPTED
        why = explained(error, group, guard)
        if why is not error:
            return ExitCode.BAD_INPUT
        raise
    return ExitCode.OK


def explained(error: BaseException, group: Group | None, guard: Guard) -> BaseException:
    """Replace an error, or an order to end, that another rank's failure brought about.

    A launcher ends with SIGTERM the ranks that are left when one has failed.
    """
    if group is None or guard.cause not in (None, Cause.TERMINATE):
        return error
    return group.explained(error, was_told_to_end=guard.cause is not None)


def raise_failure(group: Group | None, guard: Guard) -> None:
    """Raise what ended another rank, where that is why this one was told to end."""
    if guard.cause is Cause.TERMINATE:
        error = KeyboardInterrupt()
        if (why := explained(error, group, guard)) is not error:
            raise why


def silenced(error: LrfindError, world: World) -> LrfindError | typer.Exit:
    """Turn an error that every rank meets alike into a silent end, but for the leader."""
    return error if world.leads else typer.Exit(error.exit_code)


def refuse_ranks(command: str) -> None:
    """Refuse to do once a process what is done once; said by the first of them.

    Raises:
        InputError: there are several processes.
    """
    world = world_of(os.environ)
    if not world.is_alone:
        error = InputError(
            Problem(
                f"lrfind {command}",
                f"was started {world.size} times by a launcher, but runs in one process",
                "start it without torchrun; several processes share one `lrfind run CONFIG`",
            )
        )
        raise silenced(error, world)
