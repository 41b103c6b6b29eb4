"""A finished run into trackers; what goes wrong there costs the entry, not the run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.guard import Guard
from lrfind.cli.options import say
from lrfind.errors import InputError, Problem

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.trackers.destination import Destination, Log
    from lrfind.trackers.entry import Entry


@dataclass(frozen=True, slots=True)
class OpenTrackers:
    """Trackers whose places were tried."""

    opened: Sequence[tuple[Destination, Log]] = ()

    def tell(
        self, report: Report, files: Sequence[Path], name: str, guard: Guard, *, quiet: bool
    ) -> bool:
        """Tell every tracker of a run, and say where it is to be found.

        A run that was told to end leaves them out; so does Ctrl-C while one of them is slow.

        Returns:
            Whether all took it.
        """
        if not self.opened:
            return True
        told: list[bool] = []
        if guard.cause is None:
            from lrfind.trackers.entry import Entry

            entry = Entry(name, report, tuple(files))
            try:
                guard.resume()
                told += [_tell(*tracker, entry, quiet=quiet) for tracker in self.opened]
            except KeyboardInterrupt:
                pass
            finally:
                guard.settle()
        if guard.cause is not None:
            say("it was told to end: not every tracker knows of the run")
        is_whole = len(told) == len(self.opened) and all(told)
        if not is_whole and files:
            say(f"the run itself is in {files[0].parent}")
        return is_whole


def open_trackers(log: Sequence[str]) -> OpenTrackers:
    """Try every place before any work is done; imports nothing where there is none.

    Raises:
        InputError: with every one that is wrong or cannot be reached.
    """
    if not log:
        return OpenTrackers()
    from lrfind.trackers import destination

    with redirect_stdout(sys.stderr):
        return OpenTrackers(destination.open_trackers(log))


def refuse_trackers(log: Sequence[str] | None) -> None:
    """Refuse to log several batch sizes, which are no one run.

    Raises:
        InputError: a tracker was named.
    """
    if log:
        what = "logs one run, and --batch-sizes makes several"
        raise InputError(Problem(f"--log {log[0]}", what, "leave out one of the two"))


def _tell(destination: Destination, log: Log, entry: Entry, *, quiet: bool) -> bool:
    try:
        # Standard output is the answer's.
        with redirect_stdout(sys.stderr):
            place = log(entry)
    # A client may raise anything: errors of its own, of the network, of the disk.
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        say(f"error: {destination.where}: the run was not written: {first:.300}")
        return False
    if not quiet:
        say(f"{destination.kind}: {place}")
    return True
