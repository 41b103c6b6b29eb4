"""One process of several that a launcher started: the first leads, the others follow in silence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import typer

from lrfind.cli.guard import Cause, Guard
from lrfind.cli.preload import preload
from lrfind.distributed import ALONE, World, world_of
from lrfind.errors import ExitCode, InputError, LrfindError, NoSuggestionError, Problem

if TYPE_CHECKING:
    from lrfind.distributed.group import Group
    from lrfind.spec import Spec

Result = TypeVar("Result")

LEADERS_WORK = timedelta(minutes=1)
"""Time in which the first rank saves and shows what all have found."""


class Ranks:
    """The processes of a command, seen from one of them.

    Args:
        world: which of them this is.

    Attributes:
        world: which of them this is.
        group: these processes, to be joined; None for one alone, and before `open`.
    """

    def __init__(self, world: World = ALONE) -> None:
        self.world = world
        self.group: Group | None = None
        self._have_parted = False

    def open(self) -> Group | None:
        """Give the processes, to be joined; None for one alone."""
        if not self.world.is_alone and self.group is None:
            from lrfind.distributed.group import Group

            self.group = Group(self.world)
        return self.group

    def lead(self, work: Callable[[], Result], guard: Guard) -> Result:
        """Do a part of what all do.

        Raises:
            PeerError: what went wrong elsewhere; what went wrong here as it is.
        """
        try:
            return work()
        except BaseException as error:
            guard.settle()
            why = self.explained(error, guard)
            if why is error:
                raise
            raise why from None

    def follow(self, work: Callable[[Group | None], object], guard: Guard) -> ExitCode:
        """Do a follower's part of what all do; the answer and the files are the leader's.

        Raises:
            LrfindError: what went wrong here; what went wrong elsewhere is told there.
        """
        try:
            with redirect_stdout(sys.stderr):
                preload("lrfind.experiment")
                work(self.open())
        except BaseException as error:
            guard.settle()
            why = self.explained(error, guard)
            if isinstance(error, NoSuggestionError):
                # All ranks have the same curves, and the first one says what is wrong with them.
                return error.exit_code
            if why is not error:
                return why.exit_code if isinstance(why, LrfindError) else ExitCode.BAD_INPUT
            if guard.cause is not None or isinstance(error, KeyboardInterrupt):
                return ExitCode.INTERRUPTED
            raise
        return ExitCode.OK

    def agreed(self, code: ExitCode, guard: Guard) -> ExitCode:
        """Give all ranks the leader's exit code; after an error, or told to end, each has its own.

        A rank that has failed must end, since the others may still wait for it.
        """
        guard.settle()
        if self.group is None or guard.cause is not None or self._have_parted:
            return code
        return ExitCode(self.group.agree_with_leader(int(code), LEADERS_WORK))

    def explained(self, error: BaseException, guard: Guard) -> BaseException:
        """Replace an error, or an order to end, that another rank's failure brought about.

        A launcher ends with SIGTERM the ranks that are left when one has failed.
        """
        self._have_parted = True
        if self.group is None or guard.cause not in (None, Cause.TERMINATE):
            return error
        return self.group.explained(error, was_told_to_end=guard.cause is not None)

    def raise_failure(self, guard: Guard) -> None:
        """Raise what ended another rank, where that is why this one was told to end."""
        if guard.cause is Cause.TERMINATE:
            error = KeyboardInterrupt()
            if (why := self.explained(error, guard)) is not error:
                raise why


def ranks_for(spec: Spec) -> Ranks:
    """Give the processes that share the work of a config; one without a strategy runs alone.

    Raises:
        typer.Exit: this one has no part in it.
    """
    world = world_of(os.environ)
    if spec.distributed.strategy != "none":
        return Ranks(world)
    if not world.leads:
        raise typer.Exit
    return Ranks()


@contextmanager
def met_alike(world: World) -> Iterator[None]:
    """Let the leader alone tell of an error that every rank meets."""
    try:
        yield
    except LrfindError as error:
        if world.leads:
            raise
        raise typer.Exit(error.exit_code) from None


def one_by_one(command: str, world: World) -> InputError:
    """Say why several configs are not done by all ranks together."""
    return InputError(
        Problem(
            f"lrfind {command}",
            f"was given several configs and started {world.size} times by a launcher; the ranks "
            "train one config together, but not one after another",
            "deal the configs out with distributed: replicas in each (run: --set "
            "distributed=replicas), or start one launcher a config",
        )
    )
